/* Both eras: which one serves a request, what it demands, what its results carry. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/mcp.h"
#include "supervisor/base/cleanup.h"

#define MODERN_VERSION "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\""
#define MODERN_CAPS    "\"io.modelcontextprotocol/clientCapabilities\":{}"

static const struct {
	const char *method;
	const char *params; /* NULL: absent */
	int refusal;        /* 0: served */
	enum mcp_era era;
} ROWS[] = {
    {"tools/list", NULL, 0, MCP_LEGACY},
    {"tools/list", "{}", 0, MCP_LEGACY},
    {"tools/list", "{\"_meta\":{}}", 0, MCP_LEGACY},
    {"tools/call", "{\"_meta\":{\"progressToken\":1,\"callgate/agent\":\"a\"}}", 0, MCP_LEGACY},
    {"tools/call", "{\"_meta\":{\"io.modelcontextprotocol/related-task\":{}}}", 0, MCP_LEGACY},
    {"initialize", "{\"protocolVersion\":\"2025-11-25\"}", 0, MCP_LEGACY},
    {"tools/list", "{\"_meta\":{" MODERN_VERSION "," MODERN_CAPS "}}", 0, MCP_MODERN},
    {"server/discover", "{\"_meta\":{" MODERN_VERSION "," MODERN_CAPS "}}", 0, MCP_MODERN},
    {"tools/list",
	"{\"_meta\":{" MODERN_VERSION "," MODERN_CAPS
	",\"io.modelcontextprotocol/clientInfo\":{\"name\":\"x\",\"version\":\"1\"}}}",
	0, MCP_MODERN},
    {"tools/list", "{\"_meta\":[]}", RPC_INVALID_PARAMS, 0},
    {"tools/list", "{\"_meta\":null}", RPC_INVALID_PARAMS, 0},
    {"tools/list", "{\"_meta\":{" MODERN_VERSION "}}", RPC_INVALID_PARAMS, 0},
    {"tools/list", "{\"_meta\":{" MODERN_CAPS "}}", RPC_INVALID_PARAMS, 0},
    {"tools/list",
	"{\"_meta\":{" MODERN_VERSION ",\"io.modelcontextprotocol/clientCapabilities\":[]}}",
	RPC_INVALID_PARAMS, 0},
    {"tools/list",
	"{\"_meta\":{" MODERN_VERSION "," MODERN_CAPS ",\"io.modelcontextprotocol/clientInfo\":1}}",
	RPC_INVALID_PARAMS, 0},
    {"tools/list", "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":20260728}}",
	RPC_INVALID_PARAMS, 0},
    {"tools/list",
	"{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"," MODERN_CAPS "}}",
	RPC_UNSUPPORTED_VERSION, 0},
    {"tools/list",
	"{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2025-11-25\"," MODERN_CAPS "}}",
	RPC_UNSUPPORTED_VERSION, 0},
    {"tools/list", "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\"}}",
	RPC_UNSUPPORTED_VERSION, 0},
    {"server/discover", NULL, RPC_INVALID_PARAMS, 0},
    {"server/discover", "{}", RPC_INVALID_PARAMS, 0},
};

static json_t *parse(const char *text)
{
	json_t *value = text ? json_loads(text, 0, NULL) : NULL;

	assert_true(!text || value);
	return value;
}

static json_t *parse_buf(struct buf *buf)
{
	const char *text = buf_cstr(buf);

	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	return parse(text);
}

static void the_era_is_in_the_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *params = parse(ROWS[i].params);
		enum mcp_era era = (enum mcp_era)77;
		struct rpc_error error = {.code = 0};
		int r = mcp_check_request(ROWS[i].method, params, &era, &error);

		if (r != (ROWS[i].refusal ? RPC_REFUSED : 0) || error.code != ROWS[i].refusal)
			fail_msg("row %zu: %d %s", i, error.code, error.note.text);
		assert_int_equal(era, r == 0 ? ROWS[i].era : (enum mcp_era)77);
		json_decref(params);
	}
}

