/*
 * The folders of the host that a tool's programs lie in and a cell's root has not: as few and as
 * narrow as names allow, since whatever lies in them can be seen to exist from inside (Landlock
 * rules who may read, not who may stat). Floor 1: libc only, never blocks.
 */
#ifndef CALLGATE_SANDBOX_PLACES_H
#define CALLGATE_SANDBOX_PLACES_H

#include "sandbox/names.h"

#define PLACES_MAX 24 /* more than this, each costing a mount a call, become their top folders */

/* A zeroed struct is empty. No item lies below another. */
struct places {
	struct names names;
};

/* Makes folder (absolute, resolved) one of them, or part of one. 0 or -ENOMEM. */
int places_add(struct places *places, const char *folder);
/* NULL-terminated; lives until the next add. */
const char *const *places_list(const struct places *places);
void places_fini(struct places *places);

#endif
