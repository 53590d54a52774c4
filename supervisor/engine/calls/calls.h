/*
 * The calls under way: birth, death, and finding one. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CALLS_H
#define CALLGATE_ENGINE_CALLS_H

#include "supervisor/engine/calls/call.h"

struct engine;
struct peer;

/* A call from a REQUEST, in no state yet: the first event starts it (calls_start). Charges its
 * account; over the limit it lives, uncounted, to be refused and recorded. NULL: no memory. */
struct call *calls_new(
    struct engine *engine, const struct peer *peer, const struct message *request);
/* A call that is planned and never runs: on no list, in no state, charged to nobody, recorded
 * nowhere. NULL: no memory. */
struct call *calls_shadow(
    struct engine *engine, const struct peer *peer, const struct message *request);
/* Its death; accepts NULL. */
void calls_shadow_free(struct call *call);
/* Forgets what was judged and planned, to be walked again from RECEIVED. */
void calls_reset(struct call *call);
/* Out of the list, charges returned; memory goes when the loop has let go of the timer. */
void calls_end(struct call *call);

/* The one that awaits exactly this answer; NULL: nobody does any more. */
struct call *calls_awaiting(struct engine *engine, const struct message *answer);
struct call *calls_find(struct engine *engine, const char *id);
/* The oldest call waiting for this question; NULL if none. */
struct call *calls_waiter(struct engine *engine, const struct approval *approval);

void calls_cancel_peer(struct engine *engine, uint64_t peer);
void calls_cancel_request(struct engine *engine, uint64_t peer, uint64_t request);
/* Another policy is in force: what is not decided yet is judged again. */
void calls_reload(struct engine *engine);
/* Credentials have ended before their time: what is not decided yet is judged again. */
void calls_expire(struct engine *engine);
/* No more waiting for humans. */
void calls_drain(struct engine *engine);
/* Frees all without a word: the process ends. */
void calls_free_all(struct engine *engine);

#endif
