/*
 * Finding and opening what lies below one folder, and nothing else.
 *
 * Paths come from an agent, and the folder is full of what agents made. Whoever decided about the
 * call read the path, so what is opened is what the path says: every component is opened by itself
 * and a symbolic link is never followed, wherever it leads. (openat2 would do this in one call, but
 * a cell's filter does not know it.) Folders named .callgate are callgate's own and cannot be found
 * at all. Used by the two programs of this folder only; blocks on the disk. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_PLACE_H
#define CALLGATE_SANDBOX_FUNCTIONS_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "supervisor/base/err.h"

#define PLACE_PRIVATE ".callgate"
/* How a path is printed into a note: never so long that the reason behind it is cut off. */
#define PLACE_SHOWN "%.200s"

/* Where something is, or would be. A zeroed place with dir -1 is an empty one. */
struct place {
	int dir;                 /* O_PATH, owned: the folder that holds it */
	char name[NAME_MAX + 1]; /* its name there, never a link; "." for the top folder itself */
	char path[PATH_MAX]; /* from the top folder, without links or dots; "" for that itself */
	struct stat st;      /* as found; zeroed if absent */
};

enum place_result {
	PLACE_FOUND = 0,
	PLACE_ABSENT = 1, /* the folder is there, the name is not */
};

enum place_parents {
	PLACE_PARENTS_AS_THEY_ARE = 0,
	PLACE_PARENTS_MAKE, /* missing folders on the way are made */
};

/* Is the text a path below: not empty, not absolute, no "..", short enough? 0 or -EINVAL. */
int place_check(const char *path, struct err_note *note);

/* top: any descriptor of the folder. PLACE_FOUND, PLACE_ABSENT, or a fault with its note: -EINVAL
 * (place_check), -EPERM (private), -ELOOP (a link), -ENOENT, -ENOTDIR, -errno.
 * *ret is released by place_fini(), also after a fault. */
int place_find(struct place *ret, int top, const char *path, enum place_parents parents,
    struct err_note *note);
void place_fini(struct place *place);

/* A name that nobody may reach: .callgate, in any case (some file systems do not tell). */
bool place_is_private(const char *name);

/* Opens a regular file for reading, never waiting for a FIFO or following a link. *ret_st is that
 * of the open file. The descriptor, or -EINVAL (another kind), -errno. */
int place_open_file(int dir, const char *name, struct stat *ret_st);
/* Opens a folder for listing, never through a link. The descriptor or -errno. */
int place_open_folder(int dir, const char *name);

#endif
