/* The bytes of answers, and what may not be put into them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "agent-api/http/answer.h"

static const struct http_manner PLAIN = {.date = "D"};

static void expect(struct buf *out, const char *wanted)
{
	assert_string_equal(buf_cstr(out), wanted);
	buf_reset(out);
}

static void test_whole(void **state)
{
	struct http_field fields[] = {{"X-One", "1"}, {"Retry-After", "30"}};
	struct http_reply reply = {.status = 429,
	    .type = "text/plain",
	    .fields = fields,
	    .field_count = 2,
	    .body = "no",
	    .len = 2};
	struct http_manner head = {.date = "D", .head_only = true, .close = true};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), 0);
	expect(&out, "HTTP/1.1 429 Too Many Requests\r\nDate: D\r\nContent-Type: text/plain\r\n"
		     "X-One: 1\r\nRetry-After: 30\r\nContent-Length: 2\r\n\r\nno");
	assert_int_equal(http_answer_put(&out, &reply, &head), 0);
	expect(&out,
	    "HTTP/1.1 429 Too Many Requests\r\nDate: D\r\nContent-Type: text/plain\r\n"
	    "X-One: 1\r\nRetry-After: 30\r\nConnection: close\r\nContent-Length: 2\r\n\r\n");
	reply = (struct http_reply){.status = 204};
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), 0);
	expect(&out, "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n");
	reply = (struct http_reply){.status = 200};
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), 0);
	expect(&out, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n");
	buf_fini(&out);
}

static void test_injection(void **state)
{
	static const struct http_field WRONG[] = {{"X", "a\r\nSet-Cookie: b"}, {"X", "a\nb"},
	    {"X", "a\rb"}, {"X", "\x01"}, {"X", "\x7f"}, {"X: y\r\nZ", "a"}, {"X Y", "a"},
	    {"", "a"}, {"X:", "a"}, {"Content-Length", "0"}, {"content-length", "0"},
	    {"Transfer-Encoding", "chunked"}, {"Connection", "close"}, {"Date", "now"},
	    {"Trailer", "X"}, {"Upgrade", "h2c"}, {"Content-Type", "a"}};
	struct http_reply reply = {.status = 200, .field_count = 1};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
		reply.fields = &WRONG[i];
		assert_int_equal(http_answer_put(&out, &reply, &PLAIN), -EINVAL);
		assert_int_equal(http_answer_put_stream(&out, &reply, &PLAIN), -EINVAL);
		assert_int_equal(out.len, 0);
	}
	reply = (struct http_reply){.status = 200, .type = "a\r\nb: c"};
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), -EINVAL);
	reply = (struct http_reply){.status = 0};
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), -EINVAL);
	reply = (struct http_reply){.status = 100};
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), -EINVAL);
	reply = (struct http_reply){.status = 204, .body = "a", .len = 1};
	assert_int_equal(http_answer_put(&out, &reply, &PLAIN), -EINVAL);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void test_stream(void **state)
{
	struct http_reply reply = {.status = 200, .type = "text/event-stream"};
	struct http_manner old = {.old = true};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(http_answer_put_stream(&out, &reply, &PLAIN), 0);
	assert_int_equal(http_answer_put_bytes(&out, "0123456789abcdef", 16, true), 0);
	assert_int_equal(http_answer_put_bytes(&out, NULL, 0, true), 0); /* would end it */
	assert_int_equal(http_answer_put_end(&out), 0);
	expect(&out, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/event-stream\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
	assert_int_equal(http_answer_put_stream(&out, &reply, &old), -EINVAL);
	old.close = true;
	assert_int_equal(http_answer_put_stream(&out, &reply, &old), 0);
	assert_int_equal(http_answer_put_bytes(&out, "ab", 2, false), 0);
	expect(&out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
		     "\r\nab");
	buf_fini(&out);
}

static void test_events(void **state)
{
	struct http_event event = {
	    .name = "message", .id = "7", .data = "a\nb\r\nc\rd\n", .len = 9};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(http_event_put(&out, &event), 0);
	expect(&out, "event: message\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
	event = (struct http_event){.data = "", .len = 0, .retry_ms = 500};
	assert_int_equal(http_event_put(&out, &event), 0);
	expect(&out, "retry: 500\ndata: \n\n");
	event = (struct http_event){.name = "a\ndata: b", .data = "", .len = 0};
	assert_int_equal(http_event_put(&out, &event), -EINVAL);
	event = (struct http_event){.id = "a\rb", .data = "", .len = 0};
	assert_int_equal(http_event_put(&out, &event), -EINVAL);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void test_date(void **state)
{
	char text[HTTP_DATE_MAX];

	(void)state;
	assert_string_equal(http_date(text, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(http_date(text, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(http_reason(413), "Content Too Large");
	assert_string_equal(http_reason(299), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_injection),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_events),
	    cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
