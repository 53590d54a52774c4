/*
 * Why a machine refuses sandboxes, in words: a step has failed, and of the switches that could be
 * the reason the one is named that stands against it, with the remedy. What works is found out by
 * trying (host.c, enter.c); this only explains. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_REFUSAL_H
#define CALLGATE_SANDBOX_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/err.h"
#include "sandbox/cell.h"
#include "sandbox/layer.h"

/* -1: the kernel has no such switch, or it cannot be read. */
struct refusal {
	int64_t namespaces; /* user.max_user_namespaces */
	int64_t clone;      /* kernel.unprivileged_userns_clone: Debian's own, 0 refuses */
	int64_t apparmor;   /* kernel.apparmor_restrict_unprivileged_userns: Ubuntu's, 1 refuses */
	bool filtered;      /* a seccomp filter is in force: a container's, before we set ours */
	bool admin;         /* CAP_SYS_ADMIN */
};

/* proc: /proc; for tests another folder. What cannot be read is left out. */
void refusal_read(const char *proc, struct refusal *ret);

/* Each writes the note and returns the fault, a negative errno, unchanged. */

/* unshare(2) or clone(2) with CLONE_NEWUSER. */
int refusal_userns(const struct refusal *why, int fault, struct err_note *note);
/* The user namespace is there, but nothing may be done in it: ids, mounts. */
int refusal_rights(const struct refusal *why, int fault, struct err_note *note);
/* Root's first mount namespace. */
int refusal_root(const struct refusal *why, int fault, struct err_note *note);
/* Landlock, as landlock_create_ruleset(2) said. */
int refusal_landlock(const struct refusal *why, int fault, struct err_note *note);

/* As attestation_check(); but why Landlock is missing is told by what this host said. */
int refusal_walls(const struct cell_host *host, const struct attestation *have, uint32_t required,
    struct err_note *note);

#endif
