#include "supervisor/engine/asking/subscribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/notice.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/sibling.h"

#define NOTICE_MAX 4096

struct subscription {
	struct subscription *next;
	uint64_t peer;
	struct caller *caller; /* of a stream; held */
	enum mcp_revision revision;
	char *id;  /* JSON of the stream's id, owned; NULL: a connection with a handshake */
	int tools; /* 1: of a stream, wants to hear of tools */
	struct result_to to; /* of a stream: its request */
};

static struct subscription *first_of(const struct engine *engine)
{
	const struct waiting *waiting = waiting_find(engine);

	return waiting ? waiting->subscriptions : NULL;
}

static void say(struct engine *engine, uint64_t peer, const struct buf *body)
{
	struct message message;

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = peer;
	message.u.notify.body = (struct bytes){.data = body->data, .len = body->len};
	(void)sibling_send_peer(engine, peer, &message);
}

static void free_subscription(struct subscription *subscription)
{
	(void)caller_drop(subscription->caller);
	free(subscription->id);
	free(subscription);
}

static void drop(struct waiting *waiting, struct subscription *subscription)
{
	struct subscription **at = &waiting->subscriptions;

	while (*at != subscription)
		at = &(*at)->next;
	*at = subscription->next;
	free_subscription(subscription);
}

static struct subscription *add(struct waiting *waiting, uint64_t peer)
{
	struct subscription *subscription = waiting ? calloc(1, sizeof(*subscription)) : NULL;

	if (!subscription)
		return NULL;
	subscription->peer = peer;
	subscription->next = waiting->subscriptions;
	waiting->subscriptions = subscription;
	return subscription;
}

/* ---- connections with a handshake -------------------------------------------------------- */

static struct subscription *handshake_of(const struct engine *engine, uint64_t peer)
{
	struct subscription *at = first_of(engine);

	while (at && (at->peer != peer || at->id))
		at = at->next;
	return at;
}

static void take_handshake(const struct methods_ask *ask)
{
	const char *name = json_string_value(json_object_get(ask->params, "revision"));
	struct subscription *known = handshake_of(ask->engine, ask->peer->id);

	if (!known)
		known = add(waiting_of(ask->engine), ask->peer->id);
	if (known)
		known->revision = mcp_revision_from_name(name ? name : "");
	result_silence(&ask->to);
}

enum mcp_revision subscribe_revision(
    const struct engine *engine, enum request_era era, uint64_t peer)
{
	const struct subscription *known = era == ERA_LEGACY ? handshake_of(engine, peer) : NULL;
	const struct peer *visitor = peer & PEER_IS_HTTP ? peer_find(engine, peer) : NULL;

	/* Each HTTP request says it by itself. */
	if (era == ERA_LEGACY && visitor && visitor->visit && visitor->visit->revision[0])
		return mcp_revision(MCP_LEGACY, mcp_revision_from_name(visitor->visit->revision));
	return mcp_revision((enum mcp_era)era, known ? known->revision : MCP_REVISION_NONE);
}

/* ---- streams ----------------------------------------------------------------------------- */

static bool is_full(const struct methods_ask *ask)
{
	uint32_t connection = 0, user = 0, all = 0;

	for (const struct subscription *at = first_of(ask->engine); at; at = at->next) {
		if (!at->id)
			continue;
		connection += at->peer == ask->peer->id;
		user += caller_same(at->caller, ask->peer->caller);
		all++;
	}
	return connection >= SUBSCRIBE_STREAMS || user >= SUBSCRIBE_STREAMS_USER ||
	       all >= SUBSCRIBE_STREAMS_ALL;
}

static void end_stream(const struct result_to *to, const char *id)
{
	struct buf cleanup_with(buf_fini) body = {0};

	buf_init(&body, NOTICE_MAX);
	result_give_body(to, REPLY_RESULT, &body, notice_stream_result(&body, id));
}

static void open_stream(const struct methods_ask *ask, const char *id, int tools)
{
	struct waiting *waiting = waiting_of(ask->engine);
	struct subscription *stream = add(waiting, ask->peer->id);
	struct buf cleanup_with(buf_fini) body = {0};

	buf_init(&body, NOTICE_MAX);
	if (stream)
		stream->id = strdup(id);
	if (!stream || !stream->id || notice_acknowledged(&body, id, tools)) {
		if (stream)
			drop(waiting, stream);
		result_refuse(&ask->to, RPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	stream->to = ask->to;
	stream->caller = caller_hold(ask->peer->caller);
	stream->tools = tools;
	say(ask->engine, ask->peer->id, &body);
}

static void take_listen(const struct methods_ask *ask)
{
	const json_t *filter = json_object_get(ask->params, "notifications");
	const json_t *tools = json_object_get(filter, "toolsListChanged");
	const char *id = json_string_value(json_object_get(ask->params, "subscription"));

	if (!json_is_object(filter) || (tools && !json_is_boolean(tools)))
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "notifications: an object such as {\"toolsListChanged\": true} is needed");
	else if (!id)
		result_refuse(&ask->to, RPC_INTERNAL_ERROR, "the stream has no name");
	else if (ask->engine->draining)
		end_stream(&ask->to, id);
	else if (is_full(ask))
		result_refuse(&ask->to, RESULT_UNAVAILABLE,
		    "too many streams (at most %d of a connection, %d of a user, %d in all); "
		    "end one",
		    SUBSCRIBE_STREAMS, SUBSCRIBE_STREAMS_USER, SUBSCRIBE_STREAMS_ALL);
	else
		open_stream(ask, id, json_is_true(tools));
}

void subscribe(const struct methods_ask *ask)
{
	if (ask->to.era == ERA_LEGACY)
		take_handshake(ask);
	else
		take_listen(ask);
}

/* ---- changes and ends -------------------------------------------------------------------- */

void subscribe_changed(struct engine *engine)
{
	struct buf cleanup_with(buf_fini) body = {0};

	buf_init(&body, NOTICE_MAX);
	for (const struct subscription *at = first_of(engine); at; at = at->next) {
		if (at->id && !at->tools)
			continue;
		buf_reset(&body);
		if (notice_tools_changed(&body, at->id) == 0)
			say(engine, at->peer, &body);
	}
}

void subscribe_cancel(struct engine *engine, uint64_t peer, uint64_t request)
{
	struct subscription *at = first_of(engine);

	while (at && (at->peer != peer || !at->id || at->to.request != request))
		at = at->next;
	if (at) {
		result_silence(&at->to);
		drop(waiting_find(engine), at);
	}
}

void subscribe_drop_peer(struct engine *engine, uint64_t peer)
{
	struct subscription *next;

	for (struct subscription *at = first_of(engine); at; at = next) {
		next = at->next;
		if (at->peer == peer)
			drop(waiting_find(engine), at);
	}
}

void subscribe_end_all(struct engine *engine)
{
	struct subscription *next;

	for (struct subscription *at = first_of(engine); at; at = next) {
		next = at->next;
		if (at->id) {
			end_stream(&at->to, at->id);
			drop(waiting_find(engine), at);
		}
	}
}

void subscribe_free_all(struct waiting *waiting)
{
	while (waiting->subscriptions)
		drop(waiting, waiting->subscriptions);
}
