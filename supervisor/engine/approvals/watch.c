#include "supervisor/engine/approvals/watch.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/approval_told.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/calls/stream.h"
#include "supervisor/engine/calls/subject.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

#define LIST_BYTES_MAX (WIRE_RESULT_MAX / 2) /* of text; JSON makes it longer */
#define LIST_FACTS_MAX (256 * 1024)          /* bytes of one question beside its plan */

struct watch {
	struct watch *next;
	struct result_to to;
	uint64_t peer;
	struct caller *caller; /* held */
	char *agent, *space;   /* owned */
	uint64_t since;
	struct account *account;
	uv_timer_t timer; /* freed in its close callback */
};

/* Approvers see all of their namespaces, everybody else his own questions. */
static bool may_see(const struct viewer *viewer, const struct approval *approval)
{
	return approval->state == APPROVAL_PENDING &&
	       viewer_sees(viewer, approval->space, approval->principal, approval->tool);
}

uint32_t watch_seen(const struct engine *engine, const struct viewer *viewer)
{
	uint32_t count = 0;

	for (const struct approval *at = engine->approvals.first; at; at = at->next)
		count += may_see(viewer, at);
	return count;
}

/* One question must not fill the answer, or nobody would see any. The plan tells of a long standard
 * input, too; the arguments are for those who edit, and GET has them. */
static json_t *entry(const struct engine *engine, const struct approval *approval)
{
	json_t *told = approval_json(engine, approval);

	if (told && approval->facts_bytes > LIST_FACTS_MAX &&
	    json_object_del(told, "arguments") == 0)
		(void)json_object_set_new(told, "arguments_left_out", json_true());
	return told;
}

/* The oldest come first; what does not fit into one answer is counted, and shown when others are
 * answered. Nothing is shown in part, so nobody approves what was cut. */
static json_t *list(const struct engine *engine, const struct viewer *viewer)
{
	json_t *approvals = json_array();
	size_t bytes = 0;
	json_int_t more = 0;

	for (const struct approval *at = engine->approvals.first; at; at = at->next) {
		size_t size = approval_size(at);

		if (!may_see(viewer, at))
			continue;
		if (bytes + size > LIST_BYTES_MAX && bytes > 0) {
			more++;
			continue;
		}
		bytes += size;
		(void)json_array_append_new(approvals, entry(engine, at));
	}
	return json_pack("{s:I, s:I, s:o}", "revision", (json_int_t)engine->approvals.revision,
	    "more", more, "approvals", approvals);
}

/* Only who has some role may look. */
static bool refuse_stranger(const struct methods_ask *ask)
{
	char sentence[JUDGE_SENTENCE_MAX];

	if (ask->identity.role_count > 0)
		return false;
	quota_refused_login(ask->engine, ask->peer->caller, "no role");
	result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
	    judge_identity_sentence(sentence, IDENTITY_NO_ROLE, ask->peer->caller));
	return true;
}

void watch_list(const struct methods_ask *ask)
{
	const struct viewer viewer = {ask->engine, ask->peer->caller};

	if (!refuse_stranger(ask))
		result_give(&ask->to, list(ask->engine, &viewer));
}

/* ---- the long poll ----------------------------------------------------------------------- */

static void free_watch(struct watch *watch)
{
	(void)quota_drop(watch->account);
	(void)caller_drop(watch->caller);
	free(watch->agent);
	free(watch->space);
	free(watch);
}

static void on_timer_closed(uv_handle_t *timer)
{
	free_watch(timer->data);
}

static void drop(struct watch *watch)
{
	struct watch **at = &watch->to.engine->watches;

	while (*at != watch)
		at = &(*at)->next;
	*at = watch->next;
	quota_return(watch->account, QUOTA_WATCH, 1);
	uv_close((uv_handle_t *)&watch->timer, on_timer_closed);
}

/* Judged anew: roles may have changed while it waited. */
static void answer(struct watch *watch)
{
	struct engine *engine = watch->to.engine;
	const struct viewer viewer = {engine, watch->caller};

	result_give(&watch->to, list(engine, &viewer));
	drop(watch);
}

static void on_timer_over(uv_timer_t *timer)
{
	answer(timer->data);
}

static struct watch *make(const struct methods_ask *ask, uint64_t since)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->to = ask->to;
	watch->peer = ask->peer->id;
	watch->caller = caller_hold(ask->peer->caller);
	watch->since = since;
	watch->agent = strdup(ask->request->agent);
	watch->space = strdup(ask->request->space);
	watch->account = quota_hold(ask->engine, ask->peer->caller);
	if (watch->agent && watch->space && watch->account &&
	    quota_charge(watch->account, QUOTA_WATCH, 1) == 0 &&
	    uv_timer_init(ask->engine->loop, &watch->timer) == 0)
		return watch;
	free_watch(watch);
	return NULL;
}

void watch_start(const struct methods_ask *ask)
{
	const json_t *since = json_object_get(ask->params, "since");
	struct engine *engine = ask->engine;
	struct watch *watch;

	if (since && (!json_is_integer(since) || json_integer_value(since) < 0)) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "since: a revision is needed");
		return;
	}
	if (!since || (uint64_t)json_integer_value(since) != engine->approvals.revision ||
	    engine->draining) {
		watch_list(ask);
		return;
	}
	if (refuse_stranger(ask))
		return;
	watch = make(ask, (uint64_t)json_integer_value(since));
	if (!watch) {
		result_refuse(&ask->to, RESULT_UNAVAILABLE,
		    "too many polls at once (at most %d for one user); end some", QUOTA_WATCHES);
		return;
	}
	watch->timer.data = watch;
	(void)uv_timer_start(&watch->timer, on_timer_over, WATCH_HOLD_MS, 0);
	watch->next = engine->watches;
	engine->watches = watch;
}

void watch_wake(struct engine *engine)
{
	struct watch *next;

	for (struct watch *watch = engine->watches; watch; watch = next) {
		next = watch->next;
		if (watch->since != engine->approvals.revision)
			answer(watch);
	}
}

static void cancel_poll(struct engine *engine, uint64_t peer, uint64_t request)
{
	struct watch *watch = engine->watches;

	while (watch && (watch->peer != peer || watch->to.request != request))
		watch = watch->next;
	if (watch) {
		result_silence(&watch->to);
		drop(watch);
	}
}

void watch_cancel(struct engine *engine, uint64_t peer, uint64_t request)
{
	cancel_poll(engine, peer, request);
	subscribe_cancel(engine, peer, request);
	stream_cancel(engine, peer, request);
}

void watch_drop_peer(struct engine *engine, uint64_t peer)
{
	struct watch *next;

	for (struct watch *watch = engine->watches; watch; watch = next) {
		next = watch->next;
		if (watch->peer == peer)
			drop(watch);
	}
	subscribe_drop_peer(engine, peer);
	elicit_drop_peer(engine, peer);
}

void watch_end_all(struct engine *engine)
{
	while (engine->watches)
		answer(engine->watches);
	subscribe_end_all(engine);
}
