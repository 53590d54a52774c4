/* What the server says unasked, to the letter: front and clients rely on it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/notice.h"
#include "supervisor/base/cleanup.h"

static void expect(struct buf *out, int r, const char *json)
{
	json_t *got, *expected = json_loads(json, 0, NULL);

	assert_int_equal(r, 0);
	assert_null(memchr(out->data, '\n', out->len));
	got = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(expected);
	if (!json_equal(got, expected))
		fail_msg("%s", buf_cstr(out));
	json_decref(got);
	json_decref(expected);
	buf_reset(out);
}

static void progress(void **state)
{
	struct notice_progress row = {.token = "\"t\"", .progress = 7};
	const double total = 10;
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, 4096);
	expect(&out, notice_progress(&out, MCP_2026_07_28, &row),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
	    "{\"progressToken\":\"t\",\"progress\":7}}");
	row.message = "a\xFF\nb";
	row.message_len = 4;
	row.token = "-3";
	expect(&out, notice_progress(&out, MCP_2025_03_26, &row),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
	    "{\"progressToken\":-3,\"progress\":7,\"message\":\"a\xEF\xBF\xBD\\nb\"}}");
	/* the field is younger than this revision */
	expect(&out, notice_progress(&out, MCP_2024_11_05, &row),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
	    "{\"progressToken\":-3,\"progress\":7}}");
	/* whole numbers as such, others not; a total where there is one */
	row = (struct notice_progress){.token = "1", .progress = 2.5, .total = &total};
	expect(&out, notice_progress(&out, MCP_2026_07_28, &row),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
	    "{\"progressToken\":1,\"progress\":2.5,\"total\":10}}");
	row.token = "{";
	assert_int_equal(notice_progress(&out, MCP_2025_03_26, &row), -ENOMEM);
}

static void messages(void **state)
{
	json_t *data = json_loads("[{\"a\":\"\\u001b\u00e9\"},null]", 0, NULL);
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, 4096);
	expect(&out, notice_message(&out, SEVERITY_ALERT, "t", data),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":"
	    "{\"level\":\"alert\",\"logger\":\"t\",\"data\":[{\"a\":\"\\u001b\u00e9\"},null]}}");
	assert_int_equal(notice_message(&out, SEVERITY_ALERT, "\xFF", data), -ENOMEM);
	json_decref(data);
}

static void streams(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	json_t *result;

	(void)state;
	buf_init(&out, 4096);
	expect(&out, notice_tools_changed(&out, NULL),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
	expect(&out, notice_tools_changed(&out, "\"s\""),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":"
	    "{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"s\"}}}");
	expect(&out, notice_acknowledged(&out, "5", 1),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
	    "\"params\":{\"notifications\":{\"toolsListChanged\":true},"
	    "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":5}}}");
	expect(&out, notice_acknowledged(&out, "5", 0),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
	    "\"params\":{\"notifications\":{},"
	    "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":5}}}");
	assert_int_equal(notice_stream_result(&out, "5"), 0);
	result = json_loadb((const char *)out.data, out.len, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(result, "resultType")), "complete");
	assert_int_equal(json_object_size(json_object_get(result, "_meta")), 2);
	json_decref(result);
}

static void requests(void **state)
{
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(
	    notice_request(&out, "cg-1", "elicitation/create", json_pack("{s:i}", "a", 1)), 0);
	assert_memory_equal(out.data, NOTICE_REQUEST_HEAD, strlen(NOTICE_REQUEST_HEAD));
	expect(&out, 0,
	    "{\"jsonrpc\":\"2.0\",\"id\":\"cg-1\",\"method\":\"elicitation/create\","
	    "\"params\":{\"a\":1}}");
	assert_int_equal(notice_request(&out, "cg-1", "x", NULL), -ENOMEM);
	buf_reset(&out);
	expect(&out, notice_cancelled(&out, "cg-1", "answered elsewhere"),
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
	    "{\"requestId\":\"cg-1\",\"reason\":\"answered elsewhere\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(progress),
	    cmocka_unit_test(messages),
	    cmocka_unit_test(streams),
	    cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
