/*
 * A batch of MCP 2025-03-26 over HTTP: one request with several messages, each of which goes its
 * own way (and is its own peer of engine), and one answer, an array in the order in which they were
 * answered. No stream: nothing is told before all of it is there. What is held is bounded by the
 * number of batches and the size of one answer.
 *
 * Birth: batch_new(), with the caller's hold; each message that will be answered later holds it,
 * too. The last to let go answers the request, unless the client has gone. Floor 3.
 */
#ifndef CALLGATE_WEB_BATCH_H
#define CALLGATE_WEB_BATCH_H

#include "agent-api/web/web.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/rpc.h"

struct batch;

/* NULL: too many, of all or of this address, or no memory. */
struct batch *batch_new(struct web *web, struct http_request *request);
void batch_hold(struct batch *batch);
/* Adds one answer: said is its body, and what HTTP would say of it alone. What does not fit is
 * answered by an error in its place. */
void batch_put(
    struct batch *batch, const char *id, enum rpc_answer answer, const struct message_reply *said);
/* The same of an error that says why it cannot be served now. */
void batch_put_unavailable(struct batch *batch, const char *id, const char *why);
/* The last one answers: 202 where there is nothing to say; the status on which all answers agree
 * (401 for a credential that is wrong), else 200. The batch may be gone then. */
void batch_release(struct batch *batch);
/* The client has gone, or the request was answered otherwise: nothing is sent any more. */
void batch_forget(struct batch *batch);

#endif
