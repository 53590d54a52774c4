/* The lexer beside real shells: the argv it predicts is the argv that runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/lexer.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

/* Strings that a careless reader takes for something else. Whatever of them is accepted must be
 * read by every shell as it is here. */
static const char *const hostile[] = {
    "aa;bb",
    "aa;;bb",
    "aa&bb",
    "aa&&bb||cc",
    "aa|bb|cc",
    "aa||bb&&cc",
    "aa\nbb\n\ncc\n",
    "aa ;\nbb",
    "aa \\\n bb",
    "aa\\\nbb",
    "aa 'b\nc'\nbb",
    "aa \"b\nc\"",
    "aa \"b\\\nc\"",
    "aa 'x'\\''y'",
    "aa \\'x",
    "aa \"'\" '\"'",
    "aa >f bb",
    "aa>f",
    ">f aa x",
    "aa x2>f",
    "aa x 2>f",
    "aa 2 >f",
    "aa \"2\">f",
    "aa \\2>f",
    "aa 2\\>f",
    "aa >f>g >>h x",
    "aa >&2",
    "aa 2>&1 x",
    "aa >& 2",
    "aa >&22",
    "aa 1>&2 y",
    "aa <in x",
    "aa < in",
    "aa <<in",
    "aa <<-in",
    "aa <<<in",
    "aa <>f",
    "aa >|f",
    "aa &>f",
    "aa &>>f",
    "aa >'f g' x",
    "aa >f\\ g",
    "aa > f;bb",
    "aa #x",
    "aa x#y",
    "aa '#x'",
    "aa\t#x",
    "#aa",
    "aa \\#x",
    "aa;#x",
    "aa ~",
    "aa x~",
    "aa \\~",
    "aa x=~",
    "aa x:~",
    "aa '~'",
    "aa x/~",
    "aa !",
    "! aa",
    "aa !!",
    "aa !x",
    "aa ^x^y",
    "aa $x",
    "aa '$x'",
    "aa \\$x",
    "aa \"\\$x\"",
    "aa \"$x\"",
    "aa $'x'",
    "aa $\"x\"",
    "aa `x`",
    "aa \\`x\\`",
    "aa '`x`'",
    "aa *",
    "aa \\*",
    "aa '*'",
    "aa [x]",
    "aa x]",
    "aa \\[x]",
    "aa ?",
    "aa {x,y}",
    "aa {x",
    "aa \\{x,y\\}",
    "aa '{x,y}'",
    "aa x}",
    "aa {}",
    "{} aa",
    "aa {},{}",
    "aa {}{}",
    "aa x{}y,z{}",
    "aa \\{}",
    "aa {}\\{}",
    "aa {\\}",
    "aa {''}",
    "aa {{},x}",
    "aa {},x}",
    "aa {x,{}}",
    "aa {}..{}",
    "aa {}>f",
    "{}>f aa",
    "{ aa; }",
    "(aa)",
    "aa (x)",
    "aa \\(x\\)",
    "aa x\\ y",
    "aa\\ x",
    "a\\a x",
    "a'a' x",
    "\"a\"a x",
    "''aa x",
    "aa ''\"\"",
    "aa '' x",
    "aa \"\\x\\\"\\\\\"",
    "aa \\\\",
    "aa \\",
    "aa '",
    "aa \"",
    "aa x=y",
    "x=y aa",
    "x=y",
    "'x'=y aa",
    "x+=y aa",
    "aa -- -x",
    "aa if then",
    "if aa; then bb; fi",
    "aa; then",
    "aa; done",
    "while aa; do bb; done",
    "aa; }",
    "time aa",
    "aa && time bb",
    "function aa",
    "aa() { bb; }",
    "aa ()",
    "select x",
    "coproc aa",
    "[[ x ]]",
    "[ x ]",
    "test x",
    ": x",
    "true; aa",
    "eval aa",
    "exec aa",
    "command aa",
    "builtin aa",
    ". ./aa",
    "source aa",
    "exit; aa",
    "trap aa EXIT",
    "alias aa=bb\naa",
    "unset -f aa; aa",
    "set -- x; aa",
    "export x=y; aa",
    "cd /; aa",
    "umask 0; aa",
    "wait; aa",
    "aa &",
    "aa & bb",
    "aa |& bb",
    "aa ||| bb",
    "aa && && bb",
    "&& aa",
    "| aa",
    "; aa",
    "aa &&",
    "aa |",
    "aa ||",
    "aa\\;bb",
    "aa ';' bb",
    "aa \\&\\& bb",
    "aa '&&' bb",
    "aa \\| bb",
    "aa x\\\ny",
    "aa 'x\\\ny'",
    "aa \\\n\\\n x",
    "aa \\\n;bb",
    "aa;\\\nbb",
    "aa |\\\nbb",
    "\\\naa x",
    "aa \\\n",
    "\naa",
    "aa\n\n",
    "aa \xc2\xa0 x",
    "aa\xc2\xa0x",
    "aa \xe2\x80\xa8x",
    "aa \xe3\x80\x80x",
    "aa \xc2\x85x",
    "aa \xc2\x81",
    "aa \xc2\x88\xc2\x82",
    "aa \xf0\x9f\x98\x80",
    "aa '\xc2\xa0'",
    "aa \\\xc3\xa4",
    "aa a,b",
    "aa a..b",
    "aa %1",
    "aa @x",
    "aa +x",
    "aa -",
    "aa =x",
    "aa x==y",
    "aa 1x",
    "aa 0",
    "aa 9>f",
    "aa 10>f",
    "aa x10>f",
    "aa 1 0>f",
    "aa >9",
    "aa >9>f",
    "aa 2>&1>f",
    "aa 2>&1;bb",
    "aa 2>&1|bb",
    "aa 2>&1&&bb",
    "aa <&0",
    "aa >&-",
    "aa <&-",
    "aa >& f",
    "aa {x}>f",
    "aa >f 2>&1 <in y >>f z",
    "aa;bb;",
    "aa;bb;\n",
    "aa|bb;cc\n",
    "aa \"x\"'y'z\\w",
    "aa x\"y\"\"z\"",
    "aa 'a''b'",
    "aa \"\n\"",
    "aa '\t' \t x",
    "aa\tx",
    "aa  x  y  ",
};

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

