#include "agent-api/front/dispatch.h"

#include <errno.h>
#include <string.h>

#include "agent-api/front/connection.h"
#include "agent-api/front/front.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

_Static_assert((int)MCP_LEGACY == (int)ERA_LEGACY && (int)MCP_MODERN == (int)ERA_MODERN,
    "front passes the era on as a number");

struct method;

/* One request on its way. */
struct request {
	struct connection *connection;
	const struct rpc_message *message;
	const struct method *method;
	enum mcp_era era;
};

/* 0: answered or forwarded. RPC_REFUSED: *ret_error is the answer. Negative: a fault. */
typedef int request_handler(const struct request *request, struct rpc_error *ret_error);

static request_handler answer_initialize, answer_discover, answer_ping;
static request_handler forward_params, forward_list, forward_tool;

#define IN_LEGACY (1u << MCP_LEGACY)
#define IN_MODERN (1u << MCP_MODERN)
#define IN_BOTH   (IN_LEGACY | IN_MODERN)

struct method {
	const char *name;
	unsigned eras;
	request_handler *handler;
	enum request_method forward;
};

static const struct method METHODS[] = {
    {"initialize", IN_LEGACY, answer_initialize, REQUEST_NONE},
    {"ping", IN_LEGACY, answer_ping, REQUEST_NONE},
    {"server/discover", IN_MODERN, answer_discover, REQUEST_NONE},
    {"tools/list", IN_BOTH, forward_list, REQUEST_TOOLS_LIST},
    {"tools/call", IN_BOTH, forward_tool, REQUEST_TOOLS_CALL},
    {"callgate/status", IN_BOTH, forward_params, REQUEST_STATUS},
    {"callgate/agents/list", IN_BOTH, forward_params, REQUEST_AGENTS_LIST},
    {"callgate/explain", IN_BOTH, forward_tool, REQUEST_EXPLAIN},
    {"callgate/approvals/list", IN_BOTH, forward_params, REQUEST_APPROVALS_LIST},
    {"callgate/approvals/watch", IN_BOTH, forward_params, REQUEST_APPROVALS_WATCH},
    {"callgate/approvals/decide", IN_BOTH, forward_params, REQUEST_APPROVALS_DECIDE},
    {"callgate/reload", IN_BOTH, forward_params, REQUEST_RELOAD},
    {"callgate/shutdown", IN_BOTH, forward_params, REQUEST_SHUTDOWN},
};

/* ---- answered here ---------------------------------------------------------------------- */

static int answer(const struct request *request, const struct buf *body)
{
	connection_answer(
	    request->connection, request->message->id, RPC_ANSWER_RESULT, body->data, body->len);
	return 0;
}

static int answer_initialize(const struct request *request, struct rpc_error *ret_error)
{
	struct buf cleanup_with(buf_fini) body;
	int r;

	buf_init(&body, WIRE_RESULT_MAX);
	r = mcp_initialize(&body, request->message->params, ret_error);
	return r == 0 ? answer(request, &body) : r;
}

static int answer_discover(const struct request *request, struct rpc_error *ret_error)
{
	struct buf cleanup_with(buf_fini) body;
	int r;

	(void)ret_error; /* its params were checked with the era */
	buf_init(&body, WIRE_RESULT_MAX);
	r = mcp_discover(&body);
	return r == 0 ? answer(request, &body) : r;
}

static int answer_ping(const struct request *request, struct rpc_error *ret_error)
{
	struct buf cleanup_with(buf_fini) body;
	int r;

	(void)ret_error; /* nothing to check */
	buf_init(&body, WIRE_RESULT_MAX);
	r = mcp_ping(&body);
	return r == 0 ? answer(request, &body) : r;
}

/* ---- forwarded -------------------------------------------------------------------------- */

/* A name in params._meta; "" if absent. */
static int read_name(const struct request *request, const char *key, const char **ret_name,
    struct rpc_error *ret_error)
{
	const json_t *meta = json_object_get(request->message->params, "_meta");
	const json_t *name = json_object_get(meta, key);

	*ret_name = "";
	if (!name)
		return 0;
	if (!json_is_string(name) || !str_is_name(json_string_value(name)))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"%s\"]: must be 1 to 255 of A-Z a-z 0-9 _ -", key);
	*ret_name = json_string_value(name);
	return 0;
}

/* A credential may grant less than the kernel's word on who this is, so it is never passed over
 * in silence. */
static int check_credential(const struct request *request, struct rpc_error *ret_error)
{
	const json_t *meta = json_object_get(request->message->params, "_meta");

	if (!json_object_get(meta, "callgate/credential"))
		return 0;
	return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
	    "_meta[\"callgate/credential\"]: this socket knows its callers from the kernel and "
	    "takes no credentials");
}

static int check_room(const struct request *request, size_t body_len, struct rpc_error *ret_error)
{
	const struct connection *connection = request->connection;
	const char *why = front_refuses(connection->front, body_len);

	if (connection->pending_count >= FRONT_IN_FLIGHT_MAX)
		return rpc_refuse(ret_error, RESULT_UNAVAILABLE,
		    "more than %d requests in flight on this connection", FRONT_IN_FLIGHT_MAX);
	if (why)
		return rpc_refuse(ret_error, RESULT_UNAVAILABLE, "%s", why);
	return 0;
}

