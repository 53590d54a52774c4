/* JSON from strangers: what is refused, and that refusing is cheap. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"

#define TEXT(literal) literal, sizeof(literal) - 1

struct sample {
	const char *text;
	size_t len;
};

static const struct sample GOOD[] = {
    {TEXT("{}")},
    {TEXT("[]")},
    {TEXT("1")},
    {TEXT("null")},
    {TEXT(" {\"a\" : [1, 2.5, -0, 1e5, true, null, \"\\u00e9\\ud83d\\ude00\"]}\r")},
    {TEXT("\"\xF4\x8F\xBF\xBF\"")},
    {TEXT("{\"a\":{\"x\":1},\"b\":{\"x\":1}}")},
    {TEXT("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"")},
    {TEXT("\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"")},
    {TEXT("9223372036854775807")},
};

static const struct sample BAD[] = {
    {TEXT("")},
    {TEXT(" ")},
    {TEXT("{")},
    {TEXT("}")},
    {TEXT("{\"a\":1,}")},
    {TEXT("[1 2]")},
    {TEXT("{} {}")},
    {TEXT("{}x")},
    {TEXT("'a'")},
    {TEXT("{\"a\":1,\"a\":1}")},
    {TEXT("{\"a\":{\"b\":1,\"b\":2}}")},
    {TEXT("{\"a\":1,\"\\u0061\":2}")}, /* the same key, written otherwise */
    {TEXT("\"\\ud800\"")},
    {TEXT("\"\\udc00\"")},
    {TEXT("\"\\ud800\\ud800\"")},
    {TEXT("\"\\ud800x\"")},
    {TEXT("\"\xED\xA0\x80\"")}, /* a surrogate in UTF-8 */
    {TEXT("\"\xC0\x80\"")},     /* NUL, too long */
    {TEXT("\"\xF5\x80\x80\x80\"")},
    {TEXT("\"\xE2\x82\"")},
    {TEXT("\"\xFF\"")},
    {TEXT("{\"\xFF\":1}")},
    {TEXT("\"a\\u0000b\"")},
    {TEXT("{\"a\\u0000\":1}")},
    {TEXT("\"a\0b\"")},
    {TEXT("{}\0")},
    {TEXT("\0{}")},
    {TEXT("\"a\nb\"")},
    {TEXT("\"a\tb\"")},
    {TEXT("\"\\x41\"")},
    {TEXT("\"")},
    {TEXT("\"\\")},
    {TEXT("NaN")},
    {TEXT("Infinity")},
    {TEXT("1e999")},
    {TEXT("01")},
    {TEXT("+1")},
    {TEXT("99999999999999999999")},
    {TEXT("\xEF\xBB\xBF{}")},
    {TEXT("// c\n{}")},
};

static void good_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		struct err_note note = {""};
		json_t *value = NULL;

		if (value_read(GOOD[i].text, GOOD[i].len, &value, &note) != 0)
			fail_msg("%s: %s", GOOD[i].text, note.text);
		assert_non_null(value);
		json_decref(value);
	}
}

static void bad_is_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct err_note note = {""};
		json_t *value = NULL;

		if (value_read(BAD[i].text, BAD[i].len, &value, &note) == 0)
			fail_msg("accepted: %s", BAD[i].text);
		assert_null(value);
		assert_int_equal(strncmp(note.text, "JSON: ", 6), 0);
		assert_true(strlen(note.text) > 8);
	}
}

static char *repeat(const char *unit, size_t len)
{
	size_t unit_len = strlen(unit);
	char *text = malloc(len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = unit[i % unit_len];
	text[len] = '\0';
	return text;
}

static long cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void bombs_are_cheap(void **state)
{
	static const char *const UNITS[] = {"[", "{", "{},", "[[],", "[{},", "{\"a\":", "[1,", ",",
	    ":", "\"\"", "\"\",", "]", "[\"\\\"", "\\", "\""};

	(void)state;
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		char *text = repeat(UNITS[i], WIRE_MESSAGE_MAX);
		long before_ms = cpu_ms(), before_kib = peak_kib();
		json_t *value = NULL;

		assert_int_equal(value_read(text, WIRE_MESSAGE_MAX, &value, NULL), -EINVAL);
		assert_true(cpu_ms() - before_ms < 500);
		assert_true(peak_kib() - before_kib < 16 * 1024);
		free(text);
	}
}

