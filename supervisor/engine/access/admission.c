#include "supervisor/engine/access/admission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record_http.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/identity/attempts.h"
#include "supervisor/identity/rate.h"

#define ADDRESSES    65536
#define PRINCIPALS   16384
#define TENANTS      4096

#define PER_MINUTE   100 /* where the policy says nothing */
#define BURST        20  /* the same */

#define SECOND_US    1000000ull
#define MINUTE_US    (60 * SECOND_US)
#define WELCOME_US   (600 * SECOND_US)
#define SUMMARY_MS   60000
#define WELCOME_NAME (PRINCIPAL_MAX + 2 * ADMISSION_NAME_MAX)

static struct admission *of(struct engine *engine)
{
	return &engine->auth->admission;
}

/* ---- birth and death ---------------------------------------------------------------------- */

static int make(struct ledger **ret, uint32_t places)
{
	uint8_t seed[KEY_LEN];
	int fault = key_random(seed, sizeof(seed));

	if (!fault)
		*ret = ledger_new(places, seed);
	key_wipe(seed, sizeof(seed));
	return fault ? fault : *ret ? 0 : -ENOMEM;
}

int admission_init(struct admission *admission, struct engine *engine)
{
	int fault;

	admission->engine = engine;
	fault = make(&admission->addresses, ADDRESSES);
	if (!fault)
		fault = make(&admission->attempts, ADDRESSES);
	if (!fault)
		fault = make(&admission->principals, PRINCIPALS);
	if (!fault)
		fault = make(&admission->keys, PRINCIPALS);
	if (!fault)
		fault = make(&admission->tenants, TENANTS);
	if (!fault)
		fault = make(&admission->welcomed, PRINCIPALS);
	return fault;
}

static void free_timer(uv_handle_t *timer)
{
	free(timer);
}

void admission_fini(struct admission *admission)
{
	ledger_free(admission->addresses);
	ledger_free(admission->attempts);
	ledger_free(admission->principals);
	ledger_free(admission->keys);
	ledger_free(admission->tenants);
	ledger_free(admission->welcomed);
	if (admission->timer)
		uv_close((uv_handle_t *)take_ptr(admission->timer), free_timer);
}

/* ---- the summary of each minute ----------------------------------------------------------- */

static bool tell_summary(struct engine *engine)
{
	const struct message_counts *front = &engine->http_counts;
	struct summary *since = &of(engine)->since;
	struct summary told = *since;

	told.health = front->health - since->health;
	told.refused = front->refused - since->refused;
	told.answered = front->answered - since->answered;
	*since = (struct summary){
	    .health = front->health, .refused = front->refused, .answered = front->answered};
	if (!told.failed && !told.bare && !told.limited && !told.metrics && !told.health &&
	    !told.refused && !told.answered)
		return false;
	record_http_summary(engine, &told);
	return true;
}

bool admission_may_tell(struct engine *engine)
{
	struct admission *admission = engine->auth ? of(engine) : NULL;
	uint64_t now_us = clock_monotonic_us();

	if (!admission)
		return true;
	if (!admission->told_since_us || now_us - admission->told_since_us >= MINUTE_US) {
		admission->told_since_us = now_us;
		admission->told = 0;
	}
	if (admission->told >= ADMISSION_TOLD)
		return false;
	admission->told++;
	return true;
}

static bool tell_failures(struct engine *engine)
{
	struct admission *admission = of(engine);
	uint64_t now_us = clock_monotonic_us();
	bool told = false;

	for (size_t i = 0; i < ADMISSION_FAILURES; i++) {
		struct failure *failure = &admission->failures[i];

		if (!failure->untold)
			continue;
		if (admission_may_tell(engine))
			record_auth_failed(
			    engine, failure->address, failure->untold, "summary", "", "");
		else
			admission->rest += failure->untold;
		failure->untold = 0;
		failure->told_us = now_us;
		told = true;
	}
	if (!admission->rest)
		return told;
	record_auth_failed(engine, "", admission->rest, "summary", "", "");
	admission->rest = 0;
	return true;
}

void admission_flush(struct engine *engine)
{
	if (!engine->auth)
		return;
	(void)tell_failures(engine);
	(void)tell_summary(engine);
}

