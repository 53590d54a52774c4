/* What a client fetches and writes while its tool runs: real pipes, a fake front. */
#include "tests/unit/engine/fakes.h"

#include <signal.h>

#include "supervisor/base/str.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/calls/stream.h"

#define SERIAL  77
#define BOTH    (REQUEST_STREAM_INPUT | REQUEST_STREAM_OUTPUT)
#define PIPE_64 (64 * 1024)

static struct call *call;
static int to_out, to_err, from_in; /* the tool's ends */
static uint64_t next_serial;
static int fetched;

static void on_fetched(struct call *done)
{
	assert_ptr_equal(done, call);
	fetched++;
}

/* A call of peer 1 in nobody's hands but the stream's. */
static void begin(uint32_t options)
{
	signal(SIGPIPE, SIG_IGN);
	call = calloc(1, sizeof(*call));
	call->engine = &world;
	call->peer = 1;
	call->request = SERIAL;
	call->options = options;
	call->input = -1;
	call->tool = policy_find_tool(world.rules->policy, "bash");
	call->stream = stream_new(call);
	assert_non_null(call->stream);
	world.calls = call;
	sent_forget();
	next_serial = 1000;
	fetched = 0;
}

static void run(void)
{
	int in[2], out[2], err[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(output_start(&world_loop, out[0], err[0], 1000, &call->output), 0);
	if (call->options & REQUEST_STREAM_INPUT)
		call->input = in[1];
	else
		close(in[1]);
	from_in = in[0];
	to_out = out[1];
	to_err = err[1];
	stream_start(call->stream);
}

/* As answer_exited() does it. */
static void die(void)
{
	close(to_out);
	close(to_err);
	close(from_in);
	call->exit.how = EXIT_HOW_EXITED;
	assert_int_equal(output_finish(call->output), 0);
	stream_finish(call->stream);
}

static void end(void)
{
	stream_free(call->stream);
	output_free(call->output);
	world_turn();
	world.calls = NULL;
	free(call);
}

static uint64_t ask(uint64_t peer, void (*method)(const struct methods_ask *), json_t *params)
{
	struct methods_ask asked = {.engine = &world,
	    .peer = peer_find(&world, peer),
	    .to = {&world, ++next_serial, ERA_LEGACY, peer},
	    .params = params};

	method(&asked);
	json_decref(params);
	return next_serial;
}

static uint64_t ask_output(void)
{
	return ask(1, stream_read, json_pack("{s:i}", "request", SERIAL));
}

static uint64_t ask_input(const void *bytes, size_t len, int last)
{
	struct buf base64 = {0};
	uint64_t serial;

	buf_init(&base64, 1024 * 1024);
	assert_int_equal(str_base64(&base64, bytes, len), 0);
	serial = ask(1, stream_write,
	    json_pack("{s:i, s:s%, s:b}", "request", SERIAL, "data",
		base64.data ? (char *)base64.data : "", base64.len, "end", last));
	buf_fini(&base64);
	return serial;
}

/* The answer to this request; NULL while there is none. *ret_kind: REPLY_... */
static json_t *answer_of(uint64_t serial, int *ret_kind)
{
	for (size_t i = 0; i < sent_count; i++) {
		const struct message_reply *reply = &sent[i].message.u.reply;

		if (sent[i].message.type != MESSAGE_REPLY || sent[i].message.serial != serial)
			continue;
		assert_false(sent[i].seen); /* one answer each */
		sent[i].seen = 1;
		*ret_kind = reply->kind;
		return reply->body.len ? json_loadb(reply->body.data, reply->body.len, 0, NULL)
				       : json_null();
	}
	return NULL;
}

static json_t *wait_answer(uint64_t serial, int kind)
{
	json_t *answer = NULL;
	int got;

	for (int i = 0; i < 100 && !(answer = answer_of(serial, &got)); i++)
		uv_run(&world_loop, UV_RUN_NOWAIT);
	assert_non_null(answer);
	assert_int_equal(got, kind);
	return answer;
}

static void refused(uint64_t serial, int code)
{
	json_t *answer = wait_answer(serial, REPLY_ERROR);

	assert_int_equal(json_integer_value(json_object_get(answer, "code")), code);
	json_decref(answer);
}

static int unanswered(uint64_t serial)
{
	for (size_t i = 0; i < sent_count; i++)
		if (sent[i].message.type == MESSAGE_REPLY && sent[i].message.serial == serial)
			return 0;
	return 1;
}

struct got {
	struct buf out, err;
	int end;
};

static void take(struct got *got, uint64_t serial)
{
	json_t *answer = wait_answer(serial, REPLY_RESULT), *chunk;
	size_t i, total = 0;

	json_array_foreach(json_object_get(answer, "chunks"), i, chunk)
	{
		const json_t *data = json_object_get(chunk, "data");
		const char *name = json_string_value(json_object_get(chunk, "stream"));
		uint8_t bytes[STREAM_REPLY_MAX];
		size_t len;

		assert_int_equal(str_unbase64(bytes, sizeof(bytes), json_string_value(data),
				     json_string_length(data), &len),
		    0);
		assert_true(len > 0);
		total += len;
		assert_true(strcmp(name, "stdout") == 0 || strcmp(name, "stderr") == 0);
		buf_put(name[3] == 'o' ? &got->out : &got->err, bytes, len);
	}
	assert_true(total <= STREAM_REPLY_MAX);
	got->end = json_is_true(json_object_get(answer, "end"));
	json_decref(answer);
}

static void fetch_all(struct got *got)
{
	for (int i = 0; i < 1000 && !got->end; i++)
		take(got, ask_output());
	assert_true(got->end);
}

static void got_init(struct got *got)
{
	memset(got, 0, sizeof(*got));
	buf_init(&got->out, 64 * 1024 * 1024);
	buf_init(&got->err, 64 * 1024 * 1024);
}

static void got_fini(struct got *got)
{
	buf_fini(&got->out);
	buf_fini(&got->err);
}

/* Writes until the pipe is full; how much went in. */
static size_t stuff(int fd, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	ssize_t put;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (done < len && (put = write(fd, bytes + done, len - done)) > 0)
		done += (size_t)put;
	return done;
}

/* The timers' patience ends now. */
static void hurry_one(uv_handle_t *handle, void *unused)
{
	uv_timer_t *timer = (uv_timer_t *)handle;

	(void)unused;
	if (handle->type == UV_TIMER && uv_is_active(handle))
		uv_timer_start(timer, timer->timer_cb, 0, 0);
}

static void hurry(void)
{
	uv_walk(&world_loop, hurry_one, NULL);
	uv_run(&world_loop, UV_RUN_NOWAIT);
}

/* ---- output ------------------------------------------------------------------------------ */

static void test_output_in_order(void **state)
{
	struct got got;
	uint64_t early;

	(void)state;
	got_init(&got);
	begin(BOTH);
	early = ask_output(); /* before the tool runs: waits */
	assert_true(unanswered(early));
	run();
	assert_int_equal(write(to_out, "a\0b", 3), 3);
	take(&got, early);
	assert_int_equal(got.out.len, 3);
	assert_memory_equal(got.out.data, "a\0b", 3);
	assert_true(call->streamed);
	assert_false(got.end);
	early = ask_output();
	refused(ask_output(), RESULT_CONFLICT); /* one at a time */
	assert_int_equal(write(to_err, "oops", 4), 4);
	take(&got, early);
	assert_memory_equal(got.err.data, "oops", 4);
	/* what is left in the pipes at the end comes before the end mark */
	assert_int_equal(write(to_out, "rest", 4), 4);
	assert_int_equal(write(to_err, "last", 4), 4);
	die();
	assert_true(stream_holds(call->stream, on_fetched));
	assert_int_equal(fetched, 0);
	take(&got, ask_output());
	assert_true(got.end);
	assert_int_equal(fetched, 1);
	assert_memory_equal(got.out.data, "a\0brest", 7);
	assert_memory_equal(got.err.data, "oopslast", 8);
	end();
	got_fini(&got);
}

/* A reader that waits when the tool ends gets the end mark at once, and nothing is held. */
static void test_end_mark(void **state)
{
	struct got got;
	uint64_t serial;

	(void)state;
	got_init(&got);
	begin(REQUEST_STREAM_OUTPUT);
	run();
	serial = ask_output();
	assert_int_equal(write(to_out, "bye", 3), 3);
	die();
	take(&got, serial);
	assert_true(got.end);
	assert_memory_equal(got.out.data, "bye", 3);
	assert_false(stream_holds(call->stream, on_fetched));
	take(&got, ask_output()); /* again: still the end */
	assert_true(got.end);
	end();
	assert_int_equal(fetched, 0);
	got_fini(&got);
}

/* Nobody fetches: the tool is stopped by a full pipe, and no more than promised is held. */
static void test_output_backpressure(void **state)
{
	static uint8_t zeros[1024 * 1024];
	struct output_facts facts;
	struct got got;
	size_t total = 0, more;

	(void)state;
	got_init(&got);
	begin(REQUEST_STREAM_OUTPUT);
	run();
	do {
		more = stuff(to_out, zeros, sizeof(zeros));
		total += more;
		for (int i = 0; i < 8; i++)
			uv_run(&world_loop, UV_RUN_NOWAIT);
	} while (more > 0);
	assert_in_range(total, PIPE_64, STREAM_HOLD_MAX);
	assert_int_equal(output_facts(call->output, OUTPUT_OUT, &facts), 0);
	assert_in_range(facts.bytes, 64 * 1024, STREAM_HOLD_MAX - STREAM_PIPE);
	assert_int_equal(write(to_err, "e", 1), 1); /* the other stream still flows */
	uv_run(&world_loop, UV_RUN_NOWAIT);
	assert_int_equal(output_facts(call->output, OUTPUT_ERR, &facts), 0);
	assert_int_equal(facts.bytes, 1);
	/* fetched: it goes on */
	for (int i = 0; i < 4; i++)
		take(&got, ask_output());
	for (int i = 0; i < 8; i++)
		uv_run(&world_loop, UV_RUN_NOWAIT);
	more = stuff(to_out, zeros, 1000);
	assert_int_equal(more, 1000);
	die();
	fetch_all(&got);
	assert_int_equal(got.out.len, total + more);
	assert_int_equal(got.err.len, 1);
	end();
	got_fini(&got);
}

/* Single bytes on both streams by turns cost more than a byte each, and are bounded all the same.
 * */
static void test_alternating_bytes(void **state)
{
	struct output_facts facts;
	struct got got;
	int sent_bytes = 0;

	(void)state;
	got_init(&got);
	begin(REQUEST_STREAM_OUTPUT);
	run();
	for (; sent_bytes < 5000; sent_bytes++) {
		assert_int_equal(write(to_out, "o", 1), 1);
		uv_run(&world_loop, UV_RUN_NOWAIT);
		assert_int_equal(write(to_err, "e", 1), 1);
		uv_run(&world_loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(output_facts(call->output, OUTPUT_OUT, &facts), 0);
	assert_in_range(facts.bytes, 50, 1000); /* the rest waits in the pipe */
	die();
	fetch_all(&got);
	assert_int_equal(got.out.len, sent_bytes);
	assert_int_equal(got.err.len, sent_bytes);
	end();
	got_fini(&got);
}

static void test_flood_arrives_whole(void **state)
{
	size_t len = 5 * 1024 * 1024 + 13, done = 0;
	uint8_t *bytes = malloc(len);
	struct got got;

	(void)state;
	got_init(&got);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 11);
	begin(REQUEST_STREAM_OUTPUT);
	run();
	while (done < len) {
		done += stuff(to_out, bytes + done, len - done);
		take(&got, ask_output());
		if (sent_count > SENT_MAX / 2)
			sent_forget();
	}
	die();
	fetch_all(&got);
	assert_int_equal(got.out.len, len);
	assert_memory_equal(got.out.data, bytes, len);
	end();
	got_fini(&got);
	free(bytes);
}

static void test_patience(void **state)
{
	struct got got;
	uint64_t serial;

	(void)state;
	got_init(&got);
	begin(REQUEST_STREAM_OUTPUT);
	run();
	serial = ask_output();
	uv_run(&world_loop, UV_RUN_NOWAIT);
	assert_true(unanswered(serial));
	hurry(); /* nothing came: an empty answer */
	take(&got, serial);
	assert_int_equal(got.out.len + got.err.len, 0);
	assert_false(got.end);
	serial = ask_output();
	stream_cancel(&world, 2, serial); /* another connection cannot */
	assert_true(unanswered(serial));
	stream_cancel(&world, 1, serial);
	json_decref(wait_answer(serial, REPLY_SILENT));
	assert_int_equal(write(to_out, "x", 1), 1);
	uv_run(&world_loop, UV_RUN_NOWAIT);
	take(&got, ask_output());
	assert_int_equal(got.out.len, 1);
	die();
	end();
	got_fini(&got);
}

/* Whoever stops fetching, or never began, does not hold the result for ever. */
static void test_nobody_fetches(void **state)
{
	(void)state;
	begin(REQUEST_STREAM_OUTPUT);
	run();
	assert_int_equal(write(to_out, "x", 1), 1);
	uv_run(&world_loop, UV_RUN_NOWAIT);
	die();
	assert_true(stream_holds(call->stream, on_fetched));
	assert_int_equal(fetched, 0);
	hurry();
	assert_int_equal(fetched, 1);
	assert_false(call->streamed);
	end();
	begin(REQUEST_STREAM_INPUT); /* no output was asked for */
	run();
	die();
	assert_false(stream_holds(call->stream, on_fetched));
	end();
	begin(REQUEST_STREAM_OUTPUT);
	run();
	call->silent = true; /* withdrawn */
	die();
	assert_false(stream_holds(call->stream, on_fetched));
	end();
	assert_false(stream_holds(NULL, on_fetched));
}

/* The daemon stops: the rest can still be fetched, for a short while in all. */
static void test_drain(void **state)
{
	struct got got;

	(void)state;
	got_init(&got);
	begin(REQUEST_STREAM_OUTPUT);
	run();
	assert_int_equal(write(to_out, "x", 1), 1);
	uv_run(&world_loop, UV_RUN_NOWAIT);
	take(&got, ask_output());
	world.draining = 1;
	assert_int_equal(write(to_out, "y", 1), 1);
	die();
	assert_true(stream_holds(call->stream, on_fetched));
	take(&got, ask_output());
	assert_true(got.end);
	assert_int_equal(fetched, 1);
	assert_memory_equal(got.out.data, "xy", 2);
	end();
	got_fini(&got);
	world.draining = 0;
	got_init(&got);
	begin(REQUEST_STREAM_OUTPUT); /* one that is held already, and nobody fetches any more */
	run();
	assert_int_equal(write(to_out, "x", 1), 1);
	uv_run(&world_loop, UV_RUN_NOWAIT);
	take(&got, ask_output());
	assert_int_equal(write(to_out, "y", 1), 1);
	die();
	assert_true(stream_holds(call->stream, on_fetched));
	world.draining = 1;
	stream_drain(call->stream);
	usleep(STREAM_DRAIN_MS * 1000 + 50000);
	uv_run(&world_loop, UV_RUN_NOWAIT);
	assert_int_equal(fetched, 1);
	world.draining = 0;
	end();
	got_fini(&got);
	stream_drain(NULL);
}

/* A call that is refused never runs: whoever waits is told the end. */
static void test_never_ran(void **state)
{
	struct got got;
	uint64_t output, input;
	json_t *answer;

	(void)state;
	got_init(&got);
	begin(BOTH);
	output = ask_output();
	input = ask_input("abc", 3, 0);
	assert_true(unanswered(output));
	assert_true(unanswered(input));
	stream_finish(call->stream);
	take(&got, output);
	assert_true(got.end);
	answer = wait_answer(input, REPLY_RESULT);
	assert_true(json_is_true(json_object_get(answer, "closed")));
	json_decref(answer);
	assert_false(stream_holds(call->stream, on_fetched));
	end();
	got_fini(&got);
}

/* ---- input ------------------------------------------------------------------------------- */

static void closed_is(uint64_t serial, int closed)
{
	json_t *answer = wait_answer(serial, REPLY_RESULT);

	assert_int_equal(json_is_true(json_object_get(answer, "closed")), closed);
	json_decref(answer);
}

static void test_input(void **state)
{
	static uint8_t big[STREAM_WRITE_MAX], got[2 * STREAM_WRITE_MAX];
	uint64_t serial, second;
	size_t len = 0;
	ssize_t n;

	(void)state;
	memset(big, 'z', sizeof(big));
	begin(BOTH);
	serial = ask_input("early", 5, 0); /* before the tool runs: waits */
	assert_true(unanswered(serial));
	run();
	closed_is(serial, 0);
	assert_int_equal(read(from_in, got, sizeof(got)), 5);
	assert_memory_equal(got, "early", 5);
	closed_is(ask_input("", 0, 0), 0);
	closed_is(ask_input(big, sizeof(big), 0), 0); /* the pipe holds it */
	serial = ask_input("tail", 4, 1);
	uv_run(&world_loop, UV_RUN_NOWAIT);
	assert_true(unanswered(serial)); /* the tool does not read: the answer waits */
	second = ask_input("x", 1, 0);
	refused(second, RESULT_CONFLICT);
	while ((n = read(from_in, got + len, 4096)) > 0) {
		len += (size_t)n;
		uv_run(&world_loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(n, 0); /* EOF is passed on */
	assert_int_equal(len, sizeof(big) + 4);
	assert_memory_equal(got + sizeof(big), "tail", 4);
	closed_is(serial, 1);
	closed_is(ask_input("more", 4, 0), 1);
	die();
	end();
}

static void test_input_closed_by_tool(void **state)
{
	static uint8_t big[STREAM_WRITE_MAX];
	uint64_t serial;

	(void)state;
	begin(BOTH);
	run();
	close(from_in);
	from_in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	closed_is(ask_input("x", 1, 0), 1);
	die();
	end();
	/* closed, and dead, while bytes wait */
	for (int death = 0; death < 2; death++) {
		begin(BOTH);
		run();
		closed_is(ask_input(big, sizeof(big), 0), 0);
		serial = ask_input(big, sizeof(big), 0);
		uv_run(&world_loop, UV_RUN_NOWAIT);
		assert_true(unanswered(serial));
		if (death)
			die();
		else
			close(from_in);
		closed_is(serial, 1);
		if (!death) {
			from_in = open("/dev/null", O_RDONLY | O_CLOEXEC);
			die();
		}
		end();
	}
}

static void test_input_cancelled(void **state)
{
	static uint8_t big[STREAM_WRITE_MAX], sink[STREAM_WRITE_MAX];
	uint64_t serial;

	(void)state;
	begin(REQUEST_STREAM_INPUT);
	run();
	closed_is(ask_input(big, sizeof(big), 0), 0);
	serial = ask_input("y", 1, 0);
	stream_cancel(&world, 1, serial);
	json_decref(wait_answer(serial, REPLY_SILENT));
	assert_int_equal(read(from_in, sink, sizeof(sink)), sizeof(sink));
	uv_run(&world_loop, UV_RUN_NOWAIT); /* what was taken still goes in, unanswered */
	assert_int_equal(read(from_in, sink, sizeof(sink)), 1);
	closed_is(ask_input("z", 1, 1), 1);
	die();
	end();
}

/* The pipe did not come, or was not asked for. */
static void test_no_pipe(void **state)
{
	(void)state;
	begin(BOTH);
	call->options = REQUEST_STREAM_OUTPUT;
	run();
	call->options = BOTH;
	closed_is(ask_input("x", 1, 0), 1);
	die();
	end();
}

/* ---- who may, and what is well-formed ------------------------------------------------------ */

static void test_strangers(void **state)
{
	(void)state;
	begin(REQUEST_STREAM_OUTPUT);
	run();
	refused(ask(2, stream_read, json_pack("{s:i}", "request", SERIAL)), RPC_INVALID_PARAMS);
	refused(ask(1, stream_read, json_pack("{s:i}", "request", SERIAL + 1)), RPC_INVALID_PARAMS);
	refused(ask(1, stream_read, json_pack("{s:s}", "request", "77")), RPC_INVALID_PARAMS);
	refused(ask(1, stream_read, json_object()), RPC_INVALID_PARAMS);
	refused(ask_input("x", 1, 0), RPC_INVALID_PARAMS); /* input is not streamed */
	die();
	end();
	begin(REQUEST_STREAM_INPUT);
	run();
	refused(ask_output(), RPC_INVALID_PARAMS);
	refused(ask(2, stream_write, json_pack("{s:i, s:s}", "request", SERIAL, "data", "")),
	    RPC_INVALID_PARAMS);
	die();
	end();
}

static void test_bad_input(void **state)
{
	static uint8_t big[STREAM_WRITE_MAX + 1];

	(void)state;
	begin(REQUEST_STREAM_INPUT);
	run();
	refused(ask(1, stream_write, json_pack("{s:i, s:s}", "request", SERIAL, "data", "eA")),
	    RPC_INVALID_PARAMS);
	refused(ask(1, stream_write, json_pack("{s:i, s:i}", "request", SERIAL, "data", 5)),
	    RPC_INVALID_PARAMS);
	refused(ask(1, stream_write, json_pack("{s:i, s:i}", "request", SERIAL, "end", 1)),
	    RPC_INVALID_PARAMS);
	refused(ask_input(big, sizeof(big), 0), RPC_INVALID_PARAMS);
	closed_is(ask_input("ok", 2, 1), 1);
	die();
	end();
}

static void test_cost(void **state)
{
	(void)state;
	assert_int_equal(stream_cost(0), 0);
	assert_int_equal(stream_cost(REQUEST_CAN_ELICIT), 0);
	assert_int_equal(stream_cost(REQUEST_STREAM_OUTPUT), 2 * STREAM_HOLD_MAX);
	assert_in_range(stream_cost(REQUEST_STREAM_INPUT), STREAM_WRITE_MAX, 2 * STREAM_WRITE_MAX);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_output_in_order),
	    T(test_end_mark),
	    T(test_output_backpressure),
	    T(test_alternating_bytes),
	    T(test_flood_arrives_whole),
	    T(test_patience),
	    T(test_nobody_fetches),
	    T(test_drain),
	    T(test_never_ran),
	    T(test_input),
	    T(test_input_closed_by_tool),
	    T(test_input_cancelled),
	    T(test_no_pipe),
	    T(test_strangers),
	    T(test_bad_input),
	    T(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
