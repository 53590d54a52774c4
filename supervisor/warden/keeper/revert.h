/*
 * Commits that are taken back from what STATE/effects kept of them: one that was cut off, or all
 * that a call has made, which are one list then. Used by commit.c and undo.c. Blocks on the disk.
 */
#ifndef CALLGATE_WARDEN_KEEPER_REVERT_H
#define CALLGATE_WARDEN_KEEPER_REVERT_H

#include "supervisor/warden/keeper/saved.h"
#include "supervisor/warden/keeper/write.h"

struct revert {
	struct saved *commits; /* newest first; owned */
	uint32_t count;
	struct effects list;     /* sides turned round; targets are owned, paths the commits' */
	struct write_kept *kept; /* what stood at each path before its newest commit */
	bool *left;              /* by revert_leniently(): left alone */
	uint32_t left_count;
	char temporary[NAME_MAX + 1]; /* name under which the commits made things */
};

/* One folder, or where it has the mark of an undoing all whole commits of its call: 0 and *ret,
 * ended by revert_close(). -ENOENT: of that call there is none; -ESTALE: what was kept does not fit
 * together; -errno. */
int revert_open(int saved, const char *name, struct revert *ret);
/* All whole commits of a call; the same results. */
int revert_open_call(int saved, const char *call, struct revert *ret);
/* Accepts an empty one. */
void revert_close(struct revert *revert);

/* Puts back what it can; what somebody changed since stays and is told in ->left. For what a crash
 * or a fault cut off, and as often as one likes. 0 or -errno. */
int revert_leniently(int workspace, struct revert *revert);
/* What was put back, encoded, and how many. 0 or -errno. */
int revert_tell(const struct revert *revert, struct buf *out, uint32_t *ret_count);

#endif
