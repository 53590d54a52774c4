/*
 * The environment of one call: five fixed entries, what the gate needs, how long a function tool
 * may work, and the entries of the tool. Values of the daemon are looked up when a call is planned
 * and again when it is launched; they go into the cell and, as an HMAC, into the digest, and
 * nowhere else. Used by tools.c and plan.c.
 */
#ifndef CALLGATE_WARDEN_ENVIRONMENT_H
#define CALLGATE_WARDEN_ENVIRONMENT_H

#include <stddef.h>

#include "supervisor/base/err.h"
#include "supervisor/warden/tools.h"

/* May a tool set this? Not what holds it in its place: PATH, HOME, TMPDIR, USER, LD_* and
 * CALLGATE_* are the daemon's. LANG may be replaced. */
bool environment_may_set(const char *name);

/* NAME=VALUE entries, exact, NULL-terminated, one block; freed by environment_free(). The entries
 * of the tool come last. 0 and *ret; PLAN_REFUSED with a note that names a variable which the
 * daemon lacks; -ENOMEM. */
int environment_make(
    const struct tools *tools, const struct tool *tool, char ***ret, struct err_note *note);
/* Bytes that the entries take. */
size_t environment_bytes(char *const *env);
/* Wipes the values. Accepts NULL. */
void environment_free(char **env);

#endif
