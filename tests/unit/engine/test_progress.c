/* notifications/progress: what is shown, how often, and when no more. */
#include "tests/unit/engine/fakes.h"

#include "supervisor/engine/asking/progress.h"

static uint64_t last_serial = 1000;

static struct call *start(const char *tool, const char *token)
{
	struct message message = request_message(1, ++last_serial, REQUEST_TOOLS_CALL);

	message.u.request.tool = tool;
	message.u.request.progress = token;
	message.u.request.body.data = "{\"command\":\"ls\"}";
	message.u.request.body.len = strlen(message.u.request.body.data);
	assert_int_equal(methods_request(&world, &message), 0);
	answer_plan(world.calls, ANSWER_OK, 7);
	return world.calls;
}

/* To RUNNING; writers get the tool's ends. */
static struct call *run(const char *token, int writers[2])
{
	struct call *call = start("bash", token);

	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(call->state, CALL_RUNNING);
	return call;
}

/* Lets the loop live for some real time. */
static void live(int ms)
{
	for (int i = 0; i < ms / 5; i++) {
		world_turn();
		usleep(5000);
	}
}

/* Parameters of the next notice; the caller's; NULL: none came. */
static json_t *heard(void)
{
	struct message *message = sent_next(&world.front, MESSAGE_NOTIFY);
	json_t *json, *params;

	if (!message)
		return NULL;
	assert_int_equal(message->u.notify.peer, 1);
	json = json_loadb(message->u.notify.body.data, message->u.notify.body.len, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(json, "method")), "notifications/progress");
	params = json_incref(json_object_get(json, "params"));
	json_decref(json);
	return params;
}

