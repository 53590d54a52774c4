/*
 * Who is told when the list of tools may have changed, and which revision each connection speaks:
 * streams of subscriptions/listen in the modern era, every connection with a handshake in the
 * legacy one.
 *
 * All are told at each change of the policy. What a connection sees depends on the agent and the
 * namespace that each of its requests names, so there is no one list per connection to compare;
 * and a description, a schema or a hint may have changed where the names have not.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_SUBSCRIBE_H
#define CALLGATE_ENGINE_SUBSCRIBE_H

#include <stdint.h>

#include "agent-api/wire/mcp.h"
#include "supervisor/link/message.h"

struct waiting;
struct engine;
struct methods_ask;

/* A change is told to all in one turn, and what is told must fit into the link's queue. */
#define SUBSCRIBE_STREAMS      16 /* of one connection */
#define SUBSCRIBE_STREAMS_USER 256
#define SUBSCRIBE_STREAMS_ALL  1024

/* REQUEST_SUBSCRIBE. Modern {notifications, subscription: JSON of the id}: acknowledged, answered
 * when the daemon stops. Legacy {revision}: what a handshake agreed upon; answered with silence. */
void subscribe(const struct methods_ask *ask);

/* What may be said to this client in this era. */
enum mcp_revision subscribe_revision(
    const struct engine *engine, enum request_era era, uint64_t peer);

/* Another policy is in force. */
void subscribe_changed(struct engine *engine);
/* The client ends one stream; unknown ones are ignored. */
void subscribe_cancel(struct engine *engine, uint64_t peer, uint64_t request);
void subscribe_drop_peer(struct engine *engine, uint64_t peer);
/* Ends all streams in good order, for drain. */
void subscribe_end_all(struct engine *engine);
void subscribe_free_all(struct waiting *waiting);

#endif
