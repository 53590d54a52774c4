/* What a sed script does: tables, and the comparison with sed's own sandbox, which refuses each
 * script that runs, reads or writes. */
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/pack_sed.h"

static const struct {
	const char *script;
	unsigned effects;
} rows[] = {
    {"", 0},
    {"p", 0},
    {"1,5p;6q", 0},
    {"/a/,/b/{s/x/y/g;p}", 0},
    {"$!N;P;D", 0},
    {":a;N;$!ba;s/\\n/ /g", 0},
    {"s/[^a-z]/e/", 0},
    {"s/[[:space:]]*$//", 0},
    {"y/abc/xyz/", 0},
    {"a\\\ne id", 0},
    {"1i\\\n  w x\\\n  e id\np", 0},
    {"# e id\np", 0},
    {"s/a/b/e", PACK_SED_EXEC},
    {"s/a/b/ge;p", PACK_SED_EXEC},
    {"e", PACK_SED_EXEC},
    {"$!e id", PACK_SED_EXEC},
    {"/a/I{p;e id\n}", PACK_SED_EXEC},
    {"a\\\nx\ne id", PACK_SED_EXEC},
    {"s/a/b/w out", PACK_SED_WRITE},
    {"s/a/b/gw out", PACK_SED_WRITE},
    {"w out\ne id", PACK_SED_WRITE | PACK_SED_EXEC},
    {"w out;e id", PACK_SED_WRITE},
    {"W out", PACK_SED_WRITE},
    {"r in", PACK_SED_READ},
    {"R in", PACK_SED_READ},
    {"s/[/]/x/", PACK_SED_UNKNOWN},
    {"s/[]/]/x/e", PACK_SED_UNKNOWN},
    {"s/[\\]/]/x/e", PACK_SED_UNKNOWN},
    {"s/[[.a.]/]/x/e", PACK_SED_UNKNOWN},
    {"b}#;e id", PACK_SED_UNKNOWN},
    {"s/a/b", PACK_SED_UNKNOWN},
    {"k", PACK_SED_UNKNOWN},
    {"1,", PACK_SED_UNKNOWN},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned effects = pack_sed_effects(rows[i].script);

		if (effects != rows[i].effects)
			fail_msg("%s: %u, not %u", rows[i].script, effects, rows[i].effects);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Pieces that end, begin or hide commands, so that a wrong idea of where a pattern, a text or a
 * label ends lets one slip by. */
static void make_script(char *out, size_t max, uint32_t *seed)
{
	static const char *const pieces[] = {"s/a/b/", "s,a,b,", "s/", "/", "/e", ";e id",
	    "\ne id\n", "e id", "[", "]", "[^", "[]", "\\", "\\/", "\\]", "[:alpha:]", "{", "}",
	    "p", ";", "\n", "a\\\n", "i x", "c\\", "#", "b", "ba", ":a", "t x", "T", "w out",
	    "/w out", "r in", "y/ab/cd/", "y/", "x", "1", "$", "!", ",", "2,4", "~3", "+2", "/a/",
	    "\\,a,", "I", "M", "g", " ", "n", "l 5", "q1", "=", "&", "|", "s|a|b|", "[/]", "[\\/]",
	    "[,]", "d", "z", "F", "v", "W out", "\\n", "\\cA", "[[:a]", "[[", "[a-]", ".*", "\\(",
	    "\\{1"};
	uint32_t count = 1 + next_random(seed) % 8;
	size_t used = 0;

	out[0] = '\0';
	while (count--)
		used += (size_t)snprintf(out + used, max - used, "%s",
		    pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
}

/* True if sed, told to refuse them, finds commands that run, read or write. */
static bool sandbox_refuses(const char *script)
{
	char *const argv[] = {"sed", "-n", "--sandbox", "-e", (char *)script, NULL};
	char *const env[] = {"LC_ALL=C", NULL};
	posix_spawn_file_actions_t actions;
	char said[4096];
	ssize_t n;
	size_t used = 0;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	assert_int_equal(posix_spawn(&child, "/bin/sed", &actions, NULL, argv, env), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while ((n = read(ends[0], said + used, sizeof(said) - 1 - used)) > 0)
		used += (size_t)n;
	close(ends[0]);
	said[used] = '\0';
	assert_int_equal(waitpid(child, &status, 0), child);
	return strstr(said, "sandbox mode");
}

static void test_as_the_sandbox(void **state)
{
	uint32_t seed = 20261123;
	unsigned compared = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* The judge must be awake. */
		if (rows[i].effects && !(rows[i].effects & PACK_SED_UNKNOWN))
			assert_true(sandbox_refuses(rows[i].script));
	}
	for (int round = 0; round < 60000 && compared < 4000; round++) {
		char script[256];

		make_script(script, sizeof(script), &seed);
		/* Only a script that would be allowed can be wrong. */
		if (pack_sed_effects(script)) {
			refused++;
			continue;
		}
		compared++;
		if (sandbox_refuses(script))
			fail_msg("taken for harmless, and sed's sandbox refuses: %s", script);
	}
	print_message("%u harmless scripts beside sed --sandbox, %u others\n", compared, refused);
	assert_true(compared > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_as_the_sandbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
