/* Event streams in whatever pieces they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/base/buf.h"
#include "supervisor/control/sse.h"

#define EVENT_MAX 64

/* Collects events, each in brackets. */
static int collect(void *owner, char *data, size_t len)
{
	struct buf *seen = owner;

	(void)buf_text(seen, "[");
	(void)buf_put(seen, data, len);
	return buf_text(seen, "]");
}

static int refuse(void *owner, char *data, size_t len)
{
	(void)owner;
	(void)data;
	(void)len;
	return -EPERM;
}

/* The stream in pieces of that many bytes. */
static void check(const char *stream, size_t len, size_t piece, const char *expected)
{
	struct buf seen;
	struct sse sse;

	buf_init(&seen, 4096);
	sse_init(&sse, EVENT_MAX);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(sse_feed(&sse, stream + at, len - at < piece ? len - at : piece,
				     collect, &seen),
		    0);
	assert_string_equal(buf_cstr(&seen), expected);
	sse_fini(&sse);
	buf_fini(&seen);
}

static void test_streams(void **state)
{
	static const struct {
		const char *stream, *events;
	} rows[] = {
	    {"", ""},
	    {"data: one\n\n", "[one]"},
	    {"data:one\n\ndata:  two\n\n", "[one][ two]"},
	    {"data: a\ndata: b\ndata\n\n", "[a\nb\n]"},
	    {"data: one\r\n\r\ndata: two\r\rdata: three\n\n", "[one][two][three]"},
	    {": a comment\nid: 7\nevent: x\nretry: 1\ndata: one\n\n", "[one]"},
	    {"\xEF\xBB\xBF"
	     "data: one\n\n",
		"[one]"},
	    {"data: one\n\n\xEF\xBB\xBF"
	     "data: two\n\n",
		"[one]"}, /* a mark only at the start */
	    {"data: cut off", ""},
	    {"data: cut off\n", ""},
	    {"event: nothing\n\n\n\n", ""},
	    {"data\n\n", ""},
	    {"data:\n\n", ""},
	    {"Data: x\ndatas: y\n data: z\n\n", ""},
	    {"data: one\n\ndata: cut", "[one]"},
	    {"data: \xC3\xA4\n\n", "[\xC3\xA4]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t piece = 1; piece < 9; piece++)
			check(rows[i].stream, strlen(rows[i].stream), piece, rows[i].events);
	check("data: a\0b\n\n", 11, 3, "[a");
}

static void test_bounds(void **state)
{
	char line[EVENT_MAX * 4];
	struct buf seen;
	struct sse sse;

	(void)state;
	buf_init(&seen, 4096);
	memset(line, 'x', sizeof(line));
	sse_init(&sse, EVENT_MAX);
	assert_int_equal(sse_feed(&sse, line, sizeof(line), collect, &seen), -EMSGSIZE);
	sse_fini(&sse);
	sse_init(&sse, EVENT_MAX);
	for (int i = 0; i < EVENT_MAX / 2; i++)
		assert_int_equal(sse_feed(&sse, "data:x\n", 7, collect, &seen), 0);
	assert_int_equal(sse_feed(&sse, "data:x\n", 7, collect, &seen), -EMSGSIZE);
	sse_fini(&sse);
	assert_int_equal(seen.len, 0);
	sse_init(&sse, EVENT_MAX);
	assert_int_equal(sse_feed(&sse, "data:x\n\ndata:y\n\n", 16, refuse, &seen), -EPERM);
	sse_fini(&sse);
	buf_fini(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_streams),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
