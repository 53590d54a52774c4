/*
 * Who asks, in the words of the policy: a caller at the socket as the kernel names him, a caller
 * inside a running call as that call. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_SUBJECT_H
#define CALLGATE_ENGINE_SUBJECT_H

#include "policy/decide.h"

struct call;
struct engine;
struct peer;

/* agent, space: as the request claims them, "" = none. *ret borrows them, and where the peer came
 * through a gate, the running call's own. 0, or -ENOENT: that call is over. */
int subject_of_peer(const struct engine *engine, const struct peer *peer, const char *agent,
    const char *space, struct subject *ret);
/* The same for a call, which outlives its peer. */
int subject_of_call(const struct call *call, struct subject *ret);

#endif
