/*
 * The keys of the issuer that the policy names, fetched by courier: regularly, sooner after a
 * failure, and once a minute at most out of turn (identity/key_cache.h decides). Without keys no
 * JWT is accepted. Floor 3, engine only; never blocks. Times are monotonic microseconds.
 */
#ifndef CALLGATE_ENGINE_ISSUER_H
#define CALLGATE_ENGINE_ISSUER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "policy/http.h"
#include "supervisor/identity/key_cache.h"

struct engine;

#define ISSUER_FETCH_MS 8000 /* for a whole answer; less than a held request waits */

/* Zeroed: there is no issuer. */
struct issuer {
	struct engine *engine; /* NULL: none */
	struct key_cache cache;
	char *url;            /* owned; NULL: none */
	uv_timer_t *timer;    /* owned; NULL: none; for the next fetch in turn */
	bool is_asking;       /* courier was asked and has not answered */
	uint64_t got, failed; /* since the start, for metrics */
};

/* At each policy: another URL starts anew, without the keys of the old one; the same one keeps
 * them. 0 or -ENOMEM, -errno. */
int issuer_set(struct issuer *issuer, struct engine *engine, const struct policy_auth *auth);
/* Courier has come: what could not be asked before is asked now. */
void issuer_wake(struct issuer *issuer);
/* A token names a key that is not known. true: keys are on their way, and held_resume() will be
 * called when they are there or not to be had. */
bool issuer_awaits(struct issuer *issuer);
/* NULL: none that may still be used. Borrowed for this turn of the loop. */
const struct jwks *issuer_keys(const struct issuer *issuer);
void issuer_fini(struct issuer *issuer);

#endif