static void an_unsupported_version_is_told_all_of_ours(void **state)
{
	json_t *params =
	    parse("{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}");
	struct buf cleanup_with(buf_fini) out;
	struct rpc_error error;
	enum mcp_era era;
	json_t *body, *data;

	(void)state;
	assert_int_equal(mcp_check_request("tools/list", params, &era, &error), RPC_REFUSED);
	buf_init(&out, 4096);
	assert_int_equal(mcp_error_body(&out, &error, params), 0);
	body = parse_buf(&out);
	assert_int_equal(json_integer_value(json_object_get(body, "code")), -32022);
	data = json_object_get(body, "data");
	assert_string_equal(json_string_value(json_object_get(data, "requested")), "1900-01-01");
	assert_int_equal(json_array_size(json_object_get(data, "supported")), 5);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(data, "supported"), 0)), "2026-07-28");
	json_decref(body);
	json_decref(params);
}

static void check_negotiation(const char *asked, const char *answered)
{
	json_t *params = json_pack("{s:s}", "protocolVersion", asked);
	struct buf cleanup_with(buf_fini) out;
	struct mcp_session session;
	struct rpc_error error;
	json_t *result;

	buf_init(&out, 4096);
	assert_int_equal(mcp_initialize(&out, params, &session, &error), 0);
	result = parse_buf(&out);
	assert_string_equal(
	    json_string_value(json_object_get(result, "protocolVersion")), answered);
	assert_string_equal(mcp_revision_name(session.revision), answered);
	assert_true(json_is_true(json_object_get(
	    json_object_get(json_object_get(result, "capabilities"), "tools"), "listChanged")));
	assert_true(
	    json_is_object(json_object_get(json_object_get(result, "capabilities"), "logging")));
	assert_int_equal(json_object_get(json_object_get(result, "serverInfo"), "title") != NULL,
	    session.revision >= MCP_2025_06_18);
	assert_true(
	    json_is_object(json_object_get(json_object_get(result, "capabilities"), "tools")));
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(result, "serverInfo"), "name")),
	    "callgate");
	assert_null(json_object_get(result, "resultType"));
	json_decref(result);
	json_decref(params);
}

static void the_handshake_negotiates(void **state)
{
	static const char *const OURS[] = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		check_negotiation(OURS[i], OURS[i]);
	check_negotiation("2026-07-28", "2025-11-25"); /* it has no handshake */
	check_negotiation("1999-01-01", "2025-11-25");
	check_negotiation("", "2025-11-25");
}

static void the_handshake_needs_a_version(void **state)
{
	static const char *const PARAMS[] = {
	    NULL, "{}", "{\"protocolVersion\":5}", "{\"protocolVersion\":null}"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		json_t *params = parse(PARAMS[i]);
		struct buf cleanup_with(buf_fini) out;
		struct mcp_session session = {.revision = MCP_REVISION_NONE};
		struct rpc_error error;

		buf_init(&out, 4096);
		assert_int_equal(mcp_initialize(&out, params, &session, &error), RPC_REFUSED);
		assert_int_equal(session.revision, MCP_REVISION_NONE);
		assert_int_equal(error.code, RPC_INVALID_PARAMS);
		assert_int_equal(out.len, 0);
		json_decref(params);
	}
}

static void discovery_says_what_the_revision_demands(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	json_t *result;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(mcp_discover(&out), 0);
	result = parse_buf(&out);
	assert_int_equal(json_array_size(json_object_get(result, "supportedVersions")), 5);
	assert_true(json_is_object(json_object_get(result, "capabilities")));
	assert_string_equal(json_string_value(json_object_get(result, "resultType")), "complete");
	assert_true(json_is_integer(json_object_get(result, "ttlMs")));
	assert_string_equal(json_string_value(json_object_get(result, "cacheScope")), "private");
	assert_non_null(json_object_get(
	    json_object_get(json_object_get(result, "_meta"), MCP_META_SERVER), "version"));
	json_decref(result);
}

static void stamping_keeps_what_is_there(void **state)
{
	json_t *object = parse("{\"_meta\":{\"callgate/call\":{\"id\":\"x\"}},\"a\":1}");
	json_t *legacy = parse("{\"a\":1}");

	(void)state;
	assert_int_equal(mcp_stamp(object, MCP_2026_07_28), 0);
	assert_non_null(json_object_get(json_object_get(object, "_meta"), "callgate/call"));
	assert_non_null(json_object_get(json_object_get(object, "_meta"), MCP_META_SERVER));
	assert_int_equal(mcp_stamp_cacheable(legacy, MCP_2025_11_25), 0);
	assert_int_equal(json_object_size(legacy), 1);
	json_decref(object);
	json_decref(legacy);
}

