/*
 * Memory that is given back all at once: everything a policy, or the tree it is read from, points
 * to. Private to policy/. Floor 1: libc.
 */
#ifndef CALLGATE_POLICY_ARENA_H
#define CALLGATE_POLICY_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* owned; the newest first */
};

/* Zeroed bytes, aligned for any type, living until arena_fini(). size 0 gives a valid pointer.
 * NULL when there is no memory. */
void *arena_alloc(struct arena *arena, size_t size);
/* As arena_alloc() for count elements; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy of len bytes and a NUL after them. */
char *arena_text(struct arena *arena, const char *bytes, size_t len);
/* Frees everything; accepts a zeroed arena, leaves one. The arena itself may live in its own
 * memory: it is not touched afterwards in that case. */
void arena_fini(struct arena *arena);

#endif
