#include "agent-api/front/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/front/asked.h"
#include "agent-api/front/connection.h"
#include "agent-api/front/front.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/value.h"
#include "agent-api/wire/wishes.h"
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
static request_handler forward_params, forward_listen, forward_stream, forward_tool;

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
    {"tools/list", IN_BOTH, forward_params, REQUEST_TOOLS_LIST},
    {"tools/call", IN_BOTH, forward_tool, REQUEST_TOOLS_CALL},
    {"subscriptions/listen", IN_MODERN, forward_listen, REQUEST_SUBSCRIBE},
    {"callgate/stdin", IN_BOTH, forward_stream, REQUEST_STREAM_WRITE},
    {"callgate/output", IN_BOTH, forward_stream, REQUEST_STREAM_READ},
    {"callgate/status", IN_BOTH, forward_params, REQUEST_STATUS},
    {"callgate/agents/list", IN_BOTH, forward_params, REQUEST_AGENTS_LIST},
    {"callgate/explain", IN_BOTH, forward_tool, REQUEST_EXPLAIN},
    {"callgate/approvals/list", IN_BOTH, forward_params, REQUEST_APPROVALS_LIST},
    {"callgate/approvals/watch", IN_BOTH, forward_params, REQUEST_APPROVALS_WATCH},
    {"callgate/approvals/decide", IN_BOTH, forward_params, REQUEST_APPROVALS_DECIDE},
    {"callgate/grants/list", IN_BOTH, forward_params, REQUEST_GRANTS_LIST},
    {"callgate/grants/revoke", IN_BOTH, forward_params, REQUEST_GRANTS_REVOKE},
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

/* Engine builds results by what the client can read, and tells it of changes. It answers with
 * silence, which nobody waits for. */
static int tell_session(
    const struct request *request, const struct mcp_session *session, struct rpc_error *ret_error)
{
	struct connection *connection = request->connection;
	struct buf cleanup_with(buf_fini) body;
	struct message message;
	int r;

	buf_init(&body, 256);
	buf_textf(&body, "{\"revision\":\"%s\"}", mcp_revision_name(session->revision));
	message_init(&message, MESSAGE_REQUEST);
	message.u.request = (struct message_request){.peer = connection->peer,
	    .method = REQUEST_SUBSCRIBE,
	    .era = ERA_LEGACY,
	    .tool = "",
	    .agent = "",
	    .space = "",
	    .progress = "",
	    .retry = "",
	    .body = {.data = body.data, .len = body.len}};
	r = link_send(&connection->front->engine, &message);
	message_fini(&message);
	if (r < 0)
		return rpc_refuse(ret_error, RESULT_UNAVAILABLE,
		    "the handshake could not be handed on: %s", strerror(-r));
	connection->session = *session;
	return 0;
}

