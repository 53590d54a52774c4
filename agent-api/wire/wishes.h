/*
 * What a client asks for beside the call itself: progress, log messages, streams, and the answers
 * to what the last answer asked for, or the call will ask. Read from params and params._meta of
 * tools/call.
 *
 * Only the form is judged here. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_WISHES_H
#define CALLGATE_WIRE_WISHES_H

#include <jansson.h>
#include <stdbool.h>

#include "agent-api/wire/mcp.h"
#include "agent-api/wire/severity.h"

struct wishes {
	bool stream_input;
	bool stream_output;
	bool can_elicit;   /* modern: said by this request; legacy: never set here */
	enum severity log; /* modern: the log messages it wants; legacy: never set here */
	char *progress;    /* JSON of _meta.progressToken, owned; NULL: none */
	char *retry; /* JSON of {inputResponses?, requestState?}, one of them, owned; NULL: none */
};

/* params: the object, or NULL. *ret is released by wishes_fini(), also after a refusal. 0,
 * RPC_REFUSED, -ENOMEM. */
int wishes_read(
    struct wishes *ret, enum mcp_era era, const json_t *params, struct rpc_error *ret_error);
/* Accepts a zeroed or finished struct. */
void wishes_fini(struct wishes *wishes);

#endif