/* Who must read a string as the lexer does. bash called sh is in POSIX mode; its idea of a blank
 * depends on the locale. */
struct shell {
	const char *name, *path, *argv0;
	char *const *env;
};

static char *const plain_env[] = {"PATH=/nonexistent", "HOME=/home/of/nobody", NULL};
static char *const utf8_env[] = {
    "PATH=/nonexistent", "HOME=/home/of/nobody", "LC_ALL=C.UTF-8", NULL};
static const struct shell shells[] = {
    {"dash", "/bin/dash", "sh", plain_env},
    {"bash", "/bin/bash", "bash", utf8_env},
    {"bash as sh", "/bin/bash", "sh", plain_env},
};
#define SHELLS (sizeof(shells) / sizeof(shells[0]))

/* Runs the script without any command to find but its own functions. mode: "-c" runs it, "-nc"
 * only reads it. */
static size_t run_shell(
    const struct shell *shell, const char *mode, const char *script, char *out, int *ret_status)
{
	int ends[2];
	size_t used = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		char *const argv[] = {(char *)shell->argv0, (char *)mode, (char *)script, NULL};

		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO); /* "not found" is expected */
		close(ends[0]);
		close(ends[1]);
		if (chdir(folder))
			_exit(99);
		execve(shell->path, argv, shell->env);
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
	assert_false(WIFEXITED(*ret_status) && WEXITSTATUS(*ret_status) == 98);
	return used;
}

