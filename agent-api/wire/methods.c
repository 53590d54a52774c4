#include "agent-api/wire/methods.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "supervisor/base/str.h"

#define IN_LEGACY (1u << MCP_LEGACY)
#define IN_MODERN (1u << MCP_MODERN)
#define IN_BOTH   (IN_LEGACY | IN_MODERN)

static const struct method METHODS[] = {
    {"initialize", IN_LEGACY, METHOD_INITIALIZE, METHOD_NONE},
    {"ping", IN_LEGACY, METHOD_PING, METHOD_NONE},
    {"logging/setLevel", IN_LEGACY, METHOD_PARAMS, METHOD_SET_LEVEL},
    {"server/discover", IN_MODERN, METHOD_DISCOVER, METHOD_NONE},
    {"tools/list", IN_BOTH, METHOD_PARAMS, METHOD_TOOLS_LIST},
    {"tools/call", IN_BOTH, METHOD_TOOL, METHOD_TOOLS_CALL},
    {"subscriptions/listen", IN_MODERN, METHOD_LISTEN, METHOD_SUBSCRIBE},
    {"callgate/stdin", IN_BOTH, METHOD_STREAM, METHOD_STREAM_WRITE},
    {"callgate/output", IN_BOTH, METHOD_STREAM, METHOD_STREAM_READ},
    {"callgate/status", IN_BOTH, METHOD_PARAMS, METHOD_STATUS},
    {"callgate/whoami", IN_BOTH, METHOD_PARAMS, METHOD_WHOAMI},
    {"callgate/agents/list", IN_BOTH, METHOD_PARAMS, METHOD_AGENTS_LIST},
    {"callgate/explain", IN_BOTH, METHOD_TOOL, METHOD_EXPLAIN},
    {"callgate/approvals/list", IN_BOTH, METHOD_PARAMS, METHOD_APPROVALS_LIST},
    {"callgate/approvals/watch", IN_BOTH, METHOD_PARAMS, METHOD_APPROVALS_WATCH},
    {"callgate/approvals/get", IN_BOTH, METHOD_PARAMS, METHOD_APPROVALS_GET},
    {"callgate/approvals/decide", IN_BOTH, METHOD_PARAMS, METHOD_APPROVALS_DECIDE},
    {"callgate/grants/list", IN_BOTH, METHOD_PARAMS, METHOD_GRANTS_LIST},
    {"callgate/grants/revoke", IN_BOTH, METHOD_PARAMS, METHOD_GRANTS_REVOKE},
    {"callgate/keys/create", IN_BOTH, METHOD_PARAMS, METHOD_KEYS_CREATE},
    {"callgate/keys/list", IN_BOTH, METHOD_PARAMS, METHOD_KEYS_LIST},
    {"callgate/keys/rotate", IN_BOTH, METHOD_PARAMS, METHOD_KEYS_ROTATE},
    {"callgate/keys/revoke", IN_BOTH, METHOD_PARAMS, METHOD_KEYS_REVOKE},
    {"callgate/tokens/issue", IN_BOTH, METHOD_PARAMS, METHOD_TOKENS_ISSUE},
    {"callgate/config/read", IN_BOTH, METHOD_PARAMS, METHOD_CONFIG_READ},
    {"callgate/config/write", IN_BOTH, METHOD_PARAMS, METHOD_CONFIG_WRITE},
    {"callgate/progress", IN_BOTH, METHOD_PARAMS, METHOD_PROGRESS},
    {"callgate/elicit", IN_BOTH, METHOD_PARAMS, METHOD_ELICIT},
    {"callgate/log", IN_BOTH, METHOD_PARAMS, METHOD_LOG},
    {"callgate/effects/list", IN_BOTH, METHOD_PARAMS, METHOD_EFFECTS_LIST},
    {"callgate/effects/get", IN_BOTH, METHOD_PARAMS, METHOD_EFFECTS_GET},
    {"callgate/effects/look", IN_BOTH, METHOD_PARAMS, METHOD_EFFECTS_LOOK},
    {"callgate/effects/commit", IN_BOTH, METHOD_PARAMS, METHOD_EFFECTS_COMMIT},
    {"callgate/effects/discard", IN_BOTH, METHOD_PARAMS, METHOD_EFFECTS_DISCARD},
    {"callgate/effects/undo", IN_BOTH, METHOD_PARAMS, METHOD_EFFECTS_UNDO},
    {"callgate/reload", IN_BOTH, METHOD_PARAMS, METHOD_RELOAD},
    {"callgate/shutdown", IN_BOTH, METHOD_PARAMS, METHOD_SHUTDOWN},
};

