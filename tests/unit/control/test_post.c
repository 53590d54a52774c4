/* A message as a POST: what it waits for, which headers repeat it, what answers it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/base/buf.h"
#include "supervisor/control/post.h"

static void read_text(struct post *post, const char *text)
{
	assert_int_equal(post_read(post, text, strlen(text)), 0);
}

/* post_take() of a text; -1: it is no JSON. */
static int take(struct post *post, const char *text, char *ret_id, size_t max)
{
	json_t *message = json_loads(text, 0, NULL);
	char *id;
	int taken;

	if (!message)
		return -1;
	taken = post_take(post, message);
	id = json_dumps(json_object_get(message, "id"), JSON_ENCODE_ANY);
	if (ret_id)
		snprintf(ret_id, max, "%s", id ? id : "");
	free(id);
	json_decref(message);
	return taken;
}

static void test_kinds(void **state)
{
	struct post post;

	(void)state;
	read_text(&post,
	    "{\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"bash\",\"_meta\":"
	    "{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}");
	assert_string_equal(post.method, "tools/call");
	assert_string_equal(post.name, "bash");
	assert_string_equal(post.version, "2026-07-28");
	assert_int_equal(json_array_size(post.waits), 1);
	post_fini(&post);
	read_text(&post, "{\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"x:y\"}}");
	assert_string_equal(post.name, "x:y");
	assert_string_equal(post.version, "");
	post_fini(&post);
	read_text(
	    &post, "{\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"a\"}}");
	assert_string_equal(json_string_value(post.cancels), "a");
	assert_int_equal(json_array_size(post.waits), 0);
	post_fini(&post);
	read_text(&post,
	    "[{\"id\":1,\"method\":\"a\"},{\"method\":\"b\"},{\"id\":\"1\",\"method\":\"c\"}]");
	assert_int_equal(json_array_size(post.waits), 2);
	assert_string_equal(post.method, "");
	post_fini(&post);
	read_text(&post, "{\"id\":1,\"result\":{}}"); /* an answer of ours waits for none */
	assert_int_equal(json_array_size(post.waits), 0);
	post_fini(&post);
	read_text(&post, "{\"id\":1,\"id\":1,\"method\":\"a\"}");
	assert_null(post.message);
	post_fini(&post);
	read_text(&post, "{\"id\":null,\"method\":7,\"params\":[]}");
	assert_string_equal(post.method, "");
	assert_int_equal(json_array_size(post.waits), 0);
	post_fini(&post);
}

static void test_answers(void **state)
{
	char id[32];
	struct post post;

	(void)state;
	read_text(&post, "{\"id\":1,\"method\":\"a\"}");
	assert_int_equal(take(&post, "{\"id\":2,\"result\":{}}", NULL, 0), 0);
	assert_int_equal(take(&post, "{\"id\":\"1\",\"result\":{}}", NULL, 0), 0);
	assert_int_equal(take(&post, "{\"id\":1}", NULL, 0), 0);
	assert_int_equal(take(&post, "{\"id\":1,\"result\":{},\"error\":{}}", NULL, 0), 0);
	assert_int_equal(take(&post, "{}", NULL, 0), 0);
	assert_int_equal(take(&post, "[]", NULL, 0), 0);
	assert_int_equal(take(&post, "[7]", NULL, 0), 0);
	assert_int_equal(take(&post, "{\"id\":null,\"result\":{}}", NULL, 0), 0);
	assert_int_equal(take(&post, "{\"id\":9,\"method\":\"elicitation/create\"}", NULL, 0), 1);
	assert_int_equal(take(&post, "{\"method\":\"notifications/progress\"}", NULL, 0), 1);
	assert_int_equal(json_array_size(post.waits), 1);
	assert_int_equal(take(&post, "{\"id\":1,\"result\":{}}", NULL, 0), 1);
	assert_int_equal(json_array_size(post.waits), 0);
	assert_int_equal(take(&post, "{\"id\":1,\"result\":{}}", NULL, 0), 0); /* once */
	post_fini(&post);

	/* an error without an id answers the only request, and is given its id */
	read_text(&post, "{\"id\":\"x\",\"method\":\"a\"}");
	assert_int_equal(take(&post, "{\"id\":null,\"error\":{}}", id, sizeof(id)), 1);
	assert_string_equal(id, "\"x\"");
	assert_int_equal(json_array_size(post.waits), 0);
	post_fini(&post);

	/* of a batch, each */
	read_text(&post, "[{\"id\":1,\"method\":\"a\"},{\"id\":2,\"method\":\"a\"}]");
	assert_int_equal(take(&post, "{\"id\":null,\"error\":{}}", id, sizeof(id)), 1);
	assert_string_equal(id, "null");
	assert_int_equal(json_array_size(post.waits), 2);
	assert_int_equal(
	    take(&post, "[{\"id\":2,\"result\":{}},{\"id\":1,\"error\":{}}]", NULL, 0), 1);
	assert_int_equal(json_array_size(post.waits), 0);
	post_fini(&post);
}

static void test_values(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
	    {"bash", "bash"},
	    {"a b", "a b"},
	    {" a", "=?base64?IGE=?="},
	    {"a ", "=?base64?YSA=?="},
	    {"", "=?base64?"
		 "?="},
	    {"a\r\nX: y", "=?base64?YQ0KWDogeQ==?="},
	    {"\xC3\xA4", "=?base64?w6Q=?="},
	    {"=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, 256);
		assert_int_equal(post_put_value(&out, rows[i].text), 0);
		assert_string_equal(buf_cstr(&out), rows[i].value);
		buf_fini(&out);
	}
	assert_int_equal(post_patience("tools/call"), 0);
	assert_true(post_patience("callgate/status") > 0);
	assert_true(post_patience("callgate/reload") > post_patience("callgate/status"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
