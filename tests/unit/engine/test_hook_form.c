/* Bodies of web hooks: whole or not answerable, and nothing in them that acts on its reader. */
#include "tests/unit/engine/hook_rig.h"

#include "supervisor/engine/approvals/approval_told.h"
#include "supervisor/engine/hooks/hook_form.h"

static json_t *question_with(const char *command, json_t *arguments)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:[s, s], s:s}", "id",
	    "0123456789ab", "plan", "sha256:00", "tool", "bash", "agent", "coder", "namespace",
	    "default", "principal", "uid:1000", "command", command, "details", "program /bin/ls",
	    "warning", "", "arguments", arguments, "scopes", "once", "session", "expires", "soon");
}

/* The body's JSON. The question is taken. */
static json_t *body_of(enum channel_type type, json_t *question, bool *ret_whole)
{
	const struct hook_form form = {.type = type,
	    .event = "approval.requested",
	    .data = question,
	    .id = "msg_1",
	    .nonce = "00112233445566778899aabbccddeeff",
	    .answer_url = "https://gate.example/v1/approvals/callback/x",
	    .page_url = "https://gate.example/",
	    .topic = "topic",
	    .wall_us = 1700000000000000};
	struct buf out = {0};
	json_t *body;

	buf_init(&out, 4 * 1024 * 1024);
	assert_int_equal(hook_form_body(&out, &form, ret_whole), 0);
	assert_true(out.len <= HOOK_BODY_MAX);
	body = json_loadb((char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(body);
	buf_fini(&out);
	json_decref(question);
	return body;
}

static int holds(const json_t *json, const char *text)
{
	char *all = json_dumps(json, JSON_COMPACT);
	int found = strstr(all, text) != NULL;

	free(all);
	return found;
}

static char *long_text(size_t len, const char *end)
{
	char *text = malloc(len + strlen(end) + 1);

	memset(text, 'a', len);
	memcpy(text + len, end, strlen(end) + 1);
	return text;
}

static const enum channel_type all_types[] = {
    CHANNEL_STANDARD, CHANNEL_GITHUB, CHANNEL_SLACK, CHANNEL_NTFY, CHANNEL_JSON};

static void test_whole_or_not_answerable(void **state)
{
	static const size_t sizes[] = {10, 2000, 3000, 6000, 12000, 18000, 19990, 60000, 500000};

	(void)state;
	for (size_t t = 0; t < 5; t++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			char *command = long_text(sizes[s], "THE-END");
			bool whole = false;
			json_t *body = body_of(all_types[t],
			    question_with(command, json_pack("{s:s}", "k", "v")), &whole);

			/* the end of the command and a way to answer: both, or neither */
			assert_int_equal(holds(body, "00112233445566778899aabbccddeeff"), whole);
			assert_int_equal(holds(body, "THE-END"), whole);
			assert_int_equal(holds(body, "too long to approve here"), !whole);
			assert_int_equal(holds(body, "more bytes are not shown"), !whole);
			if (sizes[s] <= 2000)
				assert_true(whole);
			if (sizes[s] >= 20000)
				assert_false(whole);
			json_decref(body);
			free(command);
		}
}

/* Arguments are a stranger's: what acts on a terminal or hides is shown as code points. */
static void test_control_bytes(void **state)
{
	(void)state;
	for (size_t t = 0; t < 5; t++) {
		bool whole = false;
		json_t *body = body_of(all_types[t],
		    question_with("ls", json_pack("{s:s, s:[s], s:s}", "a", "x\x1b[2Jy", "b",
					    "\xe2\x80\xae"
					    "evil",
					    "k\x1b]0;t\x07", "\xe2\x80\x8b")),
		    &whole);
		char *text = json_dumps(body, JSON_COMPACT);

		assert_true(whole);
		assert_null(strstr(text, "\\u001b"));
		assert_null(strstr(text, "\xe2\x80\xae"));
		assert_null(strstr(text, "\xe2\x80\x8b"));
		assert_non_null(strstr(text, "x1b[2J"));
		assert_non_null(strstr(text, "u{202e}"));
		assert_non_null(strstr(text, "u{200b}"));
		free(text);
		json_decref(body);
	}
}

/* Mentions, links and formats of Slack are letters; no row of backticks ends the block. */
static void test_slack_markup(void **state)
{
	bool whole = false;
	json_t *body = body_of(CHANNEL_SLACK,
	    question_with("echo ``` <!channel> <https://evil|good> &lt; *b*", json_object()),
	    &whole);
	json_t *blocks = json_object_get(body, "blocks"), *block;
	size_t i;

	(void)state;
	assert_true(whole);
	assert_false(holds(body, "<!channel>"));
	assert_false(holds(body, "<https"));
	assert_true(holds(body, "&lt;!channel&gt;"));
	assert_true(holds(body, "&amp;lt;"));
	assert_true(holds(body, "u{60}\\\\u{60}\\\\u{60}"));
	json_array_foreach(blocks, i, block)
	{
		const char *text = text_at(json_object_get(block, "text"), "text");
		size_t len = strlen(text);

		if (strcmp(text_at(block, "type"), "section") != 0)
			continue;
		assert_true(len > 6 && len <= 3000);
		assert_int_equal(strncmp(text, "```", 3), 0);
		assert_ptr_equal(strstr(text + 3, "`"), text + len - 3);
	}
	json_decref(body);
}

/* No character is cut in two between blocks. */
static void test_slack_pieces_are_text(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		struct buf command = {0};
		bool whole = false;
		json_t *body;

		buf_init(&command, 65536);
		for (size_t i = 0; i < shift; i++)
			buf_text(&command, "a");
		for (size_t i = 0; i < 1500; i++)
			buf_text(&command, "\xe2\x82\xac&");
		body = body_of(
		    CHANNEL_SLACK, question_with(buf_cstr(&command), json_object()), &whole);
		assert_true(whole);
		json_decref(body);
		buf_fini(&command);
	}
}

static void test_forms(void **state)
{
	bool whole;
	json_t *body = body_of(CHANNEL_STANDARD, question_with("ls", json_object()), &whole);

	(void)state;
	assert_string_equal(text_at(body, "type"), "approval.requested");
	assert_string_equal(text_at(json_object_get(body, "data"), "command"), "ls");
	assert_null(json_object_get(body, "decision")); /* it must not be an answer */
	json_decref(body);
	body = body_of(CHANNEL_GITHUB, question_with("ls", json_object()), &whole);
	assert_string_equal(text_at(body, "id"), "msg_1");
	assert_int_equal(json_integer_value(json_object_get(body, "timestamp")), 1700000000);
	json_decref(body);
	body =
	    body_of(CHANNEL_JSON, question_with("ls", json_pack("{s:s}", "command", "ls")), &whole);
	assert_string_equal(text_at(body, "tool_name"), "bash");
	assert_string_equal(text_at(body, "agent"), "coder");
	assert_string_equal(text_at(body, "session_id"), "uid:1000");
	assert_string_equal(text_at(json_object_get(body, "parameters"), "command"), "ls");
	json_decref(body);
}

static void test_ntfy_place(void **state)
{
	static const char *const bad[] = {"https://ntfy.sh", "https://ntfy.sh/", "ntfy.sh/topic",
	    "https://ntfy.sh/a?b", "https://ntfy.sh/a#b", ""};
	struct buf out = {0};
	const char *topic;

	(void)state;
	buf_init(&out, 256);
	assert_int_equal(hook_form_ntfy("https://ntfy.sh/ops", &out, &topic), 0);
	assert_string_equal(buf_cstr(&out), "https://ntfy.sh/");
	assert_string_equal(topic, "ops");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(hook_form_ntfy(bad[i], &out, &topic) < 0);
	buf_fini(&out);
}

/* From a real call: all that an approver needs is there. */
static void test_a_real_question(void **state)
{
	static const char *const needed[] = {"id", "plan", "tool", "agent", "namespace",
	    "principal", "command", "argv", "arguments", "cwd", "host", "rule", "reason", "risk",
	    "walls", "limits", "expires", "expires_in_s", "scopes", "scope_words", "earlier",
	    "warning", "details", "asked_by", "editable", "votes", "quorum"};
	struct call *call =
	    hook_waiting(70, "one", "{\"argv\": [\"echo\", \"\\u0430bc\", \"a\\u200bb\"]}", 3);
	json_t *told = approval_json(&world, world.approvals.first);

	(void)state;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!json_object_get(told, needed[i]))
			fail_msg("%s is missing", needed[i]);
	assert_non_null(strstr(text_at(told, "warning"), "Cyrillic"));
	assert_non_null(strstr(
	    json_string_value(json_array_get(json_object_get(told, "argv"), 2)), "\\u{200b}"));
	assert_string_equal(text_at(json_object_get(told, "asked_by"), "proof"), "peer");
	assert_string_equal(text_at(json_object_get(told, "walls"), "network"), "none");
	assert_true(
	    approval_size(world.approvals.first) >= json_dumpb(told, NULL, 0, JSON_COMPACT) / 2);
	json_decref(told);
	drive_to_end(call->id);
}

