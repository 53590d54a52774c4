#include "agent-api/front/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/front/connection.h"
#include "agent-api/front/front.h"
#include "agent-api/wire/asked.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/methods.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"

_Static_assert((int)MCP_LEGACY == (int)ERA_LEGACY && (int)MCP_MODERN == (int)ERA_MODERN,
    "front passes the era on as a number");

/* The numbers that the table of wire gives travel as they are. */
#define SAME(name) _Static_assert((int)METHOD_##name == (int)REQUEST_##name, #name)
SAME(TOOLS_LIST);
SAME(TOOLS_CALL);
SAME(AGENTS_LIST);
SAME(STATUS);
SAME(EXPLAIN);
SAME(APPROVALS_LIST);
SAME(APPROVALS_WATCH);
SAME(APPROVALS_DECIDE);
SAME(RELOAD);
SAME(SHUTDOWN);
SAME(SUBSCRIBE);
SAME(GRANTS_LIST);
SAME(GRANTS_REVOKE);
SAME(STREAM_WRITE);
SAME(STREAM_READ);
SAME(WHOAMI);
SAME(APPROVALS_GET);
SAME(CALLBACK);
SAME(METRICS);
SAME(KEYS_CREATE);
SAME(KEYS_LIST);
SAME(KEYS_ROTATE);
SAME(KEYS_REVOKE);
SAME(TOKENS_ISSUE);
SAME(TOKENS_KEYS);
SAME(CONFIG_READ);
SAME(CONFIG_WRITE);
SAME(PROGRESS);
SAME(ELICIT);
SAME(LOG);
SAME(SET_LEVEL);
_Static_assert((int)METHOD_NUMBER_COUNT == (int)REQUEST_METHOD_COUNT, "no number is missing");
#undef SAME
_Static_assert((int)SEVERITY_COUNT == REQUEST_LOG_MAX + 1, "front passes it on as a number");

#define CREDENTIAL_MAX 16384 /* bytes of _meta["callgate/credential"] */

/* One request on its way. */
struct request {
	struct connection *connection;
	const struct rpc_message *message;
	const struct method *method;
	enum mcp_era era;
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

static int answer_discover(const struct request *request)
{
	struct buf cleanup_with(buf_fini) body;
	int r;

	buf_init(&body, WIRE_RESULT_MAX);
	r = mcp_discover(&body);
	return r == 0 ? answer(request, &body) : r;
}

static int answer_ping(const struct request *request)
{
	struct buf cleanup_with(buf_fini) body;
	int r;

	buf_init(&body, WIRE_RESULT_MAX);
	r = mcp_ping(&body);
	return r == 0 ? answer(request, &body) : r;
}

/* ---- forwarded -------------------------------------------------------------------------- */

/* Engine verifies it; here is only looked whether it can be one. "" if absent. */
static int read_credential(
    const struct request *request, const char **ret_credential, struct rpc_error *ret_error)
{
	const json_t *meta = json_object_get(request->message->params, "_meta");
	const json_t *credential = json_object_get(meta, "callgate/credential");

	*ret_credential = "";
	if (!credential)
		return 0;
	if (!json_is_string(credential) || json_string_length(credential) == 0 ||
	    json_string_length(credential) > CREDENTIAL_MAX)
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"callgate/credential\"]: must be a text of 1 to %d bytes, an API key "
		    "or a token",
		    CREDENTIAL_MAX);
	*ret_credential = json_string_value(credential);
	return 0;
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

	if (request->method->kind == METHOD_STREAM)
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
	    connection, request->message->id, request->method->kind == METHOD_STREAM ? 0 : len);
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

static uint32_t options_of(const struct request *request, const struct wishes *wishes)
{
	const struct mcp_session *session = &request->connection->session;
	uint32_t options = REQUEST_CAN_HEAR;

	if (wishes->stream_input)
		options |= REQUEST_STREAM_INPUT;
	if (wishes->stream_output)
		options |= REQUEST_STREAM_OUTPUT;
	if (request->era == MCP_MODERN ? wishes->can_elicit : session->can_elicit)
		options |= REQUEST_CAN_ELICIT;
	return options;
}

/* Only who made the call can name it: the id is looked up among this connection's own. */
static int name_call(const struct request *request, json_t *body, struct rpc_error *ret_error)
{
	const struct pending *call = NULL;
	char *text = NULL;
	int r = rpc_id_text(json_object_get(body, "requestId"), &text);

	if (r == -ENOMEM)
		return r;
	if (r == 0)
		call = pending_by_id(request->connection->pending, text);
	free(text);
	if (!call || call->method != REQUEST_TOOLS_CALL || call->state == PENDING_CANCELLED)
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "requestId: no tools/call of this id is in flight on this connection");
	(void)json_object_del(body, "requestId"); /* it is there */
	return json_object_set_new(body, "request", json_integer((json_int_t)call->serial)) < 0
		   ? -ENOMEM
		   : 0;
}

static int forward_cargo(
    const struct request *request, const struct method_cargo *cargo, struct rpc_error *ret_error)
{
	struct buf cleanup_with(buf_fini) text;
	struct message message;
	const char *credential;
	int r = read_credential(request, &credential, ret_error);

	if (r != 0)
		return r;
	buf_init(&text, MESSAGE_BODY_MAX);
	r = value_write(&text, cargo->body);
	if (r < 0)
		return r;
	message_init(&message, MESSAGE_REQUEST);
	message.u.request = (struct message_request){.peer = request->connection->peer,
	    .method = (uint16_t)request->method->number,
	    .era = (uint16_t)request->era,
	    .log = (uint16_t)cargo->wishes.log,
	    .options = request->method->number == METHOD_TOOLS_CALL
			   ? options_of(request, &cargo->wishes)
			   : 0,
	    .tool = cargo->tool,
	    .agent = cargo->agent,
	    .space = cargo->space,
	    .progress = cargo->wishes.progress ? cargo->wishes.progress : "",
	    .retry = cargo->wishes.retry ? cargo->wishes.retry : "",
	    .credential = credential,
	    .body = {.data = text.data, .len = text.len}};
	r = send_request(request, &message, ret_error);
	message_fini(&message);
	return r;
}

static int forward(const struct request *request, struct rpc_error *ret_error)
{
	struct method_cargo cleanup_with(method_cargo_fini) cargo = {.tool = NULL};
	int r =
	    method_cargo_read(&cargo, request->method, request->era, request->message, ret_error);

	if (r == 0 && request->method->kind == METHOD_STREAM)
		r = name_call(request, cargo.body, ret_error);
	return r == 0 ? forward_cargo(request, &cargo, ret_error) : r;
}

/* ---- what comes in ---------------------------------------------------------------------- */

/* 0: answered or forwarded. RPC_REFUSED: *ret_error is the answer. Negative: a fault. */
static int handle(const struct request *request, struct rpc_error *ret_error)
{
	switch (request->method->kind) {
	case METHOD_INITIALIZE: return answer_initialize(request, ret_error);
	case METHOD_DISCOVER: return answer_discover(request);
	case METHOD_PING: return answer_ping(request);
	case METHOD_PARAMS:
	case METHOD_LISTEN:
	case METHOD_STREAM:
	case METHOD_TOOL: return forward(request, ret_error);
	case METHOD_KIND_NONE: break;
	}
	return -EINVAL; /* no row has it */
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
	request->method = method_find(message->method, request->era);
	if (!request->method)
		return rpc_refuse(
		    ret_error, RPC_METHOD_NOT_FOUND, "Method not found: %s", message->method);
	return handle(request, ret_error);
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
