/*
 * An answer that waits until what it tells of is recorded. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_ADMIN_H
#define CALLGATE_ENGINE_ADMIN_H

#include <jansson.h>

#include "supervisor/engine/records/record_http.h"

struct methods_ask;

/* Records the act, then gives the answer (taken), whose member `secret` (NULL: none) is wiped
 * afterwards. Where the record cannot be written, a key of that id is revoked again if it was
 * just made, and the client is told that nothing was done, or not all. */
void admin_answer(
    const struct methods_ask *ask, const struct admin_act *act, json_t *answer, const char *secret);

/* The members of params that there may be; refuses any other, naming it. true: it is answered. */
bool admin_refuses_unknown(const struct methods_ask *ask, const char *const *known, size_t count);

#endif
