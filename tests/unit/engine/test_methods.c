/* tools/list in pages and in every revision, cursors, and who may do what through a gate. */
#include "tests/unit/engine/fakes.h"

#include "agent-api/wire/rpc.h"
#include "supervisor/engine/methods/methods_tools.h"

static void use_policy(const char *tools, int count)
{
	struct buf text = {0};

	buf_init(&text, 1024 * 1024);
	buf_text(&text, "server:\n  socket: {path: callgate.sock}\n"
			"roles:\n  developer: {tools: [\"*\"]}\n  other: {tools: [\"*\"]}\n"
			"principals:\n  - {peer_uid: 1000, roles: [developer], namespaces: "
			"[default, side]}\n  - {peer_uid: 1001, roles: [other]}\n"
			"namespaces:\n  default: {working_directory: ./workspace}\n"
			"  side: {working_directory: ./side}\n"
			"tools:\n");
	buf_text(&text, tools);
	for (int i = 0; i < count; i++)
		buf_textf(&text, "  t%03d: {type: command, deny_by_default: true}\n", 999 - i);
	world.rules = ruleset_drop(world.rules);
	world.rules = world_rules(buf_cstr(&text));
	buf_fini(&text);
}

struct page {
	uint64_t peer;
	enum request_era era;
	const char *space;
	const char *cursor; /* NULL: none */
};

static uint64_t last_serial = 1000;

/* The result or error; the caller's. */
static json_t *list(const struct page *page, enum reply_kind kind)
{
	struct message message = request_message(page->peer, ++last_serial, REQUEST_TOOLS_LIST);
	json_t *params = page->cursor ? json_pack("{s:s}", "cursor", page->cursor) : json_object();
	char *body = json_dumps(params, 0);

	message.u.request.era = page->era;
	message.u.request.space = page->space ? page->space : "";
	message.u.request.body.data = body;
	message.u.request.body.len = strlen(body);
	assert_int_equal(methods_request(&world, &message), 0);
	free(body);
	json_decref(params);
	return reply_json(kind);
}

static size_t page_size(const json_t *result)
{
	return json_array_size(json_object_get(result, "tools"));
}

static const json_t *tool_at(const json_t *result, size_t i)
{
	return json_array_get(json_object_get(result, "tools"), i);
}

static const char *name_at(const json_t *result, size_t i)
{
	return json_string_value(json_object_get(tool_at(result, i), "name"));
}

static char *cursor_of(const json_t *result)
{
	const char *cursor = json_string_value(json_object_get(result, "nextCursor"));

	return cursor ? strdup(cursor) : NULL;
}

/* The cursor of the second page; the caller's. */
static char *second(const struct page *page)
{
	json_t *result = list(page, REPLY_RESULT);
	char *cursor = cursor_of(result);

	assert_non_null(cursor);
	json_decref(result);
	return cursor;
}

static void expect_refused(const struct page *page)
{
	json_t *error = list(page, REPLY_ERROR);

	assert_int_equal(json_integer_value(json_object_get(error, "code")), RPC_INVALID_PARAMS);
	json_decref(error);
}

static void a_page_holds_a_hundred(void **state)
{
	static const int COUNTS[] = {0, 1, TOOLS_PAGE, TOOLS_PAGE + 1, 250};

	(void)state;
	for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
		struct page page = {.peer = 1};
		char *cursor = NULL;
		char last[16] = "";
		int seen = 0;

		use_policy(COUNTS[i] ? "" : "  {}\n", COUNTS[i]);
		do {
			json_t *result;

			page.cursor = cursor;
			result = list(&page, REPLY_RESULT);
			free(cursor);
			cursor = cursor_of(result);
			assert_true(page_size(result) <= TOOLS_PAGE);
			for (size_t j = 0; j < page_size(result); j++) {
				assert_true(
				    strcmp(last, name_at(result, j)) < 0); /* sorted, no two */
				snprintf(last, sizeof(last), "%s", name_at(result, j));
				seen++;
			}
			json_decref(result);
		} while (cursor);
		assert_int_equal(seen, COUNTS[i]);
	}
}

