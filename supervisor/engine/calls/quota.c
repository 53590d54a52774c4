#include "supervisor/engine/calls/quota.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "supervisor/base/clock.h"
#include "supervisor/engine/access/admission.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/record.h"

#define REFUSED_EVERY_US 1000000u
#define TICK_MS          1000

static const uint64_t limits[QUOTA_KIND_COUNT] = {
    [QUOTA_CALL] = QUOTA_CALLS,
    [QUOTA_APPROVAL] = QUOTA_APPROVALS,
    [QUOTA_WATCH] = QUOTA_WATCHES,
    [QUOTA_HOLD] = QUOTA_HELD,
    [QUOTA_BYTE] = QUOTA_BYTES,
};

struct account *quota_hold(struct engine *engine, const struct caller *caller)
{
	struct account *account = engine->accounts;

	while (account && strcmp(account->principal, caller->principal) != 0)
		account = account->next;
	if (!account) {
		account = calloc(1, sizeof(*account));
		if (!account)
			return NULL;
		account->engine = engine;
		memcpy(account->principal, caller->principal, sizeof(account->principal));
		account->next = engine->accounts;
		engine->accounts = account;
	}
	account->holds++;
	return account;
}

struct account *quota_drop(struct account *account)
{
	struct account **at;

	if (!account || --account->holds > 0)
		return NULL;
	for (at = &account->engine->accounts; *at != account; at = &(*at)->next)
		;
	*at = account->next;
	free(account);
	return NULL;
}

int quota_charge(struct account *account, enum quota_kind kind, uint64_t amount)
{
	if (amount > limits[kind] || account->used[kind] > limits[kind] - amount)
		return -EDQUOT;
	account->used[kind] += amount;
	return 0;
}

void quota_return(struct account *account, enum quota_kind kind, uint64_t amount)
{
	account->used[kind] -= amount <= account->used[kind] ? amount : account->used[kind];
}

static void report(struct account *account, uint64_t now_us)
{
	if (admission_may_tell(account->engine))
		record_auth_fail(account->engine, account->principal, account->refused_logins,
		    account->refused_why);
	else
		admission_leave(account->engine, account->refused_logins);
	account->refused_logins = 0;
	account->refused_reported_us = now_us;
}

static void on_tick(uv_timer_t *tick)
{
	quota_flush(tick->data, QUOTA_FLUSH_DUE);
}

/* The account stays for a second after a report, or the limit of one a second would not hold:
 * the tick owns one hold of each account that has ever reported. */
void quota_refused_login(struct engine *engine, const struct caller *caller, const char *why)
{
	uint64_t now_us = clock_monotonic_us();
	struct account *account = quota_hold(engine, caller);

	if (!account)
		return;
	if (account->refused_reported_us != 0)
		account->holds--; /* the tick holds it already */
	account->refused_logins++;
	(void)snprintf(account->refused_why, sizeof(account->refused_why), "%s", why);
	if (account->refused_reported_us == 0)
		report(account, now_us);
	if (!uv_is_active((uv_handle_t *)&engine->tick)) {
		engine->tick.data = engine;
		(void)uv_timer_start(&engine->tick, on_tick, TICK_MS, TICK_MS);
	}
}

void quota_flush(struct engine *engine, enum quota_flush which)
{
	uint64_t now_us = clock_monotonic_us();
	struct account *next;
	int waiting = 0;

	for (struct account *account = engine->accounts; account; account = next) {
		next = account->next;
		if (account->refused_reported_us == 0)
			continue;
		if (which == QUOTA_FLUSH_DUE &&
		    now_us - account->refused_reported_us < REFUSED_EVERY_US) {
			waiting = 1;
			continue;
		}
		if (account->refused_logins > 0)
			report(account, now_us);
		if (which == QUOTA_FLUSH_DUE && account->refused_reported_us == now_us) {
			waiting = 1;
		} else {
			account->refused_reported_us = 0;
			(void)quota_drop(account);
		}
	}
	if (!waiting)
		(void)uv_timer_stop(&engine->tick);
}
