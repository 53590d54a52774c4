/* What clients are told: shape, both eras, hostile output, output that does not fit. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/result.h"
#include "supervisor/base/cleanup.h"

static const char *const LAYERS[] = {"userns", "landlock:7"};

static struct result_call a_call(void)
{
	return (struct result_call){.id = "c1",
	    .plan = "sha256:00",
	    .decision = "allow",
	    .by = "policy",
	    .rule = "p.yaml:3:2 allowed_commands",
	    .outcome = "completed",
	    .exit = RESULT_EXIT_CODE,
	    .exit_value = 3,
	    .layers = LAYERS,
	    .layer_count = 2,
	    .wall_us = 10,
	    .cpu_us = 5,
	    .memory_peak = 4096,
	    .out_bytes = 2,
	    .err_bytes = 1,
	    .has_receipt = true,
	    .receipt_n = 7,
	    .receipt_size = 9,
	    .receipt_leaf = "aa",
	    .receipt_root = "bb"};
}

static json_t *finish(struct buf *out, int r)
{
	json_t *value;

	assert_int_equal(r, 0);
	assert_null(memchr(out->data, '\n', out->len));
	value = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	return value;
}

static const char *text_of(const json_t *result)
{
	const json_t *content = json_object_get(result, "content");

	assert_int_equal(json_array_size(content), 1);
	return json_string_value(json_object_get(json_array_get(content, 0), "text"));
}

static void check_call(const json_t *call)
{
	static const char *const KEYS[] = {"id", "plan", "decision", "by", "rule", "outcome",
	    "exit", "layers", "usage", "receipt"};

	assert_int_equal(json_object_size(call), 10);
	for (size_t i = 0; i < 10; i++)
		assert_non_null(json_object_get(call, KEYS[i]));
}

static void a_call_that_ran(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	struct result_tool_call row = {.is_error = true,
	    .has_output = true,
	    .structure = RESULT_STRUCTURE_STREAMS,
	    .out = "hi",
	    .out_len = 2,
	    .err = "e",
	    .err_len = 1,
	    .sentence = "exit status 3",
	    .call = a_call()};
	json_t *result, *structured, *call;

	(void)state;
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, MCP_2025_11_25, &row));
	assert_string_equal(text_of(result), "hi\nstderr:\ne\nexit status 3");
	assert_true(json_is_true(json_object_get(result, "isError")));
	structured = json_object_get(result, "structuredContent");
	assert_string_equal(json_string_value(json_object_get(structured, "stdout")), "hi");
	assert_string_equal(json_string_value(json_object_get(structured, "stderr")), "e");
	assert_int_equal(json_integer_value(json_object_get(structured, "exit_code")), 3);
	assert_true(json_is_false(json_object_get(structured, "truncated")));
	assert_null(json_object_get(result, "resultType"));
	call = json_object_get(json_object_get(result, "_meta"), "callgate/call");
	check_call(call);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(call, "exit"), "code")), 3);
	assert_int_equal(json_array_size(json_object_get(call, "layers")), 2);
	assert_int_equal(json_object_size(json_object_get(call, "usage")), 5);
	assert_int_equal(json_object_size(json_object_get(call, "receipt")), 4);
	json_decref(result);
}

static void a_refusal_has_every_key_too(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	struct result_tool_call row = {.is_error = true,
	    .sentence = "Refused by rule x.",
	    .call = {.id = "c2", .decision = "deny", .by = "policy", .outcome = "refused"}};
	json_t *result, *call;

	(void)state;
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, MCP_2026_07_28, &row));
	assert_string_equal(text_of(result), "Refused by rule x.");
	assert_null(json_object_get(result, "structuredContent"));
	assert_string_equal(json_string_value(json_object_get(result, "resultType")), "complete");
	assert_non_null(json_object_get(json_object_get(result, "_meta"), MCP_META_SERVER));
	assert_null(json_object_get(result, "ttlMs")); /* only lists may be cached */
	call = json_object_get(json_object_get(result, "_meta"), "callgate/call");
	check_call(call);
	assert_true(json_is_null(json_object_get(call, "plan")));
	assert_true(json_is_null(json_object_get(call, "exit")));
	assert_true(json_is_null(json_object_get(call, "receipt")));
	json_decref(result);
}

