/*
 * One opened file: what the kernel says it is, where it really lies, and who could change it.
 * All judging is done on the descriptor; a name is used once, to open. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_OBJECT_H
#define CALLGATE_SANDBOX_OBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "supervisor/base/err.h"
#include "sandbox/allowlist.h"

struct object {
	int fd; /* O_PATH, owned */
	struct stat stat;
	char path[PATH_MAX]; /* resolved, absolute */
};

/* Opens path (symbolic links are followed, magic links of /proc are not). 0 or -errno. */
int object_open(struct object *ret, const char *path);
/* Does this result of object_open() say that nobody finds a file there? Any other fault (too many
 * descriptors, no memory) must not pass for an absent file. */
bool object_is_absent(int fault);
void object_fini(struct object *object);
/* Close-on-exec O_RDONLY descriptor of the same file, owned by the caller, or -errno. */
int object_reopen(const struct object *object);
struct program_stamp object_stamp(const struct object *object);

/* May uid change the file, or put another in its place? Looks at the file and at every directory
 * above it (openat2 and ".." by descriptor). 0, -EACCES with a note that names the weak place,
 * -ESTALE (the path no longer leads to this file), or -errno. */
int object_guard(const struct object *object, uid_t uid, struct err_note *note);

/* May uid write to this very file or directory, or give himself the right to? */
bool object_may_write(int fd, const struct stat *st, uid_t uid);

/* Last component of a path. */
const char *object_base(const char *path);

#endif