/* Each shell on its own must find the text whole. */
static void must_parse(const char *text)
{
	static char out[OUTPUT_MAX];

	for (size_t i = 0; i < SHELLS; i++) {
		int status;

		(void)run_shell(&shells[i], "-nc", text, out, &status);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			fail_msg("%s does not read: %s", shells[i].name, text);
	}
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
	for (size_t i = 0; i < SHELLS; i++) {
		len = run_shell(&shells[i], "-c", batch->script, out, &status);
		if (WIFEXITED(status) && len == batch->expected_len &&
		    !memcmp(out, batch->expected, len))
			continue;
		out[len < OUTPUT_MAX ? len : OUTPUT_MAX - 1] = '\0';
		fail_msg("%s read otherwise:\n%s\nit: %s\nhere: %.*s", shells[i].name,
		    batch->script, out, (int)batch->expected_len, batch->expected);
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

/* Strings of pieces a shell treats in special ways; what the lexer calls simple, shells must split
 * into the same words. `stub` in front takes the place of the command, so the command word is one
 * of the words compared. Leading newlines would end the stub's own command. */
static void test_same_words_as_shells(void **state)
{
	static const char *const pieces[] = {"a", "b", " ", " ", "\t", "'", "\"", "\\", "'x y'",
	    "\"x y\"", "\"\\\"\"", "\"\\q\"", "$", "`", "*", "~", "=", ":", "#", "!", "2", "-", "{",
	    "}", ",", "[", "]", "?", "^", "%", "@", "+", "/", ".", "\\ ", "\\'", "\\\\", "\xc3\xa4",
	    "\xe2\x82\xac", "''", "\"\"", "if", "ls", "\n", " \\\n ", "\xc2\x81", "\xc2\x88",
	    "\xc2\xa0", "&", ";", "|", "<", ">", "(", ")", "HEAD~1", "{}", "{}", "\\{}", ",x"};
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
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct command command;

		assert_int_equal(command_parse(&command, hostile[i], strlen(hostile[i])), 0);
		if (command.form == COMMAND_SIMPLE && hostile[i][0] != '\n')
			batch_add(batch, hostile[i], &command);
		command_fini(&command);
	}
	batch_run(batch);
	print_message("simple commands compared with %zu shells: %u\n", SHELLS, batch->compared);
	assert_true(batch->compared > 1000);
	free(batch);
}

/*
 * Strings of several commands. Each command word is a function that writes its argv to a log, and
 * every string runs twice: with functions that succeed and with such that fail. All that follow &&
 * run in the first, all that follow || in the second, so together they show every command; neither
 * may show one more often than the lexer says it stands there. Pipes run in any order: the records
 * are compared as a bag.
 */
#define RECORDS_MAX 32

struct trial {
	char text[512];
	struct command command;
};

struct trials {
	struct trial *items;
	uint32_t count;
	unsigned compared;
	unsigned unrunnable;
};

static const char *const functions[] = {"aa", "bb", "cc"};
#define TRIALS_MAX 100

static const char *piece_of(uint32_t *seed, const char *const *pieces, size_t count)
{
	return pieces[next_random(seed) % count];
}
#define PIECE(seed, list) piece_of(seed, list, sizeof(list) / sizeof((list)[0]))

/* Mostly well-formed, with a slip now and then, so that what is accepted is worth a comparison.
 * No piece holds a slash: redirections make files in the test's own folder only. */
static void make_trial(char *text, size_t max, uint32_t *seed)
{
	static const char *const names[] = {
	    "aa", "bb", "cc", "'aa'", "\"bb\"", "c\\c", "a'a'", "aa", "b\"\"b", "\\aa"};
	static const char *const words[] = {"x", "-n", "'y z'", "\"q'\\\"\\\\\"", "\\ ", "a=b",
	    "''", "if", "1", "2", "a#", "\\;", "'|'", "\\\n z", "\"\\n\"", "!", "\xc3\xa4",
	    "x'\n'y", "e%s", "\\>f", "-", "--", "\xc2\xa0", "]", "^", "@", "aa", "done", "=", "+",
	    "{}", "x{},{}", "\\{}"};
	static const char *const redirects[] = {">f", ">>f", "2>g", "2>&1", "<in", "> 'f g'",
	    "1>&2", ">\\\n h", "0<in", "2>>\"g\"", ">&2", ">-", "<\"in\"", ">f2>g"};
	static const char *const separators[] = {
	    ";", "&&", "||", "|", "\n", " ; ", " && ", "||\n", " |\\\n", "&&\n\n ", "\n\n"};
	static const char *const slips[] = {
	    "&", ";", "|", "'", "\"", "\\", "$", "#", "(", "<", ">", "2", " ", "{", "`", "*", "~"};
	uint32_t commands = 1 + next_random(seed) % 4;
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < commands; i++) {
		uint32_t parts = next_random(seed) % 4;

		if (i)
			used += (size_t)snprintf(
			    text + used, max - used, "%s", PIECE(seed, separators));
		if (next_random(seed) % 8 == 0)
			used += (size_t)snprintf(
			    text + used, max - used, "%s ", PIECE(seed, redirects));
		used += (size_t)snprintf(text + used, max - used, "%s", PIECE(seed, names));
		while (parts--)
			used += (size_t)snprintf(text + used, max - used, "%s%s",
			    next_random(seed) % 12 ? " " : "",
			    next_random(seed) % 4 ? PIECE(seed, words) : PIECE(seed, redirects));
		if (next_random(seed) % 20 == 0)
			used += (size_t)snprintf(text + used, max - used, "%s", PIECE(seed, slips));
	}
}

