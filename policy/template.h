/*
 * The template of a typed tool (exec.argv) filled with the arguments of a call: one element, one
 * argument, always; no value ever becomes two, or a shell's. Floor 1: base, jansson.
 */
#ifndef CALLGATE_POLICY_TEMPLATE_H
#define CALLGATE_POLICY_TEMPLATE_H

#include <jansson.h>

#include "policy/lexer.h"
#include "policy/tool.h"
#include "supervisor/base/err.h"

#define TEMPLATE_REFUSED 1

/* arguments: an object that met the tool's schema, defaults filled in. 0 and *ret (ended by
 * command_fini()), of form COMMAND_SIMPLE with the program as its first word; TEMPLATE_REFUSED
 * with note: a value starts with "-" where an option could stand, holds a NUL, is no scalar, or is
 * missing; -ENOMEM, -E2BIG. */
int template_fill(const struct policy_exec *exec, const json_t *arguments, struct command *ret,
    struct err_note *note);

/* Is a parameter there, not null and not false? What {if: p} asks. */
bool template_holds(const json_t *arguments, const char *parameter);

#endif