static void a_cursor_is_good_for_whom_it_was_made(void **state)
{
	struct page page = {.peer = 1};
	char *cursor;
	json_t *result;

	(void)state;
	use_policy("", 150);
	cursor = second(&page);
	page.cursor = cursor;
	page.era = ERA_MODERN; /* the same list in both eras */
	result = list(&page, REPLY_RESULT);
	assert_int_equal(page_size(result), 50);
	json_decref(result);
	page.space = "side";
	expect_refused(&page);
	page.space = "";
	page.peer = 2; /* another principal */
	expect_refused(&page);
	page.peer = 1;
	use_policy("", 151); /* another policy */
	expect_refused(&page);
	free(cursor);
}

static void a_cursor_of_another_start_is_none(void **state)
{
	struct page page = {.peer = 1};
	char *cursor;

	(void)state;
	use_policy("", 150);
	cursor = second(&page);
	methods_free_all(&world); /* and with it the key */
	page.cursor = cursor;
	expect_refused(&page);
	free(cursor);
}

static void forged_cursors_are_refused(void **state)
{
	static const char *const BAD[] = {
	    "", "x", "AAAA", "====", "100", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	struct page page = {.peer = 1};
	char *cursor;

	(void)state;
	use_policy("", 150);
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		page.cursor = BAD[i];
		expect_refused(&page);
	}
	page.cursor = NULL;
	cursor = second(&page);
	page.cursor = cursor;
	for (size_t i = 0; cursor[i]; i++) {
		char was = cursor[i];

		cursor[i] = was == 'A' ? 'B' : 'A';
		expect_refused(&page);
		cursor[i] = was;
	}
	free(cursor);
}

static bool hint_of(const json_t *tool, const char *hint)
{
	const json_t *value = json_object_get(json_object_get(tool, "annotations"), hint);

	assert_true(json_is_boolean(value)); /* all four, always */
	return json_is_true(value);
}

static void silence_is_told_as_the_careful_value(void **state)
{
	const struct page page = {.peer = 1, .era = ERA_MODERN};
	json_t *result;
	const json_t *tool;

	(void)state;
	use_policy("  a_command: {type: command, require_approval: true}\n"
		   "  b_said: {type: command, annotations: {title: Said, read_only: true, "
		   "destructive: false, idempotent: true, open_world: false}}\n"
		   "  c_grep: {type: function, handler: grep_search}\n"
		   "  d_typed: {type: command, parameters: {type: object, properties: {x: "
		   "{type: string, default: y}}}, exec: {program: ls, argv: [--, \"{x}\"]}, "
		   "output_schema: "
		   "{type: array}}\n",
	    0);
	result = list(&page, REPLY_RESULT);
	tool = tool_at(result, 0);
	assert_false(hint_of(tool, "readOnlyHint"));
	assert_true(hint_of(tool, "destructiveHint"));
	assert_false(hint_of(tool, "idempotentHint"));
	assert_true(hint_of(tool, "openWorldHint"));
	assert_null(json_object_get(tool, "title"));
	assert_true(json_is_true(json_object_get(
	    json_object_get(json_object_get(tool, "_meta"), "callgate/tool"), "approval")));
	tool = tool_at(result, 1);
	assert_true(hint_of(tool, "readOnlyHint"));
	assert_false(hint_of(tool, "destructiveHint"));
	assert_true(hint_of(tool, "idempotentHint"));
	assert_false(hint_of(tool, "openWorldHint"));
	assert_string_equal(json_string_value(json_object_get(tool, "title")), "Said");
	tool = tool_at(result, 2);
	assert_true(hint_of(tool, "readOnlyHint"));
	assert_false(hint_of(tool, "openWorldHint"));
	assert_non_null(json_object_get(
	    json_object_get(json_object_get(tool, "inputSchema"), "properties"), "pattern"));
	assert_string_equal(
	    json_string_value(json_object_get(
		json_object_get(json_object_get(tool, "_meta"), "callgate/tool"), "type")),
	    "function");
	tool = tool_at(result, 3);
	assert_non_null(json_object_get(
	    json_object_get(json_object_get(tool, "inputSchema"), "properties"), "x"));
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(tool, "outputSchema"), "type")),
	    "array");
	json_decref(result);
}