/* What one caller asks must not keep approvers from seeing what others ask. */
static void test_a_long_question_in_a_list(void **state)
{
	const size_t len = 400 * 1024;
	char *arguments = malloc(len + 64), *at = arguments;
	struct call *call;
	json_t *told = NULL, *list;

	(void)state;
	at += sprintf(at, "{\"command\": \"ls\", \"stdin\": \"");
	while (at < arguments + len)
		at += sprintf(at, "\\\\");
	at += sprintf(at, "\"}");
	call = hook_waiting(70, "one", arguments, 3);
	free(arguments);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(hook_request(2, REQUEST_APPROVALS_LIST, json_object(), &told), 0);
	list = json_object_get(told, "approvals");
	assert_int_equal(json_array_size(list), 1);
	assert_true(json_is_true(json_object_get(json_array_get(list, 0), "arguments_left_out")));
	assert_true(strlen(text_at(json_array_get(list, 0), "details")) > len / 2);
	json_decref(told);
	assert_int_equal(hook_request(2, REQUEST_APPROVALS_GET,
			     json_pack("{s:s}", "id", call->answer.id), &told),
	    0);
	assert_non_null(json_object_get(told, "arguments"));
	json_decref(told);
	drive_to_end(call->id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole_or_not_answerable),
	    cmocka_unit_test(test_control_bytes),
	    cmocka_unit_test(test_slack_markup),
	    cmocka_unit_test(test_slack_pieces_are_text),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_ntfy_place),
	    cmocka_unit_test_setup_teardown(test_a_real_question, hook_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(
		test_a_long_question_in_a_list, hook_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
