#include "supervisor/identity/attempts.h"

#define SECOND_US 1000000ull
#define FORGET_US (ATTEMPTS_FORGET_S * SECOND_US)

bool attempts_may(struct ledger *ledger, const char *name, uint64_t now_us, uint32_t *ret_retry_s)
{
	bool crowd;
	const struct ledger_entry *entry = ledger_look(ledger, name, now_us, &crowd);

	*ret_retry_s = 0;
	if (!entry || entry->until_us <= now_us)
		return true;
	*ret_retry_s = (uint32_t)((entry->until_us - now_us + SECOND_US - 1) / SECOND_US);
	return false;
}

static uint64_t pause_s(uint64_t failures)
{
	uint64_t pause = 1;

	if (failures <= ATTEMPTS_FREE)
		return 0;
	for (uint64_t i = ATTEMPTS_FREE + 1; i < failures && pause < ATTEMPTS_PAUSE_S; i++)
		pause *= 2;
	return pause < ATTEMPTS_PAUSE_S ? pause : ATTEMPTS_PAUSE_S;
}

/* How many failures are not forgiven yet is kept as the time when all will be. */
void attempts_failed(struct ledger *ledger, const char *name, uint64_t now_us)
{
	bool crowd;
	struct ledger_entry *entry = ledger_take(ledger, name, now_us, &crowd);
	uint64_t owed = entry->forget_us > now_us ? entry->forget_us - now_us : 0;
	uint64_t pause;

	owed += FORGET_US;
	if (owed > ATTEMPTS_COUNTED * FORGET_US)
		owed = ATTEMPTS_COUNTED * FORGET_US;
	pause = pause_s((owed + FORGET_US - 1) / FORGET_US);
	if (crowd && pause > ATTEMPTS_CROWD_S)
		pause = ATTEMPTS_CROWD_S;
	entry->forget_us = now_us + owed;
	if (now_us + pause * SECOND_US > entry->until_us)
		entry->until_us = now_us + pause * SECOND_US;
}