static bool is_function(const char *word)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (!strcmp(word, functions[i]))
			return true;
	}
	return false;
}

/* Only what the functions can show: their names, and redirections that succeed. */
static bool can_run(const char *text, const struct command *command)
{
	/* A log line with a newline in it is not written at once: two in a pipe may mix. */
	if (strchr(text, '|') && strchr(text, '\n'))
		return false;
	for (uint32_t i = 0; i < command->simple_count; i++) {
		const struct simple_command *simple = &command->simples[i];

		if (!is_function(simple->argv[0]))
			return false;
		for (uint32_t j = 0; j < simple->redirect_count; j++) {
			const struct command_redirect *redirect = &simple->redirects[j];

			if (!strcmp(redirect->operator, ">&")  ? !strchr("012", redirect->word[0])
			    : !strcmp(redirect->operator, "<") ? strcmp(redirect->word, "in")
							       : !redirect->word[0])
				return false;
		}
	}
	return true;
}

static void record_of(struct buf *out, const struct simple_command *simple)
{
	buf_reset(out);
	for (uint32_t i = 0; i < simple->argc; i++)
		buf_textf(out, "%s%c", simple->argv[i], 1);
}

/* The log of a run, cut into trials: "\002N\003" marks, "\004" after each record. */
static unsigned count_in(const char *log, uint32_t trial, const char *record)
{
	char mark[16];
	const char *at, *end;
	size_t len = strlen(record);
	unsigned count = 0;

	snprintf(mark, sizeof(mark), "\002%u\003", trial);
	at = strstr(log, mark);
	if (!at)
		return 0;
	at += strlen(mark);
	end = at + strcspn(at, "\002");
	while (at < end) {
		size_t size = strcspn(at, "\004");

		count += !record || (size == len && !memcmp(at, record, len));
		at += size + 1;
	}
	return count;
}

static unsigned count_all(const char *log, uint32_t trial)
{
	char mark[16];
	const char *at;
	unsigned count = 0;

	snprintf(mark, sizeof(mark), "\002%u\003", trial);
	at = strstr(log, mark);
	for (at = at ? at + strlen(mark) : ""; *at && *at != '\002'; at++)
		count += *at == '\004';
	return count;
}

static void check_trial(
    const struct trials *trials, uint32_t index, const char *const logs[2], const char *shell)
{
	const struct trial *trial = &trials->items[index];
	const struct command *command = &trial->command;
	struct buf cleanup_with(buf_fini) record = {0}, other = {0};
	unsigned predicted[2] = {0, 0};

	buf_init(&record, 4096);
	buf_init(&other, 4096);
	for (uint32_t i = 0; i < command->simple_count; i++) {
		unsigned stands = 0, first = 1, good, bad;

		record_of(&record, &command->simples[i]);
		for (uint32_t j = 0; j < command->simple_count; j++) {
			record_of(&other, &command->simples[j]);
			if (strcmp(buf_cstr(&record), buf_cstr(&other)))
				continue;
			first = first && j >= i;
			stands++;
		}
		good = count_in(logs[0], index, buf_cstr(&record));
		bad = count_in(logs[1], index, buf_cstr(&record));
		if (good > stands || bad > stands || good + bad < stands)
			fail_msg("%s ran otherwise: %s\n%u times here, it: %u and %u: %s", shell,
			    trial->text, stands, good, bad, buf_cstr(&record));
		predicted[0] += first ? good : 0;
		predicted[1] += first ? bad : 0;
	}
	for (int i = 0; i < 2; i++) {
		if (count_all(logs[i], index) != predicted[i])
			fail_msg("%s ran more than predicted: %s", shell, trial->text);
	}
}

