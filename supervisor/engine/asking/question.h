/*
 * Questions of running tools: where the policy says `elicit: true`, a tool may ask, through its
 * gate, the user of the client that called it (callgate/elicit). The answer goes to the tool and
 * decides nothing here.
 *
 * In the legacy era the form is a request of ours on the client's connection. In the modern era
 * there is none: the call is answered with the form and a state, and goes on running as one that
 * is parked; whoever comes with the state, as the same caller with the same call, is its client
 * from then on. A form whose answer came with the call is answered by it and shown to nobody. A
 * question has an end (approvals.timeout); a parked call ends with it. One call has
 * one open question, and asks a bounded number of them. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_QUESTION_H
#define CALLGATE_ENGINE_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/link/message.h"

struct engine;
struct methods_ask;
struct peer;
struct waiting;

#define QUESTIONS_OF_CALL 16

/* REQUEST_ELICIT {message, requestedSchema, name?} of a running call: answered when its user has,
 * with {action: accept|decline|cancel, content?}; or refused at once. */
void question_ask(const struct methods_ask *ask);

/* A TOOLS_CALL. True: it brought the state of a parked call, which is this request's from now on;
 * whatever it answered. False: it is nobody's that waits here. */
bool question_resume(struct engine *engine, const struct peer *peer, const struct message *message);
/* The client's answer to a form. True: it was one of these. */
bool question_response(struct engine *engine, const struct message_response *response);

/* The call's gate is closed: its form is withdrawn. */
void question_closed(struct engine *engine, const char *call);
/* The tool's connection is gone, or it does not want an answer any more. */
void question_drop_peer(struct engine *engine, uint64_t peer);
void question_cancel(struct engine *engine, uint64_t peer, uint64_t request);
void question_free_all(struct waiting *waiting);

#endif