const struct method *method_find(const char *name, enum mcp_era era)
{
	for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++) {
		if (strcmp(METHODS[i].name, name) == 0 && (METHODS[i].eras & (1u << era)))
			return &METHODS[i];
	}
	return NULL;
}

/* A name in params._meta; "" if absent. */
static int read_name(
    const json_t *params, const char *key, const char **ret_name, struct rpc_error *ret_error)
{
	const json_t *name = json_object_get(json_object_get(params, "_meta"), key);

	if (!name)
		return 0;
	if (!json_is_string(name) || !str_is_name(json_string_value(name)))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"%s\"]: must be 1 to 255 of A-Z a-z 0-9 _ -", key);
	*ret_name = json_string_value(name);
	return 0;
}

/* tools/call calls it "name", explain calls it "tool"; the arguments are the same. */
static int read_tool(struct method_cargo *cargo, const struct method *method, const json_t *params,
    struct rpc_error *ret_error)
{
	const char *key = method->number == METHOD_EXPLAIN ? "tool" : "name";
	const json_t *name = json_object_get(params, key);
	json_t *arguments = json_object_get(params, "arguments");

	if (!json_is_string(name) || json_string_length(name) == 0)
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "%s: required, a tool's name", key);
	if (json_string_length(name) > WIRE_TOOL_MAX)
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "%s: longer than %d bytes", key, WIRE_TOOL_MAX);
	if (arguments && !json_is_object(arguments))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS, "arguments: must be an object");
	cargo->tool = json_string_value(name);
	cargo->body = arguments ? json_incref(arguments) : json_object();
	return cargo->body ? 0 : -ENOMEM;
}

static int read_params(struct method_cargo *cargo, const json_t *params)
{
	cargo->body = params ? json_copy((json_t *)params) : json_object();
	(void)json_object_del(cargo->body, "_meta"); /* -1: it had none */
	return cargo->body ? 0 : -ENOMEM;
}

/* The stream is named after its request, and engine knows no ids. */
static int read_listen(
    struct method_cargo *cargo, const struct rpc_message *message, struct rpc_error *ret_error)
{
	const json_t *filter = json_object_get(message->params, "notifications");

	if (!json_is_object(filter))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "notifications: required, an object such as {\"toolsListChanged\": true}");
	cargo->body = json_pack("{s:O, s:s}", "notifications", filter, "subscription", message->id);
	return cargo->body ? 0 : -ENOMEM;
}

static int read_body(struct method_cargo *cargo, const struct method *method,
    const struct rpc_message *message, struct rpc_error *ret_error)
{
	switch (method->kind) {
	case METHOD_TOOL: return read_tool(cargo, method, message->params, ret_error);
	case METHOD_LISTEN: return read_listen(cargo, message, ret_error);
	case METHOD_PARAMS:
	case METHOD_STREAM: return read_params(cargo, message->params);
	case METHOD_KIND_NONE:
	case METHOD_INITIALIZE:
	case METHOD_DISCOVER:
	case METHOD_PING: break;
	}
	return rpc_refuse(ret_error, RPC_METHOD_NOT_FOUND, "Method not found: %s", method->name);
}

int method_cargo_read(struct method_cargo *ret, const struct method *method, enum mcp_era era,
    const struct rpc_message *message, struct rpc_error *ret_error)
{
	int r;

	*ret = (struct method_cargo){.tool = "", .agent = "", .space = ""};
	r = read_name(message->params, "callgate/agent", &ret->agent, ret_error);
	if (r == 0)
		r = read_name(message->params, "callgate/namespace", &ret->space, ret_error);
	if (r == 0)
		r = read_body(ret, method, message, ret_error);
	if (r == 0 && method->number == METHOD_TOOLS_CALL)
		r = wishes_read(&ret->wishes, era, message->params, ret_error);
	return r;
}

void method_cargo_fini(struct method_cargo *cargo)
{
	wishes_fini(&cargo->wishes);
	json_decref(cargo->body);
	*cargo = (struct method_cargo){.tool = "", .agent = "", .space = ""};
}