static int send_request(
    const struct request *request, struct message *message, struct rpc_error *ret_error)
{
	struct connection *connection = request->connection;
	size_t len = message->u.request.body.len;
	struct pending *pending;
	int r = check_room(request, len, ret_error);

	if (r != 0)
		return r;
	pending = pending_new(connection, request->message->id, len);
	if (!pending)
		return -ENOMEM;
	r = link_send(&connection->front->engine, message);
	if (r < 0) {
		pending_free(pending);
		return rpc_refuse(ret_error, RESULT_UNAVAILABLE,
		    "the request could not be handed on: %s", strerror(-r));
	}
	pending->serial = message->serial;
	connection_add_pending(connection, pending);
	return 0;
}

/* body: a JSON object; tool: "" where the method has none. */
static int forward(const struct request *request, const char *tool, const json_t *body,
    struct rpc_error *ret_error)
{
	struct buf cleanup_with(buf_fini) text;
	struct message message;
	struct message_request *to = &message.u.request;
	int r;

	buf_init(&text, MESSAGE_BODY_MAX);
	message_init(&message, MESSAGE_REQUEST);
	r = check_credential(request, ret_error);
	if (r == 0)
		r = read_name(request, "callgate/agent", &to->agent, ret_error);
	if (r == 0)
		r = read_name(request, "callgate/namespace", &to->space, ret_error);
	if (r == 0)
		r = value_write(&text, body);
	if (r != 0)
		return r;
	to->peer = request->connection->peer;
	to->method = (uint16_t)request->method->forward;
	to->era = (uint16_t)request->era;
	to->tool = tool;
	to->body = (struct bytes){.data = text.data, .len = text.len};
	r = send_request(request, &message, ret_error);
	message_fini(&message);
	return r;
}

static int forward_params(const struct request *request, struct rpc_error *ret_error)
{
	json_t *params = request->message->params ? json_copy((json_t *)request->message->params)
						  : json_object();
	int r;

	if (!params)
		return -ENOMEM;
	(void)json_object_del(params, "_meta"); /* -1: it had none */
	r = forward(request, "", params, ret_error);
	json_decref(params);
	return r;
}

static int forward_list(const struct request *request, struct rpc_error *ret_error)
{
	int r = mcp_check_cursor(request->message->params, ret_error);

	return r == 0 ? forward_params(request, ret_error) : r;
}

/* tools/call calls it "name", explain calls it "tool"; the arguments are the same. */
static int forward_tool(const struct request *request, struct rpc_error *ret_error)
{
	const json_t *params = request->message->params;
	const char *key = request->method->forward == REQUEST_EXPLAIN ? "tool" : "name";
	const json_t *name = json_object_get(params, key);
	json_t *arguments = json_object_get(params, "arguments");
	int r;

	if (!json_is_string(name) || json_string_length(name) == 0)
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "%s: required, a tool's name", key);
	if (json_string_length(name) > WIRE_TOOL_MAX)
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "%s: longer than %d bytes", key, WIRE_TOOL_MAX);
	if (arguments && !json_is_object(arguments))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS, "arguments: must be an object");
	arguments = arguments ? json_incref(arguments) : json_object();
	if (!arguments)
		return -ENOMEM;
	r = forward(request, json_string_value(name), arguments, ret_error);
	json_decref(arguments);
	return r;
}

/* ---- what comes in ---------------------------------------------------------------------- */

static const struct method *find_method(const char *name, enum mcp_era era)
{
	for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++) {
		if (strcmp(METHODS[i].name, name) == 0 && (METHODS[i].eras & (1u << era)))
			return &METHODS[i];
	}
	return NULL;
}

static int serve(struct request *request, struct rpc_error *ret_error)
{
	const struct rpc_message *message = request->message;
	int r;

	/* Also of what is answered at once: two answers of one id cannot be told apart. */
	if (pending_by_id(request->connection->pending, message->id))
		return rpc_refuse(ret_error, RPC_INVALID_REQUEST,
		    "id: a request with this id is still in flight");
	r = mcp_check_request(message->method, message->params, &request->era, ret_error);
	if (r != 0)
		return r;
	request->method = find_method(message->method, request->era);
	if (!request->method)
		return rpc_refuse(
		    ret_error, RPC_METHOD_NOT_FOUND, "Method not found: %s", message->method);
	return request->method->handler(request, ret_error);
}

static void take_request(struct connection *connection, const struct rpc_message *message)
{
	struct request request = {.connection = connection, .message = message};
	struct rpc_error error;
	int r = serve(&request, &error);

	if (r == RPC_REFUSED)
		connection_refuse(connection, message->id, &error, message->params);
	else if (r < 0)
		connection_close(connection);
}

/* Unknown ids, and ids of requests that are answered already, mean nothing. */
static void take_cancel(struct connection *connection, const json_t *params)
{
	struct pending *pending;
	struct message message;
	char *id = NULL;

	if (rpc_id_text(json_object_get(params, "requestId"), &id) < 0)
		return;
	pending = pending_by_id(connection->pending, id);
	free(id);
	if (!pending || pending->state == PENDING_CANCELLED)
		return;
	pending->state = PENDING_CANCELLED;
	message_init(&message, MESSAGE_CANCEL);
	message.u.cancel.peer = connection->peer;
	message.u.cancel.request = pending->serial;
	if (link_send(&connection->front->engine, &message) < 0)
		connection_close(connection); /* ends that call, too, and is louder */
	message_fini(&message);
}

void dispatch_message(struct connection *connection, const struct rpc_message *message)
{
	switch (message->kind) {
	case RPC_REQUEST: take_request(connection, message); break;
	case RPC_NOTIFICATION:
		if (strcmp(message->method, "notifications/cancelled") == 0)
			take_cancel(connection, message->params);
		break; /* all others ask for nothing */
	case RPC_RESPONSE:
	case RPC_NONE: break;
	}
}
