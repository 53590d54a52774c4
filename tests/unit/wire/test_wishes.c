/* What may stand beside a call in its params: good and bad forms, in both eras. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/wishes.h"
#include "supervisor/base/cleanup.h"

#define CAPS(x) "\"io.modelcontextprotocol/clientCapabilities\":" x

static const struct {
	enum mcp_era era;
	const char *params; /* NULL: none */
	int code;           /* 0: read */
	const char *progress, *retry;
	bool input, output, elicit;
} ROWS[] = {
    {MCP_LEGACY, NULL, 0, NULL, NULL, false, false, false},
    {MCP_LEGACY, "{}", 0, NULL, NULL, false, false, false},
    {MCP_LEGACY, "{\"_meta\":{\"progressToken\":7}}", 0, "7", NULL, false, false, false},
    {MCP_LEGACY, "{\"_meta\":{\"progressToken\":\"a\\\"b\"}}", 0, "\"a\\\"b\"", NULL, false, false,
	false},
    {MCP_LEGACY, "{\"_meta\":{\"progressToken\":\"\"}}", 0, "\"\"", NULL, false, false, false},
    {MCP_LEGACY, "{\"_meta\":{\"progressToken\":1.5}}", RPC_INVALID_PARAMS, NULL, NULL, 0, 0, 0},
    {MCP_LEGACY, "{\"_meta\":{\"progressToken\":null}}", RPC_INVALID_PARAMS, NULL, NULL, 0, 0, 0},
    {MCP_LEGACY, "{\"_meta\":{\"progressToken\":[]}}", RPC_INVALID_PARAMS, NULL, NULL, 0, 0, 0},
    {MCP_LEGACY, "{\"_meta\":{\"callgate/stream\":{\"stdin\":true,\"output\":false}}}", 0, NULL,
	NULL, true, false, false},
    {MCP_MODERN, "{\"_meta\":{\"callgate/stream\":{\"output\":true}}}", 0, NULL, NULL, false, true,
	false},
    {MCP_LEGACY, "{\"_meta\":{\"callgate/stream\":true}}", RPC_INVALID_PARAMS, NULL, NULL, 0, 0, 0},
    {MCP_LEGACY, "{\"_meta\":{\"callgate/stream\":{\"stdin\":1}}}", RPC_INVALID_PARAMS, NULL, NULL,
	0, 0, 0},
    {MCP_LEGACY, "{\"_meta\":{\"callgate/stream\":{\"stderr\":true}}}", RPC_INVALID_PARAMS, NULL,
	NULL, 0, 0, 0},
    {MCP_LEGACY, "{\"requestState\":\"s\",\"inputResponses\":{\"a\":{}}}", 0, NULL, NULL, 0, 0, 0},
    {MCP_MODERN, "{\"_meta\":{" CAPS("{\"elicitation\":{}}") "}}", 0, NULL, NULL, 0, 0, true},
    {MCP_MODERN,
	"{\"_meta\":{" CAPS(
	    "{\"elicitation\":{}}") "},\"requestState\":\"s\",\"inputResponses\":{\"a\":{}}}",
	0, NULL, "{\"inputResponses\":{\"a\":{}},\"requestState\":\"s\"}", 0, 0, true},
    {MCP_MODERN, "{\"_meta\":{" CAPS("{}") "},\"requestState\":\"s\"}", 0, NULL,
	"{\"requestState\":\"s\"}", 0, 0, false},
    {MCP_MODERN, "{\"_meta\":{" CAPS("{}") "},\"requestState\":\"s\",\"inputResponses\":{}}", 0,
	NULL, "{\"inputResponses\":{},\"requestState\":\"s\"}", 0, 0, false},
    {MCP_MODERN,
	"{\"_meta\":{" CAPS("{}") "},\"requestState\":\"s\",\"inputResponses\":{\"a\":{}}}",
	RPC_MISSING_CAPABILITY, NULL, NULL, 0, 0, 0},
    {MCP_MODERN,
	"{\"_meta\":{" CAPS("{\"elicitation\":{\"url\":{}}}") "},\"inputResponses\":{\"a\":{}}}",
	RPC_MISSING_CAPABILITY, NULL, NULL, 0, 0, 0},
    {MCP_MODERN, "{\"_meta\":{" CAPS("{\"elicitation\":{}}") "},\"inputResponses\":{\"a\":{}}}", 0,
	NULL, "{\"inputResponses\":{\"a\":{}}}", 0, 0, true},
    {MCP_MODERN, "{\"_meta\":{" CAPS("{\"elicitation\":{}}") "},\"inputResponses\":{}}", 0, NULL,
	NULL, 0, 0, true},
    {MCP_MODERN, "{\"_meta\":{},\"requestState\":5}", RPC_INVALID_PARAMS, NULL, NULL, 0, 0, 0},
    {MCP_MODERN, "{\"_meta\":{},\"inputResponses\":[]}", RPC_INVALID_PARAMS, NULL, NULL, 0, 0, 0},
};

