#include "supervisor/identity/rate.h"

#define MINUTE_US 60000000ull
#define SECOND_US 1000000ull

/* The bucket is kept as one time: when it will be full again. Each request moves it by one
 * interval; it may not be further ahead than the burst allows. */
bool rate_take(struct ledger *ledger, const struct rate_limit *limit, const char *name,
    uint64_t now_us, uint32_t *ret_retry_s)
{
	struct ledger_entry *entry;
	uint64_t interval, full_us, ahead;
	bool crowd;

	*ret_retry_s = 60;
	if (limit->per_minute == 0 || limit->burst == 0)
		return false;
	entry = ledger_take(ledger, name, now_us, &crowd);
	interval = MINUTE_US / limit->per_minute;
	if (interval == 0)
		interval = 1;
	if (crowd)
		interval = (interval + RATE_CROWD - 1) / RATE_CROWD;
	ahead = interval * limit->burst * (crowd ? RATE_CROWD : 1);
	full_us = (entry->forget_us > now_us ? entry->forget_us : now_us) + interval;
	if (full_us - now_us > ahead) {
		uint64_t wait = full_us - now_us - ahead;
		uint64_t seconds = (wait + SECOND_US - 1) / SECOND_US;

		*ret_retry_s = seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
		return false;
	}
	entry->forget_us = full_us;
	*ret_retry_s = 0;
	return true;
}
