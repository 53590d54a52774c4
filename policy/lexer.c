#include "policy/lexer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"

/* What may come next: the grammar of one line is small enough to be these three answers. */
enum expect {
	EXPECT_FIRST,   /* nothing yet, or newlines only */
	EXPECT_MORE,    /* after ; or newline: a command or the end */
	EXPECT_COMMAND, /* after && || |: a command */
	EXPECT_ANY,     /* within a command */
};

struct lexer {
	const char *text;
	size_t len;
	size_t at;
	char *out; /* decoded words are written here, NUL-terminated */
	struct command *command;
	uint32_t args; /* of the simple command being read */
	bool shell;    /* an operator or redirection was seen */
	int fault;     /* -E2BIG */
};

static const char no_command[] = "empty";

/* The two sorts of words that make a string unreadable when they stand first. Sorted by use, not
 * by alphabet; both lists hold what dash, bash, ksh and busybox know together. */
static const char *const reserved_words[] = {"if", "then", "else", "elif", "fi", "for", "while",
    "until", "do", "done", "case", "esac", "in", "!", "time", "function", "select", "coproc"};
static const char *const changing_builtins[] = {"eval", "exec", "command", "builtin", ".", "source",
    "trap", "alias", "unalias", "export", "readonly", "local", "declare", "typeset", "let", "set",
    "shopt", "unset", "read", "getopts", "mapfile", "readarray", "hash", "enable", "shift",
    "return", "break", "continue"};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(word, list[i]))
			return true;
	}
	return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

static char peek(const struct lexer *lexer, size_t ahead)
{
	return ahead < lexer->len - lexer->at ? lexer->text[lexer->at + ahead] : '\0';
}

/* Remembers where and why reading ended; NULL or false for the caller to pass on. */
static bool stop(struct lexer *lexer, const char *why)
{
	lexer->command->offset = lexer->at;
	lexer->command->why = why;
	return false;
}

static void skip_blanks(struct lexer *lexer)
{
	for (;;) {
		char byte = peek(lexer, 0);

		if (byte == ' ' || byte == '\t')
			lexer->at++;
		else if (byte == '\\' && peek(lexer, 1) == '\n')
			lexer->at += 2;
		else
			return;
	}
}

/* A character that would mean something else to a shell than itself; NULL when it is plain. */
static const char *special(const struct lexer *lexer, size_t word_start)
{
	char byte = peek(lexer, 0);
	char before = lexer->at > word_start ? lexer->text[lexer->at - 1] : '\0';

	switch (byte) {
	case '$':
	case '`': return "an expansion";
	case '*':
	case '?':
	case '[': return "a glob pattern; quote it to mean the character";
	case '{':
	case '}': return "a brace; quote it to mean the character";
	case '~': return !before || before == '=' || before == ':' ? "a home directory" : NULL;
	case '#': return before ? NULL : "a comment";
	default: return NULL;
	}
}

static bool read_single_quoted(struct lexer *lexer)
{
	const char *start = lexer->text + lexer->at + 1;
	const char *end = memchr(start, '\'', lexer->len - lexer->at - 1);

	if (!end)
		return stop(lexer, "a quote that is not closed");
	memcpy(lexer->out, start, (size_t)(end - start));
	lexer->out += end - start;
	lexer->at = (size_t)(end - lexer->text) + 1;
	return true;
}

/* One backslash within double quotes: only before " and \ does it vanish (POSIX XCU 2.2.3; the
 * cases $ ` and newline are left to the shell). */
static bool read_quoted_backslash(struct lexer *lexer)
{
	char next = peek(lexer, 1);

	if (next == '\n')
		return stop(lexer, "a line continued within quotes");
	if (next != '"' && next != '\\' && next != '$' && next != '`')
		*lexer->out++ = '\\';
	*lexer->out++ = next;
	lexer->at += 2;
	return true;
}

