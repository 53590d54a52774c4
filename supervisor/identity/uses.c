#include "supervisor/identity/uses.h"

#include <stdlib.h>
#include <string.h>

/* A bucket holds few, since ids are random and made by us; a place is looked for in it only. */
#define BUCKET 8

struct use {
	char id[TOKEN_ID_MAX]; /* "" = a free place */
	uint64_t made;
	uint64_t expires_s;
};

struct uses {
	uint32_t buckets;
	struct use *places; /* [buckets * BUCKET] */
};

struct uses *uses_new(uint32_t places)
{
	struct uses *uses;

	if (places < 1 || places > USES_PLACES_MAX)
		return NULL;
	uses = calloc(1, sizeof(*uses));
	if (!uses)
		return NULL;
	uses->buckets = (places + BUCKET - 1) / BUCKET;
	uses->places = calloc((size_t)uses->buckets * BUCKET, sizeof(*uses->places));
	if (!uses->places) {
		free(uses);
		return NULL;
	}
	return uses;
}

void uses_free(struct uses *uses)
{
	if (!uses)
		return;
	free(uses->places);
	free(uses);
}

static struct use *bucket_of(struct uses *uses, const char *id)
{
	uint32_t hash = 2166136261u;

	for (const char *at = id; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	return &uses->places[(size_t)(hash % uses->buckets) * BUCKET];
}

/* The token's place, or a free one made its own; NULL: none is free. */
static struct use *place_of(struct uses *uses, const struct token *token, uint64_t now_s)
{
	struct use *bucket = bucket_of(uses, token->id);
	struct use *found = NULL;

	for (int i = 0; i < BUCKET; i++) {
		if (strcmp(bucket[i].id, token->id) == 0)
			return &bucket[i];
		if (!found && bucket[i].expires_s <= now_s)
			found = &bucket[i];
	}
	if (found) {
		*found = (struct use){.expires_s = token->grant.expires_s};
		memcpy(found->id, token->id, sizeof(found->id));
	}
	return found;
}

bool uses_take(struct uses *uses, const struct token *token, uint64_t now_s, uint64_t *ret_left)
{
	struct use *use;

	*ret_left = 0;
	if (!token->id[0] || now_s >= token->grant.expires_s)
		return false;
	if (token->grant.max_calls == TOKEN_NO_LIMIT) {
		*ret_left = TOKEN_NO_LIMIT;
		return true;
	}
	use = place_of(uses, token, now_s);
	if (!use || use->made >= token->grant.max_calls)
		return false;
	use->made++;
	*ret_left = token->grant.max_calls - use->made;
	return true;
}
