#include "supervisor/warden/pool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "supervisor/base/log.h"

#define END_WAIT_MS 2000 /* for a killed cell that holds nothing yet */

void pool_init(struct pool *pool, const struct pool_spec *spec)
{
	memset(pool, 0, sizeof(*pool));
	pool->zygote = spec->zygote;
	pool->attacher = spec->attacher;
	pool->cgroup = spec->cgroup;
	pool->slots = POOL_CELLS_MAX;
	if (spec->host->root && spec->host->cell_uid_count < pool->slots)
		pool->slots = spec->host->cell_uid_count;
	for (uint32_t slot = 0; slot < pool->slots; slot++)
		pool->idmaps[slot].fd = -1;
}

static void mark(struct pool *pool, uint32_t slot)
{
	pool->used[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void unmark(struct pool *pool, uint32_t slot)
{
	pool->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

/* A free slot; pool->slots when all live. */
static uint32_t find_slot(const struct pool *pool)
{
	uint32_t slot = 0;

	while (slot < pool->slots && (pool->used[slot / 64] >> (slot % 64) & 1))
		slot++;
	return slot;
}

int pool_fill(struct pool *pool, uint32_t waiting)
{
	uint32_t wanted = POOL_KEEP + waiting;

	if (wanted > POOL_READY_MAX)
		wanted = POOL_READY_MAX;
	while (pool->ready_count + pool->attaching_count + pool->asked_count < wanted) {
		uint32_t slot = find_slot(pool);
		int fault;

		if (slot == pool->slots)
			return 0;
		fault = zygote_ask(&pool->zygote, slot);
		if (fault == -EAGAIN)
			return 0;
		if (fault)
			return fault;
		mark(pool, slot);
		pool->asked[pool->asked_count++] = slot;
	}
	return 0;
}

/* Forgets one request: that of this slot, or the oldest when the zygote could not say. */
static uint32_t answered(struct pool *pool, uint32_t slot)
{
	uint32_t i = 0;

	while (i + 1 < pool->asked_count && pool->asked[i] != slot)
		i++;
	if (i == pool->asked_count)
		return slot;
	if (pool->asked[i] != slot)
		i = 0;
	slot = pool->asked[i];
	memmove(&pool->asked[i], &pool->asked[i + 1],
	    (--pool->asked_count - i) * sizeof(pool->asked[0]));
	return slot;
}

/* A cell without a leaf stays usable: its attestation will lack the wall. */
static void drop_leaf(struct pool *pool, struct pool_cell *cell)
{
	if (cgroup_leaf_remove(pool->cgroup, &cell->leaf))
		cgroup_leaf_init(&cell->leaf); /* half attached: removed with its base */
}

/* Said once until it works again; what it means for a call is for its attestation to say, and
 * for the tool's `require` to decide. */
static void tell_leafless(struct pool *pool, int fault)
{
	if (!pool->leafless)
		log_error("no control group for new sandboxes: %s; calls that require one are "
			  "refused, the others have rlimits only",
		    strerror(-fault));
	pool->leafless = 1;
}

static int make_leaf(struct pool *pool, struct cgroup_leaf *ret)
{
	int fault = cgroup_leaf_make(pool->cgroup, ret);

	if (fault && !cgroup_restore(pool->cgroup))
		fault = cgroup_leaf_make(pool->cgroup, ret);
	return fault;
}

/* A new cell gets a leaf, or is ready without one. */
static void place(struct pool *pool, const struct cell *cell)
{
	struct pool_cell new = {.cell = *cell};
	int fault = 0;

	cgroup_leaf_init(&new.leaf);
	if (pool->attacher.sock >= 0)
		fault = make_leaf(pool, &new.leaf);
	if (!fault && new.leaf.name[0]) {
		fault = attach_ask(&pool->attacher, &new.leaf, cell->pid);
		if (!fault) {
			pool->attaching[pool->attaching_count++] = new;
			return;
		}
		drop_leaf(pool, &new);
	}
	if (fault)
		tell_leafless(pool, fault);
	pool->ready[pool->ready_count++] = new;
}

int pool_attached(struct pool *pool)
{
	int fault, result = 0;

	while (pool->attaching_count > 0 && !(result = attach_answer(&pool->attacher, &fault))) {
		struct pool_cell *cell = &pool->ready[pool->ready_count++];

		*cell = pool->attaching[0];
		memmove(&pool->attaching[0], &pool->attaching[1],
		    --pool->attaching_count * sizeof(pool->attaching[0]));
		if (!fault)
			pool->leafless = 0;
		else
			drop_leaf(pool, cell);
		if (fault && fault != -ESRCH) /* that cell has died: it is told elsewhere */
			tell_leafless(pool, fault);
	}
	if (pool->attaching_count == 0 && result == 0)
		result = attach_answer(
		    &pool->attacher, &fault); /* nothing is due: its end, or silence */
	return result == -EAGAIN ? 0 : -EPIPE;
}

int pool_answer(struct pool *pool, struct err_note *note)
{
	struct cell cell;
	int fault, result = 0;

	while (pool->ready_count + pool->attaching_count < POOL_READY_MAX) {
		fault = zygote_take(&pool->zygote, &cell, note);
		if (fault == -EAGAIN)
			break;
		if (fault == -EPIPE) {
			result = fault;
			break;
		}
		if (fault) {
			unmark(pool, answered(pool, pool->slots));
			result = fault;
			continue;
		}
		(void)answered(pool, cell.slot);
		place(pool, &cell);
	}
	return result;
}

static int is_dead(const struct cell *cell)
{
	struct pollfd end = {.fd = cell->pidfd, .events = POLLIN};

	return poll(&end, 1, 0) != 0;
}

int pool_take(struct pool *pool, struct pool_cell *ret)
{
	while (pool->ready_count > 0) {
		struct pool_cell oldest = pool->ready[0];

		memmove(
		    &pool->ready[0], &pool->ready[1], --pool->ready_count * sizeof(pool->ready[0]));
		if (!is_dead(&oldest.cell)) {
			*ret = oldest;
			return 0;
		}
		(void)cell_reap(&oldest.cell); /* it is dead: this cannot wait */
		pool_bury(pool, &oldest);
	}
	return -EAGAIN;
}

/* The kernel may need a moment after the last process is gone. */
static void sweep(struct pool *pool)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < pool->litter_count; i++)
		if (cgroup_leaf_remove(pool->cgroup, &pool->litter[i]))
			pool->litter[kept++] = pool->litter[i];
	pool->litter_count = kept;
}

void pool_bury(struct pool *pool, struct pool_cell *cell)
{
	sweep(pool);
	if (cgroup_leaf_remove(pool->cgroup, &cell->leaf) && pool->litter_count < POOL_LITTER)
		pool->litter[pool->litter_count++] = cell->leaf;
	unmark(pool, cell->cell.slot);
	cell_close(&cell->cell);
}

static void end_all(struct pool *pool, struct pool_cell *cells, uint32_t *count)
{
	for (uint32_t i = 0; i < *count; i++)
		(void)cell_kill(&cells[i].cell); /* dead already: the same */
	for (uint32_t i = 0; i < *count; i++) {
		struct pollfd end = {.fd = cells[i].cell.pidfd, .events = POLLIN};

		(void)poll(&end, 1, END_WAIT_MS);
		(void)cell_reap(&cells[i].cell);
		pool_bury(pool, &cells[i]);
	}
	*count = 0;
}

void pool_close(struct pool *pool)
{
	attach_stop(&pool->attacher);
	end_all(pool, pool->attaching, &pool->attaching_count);
	end_all(pool, pool->ready, &pool->ready_count);
	zygote_stop(&pool->zygote);
	for (uint32_t slot = 0; slot < pool->slots; slot++)
		cell_idmap_close(&pool->idmaps[slot]);
	sweep(pool);
}
