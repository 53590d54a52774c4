/* One line in, one checked message or one refusal out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/base/cleanup.h"

#define V "\"jsonrpc\":\"2.0\""

static const struct {
	const char *line;
	enum rpc_kind kind;
	const char *method;
	const char *id;
} GOOD[] = {
    {"{" V ",\"id\":1,\"method\":\"ping\"}", RPC_REQUEST, "ping", "1"},
    {"{" V ",\"id\":0,\"method\":\"ping\",\"params\":{}}", RPC_REQUEST, "ping", "0"},
    {"{" V ",\"id\":-9223372036854775808,\"method\":\"a\"}", RPC_REQUEST, "a",
	"-9223372036854775808"},
    {"{" V ",\"id\":\"\",\"method\":\"a\"}", RPC_REQUEST, "a", "\"\""},
    {"{" V ",\"id\":\"x\\\"\\n\\u00e9\",\"method\":\"a\"}", RPC_REQUEST, "a",
	"\"x\\\"\\n\xC3\xA9\""},
    {"{" V ",\"method\":\"notifications/initialized\"}", RPC_NOTIFICATION,
	"notifications/initialized", "null"},
    {"{" V ",\"id\":7,\"result\":{}}", RPC_RESPONSE, "", "7"},
    {"{" V ",\"id\":7,\"error\":{}}", RPC_RESPONSE, "", "7"},
    {"{" V ",\"id\":null,\"error\":{}}", RPC_RESPONSE, "", "null"},
    {"{" V ",\"id\":[],\"result\":1}", RPC_RESPONSE, "", "null"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"extra\":[]}\r", RPC_REQUEST, "a", "1"},
};

static const struct {
	const char *line;
	int code;
	const char *id;
} BAD[] = {
    {"", RPC_PARSE_ERROR, "null"},
    {"hello", RPC_PARSE_ERROR, "null"},
    {"{" V ",\"id\":1,\"method\":\"a\"", RPC_PARSE_ERROR, "null"},
    {"{" V ",\"id\":1,\"id\":2,\"method\":\"a\"}", RPC_PARSE_ERROR, "null"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"params\":{\"x\":\"\\ud800\"}}", RPC_PARSE_ERROR, "null"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"params\":{\"x\":\"\\u0000\"}}", RPC_PARSE_ERROR, "null"},
    {"[]", RPC_INVALID_REQUEST, "null"},
    {"[{" V ",\"id\":1,\"method\":\"a\"}]", RPC_INVALID_REQUEST, "null"},
    {"5", RPC_INVALID_REQUEST, "null"},
    {"\"a\"", RPC_INVALID_REQUEST, "null"},
    {"null", RPC_INVALID_REQUEST, "null"},
    {"{}", RPC_INVALID_REQUEST, "null"},
    {"{\"id\":3,\"method\":\"a\"}", RPC_INVALID_REQUEST, "3"},
    {"{\"jsonrpc\":\"1.0\",\"id\":3,\"method\":\"a\"}", RPC_INVALID_REQUEST, "3"},
    {"{\"jsonrpc\":2.0,\"id\":3,\"method\":\"a\"}", RPC_INVALID_REQUEST, "3"},
    {"{" V ",\"id\":null,\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
    {"{" V ",\"id\":1.5,\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
    {"{" V ",\"id\":1.0,\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
    {"{" V ",\"id\":true,\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
    {"{" V ",\"id\":[1],\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
    {"{" V ",\"id\":{},\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
    {"{" V ",\"id\":1}", RPC_INVALID_REQUEST, "1"},
    {"{" V ",\"id\":1,\"method\":\"\"}", RPC_INVALID_REQUEST, "1"},
    {"{" V ",\"id\":1,\"method\":5}", RPC_INVALID_REQUEST, "1"},
    {"{" V ",\"id\":1,\"method\":null,\"result\":1}", RPC_INVALID_REQUEST, "1"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"result\":{}}", RPC_INVALID_REQUEST, "1"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"params\":[]}", RPC_INVALID_PARAMS, "1"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"params\":null}", RPC_INVALID_PARAMS, "1"},
    {"{" V ",\"id\":1,\"method\":\"a\",\"params\":\"x\"}", RPC_INVALID_PARAMS, "1"},
};

static void good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		struct rpc_message message;
		struct rpc_error error;

		if (rpc_parse(GOOD[i].line, strlen(GOOD[i].line), &message, &error) != 0)
			fail_msg("%s: %s", GOOD[i].line, error.note.text);
		assert_int_equal(message.kind, GOOD[i].kind);
		assert_string_equal(message.method, GOOD[i].method);
		assert_string_equal(message.id, GOOD[i].id);
		rpc_message_fini(&message);
		rpc_message_fini(&message);
	}
}

static void bad_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct rpc_message message;
		struct rpc_error error;

		if (rpc_parse(BAD[i].line, strlen(BAD[i].line), &message, &error) != RPC_REFUSED)
			fail_msg("accepted: %s", BAD[i].line);
		if (error.code != BAD[i].code)
			fail_msg("%s: %d %s", BAD[i].line, error.code, error.note.text);
		assert_string_equal(message.id, BAD[i].id);
		assert_int_equal(message.kind, RPC_NONE);
		assert_true(strlen(error.note.text) > 5);
		rpc_message_fini(&message);
	}
}

static int parse_id_of(size_t len)
{
	struct buf cleanup_with(buf_fini) line;
	struct rpc_message message;
	struct rpc_error error;
	int r;

	buf_init(&line, WIRE_MESSAGE_MAX);
	buf_text(&line, "{" V ",\"method\":\"a\",\"id\":\"");
	for (size_t i = 0; i < len; i++)
		buf_text(&line, "x");
	buf_text(&line, "\"}");
	r = rpc_parse((const char *)line.data, line.len, &message, &error);
	rpc_message_fini(&message);
	return r;
}

static void ids_are_short(void **state)
{
	(void)state;
	assert_int_equal(parse_id_of(WIRE_ID_MAX), 0);
	assert_int_equal(parse_id_of(WIRE_ID_MAX + 1), RPC_REFUSED);
	assert_int_equal(parse_id_of(500000), RPC_REFUSED);
}

static void refusals_are_one_printable_line(void **state)
{
	struct rpc_error error;

	(void)state;
	assert_int_equal(
	    rpc_refuse(&error, RPC_METHOD_NOT_FOUND, "no: %s", "a\nb\x1b[31m\r"), RPC_REFUSED);
	for (const char *c = error.note.text; *c; c++)
		assert_true((unsigned char)*c >= 0x20);
}

static void an_answer_is_one_line(void **state)
{
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, 200);
	assert_int_equal(rpc_put_answer(&out, "\"q\"", RPC_ANSWER_RESULT, "{\"a\":1}", 7), 0);
	assert_int_equal(rpc_put_answer(&out, "null", RPC_ANSWER_ERROR, "{}", 2), 0);
	assert_string_equal(buf_cstr(&out),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"result\":{\"a\":1}}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{}}\n");
	buf_fini(&out);
	buf_init(&out, 10);
	assert_int_equal(rpc_put_answer(&out, "1", RPC_ANSWER_ERROR, "{}", 2), -ENOBUFS);
}

static void a_batch_is_an_array_of_messages(void **state)
{
	static const struct {
		const char *line;
		int code; /* 0: served */
	} ROWS[] = {
	    {"[{" V ",\"id\":1,\"method\":\"a\"},5]", 0}, /* each item is judged by itself */
	    {"[]", RPC_INVALID_REQUEST},
	    {"{}", RPC_INVALID_REQUEST},
	    {"[1", RPC_PARSE_ERROR},
	    {"[{\"a\":1,\"a\":2}]", RPC_PARSE_ERROR},
	};
	struct rpc_message message;
	struct rpc_error error;
	json_t *batch;

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		int r;

		batch = NULL;
		r = rpc_parse_batch(ROWS[i].line, strlen(ROWS[i].line), &batch, &error);
		assert_int_equal(r, ROWS[i].code ? RPC_REFUSED : 0);
		if (ROWS[i].code)
			assert_int_equal(error.code, ROWS[i].code);
		if (r == 0) {
			assert_int_equal(
			    rpc_read(json_incref(json_array_get(batch, 0)), &message, &error), 0);
			assert_string_equal(message.method, "a");
			rpc_message_fini(&message);
			assert_int_equal(
			    rpc_read(json_incref(json_array_get(batch, 1)), &message, &error),
			    RPC_REFUSED);
			rpc_message_fini(&message);
		}
		json_decref(batch);
	}
}

static void a_batch_is_short(void **state)
{
	struct buf cleanup_with(buf_fini) line;
	struct rpc_error error;

	(void)state;
	for (int count = WIRE_BATCH_MAX; count <= WIRE_BATCH_MAX + 1; count++) {
		json_t *batch = NULL;

		buf_init(&line, 4096);
		for (int i = 0; i < count; i++)
			buf_text(&line, i ? ",1" : "[1");
		buf_text(&line, "]");
		assert_int_equal(rpc_parse_batch((const char *)line.data, line.len, &batch, &error),
		    count > WIRE_BATCH_MAX ? RPC_REFUSED : 0);
		json_decref(batch);
		buf_fini(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_lines),
	    cmocka_unit_test(bad_lines),
	    cmocka_unit_test(ids_are_short),
	    cmocka_unit_test(refusals_are_one_printable_line),
	    cmocka_unit_test(an_answer_is_one_line),
	    cmocka_unit_test(a_batch_is_an_array_of_messages),
	    cmocka_unit_test(a_batch_is_short),
	};

	return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
