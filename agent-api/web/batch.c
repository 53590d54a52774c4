#include "agent-api/web/batch.h"

#include <stdlib.h>
#include <string.h>

#include "agent-api/web/visitor.h"
#include "agent-api/web/wellknown.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/result.h"
#include "supervisor/base/cleanup.h"

#define CHALLENGE_MAX 512

struct batch {
	struct batch *next;
	struct web *web;
	struct http_request *request; /* NULL: the client has gone */
	uint32_t holds;
	int status; /* on which all so far agree; 0: none so far */
	uint32_t retry_s;
	char challenge[CHALLENGE_MAX];
	struct buf body; /* "[a,b" */
};

struct batch *batch_new(struct web *web, struct http_request *request)
{
	struct batch *batch;
	uint32_t all = 0, same = 0;

	for (const struct batch *at = web->batches; at; at = at->next) {
		all++;
		same += at->request && visitor_same_client(at->request, request);
	}
	if (all >= WEB_BATCHES_MAX || same >= WEB_BATCHES_EACH)
		return NULL;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	batch->web = web;
	batch->request = request;
	batch->holds = 1;
	buf_init(&batch->body, WEB_ANSWER_MAX);
	batch->next = web->batches;
	web->batches = batch;
	return batch;
}

void batch_hold(struct batch *batch)
{
	batch->holds++;
}

void batch_forget(struct batch *batch)
{
	batch->request = NULL;
}

/* ---- answers ---------------------------------------------------------------------------- */

static void agree(struct batch *batch, const struct message_reply *said)
{
	int status = reply_status_of_mcp(MCP_LEGACY, said);

	batch->status = batch->status == 0 || batch->status == status ? status : 200;
	if (said->retry_s > batch->retry_s)
		batch->retry_s = said->retry_s;
	if (*said->challenge && strlen(said->challenge) < CHALLENGE_MAX)
		memcpy(batch->challenge, said->challenge, strlen(said->challenge) + 1);
}

/* Room for this is left by every other answer, so that each request hears something. */
#define SPARE 512

static int put(struct batch *batch, const char *id, enum rpc_answer answer, const void *body,
    size_t len, size_t max)
{
	struct buf cleanup_with(buf_fini) line;

	buf_init(&line, WEB_ANSWER_MAX);
	if (rpc_put_answer(&line, id, answer, body, len) < 0 || line.len > max - batch->body.len)
		return -1;
	buf_put(&batch->body, batch->body.len ? "," : "[", 1);
	return buf_put(&batch->body, line.data, line.len - 1); /* without its newline */
}

void batch_put(
    struct batch *batch, const char *id, enum rpc_answer answer, const struct message_reply *said)
{
	size_t max = WEB_ANSWER_MAX - WIRE_BATCH_MAX * SPARE;
	struct buf cleanup_with(buf_fini) error;

	agree(batch, said);
	if (batch->body.len < max &&
	    put(batch, id, answer, said->body.data, said->body.len, max) == 0)
		return;
	buf_init(&error, SPARE);
	if (result_error(&error, RPC_INTERNAL_ERROR,
		"the answers of this batch are too long together; ask one by one", NULL) == 0)
		(void)put(batch, id, RPC_ANSWER_ERROR, error.data, error.len, WEB_ANSWER_MAX - 2);
}

void batch_put_unavailable(struct batch *batch, const char *id, const char *why)
{
	struct message_reply said = {
	    .kind = REPLY_ERROR, .status = 503, .retry_s = 1, .challenge = ""};
	struct buf cleanup_with(buf_fini) body;

	buf_init(&body, SPARE);
	(void)result_error(&body, RESULT_UNAVAILABLE, why, NULL);
	said.body = (struct bytes){body.data, body.len};
	batch_put(batch, id, RPC_ANSWER_ERROR, &said);
}

static void answer(struct batch *batch)
{
	struct reply cleanup_with(reply_fini) reply;

	reply_init(&reply, batch->body.len ? batch->status : 202);
	if (batch->retry_s > 0)
		reply_field(&reply, "Retry-After", "%u", batch->retry_s);
	if (batch->status == 401 || (batch->status == 403 && *batch->challenge))
		wellknown_challenge(&reply, batch->web->site, batch->request, batch->challenge);
	if (batch->body.len) {
		buf_put(&batch->body, "]", 1);
		reply.overfull |= batch->body.fault < 0;
		buf_put(&reply.body, batch->body.data, batch->body.len);
	}
	web_answer(batch->web, batch->request, &reply);
}

void batch_release(struct batch *batch)
{
	struct batch **at = &batch->web->batches;

	if (--batch->holds > 0)
		return;
	while (*at != batch)
		at = &(*at)->next;
	*at = batch->next;
	if (batch->request)
		answer(batch);
	buf_fini(&batch->body);
	free(batch);
}
