#include "agent-api/web/mcp.h"

#include <errno.h>
#include <string.h>

#include "agent-api/web/exchange.h"
#include "agent-api/web/head_field.h"
#include "agent-api/web/mcp_headers.h"
#include "agent-api/web/names.h"
#include "agent-api/web/visitor.h"
#include "agent-api/web/web.h"
#include "agent-api/web/wellknown.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/methods.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"

/* One message on its way. */
struct ask {
	struct web *web;
	struct http_request *request;
	struct rpc_message message; /* owned */
	struct mcp_accept accept;
	enum mcp_era era;
	enum mcp_revision revision;
	struct http_text session; /* of ours; at is NULL: none */
	bool can_elicit;          /* as the session says */
	struct batch *batch;      /* of which this is one message, or NULL */
};

static void ask_fini(struct ask *ask)
{
	rpc_message_fini(&ask->message);
}

/* ---- answered here ---------------------------------------------------------------------- */

/* Within a batch an answer is a part: only a fault of ours, or a request that is no message, is a
 * matter of HTTP. */
static void answer_error_in_batch(
    const struct ask *ask, int status, const struct rpc_error *error, struct buf *body)
{
	struct message_reply said = {.kind = REPLY_ERROR,
	    .status = (uint16_t)status,
	    .retry_s = status == 503 ? 1 : 0,
	    .challenge = ""};

	(void)mcp_error_body(body, error, ask->message.params);
	said.body = (struct bytes){body->data, body->len};
	batch_put(ask->batch, ask->message.id ? ask->message.id : "null", RPC_ANSWER_ERROR, &said);
}

static void answer_error(const struct ask *ask, int status, const struct rpc_error *error)
{
	struct reply cleanup_with(reply_fini) reply;
	struct buf cleanup_with(buf_fini) body;

	reply_init(&reply, status);
	buf_init(&body, WEB_ANSWER_MAX);
	if (ask->batch) {
		answer_error_in_batch(ask, status, error, &body);
		return;
	}
	if (mcp_error_body(&body, error, ask->message.params) < 0 ||
	    rpc_put_answer(&reply.body, ask->message.id ? ask->message.id : "null",
		RPC_ANSWER_ERROR, body.data, body.len) < 0)
		reply.overfull = true;
	if (status == 401)
		wellknown_challenge(&reply, ask->web->site, ask->request, "");
	if (status == 503)
		reply_field(&reply, "Retry-After", "1");
	web_answer(ask->web, ask->request, &reply);
}

static void answer_accepted(const struct ask *ask)
{
	struct reply cleanup_with(reply_fini) reply;

	if (ask->batch)
		return; /* nothing is said of it */
	reply_init(&reply, 202);
	web_answer(ask->web, ask->request, &reply);
}

/* To a fault, or to a refusal that was found here. Requests of the old era that are well framed
 * are answered in their envelope alone: their clients read no other. */
static void answer_refused(const struct ask *ask, int r, struct rpc_error *error)
{
	int status = 400;

	if (r < 0) {
		(void)rpc_refuse(error, RESULT_UNAVAILABLE, "no memory for the request");
		status = 503;
	} else if (error->code == RPC_METHOD_NOT_FOUND) {
		status = ask->era == MCP_MODERN ? 404 : 200;
	} else if (ask->era == MCP_LEGACY && error->code == RPC_INVALID_PARAMS) {
		status = 200;
	}
	answer_error(ask, status, error);
}

/* ---- forwarded -------------------------------------------------------------------------- */

static bool is_lasting(const struct method *method)
{
	return method->number == METHOD_TOOLS_CALL || method->number == METHOD_SUBSCRIBE ||
	       method->number == METHOD_APPROVALS_WATCH;
}

/* hears: its answer may be a stream of events. */
static uint32_t options_of(const struct ask *ask, const struct wishes *wishes, bool hears)
{
	bool can_elicit = ask->era == MCP_MODERN
			      ? wishes->can_elicit
			      : ask->can_elicit && ask->revision >= MCP_2025_06_18;

	/* The question and its answer travel on the call's own stream of events. */
	if (ask->era == MCP_LEGACY && !ask->accept.events_named)
		can_elicit = false;
	return (can_elicit ? REQUEST_CAN_ELICIT : 0u) | (hears ? REQUEST_CAN_HEAR : 0u);
}

