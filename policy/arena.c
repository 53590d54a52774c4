#include "policy/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN                                                                                  \
	640 /* of the first; a large policy has ten thousand arenas with one schema each */
#define CHUNK_MAX 16384

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	max_align_t bytes[];
};

static struct arena_chunk *chunk_new(struct arena *arena, size_t size)
{
	size_t usual = arena->chunks ? 2 * arena->chunks->size : CHUNK_MIN;
	struct arena_chunk *chunk;

	if (usual > CHUNK_MAX)
		usual = CHUNK_MAX;
	if (size < usual)
		size = usual;
	if (size > SIZE_MAX / 2)
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	void *bytes;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = chunk_new(arena, size);
	if (!chunk)
		return NULL;
	bytes = (char *)chunk->bytes + chunk->used;
	chunk->used += size;
	return bytes;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 2 / size)
		return NULL;
	return arena_alloc(arena, count * size);
}

char *arena_text(struct arena *arena, const char *bytes, size_t len)
{
	char *copy = len < SIZE_MAX / 2 ? arena_alloc(arena, len + 1) : NULL;

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

void arena_fini(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	arena->chunks = NULL;
	while (chunk) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}
