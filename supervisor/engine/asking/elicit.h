/*
 * Approval by the client: where the policy says `by_client: true`, and the client can show a form,
 * its user is asked besides all other approvers. In the legacy era the form is a request of ours
 * on the connection, and the call waits; in the modern era the call is answered with the form and
 * a state, and comes again with both.
 *
 * The client is the program that is being policed, and nothing proves that a person saw the form:
 * that is what `by_client` says. What is shown is the whole plan or nothing; an answer counts once,
 * for one plan of one principal, and only while the question is open. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_ELICIT_H
#define CALLGATE_ENGINE_ELICIT_H

#include "agent-api/wire/result.h"
#include "supervisor/base/err.h"
#include "supervisor/link/message.h"

struct call;
struct waiting;
struct engine;
struct peer;

#define ELICIT_TEXT_MAX  (64 * 1024) /* a longer plan is not put into a form */
#define ELICIT_FORMS_MAX 8           /* open for one question */

enum elicit_step {
	ELICIT_NOT = 0, /* this client is not asked; the call waits for others */
	ELICIT_SENT,    /* legacy: the form is on its way; the call waits */
	ELICIT_RETURNS, /* modern: the call ends as pending now, and its result is the form */
};

/* For a call that waits for call->approval. */
enum elicit_step elicit_ask(struct call *call);
/* A call with call->retry that is about to ask: the answer it brings is given to its question, so
 * that approval_ask() finds it. What does not fit (another plan, a dismissed form) is as if there
 * were none. */
void elicit_retry(struct call *call);

/* Before such a call begins: 0; -EINVAL with note for the client: not a state that was given to
 * this principal, agent, namespace and tool, or used, or too old; -errno. */
int elicit_check(struct engine *engine, const struct peer *peer,
    const struct message_request *request, struct err_note *note);
/* The result of a call that ended by ELICIT_RETURNS. 1: it did not; 0; the builder's fault. */
int elicit_result(struct buf *body, const struct call *call, const struct result_call *told);

/* MESSAGE_RESPONSE: the answer to a form. 0. */
int elicit_response(struct engine *engine, struct message *message);
/* The question is closed: open forms for it are withdrawn. */
void elicit_closed(struct engine *engine, const char *approval);
void elicit_drop_peer(struct engine *engine, uint64_t peer);
void elicit_free_all(struct waiting *waiting);

#endif
