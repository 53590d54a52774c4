/*
 * What the server says without being asked: notifications, and its few requests. Each builder
 * appends one whole JSON-RPC object without a newline and returns 0, out's fault, -ENOMEM, or
 * -EINVAL (a text of ours that is no UTF-8). Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_NOTICE_H
#define CALLGATE_WIRE_NOTICE_H

#include <jansson.h>
#include <stdint.h>

#include "agent-api/wire/mcp.h"
#include "agent-api/wire/severity.h"

/* What every request of ours begins with, so that front can tell it from a notification and knows
 * its id, a string of [a-z0-9-], without parsing it. */
#define NOTICE_REQUEST_HEAD "{\"jsonrpc\":\"2.0\",\"id\":\""
#define NOTICE_ID_MAX       64

/* token: JSON. message: any bytes, "" = none; not sent before 2025-03-26, which has no such
 * field. */
struct notice_progress {
	const char *token;
	double progress;     /* finite, as total; whole numbers are written as such */
	const double *total; /* NULL: not said */
	const void *message;
	size_t message_len;
};
int notice_progress(
    struct buf *out, enum mcp_revision revision, const struct notice_progress *progress);

/* A log message of a running tool. logger: UTF-8. data: any JSON; stays the caller's. */
int notice_message(struct buf *out, enum severity level, const char *logger, const json_t *data);

/* subscription: JSON of the id of the stream it belongs to; NULL: legacy, no stream. */
int notice_tools_changed(struct buf *out, const char *subscription);
/* The first message of a stream: what of its filter is honoured. tools: 1 or 0. */
int notice_acknowledged(struct buf *out, const char *subscription, int tools);
/* The result that ends a stream in good order; without the envelope. */
int notice_stream_result(struct buf *out, const char *subscription);

/* A request to the client. Takes params. */
int notice_request(struct buf *out, const char *id, const char *method, json_t *params);
/* That request needs no answer any more. */
int notice_cancelled(struct buf *out, const char *id, const char *reason);

#endif
