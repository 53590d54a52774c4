/*
 * The listening Unix socket: made by us beside a lock, or handed over by the service manager
 * (handed.h). Used by main.c before READY and at the end; front accepts on it. listen_http.c makes
 * its Unix socket by the same road.
 */
#ifndef CALLGATE_WARDEN_LISTEN_H
#define CALLGATE_WARDEN_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/err.h"
#include "supervisor/base/paths.h"
#include "policy/policy.h"

struct listener {
	int fd;               /* -1: none */
	char path[PATHS_MAX]; /* absolute; "": not a Unix socket */
	bool handed_over;     /* by the service manager: not ours to remove */
	uint64_t dev, ino;    /* of the socket file that we made */
};

/* A Unix socket that a policy wants, with the mode and the group of server.socket. */
struct listen_wish {
	const struct policy *policy;
	const char *key; /* that says where: "server.socket.path" */
	struct policy_pos pos;
	const char *path; /* absolute, and short enough */
};

/* Where the policy wants the socket. folder: what its relative paths are relative to. 0 or
 * -errno with note. */
int listen_path(const struct policy *policy, const char *folder, char ret_path[PATHS_MAX],
    struct err_note *note);
/* What listen_open() would refuse, as far as it can be seen without touching anything: no such
 * group, or not ours to give, a folder that we cannot write to, another thing in the socket's
 * place. A daemon that answers there is no fault. 0 or -errno with note "file:line:column: ..."
 * where the policy names the place. */
int listen_check(const struct policy *policy, const char *path, struct err_note *note);
/* Makes the missing parent folders (0700; the last one 0710 with the socket's group, or 0711, where
 * the policy's mode lets the group, or all, in) and the socket with mode and group of the policy;
 * replaces a socket that nobody answers on; logs a warning if a folder above is closed to those
 * whom the mode lets in. 0; -EADDRINUSE: somebody answers; -errno; note. */
int listen_open(
    const struct policy *policy, const char *path, struct listener *ret, struct err_note *note);
/* The two above for a socket of any key, that nobody handed over. */
int listen_check_own(const struct listen_wish *wish, struct err_note *note);
int listen_open_own(
    const struct listen_wish *wish, struct listener *listener, struct err_note *note);
/* Is there a server at this path? */
bool listen_is_answered(const char *path);
/* Closes, and removes the socket file if it is still ours. */
void listen_close(struct listener *listener);

#endif
