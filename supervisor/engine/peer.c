#include "supervisor/engine/peer.h"

#include <errno.h>
#include <stdlib.h>

#include "supervisor/engine/access/held.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/approvals/watch.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/gate.h"
#include "supervisor/engine/asking/question.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/explain.h"
#include "supervisor/engine/calls/stream.h"
#include "supervisor/engine/engine.h"

const struct peer *peer_find(const struct engine *engine, uint64_t id)
{
	const struct peer *peer = engine->peers;

	while (peer && peer->id != id)
		peer = peer->next;
	return peer;
}

struct peer *peer_add(struct engine *engine, const struct peer *given)
{
	struct peer *peer = peer_find(engine, given->id) ? NULL : malloc(sizeof(*peer));

	if (!peer)
		return NULL;
	*peer = *given;
	peer->next = engine->peers;
	engine->peers = peer;
	return peer;
}

static struct peer *find_own(struct engine *engine, uint64_t id)
{
	struct peer *peer = engine->peers;

	while (peer && peer->id != id)
		peer = peer->next;
	return peer;
}

void peer_wants_log(struct engine *engine, uint64_t id, uint16_t severity)
{
	struct peer *peer = find_own(engine, id);

	if (peer)
		peer->log = severity;
}

void peer_become(struct engine *engine, uint64_t id, struct caller *caller)
{
	struct peer *peer = find_own(engine, id);

	if (!peer) {
		(void)caller_drop(caller);
		return;
	}
	(void)caller_drop(peer->caller);
	peer->caller = caller;
}

int peer_arrived(struct engine *engine, struct message *message)
{
	const struct message_peer *told = &message->u.peer;
	struct peer given = {.id = told->peer, .pid = told->pid};

	if (peer_find(engine, told->peer))
		return -EBADMSG;
	given.caller = told->call && told->call[0] ? gate_admit(engine, &given, told->call)
						   : caller_of_uid(told->uid, told->gid);
	if (!given.caller)
		return -ENOMEM;
	if (peer_add(engine, &given))
		return 0;
	(void)caller_drop(given.caller);
	return -ENOMEM;
}

static void free_peer(struct peer *peer)
{
	(void)caller_drop(peer->caller);
	visitor_free(peer->visit);
	free(peer);
}

static void drop_peer(struct engine *engine, struct peer **at)
{
	struct peer *peer = *at;
	uint64_t id = peer->id;

	*at = peer->next;
	free_peer(peer);
	held_drop_peer(engine, id);
	calls_cancel_peer(engine, id);
	explain_drop_peer(engine, id);
	watch_drop_peer(engine, id);
	subscribe_drop_peer(engine, id);
	elicit_drop_peer(engine, id);
	question_drop_peer(engine, id);
}

int peer_gone(struct engine *engine, struct message *message)
{
	struct peer **at = &engine->peers;

	while (*at && (*at)->id != message->u.peer_gone.peer)
		at = &(*at)->next;
	if (!*at)
		return -EBADMSG;
	drop_peer(engine, at);
	return 0;
}

/* Whatever ends with a peer may change the list, so each round looks from its start. */
void peer_gone_all(struct engine *engine, uint64_t bit)
{
	struct peer **at = &engine->peers;

	while (*at) {
		if (!((*at)->id & bit)) {
			at = &(*at)->next;
			continue;
		}
		drop_peer(engine, at);
		at = &engine->peers;
	}
}

int peer_cancel(struct engine *engine, struct message *message)
{
	const struct message_cancel *cancel = &message->u.cancel;

	held_cancel(engine, cancel->peer, cancel->request);
	calls_cancel_request(engine, cancel->peer, cancel->request);
	watch_cancel(engine, cancel->peer, cancel->request);
	subscribe_cancel(engine, cancel->peer, cancel->request);
	stream_cancel(engine, cancel->peer, cancel->request);
	question_cancel(engine, cancel->peer, cancel->request);
	return 0;
}

void peer_free_all(struct engine *engine)
{
	while (engine->peers) {
		struct peer *peer = engine->peers;

		engine->peers = peer->next;
		free_peer(peer);
	}
}
