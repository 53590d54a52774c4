/*
 * The nursery: a small process that starts the HTTP front and courier, now and again, when the
 * warden itself no longer can. By then the warden may live in a user namespace of its own, in which
 * a program could be traced by its whole uid and the kernel would translate SO_PEERCRED, and behind
 * a filter that would bind its children.
 *
 * Forked before anything is known that is worth having: it has no descriptor but its socket, no
 * capability, nothing of the daemon's environment, and it reads fixed messages of which program,
 * never a path. What it starts is the warden's own child (CLONE_PARENT): waited for, ended and
 * watched like every other. It dies with the warden; its loss ends the daemon. Used by start.c and
 * siblings.c. nursery_ask and nursery_owner wait for an answer, at most NURSERY_ANSWER_MS.
 */
#ifndef CALLGATE_WARDEN_NURSERY_H
#define CALLGATE_WARDEN_NURSERY_H

#include "supervisor/warden/children.h"

#define NURSERY_ANSWER_MS 5000

enum nursery_program {
	NURSERY_NONE = 0,
	NURSERY_HTTP,    /* callgate-front-http: 3 engine, 4 listener, 5 warden */
	NURSERY_COURIER, /* callgate-courier: 3 engine, 4 warden */
	NURSERY_PROGRAM_COUNT,
};
#define NURSERY_FDS_MAX 3

struct nursery {
	int sock; /* -1: none */
	struct child child;
};

/* user: under whom it and its children run. 0 or -errno with note. */
int nursery_start(struct nursery *ret, const struct child_user *user, struct err_note *note);

struct nursery_order {
	enum nursery_program program;
	const int *fds; /* as many as the program has; stay the caller's */
	enum log_level level;
	enum log_format format;
};
/* 0 and *ret, a child of this process; -EPIPE: the nursery is gone or does not answer; -errno;
 * note says. A failing exec shows as an exit with status 127. */
int nursery_ask(struct nursery *nursery, const struct nursery_order *order, struct child *ret,
    struct err_note *note);
/* Whom an open file really belongs to: inside a user namespace, root looks like nobody. 0 and
 * *ret_uid, or -errno. */
int nursery_owner(struct nursery *nursery, int fd, uid_t *ret_uid);
/* "callgate-courier"; NULL for a number out of range. */
const char *nursery_program_name(enum nursery_program program);
/* Ends it. Accepts one that was never started (sock -1, pid 0). */
void nursery_stop(struct nursery *nursery);

#endif
