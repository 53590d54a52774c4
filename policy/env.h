/*
 * ${NAME} in values. Private to policy/; dotenv_parse() is in policy/load.h. Pure.
 */
#ifndef CALLGATE_POLICY_ENV_H
#define CALLGATE_POLICY_ENV_H

#include "policy/arena.h"
#include "policy/load.h"

/* Replaces each ${NAME} in *text by the value of that variable in source; what comes in is never
 * read as YAML or expanded again. *budget, in bytes, is what all results together may still
 * take. *text is replaced in place, and left alone where there is nothing to expand. 0, -EINVAL
 * with "why; what to do" in note, which never holds a value, -ENOMEM. */
int env_expand(const struct policy_source *source, struct arena *arena, size_t *budget,
    const char **text, struct err_note *note);

#endif
