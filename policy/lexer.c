#include "policy/lexer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "policy/lexer_words.h"

/* What may come next: the grammar of one line is small enough to be these three answers. */
enum expect {
	EXPECT_FIRST,   /* nothing yet, or newlines only */
	EXPECT_MORE,    /* after ; or newline: a command or the end */
	EXPECT_COMMAND, /* after && || |: a command */
	EXPECT_ANY,     /* within a command */
};

struct redirects {
	struct command_redirect *items; /* of all commands */
	uint32_t count, first;          /* first: of the command being read */
};

struct lexer {
	const char *text;
	size_t len;
	size_t at;
	char *out; /* decoded words are written here, NUL-terminated */
	struct command *command;
	const char **argv; /* of the simple command being read */
	uint32_t args;     /* in it so far */
	size_t start;      /* where it begins */
	struct redirects redirects;
	struct simple_command *simples;
	bool shell; /* an operator or redirection was seen */
	int fault;  /* -E2BIG */
};

#define SHELL_ARGS 4 /* sh -c TEXT, and NULL */

static const char no_command[] = "empty";

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

/* At a }: does it end a {} that special() let begin? */
static bool is_pair_end(const struct lexer *lexer, size_t word_start)
{
	size_t at = lexer->at;

	return at > word_start && lexer->text[at - 1] == '{' &&
	       (at - 1 == word_start || lexer->text[at - 2] != '\\');
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
	case '}':
		/* No shell expands a pair with nothing in it, as for find -exec and xargs -I; but
		 * bash lets a } behind \{ close an earlier one. */
		if (byte == '{' ? peek(lexer, 1) == '}' : is_pair_end(lexer, word_start))
			return NULL;
		return "a brace; quote it to mean the character";
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
	else
		why = lexer_word_is_special(word);
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
	lexer->argv[lexer->args++] = word;
	return true;
}

static void begin_simple(struct lexer *lexer)
{
	lexer->args = 0;
	lexer->start = lexer->at;
	lexer->redirects.first = lexer->redirects.count;
}

