/*
 * What an approver is shown of a call: escaped for terminals, whole, with a word of warning where
 * letters are not what they look like. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_APPROVAL_TEXT_H
#define CALLGATE_ENGINE_APPROVAL_TEXT_H

#include "supervisor/engine/calls/call.h"
#include "supervisor/link/effects.h"

/* The argv, quoted as for a shell. Owned; NULL: no memory, or too long. */
char *approval_command(const struct call *call);
/* prompt with {command} replaced by command, which is escaped already. The same. */
char *approval_prompt(const char *prompt, const char *command);
/* The plan; where standard input was given, as for every function tool, also all arguments: the
 * plan knows them by their digest only, and nobody shall approve what he was not shown. 0 and *ret
 * (owned), -E2BIG: too long to be shown whole, -ENOMEM. */
int approval_details(const struct call *call, char **ret);
/* The same of what a call has changed: all of it, then the plan. */
int approval_effects_details(const struct call *call, const struct effects *effects, char **ret);
/* "mixed scripts: U+0456 Cyrillic, ..." where one word of the arguments has letters of several
 * scripts; "" where none has. Owned; NULL: no memory. */
char *approval_warning(const struct call *call);

#endif