static bool read_double_quoted(struct lexer *lexer)
{
	size_t start = lexer->at++;

	while (lexer->at < lexer->len) {
		char byte = peek(lexer, 0);

		if (byte == '"') {
			lexer->at++;
			return true;
		}
		if (byte == '$' || byte == '`')
			return stop(lexer, "an expansion");
		if (byte == '\\' && lexer->at + 1 < lexer->len) {
			if (!read_quoted_backslash(lexer))
				return false;
			continue;
		}
		*lexer->out++ = byte;
		lexer->at++;
	}
	lexer->at = start;
	return stop(lexer, "a quote that is not closed");
}

static bool read_backslash(struct lexer *lexer)
{
	unsigned char next = (unsigned char)peek(lexer, 1);

	if (next < 0x20 || next >= 0x7f)
		return stop(lexer, "a backslash before no printable character");
	*lexer->out++ = (char)next;
	lexer->at += 2;
	return true;
}

static bool ends_word(char byte)
{
	return !byte || strchr(" \t\n;&|<>()", byte);
}

/* Reads one word at a place where one starts. *ret_word is in the command's storage. */
static bool read_word(struct lexer *lexer, const char **ret_word)
{
	size_t start = lexer->at;
	char *word = lexer->out;

	while (!ends_word(peek(lexer, 0))) {
		char byte = peek(lexer, 0);
		const char *why = special(lexer, start);
		bool read = true;

		if (why)
			return stop(lexer, why);
		if (byte == '\'')
			read = read_single_quoted(lexer);
		else if (byte == '"')
			read = read_double_quoted(lexer);
		else if (byte == '\\')
			read = read_backslash(lexer);
		else
			*lexer->out++ = lexer->text[lexer->at++];
		if (!read)
			return false;
	}
	if (lexer->at == start)
		return stop(lexer, "an operator where a word must stand");
	*lexer->out++ = '\0';
	*ret_word = word;
	return true;
}

/* The first word of a simple command: what would run, if nothing about it is special. */
static bool take_command_word(struct lexer *lexer, const char *word, size_t start)
{
	const char *why = NULL;

	if (!*word)
		why = "an empty command word";
	else if (strchr(word, '='))
		why = "an assignment";
	else if (IS_ONE_OF(word, reserved_words))
		why = "a word of the shell's own language";
	else if (IS_ONE_OF(word, changing_builtins))
		why = "a shell builtin that runs or redefines words";
	if (why) {
		lexer->at = start;
		return stop(lexer, why);
	}
	if (lexer->command->word_count == COMMAND_WORDS_MAX) {
		lexer->fault = -E2BIG;
		return stop(lexer, "too many commands in one string");
	}
	lexer->command->words[lexer->command->word_count++] = word;
	return true;
}

static bool take_word(struct lexer *lexer)
{
	size_t start = lexer->at;
	const char *word;

	if (!read_word(lexer, &word))
		return false;
	if (!lexer->args && !take_command_word(lexer, word, start))
		return false;
	if (lexer->args == COMMAND_ARGS_MAX) {
		lexer->fault = -E2BIG;
		return stop(lexer, "too many arguments");
	}
	/* Only a lone simple command's words are ever run as an argv. */
	if (!lexer->shell)
		lexer->command->argv[lexer->args] = word;
	lexer->args++;
	return true;
}

/* Bytes of a redirection operator here, with the one digit before it; 0 if there is none. dash
 * takes one digit only, bash several: several are not analysable. */
static size_t redirection_len(const struct lexer *lexer)
{
	char first = peek(lexer, 0);
	size_t digits = first >= '0' && first <= '9';

	if (peek(lexer, digits) == '<')
		return digits + 1;
	if (peek(lexer, digits) != '>')
		return 0;
	return digits + (peek(lexer, digits + 1) == '>' ? 2 : 1);
}

static bool is_all_digits(const struct lexer *lexer)
{
	size_t digits = 0;

	while (peek(lexer, digits) >= '0' && peek(lexer, digits) <= '9')
		digits++;
	return digits > 1 && (peek(lexer, digits) == '<' || peek(lexer, digits) == '>');
}

