#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sandbox/functions/grep_glob.h"

static void globs_take_what_they_should(void **state)
{
	static const struct {
		const char *glob, *path;
		bool takes;
	} rows[] = {
	    {"*.c", "a.c", true},
	    {"*.c", "src/deep/a.c", true},
	    {"*.c", "a.cc", false},
	    {"*.c", ".c", true},
	    {"a.c", "src/a.c", true},
	    {"a.c", "src/ba.c", false},
	    {"*", "any/thing", true},
	    {"**", "any/thing", true},
	    {"src/*.c", "src/a.c", true},
	    {"src/*.c", "src/sub/a.c", false},
	    {"src/*.c", "other/src/a.c", false},
	    {"/src/*.c", "src/a.c", true},
	    {"./src/*.c", "src/a.c", true},
	    {"/a.c", "a.c", true},
	    {"src/**/*.h", "src/a.h", true},
	    {"src/**/*.h", "src/x/a.h", true},
	    {"src/**/*.h", "src/x/y/z/a.h", true},
	    {"src/**/*.h", "src/x/y/z/a.c", false},
	    {"src/**/*.h", "srcs/a.h", false},
	    {"**/test/**", "test/a", true},
	    {"**/test/**", "x/test/a/b", true},
	    {"**/test/**", "x/test", false},
	    {"**/a/**/b", "x/a/y/a/z/b", true},
	    {"**/a/**/b", "x/a/y/a/z/c", false},
	    {"a/**/b/**/c", "a/b/c", true},
	    {"a/**/b/**/c", "a/x/b/y/b/z/c", true},
	    {"a/**/b/**/c", "a/x/y/z/c", false},
	    {"src/", "src/a/b", true},
	    {"src/", "src", false},
	    {"a**b", "axxb", true},
	    {"a**b/c", "a/x/b/c", false},
	    {"?.c", "a.c", true},
	    {"?.c", "ab.c", false},
	    {"?.c", "\xd0\xb6.c", true},
	    {"?.c", "\xd0.c", true},
	    {"??.c", "\xd0\xb6.c", false},
	    {"[a-c].c", "b.c", true},
	    {"[a-c].c", "d.c", false},
	    {"[!a-c].c", "d.c", true},
	    {"[^a-c].c", "b.c", false},
	    {"[]].c", "].c", true},
	    {"[!]].c", "].c", false},
	    {"[a-].c", "-.c", true},
	    {"[\\]a].c", "].c", true},
	    {"[\xd0\xb0-\xd1\x8f].c", "\xd0\xb6.c", true},
	    {"[\xd0\xb0-\xd1\x8f].c", "z.c", false},
	    {"*.{c,h}", "a.h", true},
	    {"*.{c,h}", "a.o", false},
	    {"{src,test}/**/*.{c,h}", "test/x/a.c", true},
	    {"{a,b{c,d}}.x", "bd.x", true},
	    {"{a,b{c,d}}.x", "b.x", false},
	    {"a{,b}.x", "a.x", true},
	    {"a{,b}.x", "ab.x", true},
	    {"{a/b,c}/*.x", "a/b/1.x", true},
	    {"\\*.c", "*.c", true},
	    {"\\*.c", "a.c", false},
	    {"\\{a,b\\}", "{a,b}", true},
	    {"a\\", "a\\", true},
	    {"*a*b*c", "xaxbxc", true},
	    {"*a*b*c", "xaxbxcx", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grep_glob glob;
		struct err_note note;

		if (grep_glob_parse(&glob, rows[i].glob, &note) < 0)
			fail_msg("%s: %s", rows[i].glob, note.text);
		if (grep_glob_takes(&glob, rows[i].path) != rows[i].takes)
			fail_msg("%s: %s: not %d", rows[i].glob, rows[i].path, rows[i].takes);
		grep_glob_fini(&glob);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const globs[] = {"", "!*.c", "[", "a[b", "[a/b]", "[\\/]", "{a",
	    "a{b{c}", "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "x[!", "x[]", "{[,a}"};
	char text[GREP_GLOB_MAX + 8];
	struct grep_glob glob;
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
		note.text[0] = '\0';
		if (grep_glob_parse(&glob, globs[i], &note) != -EINVAL)
			fail_msg("\"%s\" was taken", globs[i]);
		assert_true(strncmp(note.text, "glob: ", 6) == 0);
		grep_glob_fini(&glob);
	}
	memset(text, 'a', sizeof(text));
	text[GREP_GLOB_MAX + 1] = '\0';
	assert_int_equal(grep_glob_parse(&glob, text, &note), -EINVAL);
	memset(text, '{', sizeof(text));
	memset(text + 500, '}', 500);
	text[1000] = '\0';
	assert_int_equal(grep_glob_parse(&glob, text, &note), -EINVAL);
	grep_glob_fini(&glob);
}

static void hidden_names_must_be_named(void **state)
{
	static const struct {
		const char *glob, *name;
		bool names;
	} rows[] = {
	    {"*", ".env", false},
	    {"**/*", ".env", false},
	    {".env", ".env", true},
	    {".env*", ".env.local", true},
	    {".*", ".anything", true},
	    {"*env", ".env", false},
	    {"?env", ".env", false},
	    {"[.]env", ".env", false},
	    {".github/**/*.yml", ".github", true},
	    {".github/**/*.yml", ".gitlab", false},
	    {"{a,.b}", ".b", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grep_glob glob;
		struct err_note note;

		assert_int_equal(grep_glob_parse(&glob, rows[i].glob, &note), 0);
		if (grep_glob_names(&glob, rows[i].name) != rows[i].names)
			fail_msg("%s: %s", rows[i].glob, rows[i].name);
		grep_glob_fini(&glob);
	}
}

/* Patterns that take ages in a matcher that tries everything. */
static void hostile_globs_are_quick(void **state)
{
	char text[GREP_GLOB_MAX + 1], path[4001];
	struct grep_glob glob;
	struct err_note note;
	clock_t begin = clock();

	(void)state;
	text[0] = '\0';
	for (size_t i = 0; i + 2 < GREP_GLOB_MAX; i += 2)
		memcpy(text + i, "*a", 3);
	text[GREP_GLOB_MAX - 3] = 'b';
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(grep_glob_parse(&glob, text, &note), 0);
	assert_false(grep_glob_takes(&glob, path));
	grep_glob_fini(&glob);
	for (size_t i = 0; i + 5 < GREP_GLOB_MAX; i += 5)
		memcpy(text + i, "**/a/", 6);
	text[1000] = '\0';
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(path + i, "a/", 3);
	path[3999] = '\0';
	assert_int_equal(grep_glob_parse(&glob, "**/a/**/a/**/a/**/a/**/b", &note), 0);
	assert_false(grep_glob_takes(&glob, path));
	grep_glob_fini(&glob);
	assert_int_equal(grep_glob_parse(&glob, text, &note), 0);
	(void)grep_glob_takes(&glob, path);
	grep_glob_fini(&glob);
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(globs_take_what_they_should),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(hidden_names_must_be_named),
	    cmocka_unit_test(hostile_globs_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