/* The result of a modern call of a tool that prints this and exits with that. */
static json_t *printed(const char *text, int64_t code)
{
	struct message message = request_message(1, ++last_serial, REQUEST_TOOLS_CALL);
	struct call *call;
	int writers[2];

	message.u.request.era = ERA_MODERN;
	message.u.request.tool = "json";
	message.u.request.body.data = "{\"command\":\"ls\"}";
	message.u.request.body.len = strlen(message.u.request.body.data);
	assert_int_equal(methods_request(&world, &message), 0);
	call = world.calls;
	answer_plan(call, ANSWER_OK, 7);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(write(writers[0], text, strlen(text)), (ssize_t)strlen(text));
	close(writers[0]);
	close(writers[1]);
	answer_exit(call->id, EXIT_HOW_EXITED, code);
	drive_to_end(call->id);
	return reply_json(REPLY_RESULT);
}

static void what_a_tool_promises_is_checked(void **state)
{
	static const struct {
		const char *text;
		int64_t code;
		bool good;
	} ROWS[] = {
	    {"{\"a\":1}\n", 0, true}, {"{\"a\":1,\"b\":[]}", 0, true}, {"{\"a\":\"x\"}", 0, false},
	    {"{}", 0, false}, {"[1]", 0, false}, {"no JSON at all", 0, false},
	    {"{\"a\":1}{\"a\":2}", 0, false}, {"", 0, false},
	    {"{\"a\":1}", 3, false}, /* an error of the tool promises nothing */
	};

	(void)state;
	use_policy("  json: {type: command, deny_by_default: true, allowed_commands: [ls], "
		   "output_schema: {type: object, required: [a], properties: "
		   "{a: {type: integer}}}}\n",
	    0);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *result = printed(ROWS[i].text, ROWS[i].code);
		const json_t *value = json_object_get(result, "structuredContent");

		if (json_is_false(json_object_get(result, "isError")) != ROWS[i].good ||
		    (value != NULL) != ROWS[i].good)
			fail_msg("%s", ROWS[i].text);
		if (ROWS[i].good)
			assert_int_equal(json_integer_value(json_object_get(value, "a")), 1);
		else if (ROWS[i].code == 0)
			assert_non_null(strstr(content_text(result), "output schema"));
		assert_string_equal(meta_text(result, "outcome"), "completed");
		json_decref(result);
	}
}

static void what_a_tool_prints_as_content_is_checked(void **state)
{
	static const struct {
		const char *text;
		int64_t code;
		bool is_error, is_content;
	} ROWS[] = {
	    {"{\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}\n", 0, false, true},
	    {"{\"content\":[{\"type\":\"text\",\"text\":\"no\"}],\"isError\":true}", 0, true, true},
	    {"{\"structuredContent\":{\"a\":1}}", 0, false, true},
	    {"{\"content\":[{\"type\":\"text\"}]}", 0, true, false},
	    {"plain", 0, true, false},
	    {"", 0, true, false},
	    {"{\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}", 3, true, false},
	};

	(void)state;
	use_policy("  json: {type: command, deny_by_default: true, allowed_commands: [ls], "
		   "output: content}\n",
	    0);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *result = printed(ROWS[i].text, ROWS[i].code);
		bool told = !strstr(content_text(result), ROWS[i].text[0] ? ROWS[i].text : "JSON");

		if (json_is_true(json_object_get(result, "isError")) != ROWS[i].is_error ||
		    told != ROWS[i].is_content)
			fail_msg("%zu: %s", i, content_text(result));
		if (!ROWS[i].is_content && ROWS[i].code == 0)
			assert_non_null(strstr(content_text(result), "output: content"));
		assert_null(
		    json_object_get(json_object_get(result, "structuredContent"), "stdout"));
		assert_string_equal(meta_text(result, "outcome"), "completed");
		json_decref(result);
	}
}