/* An array of count empty objects, which costs the most memory per byte. */
static int read_objects(size_t count)
{
	struct buf cleanup_with(buf_fini) text;
	json_t *value = NULL;
	int r;

	buf_init(&text, WIRE_MESSAGE_MAX);
	buf_text(&text, "[{}");
	for (size_t i = 1; i < count; i++)
		buf_text(&text, ",{}");
	buf_text(&text, "]");
	assert_int_equal(text.fault, 0);
	r = value_read((const char *)text.data, text.len, &value, NULL);
	json_decref(value);
	return r;
}

static void elements_are_bounded(void **state)
{
	long before_kib = peak_kib();

	(void)state;
	assert_int_equal(read_objects(WIRE_ELEMENTS_MAX / 2 - 1), 0);
	assert_int_equal(read_objects(WIRE_ELEMENTS_MAX / 2), -EINVAL);
	assert_int_equal(read_objects(WIRE_MESSAGE_MAX / 3 - 1), -EINVAL);
	assert_true(peak_kib() - before_kib < 16 * 1024);
}

static void depth_is_exact(void **state)
{
	char text[2 * (WIRE_DEPTH_MAX + 1) + 1] = "";
	json_t *value = NULL;

	(void)state;
	memset(text, '[', WIRE_DEPTH_MAX);
	memset(text + WIRE_DEPTH_MAX, ']', WIRE_DEPTH_MAX);
	assert_int_equal(value_read(text, 2 * WIRE_DEPTH_MAX, &value, NULL), 0);
	json_decref(value);
	memset(text, '[', WIRE_DEPTH_MAX + 1);
	memset(text + WIRE_DEPTH_MAX + 1, ']', WIRE_DEPTH_MAX + 1);
	assert_int_equal(value_read(text, 2 * (WIRE_DEPTH_MAX + 1), &value, NULL), -EINVAL);
}

static void size_is_exact(void **state)
{
	char *text = repeat(" ", WIRE_MESSAGE_MAX + 1);
	json_t *value = NULL;

	(void)state;
	text[0] = '1';
	assert_int_equal(value_read(text, WIRE_MESSAGE_MAX, &value, NULL), 0);
	json_decref(value);
	assert_int_equal(value_read(text, WIRE_MESSAGE_MAX + 1, &value, NULL), -EINVAL);
	free(text);
}

static void text_is_cleaned(void **state)
{
	static const struct {
		struct sample in;
		const char *out;
	} ROWS[] = {
	    {{TEXT("")}, ""},
	    {{TEXT("plain \xC3\xA9")}, "plain \xC3\xA9"},
	    {{TEXT("a\0b")}, "a\xEF\xBF\xBD"
			     "b"},
	    {{TEXT("\xFFx")}, "\xEF\xBF\xBDx"},
	    {{TEXT("\xED\xA0\x80")}, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {{TEXT("\xE2\x82")}, "\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {{TEXT("\xC0\x80")}, "\xEF\xBF\xBD\xEF\xBF\xBD"},
	    {{TEXT("\xF0\x9F\x98\x80\x1b[")}, "\xF0\x9F\x98\x80\x1b["},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *text = value_text(ROWS[i].in.text, ROWS[i].in.len);

		assert_non_null(text);
		assert_string_equal(json_string_value(text), ROWS[i].out);
		json_decref(text);
	}
}

static void writing_stops_at_the_limit(void **state)
{
	struct buf cleanup_with(buf_fini) out;
	json_t *value = json_pack("[s,s]", "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb");

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(value_write(&out, value), -ENOBUFS);
	buf_fini(&out);
	buf_init(&out, 100);
	assert_int_equal(value_write(&out, value), 0);
	assert_string_equal(buf_cstr(&out), "[\"aaaaaaaaaaaaaaaa\",\"bbbbbbbbbbbbbbb\"]");
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_is_read),
	    cmocka_unit_test(bad_is_refused_with_a_reason),
	    cmocka_unit_test(bombs_are_cheap),
	    cmocka_unit_test(elements_are_bounded),
	    cmocka_unit_test(depth_is_exact),
	    cmocka_unit_test(size_is_exact),
	    cmocka_unit_test(text_is_cleaned),
	    cmocka_unit_test(writing_stops_at_the_limit),
	};

	value_start();
	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
