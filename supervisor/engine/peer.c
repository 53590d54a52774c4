#include "supervisor/engine/peer.h"

#include <errno.h>
#include <stdlib.h>

#include "supervisor/engine/calls.h"
#include "supervisor/engine/elicit.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/explain.h"
#include "supervisor/engine/gate.h"
#include "supervisor/engine/stream.h"
#include "supervisor/engine/subscribe.h"
#include "supervisor/engine/watch.h"

const struct peer *peer_find(const struct engine *engine, uint64_t id)
{
	const struct peer *peer = engine->peers;

	while (peer && peer->id != id)
		peer = peer->next;
	return peer;
}

int peer_arrived(struct engine *engine, struct message *message)
{
	const struct message_peer *told = &message->u.peer;
	struct peer *peer;

	if (peer_find(engine, told->peer))
		return -EBADMSG;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->id = told->peer;
	peer->pid = told->pid;
	peer->caller = told->call && told->call[0] ? gate_admit(engine, peer, told->call)
						   : caller_of_uid(told->uid, told->gid);
	if (!peer->caller) {
		free(peer);
		return -ENOMEM;
	}
	peer->next = engine->peers;
	engine->peers = peer;
	return 0;
}

static void free_peer(struct peer *peer)
{
	(void)caller_drop(peer->caller);
	free(peer);
}

int peer_gone(struct engine *engine, struct message *message)
{
	uint64_t id = message->u.peer_gone.peer;
	struct peer **at = &engine->peers;
	struct peer *peer;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	peer = *at;
	if (!peer)
		return -EBADMSG;
	*at = peer->next;
	free_peer(peer);
	calls_cancel_peer(engine, id);
	explain_drop_peer(engine, id);
	watch_drop_peer(engine, id);
	subscribe_drop_peer(engine, id);
	elicit_drop_peer(engine, id);
	return 0;
}

int peer_cancel(struct engine *engine, struct message *message)
{
	const struct message_cancel *cancel = &message->u.cancel;

	calls_cancel_request(engine, cancel->peer, cancel->request);
	watch_cancel(engine, cancel->peer, cancel->request);
	subscribe_cancel(engine, cancel->peer, cancel->request);
	stream_cancel(engine, cancel->peer, cancel->request);
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
