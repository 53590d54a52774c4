#include "supervisor/engine/access/issuer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/access/held.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"

#define SKIPPED_MAX 4096
#define INTERVAL_MS (15ull * 60 * 1000)   /* where the policy says nothing */
#define KEEP_MS     (24ull * 3600 * 1000) /* the same */

static void on_timer(uv_timer_t *timer);

static void arm(struct issuer *issuer)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t next_us = key_cache_next_us(&issuer->cache, now_us);

	(void)uv_timer_start(issuer->timer, on_timer, (next_us - now_us) / 1000 + 1, 0);
}

/* ---- what came ---------------------------------------------------------------------------- */

static int read_keys(const struct message_fetched *answer, struct jwks **ret, struct err_note *note)
{
	if (answer->status != ANSWER_OK)
		return err_note(note, -EIO, "%s", answer->note ? answer->note : "no answer");
	if (answer->http != 200)
		return err_note(note, -EIO, "the issuer answers with status %u", answer->http);
	return jwks_parse(ret, answer->body.data, answer->body.len, note);
}

static void tell_skipped(const struct jwks *set)
{
	struct buf cleanup_with(buf_fini) lines = {0};
	const char *text;

	buf_init(&lines, SKIPPED_MAX);
	(void)jwks_skipped(set, &lines);
	text = buf_cstr(&lines);
	if (text && text[0])
		log_warn("server.auth.jwks_url: keys that are not used: %s", text);
}

static void on_fetched(void *context, const struct message_fetched *answer)
{
	struct issuer *issuer = context;
	struct err_note note = {""};
	struct jwks *set = NULL;
	int fault = read_keys(answer, &set, &note);

	issuer->is_asking = false;
	if (fault) {
		key_cache_failed(&issuer->cache);
		issuer->failed++;
		log_warn("server.auth.jwks_url: no newer keys: %s; older ones count for "
			 "server.auth.keep_keys",
		    note.text);
	} else {
		tell_skipped(set);
		key_cache_got(&issuer->cache, set, clock_monotonic_us());
		issuer->got++;
	}
	arm(issuer);
	held_resume(issuer->engine);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void ask(struct issuer *issuer)
{
	static const char *const headers[] = {"Accept: application/json"};
	const struct message_fetch fetch = {
	    .method = FETCH_GET,
	    .url = issuer->url,
	    .headers = {.items = (const char **)headers, .count = 1},
	    .timeout_ms = ISSUER_FETCH_MS,
	    .answer_max = JWKS_BYTES_MAX,
	    .body = {.data = "", .len = 0},
	};
	int64_t serial = fetch_start(issuer->engine, &fetch, on_fetched, issuer);

	issuer->is_asking = serial > 0;
	if (serial > 0)
		return;
	key_cache_failed(&issuer->cache);
	issuer->failed++;
	log_warn("server.auth.jwks_url: courier cannot be asked: %s", strerror((int)-serial));
}

/* Without courier nothing is tried, so that the first try comes as soon as it is there. */
static bool can_ask(const struct issuer *issuer)
{
	return issuer->url && issuer->engine->courier.name;
}

static void turn(struct issuer *issuer)
{
	if (can_ask(issuer) && key_cache_ask(&issuer->cache, false, clock_monotonic_us()))
		ask(issuer);
	if (can_ask(issuer))
		arm(issuer);
}

static void on_timer(uv_timer_t *timer)
{
	turn(timer->data);
}

void issuer_wake(struct issuer *issuer)
{
	if (issuer->timer)
		turn(issuer);
}

bool issuer_awaits(struct issuer *issuer)
{
	uint64_t now_us = clock_monotonic_us();

	if (issuer->timer && !issuer->is_asking && can_ask(issuer) &&
	    key_cache_ask(&issuer->cache, true, now_us))
		ask(issuer);
	return issuer->is_asking;
}

const struct jwks *issuer_keys(const struct issuer *issuer)
{
	return key_cache_keys(&issuer->cache, clock_monotonic_us());
}

/* ---- birth and death ---------------------------------------------------------------------- */

static void free_timer(uv_handle_t *timer)
{
	free(timer);
}

void issuer_fini(struct issuer *issuer)
{
	if (issuer->engine)
		fetch_forget(issuer->engine, issuer);
	key_cache_fini(&issuer->cache);
	free(take_ptr(issuer->url));
	if (issuer->timer)
		uv_close((uv_handle_t *)take_ptr(issuer->timer), free_timer);
	issuer->engine = NULL;
	issuer->is_asking = false;
}

static int start(struct issuer *issuer, struct engine *engine, const char *url)
{
	issuer->engine = engine;
	issuer->url = strdup(url);
	issuer->timer = malloc(sizeof(*issuer->timer));
	if (!issuer->url || !issuer->timer || uv_timer_init(engine->loop, issuer->timer)) {
		free(take_ptr(issuer->timer));
		issuer_fini(issuer);
		return -ENOMEM;
	}
	issuer->timer->data = issuer;
	return 0;
}

static uint64_t or_else(uint64_t said, uint64_t otherwise)
{
	return said ? said : otherwise;
}

int issuer_set(struct issuer *issuer, struct engine *engine, const struct policy_auth *auth)
{
	bool wanted = auth->enabled && auth->jwks_url && auth->jwks_url[0];
	int fault = 0;

	if (issuer->url && (!wanted || strcmp(issuer->url, auth->jwks_url) != 0))
		issuer_fini(issuer);
	if (!wanted)
		return 0;
	if (!issuer->url)
		fault = start(issuer, engine, auth->jwks_url);
	if (fault)
		return fault;
	issuer->cache.interval_us = or_else(auth->refresh_interval_ms, INTERVAL_MS) * 1000;
	issuer->cache.keep_us = or_else(auth->keep_keys_ms, KEEP_MS) * 1000;
	turn(issuer);
	return 0;
}
