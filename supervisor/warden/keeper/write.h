/*
 * A list of effects written into a workspace: first everything is looked at, then everything is
 * written. The same for a commit, which takes content from the overlay, and for its undoing, which
 * takes it from STATE/effects. Used by commit.c and undo.c. Blocks on the disk.
 */
#ifndef CALLGATE_WARDEN_KEEPER_WRITE_H
#define CALLGATE_WARDEN_KEEPER_WRITE_H

#include <sys/stat.h>

#include "supervisor/base/err.h"
#include "supervisor/link/effects.h"

/* What a path is put back from: bNUMBER of a folder of STATE/effects. */
struct write_kept {
	int dir;
	uint32_t number;
	uint32_t uid, gid;
};

struct write_spec {
	int workspace;
	const struct effects *list;
	int upper; /* content of what is new; -1: of kept */
	/* For each path; NULL: what is new is of the folder's owner. */
	const struct write_kept *kept;
	const char *temporary; /* name under which things are made */
	/* Where what stands at a place was changed since, it is left as it is and this says so;
	 * what was put there already stays, too. NULL: both are faults. */
	bool *left;
};

/* What stood at each path when it was looked at; calloc'ed by the caller, one for each. */
struct write_stood {
	struct stat st; /* st_ino 0: nothing, or a folder above will be made */
};

/* Does exactly `before` stand at every path, and can `after` be put there? wrong[i] becomes true
 * where not, and note says why of the first. Returns how many; or -errno. */
int write_check(
    const struct write_spec *spec, struct write_stood *stood, bool *wrong, struct err_note *note);
/* 0; or -errno with note and *ret_at, the path that failed: what was written until then stays
 * (-ESTALE, -EEXIST: something changed meanwhile). stood and note may be NULL with ->left. */
int write_all(const struct write_spec *spec, const struct write_stood *stood, uint32_t *ret_at,
    struct err_note *note);

#endif
