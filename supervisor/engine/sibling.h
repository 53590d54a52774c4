/*
 * The two siblings that come and go while engine lives: the HTTP front and courier. The warden
 * starts them, tells of each start with the end of a new link, and starts them anew when they are
 * lost; engine goes on without them. A peer of the HTTP front is known here by a number that no
 * later HTTP front can bring again: PEER_IS_HTTP, how many were before (23 bits), the number that
 * front gave it (40 bits). Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_SIBLING_H
#define CALLGATE_ENGINE_SIBLING_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/link/link.h"

struct engine;

/* MESSAGE_SIBLING: opened, or kept until sibling_open_all(); what was there before is gone with all
 * that it was asked. handler: of the new link. 0, or -errno of opening: the process ends. */
int sibling_take(struct engine *engine, struct message *message, link_handler *handler);
/* There is a policy: what came too early is heard now. 0 or -errno. */
int sibling_open_all(struct engine *engine, link_handler *handler);
/* Closes the link; its peers are gone, its fetches unavailable. For a link that is neither of the
 * two, or closed, it does nothing. */
void sibling_lost(struct engine *engine, struct link *link);
/* Is it one that may be lost? */
bool sibling_is(const struct engine *engine, const struct link *link);

/* For a message with a peer in it: 0, with the number made ours; -EBADMSG: that number cannot come
 * by this link. For all others: 0. */
int sibling_read_peer(
    const struct engine *engine, const struct link *link, struct message *message);
/* Sends REPLY or NOTIFY to the front whose peer it is, a NOTIFY under the number that front knows.
 * What is for an HTTP front that is gone is dropped. Results of engine_send(); -EPIPE: gone. */
int sibling_send_peer(struct engine *engine, uint64_t peer, struct message *message);
/* The link of that peer's front. */
const struct link *sibling_of_peer(const struct engine *engine, uint64_t peer);

/* MESSAGE_COUNTS: added up in engine->http_counts. 0. */
int sibling_counts(struct engine *engine, struct message *message);
/* The process ends. */
void sibling_free_all(struct engine *engine);

#endif
