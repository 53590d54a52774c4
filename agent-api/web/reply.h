/*
 * One answer in the making: status, header fields with room for their values, body. Errors have
 * one form on every route, {"error": "...", "details": ...}. Pure but for memory; floor 3.
 */
#ifndef CALLGATE_WEB_REPLY_H
#define CALLGATE_WEB_REPLY_H

#include <jansson.h>

#include "agent-api/http/answer.h"
#include "agent-api/wire/mcp.h"
#include "supervisor/base/buf.h"
#include "supervisor/link/message.h"

#define REPLY_FIELDS_MAX 20
#define REPLY_TEXT_MAX   6144 /* bytes of all values */

#define REPLY_JSON       "application/json"

struct reply {
	int status;
	const char *type; /* literal, or NULL */
	struct http_field fields[REPLY_FIELDS_MAX];
	size_t field_count;
	char text[REPLY_TEXT_MAX];
	size_t text_len;
	bool overfull; /* something did not fit: answered by 500 */
	struct buf body;
};

/* Of JSON, with no body yet. */
void reply_init(struct reply *reply, int status);
void reply_fini(struct reply *reply); /* accepts a zeroed or finished one */

/* name: a literal. */
void reply_field(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The body and status of an error, in place of what was there. details: or NULL; the caller's. */
void reply_error(struct reply *reply, int status, const char *error, const json_t *details);
/* The value as body. Without memory: 500. */
void reply_value(struct reply *reply, const json_t *value);

/* The status of HTTP for the code of an error object: of wire/rpc.h, or HTTP's own. */
int reply_status_of(int code, const char *message);
/* The status of HTTP for an answer of JSON-RPC. Who may not ask (401, 403) or not now (429, 503) is
 * HTTP's business in both eras; beyond that, clients of the old one take any status but 200 for a
 * broken transport, and the new one names statuses for what is wrong with the request itself. */
int reply_status_of_mcp(enum mcp_era era, const struct message_reply *said);
/* What engine said, for a route: its result with that status, or its error. retry_s becomes
 * Retry-After; its challenge is not looked at. */
void reply_from_engine(struct reply *reply, const struct message_reply *said, int status);

/* For the server: points into reply. */
struct http_reply reply_http(const struct reply *reply);

#endif
