/*
 * Token buckets: so many requests a minute, so many at once, by a name (an address, a principal,
 * an API key, a tenant). One ledger for each sort of name, so that addresses, of which a stranger
 * has many, never push out principals. Floor 2; pure.
 */
#ifndef CALLGATE_IDENTITY_RATE_H
#define CALLGATE_IDENTITY_RATE_H

#include "supervisor/identity/ledger.h"

#define RATE_CROWD 16 /* the crowd may do as much as so many names */

/* Zero in either: nothing may pass. */
struct rate_limit {
	uint32_t per_minute; /* 1 to 1000000 */
	uint32_t burst;      /* 1 to 100000 */
};

/* Takes one request. true: it may pass. false: *ret_retry_s is for Retry-After, 1 or more. The
 * limit may differ from call to call; what was used stays used. */
bool rate_take(struct ledger *ledger, const struct rate_limit *limit, const char *name,
    uint64_t now_us, uint32_t *ret_retry_s);

#endif
