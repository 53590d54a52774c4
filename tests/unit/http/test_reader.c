/* The guard, the parser and the framing of bodies: what bytes become, however they are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/http/reader.h"
#include "tests/unit/http/vectors.h"

#define BODY_MAX 64

static char *note_request(char *out, size_t max, struct http_incoming *incoming)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, max - len, "%s %.*s [%.*s] ",
	    http_method_name(incoming->head.method), (int)incoming->head.target.len,
	    incoming->head.target.at, (int)incoming->body.len, (const char *)incoming->body.data);
	http_incoming_free(incoming);
	return out;
}

/* Feeds one piece; false: refused. */
static int feed(struct http_reader *reader, char *out, size_t max, const char *bytes, size_t len)
{
	for (;;) {
		size_t used = 0;
		size_t at = strlen(out);

		/* An exact copy: a sanitizer sees a read of one byte beyond. */
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, bytes, len);
		switch (http_reader_feed(reader, copy, len, &used)) {
		case HTTP_READ_MORE:
			assert_int_equal(used, len);
			free(copy);
			return 1;
		case HTTP_READ_HEAD: break;
		case HTTP_READ_WHOLE: note_request(out, max, http_reader_take(reader)); break;
		case HTTP_READ_REFUSED:
			(void)snprintf(out + at, max - at, "%d", reader->refusal.status);
			assert_non_null(reader->refusal.reason);
			free(copy);
			return 0;
		}
		free(copy);
		bytes += used;
		len -= used;
	}
}

/* cuts: a byte each; not 0 = the input is cut behind this place. */
static void run(const struct vector *vector, const char *cuts, char *out, size_t max)
{
	struct http_reader reader;
	size_t from = 0;
	size_t at;

	out[0] = '\0';
	http_reader_init(&reader, BODY_MAX);
	for (at = 0; at < vector->len; at++) {
		if (!cuts[at] && at + 1 < vector->len)
			continue;
		if (!feed(&reader, out, max, vector->bytes + from, at + 1 - from))
			break;
		from = at + 1;
	}
	if (reader.phase == HTTP_READER_HEAD || reader.phase == HTTP_READER_BODY)
		(void)snprintf(out + strlen(out), max - strlen(out), "...");
	http_reader_fini(&reader);
}

static void same(const struct vector *vector, const char *cuts, const char *how)
{
	char out[512];

	run(vector, cuts, out, sizeof(out));
	if (strcmp(out, vector->wanted) != 0)
		fail_msg("%s, cut %s: got \"%s\", wanted \"%s\"", vector->name, how, out,
		    vector->wanted);
}

static void every_cut(const struct vector *vector)
{
	char *cuts = calloc(vector->len + 1, 1);

	assert_non_null(cuts);
	same(vector, cuts, "nowhere");
	memset(cuts, 1, vector->len);
	same(vector, cuts, "everywhere");
	memset(cuts, 0, vector->len);
	for (size_t at = 0; at < vector->len; at++) {
		cuts[at] = 1;
		same(vector, cuts, "once");
		cuts[at] = 0;
	}
	for (int round = 0; round < 50; round++) {
		for (size_t at = 0; at < vector->len; at++)
			cuts[at] = random() % 7 == 0;
		same(vector, cuts, "at random");
	}
	free(cuts);
}

static void test_vectors(void **state)
{
	(void)state;
	srandom(1);
	assert_true(VECTORS >= 34);
	for (size_t i = 0; i < VECTORS; i++)
		every_cut(&vectors[i]);
}

/* ---- limits ----------------------------------------------------------------------------- */

static void repeat(char *out, size_t max, const char *text, size_t times)
{
	size_t len = strlen(text);
	size_t at = strlen(out);

	for (size_t i = 0; i < times && at + len < max; i++, at += len)
		memcpy(out + at, text, len + 1);
}

static void expect(const char *text, const char *wanted)
{
	struct vector vector = {"limit", text, strlen(text), wanted};
	char *cuts = calloc(vector.len + 1, 1);

	assert_non_null(cuts);
	same(&vector, cuts, "nowhere");
	memset(cuts, 1, vector.len);
	same(&vector, cuts, "everywhere");
	free(cuts);
}

static void test_limits(void **state)
{
	static char text[64 * 1024];

	(void)state;
	/* 100 lines are taken, 101 are not */
	strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n");
	repeat(text, sizeof(text), "X: y\r\n", 99);
	strcat(text, "\r\n");
	expect(text, "GET / [] ");
	strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n");
	repeat(text, sizeof(text), "X: y\r\n", 100);
	strcat(text, "\r\n");
	expect(text, "431");
	/* 16 KiB with the empty line */
	strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	repeat(text, sizeof(text), "y", HTTP_HEAD_MAX - strlen(text) - 4);
	strcat(text, "\r\n\r\n");
	assert_int_equal(strlen(text), HTTP_HEAD_MAX);
	expect(text, "GET / [] ");
	strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	repeat(text, sizeof(text), "y", HTTP_HEAD_MAX - strlen(text) - 3);
	strcat(text, "\r\n\r\n");
	expect(text, "431");
	/* a request line of 8 KiB; without any end */
	strcpy(text, "GET /");
	repeat(text, sizeof(text), "y", 9000);
	expect(text, "414");
	/* bodies: as much as is allowed, and a byte more, before any of it is there */
	strcpy(text, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\n\r\n");
	repeat(text, sizeof(text), "12345678", 8);
	expect(text, "POST / [1234567812345678123456781234567812345678123456781234567812345678] ");
	expect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n", "413");
	expect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n", "413");
	expect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", "413");
	expect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "ffffffffffffffff\r\n",
	    "413");
	expect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "1\r\na\r\nffffffffffffffff\r\n",
	    "413");
}

static void test_lookup(void **state)
{
	static const char text[] =
	    "GET /a?b HTTP/1.1\r\nHOST: a.example:80\r\nX-One:\t 1 \r\nTwice: 1\r\n"
	    "twice: 2\r\nConnection: keep-alive, CLOSE\r\n\r\n";
	struct http_refusal why;
	struct http_head head;
	struct http_text value;
	size_t index = 0;

	(void)state;
	assert_int_equal(http_guard_judge(text, sizeof(text) - 1, &head, &why), 0);
	assert_int_equal(http_head_find(&head, "x-one", &value), HTTP_FOUND_ONE);
	assert_true(http_text_is(value, "1"));
	assert_int_equal(http_head_find(&head, "TWICE", &value), HTTP_FOUND_MANY);
	assert_int_equal(value.len, 0);
	assert_int_equal(http_head_find(&head, "none", &value), HTTP_FOUND_NONE);
	assert_true(http_head_next(&head, "twice", &index, &value));
	assert_true(http_head_next(&head, "twice", &index, &value));
	assert_true(http_text_is(value, "2"));
	assert_false(http_head_next(&head, "twice", &index, &value));
	assert_true(http_text_is(head.host, "a.example:80"));
	assert_true(http_text_is(head.path, "/a"));
	assert_true(http_text_is(head.query, "b"));
	assert_true(head.close);
	assert_false(head.expects_continue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_lookup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
