/*
 * What engine asks courier to fetch from the outside: keys of an issuer, messages to a channel.
 * Each question is answered exactly once, from the loop and never from within fetch_start(): with
 * what came, or with ANSWER_UNAVAILABLE when there is no courier, when it is lost in the middle, or
 * when it is silent for longer than the question allows. Floor 3, engine only. Units: milliseconds.
 */
#ifndef CALLGATE_ENGINE_FETCH_H
#define CALLGATE_ENGINE_FETCH_H

#include <stdint.h>

#include "supervisor/link/message.h"

struct engine;

#define FETCH_PENDING_MAX 1024
#define FETCH_GRACE_MS    5000 /* beyond its timeout_ms, for courier's answer to arrive */

/* answer is valid during the call; status ANSWER_OK: there is one, whatever it says. */
typedef void fetch_done(void *context, const struct message_fetched *answer);

/* Copies what fetch points to. Returns the serial (positive), for logs; then done is called once.
 * -EMSGSIZE, -EINVAL: cannot be sent as it is; -ENOBUFS: too many are waiting; -ENOMEM, -errno:
 * then done is never called. */
int64_t fetch_start(
    struct engine *engine, const struct message_fetch *fetch, fetch_done *done, void *context);
/* done is not called any more for anything asked with this context; courier ends it in its time. */
void fetch_forget(struct engine *engine, const void *context);
/* The same, and courier drops it: its place is free. */
void fetch_cancel(struct engine *engine, const void *context);

/* MESSAGE_FETCHED. 0; one that nobody waits for is counted as stale. */
int fetch_answered(struct engine *engine, struct message *message);
/* Courier is gone: what it was asked is answered as unavailable. */
void fetch_lost(struct engine *engine);
/* Forgets all without a word: the process ends. */
void fetch_free_all(struct engine *engine);

#endif
