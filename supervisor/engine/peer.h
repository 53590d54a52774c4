/*
 * Who is at the other end: of a connection of the Unix front, as the kernel told it, or the running
 * call through whose gate it came; of a request of the HTTP front (visitor.h). Floor 3, engine
 * only.
 */
#ifndef CALLGATE_ENGINE_PEER_H
#define CALLGATE_ENGINE_PEER_H

#include <stdint.h>

#include "supervisor/engine/caller.h"
#include "supervisor/link/message.h"

struct engine;
struct visit;

struct peer {
	struct peer *next;
	uint64_t id;
	uint32_t pid;
	struct caller *caller; /* held */
	/* The call whose gate it came through, or what is no call's id once that is over; "" = the
	 * socket. caller is then that call's (gate.h). */
	char call[CALL_ID_MAX];
	uint32_t depth; /* of the calls it makes; 0 = from the socket */
	uint16_t log;   /* log messages it wants, enum severity; legacy, not of the HTTP front */
	struct visit *visit; /* owned; NULL: not of the HTTP front */
};

/* MESSAGE_PEER. 0; -EBADMSG when the connection is known already; -ENOMEM. */
int peer_arrived(struct engine *engine, struct message *message);
/* A copy of what is given, which is known from now on. NULL: the number is known already, or no
 * memory. Owned by the engine. */
struct peer *peer_add(struct engine *engine, const struct peer *given);
/* It is known now who the peer is: takes the caller's hold. */
void peer_become(struct engine *engine, uint64_t id, struct caller *caller);
/* The log messages that this connection wants from now on; unknown ones are ignored. */
void peer_wants_log(struct engine *engine, uint64_t id, uint16_t severity);
/* MESSAGE_PEER_GONE: cancels its calls, drops its polls, forgets it. 0 or -EBADMSG. */
int peer_gone(struct engine *engine, struct message *message);
/* The same for all that have this bit in their number. */
void peer_gone_all(struct engine *engine, uint64_t bit);
/* MESSAGE_CANCEL: one request of it. Unknown ones are ignored: the answer was on its way. */
int peer_cancel(struct engine *engine, struct message *message);

/* NULL if unknown. */
const struct peer *peer_find(const struct engine *engine, uint64_t id);
void peer_free_all(struct engine *engine);

#endif
