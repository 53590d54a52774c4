#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/str.h"

#define UNTOUCHED 777

typedef int number_reader(const char *text, uint64_t *ret_value);

struct number_case {
	const char *text;
	int result;
	uint64_t value;
};

static void check_numbers(number_reader *read, const struct number_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = UNTOUCHED;

		assert_int_equal(read(cases[i].text, &value), cases[i].result);
		assert_true(value == (cases[i].result ? UNTOUCHED : cases[i].value));
	}
}

#define CHECK(read, cases) check_numbers(read, cases, sizeof(cases) / sizeof(cases[0]))

static int read_u64(const char *text, uint64_t *ret_value)
{
	return str_u64(text, UINT64_MAX, ret_value);
}

static void numbers_are_whole_and_bounded(void **state)
{
	static const struct number_case cases[] = {
	    {"0", 0, 0},
	    {"18446744073709551615", 0, UINT64_MAX},
	    {"18446744073709551616", -ERANGE, 0},
	    {"99999999999999999999999", -ERANGE, 0},
	    {"", -EINVAL, 0},
	    {" 1", -EINVAL, 0},
	    {"1 ", -EINVAL, 0},
	    {"+1", -EINVAL, 0},
	    {"-1", -EINVAL, 0},
	    {"0x10", -EINVAL, 0},
	    {"1.5", -EINVAL, 0},
	};
	uint64_t value = UNTOUCHED;

	(void)state;
	CHECK(read_u64, cases);
	assert_int_equal(str_u64("256", 255, &value), -ERANGE);
	assert_int_equal(str_u64("255", 255, &value), 0);
}

static void durations(void **state)
{
	static const struct number_case cases[] = {
	    {"30s", 0, 30000},
	    {"5m", 0, 300000},
	    {"2h", 0, 7200000},
	    {"1500ms", 0, 1500},
	    {"1d", 0, 86400000},
	    {"45", 0, 45000},
	    {"0", 0, 0},
	    {"5 m", -EINVAL, 0},
	    {"5M", -EINVAL, 0},
	    {"m", -EINVAL, 0},
	    {"1h30m", -EINVAL, 0},
	    {"213503982335d", -ERANGE, 0},
	    {"18446744073709551615", -ERANGE, 0},
	};

	(void)state;
	CHECK(str_duration_ms, cases);
}

static void sizes(void **state)
{
	static const struct number_case cases[] = {
	    {"64MiB", 0, 64 << 20},
	    {"1GiB", 0, 1 << 30},
	    {"512KiB", 0, 512 << 10},
	    {"1000kB", 0, 1000000},
	    {"4096", 0, 4096},
	    {"2TiB", 0, 2ULL << 40},
	    {"1mib", -EINVAL, 0},
	    {"1K", -EINVAL, 0},
	    {"MiB", -EINVAL, 0},
	    {"16777216TiB", -ERANGE, 0},
	};

	(void)state;
	CHECK(str_size, cases);
}

