/*
 * Where a tool works: the directory of one tool in one namespace, resolved and opened, judged by
 * what was opened and never by its name. Used by check.c before READY and by tools.c, which opens
 * everything again in the warden's own mount namespace.
 */
#ifndef CALLGATE_WARDEN_WORKSPACE_H
#define CALLGATE_WARDEN_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/warden/config.h"
#include "sandbox/held.h"

struct workspace {
	char *path;        /* resolved, absolute; owned */
	int fd;            /* O_PATH | O_DIRECTORY; owned, or of held */
	struct held *held; /* NULL: not held */
	uint64_t dev, ino;
	uid_t uid; /* owner on disk */
	gid_t gid;
};

/* The namespace's directory is the root. A tool's relative directory is one of the policy file's
 * folder where that lies at or below the root, else it is taken below the root; an absolute one is
 * itself. 0, or -errno with a note "file:line:column: ...": missing, not a directory, a link, led
 * out of place by a link, or a place that every cell has for itself (/usr, /etc, /proc, ...). */
int workspace_open(const struct config *config, const struct policy_tool *tool,
    const struct policy_namespace *space, struct workspace *ret, struct err_note *note);
/* Shares the descriptor with whoever holds the same directory of the same mount. 0 or -ENOMEM. */
int workspace_hold(struct workspace *workspace, struct holdings *holdings);
void workspace_close(struct workspace *workspace);

/* Is the file or directory at path (or the nearest existing folder above it) at or below the
 * workspace? Walks upwards by "..", so that bind mounts do not hide it. 1, 0 or -errno. */
int workspace_holds(const struct workspace *workspace, const char *path);

/* Where an opened object is, by /proc/self/fd; heap, NULL when it was deleted or cannot be said. */
char *workspace_path_of(int fd);
/* path is base or lies below it (both resolved). */
bool workspace_is_below(const char *base, const char *path);
/* openat2(2); -errno. */
int workspace_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve);

#endif