static int answer_initialize(const struct request *request, struct rpc_error *ret_error)
{
	const char *why = front_refuses(request->connection->front);
	struct buf cleanup_with(buf_fini) body;
	struct mcp_session session;
	int r;

	buf_init(&body, WIRE_RESULT_MAX);
	r = mcp_initialize(&body, request->message->params, &session, ret_error);
	if (r == 0 && why)
		r = rpc_refuse(ret_error, RESULT_UNAVAILABLE, "%s", why);
	if (r == 0)
		r = tell_session(request, &session, ret_error);
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

static int is_stream(enum request_method method)
{
	return method == REQUEST_STREAM_READ || method == REQUEST_STREAM_WRITE;
}

/* What a call under way writes, and waits for, is not lost because others keep the front busy or
 * the daemon stops: its two requests come on top of the calls', and engine takes one of each. */
static int check_stream_room(const struct connection *connection, struct rpc_error *ret_error)
{
	const char *why = front_refuses_stream(connection->front);

	if (connection->pending_count >= 3 * FRONT_IN_FLIGHT_MAX)
		why = "too many requests in flight on this connection";
	return why ? rpc_refuse(ret_error, RESULT_UNAVAILABLE, "%s", why) : 0;
}

/* Others may be closed to make room. */
static int check_room(const struct request *request, size_t body_len, struct rpc_error *ret_error)
{
	struct connection *connection = request->connection;
	const char *why = front_refuses(connection->front);

	if (is_stream(request->method->forward))
		return check_stream_room(connection, ret_error);
	if (connection->pending_count >= FRONT_IN_FLIGHT_MAX)
		return rpc_refuse(ret_error, RESULT_UNAVAILABLE,
		    "more than %d requests in flight on this connection", FRONT_IN_FLIGHT_MAX);
	if (!why && !budget_make_room(connection, body_len))
		why = "too many bytes of requests in flight; try again later";
	return why ? rpc_refuse(ret_error, RESULT_UNAVAILABLE, "%s", why) : 0;
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
	pending = pending_new(
	    connection, request->message->id, is_stream(request->method->forward) ? 0 : len);
	if (!pending)
		return -ENOMEM;
	r = link_send(&connection->front->engine, message);
	if (r < 0) {
		pending_free(pending);
		return rpc_refuse(ret_error, RESULT_UNAVAILABLE,
		    "the request could not be handed on: %s", strerror(-r));
	}
	pending->serial = message->serial;
	pending->method = message->u.request.method;
	connection_add_pending(connection, pending);
	return 0;
}

/* What is forwarded; what is not there is NULL. */
struct cargo {
	const char *tool;
	const json_t *body; /* an object */
	const struct wishes *wishes;
};

static uint32_t options_of(const struct request *request, const struct wishes *wishes)
{
	const struct mcp_session *session = &request->connection->session;
	uint32_t options = 0;

	if (wishes->stream_input)
		options |= REQUEST_STREAM_INPUT;
	if (wishes->stream_output)
		options |= REQUEST_STREAM_OUTPUT;
	if (request->era == MCP_MODERN ? wishes->can_elicit : session->can_elicit)
		options |= REQUEST_CAN_ELICIT;
	return options;
}

static int forward(
    const struct request *request, const struct cargo *cargo, struct rpc_error *ret_error)
{
	static const struct wishes nothing = {.progress = NULL};
	const struct wishes *wishes = cargo->wishes ? cargo->wishes : &nothing;
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
		r = value_write(&text, cargo->body);
	if (r != 0)
		return r;
	to->peer = request->connection->peer;
	to->method = (uint16_t)request->method->forward;
	to->era = (uint16_t)request->era;
	to->options = cargo->wishes ? options_of(request, wishes) : 0;
	to->tool = cargo->tool ? cargo->tool : "";
	to->progress = wishes->progress ? wishes->progress : "";
	to->retry = wishes->retry ? wishes->retry : "";
	to->body = (struct bytes){.data = text.data, .len = text.len};
	r = send_request(request, &message, ret_error);
	message_fini(&message);
	return r;
}

/* Takes body; NULL: no memory. */
static int forward_body(const struct request *request, json_t *body, struct rpc_error *ret_error)
{
	const struct cargo cargo = {.body = body};
	int r = body ? forward(request, &cargo, ret_error) : -ENOMEM;

	json_decref(body);
	return r;
}

static json_t *params_copy(const struct request *request)
{
	const json_t *params = request->message->params;
	json_t *copy = params ? json_copy((json_t *)params) : json_object();

	(void)json_object_del(copy, "_meta"); /* -1: it had none */
	return copy;
}

static int forward_params(const struct request *request, struct rpc_error *ret_error)
{
	return forward_body(request, params_copy(request), ret_error);
}

/* The stream is named after its request, and engine knows no ids. */
static int forward_listen(const struct request *request, struct rpc_error *ret_error)
{
	const json_t *filter = json_object_get(request->message->params, "notifications");

	if (!json_is_object(filter))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "notifications: required, an object such as {\"toolsListChanged\": true}");
	return forward_body(request,
	    json_pack("{s:O, s:s}", "notifications", filter, "subscription", request->message->id),
	    ret_error);
}

