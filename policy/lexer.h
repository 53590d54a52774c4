/*
 * A conservative reader of shell command strings. It never runs anything; it only says which
 * commands a string holds, or that it cannot say. What it accepts, dash and bash read the same way
 * (tests/unit/policy/test_lexer_shells.c compares); anything else is "not analysable" with the
 * byte offset. The kernel allowlist decides in the end. Floor 1: base.
 *
 * Accepted: words of unquoted characters, '...', "..." and backslash before a printable
 * character; blanks, newlines and a backslash-newline between words; the operators ; newline
 * && || |; the redirections < > >> to one literal word, with one digit before them, and N>&M.
 * Not analysable, since without a shell they would mean something else or since they change what
 * later words mean: $ and `, globs (* ? [), { and } but for {}, ~ where it may be a home
 * directory, # at the
 * start of a word, & ( ) and here-documents, assignments, reserved words, and the builtins that
 * run or redefine words (eval, exec, export, ...).
 */
#ifndef CALLGATE_POLICY_LEXER_H
#define CALLGATE_POLICY_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_BYTES_MAX     (256 * 1024)
#define COMMAND_ARGS_MAX      8192
#define COMMAND_WORDS_MAX     256
#define COMMAND_REDIRECTS_MAX 4096

enum command_form {
	COMMAND_NONE = 0,
	COMMAND_SIMPLE,         /* one simple command: argv is what runs, no shell */
	COMMAND_SHELL,          /* operators or redirections, all understood: runs as sh -c */
	COMMAND_NOT_ANALYSABLE, /* would have to run as sh -c, words unknown */
};

/* "2>>log": descriptor 2, operator ">>", word "log". ">&" has the digit as its word. */
struct command_redirect {
	int descriptor;       /* -1: the operator's own */
	const char *operator; /* literal: "<" ">" ">>" ">&" */
	const char *word;
};

/* One simple command as a shell runs it. */
struct simple_command {
	const char **argv; /* without redirections; argv[argc] is NULL */
	uint32_t argc;     /* never 0 */
	uint32_t redirect_count;
	const struct command_redirect *redirects;
	size_t offset; /* of its first byte in the text; 0 for a given argv */
};

/* Owned by the caller, freed by command_fini(). */
struct command {
	enum command_form form;
	const char **argv; /* SIMPLE: the words; SHELL, NOT_ANALYSABLE: {"sh","-c",string} */
	uint32_t argc;     /* argv[argc] is NULL */
	/* Each simple command's first word, in order; SHELL adds none for sh. NOT_ANALYSABLE: those
	 * met before understanding ended; there may be others. */
	const char **words;
	uint32_t word_count;
	/* Each simple command read to its end, in order. SIMPLE: the one; SHELL: all,
	 * simples[i].argv[0]
	 * is words[i]; NOT_ANALYSABLE: those before the end of understanding, of which words may
	 * hold one more. */
	const struct simple_command *simples;
	uint32_t simple_count;
	size_t offset;   /* NOT_ANALYSABLE: byte where understanding ended */
	const char *why; /* literal; NULL unless NOT_ANALYSABLE or a fault */
	void *storage;
};

/* 0, -EINVAL (NUL, empty, other control bytes than \n and \t, not UTF-8; note in why),
 * -E2BIG (why says of what), -ENOMEM. *ret needs command_fini() after 0 only; after a fault it is
 * empty but for why. */
int command_parse(struct command *ret, const char *text, size_t len);
/* From an argv given as such: always COMMAND_SIMPLE. Same results; -EINVAL for argc 0 or an
 * empty argv[0]. */
int command_from_argv(struct command *ret, const char *const *argv, uint32_t argc);
/* Accepts a zeroed command and leaves one. */
void command_fini(struct command *command);

#endif
