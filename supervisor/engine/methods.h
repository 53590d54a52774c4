/*
 * Requests of clients: tools/call starts a call, everything else is answered here. One table by
 * method; each answers exactly once. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_H
#define CALLGATE_ENGINE_METHODS_H

#include <jansson.h>

#include "policy/decide.h"
#include "supervisor/engine/calls/result.h"
#include "supervisor/link/message.h"

struct engine;
struct peer;

/* One request with what everybody needs to know about it. Borrowed for the handler's time. */
struct methods_ask {
	struct engine *engine;
	const struct peer *peer;
	const struct message_request *request;
	struct result_to to;
	struct identity identity; /* under the policy in force */
	json_t *params;           /* object */
};

/* A text of params; NULL: absent, or no text. */
const char *methods_text(const struct methods_ask *ask, const char *key);

/* Root, or the daemon's own user, by the kernel's word. */
bool methods_is_owner(const struct methods_ask *ask);
/* The answer to who lacks this permission (one bit). */
void methods_refuse_permission(const struct methods_ask *ask, uint32_t permission);

/* MESSAGE_REQUEST. 0, or -EBADMSG for a connection or a method that does not exist: the front is
 * broken; -ENOMEM. */
int methods_request(struct engine *engine, struct message *message);
/* MESSAGE_CONTROLLED: the warden has reloaded or begins to stop (methods_control.c). */
int methods_controlled(struct engine *engine, struct message *message);
/* What waits for the warden, and everything of waiting.h. */
void methods_free_all(struct engine *engine);

#endif
