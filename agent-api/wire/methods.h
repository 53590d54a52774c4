/*
 * Method name → what it means: one table for every listener. What is answered without a decision
 * is told by its kind; everything else has the number of the request that engine gets, and its
 * params are read here into what travels. Only the form is judged; engine checks it all again.
 * Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_METHODS_H
#define CALLGATE_WIRE_METHODS_H

#include <jansson.h>

#include "agent-api/wire/mcp.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/wishes.h"

/* Same numbers as enum request_method of link/message.h, which this floor may not include. */
enum method_number {
	METHOD_NONE = 0,
	METHOD_TOOLS_LIST,
	METHOD_TOOLS_CALL,
	METHOD_AGENTS_LIST,
	METHOD_STATUS,
	METHOD_EXPLAIN,
	METHOD_APPROVALS_LIST,
	METHOD_APPROVALS_WATCH,
	METHOD_APPROVALS_DECIDE,
	METHOD_RELOAD,
	METHOD_SHUTDOWN,
	METHOD_SUBSCRIBE,
	METHOD_GRANTS_LIST,
	METHOD_GRANTS_REVOKE,
	METHOD_STREAM_WRITE,
	METHOD_STREAM_READ,
	METHOD_WHOAMI,
	METHOD_APPROVALS_GET,
	METHOD_CALLBACK, /* HTTP alone */
	METHOD_METRICS,  /* HTTP alone */
	METHOD_KEYS_CREATE,
	METHOD_KEYS_LIST,
	METHOD_KEYS_ROTATE,
	METHOD_KEYS_REVOKE,
	METHOD_TOKENS_ISSUE,
	METHOD_TOKENS_KEYS, /* HTTP alone */
	METHOD_CONFIG_READ,
	METHOD_CONFIG_WRITE,
	METHOD_PROGRESS, /* of running calls alone */
	METHOD_ELICIT,   /* the same */
	METHOD_LOG,      /* the same */
	METHOD_SET_LEVEL,
	METHOD_EFFECTS_LIST,
	METHOD_EFFECTS_GET,
	METHOD_EFFECTS_LOOK,
	METHOD_EFFECTS_COMMIT,
	METHOD_EFFECTS_DISCARD,
	METHOD_EFFECTS_UNDO,
	METHOD_NUMBER_COUNT,
};

enum method_kind {
	METHOD_KIND_NONE = 0,
	METHOD_INITIALIZE, /* answered by wire/mcp.h */
	METHOD_DISCOVER,
	METHOD_PING,
	METHOD_PARAMS, /* its params travel as they are */
	METHOD_LISTEN, /* a stream, named after its request */
	METHOD_STREAM, /* names a call under way by its id */
	METHOD_TOOL,   /* names a tool, with arguments */
};

struct method {
	const char *name;
	unsigned eras; /* 1 << enum mcp_era, each */
	enum method_kind kind;
	enum method_number number; /* METHOD_NONE: answered by the listener */
};

/* NULL: unknown, or not of this era. */
const struct method *method_find(const char *name, enum mcp_era era);

/* What a request carries to engine. Strings point into the message that it was read from. */
struct method_cargo {
	const char *tool;  /* "" = none */
	const char *agent; /* as claimed; "" = none */
	const char *space;
	struct wishes wishes; /* of tools/call; else nothing */
	json_t *body;         /* an object, owned: arguments of a tool, else params without _meta */
};

/* message: a request of that method. *ret is released by method_cargo_fini(), also after a
 * refusal. 0, RPC_REFUSED with *ret_error, -ENOMEM. */
int method_cargo_read(struct method_cargo *ret, const struct method *method, enum mcp_era era,
    const struct rpc_message *message, struct rpc_error *ret_error);
/* Accepts a zeroed or finished struct. */
void method_cargo_fini(struct method_cargo *cargo);

#endif
