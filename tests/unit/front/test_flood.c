/* Clients, and an engine, that mean no good: the front stays small, alive and fair. */
#include "tests/unit/front/rig.h"

#include "agent-api/wire/limits.h"

#define BYSTANDER_WAIT_US 20000
#define STDIN                                                                                      \
	"{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"method\":\"callgate/stdin\","                         \
	"\"params\":{\"requestId\":1,\"data\":\"eA==\"}}\n"
#define OUTPUT                                                                                     \
	"{\"jsonrpc\":\"2.0\",\"id\":\"o\",\"method\":\"callgate/output\","                        \
	"\"params\":{\"requestId\":1}}\n"

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_start(rig, 4096);
	*state = rig;
	return 0;
}

static int stop(void **state)
{
	int status = rig_stop(*state);

	free(*state);
	assert_int_equal(status, 1);
	return 0;
}

static void say_call(int fd, unsigned id)
{
	char line[200];

	snprintf(line, sizeof(line),
	    "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"bash\"}}\n",
	    id);
	rig_say(fd, line);
}

/* 10,000 requests, none answered: 256 reach engine, the rest are refused one by one. */
static void in_flight_is_capped(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	long before;

	for (unsigned i = 0; i < FRONT_IN_FLIGHT_MAX; i++) {
		say_call(fd, i);
		rig_expect(rig, MESSAGE_REQUEST);
	}
	before = rig_memory_kib(rig);
	for (unsigned i = FRONT_IN_FLIGHT_MAX; i < 10000; i++) {
		json_int_t id = 0;

		say_call(fd, i);
		assert_int_equal(rig_hear_error(fd, &id), 503);
		assert_int_equal(id, i);
	}
	rig_quiet(rig);
	rig_check_memory(rig, before + 1024);
	rig_ping(fd);
	rig_reply(rig, 1, REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}");
	say_call(fd, 20000);
	rig_expect(rig, MESSAGE_REQUEST); /* there is room for one again */
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void who_never_reads_results_is_closed(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig), other = rig_client(rig);
	char *body = malloc(1000001);
	int sent;

	memset(body, '1', 1000000);
	body[1000000] = '\0';
	for (sent = 0; sent < 12; sent++) {
		say_call(fd, (unsigned)sent);
		if (rig_ready(rig->engine, 100)) {
			struct message message;
			uint64_t serial;

			rig_next(rig, &message, MESSAGE_REQUEST);
			serial = message.serial;
			message_fini(&message);
			rig_reply(rig, serial, REPLY_RESULT, body);
			usleep(BYSTANDER_WAIT_US);
		}
		rig_ping(other);
		if (rig_ready(rig->engine, 0))
			break;
	}
	assert_in_range(sent, 3, 7); /* more than 4 MiB, and no more than one answer above it */
	rig_expect(rig, MESSAGE_PEER_GONE);
	free(body);
	rig_ping(other);
	close(other);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(fd);
}

/* Writes without ever reading until the front hangs up; how many bytes it took. */
static size_t pour(int fd, const char *line, size_t max)
{
	size_t len = strlen(line), total = 0;

	while (total < max) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		ssize_t n;

		if (poll(&wait, 1, RIG_WAIT_MS) != 1)
			fail_msg("the front neither reads nor hangs up");
		n = send(
		    fd, line, len < max - total ? len : max - total, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			break;
		total += (size_t)n;
	}
	return total;
}