/* >&N after the operator: the one duplication that names no file. */
static bool read_duplication(struct lexer *lexer)
{
	char digit = peek(lexer, 1);

	if (digit < '0' || digit > '9' || !ends_word(peek(lexer, 2)) || peek(lexer, 2) == '<' ||
	    peek(lexer, 2) == '>')
		return stop(lexer, "a redirection of this kind");
	lexer->at += 2;
	return true;
}

static bool take_redirection(struct lexer *lexer, size_t operator_len)
{
	char kind = peek(lexer, operator_len - 1);
	bool append = operator_len > 1 && peek(lexer, operator_len - 2) == '>';
	const char *target;

	lexer->shell = true;
	lexer->at += operator_len;
	if (peek(lexer, 0) == '&' && kind == '>' && !append)
		return read_duplication(lexer);
	if (peek(lexer, 0) && strchr("&<>|(", peek(lexer, 0)))
		return stop(lexer, "a redirection of this kind");
	skip_blanks(lexer);
	/* ">2>f": shells take the digit for the next redirection's. */
	if (redirection_len(lexer) || is_all_digits(lexer))
		return stop(lexer, "a redirection of this kind");
	return read_word(lexer, &target);
}

/* Bytes of an operator that ends a simple command: ; newline && || |; 0 for others. */
static size_t separator_len(const struct lexer *lexer)
{
	char byte = peek(lexer, 0), next = peek(lexer, 1);

	if (byte == '\n')
		return 1;
	if (byte == ';')
		return next == ';' || next == '&' || next == '|' ? 0 : 1;
	if (byte == '|')
		return next == '|' ? 2 : next == '&' ? 0 : 1;
	return byte == '&' && next == '&' ? 2 : 0;
}

static bool take_separator(struct lexer *lexer, enum expect *expect)
{
	size_t len = separator_len(lexer);
	bool newline = peek(lexer, 0) == '\n';

	if (!len)
		return stop(lexer, "an operator that is not read here");
	if (newline && *expect != EXPECT_ANY) {
		lexer->at++;
		return true;
	}
	if (*expect != EXPECT_ANY)
		return stop(lexer, "an operator without a command before it");
	if (!lexer->args)
		return stop(lexer, "a redirection without a command");
	*expect = newline || peek(lexer, 0) == ';' ? EXPECT_MORE : EXPECT_COMMAND;
	/* Newlines after the last command mean nothing; whatever follows them does. */
	if (!newline)
		lexer->shell = true;
	lexer->at += len;
	return true;
}

static bool take_part(struct lexer *lexer, enum expect *expect)
{
	size_t redirection = redirection_len(lexer);
	char byte = peek(lexer, 0);

	if (byte && strchr("\n;&|", byte))
		return take_separator(lexer, expect);
	if (byte == '(' || byte == ')')
		return stop(lexer, "a parenthesis; quote it to mean the character");
	if (*expect != EXPECT_ANY) {
		lexer->shell = lexer->shell || *expect != EXPECT_FIRST;
		lexer->args = 0;
		*expect = EXPECT_ANY;
	}
	if (is_all_digits(lexer))
		return stop(lexer, "a redirection of this kind");
	return redirection ? take_redirection(lexer, redirection) : take_word(lexer);
}

/* True when the whole text was understood. */
static bool read_all(struct lexer *lexer)
{
	enum expect expect = EXPECT_FIRST;

	for (;;) {
		skip_blanks(lexer);
		if (lexer->at == lexer->len)
			break;
		if (!take_part(lexer, &expect))
			return false;
	}
	switch (expect) {
	case EXPECT_FIRST: return stop(lexer, no_command);
	case EXPECT_COMMAND: return stop(lexer, "an operator without a command after it");
	case EXPECT_MORE: return true;
	case EXPECT_ANY: return lexer->args || stop(lexer, "a redirection without a command");
	}
	return false;
}

