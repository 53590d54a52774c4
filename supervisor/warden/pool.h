/*
 * Prepared cells, kept ready so that no call waits for namespaces: two, and more while launches
 * wait. Each has its own control group leaf already. Cells are asked of the zygote, given a leaf
 * by the attacher, and are ready after both have answered. Used by start.c, main.c, launch.c. A
 * prepared cell knows nothing of any call.
 */
#ifndef CALLGATE_WARDEN_POOL_H
#define CALLGATE_WARDEN_POOL_H

#include <stdint.h>

#include "supervisor/base/err.h"
#include "supervisor/warden/attach.h"
#include "supervisor/warden/cgroup.h"
#include "sandbox/cell.h"

#define POOL_KEEP      2   /* ready when nothing is going on */
#define POOL_READY_MAX 16  /* ready or asked for, at most */
#define POOL_CELLS_MAX 128 /* living cells: a slot each */
#define POOL_LITTER    64  /* leaves whose removal is tried again */

struct pool_cell {
	struct cell cell;
	struct cgroup_leaf leaf;
};

struct pool {
	struct zygote zygote;
	struct attacher attacher; /* sock -1: there are no control groups */
	struct cgroup *cgroup;    /* the daemon's */
	uint32_t slots;           /* how many there are */
	uint64_t used[POOL_CELLS_MAX / 64];
	uint32_t asked[POOL_READY_MAX]; /* slots asked for and not answered, oldest first */
	uint32_t asked_count;
	struct pool_cell attaching[POOL_READY_MAX]; /* oldest first */
	uint32_t attaching_count;
	struct pool_cell ready[POOL_READY_MAX];
	uint32_t ready_count;
	struct cell_idmap idmaps[POOL_CELLS_MAX]; /* by slot; outlive its cells */
	struct cgroup_leaf litter[POOL_LITTER];
	uint32_t litter_count;
	int leafless; /* the newest cell should have a leaf and has none, and that was told */
};

struct pool_spec {
	struct zygote zygote;
	struct attacher attacher;
	const struct cell_host *host;
	struct cgroup *cgroup;
};
/* Takes zygote and attacher; cgroup stays the caller's. */
void pool_init(struct pool *pool, const struct pool_spec *spec);
/* Asks for cells until POOL_KEEP and the waiting launches are served. 0 or -errno: the zygote is
 * gone. */
int pool_fill(struct pool *pool, uint32_t waiting);
/* The zygote's socket is readable: takes all answers. 0; or the fault of a cell that could not be
 * prepared, with note; -EPIPE: the zygote is gone. */
int pool_answer(struct pool *pool, struct err_note *note);
/* The attacher's socket is readable: takes all answers. 0, or -EPIPE: the attacher is gone. */
int pool_attached(struct pool *pool);
/* A living prepared cell, now the caller's. 0 or -EAGAIN: none is ready. */
int pool_take(struct pool *pool, struct pool_cell *ret);
/* The end of a cell that was reaped: its leaf, slot and descriptors go. */
void pool_bury(struct pool *pool, struct pool_cell *cell);
/* Kills what is ready, ends zygote and attacher. */
void pool_close(struct pool *pool);

#endif