static void a_signal_has_no_exit_code(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	struct result_tool_call row = {.is_error = true,
	    .has_output = true,
	    .structure = RESULT_STRUCTURE_STREAMS,
	    .call = a_call()};
	json_t *result, *call;

	(void)state;
	row.call.exit = RESULT_EXIT_SIGNAL;
	row.call.exit_value = 9;
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, MCP_2025_11_25, &row));
	assert_string_equal(text_of(result), "");
	assert_true(json_is_null(
	    json_object_get(json_object_get(result, "structuredContent"), "exit_code")));
	call = json_object_get(json_object_get(result, "_meta"), "callgate/call");
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(call, "exit"), "signal")), 9);
	json_decref(result);
}

static void hostile_output_stays_a_string(void **state)
{
	static const char HOSTILE[] = "\"}],\"isError\":false}\n\0\xFF\xED\xA0\x80\x1b]0;x\x07";
	struct buf cleanup_with(buf_fini) out;
	struct result_tool_call row = {.is_error = true,
	    .has_output = true,
	    .structure = RESULT_STRUCTURE_STREAMS,
	    .out = HOSTILE,
	    .out_len = sizeof(HOSTILE) - 1,
	    .call = a_call()};
	json_t *result;

	(void)state;
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, MCP_2025_11_25, &row));
	assert_true(json_is_true(json_object_get(result, "isError")));
	assert_non_null(strstr(text_of(result), "\"}],\"isError\":false}\n\xEF\xBF\xBD"));
	json_decref(result);
}

static void check_flood(const char *unit, size_t out_len, size_t err_len, int cut)
{
	size_t unit_len = strlen(unit);
	struct buf cleanup_with(buf_fini) out;
	char *flood = malloc(out_len + err_len + 1);
	struct result_tool_call row = {.has_output = true,
	    .structure = RESULT_STRUCTURE_STREAMS,
	    .out = flood,
	    .out_len = out_len,
	    .err = flood,
	    .err_len = err_len,
	    .sentence = "the end",
	    .call = a_call()};
	json_t *result, *structured;
	const char *text;

	for (size_t i = 0; i < out_len + err_len; i++)
		flood[i] = unit[i % unit_len];
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, MCP_2026_07_28, &row));
	structured = json_object_get(result, "structuredContent");
	assert_int_equal(json_is_true(json_object_get(structured, "truncated")), cut);
	text = text_of(result);
	assert_int_equal(strstr(text, "bytes left out]") != NULL, cut);
	assert_string_equal(text + strlen(text) - 7, "the end");
	if (!cut)
		assert_int_equal(
		    json_string_length(json_object_get(structured, "stdout")), out_len);
	json_decref(result);
	free(flood);
}

static void floods_are_cut_and_fit(void **state)
{
	enum { MIB = 1024 * 1024 };

	(void)state;
	check_flood("x", MIB, 0, 0); /* the default limit of a tool, whole */
	check_flood("line of text\n", MIB, 1024, 0);
	check_flood("\xC3\xA9", MIB, 0, 0);
	check_flood("x", MIB, MIB, 1);
	check_flood("x", 0, 4 * MIB, 1);
	check_flood("\x01", MIB, MIB, 1);
	check_flood("\xFF", MIB, MIB, 1);
	check_flood("\"", 4 * MIB, 4 * MIB, 1);
	check_flood("\xF0\x9F\x98\x80", 4 * MIB, 3, 1);
	check_flood("\\\x02\xE2\x82", 2 * MIB + 1, 2 * MIB, 1);
}

static void a_flood_in_one_stream_leaves_the_other_whole(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	size_t len = 8 * 1024 * 1024;
	char *flood = malloc(len);
	struct result_tool_call row = {.has_output = true,
	    .structure = RESULT_STRUCTURE_STREAMS,
	    .out = flood,
	    .out_len = len,
	    .err = "the reason",
	    .err_len = 10,
	    .call = a_call()};
	json_t *result;

	(void)state;
	memset(flood, 'x', len);
	memcpy(flood + len - 4, "last", 4);
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, MCP_2025_11_25, &row));
	assert_non_null(strstr(text_of(result), "last\nstderr:\nthe reason"));
	json_decref(result);
	free(flood);
}

static void a_long_sentence_is_cut(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	size_t len = 5 * 1024 * 1024;
	char *sentence = malloc(len + 1);
	struct result_tool_call row = {.is_error = true, .sentence = sentence, .call = a_call()};

	(void)state;
	memset(sentence, '\x7f', len);
	sentence[len] = '\0';
	buf_init(&out, WIRE_RESULT_MAX);
	json_decref(finish(&out, result_tools_call(&out, MCP_2025_11_25, &row)));
	assert_true(out.len < 128 * 1024);
	free(sentence);
}

static json_t *list_of(
    enum mcp_revision revision, const struct result_tool *tools, size_t count, const char *next)
{
	const struct result_tools page = {.tools = tools, .count = count, .next_cursor = next};
	struct buf cleanup_with(buf_fini) out;

