/* The table of commands: complete, without doubles, and what completion makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/control/commands.h"

/* The kinds that completion scripts know, and ANY. */
static int is_kind(const char *text, size_t len)
{
	static const char *const kinds[] = {"ANY", "FILE", "DIR", "TOOL", "AGENT", "SPACE",
	    "APPROVAL", "CALL", "GRANT", "SCOPE", "FORMAT", "SHELL", "COMMAND", "ARGV"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i]) == len && memcmp(kinds[i], text, len) == 0)
			return 1;
	return 0;
}

static void check_options(const char *options)
{
	while (*options) {
		size_t len = strcspn(options, " "), name = strcspn(options, "= ");

		assert_true(len >= 2);
		assert_int_equal(options[0], '-');
		assert_true(options[1] == '-' || name == 2); /* one letter after one dash */
		if (name < len)
			assert_true(is_kind(options + name + 1, len - name - 1));
		options += len;
		options += strspn(options, " ");
	}
}

/* Every option and verb is in the synopsis, and each form begins with the command's name. */
static void check_synopsis(const struct command_row *row)
{
	const char *lists[] = {row->options, row->verbs};
	const char *line = row->synopsis;

	while (line) {
		assert_int_equal(strncmp(line, row->name, strlen(row->name)), 0);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	for (size_t i = 0; i < 2; i++)
		for (const char *word = lists[i]; *word; word += strspn(word, " ")) {
			char text[64];
			size_t len = strcspn(word, "= ");

			snprintf(text, sizeof(text), "%.*s", (int)len, word);
			if (!strstr(row->synopsis, text))
				fail_msg("%s: %s is not in its synopsis", row->name, text);
			word += strcspn(word, " ");
		}
}

static void test_rows(void **state)
{
	int count = 0;

	(void)state;
	check_options(commands_globals);
	for (const struct command_row *row = commands_all(); row->name; row++, count++) {
		assert_ptr_equal(commands_find(row->name), row); /* no name twice */
		assert_non_null(row->run);
		assert_true(row->summary[0] && row->examples[0]);
		assert_non_null(strstr(row->examples, row->name));
		assert_null(strchr(row->summary, '\n'));
		check_options(row->options);
		assert_true(!row->operand[0] || is_kind(row->operand, strlen(row->operand)));
		check_synopsis(row);
	}
	assert_true(count >= 20);
	assert_true(commands_is_local(commands_find("version")));
	assert_true(commands_is_local(commands_find("up")));
	assert_false(commands_is_local(commands_find("status")));
	assert_false(commands_is_local(commands_find("login")));
	assert_null(commands_find("nothing"));
	assert_null(commands_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
