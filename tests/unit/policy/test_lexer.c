/* The lexer: tables of strings. test_lexer_shells.c compares it with real shells. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/lexer.h"

struct row {
	const char *text;
	enum command_form form;
	const char *words; /* SIMPLE: argv, else the command words; joined by "|" */
};

static const struct row rows[] = {
    {"ls", COMMAND_SIMPLE, "ls"},
    {"  ls\t-l  ", COMMAND_SIMPLE, "ls|-l"},
    {"\nls\n\n", COMMAND_SIMPLE, "ls"},
    {"ls \\\n -l", COMMAND_SIMPLE, "ls|-l"},
    {"git show HEAD~1:a.c", COMMAND_SIMPLE, "git|show|HEAD~1:a.c"},
    {"echo 'a b' \"c d\" e\\ f", COMMAND_SIMPLE, "echo|a b|c d|e f"},
    {"echo \"a\\\"b\\\\c\\.d\\$e\"", COMMAND_SIMPLE, "echo|a\"b\\c\\.d$e"},
    {"echo ''", COMMAND_SIMPLE, "echo|"},
    {"echo a'b'\"c\"d", COMMAND_SIMPLE, "echo|abcd"},
    {"r\\m x", COMMAND_SIMPLE, "rm|x"},
    {"'r'm x", COMMAND_SIMPLE, "rm|x"},
    {"echo a#b ]", COMMAND_SIMPLE, "echo|a#b|]"},
    {"echo \\* '?' \"[\"", COMMAND_SIMPLE, "echo|*|?|["},
    {"echo a=b if", COMMAND_SIMPLE, "echo|a=b|if"},
    {"echo 'a\nb'", COMMAND_SIMPLE, "echo|a\nb"},
    {"echo \xc3\xa4", COMMAND_SIMPLE, "echo|\xc3\xa4"},
    {"/bin/ls", COMMAND_SIMPLE, "/bin/ls"},
    {"echo !x a!b", COMMAND_SIMPLE, "echo|!x|a!b"},
    {"ls;", COMMAND_SHELL, "ls"},
    {"ls; pwd", COMMAND_SHELL, "ls|pwd"},
    {"ls\npwd", COMMAND_SHELL, "ls|pwd"},
    {"a && b || c | d", COMMAND_SHELL, "a|b|c|d"},
    {"a &&\n\n b", COMMAND_SHELL, "a|b"},
    {"ls > f", COMMAND_SHELL, "ls"},
    {">f ls -l", COMMAND_SHELL, "ls"},
    {"ls 2>&1 >>f <g", COMMAND_SHELL, "ls"},
    {"ls a2>f", COMMAND_SHELL, "ls"},
    {"cat \"2\">f", COMMAND_SHELL, "cat"},
    {"a|b>c", COMMAND_SHELL, "a|b"},
    {"a \\\n; b", COMMAND_SHELL, "a|b"},
    /* not analysable: the words found before the end of understanding are kept */
    {"echo $x", COMMAND_NOT_ANALYSABLE, "echo"},
    {"echo \"$x\"", COMMAND_NOT_ANALYSABLE, "echo"},
    {"echo `id`", COMMAND_NOT_ANALYSABLE, "echo"},
    {"echo \"`id`\"", COMMAND_NOT_ANALYSABLE, "echo"},
    {"rm -rf $(x)", COMMAND_NOT_ANALYSABLE, "rm"},
    {"$x", COMMAND_NOT_ANALYSABLE, ""},
    {"l$x", COMMAND_NOT_ANALYSABLE, ""},
    {"ls *", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls a?", COMMAND_NOT_ANALYSABLE, "ls"},
    {"[ -f x ]", COMMAND_NOT_ANALYSABLE, ""},
    {"ls ~", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls --dir=~", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls a:~", COMMAND_NOT_ANALYSABLE, "ls"},
    {"find . -exec a {} +", COMMAND_SIMPLE, "find|.|-exec|a|{}|+"},
    {"a x{}y{},{} \\{\\}", COMMAND_SIMPLE, "a|x{}y{},{}|{}"},
    {"a {},\\{}", COMMAND_NOT_ANALYSABLE, "a"},
    {"a {{},b}", COMMAND_NOT_ANALYSABLE, "a"},
    {"a {}}", COMMAND_NOT_ANALYSABLE, "a"},
    {"a {", COMMAND_NOT_ANALYSABLE, "a"},
    {"ls {a,b}", COMMAND_NOT_ANALYSABLE, "ls"},
    {"{ ls; }", COMMAND_NOT_ANALYSABLE, ""},
    {"(ls)", COMMAND_NOT_ANALYSABLE, ""},
    {"ls # x", COMMAND_NOT_ANALYSABLE, "ls"},
    {"# x", COMMAND_NOT_ANALYSABLE, ""},
    {"ls &", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls & rm", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls &> f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls >& f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls >&- ", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls >| f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls <> f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"cat << E\nx\nE", COMMAND_NOT_ANALYSABLE, "cat"},
    {"cat <<< x", COMMAND_NOT_ANALYSABLE, "cat"},
    {"cat <(x)", COMMAND_NOT_ANALYSABLE, "cat"},
    {"ls 12>f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls >2>f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls >&1>f", COMMAND_NOT_ANALYSABLE, "ls"},
    {"> f", COMMAND_NOT_ANALYSABLE, ""},
    {"> f; ls", COMMAND_NOT_ANALYSABLE, ""},
    {"ls ; ; ls", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls ;; ls", COMMAND_NOT_ANALYSABLE, "ls"},
    {"; ls", COMMAND_NOT_ANALYSABLE, ""},
    {"ls &&", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls |", COMMAND_NOT_ANALYSABLE, "ls"},
    {"| ls", COMMAND_NOT_ANALYSABLE, ""},
    {"ls |& cat", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls ||| cat", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls\n; pwd", COMMAND_NOT_ANALYSABLE, "ls"},
    {"A=1 ls", COMMAND_NOT_ANALYSABLE, ""},
    {"A=1", COMMAND_NOT_ANALYSABLE, ""},
    {"a+=1 ls", COMMAND_NOT_ANALYSABLE, ""},
    {"if ls; then rm; fi", COMMAND_NOT_ANALYSABLE, ""},
    {"ls; while rm; do :; done", COMMAND_NOT_ANALYSABLE, "ls"},
    {"! rm", COMMAND_NOT_ANALYSABLE, ""},
    {"time rm", COMMAND_NOT_ANALYSABLE, ""},
    {"printf '[%s]' -v; ls", COMMAND_SHELL, "printf|ls"},
    {"test -f x && ls", COMMAND_SHELL, "test|ls"},
    {"printf -v PATH /evil; ls", COMMAND_NOT_ANALYSABLE, "printf"},
    {"printf \"-vPATH\" x; ls", COMMAND_NOT_ANALYSABLE, "printf"},
    {"jobs -x rm", COMMAND_NOT_ANALYSABLE, ""},
    {"compgen -C rm", COMMAND_NOT_ANALYSABLE, ""},
    {"complete -C rm ls", COMMAND_NOT_ANALYSABLE, ""},
    {"fc -s", COMMAND_NOT_ANALYSABLE, ""},
    {"bind -x x", COMMAND_NOT_ANALYSABLE, ""},
    {"wait -p PATH; ls", COMMAND_NOT_ANALYSABLE, ""},
    {"history -s rm", COMMAND_NOT_ANALYSABLE, ""},
    {"test -v 'a[$(rm)]'", COMMAND_NOT_ANALYSABLE, "test"},
    {"'[' -v 'a[$(rm)]' x", COMMAND_NOT_ANALYSABLE, "["},
    {"test x -a -R 'a[$(rm)]'", COMMAND_NOT_ANALYSABLE, "test"},
    {"[[ x ]]", COMMAND_NOT_ANALYSABLE, ""},
    {"eval rm", COMMAND_NOT_ANALYSABLE, ""},
    {"exec rm", COMMAND_NOT_ANALYSABLE, ""},
    {"command rm", COMMAND_NOT_ANALYSABLE, ""},
    {". ./x", COMMAND_NOT_ANALYSABLE, ""},
    {"ls; export PATH=/x; ls", COMMAND_NOT_ANALYSABLE, "ls"},
    {"e'va'l rm", COMMAND_NOT_ANALYSABLE, ""},
    {"alias ls=rm; ls", COMMAND_NOT_ANALYSABLE, ""},
    {"r\\\nm -rf x", COMMAND_NOT_ANALYSABLE, ""},
    {"ls 'x", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls \"x", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls \\", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls \"a\\", COMMAND_NOT_ANALYSABLE, "ls"},
    {"ls \\\t", COMMAND_NOT_ANALYSABLE, "ls"},
    {"'' x", COMMAND_NOT_ANALYSABLE, ""},
    {"f() { ls; }", COMMAND_NOT_ANALYSABLE, "f"},
    {"echo $'a'", COMMAND_NOT_ANALYSABLE, "echo"},
    {"case x in x) rm;; esac", COMMAND_NOT_ANALYSABLE, ""},
};

static void join(char *out, size_t max, const char **words, uint32_t count)
{
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < count; i++)
		used += (size_t)snprintf(out + used, max - used, "%s%s", i ? "|" : "", words[i]);
}

/* What holds of every command: the simples are the words in order, all of them if understood. */
static void check_simples(const struct command *command)
{
	const uint32_t missing = command->form == COMMAND_NOT_ANALYSABLE ? 1 : 0;

	assert_in_range(command->simple_count,
	    command->word_count - (command->word_count ? missing : 0), command->word_count);
	for (uint32_t i = 0; i < command->simple_count; i++) {
		const struct simple_command *simple = &command->simples[i];

		assert_true(simple->argc > 0);
		assert_null(simple->argv[simple->argc]);
		assert_string_equal(simple->argv[0], command->words[i]);
		assert_true(!i || simple->offset > simple[-1].offset);
	}
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command command;
		char words[256];

		assert_int_equal(command_parse(&command, rows[i].text, strlen(rows[i].text)), 0);
		if (command.form != rows[i].form)
			fail_msg("%s: form %d (%s)", rows[i].text, (int)command.form,
			    command.why ? command.why : "");
		if (command.form == COMMAND_SIMPLE)
			join(words, sizeof(words), command.argv, command.argc);
		else
			join(words, sizeof(words), command.words, command.word_count);
		assert_string_equal(words, rows[i].words);
		assert_null(command.argv[command.argc]);
		if (command.form == COMMAND_SIMPLE) {
			assert_int_equal(command.word_count, 1);
			assert_string_equal(command.words[0], command.argv[0]);
		} else {
			assert_int_equal(command.argc, 3);
			assert_string_equal(command.argv[0], "sh");
			assert_string_equal(command.argv[1], "-c");
			assert_string_equal(command.argv[2], rows[i].text);
		}
		check_simples(&command);
		if (command.form == COMMAND_NOT_ANALYSABLE) {
			assert_non_null(command.why);
			assert_true(command.offset <= strlen(rows[i].text));
		} else {
			assert_null(command.why);
		}
		command_fini(&command);
		assert_null(command.storage);
	}
}

static void test_simples(void **state)
{
	static const char text[] = "aa x 2>>'e f' >&2 | bb <g y; >h cc \"\"; dd $x";
	static const char *const wanted[] = {"aa|x", "bb|y", "cc|"};
	static const struct {
		int descriptor;
		const char *operator, * word;
	} redirects[] = {{2, ">>", "e f"}, {-1, ">&", "2"}, {-1, "<", "g"}, {-1, ">", "h"}};
	static const size_t offsets[] = {0, 20, 29};
	struct command command;
	uint32_t seen = 0;

	(void)state;
	assert_int_equal(command_parse(&command, text, strlen(text)), 0);
	assert_int_equal(command.form, COMMAND_NOT_ANALYSABLE);
	assert_int_equal(command.word_count, 4);
	assert_int_equal(command.simple_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct simple_command *simple = &command.simples[i];
		char words[64];

		join(words, sizeof(words), simple->argv, simple->argc);
		assert_string_equal(words, wanted[i]);
		assert_int_equal(simple->offset, offsets[i]);
		for (uint32_t j = 0; j < simple->redirect_count; j++, seen++) {
			assert_int_equal(
			    simple->redirects[j].descriptor, redirects[seen].descriptor);
			assert_string_equal(
			    simple->redirects[j].operator, redirects[seen].operator);
			assert_string_equal(simple->redirects[j].word, redirects[seen].word);
		}
	}
	assert_int_equal(seen, 4);
	command_fini(&command);
}

static void test_offset(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
	} places[] = {{"ls $x", 3}, {"ls a$x", 4}, {"ls; if x", 4}, {"ls 'a", 3}, {"ls a;;", 4},
	    {"A=1 x", 0}, {"ls &", 3}, {"ls \"a$b\"", 5}};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct command command;

		assert_int_equal(
		    command_parse(&command, places[i].text, strlen(places[i].text)), 0);
		assert_int_equal(command.form, COMMAND_NOT_ANALYSABLE);
		assert_int_equal(command.offset, places[i].offset);
		command_fini(&command);
	}
}

