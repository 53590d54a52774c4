/*
 * A bounded table of who did what how often, for rate limits and failed sign-ins.
 *
 * Names are kept as keyed hashes, so nobody outside can aim at a bucket. All memory is taken at
 * the start. A place is given to somebody else only when its entry has nothing more to say (its
 * bucket is full again, its failures are forgiven): whoever is limited cannot have himself
 * forgotten by bringing many other names. While no place is free, newcomers share one entry, the
 * crowd; those in the table do not notice. Floor 2: libcrypto; pure, time comes as a parameter.
 */
#ifndef CALLGATE_IDENTITY_LEDGER_H
#define CALLGATE_IDENTITY_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/digest.h"

#define LEDGER_PLACES_MAX (1u << 20)

struct ledger;

/* Both zero: nothing to say. Monotonic microseconds. */
struct ledger_entry {
	uint64_t forget_us; /* from then on the entry may be given away */
	uint64_t until_us;
};

/* places: entries at most, 1 to LEDGER_PLACES_MAX, about 56 bytes each. seed: random bytes.
 * NULL: no memory, or places out of range. */
struct ledger *ledger_new(uint32_t places, const uint8_t seed[KEY_LEN]);
void ledger_free(struct ledger *ledger);

/* The entry of a name, made if need be; the crowd's if there is no place (or libcrypto fails).
 * *ret_crowd says which. Never NULL; borrowed until the next call. */
struct ledger_entry *ledger_take(
    struct ledger *ledger, const char *name, uint64_t now_us, bool *ret_crowd);
/* The same without making one: NULL if the name is unknown and there is still place for it. */
const struct ledger_entry *ledger_look(
    struct ledger *ledger, const char *name, uint64_t now_us, bool *ret_crowd);
/* Requests that were judged as part of the crowd, since the start. */
uint64_t ledger_crowded(const struct ledger *ledger);

/* The name of a network address, for both: an IPv4 address whole; of an IPv6 address the /64, of
 * which anybody has as many addresses as he likes; an IPv4 address inside IPv6 is the IPv4 one.
 * 0 or -EINVAL. */
#define LEDGER_ADDRESS_MAX 24
int ledger_address(char out[LEDGER_ADDRESS_MAX], const char *text);

#endif
