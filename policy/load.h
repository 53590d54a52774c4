/*
 * YAML text to policy. The only header that means libyaml; used by the policy child and by
 * `callgate policy`, never by engine, warden or front. Pure: the text and the variables are
 * handed in, nothing is opened. Floor 1: base, libyaml.
 */
#ifndef CALLGATE_POLICY_LOAD_H
#define CALLGATE_POLICY_LOAD_H

#include <stddef.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "policy/overrides.h"
#include "policy/policy.h"

struct policy_source {
	const char *file; /* name for messages */
	const char *text; /* YAML; at most POLICY_FILE_MAX bytes */
	size_t len;
	/* Variables for ${NAME}: NULL-terminated NAME=VALUE lists, first found wins. Either may be
	 * NULL. env is the process environment, dotenv what dotenv_parse() made. */
	char *const *env;
	char *const *dotenv;
	const struct policy_overrides *overrides; /* NULL: none */
};

/* 0 and *ret_policy (freed by policy_free), or -EINVAL with note "file:line:column: what: why",
 * or -ENOMEM. Warnings (one line each, same form) are appended to warnings if not NULL. */
int policy_load(const struct policy_source *source, struct policy **ret_policy,
    struct buf *warnings, struct err_note *note);

/* .env text to a NULL-terminated list; one block, freed by free(). Lines NAME=VALUE, optional
 * `export `, # comments, single or double quotes. -EINVAL with "file:line:column: ...". */
int dotenv_parse(
    const char *file, const char *text, size_t len, char ***ret_list, struct err_note *note);

#endif
