#include "supervisor/identity/ledger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"

#define NAME_BYTES 16
#define NOWHERE    UINT32_MAX
/* How many of the longest untouched entries are looked at for one that may go. Touching follows
 * time, and what was not touched for long has mostly nothing more to say. */
#define LOOKED_AT 16

struct place {
	uint8_t name[NAME_BYTES];
	struct ledger_entry entry;
	uint32_t chain;        /* next of the same bucket */
	uint32_t newer, older; /* by last touch */
};

struct ledger {
	uint8_t seed[KEY_LEN];
	uint32_t size;
	uint32_t used;
	uint32_t mask; /* buckets - 1 */
	uint32_t newest, oldest;
	uint64_t crowded;
	struct ledger_entry crowd;
	uint32_t *buckets;
	struct place *places;
};

struct ledger *ledger_new(uint32_t places, const uint8_t seed[KEY_LEN])
{
	struct ledger *ledger;
	uint32_t buckets = 1;

	if (places < 1 || places > LEDGER_PLACES_MAX)
		return NULL;
	ledger = calloc(1, sizeof(*ledger));
	if (!ledger)
		return NULL;
	while (buckets < places)
		buckets *= 2;
	memcpy(ledger->seed, seed, KEY_LEN);
	ledger->size = places;
	ledger->mask = buckets - 1;
	ledger->newest = ledger->oldest = NOWHERE;
	ledger->buckets = malloc(buckets * sizeof(*ledger->buckets));
	ledger->places = calloc(places, sizeof(*ledger->places));
	if (!ledger->buckets || !ledger->places) {
		ledger_free(ledger);
		return NULL;
	}
	memset(ledger->buckets, 0xff, buckets * sizeof(*ledger->buckets));
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	free(ledger->buckets);
	free(ledger->places);
	free(ledger);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static uint32_t *bucket_of(struct ledger *ledger, const uint8_t name[NAME_BYTES])
{
	uint32_t hash;

	memcpy(&hash, name, sizeof(hash));
	return &ledger->buckets[hash & ledger->mask];
}

static uint32_t find(struct ledger *ledger, const uint8_t name[NAME_BYTES])
{
	uint32_t at = *bucket_of(ledger, name);

	while (at != NOWHERE && memcmp(ledger->places[at].name, name, NAME_BYTES) != 0)
		at = ledger->places[at].chain;
	return at;
}

static void unlink_age(struct ledger *ledger, uint32_t at)
{
	struct place *place = &ledger->places[at];

	if (place->newer != NOWHERE)
		ledger->places[place->newer].older = place->older;
	else
		ledger->newest = place->older;
	if (place->older != NOWHERE)
		ledger->places[place->older].newer = place->newer;
	else
		ledger->oldest = place->newer;
}

static void link_newest(struct ledger *ledger, uint32_t at)
{
	struct place *place = &ledger->places[at];

	place->newer = NOWHERE;
	place->older = ledger->newest;
	if (ledger->newest != NOWHERE)
		ledger->places[ledger->newest].newer = at;
	else
		ledger->oldest = at;
	ledger->newest = at;
}

static void unlink_bucket(struct ledger *ledger, uint32_t at)
{
	uint32_t *link = bucket_of(ledger, ledger->places[at].name);

	while (*link != at)
		link = &ledger->places[*link].chain;
	*link = ledger->places[at].chain;
}

/* A place that may be given away, or NOWHERE. */
static uint32_t idle_place(const struct ledger *ledger, uint64_t now_us)
{
	uint32_t at = ledger->oldest;

	for (int i = 0; i < LOOKED_AT && at != NOWHERE; i++) {
		if (ledger->places[at].entry.forget_us <= now_us)
			return at;
		at = ledger->places[at].newer;
	}
	return NOWHERE;
}

static uint32_t make_place(struct ledger *ledger, const uint8_t name[NAME_BYTES], uint64_t now_us)
{
	uint32_t *bucket = bucket_of(ledger, name);
	uint32_t at;

	if (ledger->used < ledger->size) {
		at = ledger->used++;
	} else {
		at = idle_place(ledger, now_us);
		if (at == NOWHERE)
			return at;
		unlink_bucket(ledger, at);
		unlink_age(ledger, at);
	}
	ledger->places[at] = (struct place){.chain = *bucket};
	memcpy(ledger->places[at].name, name, NAME_BYTES);
	*bucket = at;
	link_newest(ledger, at);
	return at;
}

/* ---- the table ------------------------------------------------------------------------------ */

static int hash_name(const struct ledger *ledger, const char *name, uint8_t ret[NAME_BYTES])
{
	struct digest digest;
	int fault = digest_hmac(&digest, ledger->seed, name, strlen(name));

	if (!fault)
		memcpy(ret, digest.bytes, NAME_BYTES);
	return fault;
}

static struct ledger_entry *crowd(struct ledger *ledger, bool *ret_crowd)
{
	ledger->crowded++;
	*ret_crowd = true;
	return &ledger->crowd;
}

struct ledger_entry *ledger_take(
    struct ledger *ledger, const char *name, uint64_t now_us, bool *ret_crowd)
{
	uint8_t hash[NAME_BYTES];
	uint32_t at;

	*ret_crowd = false;
	if (hash_name(ledger, name, hash) < 0)
		return crowd(ledger, ret_crowd);
	at = find(ledger, hash);
	if (at != NOWHERE) {
		unlink_age(ledger, at);
		link_newest(ledger, at);
	} else {
		at = make_place(ledger, hash, now_us);
	}
	return at == NOWHERE ? crowd(ledger, ret_crowd) : &ledger->places[at].entry;
}

const struct ledger_entry *ledger_look(
    struct ledger *ledger, const char *name, uint64_t now_us, bool *ret_crowd)
{
	uint8_t hash[NAME_BYTES];
	uint32_t at;

	*ret_crowd = false;
	if (hash_name(ledger, name, hash) < 0)
		return crowd(ledger, ret_crowd);
	at = find(ledger, hash);
	if (at != NOWHERE)
		return &ledger->places[at].entry;
	if (ledger->used < ledger->size || idle_place(ledger, now_us) != NOWHERE)
		return NULL;
	return crowd(ledger, ret_crowd);
}

uint64_t ledger_crowded(const struct ledger *ledger)
{
	return ledger->crowded;
}

/* ---- addresses ------------------------------------------------------------------------------ */

int ledger_address(char out[LEDGER_ADDRESS_MAX], const char *text)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char plain[INET6_ADDRSTRLEN];
	char hex[17];
	struct in6_addr six;
	struct in_addr four;
	size_t len = strcspn(text, "%"); /* a zone is of no weight */

	if (len >= sizeof(plain))
		return -EINVAL;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET, plain, &four) == 1) {
		str_hex(hex, &four, sizeof(four));
	} else if (inet_pton(AF_INET6, plain, &six) == 1) {
		if (memcmp(six.s6_addr, mapped, sizeof(mapped)) == 0)
			str_hex(hex, six.s6_addr + sizeof(mapped), 4);
		else
			str_hex(hex, six.s6_addr, 8);
	} else {
		return -EINVAL;
	}
	(void)snprintf(out, LEDGER_ADDRESS_MAX, "ip:%s", hex);
	return 0;
}
