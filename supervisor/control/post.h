/*
 * One JSON-RPC message as the body of one HTTP request: what it is, which headers say the same, and
 * which answers it waits for (MCP streamable HTTP, both eras). Pure; floor 4: jansson, base.
 */
#ifndef CALLGATE_CONTROL_POST_H
#define CALLGATE_CONTROL_POST_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/base/buf.h"

struct post {
	json_t *message;       /* owned; NULL: no JSON, and sent as it is */
	json_t *waits;         /* owned: array of the ids that are not answered */
	const char *method;    /* borrowed from message; "" = a response, a batch or no JSON */
	const char *name;      /* what the method is about; "" = nothing */
	const char *version;   /* the modern era's; "" = legacy */
	const json_t *cancels; /* the id that notifications/cancelled names, borrowed; or NULL */
};

/* 0 or -ENOMEM. Ended by post_fini(), which accepts a zeroed one. */
int post_read(struct post *post, const char *text, size_t len);
void post_fini(struct post *post);

/* Does this id belong to a request of it that is unanswered? */
bool post_waits_for(const struct post *post, const json_t *id);
/* Takes note of a message of the gate: a response is no longer waited for. True: it may be passed
 * on; false: it is an answer to nothing that was asked. An error without an id answers the only
 * request, and gets its id. */
bool post_take(struct post *post, json_t *message);

/* Appends text as the value of a header: as it is where it is plain, else "=?base64?...?=". 0 or
 * buf's fault. */
int post_put_value(struct buf *out, const char *text);

/* Seconds in which the answer must be there; 0: it may be held for as long as it takes. */
long post_patience(const char *method);

#endif