static void refused(const char *text, size_t len, int fault)
{
	struct command command;

	assert_int_equal(command_parse(&command, text, len), fault);
	assert_int_equal(command.form, COMMAND_NONE);
	assert_null(command.argv);
	assert_null(command.storage);
	assert_non_null(command.why);
	command_fini(&command);
}

static void test_refused(void **state)
{
	(void)state;
	refused("", 0, -EINVAL);
	refused(" \t\n", 3, -EINVAL);
	refused("ls\0rm", 5, -EINVAL);
	refused("ls\rrm", 5, -EINVAL);
	refused("ls \x1b[2J", 7, -EINVAL);
	refused("ls \x7f", 4, -EINVAL);
	refused("ls \xff", 4, -EINVAL);
	refused("ls \xc0\xaf", 5, -EINVAL);
	refused("ls \xed\xa0\x80", 6, -EINVAL);
}

static char *repeat(const char *part, size_t times)
{
	size_t len = strlen(part);
	char *text = malloc(len * times + 1);

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, part, len);
	text[len * times] = '\0';
	return text;
}

static void test_limits(void **state)
{
	static const struct {
		const char *part;
		size_t times;
		int fault;
		enum command_form form;
	} sizes[] = {
	    {"a ", COMMAND_ARGS_MAX, 0, COMMAND_SIMPLE},
	    {"a ", COMMAND_ARGS_MAX + 1, -E2BIG, COMMAND_NONE},
	    {"a;", COMMAND_WORDS_MAX, 0, COMMAND_SHELL},
	    {"a;", COMMAND_WORDS_MAX + 1, -E2BIG, COMMAND_NONE},
	    {"a", COMMAND_BYTES_MAX, 0, COMMAND_SIMPLE},
	    {"a", COMMAND_BYTES_MAX + 1, -E2BIG, COMMAND_NONE},
	    {"a>b ", 1000, 0, COMMAND_SHELL},
	    {">b ", COMMAND_REDIRECTS_MAX + 1, -E2BIG, COMMAND_NONE},
	    {"a b;", COMMAND_WORDS_MAX, 0, COMMAND_SHELL},
	    {"a>b;", COMMAND_WORDS_MAX, 0, COMMAND_SHELL},
	    {"\"\\a\"", 60000, 0, COMMAND_SIMPLE},
	    {";", COMMAND_BYTES_MAX, 0, COMMAND_NOT_ANALYSABLE},
	    {"'", COMMAND_BYTES_MAX - 1, 0, COMMAND_NOT_ANALYSABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = repeat(sizes[i].part, sizes[i].times);
		struct command command;

		assert_int_equal(command_parse(&command, text, strlen(text)), sizes[i].fault);
		assert_int_equal(command.form, sizes[i].form);
		command_fini(&command);
		free(text);
	}
}

static void test_argv(void **state)
{
	const char *const argv[] = {"sh", "-c", "a b\n$x", ""};
	const char *const bad[] = {"ls", "\x1b"};
	const char *const empty[] = {"", "x"};
	struct command command;

	(void)state;
	assert_int_equal(command_from_argv(&command, argv, 4), 0);
	assert_int_equal(command.form, COMMAND_SIMPLE);
	assert_int_equal(command.argc, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(command.argv[i], argv[i]);
	assert_null(command.argv[4]);
	assert_int_equal(command.word_count, 1);
	assert_string_equal(command.words[0], "sh");
	command_fini(&command);
	assert_int_equal(command_from_argv(&command, argv, 0), -EINVAL);
	assert_int_equal(command_from_argv(&command, empty, 2), -EINVAL);
	assert_int_equal(command_from_argv(&command, bad, 2), -EINVAL);
	assert_int_equal(command_from_argv(&command, argv, COMMAND_ARGS_MAX + 1), -E2BIG);
	command_fini(&command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_offset),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_argv),
	    cmocka_unit_test(test_simples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