static char *run_trials(const struct trials *trials, const struct shell *shell, int status_wanted)
{
	static char out[OUTPUT_MAX];
	char *log = calloc(1, OUTPUT_MAX);
	struct buf cleanup_with(buf_fini) script = {0};
	FILE *file;
	int status;

	assert_non_null(log);
	buf_init(&script, OUTPUT_MAX);
	buf_textf(&script, "L=%s/log\n: >\"$L\"; : >in\n", folder);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		buf_textf(&script,
		    "%s() { r='%s%c'; for a do r=$r$a'%c'; done; printf '%%s\\004' \"$r\" >>\"$L\";"
		    " return %d; }\n",
		    functions[i], functions[i], 1, 1, status_wanted);
	for (uint32_t i = 0; i < trials->count; i++)
		buf_textf(
		    &script, "printf '\\002%%s\\003' %u >>\"$L\"\n%s\n", i, trials->items[i].text);
	assert_non_null(buf_cstr(&script));
	(void)run_shell(shell, "-c", buf_cstr(&script), out, &status);
	snprintf(out, sizeof(out), "%s/log", folder);
	file = fopen(out, "r");
	assert_non_null(file);
	assert_true(fread(log, 1, OUTPUT_MAX - 1, file) < OUTPUT_MAX - 1);
	fclose(file);
	return log;
}

static void compare_trials(struct trials *trials)
{
	for (size_t i = 0; i < SHELLS; i++) {
		char *logs[2] = {
		    run_trials(trials, &shells[i], 0), run_trials(trials, &shells[i], 1)};

		for (uint32_t j = 0; j < trials->count; j++)
			check_trial(trials, j, (const char *const *)logs, shells[i].name);
		free(logs[0]);
		free(logs[1]);
	}
	for (uint32_t i = 0; i < trials->count; i++) {
		/* One process for each shell and text: a sample of them is enough beside the runs.
		 * */
		if (i % 10 == 0)
			must_parse(trials->items[i].text);
		command_fini(&trials->items[i].command);
	}
	trials->compared += trials->count;
	trials->count = 0;
}

/* Takes the text if the lexer accepts it. */
static void add_trial(struct trials *trials, const char *text)
{
	struct trial *trial = &trials->items[trials->count];

	if (command_parse(&trial->command, text, strlen(text)))
		return;
	check_simples(&trial->command);
	if (trial->command.form == COMMAND_NOT_ANALYSABLE || !can_run(text, &trial->command)) {
		if (trial->command.form != COMMAND_NOT_ANALYSABLE && trials->unrunnable++ % 10 == 0)
			must_parse(text);
		command_fini(&trial->command);
		return;
	}
	snprintf(trial->text, sizeof(trial->text), "%s", text);
	if (++trials->count == TRIALS_MAX)
		compare_trials(trials);
}

static void test_commands_as_shells(void **state)
{
	struct trials trials = {.items = calloc(TRIALS_MAX, sizeof(struct trial))};
	uint32_t seed = 20261123;

	(void)state;
	assert_non_null(trials.items);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		add_trial(&trials, hostile[i]);
	if (trials.count)
		compare_trials(&trials);
	print_message("of %zu hostile strings compared by running: %u\n",
	    sizeof(hostile) / sizeof(hostile[0]), trials.compared);
	for (int round = 0; round < 9000; round++) {
		char text[512];

		make_trial(text, sizeof(text), &seed);
		add_trial(&trials, text);
	}
	if (trials.count)
		compare_trials(&trials);
	print_message("command lines run in %zu shells, twice each: %u\n", SHELLS, trials.compared);
	assert_true(trials.compared > 4000);
	free(trials.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_words_as_shells),
	    cmocka_unit_test(test_commands_as_shells),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