static void who_never_reads_pongs_is_closed(void **state)
{
	enum { MAX = 64 * 1024 * 1024 };
	struct rig *rig = *state;
	int fd = rig_client(rig);

	/* Pieces of lines may be lost in between: malformed ones are answered, too. */
	assert_true(pour(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n", MAX) < MAX);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(fd);
	rig_ping(fd = rig_client(rig));
	rig_check_memory(rig, 64 * 1024);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void an_endless_line_is_cut_off(void **state)
{
	enum { MAX = 64 * 1024 * 1024 };
	struct rig *rig = *state;
	char *brackets = malloc(65537);
	int fd = rig_client(rig);

	memset(brackets, '[', 65536);
	brackets[65536] = '\0';
	assert_true(pour(fd, brackets, MAX) < 4 * WIRE_MESSAGE_MAX);
	assert_int_equal(rig_hear_error(fd, NULL), -32600);
	rig_hear_end(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	free(brackets);
}

/* Many half messages: a user's budget is bounded, and whole messages are still served. */
static void half_messages_have_a_common_budget(void **state)
{
	enum { CLIENTS = 200, SIZE = 1000 * 1000 };
	struct rig *rig = *state;
	int fds[CLIENTS], refused = 0, other = rig_client(rig);
	char *half = malloc(SIZE + 1);

	memset(half, ' ', SIZE);
	half[SIZE] = '\0';
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = rig_connect(rig);
		(void)pour(fds[i], half, SIZE);
	}
	rig_ping(other);
	for (int i = 0; i < CLIENTS; i++)
		refused += rig_ready(fds[i], 0);
	assert_in_range(
	    refused, CLIENTS - FRONT_USER_IN_MAX / SIZE - 1, CLIENTS - FRONT_USER_IN_MAX / SIZE);
	rig_check_memory(rig, 2 * FRONT_USER_IN_MAX / 1024 + 64 * 1024);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	for (int i = 0; i < 2 * CLIENTS; i++) { /* PEER and PEER_GONE of each */
		struct message message;

		rig_next(rig, &message, MESSAGE_NONE);
		message_fini(&message);
	}
	rig_ping(other);
	close(other);
	rig_expect(rig, MESSAGE_PEER_GONE);
	free(half);
}

static void connections_are_capped(void **state)
{
	struct rig *rig = *state;
	int fds[FRONT_USER_CONNECTIONS], fd;

	for (int i = 0; i < FRONT_USER_CONNECTIONS; i++)
		fds[i] = rig_client(rig);
	for (int i = 0; i < 3; i++) {
		fd = rig_connect(rig);
		assert_int_equal(rig_hear_error(fd, NULL), 503);
		rig_hear_end(fd);
	}
	rig_quiet(rig);
	rig_ping(fds[0]);
	rig_ping(fds[FRONT_USER_CONNECTIONS - 1]);
	close(fds[100]);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_ping(fds[100] = rig_client(rig));
	for (int i = 0; i < FRONT_USER_CONNECTIONS; i++) {
		close(fds[i]);
		rig_expect(rig, MESSAGE_PEER_GONE);
	}
}

static void running_out_of_descriptors_is_survived(void **state)
{
	struct rig rig;
	int fds[100], served = 0;

	(void)state;
	rig_start(&rig, 40);
	for (int i = 0; i < 100; i++) {
		fds[i] = rig_connect(&rig);
		rig_say(fds[i], "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n");
	}
	for (int i = 0; i < 100; i++) {
		rig_hear_exactly(fds[i], "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}");
		served++;
		close(fds[i]); /* which makes room for one that waits */
	}
	assert_int_equal(served, 100);
	for (int i = 0; i < 200; i++) { /* PEER and PEER_GONE in some order */
		struct message message;

		rig_next(&rig, &message, MESSAGE_NONE);
		message_fini(&message);
	}
	assert_int_equal(rig_stop(&rig), 1);
}

/* Engine takes nothing: requests are refused with a word, and hang-ups still fit in. */
static void a_stuck_engine_is_no_end(void **state)
{
	enum { CLIENTS = 8, PER_CLIENT = 60 };
	struct rig *rig = *state;
	int fds[CLIENTS], refused = 0, forwarded = 0, gone = 0, fd = rig_client(rig);
	char *line = malloc(30200);

	memset(line, 'x', 30000);
	say_call(fd, 1);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = rig_connect(rig);
	for (int i = 0; i < CLIENTS * PER_CLIENT; i++) {
		int head = snprintf(line, 200,
		    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
		    "{\"name\":\"t\",\"arguments\":{\"stdin\":\"",
		    i);

		line[head] = 'x';
		memcpy(line + 30000, "\"}}}\n", 6);
		rig_say(fds[i % CLIENTS], line);
	}
	for (int i = 0; i < CLIENTS; i++) {
		rig_say(fds[i], "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n");
		for (;;) {
			char *cleanup_free heard = rig_hear_line(fds[i]);

			assert_non_null(heard);
			if (strstr(heard, "\"result\":{}"))
				break;
			assert_non_null(strstr(heard, "\"code\":503"));
			refused++;
		}
		close(fds[i]);
	}
	assert_true(refused > 100 && refused < CLIENTS * PER_CLIENT);
	rig_say(fd, OUTPUT); /* of a call that was taken: that is no new request */
	rig_say(fd, STDIN);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}");
	close(fd);
	while (gone < CLIENTS + 1) {
		struct message message;

		rig_next(rig, &message, MESSAGE_NONE);
		forwarded += message.type == MESSAGE_REQUEST;
		gone += message.type == MESSAGE_PEER_GONE;
		message_fini(&message);
	}
	forwarded -= 3; /* of the bystander */
	assert_int_equal(forwarded + refused, CLIENTS * PER_CLIENT);
	/* Half of the link's queue, and what the socket itself took. */
	assert_in_range(forwarded, LINK_QUEUE_MAX / 2 / 31000, LINK_QUEUE_MAX / 2 / 30000 + 40);
	free(line);
}

/* ---- an engine that leaves, drains, or talks nonsense ---- */

static void engine_gone_is_the_end(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig, 4096);
	fd = rig_client(&rig);
	say_call(fd, 1);
	rig_expect(&rig, MESSAGE_REQUEST);
	assert_int_equal(rig_stop(&rig), 1);
	rig_hear_end(fd);
}

static void draining_answers_what_is_due(void **state)
{
	struct rig rig;
	struct message message;
	uint64_t serial;
	int fd;

	(void)state;
	rig_start(&rig, 4096);
	fd = rig_client(&rig);
	say_call(fd, 1);
	serial = rig_expect(&rig, MESSAGE_REQUEST);
	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = "shutdown";
	rig_send(&rig, &message);
	rig_send(&rig, &message);
	rig_ping(fd);
	say_call(fd, 2);
	assert_int_equal(rig_hear_error(fd, NULL), 503);
	rig_reply(&rig, serial, REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	assert_int_equal(rig_stop(&rig), 0);
	rig_hear_end(fd);
}

static void say_drain(struct rig *rig)
{
	struct message message;

	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = "shutdown";
	rig_send(rig, &message);
}

/* What a running call reads and writes belongs to what may still finish. */
static void draining_serves_the_streams_of_calls(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig, 4096);
	fd = rig_client(&rig);
	say_call(fd, 1);
	rig_expect(&rig, MESSAGE_REQUEST);
	say_drain(&rig);
	rig_say(fd, OUTPUT);
	rig_reply(&rig, rig_expect(&rig, MESSAGE_REQUEST), REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"o\",\"result\":{}}");
	rig_say(fd, STDIN);
	rig_reply(&rig, rig_expect(&rig, MESSAGE_REQUEST), REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"result\":{}}");
	say_call(fd, 2);
	assert_int_equal(rig_hear_error(fd, NULL), 503);
	assert_int_equal(rig_stop(&rig), 0);
	rig_hear_end(fd);
}

/* Engine says its last word and leaves; a client that reads late, but reads, has it whole. */
static void the_last_answers_are_delivered(void **state)
{
	enum { SIZE = 3000000 };
	struct rig rig;
	struct buf cleanup_with(buf_fini) heard;
	char *body = malloc(SIZE + 1);
	uint64_t serial;
	ssize_t n;
	int fd, deaf;

	(void)state;
	memset(body, '1', SIZE);
	body[SIZE] = '\0';
	buf_init(&heard, 2 * SIZE);
	rig_start(&rig, 4096);
	fd = rig_client(&rig);
	deaf = rig_client(&rig);
	say_call(fd, 1);
	serial = rig_expect(&rig, MESSAGE_REQUEST);
	say_call(deaf, 1);
	say_drain(&rig);
	rig_reply(&rig, rig_expect(&rig, MESSAGE_REQUEST), REPLY_RESULT, body);
	rig_reply(&rig, serial, REPLY_RESULT, body);
	shutdown(rig.engine, SHUT_WR);
	usleep(200000);
	while ((n = read(fd, body, SIZE)) > 0)
		buf_put(&heard, body, (size_t)n);
	assert_int_equal(
	    heard.len, SIZE + sizeof("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":}\n") - 1);
	assert_int_equal(rig_stop(&rig), 0); /* who never reads does not keep it */
	close(fd);
	close(deaf);
	free(body);
}

static void check_nonsense(enum message_type type, enum reply_kind kind, const char *body)
{
	struct rig rig;
	struct message message;
	int fd, status = 0;

	rig_start(&rig, 4096);
	fd = rig_client(&rig);
	say_call(fd, 1);
	rig_expect(&rig, MESSAGE_REQUEST);
	message_init(&message, type);
	message.serial = 1;
	if (type == MESSAGE_REPLY) {
		message.u.reply.kind = (uint16_t)kind;
		message.u.reply.body = (struct bytes){.data = body, .len = strlen(body)};
	}
	rig_send(&rig, &message);
	rig_hear_end(fd);
	for (int i = 0; i < 1000 && waitpid(rig.pid, &status, WNOHANG) != rig.pid; i++)
		usleep(10000);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(rig.engine);
}

static void nonsense_from_engine_stops_the_front(void **state)
{
	(void)state;
	check_nonsense(MESSAGE_REPLY, REPLY_RESULT, "{}\n{\"forged\":1}");
	check_nonsense(MESSAGE_REPLY, REPLY_RESULT, "");
	check_nonsense(MESSAGE_REPLY, REPLY_NONE, "{}");
	check_nonsense(MESSAGE_RECORDED, REPLY_NONE, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(in_flight_is_capped),
	    TEST(who_never_reads_results_is_closed),
	    TEST(who_never_reads_pongs_is_closed),
	    TEST(an_endless_line_is_cut_off),
	    TEST(half_messages_have_a_common_budget),
	    TEST(connections_are_capped),
	    cmocka_unit_test(running_out_of_descriptors_is_survived),
	    TEST(a_stuck_engine_is_no_end),
	    cmocka_unit_test(engine_gone_is_the_end),
	    cmocka_unit_test(draining_answers_what_is_due),
	    cmocka_unit_test(draining_serves_the_streams_of_calls),
	    cmocka_unit_test(the_last_answers_are_delivered),
	    cmocka_unit_test(nonsense_from_engine_stops_the_front),
	};
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
