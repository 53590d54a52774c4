/* Reading lines without a JSON library: what it takes, and that bent bytes only make it refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/evidence/line.h"
#include "supervisor/evidence/record.h"
#include "supervisor/evidence/seal.h"

static void emit(struct buf *line, const char *text)
{
	static const char *const words[] = {"a,b", "}]", "\"", NULL};
	struct record_place place = {.n = 42, .wall_us = 1790000000000000};
	struct buf fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_open(&fields, "inner");
	record_put_str(&fields, "type", "log.seal");
	record_put_list(&fields, "words", words, 3);
	record_close(&fields);
	record_put_int(&fields, "number", -7);
	record_put_bytes(&fields, "text", text, strlen(text));
	buf_init(line, RECORD_LINE_MAX);
	assert_int_equal(
	    record_emit(line, &place, RECORD_CALL_OUTCOME, fields.data, fields.len), 0);
	buf_fini(&fields);
}

static void text_comes_back_as_it_was(void **state)
{
	static const char *const texts[] = {"", "plain", "\n\r\t\b\f\x01\x1f\"\\/", "\xff\xfe",
	    "\",\"type\":\"log.seal\"}", "{\"b64\":\"eA==\"}", "\xe2\x80\xae\xf0\x9f\x98\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct line_member member;
		struct buf line, text;

		emit(&line, texts[i]);
		buf_init(&text, RECORD_LINE_MAX);
		assert_int_equal(line_find(line.data, line.len, "text", &member), 1);
		assert_int_equal(line_text(&text, &member), 0);
		assert_string_equal(text.len ? buf_cstr(&text) : "", texts[i]);
		assert_int_equal(line_find(line.data, line.len, "type", &member), 1);
		assert_true(line_is(&member, "call.outcome"));
		assert_int_equal(line_find(line.data, line.len, "words", &member), 0);
		assert_false(seal_is(line.data, line.len));
		buf_fini(&line);
		buf_fini(&text);
	}
}

static void heads_have_one_form(void **state)
{
	static const char *const bad[] = {"", "{", "{\"@n\":", "{\"@n\":01,\"@prev\":\"",
	    "{\"@n\":-1,", "{\"@n\":99999999999999999999,", "{ \"@n\":1,"};
	struct line_head head;
	struct buf line;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(line_head(&head, bad[i], strlen(bad[i])), -EBADMSG);
	emit(&line, "x");
	assert_int_equal(line_head(&head, line.data, line.len), 0);
	assert_int_equal(head.n, 42);
	for (size_t len = 0; len < head.len; len++) {
		struct line_head cut;
		char *copy = malloc(len ? len : 1); /* so that a sanitizer sees a byte too many */

		memcpy(copy, line.data, len);
		assert_int_equal(line_head(&cut, copy, len), -EBADMSG);
		free(copy);
	}
	buf_fini(&line);
}

/* Every reader over a copy of exactly this length. */
static void read_all(const uint8_t *bytes, size_t len)
{
	struct line_cursor cursor, inner;
	struct line_member member, part;
	struct line_head head;
	struct seal seal;
	struct buf text;
	const char *why;

	buf_init(&text, RECORD_LINE_MAX);
	(void)seal_parse(&seal, bytes, len, &why);
	if (line_head(&head, bytes, len) == 0) {
		line_members(&cursor, &head, bytes, len);
		while (line_next(&cursor, &member) > 0) {
			buf_reset(&text);
			(void)line_text(&text, &member);
			if (line_members_of(&inner, &member) == 0) {
				while (line_next(&inner, &part) > 0)
					(void)line_text(&text, &part);
			}
		}
	}
	buf_fini(&text);
}

static void bent_lines_are_survived(void **state)
{
	uint32_t random = 1;
	struct buf line;

	(void)state;
	emit(&line, "\xff text");
	for (int round = 0; round < 30000; round++) {
		size_t len, start;
		uint8_t *copy;

		random = random * 1664525 + 1013904223;
		start = random >> 8;
		len = round % 3 == 0 ? start % (line.len + 1) : line.len;
		copy = malloc(len ? len : 1);
		memcpy(copy, line.data, len);
		for (int flip = 0; len > 0 && flip <= round % 4; flip++) {
			random = random * 1664525 + 1013904223;
			copy[(random >> 8) % len] = "\"\\{}[]:,u0\xff\0"[random >> 28 & 11];
		}
		read_all(copy, len);
		free(copy);
	}
	buf_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_comes_back_as_it_was),
	    cmocka_unit_test(heads_have_one_form),
	    cmocka_unit_test(bent_lines_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