/* A command has come to its end. False: there are redirections only. */
static bool end_simple(struct lexer *lexer)
{
	const struct redirects *redirects = &lexer->redirects;
	const char *why;

	if (!lexer->args)
		return stop(lexer, "a redirection without a command");
	why = lexer_use_is_special(lexer->argv, lexer->args);
	if (why) {
		lexer->at = lexer->start;
		return stop(lexer, why);
	}
	lexer->simples[lexer->command->simple_count++] = (struct simple_command){
	    .argv = lexer->argv,
	    .argc = lexer->args,
	    .redirects = redirects->items + redirects->first,
	    .redirect_count = redirects->count - redirects->first,
	    .offset = lexer->start,
	};
	lexer->argv += lexer->args + 1; /* the block is zeroed: a NULL stays between */
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
static bool read_duplication(struct lexer *lexer, const char **ret_word)
{
	char digit = peek(lexer, 1);

	if (digit < '0' || digit > '9' || !ends_word(peek(lexer, 2)) || peek(lexer, 2) == '<' ||
	    peek(lexer, 2) == '>')
		return stop(lexer, "a redirection of this kind");
	*ret_word = lexer->out;
	*lexer->out++ = digit;
	*lexer->out++ = '\0';
	lexer->at += 2;
	return true;
}

static bool keep_redirect(
    struct lexer *lexer, int descriptor, const char *operator, const char * word)
{
	struct redirects *redirects = &lexer->redirects;

	if (redirects->count == COMMAND_REDIRECTS_MAX) {
		lexer->fault = -E2BIG;
		return stop(lexer, "too many redirections in one string");
	}
	redirects->items[redirects->count++] =
	    (struct command_redirect){descriptor, operator, word };
	return true;
}

static bool take_redirection(struct lexer *lexer, size_t operator_len)
{
	char kind = peek(lexer, operator_len - 1);
	bool append = operator_len > 1 && peek(lexer, operator_len - 2) == '>';
	int descriptor = strchr("<>", peek(lexer, 0)) ? -1 : peek(lexer, 0) - '0';
	const char *target;

	lexer->shell = true;
	lexer->at += operator_len;
	if (peek(lexer, 0) == '&' && kind == '>' && !append)
		return read_duplication(lexer, &target) &&
		       keep_redirect(lexer, descriptor, ">&", target);
	if (peek(lexer, 0) && strchr("&<>|(", peek(lexer, 0)))
		return stop(lexer, "a redirection of this kind");
	skip_blanks(lexer);
	/* ">2>f": shells take the digit for the next redirection's. */
	if (redirection_len(lexer) || is_all_digits(lexer))
		return stop(lexer, "a redirection of this kind");
	return read_word(lexer, &target) && keep_redirect(lexer, descriptor,
						kind == '<' ? "<"
						: append    ? ">>"
							    : ">",
						target);
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
	if (!end_simple(lexer))
		return false;
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
		begin_simple(lexer);
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
	case EXPECT_ANY: return end_simple(lexer);
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

/* How much of each a text or an argv may need. */
struct needs {
	size_t args, words, redirects, bytes;
};

/* One zeroed block: simples, redirects, argv (args, and a NULL for each command), sh's own argv,
 * words, bytes of text. Returns where the text goes. */
static char *command_alloc(struct command *command, const struct needs *needs, struct lexer *lexer)
{
	size_t pointers = needs->args + needs->words + SHELL_ARGS + needs->words;
	size_t records = needs->words * sizeof(struct simple_command) +
			 needs->redirects * sizeof(struct command_redirect);
	char *block = calloc(1, records + pointers * sizeof(char *) + needs->bytes);

	if (!block)
		return NULL;
	command->storage = block;
	lexer->simples = (struct simple_command *)block;
	command->simples = lexer->simples;
	lexer->redirects.items = (struct command_redirect *)(lexer->simples + needs->words);
	command->argv = (const char **)(block + records);
	lexer->argv = command->argv + SHELL_ARGS;
	command->words = lexer->argv + needs->args + needs->words;
	return block + records + pointers * sizeof(char *);
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
	/* A word and the blank or operator after it take two bytes; the copy is what sh would get.
	 * */
	const struct needs needs = {
	    .args = len / 2 + 1,
	    .words = at_most(len / 2 + 1, COMMAND_WORDS_MAX),
	    .redirects = at_most(len / 2 + 1, COMMAND_REDIRECTS_MAX),
	    .bytes = 2 * (len + 1),
	};
	struct lexer lexer = {.len = len, .command = ret};
	const char *why;
	char *copy;

	*ret = (struct command){.form = COMMAND_NONE};
	if (len > COMMAND_BYTES_MAX)
		return refuse(ret, -E2BIG, "too long");
	why = len ? unfit(text, len) : no_command;
	if (why)
		return refuse(ret, -EINVAL, why);
	copy = command_alloc(ret, &needs, &lexer);
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
	ret->argv = ret->simples[0].argv;
	ret->argc = ret->simples[0].argc;
	return 0;
}

/* 0 and the bytes of all words with their NULs. */
static int measure_argv(
    struct command *ret, const char *const *argv, uint32_t argc, size_t *ret_bytes)
{
	size_t bytes = 0;

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
	*ret_bytes = bytes;
	return 0;
}

int command_from_argv(struct command *ret, const char *const *argv, uint32_t argc)
{
	struct needs needs = {.args = argc, .words = 1};
	struct lexer lexer = {.command = ret};
	char *at;
	int fault;

	*ret = (struct command){.form = COMMAND_NONE};
	fault = measure_argv(ret, argv, argc, &needs.bytes);
	if (fault)
		return fault;
	at = command_alloc(ret, &needs, &lexer);
	if (!at)
		return refuse(ret, -ENOMEM, "no memory");
	for (uint32_t i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]) + 1;

		memcpy(at, argv[i], len);
		lexer.argv[i] = at;
		at += len;
	}
	ret->form = COMMAND_SIMPLE;
	ret->argv = lexer.argv;
	ret->argc = argc;
	ret->words[0] = ret->argv[0];
	ret->word_count = 1;
	lexer.simples[0] = (struct simple_command){
	    .argv = ret->argv, .argc = argc, .redirects = lexer.redirects.items};
	ret->simple_count = 1;
	return 0;
}

void command_fini(struct command *command)
{
	free(command->storage);
	*command = (struct command){.form = COMMAND_NONE};
}