static void utf8_is_strict(void **state)
{
	static const struct {
		const char *bytes;
		bool good;
	} cases[] = {
	    {"plain", true},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", true},
	    {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
	    {"\xf4\x90\x80\x80", false}, /* above */
	    {"\xc0\x80", false},         /* overlong NUL */
	    {"\xc1\xbf", false},
	    {"\xe0\x9f\xbf", false},
	    {"\xf0\x8f\xbf\xbf", false},
	    {"\xed\xa0\x80", false}, /* surrogate */
	    {"\x80", false},
	    {"\xe2\x82", false}, /* cut */
	    {"\xff", false},
	    {"\xf8\x88\x80\x80\x80", false},
	    {"a\xc3"
	     "b",
		false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    str_is_utf8(cases[i].bytes, strlen(cases[i].bytes)), cases[i].good);
	assert_true(str_is_utf8("a\0b", 3));
	assert_true(str_is_utf8(NULL, 0));
}

static void check_escape(const char *bytes, size_t len, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(str_escape(&out, bytes, len), 0);
	assert_string_equal(buf_cstr(&out), want);
	buf_fini(&out);
}

static void escape_leaves_nothing_to_act_upon(void **state)
{
	(void)state;
	check_escape("a b\xc3\xa9", 5, "a b\xc3\xa9");
	check_escape("a\0\n\t\r\\", 6, "a\\x00\\n\\t\\x0d\\\\");
	check_escape("\x1b]0;x\x07", 6, "\\x1b]0;x\\x07");
	check_escape("\xff\xc3", 2, "\\xff\\xc3");
	check_escape("\xc2\x9b", 2, "\\u{009b}");          /* C1 CSI */
	check_escape("\xe2\x80\xae", 3, "\\u{202e}");      /* right-to-left override */
	check_escape("\xe2\x80\xa8", 3, "\\u{2028}");      /* line separator */
	check_escape("\xe2\x80\x8b", 3, "\\u{200b}");      /* zero-width space */
	check_escape("\xef\xbb\xbf", 3, "\\u{feff}");      /* byte order mark */
	check_escape("\xc2\xa0", 2, "\\u{00a0}");          /* no-break space */
	check_escape("\xc2\xad", 2, "\\u{00ad}");          /* soft hyphen */
	check_escape("\xf3\xa0\x81\x81", 4, "\\u{e0041}"); /* tag letter */
	check_escape("\xef\xb8\x8f", 3, "\\u{fe0f}");      /* variation selector */
	check_escape("\xe3\x85\xa4", 3, "\\u{3164}");      /* Hangul filler */
}

/* Whatever the bytes: one line of UTF-8 without anything a terminal acts upon. */
static void escape_of_every_byte_pair_is_printable(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	for (unsigned pair = 0; pair < 65536; pair++) {
		const uint8_t bytes[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
		const char *text;

		buf_reset(&out);
		str_escape(&out, bytes, 2);
		text = buf_cstr(&out);
		assert_non_null(text);
		assert_true(str_is_utf8(text, out.len));
		for (size_t i = 0; i < out.len; i++)
			assert_true((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
	}
	buf_fini(&out);
}

static void printable_cuts_and_ends(void **state)
{
	char out[6];

	(void)state;
	assert_int_equal(str_printable(out, sizeof(out), "abcdefgh"), 5);
	assert_string_equal(out, "abcde");
	assert_int_equal(str_printable(out, sizeof(out), "a\n\n"), 5);
	assert_string_equal(out, "a\\x0a");
	assert_int_equal(str_printable(out, sizeof(out), "abcd\n"), 4);
	assert_int_equal(str_printable(out, sizeof(out), "abcd\xc3\xa9"), 4);
	assert_int_equal(str_printable(out, 1, "abc"), 0);
	assert_string_equal(out, "");
}

static void check_quote(const char *text, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(str_quote(&out, text), 0);
	assert_string_equal(buf_cstr(&out), want);
	buf_fini(&out);
}

static void quoting_is_readable(void **state)
{
	(void)state;
	check_quote("ls", "ls");
	check_quote("/usr/bin/env:A=b,c%d@e+f_g-h.i", "/usr/bin/env:A=b,c%d@e+f_g-h.i");
	check_quote("", "''");
	check_quote("a b", "'a b'");
	check_quote("$HOME;rm", "'$HOME;rm'");
	check_quote("~", "'~'");
	check_quote("it's", "'it'\\''s'");
	check_quote("a\nb", "$'a\\nb'");
	check_quote("a\n'b\\", "$'a\\n\\'b\\\\'");
	check_quote("\xe2\x80\xae", "$'\\u{202e}'");
}

static void hex_both_ways(void **state)
{
	char text[9];
	uint8_t bytes[4] = {0xde, 0xad, 0x00, 0xff}, back[4] = {1, 2, 3, 4};

	(void)state;
	str_hex(text, bytes, 4);
	assert_string_equal(text, "dead00ff");
	assert_int_equal(str_unhex(back, 4, "DEAD00fg"), -EINVAL);
	assert_int_equal(back[0], 1); /* untouched */
	assert_int_equal(str_unhex(back, 4, "dead00f"), -EINVAL);
	assert_int_equal(str_unhex(back, 4, "dead00ff00"), -EINVAL);
	assert_int_equal(str_unhex(back, 4, "DEad00ff"), 0);
	assert_memory_equal(back, bytes, 4);
}

static void base64_vectors(void **state)
{
	/* RFC 4648 section 10 */
	static const char *const pairs[][2] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	};
	char back[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out;

		buf_init(&out, 64);
		str_base64(&out, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_cstr(&out), pairs[i][1]);
		assert_int_equal(str_unbase64(back, 16, pairs[i][1], out.len, &len), 0);
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_memory_equal(back, pairs[i][0], len);
		buf_fini(&out);
	}
}

static void base64_refuses_all_but_the_canonical(void **state)
{
	static const char *const bad[] = {"Zg",
	    "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", " Zm9", "Zm_v",
	    "Zm-v", "=Zm9", "Zm=v"};
	char back[16];
	size_t len = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(str_unbase64(back, 16, bad[i], strlen(bad[i]), &len), -EINVAL);
	assert_int_equal(str_unbase64(back, 16, "Zm9\0", 4, &len), -EINVAL);
	assert_int_equal(str_unbase64(back, 2, "Zm9v", 4, &len), -ENOBUFS);
	assert_int_equal(len, UNTOUCHED);
	assert_int_equal(str_unbase64(back, 3, "Zm9v", 4, &len), 0);
}

static void globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
	    {"git_*", "git_push", true},
	    {"git_*", "git", false},
	    {"*", "", true},
	    {"", "", true},
	    {"", "a", false},
	    {"?", "", false},
	    {"a?c", "abc", true},
	    {"*a*b*c", "xaybzc", true},
	    {"*a*b*c", "xaybz", false},
	    {"a*a", "a", false},
	    {"[ab]", "a", false},
	    {"[ab]", "[ab]", true},
	    {"\\*", "*", false},
	    {"**x**", "x", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(str_glob(cases[i].pattern, cases[i].text), cases[i].match);
}

/* Exponential matchers do not come back from this one. */
static void glob_is_not_exponential(void **state)
{
	char pattern[201], text[2001];

	(void)state;
	for (size_t i = 0; i < 200; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[199] = 'b';
	pattern[200] = '\0';
	memset(text, 'a', 2000);
	text[2000] = '\0';
	assert_false(str_glob(pattern, text));
}

static void blanks_are_not_seen(void **state)
{
	static const char *const unseen[] = {"", " ", "\t\n\r", "\xc2\xa0",
	    "\xe2\x80\x8b\xef\xbb\xbf", "\xe2\x80\xae", "\xe3\x80\x80", "\x1b\x7f", "\xff\xfe",
	    "\xe3\x85\xa4 \xe2\xa0\x80"};
	static const char *const seen[] = {"x", "  .", "\xc3\xa4", "\xe2\x80\x8b!",
	    "\xff"
	    "0"};

	(void)state;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (str_is_seen(unseen[i]))
			fail_msg("blank text %zu", i);
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		if (!str_is_seen(seen[i]))
			fail_msg("text %zu", i);
}

static void names(void **state)
{
	char long_name[257];

	(void)state;
	memset(long_name, 'a', 256);
	long_name[256] = '\0';
	assert_false(str_is_name(long_name));
	assert_true(str_is_name(long_name + 1));
	assert_false(str_is_tool_name(long_name + 256 - 65));
	assert_true(str_is_tool_name(long_name + 256 - 64));
	assert_true(str_is_name("team-1_x"));
	assert_false(str_is_name(""));
	assert_false(str_is_name("a.b"));
	assert_true(str_is_tool_name("a.b-c_d"));
	assert_false(str_is_tool_name("a/b"));
	assert_false(str_is_tool_name("a b"));
	assert_false(str_is_name("\xc3\xa9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_whole_and_bounded),
	    cmocka_unit_test(durations),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(utf8_is_strict),
	    cmocka_unit_test(escape_leaves_nothing_to_act_upon),
	    cmocka_unit_test(escape_of_every_byte_pair_is_printable),
	    cmocka_unit_test(printable_cuts_and_ends),
	    cmocka_unit_test(quoting_is_readable),
	    cmocka_unit_test(hex_both_ways),
	    cmocka_unit_test(base64_vectors),
	    cmocka_unit_test(base64_refuses_all_but_the_canonical),
	    cmocka_unit_test(globs),
	    cmocka_unit_test(glob_is_not_exponential),
	    cmocka_unit_test(blanks_are_not_seen),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