static void expect(json_int_t progress, const char *text)
{
	json_t *params = heard();
	const char *message = json_string_value(json_object_get(params, "message"));

	assert_non_null(params);
	assert_int_equal(json_integer_value(json_object_get(params, "progress")), progress);
	assert_string_equal(message ? message : "", text);
	json_decref(params);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void end(struct call *call, int writers[2])
{
	close(writers[0]);
	close(writers[1]);
	drive_to_end(call->id);
}

static void output_is_told_as_it_comes(void **state)
{
	int writers[2];
	struct call *call = run("\"t\"", writers);

	(void)state;
	live(2 * PROGRESS_EVERY_MS);
	assert_null(heard()); /* nothing written, nothing to tell */
	say(writers[0], "one\n");
	live(2 * PROGRESS_EVERY_MS);
	expect(4, "one\n");
	assert_true(call->streamed);
	say(writers[0], "two");
	say(writers[1], "oh");
	live(2 * PROGRESS_EVERY_MS);
	expect(9, "ohtwo");
	live(2 * PROGRESS_EVERY_MS);
	assert_null(heard());
	say(writers[0], "too late to be told of");
	end(call, writers);
	live(2 * PROGRESS_EVERY_MS);
	assert_null(heard()); /* the result says it */
}

static void five_a_second_at_most(void **state)
{
	int writers[2], notices = 0;
	struct call *call = run("1", writers);
	json_int_t last = 0;
	json_t *params;

	(void)state;
	for (int i = 0; i < 200; i++) {
		say(writers[0], "x\n");
		live(5);
	}
	live(PROGRESS_EVERY_MS);
	while ((params = heard())) {
		json_int_t now = json_integer_value(json_object_get(params, "progress"));

		assert_true(now > last);
		last = now;
		notices++;
		json_decref(params);
	}
	assert_int_equal(last, 400);
	assert_true(notices >= 2 && notices <= 12); /* a second and a bit, on a busy machine */
	end(call, writers);
}

static void long_output_shows_its_end(void **state)
{
	char chunk[1024];
	int writers[2];
	struct call *call = run("1", writers);
	json_t *params;
	const char *text;

	(void)state;
	memset(chunk, 'a', sizeof(chunk));
	for (int i = 0; i < 20; i++)
		assert_int_equal(write(writers[0], chunk, sizeof(chunk)), (ssize_t)sizeof(chunk));
	say(writers[0], "end");
	live(2 * PROGRESS_EVERY_MS);
	params = heard();
	assert_int_equal(json_integer_value(json_object_get(params, "progress")), 20 * 1024 + 3);
	text = json_string_value(json_object_get(params, "message"));
	assert_int_equal(strlen(text), PROGRESS_TEXT_MAX);
	assert_string_equal(text + PROGRESS_TEXT_MAX - 3, "end");
	json_decref(params);
	end(call, writers);
}

static void no_token_no_progress(void **state)
{
	int writers[2];
	struct call *call = run("", writers);

	(void)state;
	say(writers[0], "text");
	live(2 * PROGRESS_EVERY_MS);
	assert_null(heard());
	assert_false(call->streamed);
	end(call, writers);
}

static void who_waits_is_told_for_whom(void **state)
{
	struct call *call = start("gated", "\"w\"");
	char text[64];
	json_t *params;

	(void)state;
	assert_int_equal(call->state, CALL_APPROVAL);
	snprintf(text, sizeof(text), "waits for approval %s", call->approval->answer.id);
	live(2 * PROGRESS_EVERY_MS);
	expect(1, text);
	assert_null(heard());
	fake_now_us += PROGRESS_WAITING_MS * 1000ull;
	live(2 * PROGRESS_EVERY_MS);
	expect(2, text); /* so that a client's clock begins anew */
	call_cancel(call);
	live(2 * PROGRESS_EVERY_MS);
	assert_null(heard());
	while ((params = heard()))
		json_decref(params);
}

/* ---- what a tool says itself ---- */

/* A connection through the gate of this call. */
static uint64_t inside(struct call *call)
{
	static uint64_t last_peer = 70;
	struct message message;

	((struct policy_tool *)(uintptr_t)call->tool)->sandbox.callgate = true;
	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = ++last_peer;
	message.u.peer.call = call->id;
	assert_int_equal(peer_arrived(&world, &message), 0);
	return last_peer;
}

/* Returns whether it was taken. */
static bool tell(uint64_t peer, const char *params)
{
	struct message message = request_message(peer, ++last_serial, REQUEST_PROGRESS);
	struct message *reply;

	message.u.request.body = (struct bytes){params, strlen(params)};
	while (sent_next(&world.front, MESSAGE_REPLY))
		; /* results of calls that ended */
	assert_int_equal(methods_request(&world, &message), 0);
	reply = sent_next(&world.front, MESSAGE_REPLY);
	assert_non_null(reply);
	return reply->u.reply.kind == REPLY_RESULT;
}

static void expect_own(double progress, double total, const char *text)
{
	json_t *params = heard();
	const char *message = json_string_value(json_object_get(params, "message"));

	assert_non_null(params);
	assert_true(json_number_value(json_object_get(params, "progress")) == progress);
	assert_true(json_number_value(json_object_get(params, "total")) == total);
	assert_string_equal(message ? message : "", text);
	json_decref(params);
}

static void a_tool_says_how_far_it_is(void **state)
{
	int writers[2];
	struct call *call = run("\"t\"", writers);
	uint64_t peer = inside(call);

	(void)state;
	assert_true(tell(peer, "{\"progress\":0,\"total\":100,\"message\":\"go\\u001b[1m\"}"));
	expect_own(0, 100, "go?[1m"); /* at once */
	assert_true(call->streamed);
	assert_true(tell(peer, "{\"progress\":0.5}"));
	expect_own(0.5, 0, "");
	assert_false(tell(peer, "{\"progress\":0.5}"));
	assert_false(tell(peer, "{\"progress\":0.25}"));
	assert_null(heard());
	say(writers[0], "its own words take the place of its output");
	live(2 * PROGRESS_EVERY_MS);
	assert_null(heard());
	end(call, writers);
	assert_false(tell(peer, "{\"progress\":2}")); /* it is over */
	assert_null(heard());
}

static void what_was_told_before_stays_below(void **state)
{
	int writers[2];
	struct call *call = run("1", writers);
	uint64_t peer = inside(call);

	(void)state;
	say(writers[0], "12345");
	live(2 * PROGRESS_EVERY_MS);
	expect(5, "12345");
	assert_true(tell(peer, "{\"progress\":0,\"total\":10}"));
	expect_own(6, 16, "");
	end(call, writers);
}

static void haste_is_told_later(void **state)
{
	int writers[2];
	struct call *call = run("1", writers);
	uint64_t peer = inside(call);
	double last = -1;
	int notices = 0;
	json_t *params;
	char text[64];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "{\"progress\":%d}", i);
		assert_true(tell(peer, text));
	}
	live(3 * PROGRESS_EVERY_MS);
	while ((params = heard())) {
		double now = json_number_value(json_object_get(params, "progress"));

		assert_true(now > last);
		last = now;
		notices++;
		json_decref(params);
	}
	assert_true(last == 499); /* the newest is not lost */
	assert_true(notices > PROGRESS_BURST && notices <= PROGRESS_BURST + 4);
	end(call, writers);
}