/* The timer rests when nobody came for a minute. */
static void on_minute(uv_timer_t *timer)
{
	struct admission *admission = timer->data;
	bool told = tell_failures(admission->engine);

	if (tell_summary(admission->engine) || told)
		return;
	(void)uv_timer_stop(timer);
	admission->is_running = false;
}

static void wind(struct engine *engine)
{
	struct admission *admission = of(engine);

	if (admission->is_running)
		return;
	if (!admission->timer) {
		admission->timer = malloc(sizeof(*admission->timer));
		if (!admission->timer)
			return;
		if (uv_timer_init(engine->loop, admission->timer)) {
			free(take_ptr(admission->timer));
			return;
		}
		admission->timer->data = admission;
	}
	(void)uv_timer_start(admission->timer, on_minute, SUMMARY_MS, SUMMARY_MS);
	admission->is_running = true;
}

/* ---- rates -------------------------------------------------------------------------------- */

void admission_name(char out[ADMISSION_NAME_MAX], const char *address, uint32_t uid)
{
	char network[LEDGER_ADDRESS_MAX];

	if (!address || !address[0])
		(void)snprintf(out, ADMISSION_NAME_MAX, "uid:%u", uid);
	else if (ledger_address(network, address) == 0)
		(void)snprintf(out, ADMISSION_NAME_MAX, "%s", network);
	else
		(void)snprintf(out, ADMISSION_NAME_MAX, "unknown");
}

static uint32_t within(uint64_t number, uint64_t max)
{
	return (uint32_t)(number < max ? number : max);
}

static struct rate_limit limit_of(const struct policy_rate *rate, uint64_t times)
{
	uint64_t minute = rate->requests_per_minute ? rate->requests_per_minute : PER_MINUTE;
	uint64_t burst = rate->burst ? rate->burst : BURST;

	return (struct rate_limit){.per_minute = within(times * within(minute, 1000000), 1000000),
	    .burst = within(times * within(burst, 100000), 100000)};
}

/* A tenant's rate has no switch of its own: it is on where it is given. */
static bool take(struct engine *engine, struct ledger *ledger, const struct policy_rate *rate,
    uint64_t times, const char *name, uint32_t *ret_retry_s)
{
	const struct rate_limit limit = limit_of(rate, times);
	bool is_on = rate->enabled || ledger == of(engine)->tenants;

	*ret_retry_s = 0;
	if (!is_on || rate_take(ledger, &limit, name, clock_monotonic_us(), ret_retry_s))
		return true;
	of(engine)->since.limited++;
	metrics_auth(engine, CALLER_NOBODY, "limited");
	wind(engine);
	return false;
}

bool admission_address(struct engine *engine, const char *name, bool shows, uint32_t *ret_retry_s)
{
	const struct policy_rate *rate = &engine->rules->policy->http.rate;

	wind(engine);
	return take(engine, of(engine)->addresses, rate,
	    shows && rate->per_user ? ADMISSION_SHARED : 1, name, ret_retry_s);
}

bool admission_try(struct engine *engine, const char *name, uint32_t *ret_retry_s)
{
	if (attempts_may(of(engine)->attempts, name, clock_monotonic_us(), ret_retry_s))
		return true;
	of(engine)->since.limited++;
	metrics_auth(engine, CALLER_NOBODY, "paused");
	wind(engine);
	return false;
}

const char *admission_tenant(
    const struct policy *policy, const struct caller *caller, const char *space)
{
	const struct policy_tenant *tenant;

	if (caller->tenant[0])
		return caller->tenant;
	tenant = policy_tenant_of(policy, space && space[0] ? space : "default");
	return tenant ? tenant->name : "";
}

static const struct policy_rate *rate_of_tenant(const struct policy *policy, const char *name)
{
	for (uint32_t i = 0; i < policy->tenant_count; i++)
		if (strcmp(policy->tenants[i].name, name) == 0 && policy->tenants[i].rate.given)
			return &policy->tenants[i].rate;
	return NULL;
}

bool admission_caller(
    struct engine *engine, const struct caller *caller, const char *space, uint32_t *ret_retry_s)
{
	const struct policy *policy = engine->rules->policy;
	const struct policy_rate *rate = &policy->http.rate, *tenants;
	const char *tenant = admission_tenant(policy, caller, space);
	struct admission *admission = of(engine);

