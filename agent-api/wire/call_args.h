/*
 * The arguments of a command tool, {command | argv, stdin?, cwd?}, decoded and checked.
 *
 * Only the form is judged here: exactly one of command and argv, the types, the limits of
 * limits.h, no unknown key. Whether cwd exists, and whether the command may run, others decide.
 * Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_CALL_ARGS_H
#define CALLGATE_WIRE_CALL_ARGS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/err.h"

enum call_form {
	CALL_FORM_NONE = 0,
	CALL_FORM_COMMAND, /* one string, to be split by policy/lexer */
	CALL_FORM_ARGV,    /* one element = one argument */
};

struct call_args {
	enum call_form form;
	const char *command;     /* FORM_COMMAND: not blank; else "" */
	const char *const *argv; /* FORM_ARGV: NULL-terminated, argv[0] not empty; else NULL */
	uint32_t argc;
	int has_stdin;           /* 1: stdin was given, perhaps empty */
	const char *stdin_bytes; /* UTF-8 without NUL; "" if not given */
	size_t stdin_len;
	const char *cwd; /* relative, no "..", no empty component; "" = the directory itself */
	void *storage;   /* private: what the pointers point into */
};

/* json: the `arguments` object as text, not necessarily NUL-terminated. *ret is released by
 * call_args_fini(). 0; -EINVAL with a note that names the key ("argv[2]: ..."); -ENOMEM. */
int call_args_decode(const char *json, size_t len, struct call_args *ret, struct err_note *note);
/* Accepts a zeroed or finished struct. */
void call_args_fini(struct call_args *args);

/* The same judgement of an object that is parsed already. 0; -EINVAL with note; -ENOMEM. */
int call_args_check(const json_t *arguments, struct err_note *note);

/* The same limits for an argv that came from splitting a command: 0, or -EINVAL with note. */
int call_args_check_argv(const char *const *argv, uint32_t argc, struct err_note *note);

/* The JSON Schema of these arguments, one compact object: for tools/list. Static. */
const char *call_args_schema(void);

#endif
