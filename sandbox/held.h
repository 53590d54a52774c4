/*
 * Opened objects that several lists hold: one descriptor each, however many tools and versions of
 * the policy name it. An object that is held keeps its inode, so its key cannot come to mean
 * another one. Floor 1: libc only, never blocks.
 */
#ifndef CALLGATE_SANDBOX_HELD_H
#define CALLGATE_SANDBOX_HELD_H

#include <stdint.h>

struct held_key {
	uint64_t dev, ino;
	uint64_t mount; /* for what is mounted from the descriptor; 0: one mount is as good */
};

struct held; /* one object */

/* A zeroed struct is empty. Must outlive all that is held. */
struct holdings {
	struct held **buckets; /* owned; a power of two of them */
	uint32_t cap;
	uint32_t count;
};

/* One more holder of an object; NULL: nobody holds it. holdings may be NULL: they share nothing. */
struct held *held_find(struct holdings *holdings, const struct held_key *key);
/* Holds what fd opens, or what is held already under this key. Takes fd in every case.
 * 0 or -ENOMEM. */
int held_put(struct holdings *holdings, const struct held_key *key, int fd, struct held **ret);
/* The same for a directory that cells get mounted from this descriptor: another mount of it is
 * another one. */
int held_place(struct holdings *holdings, int fd, struct held **ret);
/* Borrowed. */
int held_fd(const struct held *held);
/* One holder less; the last one closes it. NULL is accepted. */
void held_drop(struct held *held);
/* After the last drop. */
void holdings_fini(struct holdings *holdings);

#endif
