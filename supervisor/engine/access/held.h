/*
 * Requests that wait for the issuer's keys: bounded in number and time, and judged again by
 * methods_request() when the keys are there or not to be had. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_HELD_H
#define CALLGATE_ENGINE_HELD_H

#include <stdint.h>

#include "supervisor/link/message.h"

struct auth;
struct engine;

#define HELD_MAX 256
#define HELD_MS  10000

/* Takes the message over and leaves an empty one. 0; -ENOBUFS, -ENOMEM: it stays. */
int held_add(struct engine *engine, struct message *message);
/* All are judged again, now for good: auth->is_final says so meanwhile. */
void held_resume(struct engine *engine);
/* One request is wanted no longer: it is answered with silence. */
void held_cancel(struct engine *engine, uint64_t peer, uint64_t request);
void held_drop_peer(struct engine *engine, uint64_t peer);
/* Without a word: the process ends. */
void held_free_all(struct auth *auth);

#endif
