/*
 * From the arguments of a call to what would run: checked against the tool's schema, defaults
 * filled in, the template of a typed tool filled. The same code for a call, for explain and for
 * the tests: of a policy. Pure; floor 1: base, jansson, PCRE2.
 */
#ifndef CALLGATE_POLICY_PREPARE_H
#define CALLGATE_POLICY_PREPARE_H

#include <jansson.h>

#include "policy/lexer.h"
#include "policy/rulebook.h"
#include "supervisor/base/err.h"

#define PREPARE_INVALID 1

struct prepared {
	json_t *arguments; /* owned; defaults filled in, paths plain (policy/facts.h) */
	json_t *facts;     /* owned: what rules see of them */
	/* Of a function tool: its name and what names its work best, for people; the function gets
	 * all arguments by its standard input. */
	struct command command;
	const char **paths; /* arguments of format workspace-path, borrowed from arguments */
	uint32_t path_count;
	bool has_stdin;
	const char *stdin_text; /* borrowed from arguments or owned below */
	size_t stdin_len;
	char *owned_text;
	struct json_schema_work spent; /* for the question */
};

/* arguments: an object. 0 and *ret (ended by prepared_fini), PREPARE_INVALID with a note for the
 * caller of the tool, or -ENOMEM. Of an untyped command tool `command` or `argv` is read; stdin
 * and cwd are its caller's own to read. */
int policy_prepare(const struct tool_book *tool, const json_t *arguments, struct prepared *ret,
    struct err_note *note);
/* Accepts a zeroed one. */
void prepared_fini(struct prepared *prepared);

#endif