	*ret_retry_s = 0;
	if (rate->per_user && caller_is_proven(caller) &&
	    !take(engine, admission->principals, rate, 1, caller->principal, ret_retry_s))
		return false;
	if (caller->credential[0] &&
	    !take(engine, admission->keys, rate, 1, caller->credential, ret_retry_s))
		return false;
	tenants = tenant[0] ? rate_of_tenant(policy, tenant) : NULL;
	return !tenants || take(engine, admission->tenants, tenants, 1, tenant, ret_retry_s);
}

/* ---- what came of it ---------------------------------------------------------------------- */

/* Who holds what was good once or elsewhere, or could not be checked, is not guessing: these are
 * said of a key that is known, or behind a good signature. */
static bool is_guess(enum credential_verdict verdict)
{
	static const enum credential_verdict known[] = {CREDENTIAL_EXPIRED, CREDENTIAL_NOT_YET,
	    CREDENTIAL_ISSUED_LATER, CREDENTIAL_NO_EXPIRY, CREDENTIAL_ISSUER, CREDENTIAL_AUDIENCE,
	    CREDENTIAL_BOUND, CREDENTIAL_REVOKED, CREDENTIAL_FAULT};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == verdict)
			return false;
	return true;
}

/* The place of this address, or one that has nothing to say any more; NULL: none is free. */
static struct failure *place_of(struct admission *admission, const char *name, uint64_t now_us)
{
	struct failure *found = NULL;

	for (size_t i = 0; i < ADMISSION_FAILURES; i++) {
		struct failure *at = &admission->failures[i];

		if (strcmp(at->name, name) == 0)
			return at;
		if (!found && (!at->name[0] || (!at->untold && now_us - at->told_us >= SECOND_US)))
			found = at;
	}
	if (found) {
		*found = (struct failure){.untold = 0};
		(void)snprintf(found->name, sizeof(found->name), "%s", name);
	}
	return found;
}

void admission_failed(struct engine *engine, const char *name, const char *address,
    enum caller_proof proof, enum credential_verdict verdict, const char *id)
{
	struct admission *admission = of(engine);
	uint64_t now_us = clock_monotonic_us();
	struct failure *failure = place_of(admission, name, now_us);

	if (is_guess(verdict))
		attempts_failed(admission->attempts, name, now_us);
	admission->since.failed++;
	metrics_auth(engine, proof, credential_name(verdict));
	wind(engine);
	if (!failure) {
		admission->rest++;
		return;
	}
	(void)snprintf(
	    failure->address, sizeof(failure->address), "%s", address[0] ? address : name);
	failure->untold++;
	if ((failure->told_us && now_us - failure->told_us < SECOND_US) ||
	    !admission_may_tell(engine))
		return;
	record_auth_failed(engine, failure->address, failure->untold, credential_name(verdict),
	    caller_proof_name(proof), id);
	failure->untold = 0;
	failure->told_us = now_us;
}

void admission_leave(struct engine *engine, uint32_t count)
{
	if (!engine->auth)
		return;
	of(engine)->rest += count;
	wind(engine);
}

void admission_bare(struct engine *engine)
{
	of(engine)->since.bare++;
	metrics_auth(engine, CALLER_NOBODY, credential_name(CREDENTIAL_ABSENT));
	wind(engine);
}

void admission_metrics(struct engine *engine)
{
	if (!engine->auth)
		return;
	of(engine)->since.metrics++;
	wind(engine);
}

/* Of those for whom there is no place one a second is recorded. */
void admission_welcome(struct engine *engine, const struct caller *caller, const char *name)
{
	char whole[WELCOME_NAME];
	uint64_t now_us = clock_monotonic_us();
	struct ledger_entry *entry;
	bool crowd;

	metrics_auth(engine, caller->proof, credential_name(CREDENTIAL_OK));
	(void)snprintf(
	    whole, sizeof(whole), "%s\n%.80s\n%s", caller->principal, caller->credential, name);
	entry = ledger_take(of(engine)->welcomed, whole, now_us, &crowd);
	if (entry->until_us > now_us)
		return;
	entry->until_us = entry->forget_us = now_us + (crowd ? SECOND_US : WELCOME_US);
	record_auth_ok(engine, caller);
}
