/* notifications/progress: what is shown, how often, and when no more. */
#include "tests/unit/engine/fakes.h"

#include "supervisor/engine/progress.h"

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
	    cmocka_unit_test(only_text_for_people_is_shown),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