static int order_init(const struct ask *ask, struct exchange_order *order)
{
	*order = (struct exchange_order){.form = EXCHANGE_MCP,
	    .id = ask->message.id,
	    .batch = ask->batch,
	    .era = ask->era,
	    .revision = mcp_revision_name(ask->revision)};
	return visitor_bond(ask->request, ask->session, &order->bond);
}

static int forward_cargo(const struct ask *ask, const struct method *method,
    const struct method_cargo *cargo, struct rpc_error *ret_error)
{
	struct buf cleanup_with(buf_fini) text;
	struct exchange_order order;
	struct err_note note;
	struct names names;
	int r = order_init(ask, &order);

	buf_init(&text, MESSAGE_BODY_MAX);
	if (r == 0)
		r = value_write(&text, cargo->body);
	if (r < 0)
		return r;
	if (names_read(&names, ask->request->head, cargo->agent, cargo->space, &note) < 0)
		return rpc_refuse(ret_error, RPC_HEADER_MISMATCH, "%s", note.text);
	order.lasting = is_lasting(method);
	order.may_stream = method->number == METHOD_SUBSCRIBE
			       ? ask->accept.events
			       : ask->accept.events_named && method->number == METHOD_TOOLS_CALL;
	order.may_stream &= !ask->batch;
	order.streams_late = order.may_stream;
	order.say = (struct message_request){.method = (uint16_t)method->number,
	    .era = (uint16_t)ask->era,
	    .log = (uint16_t)cargo->wishes.log,
	    .options = method->number == METHOD_TOOLS_CALL
			   ? options_of(ask, &cargo->wishes, order.may_stream)
			   : 0,
	    .tool = cargo->tool,
	    .agent = names.agent,
	    .space = names.space,
	    .progress = cargo->wishes.progress ? cargo->wishes.progress : "",
	    .retry = cargo->wishes.retry ? cargo->wishes.retry : "",
	    .body = {text.data, text.len}};
	exchange_begin(ask->web, ask->request, &order);
	return 0;
}

static int forward(const struct ask *ask, const struct method *method, struct rpc_error *ret_error)
{
	struct method_cargo cleanup_with(method_cargo_fini) cargo = {.tool = NULL};
	int r;

	if (method->kind == METHOD_STREAM)
		return rpc_refuse(ret_error, RPC_METHOD_NOT_FOUND,
		    "%s is served on the Unix socket only: over HTTP a call is one request and "
		    "its answer",
		    method->name);
	r = method_cargo_read(&cargo, method, ask->era, &ask->message, ret_error);
	if (r == 0 &&
	    json_object_get(json_object_get(ask->message.params, "_meta"), "callgate/credential"))
		r = rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"callgate/credential\"]: over HTTP a credential is the header "
		    "Authorization");
	if (r == 0 && (cargo.wishes.stream_input || cargo.wishes.stream_output))
		r = rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"callgate/stream\"]: served on the Unix socket only");
	return r == 0 ? forward_cargo(ask, method, &cargo, ret_error) : r;
}

/* ---- what needs no engine, but must not be told to just anybody ------------------------- */

/* Where everybody has to say who he is, engine is asked first. */
static int answer_ready(const struct ask *ask, const struct buf *body, const char *session)
{
	struct exchange_order order;
	int r = order_init(ask, &order);

	if (r < 0)
		return r;
	order.form = EXCHANGE_READY;
	order.session = session;
	order.ready = body;
	order.say = (struct message_request){.method = REQUEST_WHOAMI,
	    .era = (uint16_t)ask->era,
	    .tool = "",
	    .agent = "",
	    .space = "",
	    .progress = "",
	    .retry = "",
	    .body = {"{}", 2}};
	exchange_begin(ask->web, ask->request, &order);
	return 0;
}