static void revisions_are_in_the_order_of_time(void **state)
{
	(void)state;
	for (int i = MCP_2024_11_05; i <= MCP_2026_07_28; i++) {
		const char *name = mcp_revision_name((enum mcp_revision)i);

		assert_int_equal(mcp_revision_from_name(name), i);
		assert_true(strcmp(mcp_revision_name((enum mcp_revision)(i - 1)), name) < 0);
	}
	assert_int_equal(mcp_revision_from_name(""), MCP_REVISION_NONE);
	assert_int_equal(mcp_revision_from_name("2025-11-26"), MCP_REVISION_NONE);
	assert_string_equal(mcp_revision_name((enum mcp_revision)99), "");
	assert_int_equal(mcp_revision(MCP_MODERN, MCP_2024_11_05), MCP_2026_07_28);
	assert_int_equal(mcp_revision(MCP_LEGACY, MCP_2024_11_05), MCP_2024_11_05);
	assert_int_equal(mcp_revision(MCP_LEGACY, MCP_REVISION_NONE), MCP_2025_11_25);
}

static void only_who_can_show_a_form_is_asked(void **state)
{
	static const struct {
		const char *version, *capabilities;
		bool can;
	} OFFERS[] = {
	    {"2025-11-25", "{\"elicitation\":{}}", true},
	    {"2025-11-25", "{\"elicitation\":{\"form\":{}}}", true},
	    {"2025-11-25", "{\"elicitation\":{\"form\":{},\"url\":{}}}", true},
	    {"2025-06-18", "{\"elicitation\":{}}", true},
	    {"2025-11-25", "{\"elicitation\":{\"url\":{}}}", false},
	    {"2025-11-25", "{\"elicitation\":true}", false},
	    {"2025-11-25", "{\"sampling\":{}}", false},
	    {"2025-11-25", "{}", false},
	    {"2025-11-25", "[]", false},
	    {"2025-03-26", "{\"elicitation\":{}}", false},
	    {"2024-11-05", "{\"elicitation\":{}}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(OFFERS) / sizeof(OFFERS[0]); i++) {
		json_t *params = json_pack("{s:s, s:o}", "protocolVersion", OFFERS[i].version,
		    "capabilities", parse(OFFERS[i].capabilities));
		struct buf cleanup_with(buf_fini) out;
		struct mcp_session session;
		struct rpc_error error;

		buf_init(&out, 4096);
		assert_int_equal(mcp_initialize(&out, params, &session, &error), 0);
		if (session.can_elicit != OFFERS[i].can)
			fail_msg("%s %s", OFFERS[i].version, OFFERS[i].capabilities);
		json_decref(params);
	}
}

static void a_missing_capability_is_named(void **state)
{
	const struct rpc_error error = {.code = RPC_MISSING_CAPABILITY, .note = {"x"}};
	struct buf cleanup_with(buf_fini) out;
	json_t *body;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(mcp_error_body(&out, &error, NULL), 0);
	body = parse_buf(&out);
	assert_int_equal(json_integer_value(json_object_get(body, "code")), -32021);
	assert_true(json_is_object(
	    json_object_get(json_object_get(json_object_get(body, "data"), "requiredCapabilities"),
		"elicitation")));
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_era_is_in_the_request),
	    cmocka_unit_test(an_unsupported_version_is_told_all_of_ours),
	    cmocka_unit_test(the_handshake_negotiates),
	    cmocka_unit_test(the_handshake_needs_a_version),
	    cmocka_unit_test(discovery_says_what_the_revision_demands),
	    cmocka_unit_test(stamping_keeps_what_is_there),
	    cmocka_unit_test(revisions_are_in_the_order_of_time),
	    cmocka_unit_test(only_who_can_show_a_form_is_asked),
	    cmocka_unit_test(a_missing_capability_is_named),
	};

	return cmocka_run_group_tests_name("mcp", tests, NULL, NULL);
}
