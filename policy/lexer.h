/*
 * A conservative reader of shell command strings. It never runs anything; it only says which
 * command words a string holds, or that it cannot say. What it accepts, a POSIX shell reads the
 * same way (tests/unit/policy/test_lexer.c compares with dash); anything else is "not
 * analysable" with the byte offset. The kernel allowlist decides in the end. Floor 1: base.
 */
#ifndef CALLGATE_POLICY_LEXER_H
#define CALLGATE_POLICY_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_BYTES_MAX (256 * 1024)
#define COMMAND_ARGS_MAX  8192
#define COMMAND_WORDS_MAX 256

enum command_form {
	COMMAND_NONE = 0,
	COMMAND_SIMPLE,         /* one simple command: argv is what runs, no shell */
	COMMAND_SHELL,          /* operators or redirections, all understood: runs as sh -c */
	COMMAND_NOT_ANALYSABLE, /* would have to run as sh -c, words unknown */
};

/* Owned by the caller, freed by command_fini(). */
struct command {
	enum command_form form;
	const char **argv;   /* SIMPLE: the words; SHELL, NOT_ANALYSABLE: {"sh","-c",string} */
	uint32_t argc;
	const char **words;  /* each simple command's first word, in order; SHELL adds none for sh */
	uint32_t word_count;
	size_t offset;       /* NOT_ANALYSABLE: byte where understanding ended */
	const char *why;     /* literal */
	void *storage;
};

/* 0, -EINVAL (NUL, empty, other control bytes than \n and \t, not UTF-8; note in why),
 * -E2BIG, -ENOMEM. */
int command_parse(struct command *ret, const char *text, size_t len);
/* From an argv given as such: always COMMAND_SIMPLE. Same results; -EINVAL for argc 0 or an
 * empty argv[0]. */
int command_from_argv(struct command *ret, const char *const *argv, uint32_t argc);
void command_fini(struct command *command);

#endif
