/*
 * One HTTP request becomes a peer: who it is, by what it shows. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_VISITOR_H
#define CALLGATE_ENGINE_VISITOR_H

#include "supervisor/link/message.h"

struct engine;

/* MESSAGE_VISITOR: a peer of the HTTP front until its PEER_GONE. 0; -EBADMSG when the number is
 * known already; -ENOMEM. */
int visitor_arrived(struct engine *engine, struct message *message);

#endif