static void nonsense_is_not_told(void **state)
{
	static const char *const ROWS[] = {"{}", "{\"progress\":\"1\"}", "{\"progress\":-1}",
	    "{\"progress\":1e300}", "{\"progress\":1,\"total\":\"x\"}",
	    "{\"progress\":1,\"total\":-1}", "{\"progress\":1,\"message\":1}", "[]",
	    "{\"progress\":null}"};
	int writers[2];
	struct call *call = run("1", writers);
	uint64_t peer = inside(call);
	char text[PROGRESS_SAID_MAX + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		if (tell(peer, ROWS[i]))
			fail_msg("taken: %s", ROWS[i]);
	snprintf(
	    text, sizeof(text), "{\"progress\":1,\"message\":\"%0*d\"}", PROGRESS_SAID_MAX + 1, 0);
	assert_false(tell(peer, text));
	assert_false(tell(1, "{\"progress\":1}")); /* nobody outside says it */
	assert_null(heard());
	end(call, writers);
	call = run("", writers); /* nobody listens: taken, and not told */
	assert_true(tell(inside(call), "{\"progress\":1}"));
	assert_null(heard());
	end(call, writers);
}

static void only_text_for_people_is_shown(void **state)
{
	static const struct {
		const char *bytes, *text;
	} ROWS[] = {
	    {"", ""},
	    {"plain\ttext\n", "plain\ttext\n"},
	    {"a\r\nb", "a\nb"},
	    {"10%\r20%", "10%\n20%"},
	    {"\x1b[31mred\x07", "?[31mred?"},
	    {"\x7f\x01", "??"},
	    {"a\xC2\x9B"
	     "31m",
		"a?31m"},
	    {"\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9"},
	    {"\xA9t", "t"}, /* begins inside a character */
	    {"a\xC3", "a"}, /* ends inside one */
	    {"a\xE2\x82", "a"},
	    {"a\xF0\x9F\x98", "a"},
	    {"a\xE2\x82\xAC", "a\xE2\x82\xAC"},
	    {"a\xFF"
	     "b",
		"a\xEF\xBF\xBD"
		"b"},
	    {"\x80\x80\x80", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct buf out = {0};

		buf_init(&out, 4096);
		assert_int_equal(progress_text(&out, ROWS[i].bytes, strlen(ROWS[i].bytes)), 0);
		if (strcmp(out.len ? buf_cstr(&out) : "", ROWS[i].text) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&out));
		buf_fini(&out);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(output_is_told_as_it_comes),
	    TEST(five_a_second_at_most),
	    TEST(long_output_shows_its_end),
	    TEST(no_token_no_progress),
	    TEST(who_waits_is_told_for_whom),
	    TEST(a_tool_says_how_far_it_is),
	    TEST(what_was_told_before_stays_below),
	    TEST(haste_is_told_later),
	    TEST(nonsense_is_not_told),
	    cmocka_unit_test(only_text_for_people_is_shown),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