	buf_init(&out, WIRE_RESULT_MAX);
	return finish(&out, result_tools_list(&out, revision, &page));
}

static void a_list_keeps_its_order(void **state)
{
	static const struct result_tool TOOLS[] = {
	    {.name = "zz", .description = "last \xFF", .annotations = {.destructive = true}},
	    {.name = "aa", .description = "", .input_schema = "{\"properties\":{}}"},
	};
	json_t *result = list_of(MCP_2026_07_28, TOOLS, 2, "next");
	json_t *tools, *first;

	(void)state;
	tools = json_object_get(result, "tools");
	assert_int_equal(json_array_size(tools), 2);
	first = json_array_get(tools, 0);
	assert_string_equal(json_string_value(json_object_get(first, "name")), "zz");
	assert_non_null(json_object_get(json_object_get(first, "inputSchema"), "properties"));
	assert_int_equal(json_object_size(json_object_get(first, "annotations")), 4);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(json_array_get(tools, 1), "inputSchema"), "type")),
	    "object"); /* MCP wants it said */
	assert_int_equal(json_integer_value(json_object_get(result, "ttlMs")), 0);
	assert_string_equal(json_string_value(json_object_get(result, "cacheScope")), "private");
	assert_string_equal(json_string_value(json_object_get(result, "nextCursor")), "next");
	json_decref(result);
	result = list_of(MCP_2025_11_25, NULL, 0, NULL);
	assert_int_equal(json_object_size(result), 1);
	json_decref(result);
}

/* Each key with the revision that brought it. */
static void a_tool_has_what_its_revision_knows(void **state)
{
	static const struct result_tool TOOL = {
	    .name = "t", .title = "A tool", .description = "d", .timeout_ms = 30000, .asks = true};
	static const struct {
		const char *key;
		enum mcp_revision since;
	} KEYS[] = {
	    {"name", MCP_2024_11_05},
	    {"description", MCP_2024_11_05},
	    {"inputSchema", MCP_2024_11_05},
	    {"annotations", MCP_2025_03_26},
	    {"title", MCP_2025_06_18},
	    {"outputSchema", MCP_2025_06_18},
	    {"_meta", MCP_2025_06_18},
	};

	(void)state;
	for (int revision = MCP_2024_11_05; revision <= MCP_2026_07_28; revision++) {
		json_t *result = list_of((enum mcp_revision)revision, &TOOL, 1, NULL);
		const json_t *tool = json_array_get(json_object_get(result, "tools"), 0);
		size_t expected = 0;

		for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
			bool is = json_object_get(tool, KEYS[i].key) != NULL;

			if (is != ((int)KEYS[i].since <= revision))
				fail_msg("%s in revision %d: %d", KEYS[i].key, revision, is);
			expected += is;
		}
		assert_int_equal(json_object_size(tool), expected);
		json_decref(result);
	}
}

static void only_the_modern_era_describes_any_value(void **state)
{
	static const struct result_tool TOOL = {
	    .name = "t", .description = "d", .output_schema = "{\"type\":\"array\"}"};
	json_t *old = list_of(MCP_2025_11_25, &TOOL, 1, NULL);
	json_t *new = list_of(MCP_2026_07_28, &TOOL, 1, NULL);

	(void)state;
	assert_null(
	    json_object_get(json_array_get(json_object_get(old, "tools"), 0), "outputSchema"));
	assert_non_null(
	    json_object_get(json_array_get(json_object_get(new, "tools"), 0), "outputSchema"));
	json_decref(old);
	json_decref(new);
}

static json_t *value_of(enum mcp_revision revision, json_t *value)
{
	struct buf cleanup_with(buf_fini) out;
	struct result_tool_call row = {.has_output = true,
	    .structure = RESULT_STRUCTURE_VALUE,
	    .value = value,
	    .out = "[1]",
	    .out_len = 3,
	    .call = a_call()};
	json_t *result, *structure;

	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_tools_call(&out, revision, &row));
	assert_string_equal(text_of(result), "[1]");
	structure = json_incref(json_object_get(result, "structuredContent"));
	json_decref(result);
	return structure;
}

static void structured_content_came_in_2025_06_18(void **state)
{
	json_t *array = json_pack("[i]", 1), *object = json_pack("{s:i}", "a", 1);
	json_t *got;

	(void)state;
	assert_null(value_of(MCP_2024_11_05, object));
	assert_null(value_of(MCP_2025_03_26, object));
	got = value_of(MCP_2025_06_18, object);
	assert_true(json_equal(got, object));
	json_decref(got);
	assert_null(value_of(MCP_2025_11_25, array));
	got = value_of(MCP_2026_07_28, array);
	assert_true(json_equal(got, array));
	json_decref(got);
	json_decref(array);
	json_decref(object);
}

