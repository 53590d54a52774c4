/*
 * What a client of the modern era brings for forms. requestState: it gets one with a form and
 * brings it back with the answer; it is a number that one of our lists knows, and a MAC over it
 * and over all that must be the same when the call comes again. inputResponses without a state, or
 * beside what the state asked: answers to forms that the call has not asked yet. Floor 3, engine
 * only.
 */
#ifndef CALLGATE_ENGINE_RETRY_H
#define CALLGATE_ENGINE_RETRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"

struct engine;

#define RETRY_NONCE_LEN 16
#define RETRY_STATE_LEN (RETRY_NONCE_LEN + DIGEST_LEN)

/* The MAC of a nonce. kind: a literal, another for each kind of form. 0, -ENOMEM, or a fault of
 * the MAC. */
int retry_seal(const struct engine *engine, const char *kind, const uint8_t nonce[RETRY_NONCE_LEN],
    const char *const *facts, size_t fact_count, struct digest *ret);
/* Appends the text that the client gets. 0 or -ENOMEM. */
int retry_write(struct buf *out, const uint8_t nonce[RETRY_NONCE_LEN], const struct digest *mac);
/* What a client brought, JSON {inputResponses, requestState}: 0, the state's bytes and, for
 * json_decref(), the object; -EINVAL: no state of ours. */
int retry_read(const char *retry, uint8_t state[RETRY_STATE_LEN], json_t **ret_object);

/* Is there any state, ours or not? retry: may be NULL or "". */
bool retry_has_state(const char *retry);
/* Takes the answer of this name out of *retry, which is replaced: it counts once. The caller's;
 * NULL: there is none, or no memory. */
json_t *retry_take(char **retry, const char *key);

#endif
