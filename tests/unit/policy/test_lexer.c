/* The lexer: tables of strings, and the comparison with a real shell. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

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

/* ---- the comparison ----------------------------------------------------------------------- */

#define BATCH      64
#define OUTPUT_MAX (256 * 1024)

/* Where scripts run: what their redirections make ends with the test. */
static char folder[] = "/tmp/callgate-lexer-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0); /* . and .. stay */
	closedir(dir);
	return rmdir(folder);
}

/* Runs the script under dash without any command to find but the printing stub. mode: "-c" runs
 * it, "-nc" only reads it. */
static size_t run_dash(const char *mode, const char *script, char *out, int *ret_status)
{
	int ends[2];
	size_t used = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		char *const argv[] = {"dash", (char *)mode, (char *)script, NULL};
		char *const env[] = {"PATH=/nonexistent", "HOME=/home/of/nobody", NULL};

		dup2(ends[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); /* "not found" is expected */
		close(ends[0]);
		close(ends[1]);
		if (chdir(folder))
			_exit(99);
		execve("/bin/dash", argv, env);
		_exit(98);
	}
	close(ends[1]);
	for (;;) {
		ssize_t n = read(ends[0], out + used, OUTPUT_MAX - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	close(ends[0]);
	assert_int_equal(waitpid(child, ret_status, 0), child);
	return used;
}

/* `stub WORDS` prints each word between \001 and \002, and \003 at the end. */
static const char stub[] = "stub() { for a do printf '\\001%s\\002' \"$a\"; done;"
			   " printf '\\003'; }\n";

struct batch {
	char script[128 * 1024];
	size_t script_len;
	char expected[128 * 1024];
	size_t expected_len;
	unsigned count;
	unsigned compared;
};

static void batch_run(struct batch *batch)
{
	static char out[OUTPUT_MAX];
	int status;
	size_t len;

	if (!batch->count)
		return;
	len = run_dash("-c", batch->script, out, &status);
	if (!WIFEXITED(status) || len != batch->expected_len || memcmp(out, batch->expected, len)) {
		out[len < OUTPUT_MAX ? len : OUTPUT_MAX - 1] = '\0';
		fail_msg("dash read otherwise:\n%s\ndash: %s\nhere: %.*s", batch->script, out,
		    (int)batch->expected_len, batch->expected);
	}
	batch->compared += batch->count;
	batch->count = 0;
	batch->expected_len = 0;
	batch->script_len = (size_t)snprintf(batch->script, sizeof(batch->script), "%s", stub);
}

static void batch_add(struct batch *batch, const char *text, const struct command *command)
{
	batch->script_len += (size_t)snprintf(batch->script + batch->script_len,
	    sizeof(batch->script) - batch->script_len, "stub %s\n", text);
	for (uint32_t i = 0; i < command->argc; i++)
		batch->expected_len += (size_t)snprintf(batch->expected + batch->expected_len,
		    sizeof(batch->expected) - batch->expected_len, "\001%s\002", command->argv[i]);
	batch->expected[batch->expected_len++] = '\003';
	batch->expected[batch->expected_len] = '\0';
	if (++batch->count == BATCH)
		batch_run(batch);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Strings of pieces a shell treats in special ways; what the lexer calls simple, dash must split
 * into the same words. `stub` in front takes the place of the command, so the command word is one
 * of the words compared. Leading newlines would end the stub's own command. */
static void test_same_as_dash(void **state)
{
	static const char *const pieces[] = {"a", "b", " ", " ", "\t", "'", "\"", "\\", "'x y'",
	    "\"x y\"", "\"\\\"\"", "\"\\q\"", "$", "`", "*", "~", "=", ":", "#", "!", "2", "-", "{",
	    "}", ",", "[", "]", "?", "^", "%", "@", "+", "/", ".", "\\ ", "\\'", "\\\\", "\xc3\xa4",
	    "\xe2\x82\xac", "''", "\"\"", "if", "ls", "\n", " \\\n ", "\xc2\x81", "\xc2\x88",
	    "\xc2\xa0", "&", ";", "|", "<", ">", "(", ")", "HEAD~1"};
	struct batch *batch = calloc(1, sizeof(*batch));
	uint32_t seed = 20260901;

	(void)state;
	assert_non_null(batch);
	batch->script_len = (size_t)snprintf(batch->script, sizeof(batch->script), "%s", stub);
	for (int round = 0; round < 60000; round++) {
		char text[256] = "";
		size_t used = 0;
		struct command command;
		uint32_t count = 1 + next_random(&seed) % 9;

		for (uint32_t i = 0; i < count; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
			    pieces[next_random(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		if (command_parse(&command, text, used))
			continue;
		if (command.form == COMMAND_SIMPLE && !memchr(text, '\n', strspn(text, " \t\\\n")))
			batch_add(batch, text, &command);
		command_fini(&command);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command command;

		assert_int_equal(command_parse(&command, rows[i].text, strlen(rows[i].text)), 0);
		if (command.form == COMMAND_SIMPLE && rows[i].text[0] != '\n')
			batch_add(batch, rows[i].text, &command);
		command_fini(&command);
	}
	batch_run(batch);
	assert_true(batch->compared > 1000);
	free(batch);
}

/* No piece holds a slash: redirections make files in the test's own folder only.
 * Shell forms: every command word becomes a call of a function of that name, so that the order
 * and the names that dash would run are seen. */
static void test_shell_words_as_dash(void **state)
{
	static const char *const pieces[] = {"aa", "bb", "cc", " ", ";", "\n", "&&", "||", "|", ">",
	    "<", " 2>&1", ">>", "f", " 2>f ", "'aa'", " x", "\\\n", "&", "2", "\"bb\"", " <", "#",
	    "!", "(", "$", ">&2"};
	static const char functions[] =
	    "set -e\naa() { printf 'aa|'>&9; }\nbb() { printf 'bb|'>&9; }\n"
	    "cc() { printf 'cc|'>&9; }\nexec 9>&1 >/dev/null\n";
	char *out = malloc(OUTPUT_MAX);
	uint32_t seed = 7;
	unsigned compared = 0;

	(void)state;
	assert_non_null(out);
	for (int round = 0; round < 30000; round++) {
		char text[256] = "", script[1024], check[512];
		size_t used = 0, len;
		struct command command;
		uint32_t count = 2 + next_random(&seed) % 8;
		int status;

		for (uint32_t i = 0; i < count; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
			    pieces[next_random(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		if (command_parse(&command, text, used))
			continue;
		/* || keeps what follows from running, and pipes run in any order. */
		if (command.form != COMMAND_SHELL || compared > 400 || strchr(text, '|')) {
			command_fini(&command);
			continue;
		}
		snprintf(script, sizeof(script), "%s%s", functions, text);
		len = run_dash("-c", script, out, &status);
		out[len] = '\0';
		used = 0;
		check[0] = '\0';
		for (uint32_t i = 0; i < command.word_count; i++)
			used += (size_t)snprintf(
			    check + used, sizeof(check) - used, "%s|", command.words[i]);
		/* A word that is none of the functions ends the script (set -e): compare up to it,
		 * and dash must never have run more. */
		if (strncmp(check, out, len) || (WEXITSTATUS(status) == 0 && strcmp(check, out)))
			fail_msg("dash ran otherwise: %s\ndash %s\nhere %s", text, out, check);
		(void)run_dash("-nc", text, out, &status);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			fail_msg("dash does not read: %s", text);
		compared++;
		command_fini(&command);
	}
	free(out);
	assert_true(compared > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_offset),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_argv),
	    cmocka_unit_test(test_same_as_dash),
	    cmocka_unit_test(test_shell_words_as_dash),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
