/*
 * A list of effects written into a workspace: first everything is looked at, then everything is
 * written. The same for a commit, which takes content from the overlay, and for its undoing, which
 * takes it from STATE/effects. Used by commit.c and undo.c. Blocks on the disk.
 */
#ifndef CALLGATE_WARDEN_KEEPER_WRITE_H
#define CALLGATE_WARDEN_KEEPER_WRITE_H

#include <sys/stat.h>

#include "supervisor/base/err.h"
#include "supervisor/warden/keeper/saved.h"

struct write_spec {
	int workspace;
	const struct effects *list;
	int upper; /* content of what is new; -1: of saved */
	const struct saved
	    *saved;            /* bI and owners; NULL: whoever owns the folder owns what is new */
	const char *temporary; /* name under which things are made */
	/* What stands at a place was changed since: it is left as it is, and so is what was put
	 * there already; else that is a fault. */
	bool lenient;
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
 * (-ESTALE, -EEXIST: something changed meanwhile). *ret_left: paths left alone (lenient). stood may
 * be NULL where lenient. */
int write_all(const struct write_spec *spec, const struct write_stood *stood, uint32_t *ret_at,
    uint32_t *ret_left, struct err_note *note);

#endif
