#include "sandbox/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HOLDINGS_FIRST 256

struct held {
	struct holdings *holdings; /* NULL: not shared */
	struct held *next;         /* of its bucket */
	struct held_key key;
	int fd;
	uint32_t holders;
};

static struct held **bucket_of(const struct holdings *holdings, const struct held_key *key)
{
	uint64_t mixed = (key->ino ^ key->dev << 32 ^ key->mount << 48) * 0x9e3779b97f4a7c15u;

	return &holdings->buckets[mixed >> 32 & (holdings->cap - 1)];
}

static int grow(struct holdings *holdings)
{
	struct holdings larger = {.count = holdings->count};

	if (holdings->count < holdings->cap)
		return 0;
	larger.cap = holdings->cap == 0 ? HOLDINGS_FIRST : holdings->cap * 2;
	larger.buckets = calloc(larger.cap, sizeof(*larger.buckets));
	if (larger.buckets == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < holdings->cap; i++) {
		struct held *next, *held = holdings->buckets[i];

		for (; held != NULL; held = next) {
			struct held **bucket = bucket_of(&larger, &held->key);

			next = held->next;
			held->next = *bucket;
			*bucket = held;
		}
	}
	free(holdings->buckets);
	*holdings = larger;
	return 0;
}

struct held *held_find(struct holdings *holdings, const struct held_key *key)
{
	if (holdings == NULL || holdings->cap == 0)
		return NULL;
	for (struct held *held = *bucket_of(holdings, key); held != NULL; held = held->next)
		if (held->key.ino == key->ino && held->key.dev == key->dev &&
		    held->key.mount == key->mount) {
			held->holders++;
			return held;
		}
	return NULL;
}

static void insert(struct holdings *holdings, struct held *held)
{
	struct held **bucket = bucket_of(holdings, &held->key);

	held->holdings = holdings;
	held->next = *bucket;
	*bucket = held;
	holdings->count++;
}

int held_put(struct holdings *holdings, const struct held_key *key, int fd, struct held **ret)
{
	struct held *held = held_find(holdings, key);

	if (held != NULL) {
		close(fd);
		*ret = held;
		return 0;
	}
	held = calloc(1, sizeof(*held));
	if (held == NULL || (holdings != NULL && grow(holdings) < 0)) {
		free(held);
		close(fd);
		return -ENOMEM;
	}
	held->key = *key;
	held->fd = fd;
	held->holders = 1;
	if (holdings != NULL)
		insert(holdings, held);
	*ret = held;
	return 0;
}

int held_place(struct holdings *holdings, int fd, struct held **ret)
{
	struct held_key key = {.ino = 0};
	struct statx st;

	/* A kernel that cannot tell mounts apart shares none. */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) < 0 ||
	    !(st.stx_mask & STATX_MNT_ID))
		return held_put(NULL, &key, fd, ret);
	key = (struct held_key){
	    .dev = makedev(st.stx_dev_major, st.stx_dev_minor),
	    .ino = st.stx_ino,
	    .mount = st.stx_mnt_id,
	};
	return held_put(holdings, &key, fd, ret);
}

int held_fd(const struct held *held)
{
	return held->fd;
}

static void take_out(struct held *held)
{
	struct held **at = bucket_of(held->holdings, &held->key);

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
	held->holdings->count--;
}

void held_drop(struct held *held)
{
	if (held == NULL || --held->holders > 0)
		return;
	if (held->holdings != NULL)
		take_out(held);
	close(held->fd);
	free(held);
}

void holdings_fini(struct holdings *holdings)
{
	free(holdings->buckets);
	memset(holdings, 0, sizeof(*holdings));
}
