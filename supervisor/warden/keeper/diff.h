/*
 * What an overlay's upper folder changes of the workspace below it, as a list. For a child of the
 * keeper, when nothing of the call runs any more. Reads the disk, as long as it takes; its owner
 * ends it after KEEPER_WORK_MS.
 */
#ifndef CALLGATE_WARDEN_KEEPER_DIFF_H
#define CALLGATE_WARDEN_KEEPER_DIFF_H

#include <time.h>

#include "supervisor/base/err.h"
#include "supervisor/link/effects.h"

#define DIFF_DEPTH_MAX 200 /* folders in folders */

struct diff_spec {
	int upper;             /* borrowed */
	int lower;             /* the workspace on disk; borrowed */
	const char *opaque;    /* name of the attribute that hides a folder below */
	struct timespec since; /* what changed below from then on is UNDERNEATH */
};

/* 0 and *ret, each text of it on the heap: ended by diff_free(). -E2BIG: more than EFFECTS_MAX;
 * -errno; with note. */
int diff_make(const struct diff_spec *spec, struct effects *ret, struct err_note *note);
void diff_free(struct effects *effects);
/* Whether a link at path (as in a list) leads above the workspace or to an absolute place, by its
 * text alone: ".." behind a name does, since that may be a link. Pure. */
bool diff_leads_out(const char *path, const char *target);

#endif
