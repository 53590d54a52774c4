#include "supervisor/identity/key_cache.h"

static bool is_waiting(const struct key_cache *cache, uint64_t now_us)
{
	return cache->is_asking && now_us - cache->asked_us < KEY_CACHE_ANSWER_US;
}

uint64_t key_cache_next_us(const struct key_cache *cache, uint64_t now_us)
{
	uint64_t next_us;

	if (!cache->was_asked)
		return now_us;
	if (cache->is_asking)
		next_us = cache->asked_us + KEY_CACHE_ANSWER_US;
	else if (cache->has_failed)
		next_us = cache->asked_us + KEY_CACHE_RETRY_US;
	else
		next_us = cache->fetched_us + cache->interval_us;
	return next_us > now_us ? next_us : now_us;
}

bool key_cache_ask(struct key_cache *cache, bool out_of_turn, uint64_t now_us)
{
	if (is_waiting(cache, now_us))
		return false;
	if (key_cache_next_us(cache, now_us) > now_us &&
	    !(out_of_turn && now_us - cache->asked_us >= KEY_CACHE_FORCED_US))
		return false;
	cache->was_asked = true;
	cache->is_asking = true;
	cache->asked_us = now_us;
	return true;
}

void key_cache_got(struct key_cache *cache, struct jwks *set, uint64_t now_us)
{
	jwks_free(cache->set);
	cache->set = set;
	cache->fetched_us = now_us;
	cache->is_asking = false;
	cache->has_failed = false;
}

void key_cache_failed(struct key_cache *cache)
{
	cache->is_asking = false;
	cache->has_failed = true;
}

const struct jwks *key_cache_keys(const struct key_cache *cache, uint64_t now_us)
{
	return cache->set && now_us - cache->fetched_us < cache->keep_us ? cache->set : NULL;
}

void key_cache_fini(struct key_cache *cache)
{
	jwks_free(cache->set);
	*cache = (struct key_cache){.set = NULL};
}
