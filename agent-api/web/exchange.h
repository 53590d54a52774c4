/*
 * One HTTP request that engine answers: engine sees it as a peer with one request of its own. Its
 * form tells how engine's answer becomes one of HTTP: a route's JSON, or MCP's, whole or as a
 * stream of events. A client that hangs up cancels; where only the sending half is shut, that
 * counts as hanging up for what may take long.
 *
 * Birth: exchange_begin(); death: the answer, or the client's end. Memory goes when its timer is
 * closed. Floor 3.
 */
#ifndef CALLGATE_WEB_EXCHANGE_H
#define CALLGATE_WEB_EXCHANGE_H

#include <uv.h>

#include "agent-api/web/batch.h"
#include "agent-api/web/web.h"
#include "agent-api/wire/asked.h"
#include "agent-api/wire/mcp.h"

enum exchange_form {
	EXCHANGE_NONE = 0,
	EXCHANGE_ROUTE,   /* result with `status`, errors in the form of routes */
	EXCHANGE_METRICS, /* the text of its result */
	EXCHANGE_MCP,     /* JSON-RPC */
	EXCHANGE_READY,   /* JSON-RPC; once engine knows who asks, the answer is what is ready */
};

struct exchange_order {
	enum exchange_form form;
	int status;                 /* EXCHANGE_ROUTE */
	bool lasting;               /* half a hang-up is a whole one */
	const char *type;           /* EXCHANGE_METRICS: of the answer; a literal */
	const char *id;             /* of JSON-RPC, as JSON; copied */
	enum mcp_era era;           /* EXCHANGE_MCP, _READY */
	bool may_stream;            /* the client takes events */
	bool streams_late;          /* if it is not answered soon */
	const char *revision;       /* of MCP, for engine; "" */
	const char *session;        /* Mcp-Session-Id for the answer; copied; "" = none */
	struct digest bond;         /* EXCHANGE_MCP: whose answers and cancels count */
	const struct buf *ready;    /* EXCHANGE_READY: copied */
	struct batch *batch;        /* the answer goes there; NULL: the request is its own */
	struct message_request say; /* without its peer */
};

struct exchange {
	struct exchange *next_serial, *next_peer;
	struct web *web;
	struct http_request *request; /* NULL: over */
	uint64_t peer;
	uint64_t serial;
	enum exchange_form form;
	int status;
	bool lasting, may_stream, streaming, leaving;
	enum mcp_era era;
	const char *type;
	char *id, *session; /* owned */
	char request_id[48];
	struct digest bond;
	struct asked *asked; /* of the client, open; owned */
	struct batch *batch; /* held; NULL: none */
	struct buf ready;
	uv_timer_t timer;
};

/* Sends request to engine as ordered, or answers it itself (too many, no memory, engine busy). */
void exchange_begin(
    struct web *web, struct http_request *request, const struct exchange_order *order);

/* From engine. */
void exchange_reply(struct web *web, uint64_t serial, const struct message_reply *reply);
void exchange_notify(struct web *web, const struct message_notify *notify);
/* From the server. */
void exchange_gone(struct web *web, struct http_request *request, enum http_gone how);
/* From another request of the same client: the answer to what this one was asked (true: it was
 * open and is closed); the end of the one that has this id and bond. */
bool exchange_respond(struct web *web, const struct digest *bond, const json_t *id,
    const struct message_response *response);
void exchange_cancel(struct web *web, const struct digest *bond, const char *id);
/* Engine is gone: nobody will answer. */
void exchange_end_all(struct web *web);

#endif
