/*
 * The key set of one issuer over time: when to fetch it again, and how long an old one counts.
 *
 * Fetching is somebody else's work. Here it is only decided: regularly; sooner after a failure;
 * and once out of turn, a minute apart at most, when a token names a key that is not known, so
 * that a stranger's made-up names cost the issuer nothing. When fetching fails the old keys stay,
 * up to a limit, and then there are none: nothing is ever accepted for lack of keys.
 * Floor 2; pure, monotonic time comes as a parameter.
 */
#ifndef CALLGATE_IDENTITY_KEY_CACHE_H
#define CALLGATE_IDENTITY_KEY_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/identity/jwks.h"

#define KEY_CACHE_FORCED_US (60ull * 1000000) /* between any fetch and one out of turn */
#define KEY_CACHE_RETRY_US  (10ull * 1000000) /* after a failure */
#define KEY_CACHE_ANSWER_US (60ull * 1000000) /* then a fetch without an answer has failed */

/* Zeroed but for the two durations: no keys, nothing asked. Ended by key_cache_fini(). */
struct key_cache {
	uint64_t interval_us; /* from one good fetch to the next */
	uint64_t keep_us;     /* how old keys may be; below interval_us it makes gaps */
	struct jwks *set;     /* private, owned; NULL: none */
	uint64_t fetched_us;  /* private: of the set */
	uint64_t asked_us;    /* private */
	bool was_asked;       /* private: asked_us means something */
	bool is_asking;       /* private */
	bool has_failed;      /* private: the last fetch did */
};

/* Whether to fetch now; true counts as having begun. out_of_turn: credential_wants_keys(). */
bool key_cache_ask(struct key_cache *cache, bool out_of_turn, uint64_t now_us);
/* When to ask again in turn, for a timer. */
uint64_t key_cache_next_us(const struct key_cache *cache, uint64_t now_us);
/* What came of it. got: takes the set over and frees the one before, so nothing of it may still
 * be borrowed. An answer that nobody waits for any more is as good as another. */
void key_cache_got(struct key_cache *cache, struct jwks *set, uint64_t now_us);
void key_cache_failed(struct key_cache *cache);
/* NULL: none, or too old. Borrowed until the next key_cache_got(). */
const struct jwks *key_cache_keys(const struct key_cache *cache, uint64_t now_us);
void key_cache_fini(struct key_cache *cache);

#endif