/* Only who made the call can name it: the id is looked up among this connection's own. */
static int forward_stream(const struct request *request, struct rpc_error *ret_error)
{
	const json_t *id = json_object_get(request->message->params, "requestId");
	const struct pending *call = NULL;
	char *text = NULL;
	json_t *body;
	int r = rpc_id_text(id, &text);

	if (r == -ENOMEM)
		return r;
	if (r == 0)
		call = pending_by_id(request->connection->pending, text);
	free(text);
	if (!call || call->method != REQUEST_TOOLS_CALL || call->state == PENDING_CANCELLED)
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "requestId: no tools/call of this id is in flight on this connection");
	body = params_copy(request);
	(void)json_object_del(body, "requestId");
	if (json_object_set_new(body, "request", json_integer((json_int_t)call->serial)) < 0) {
		json_decref(body);
		return -ENOMEM;
	}
	return forward_body(request, body, ret_error);
}

static int check_tool(const json_t *name, const char *key, struct rpc_error *ret_error)
{
	if (!json_is_string(name) || json_string_length(name) == 0)
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "%s: required, a tool's name", key);
	if (json_string_length(name) > WIRE_TOOL_MAX)
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "%s: longer than %d bytes", key, WIRE_TOOL_MAX);
	return 0;
}

/* tools/call calls it "name", explain calls it "tool"; the arguments are the same. */
static int forward_tool(const struct request *request, struct rpc_error *ret_error)
{
	const json_t *params = request->message->params;
	const char *key = request->method->forward == REQUEST_EXPLAIN ? "tool" : "name";
	const json_t *name = json_object_get(params, key);
	json_t *arguments = json_object_get(params, "arguments");
	struct wishes cleanup_with(wishes_fini) wishes = {.progress = NULL};
	struct cargo cargo = {.tool = json_string_value(name)};
	int r = check_tool(name, key, ret_error);

	if (r == 0 && arguments && !json_is_object(arguments))
		r = rpc_refuse(ret_error, RPC_INVALID_PARAMS, "arguments: must be an object");
	if (r == 0 && request->method->forward == REQUEST_TOOLS_CALL) {
		r = wishes_read(&wishes, request->era, params, ret_error);
		cargo.wishes = &wishes;
	}
	if (r != 0)
		return r;
	arguments = arguments ? json_incref(arguments) : json_object();
	if (!arguments)
		return -ENOMEM;
	cargo.body = arguments;
	r = forward(request, &cargo, ret_error);
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
	char *id = NULL;

	if (rpc_id_text(json_object_get(params, "requestId"), &id) < 0)
		return;
	pending = pending_by_id(connection->pending, id);
	free(id);
	if (pending)
		connection_cancel_pending(connection, pending);
}

/* The answer to a question of ours, once; whatever else answers nothing. */
static void take_response(struct connection *connection, const struct rpc_message *message)
{
	const json_t *id = json_object_get(message->root, "id");
	const json_t *result = json_object_get(message->root, "result");
	struct buf cleanup_with(buf_fini) body;
	struct message told;

	if (!asked_take(connection->asked, id))
		return;
	buf_init(&body, MESSAGE_BODY_MAX);
	if (value_write(&body, result ? result : json_object_get(message->root, "error")) < 0)
		return;
	message_init(&told, MESSAGE_RESPONSE);
	told.u.response.peer = connection->peer;
	told.u.response.id = json_string_value(id);
	told.u.response.kind = result ? REPLY_RESULT : REPLY_ERROR;
	told.u.response.body = (struct bytes){.data = body.data, .len = body.len};
	if (link_send(&connection->front->engine, &told) < 0)
		connection_close(connection); /* its user believes to have answered */
	message_fini(&told);
}

void dispatch_message(struct connection *connection, const struct rpc_message *message)
{
	switch (message->kind) {
	case RPC_REQUEST: take_request(connection, message); break;
	case RPC_NOTIFICATION:
		if (strcmp(message->method, "notifications/cancelled") == 0)
			take_cancel(connection, message->params);
		break; /* all others ask for nothing */
	case RPC_RESPONSE: take_response(connection, message); break;
	case RPC_NONE: break;
	}
}