/* NULL when every byte may stand in a command. */
static const char *unfit(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (!byte)
			return "a NUL byte";
		if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
			return "a control character";
	}
	return str_is_utf8(text, len) ? NULL : "not UTF-8";
}

static int refuse(struct command *command, int fault, const char *why)
{
	free(command->storage);
	*command = (struct command){.why = why};
	return fault;
}

/* One block: argv (args + NULL), words, then bytes of text. Returns where the text goes. */
static char *command_alloc(struct command *command, size_t args, size_t words, size_t bytes)
{
	size_t pointers = (args + 1 + words) * sizeof(char *);
	char *block = calloc(1, pointers + bytes);

	if (!block)
		return NULL;
	command->storage = block;
	command->argv = (const char **)block;
	command->words = command->argv + args + 1;
	return block + pointers;
}

static size_t at_most(size_t value, size_t limit)
{
	return value < limit ? value : limit;
}

static void become_shell(struct command *command, enum command_form form, const char *text)
{
	command->form = form;
	command->argv[0] = "sh";
	command->argv[1] = "-c";
	command->argv[2] = text;
	command->argv[3] = NULL;
	command->argc = 3;
}

int command_parse(struct command *ret, const char *text, size_t len)
{
	struct lexer lexer = {.len = len, .command = ret};
	const char *why;
	char *copy;

	*ret = (struct command){.form = COMMAND_NONE};
	if (len > COMMAND_BYTES_MAX)
		return refuse(ret, -E2BIG, "too long");
	why = len ? unfit(text, len) : no_command;
	if (why)
		return refuse(ret, -EINVAL, why);
	/* A word and the blank after it take two bytes; the copy is what sh would be given. */
	copy = command_alloc(ret, at_most(len / 2 + 4, COMMAND_ARGS_MAX + 1),
	    at_most(len / 2 + 1, COMMAND_WORDS_MAX), 2 * (len + 1));
	if (!copy)
		return refuse(ret, -ENOMEM, "no memory");
	memcpy(copy, text, len);
	lexer.text = copy;
	lexer.out = copy + len + 1;
	if (!read_all(&lexer)) {
		if (lexer.fault)
			return refuse(ret, lexer.fault, ret->why);
		if (ret->why == no_command)
			return refuse(ret, -EINVAL, no_command);
		become_shell(ret, COMMAND_NOT_ANALYSABLE, copy);
		return 0;
	}
	if (lexer.shell) {
		become_shell(ret, COMMAND_SHELL, copy);
		return 0;
	}
	ret->form = COMMAND_SIMPLE;
	ret->argc = lexer.args;
	return 0;
}

int command_from_argv(struct command *ret, const char *const *argv, uint32_t argc)
{
	size_t bytes = 0;
	char *at;

	*ret = (struct command){.form = COMMAND_NONE};
	if (!argc || !argv[0][0])
		return refuse(ret, -EINVAL, no_command);
	if (argc > COMMAND_ARGS_MAX)
		return refuse(ret, -E2BIG, "too many arguments");
	for (uint32_t i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]);
		const char *why = unfit(argv[i], len);

		bytes += len + 1;
		if (len > COMMAND_BYTES_MAX || bytes > COMMAND_BYTES_MAX)
			return refuse(ret, -E2BIG, "too long");
		if (why)
			return refuse(ret, -EINVAL, why);
	}
	at = command_alloc(ret, argc, 1, bytes);
	if (!at)
		return refuse(ret, -ENOMEM, "no memory");
	for (uint32_t i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]) + 1;

		memcpy(at, argv[i], len);
		ret->argv[i] = at;
		at += len;
	}
	ret->form = COMMAND_SIMPLE;
	ret->argc = argc;
	ret->words[0] = ret->argv[0];
	ret->word_count = 1;
	return 0;
}

void command_fini(struct command *command)
{
	free(command->storage);
	*command = (struct command){.form = COMMAND_NONE};
}
