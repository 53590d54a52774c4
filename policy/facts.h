/*
 * What rules see of a call. A rule is written against one form of the arguments, so what says the
 * same has one form: paths without needless parts, the words of a command whether they came as
 * argv or as a command line, the command line as its words, quoted where needed. Floor 1: base,
 * jansson.
 */
#ifndef CALLGATE_POLICY_FACTS_H
#define CALLGATE_POLICY_FACTS_H

#include <jansson.h>

#include "policy/lexer.h"
#include "policy/tool.h"

/* Takes "." components, doubled slashes and slashes at the end out of a relative path, in place;
 * what is left of nothing is ".". ".." stays: the formats refuse it (path_resolution(7): behind a
 * link it is not what it looks like). */
void facts_plain_path(char *path);

/* The same for one argument of a format workspace-path, or all in a list of such: arguments is
 * changed. 0 or -ENOMEM. */
int facts_plain_paths(json_t *arguments, const char *name);

/* A new object. Of an untyped command: `command`, `argv` where the line is one simple command, and
 * `cwd`, beside what else was given; of other tools: arguments itself. 0 or -ENOMEM. */
int facts_of(const struct policy_tool *tool, const json_t *arguments, const struct command *command,
    json_t **ret);

/* May this parameter of an untyped command hold what nobody knows yet: the words of a line that a
 * shell reads, or standard input that is still to come? */
bool facts_unknown(
    const struct policy_tool *tool, const char *name, const json_t *facts, bool stdin_streams);

#endif
