#include "sandbox/inodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INODES_FIRST 64

/* The slot that holds the key, or the empty one where it belongs. cap is never 0 here, and never
 * full, so the walk ends. */
static struct inode_key *slot_of(const struct inodes *set, uint64_t dev, uint64_t ino)
{
	uint64_t at = (ino ^ dev << 32) * 0x9e3779b97f4a7c15u >> 32;

	for (;; at++) {
		struct inode_key *slot = &set->slots[at & (set->cap - 1)];

		if (slot->ino == 0 || (slot->ino == ino && slot->dev == dev))
			return slot;
	}
}

static int grow(struct inodes *set)
{
	struct inodes larger = {.cap = set->cap == 0 ? INODES_FIRST : set->cap * 2};

	larger.slots = calloc(larger.cap, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->cap; i++)
		if (set->slots[i].ino != 0)
			*slot_of(&larger, set->slots[i].dev, set->slots[i].ino) = set->slots[i];
	larger.count = set->count;
	free(set->slots);
	*set = larger;
	return 0;
}

int inodes_add(struct inodes *set, uint64_t dev, uint64_t ino)
{
	if (ino == 0)
		return -EINVAL;
	if (inodes_has(set, dev, ino))
		return 0;
	if (set->count + 1 > set->cap / 2) {
		int fault = grow(set);

		if (fault < 0)
			return fault;
	}
	*slot_of(set, dev, ino) = (struct inode_key){.dev = dev, .ino = ino};
	set->count++;
	return 0;
}

bool inodes_has(const struct inodes *set, uint64_t dev, uint64_t ino)
{
	return ino != 0 && set->cap != 0 && slot_of(set, dev, ino)->ino != 0;
}

void inodes_fini(struct inodes *set)
{
	free(set->slots);
	memset(set, 0, sizeof(*set));
}