static int answer_now(const struct ask *ask, const struct buf *body, const char *session)
{
	struct reply cleanup_with(reply_fini) reply;
	const struct message_reply said = {
	    .kind = REPLY_RESULT, .challenge = "", .body = {body->data, body->len}};

	reply_init(&reply, 200);
	if (ask->batch) {
		batch_put(ask->batch, ask->message.id, RPC_ANSWER_RESULT, &said);
		return 0;
	}
	if (rpc_put_answer(&reply.body, ask->message.id, RPC_ANSWER_RESULT, body->data, body->len) <
	    0)
		reply.overfull = true;
	if (*session)
		reply_field(&reply, "Mcp-Session-Id", "%s", session);
	web_answer(ask->web, ask->request, &reply);
	return 0;
}

static int answer_own(
    const struct ask *ask, const struct method *method, struct rpc_error *ret_error)
{
	char session[MCP_SESSION_MAX] = "";
	struct mcp_session agreed = {.revision = MCP_REVISION_NONE};
	struct buf cleanup_with(buf_fini) body;
	int r = 0;

	buf_init(&body, WIRE_RESULT_MAX);
	if (method->kind == METHOD_INITIALIZE) {
		r = mcp_initialize(&body, ask->message.params, &agreed, ret_error);
		if (r == 0)
			r = mcp_session_make(session, agreed.can_elicit);
	} else {
		r = method->kind == METHOD_DISCOVER ? mcp_discover(&body) : mcp_ping(&body);
	}
	if (r != 0)
		return r;
	if (ask->web->site->said->auth && visitor_shows_something(ask->request))
		return answer_ready(ask, &body, session);
	return answer_now(ask, &body, session);
}

/* ---- messages --------------------------------------------------------------------------- */

static int serve_request(struct ask *ask, struct rpc_error *ret_error)
{
	const struct rpc_message *message = &ask->message;
	const struct method *method;
	int r =
	    mcp_headers_judge(ask->request->head, message, &ask->era, &ask->revision, ret_error);

	if (r != 0)
		return r;
	method = method_find(message->method, ask->era);
	if (!method)
		return rpc_refuse(
		    ret_error, RPC_METHOD_NOT_FOUND, "Method not found: %s", message->method);
	if (ask->batch && (method->kind == METHOD_INITIALIZE ||
			      (is_lasting(method) && method->number != METHOD_TOOLS_CALL)))
		return rpc_refuse(
		    ret_error, RPC_INVALID_REQUEST, "%s: never part of a batch", method->name);
	return method->number == METHOD_NONE ? answer_own(ask, method, ret_error)
					     : forward(ask, method, ret_error);
}

static void take_request(struct ask *ask)
{
	struct rpc_error error = {.code = 0};
	int r = serve_request(ask, &error);

	if (r != 0)
		answer_refused(ask, r, &error);
}

/* Clients of the old era cancel in words; ids are only known apart within a session. */
static void take_notification(const struct ask *ask)
{
	struct digest bond;
	char *id = NULL;

	if (strcmp(ask->message.method, "notifications/cancelled") == 0 && ask->session.at &&
	    visitor_bond(ask->request, ask->session, &bond) == 0 &&
	    rpc_id_text(json_object_get(ask->message.params, "requestId"), &id) == 0)
		exchange_cancel(ask->web, &bond, id);
	free(id);
	answer_accepted(ask);
}

/* The answer to a question of ours: of the session that was asked, and once. */
static void take_response(const struct ask *ask)
{
	const json_t *id = json_object_get(ask->message.root, "id");
	const json_t *result = json_object_get(ask->message.root, "result");
	struct buf cleanup_with(buf_fini) body;
	struct message_response response = {.kind = result ? REPLY_RESULT : REPLY_ERROR};
	struct rpc_error error;
	struct digest bond;

	buf_init(&body, MESSAGE_BODY_MAX);
	if (ask->session.at && json_is_string(id) &&
	    visitor_bond(ask->request, ask->session, &bond) == 0 &&
	    value_write(&body, result ? result : json_object_get(ask->message.root, "error")) ==
		0) {
		response.id = json_string_value(id);
		response.body = (struct bytes){body.data, body.len};
		if (exchange_respond(ask->web, &bond, id, &response)) {
			answer_accepted(ask);
			return;
		}
	}
	(void)rpc_refuse(&error, RPC_INVALID_REQUEST, "this answers nothing that was asked here");
	answer_error(ask, 400, &error);
}

