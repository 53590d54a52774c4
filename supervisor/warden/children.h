/*
 * Other programs of the daemon: started with exec, fixed descriptors from 3 upwards, a clean
 * signal mask, a session of their own, no capability, and a pidfd by which their end is seen.
 *
 * As root they run under the system user "callgate" where there is one, else under uid 0 with an
 * empty capability bounding set: root's files by ownership, but none of root's powers. An
 * ordinary user's roles are his. Used by main.c and config.c. Forks; never waits, except
 * child_end().
 */
#ifndef CALLGATE_WARDEN_CHILDREN_H
#define CALLGATE_WARDEN_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/base/log.h"

#define CHILD_FDS_MAX 8

/* Under whom programs run; found once, before any confinement (it asks the user database). */
struct child_user {
	bool root;    /* the daemon is root */
	bool service; /* and there is a system user for the roles: */
	uid_t uid;
	gid_t gid;
};
void child_user_find(struct child_user *ret);

struct child {
	const char *name; /* literal */
	pid_t pid;        /* 0: none */
	int pidfd;        /* readable: it ended; -1: none */
};

struct child_spec {
	const char *program;  /* in paths_libexec(), literal */
	const char *argument; /* argv[1], or NULL */
	const int *fds;       /* become 3, 4, ...; stay the caller's */
	uint32_t fd_count;
	char *const *environment; /* exact */
	const struct child_user *user;
	bool for_parent; /* it becomes our parent's child, not ours: the nursery's way */
};

/* What a role's environment holds. */
struct child_environment {
	char log[64];
	char journal[64];
	char *items[3]; /* points into this struct */
};
void child_environment_make(
    struct child_environment *ret, enum log_level level, enum log_format format);

/* From now on this process has no capability and cannot gain one; as root it becomes the service
 * user, where there is one. 0 or -errno. */
int child_shed_powers(const struct child_user *user);

/* 0, or -errno with note. A failing exec shows as an exit with status 127. */
int child_start(const struct child_spec *spec, struct child *ret, struct err_note *note);
/* Looks at the pidfd; reaps nothing. */
bool child_is_alive(const struct child *child);
/* Reaps. 0 and *ret_status as waitpid gives it; -EAGAIN: still running; -ECHILD: none. */
int child_reap(struct child *child, int *ret_status);
/* Waits until it ended, at most wait_ms, then kills it. The struct is as new. */
void child_end(struct child *child, uint32_t wait_ms);

/* The three roles, and our ends of their links. */
struct children {
	struct child auditor;
	struct child engine;
	struct child front;
	int auditor_link; /* ours until taken */
	int engine_link;
};
struct children_spec {
	int listener; /* becomes front's 4; stays the caller's */
	int store;    /* STATE/engine, becomes engine's 6; stays the caller's */
	enum log_level level;
	enum log_format format;
	const struct child_user *user;
};
/* Starts auditor, engine and front. 0 or -errno with note; nothing is left running on failure. */
int children_start(const struct children_spec *spec, struct children *ret, struct err_note *note);

#endif
