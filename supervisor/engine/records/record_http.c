#include "supervisor/engine/records/record_http.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/admission.h"
#include "supervisor/engine/access/redact.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/peer.h"
#include "supervisor/identity/scope.h"

/* ---- who comes in ------------------------------------------------------------------------- */

void record_auth_ok(struct engine *engine, const struct caller *caller)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_text(&out, "address", caller->address);
	record_put_text(&out, "credential", caller->credential);
	record_put_str(&out, "principal", caller->principal);
	record_put_str(&out, "proof", caller_proof_name(caller->proof));
	record_put_text(&out, "request_id", caller->request_id);
	record_put_text(&out, "tenant", caller->tenant);
	record_note(engine, RECORD_AUTH_OK, NULL, &out);
}

void record_auth_failed(struct engine *engine, const char *address, uint64_t count, const char *why,
    const char *proof, const char *id)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_text(&out, "address", address);
	record_put_int(&out, "count", (int64_t)count);
	record_put_text(&out, "credential", id);
	record_put_text(&out, "proof", proof);
	record_put_text(&out, "reason", why);
	record_note(engine, RECORD_AUTH_FAIL, NULL, &out);
}

static void put_count(struct buf *out, const char *key, uint64_t count)
{
	if (count)
		record_put_int(out, key, (int64_t)count);
}

void record_http_summary(struct engine *engine, const struct summary *summary)
{
	const struct message_counts *now = &engine->http_counts;
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	put_count(&out, "answered", summary->answered);
	put_count(&out, "bare", summary->bare);
	put_count(&out, "connections", now->connections);
	put_count(&out, "failed", summary->failed);
	put_count(&out, "health", summary->health);
	put_count(&out, "idle", now->idle);
	put_count(&out, "limited", summary->limited);
	put_count(&out, "metrics", summary->metrics);
	put_count(&out, "refused", summary->refused);
	put_count(&out, "streams", now->streams);
	record_note(engine, RECORD_HTTP_SUMMARY, NULL, &out);
}

void record_http_request(struct engine *engine, const struct peer *peer, int status)
{
	const struct caller *caller = peer->caller;
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_text(&out, "address", caller->address);
	record_put_int(&out, "code", status);
	record_put_text(&out, "credential", caller->credential);
	record_put_int(&out, "latency_us", (int64_t)(clock_monotonic_us() - peer->visit->born_us));
	record_put_text(&out, "method", caller->method);
	record_put_text(&out, "namespace", redact_name(engine, peer->visit->space));
	record_put_text(&out, "path", caller->path);
	record_put_str(&out, "principal", caller->principal);
	record_put_str(&out, "proof", caller_proof_name(caller->proof));
	record_put_text(&out, "request_id", caller->request_id);
	record_put_str(&out, "status", status < 400 ? "ok" : "error");
	record_put_text(&out, "tenant", caller->tenant);
	record_note(engine, RECORD_HTTP_REQUEST, NULL, &out);
}

/* ---- who manages access ------------------------------------------------------------------- */

/* {agents, namespaces, ...}: in the order that records want, which is not that of the enum. */
static void put_scope(struct buf *out, const struct scope *scope)
{
	static const enum scope_kind sorted[] = {
	    SCOPE_AGENTS, SCOPE_NAMESPACES, SCOPE_PERMISSIONS, SCOPE_ROLES, SCOPE_TOOLS};

	record_open(out, "granted");
	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
		const struct scope_list *list = &scope->lists[sorted[i]];

		if (list->count)
			record_put_list(out, scope_kind_name(sorted[i]),
			    (const char *const *)list->items, list->count);
	}
	record_close(out);
}

int record_admin(struct engine *engine, const struct caller *by, const struct admin_act *act,
    record_done *done, void *context)
{
	struct buf cleanup_with(buf_fini) out = {0};
	char expires[CLOCK_STAMP_MAX];

	buf_init(&out, RECORD_FIELDS_MAX);
	record_put_str(&out, "action", act->action);
	record_put_text(&out, "address", by->address);
	record_put_str(&out, "by", by->principal);
	record_put_text(&out, "credential", by->credential);
	record_put_text(&out, "detail", act->detail);
	if (act->expires_s)
		record_put_str(&out, "expires", clock_stamp(expires, act->expires_s * 1000000));
	if (act->granted)
		put_scope(&out, act->granted);
	record_put_text(&out, "id", act->id);
	if (act->type == RECORD_ADMIN_KEY)
		record_put_str(&out, "kind", "api-key");
	record_put_str(&out, "proof", caller_proof_name(by->proof));
	record_put_text(&out, "request_id", by->request_id);
	record_put_text(&out, "result", act->result);
	record_put_text(&out, "tenant", act->tenant);
	if (done)
		return record_note_then(engine, act->type, &out, done, context);
	record_note(engine, act->type, NULL, &out);
	return 0;
}
