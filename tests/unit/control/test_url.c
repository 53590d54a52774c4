/* Which addresses are talked to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/control/url.h"

static void test_good(void **state)
{
	static const struct {
		const char *text, *origin, *path, *file;
		int loopback;
	} rows[] = {
	    {"https://gate.example", "https://gate.example", "", "gate.example_443", 0},
	    {"https://Gate.Example:8700/", "https://gate.example:8700", "/", "gate.example_8700",
		0},
	    {"https://gate.example:443", "https://gate.example", "", "gate.example_443", 0},
	    {"https://10.0.0.1/a/b.c", "https://10.0.0.1", "/a/b.c", "10.0.0.1_443", 0},
	    {"https://[2001:DB8::1]:1", "https://[2001:db8::1]:1", "", "-2001-db8--1-_1", 0},
	    {"http://127.0.0.1:80", "http://127.0.0.1", "", "127.0.0.1_80", 1},
	    {"http://[::1]:9", "http://[::1]:9", "", "---1-_9", 1},
	    {"http://localhost", "http://localhost", "", "localhost_80", 1},
	    {"https://127.9.9.9", "https://127.9.9.9", "", "127.9.9.9_443", 1},
	};
	struct err_note note;
	char out[URL_MAX];
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(url_read(&url, rows[i].text, &note), 0);
		assert_string_equal(url_origin(&url, out), rows[i].origin);
		assert_string_equal(url.path, rows[i].path);
		assert_string_equal(url_file_name(&url, out), rows[i].file);
		assert_int_equal(url.loopback, rows[i].loopback);
	}
}

static void test_bad(void **state)
{
	static const char *const rows[] = {"", "gate.example", "ftp://gate.example",
	    "HTTPS://gate.example", "https://", "https://:8700", "http://gate.example",
	    "http://127.0.0.1.example", "http://localhost.example", "http://127.0.0.1@evil.example",
	    "https://user@gate.example", "https://user:word@gate.example", "https://gate.example?x",
	    "https://gate.example/?x", "https://gate.example#x",
	    "https://gate.example:", "https://gate.example:0", "https://gate.example:65536",
	    "https://gate.example:-1", "https://gate.example:1x",
	    "https://gate.example:00000000443", "https://gate example", "https://gate.example/a b",
	    "https://gate.example/a\\b", "https://gate.example/\n", "https://gate.example\r\nX: y",
	    "https://gate.example/../x", "https://gate.example/x/..", "https://gate.example//x",
	    "https://[::1", "https://[]", "https://[::1]x", "https://[fe80::1%25eth0]",
	    "https://-x", "https://.x", "https://g\xC3\xA4te.example", "https://gate_.example"};
	char longest[URL_MAX + 1] = "https://";
	struct err_note note;
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		note.text[0] = '\0';
		if (url_read(&url, rows[i], &note) != -EINVAL)
			fail_msg("%s is taken", rows[i]);
		assert_true(note.text[0]);
	}
	memset(longest + 8, 'a', sizeof(longest) - 9);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(url_read(&url, longest, &note), -EINVAL);
	longest[300] = '\0'; /* a host of 292 bytes */
	assert_int_equal(url_read(&url, longest, &note), -EINVAL);
}

static void test_gate(void **state)
{
	struct err_note note;
	char out[URL_MAX];
	struct url url;

	(void)state;
	assert_int_equal(url_read_gate(&url, out, "https://gate.example:8700/", &note), 0);
	assert_string_equal(out, "https://gate.example:8700");
	assert_string_equal(url.path, "");
	assert_int_equal(url_read_gate(&url, out, "https://gate.example/mcp", &note), -EINVAL);
	assert_non_null(strstr(note.text, "path"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