static void take_message(struct ask *ask)
{
	switch (ask->message.kind) {
	case RPC_REQUEST: take_request(ask); return;
	case RPC_NOTIFICATION: take_notification(ask); return;
	case RPC_RESPONSE: take_response(ask); return;
	case RPC_NONE: break;
	}
	http_request_abandon(ask->request); /* no such kind is ever parsed */
}

/* ---- batches ---------------------------------------------------------------------------- */

/* Only the revision of 2025-03-26 has them, whose clients send no header yet. */
static bool is_batch(const struct http_request *request)
{
	struct http_text revision = head_field(request->head, "mcp-protocol-version");
	const char *at = request->body;
	size_t n = 0;

	while (n < request->body_len && strchr(" \t\r\n", at[n]) && at[n])
		n++;
	return n < request->body_len && at[n] == '[' &&
	       (!revision.at || head_text_equals(revision, mcp_revision_name(MCP_2025_03_26)));
}

static bool has_id_of_another(const json_t *batch, size_t index)
{
	const json_t *id = json_object_get(json_array_get(batch, index), "id");

	for (size_t i = 0; id && i < index; i++) {
		const json_t *other = json_array_get(batch, i);

		if (json_object_get(other, "method") &&
		    json_equal(json_object_get(other, "id"), id))
			return true;
	}
	return false;
}

/* Each message as if it came alone, all at once. */
static void take_item(const struct ask *whole, const json_t *batch, size_t index)
{
	struct ask cleanup_with(ask_fini) ask = *whole;
	struct rpc_error error = {.code = 0};
	int r = rpc_read(json_incref(json_array_get(batch, index)), &ask.message, &error);

	if (r == 0 && ask.message.kind == RPC_REQUEST && has_id_of_another(batch, index))
		r = rpc_refuse(&error, RPC_INVALID_REQUEST, "id: twice in one batch");
	if (r == 0)
		take_message(&ask);
	else
		answer_refused(&ask, r, &error);
}

static void take_batch(struct ask *ask)
{
	const struct http_request *request = ask->request;
	struct rpc_error error = {.code = 0};
	json_t *batch = NULL;
	int r = rpc_parse_batch(request->body, request->body_len, &batch, &error);

	if (r != 0) {
		answer_refused(ask, r, &error);
		return;
	}
	ask->batch = batch_new(ask->web, ask->request);
	if (!ask->batch) {
		json_decref(batch);
		web_answer_error(ask->web, ask->request, 503, "too many batches; try again later");
		return;
	}
	for (size_t i = 0; i < json_array_size(batch); i++)
		take_item(ask, batch, i);
	json_decref(batch);
	batch_release(ask->batch);
}

/* Whoever must say who he is and has said nothing learns how, before anything is read. */
static bool is_stranger(const struct web *web, const struct http_request *request)
{
	const struct message_site *said = web->site->said;

	return said->auth && said->require_auth && !visitor_shows_something(request) &&
	       !site_lists(&said->excluded_paths, request->head->path);
}

void mcp_take(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct ask cleanup_with(ask_fini) ask = {.web = web,
	    .request = request,
	    .accept = mcp_accept_of(request->head),
	    .session = head_field(request->head, "mcp-session-id")};
	struct rpc_error error = {.code = 0};
	int r;

	(void)match;
	(void)route;
	if (!mcp_session_read(ask.session, &ask.can_elicit))
		ask.session = (struct http_text){NULL, 0};
	if (!ask.accept.json || !ask.accept.events) {
		web_answer_error(
		    web, request, 406, "Accept must allow application/json and text/event-stream");
		return;
	}
	if (is_stranger(web, request)) {
		(void)rpc_refuse(&error, 401, "a credential is needed");
		answer_error(&ask, 401, &error);
		return;
	}
	if (is_batch(request)) {
		take_batch(&ask);
		return;
	}
	r = rpc_parse(request->body, request->body_len, &ask.message, &error);
	if (r == 0)
		take_message(&ask);
	else
		answer_error(&ask, r < 0 ? 503 : 400,
		    r < 0 ? &(struct rpc_error){.code = RESULT_UNAVAILABLE,
				.note = {"no memory for the request"}}
			  : &error);
}