static void same(const char *what, const char *got, const char *expected)
{
	if (!got != !expected || (got && strcmp(got, expected) != 0))
		fail_msg(
		    "%s: %s instead of %s", what, got ? got : "none", expected ? expected : "none");
}

static void rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *params = ROWS[i].params ? json_loads(ROWS[i].params, 0, NULL) : NULL;
		struct wishes cleanup_with(wishes_fini) wishes;
		struct rpc_error error = {.code = 0};
		int r = wishes_read(&wishes, ROWS[i].era, params, &error);

		assert_true(!ROWS[i].params || params);
		if (error.code != ROWS[i].code || r != (ROWS[i].code ? RPC_REFUSED : 0))
			fail_msg("row %zu: %d %s", i, error.code, error.note.text);
		json_decref(params);
		if (r)
			continue;
		same("progress", wishes.progress, ROWS[i].progress);
		same("retry", wishes.retry, ROWS[i].retry);
		assert_int_equal(wishes.stream_input, ROWS[i].input);
		assert_int_equal(wishes.stream_output, ROWS[i].output);
		assert_int_equal(wishes.can_elicit, ROWS[i].elicit);
	}
}

static int read_sized(const char *key, size_t len)
{
	char *cleanup_free text = malloc(len + 1);
	struct wishes cleanup_with(wishes_fini) wishes;
	struct rpc_error error;
	json_t *params;
	int r;

	memset(text, 'x', len);
	text[len] = '\0';
	if (strcmp(key, "progressToken") == 0)
		params = json_pack("{s:{s:s}}", "_meta", key, text);
	else if (strcmp(key, "inputResponses") == 0)
		params = json_pack("{s:{s:{s:{}}}, s:{s:s}}", "_meta", MCP_META_CAPABILITIES,
		    "elicitation", key, "a", text);
	else
		params = json_pack("{s:s}", key, text);
	r = wishes_read(&wishes, MCP_MODERN, params, &error);
	json_decref(params);
	return r;
}

static void what_is_kept_is_short(void **state)
{
	(void)state;
	assert_int_equal(read_sized("progressToken", WIRE_TOKEN_MAX), 0);
	assert_int_equal(read_sized("progressToken", WIRE_TOKEN_MAX + 1), RPC_REFUSED);
	assert_int_equal(read_sized("requestState", WIRE_RETRY_MAX - 64), 0);
	assert_int_equal(read_sized("requestState", WIRE_RETRY_MAX), RPC_REFUSED);
	assert_int_equal(read_sized("requestState", 900000), RPC_REFUSED);
	assert_int_equal(read_sized("inputResponses", WIRE_RETRY_MAX), RPC_REFUSED);
}

static int read_log(enum mcp_era era, const char *level, enum severity *ret)
{
	json_t *params = json_pack(
	    "{s:{s:o}}", "_meta", MCP_META_LOG_LEVEL, json_loads(level, JSON_DECODE_ANY, NULL));
	struct wishes cleanup_with(wishes_fini) wishes;
	struct rpc_error error = {.code = 0};
	int r = wishes_read(&wishes, era, params, &error);

	json_decref(params);
	*ret = wishes.log;
	return error.code ? error.code : r;
}

static void the_level_of_a_request(void **state)
{
	static const char *const WRONG[] = {"\"\"", "\"loud\"", "\"ERROR\"", "3", "null", "{}"};
	enum severity level;

	(void)state;
	assert_int_equal(read_log(MCP_MODERN, "\"warning\"", &level), 0);
	assert_int_equal(level, SEVERITY_WARNING);
	assert_int_equal(read_log(MCP_LEGACY, "\"warning\"", &level), 0); /* another era's word */
	assert_int_equal(level, SEVERITY_NONE);
	for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
		assert_int_equal(read_log(MCP_MODERN, WRONG[i], &level), RPC_INVALID_PARAMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows),
	    cmocka_unit_test(what_is_kept_is_short),
	    cmocka_unit_test(the_level_of_a_request),
	};

	return cmocka_run_group_tests_name("wishes", tests, NULL, NULL);
}