static void input_required_asks_one_question(void **state)
{
	const struct form form = {.message = "Run rm?", .reason_required = true};
	struct result_call call = a_call();
	struct buf cleanup_with(buf_fini) out;
	json_t *result, *asked;

	(void)state;
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_input_required(&out, FORM_KEY,
				  form_params(&form, MCP_2026_07_28), "opaque", &call));
	assert_string_equal(
	    json_string_value(json_object_get(result, "resultType")), "input_required");
	assert_string_equal(json_string_value(json_object_get(result, "requestState")), "opaque");
	assert_null(json_object_get(result, "content"));
	asked = json_object_get(json_object_get(result, "inputRequests"), FORM_KEY);
	assert_string_equal(
	    json_string_value(json_object_get(asked, "method")), "elicitation/create");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(asked, "params"), "message")),
	    "Run rm?");
	check_call(json_object_get(json_object_get(result, "_meta"), "callgate/call"));
	assert_non_null(json_object_get(json_object_get(result, "_meta"), MCP_META_SERVER));
	json_decref(result);
}

static void a_schema_must_be_an_object(void **state)
{
	static const char *const BAD[] = {"[]", "true", "{", ""};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct result_tool tool = {.name = "t", .description = "d", .input_schema = BAD[i]};
		const struct result_tools page = {.tools = &tool, .count = 1};
		struct buf cleanup_with(buf_fini) out;

		buf_init(&out, WIRE_RESULT_MAX);
		assert_int_equal(result_tools_list(&out, MCP_2025_11_25, &page), -EINVAL);
		tool.input_schema = NULL;
		tool.output_schema = BAD[i];
		assert_int_equal(result_tools_list(&out, MCP_2025_11_25, &page), -EINVAL);
	}
}

static void errors_carry_the_call(void **state)
{
	struct result_call call = a_call();
	struct buf cleanup_with(buf_fini) out;
	json_t *error;

	(void)state;
	buf_init(&out, WIRE_RESULT_MAX);
	error = finish(&out, result_unknown_tool(&out, "no\nsuch", &call));
	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32602);
	assert_string_equal(
	    json_string_value(json_object_get(error, "message")), "Unknown tool: no\nsuch");
	check_call(json_object_get(json_object_get(error, "data"), "callgate/call"));
	json_decref(error);
	buf_reset(&out);
	error = finish(&out, result_error(&out, RESULT_FORBIDDEN, "no", NULL));
	assert_int_equal(json_object_size(error), 2);
	json_decref(error);
}

static void any_object_gets_what_its_era_demands(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	json_t *object = json_pack("{s:i}", "pid", 1);
	json_t *result;

	(void)state;
	buf_init(&out, WIRE_RESULT_MAX);
	result = finish(&out, result_object(&out, MCP_2026_07_28, object));
	assert_string_equal(json_string_value(json_object_get(result, "resultType")), "complete");
	assert_int_equal(json_object_size(object), 1);
	json_decref(result);
	json_decref(object);
}

static void a_small_buffer_is_a_fault(void **state)
{
	struct result_tool_call row = {.sentence = "x", .call = a_call()};
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, 50);
	assert_int_equal(result_tools_call(&out, MCP_2025_11_25, &row), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_that_ran),
	    cmocka_unit_test(a_refusal_has_every_key_too),
	    cmocka_unit_test(a_signal_has_no_exit_code),
	    cmocka_unit_test(hostile_output_stays_a_string),
	    cmocka_unit_test(floods_are_cut_and_fit),
	    cmocka_unit_test(a_flood_in_one_stream_leaves_the_other_whole),
	    cmocka_unit_test(a_long_sentence_is_cut),
	    cmocka_unit_test(a_list_keeps_its_order),
	    cmocka_unit_test(a_tool_has_what_its_revision_knows),
	    cmocka_unit_test(only_the_modern_era_describes_any_value),
	    cmocka_unit_test(structured_content_came_in_2025_06_18),
	    cmocka_unit_test(input_required_asks_one_question),
	    cmocka_unit_test(a_schema_must_be_an_object),
	    cmocka_unit_test(errors_carry_the_call),
	    cmocka_unit_test(any_object_gets_what_its_era_demands),
	    cmocka_unit_test(a_small_buffer_is_a_fault),
	};

	return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