static void content_keeps_the_promise_of_a_schema(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} ROWS[] = {
	    {"{\"structuredContent\":{\"a\":1}}", true},
	    {"{\"structuredContent\":{\"a\":\"x\"}}", false},
	    {"{\"content\":[]}", false},
	};
	json_t *listed;

	(void)state;
	use_policy("  json: {type: command, deny_by_default: true, allowed_commands: [ls], "
		   "output: content, output_schema: {type: object, properties: {a: {type: "
		   "integer}}}}\n  none: {type: command, output: content}\n",
	    0);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *result = printed(ROWS[i].text, 0);

		if (json_is_false(json_object_get(result, "isError")) != ROWS[i].good)
			fail_msg("%s: %s", ROWS[i].text, content_text(result));
		json_decref(result);
	}
	listed = list(&(struct page){.peer = 1, .era = ERA_MODERN}, REPLY_RESULT);
	assert_non_null(json_object_get(tool_at(listed, 0), "outputSchema"));
	assert_null(json_object_get(tool_at(listed, 1), "outputSchema"));
	json_decref(listed);
}

static int refusal_of(uint64_t peer, enum request_method method)
{
	struct message message = request_message(peer, ++last_serial, method);
	json_t *error;
	int code;

	message.u.request.body.data = "{}";
	message.u.request.body.len = 2;
	assert_int_equal(methods_request(&world, &message), 0);
	error = reply_json(REPLY_ERROR);
	code = (int)json_integer_value(json_object_get(error, "code"));
	json_decref(error);
	return code;
}

/* A tool of the daemon's own user may not end the daemon that runs it. */
static void nobody_controls_through_a_gate(void **state)
{
	struct peer *peer = (struct peer *)peer_find(&world, 1);
	struct call *parent;

	(void)state;
	world.owner_uid = 1000;
	parent = world_call(1, 1, "bash", "{\"command\":\"ls\"}");
	snprintf(peer->call, sizeof(peer->call), "%s", parent->id);
	assert_int_equal(refusal_of(1, REQUEST_RELOAD), RESULT_FORBIDDEN);
	assert_int_equal(refusal_of(1, REQUEST_SHUTDOWN), RESULT_FORBIDDEN);
	assert_int_equal(sent_count_of(MESSAGE_CONTROL), 0);
	drive_to_end(parent->id);
	while (sent_next(&world.front, MESSAGE_REPLY))
		;
	assert_int_equal(refusal_of(1, REQUEST_TOOLS_LIST), RESULT_UNAVAILABLE); /* it is over */
	peer->call[0] = '\0';
}

static void a_broken_front_is_a_fault(void **state)
{
	struct message message = request_message(77, 1, REQUEST_TOOLS_LIST);

	(void)state;
	assert_int_equal(methods_request(&world, &message), -EBADMSG);
	message = request_message(1, 1, REQUEST_NONE);
	assert_int_equal(methods_request(&world, &message), -EBADMSG);
	message.u.request.method = REQUEST_METHOD_COUNT;
	assert_int_equal(methods_request(&world, &message), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_page_holds_a_hundred),
	    TEST(a_cursor_is_good_for_whom_it_was_made),
	    TEST(a_cursor_of_another_start_is_none),
	    TEST(forged_cursors_are_refused),
	    TEST(silence_is_told_as_the_careful_value),
	    TEST(what_a_tool_promises_is_checked),
	    TEST(what_a_tool_prints_as_content_is_checked),
	    TEST(content_keeps_the_promise_of_a_schema),
	    TEST(nobody_controls_through_a_gate),
	    TEST(a_broken_front_is_a_fault),
	};

	return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
