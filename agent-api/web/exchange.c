#include "agent-api/web/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/web/head_field.h"
#include "agent-api/web/visitor.h"
#include "agent-api/web/wellknown.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"

static void on_timer(uv_timer_t *timer);

/* ---- finding ---------------------------------------------------------------------------- */

/* Serials and peers count up one by one, and spread evenly. */
static struct exchange **serial_bucket(struct web *web, uint64_t serial)
{
	return &web->by_serial[serial & (WEB_BUCKETS - 1)];
}

static struct exchange **peer_bucket(struct web *web, uint64_t peer)
{
	return &web->by_peer[peer & (WEB_BUCKETS - 1)];
}

static struct exchange *find_serial(struct web *web, uint64_t serial)
{
	struct exchange *at = *serial_bucket(web, serial);

	while (at && at->serial != serial)
		at = at->next_serial;
	return at;
}

static void enter(struct exchange *exchange)
{
	struct web *web = exchange->web;
	struct exchange **serial = serial_bucket(web, exchange->serial);
	struct exchange **peer = peer_bucket(web, exchange->peer);

	exchange->next_serial = *serial;
	*serial = exchange;
	exchange->next_peer = *peer;
	*peer = exchange;
	web->in_flight++;
}

static void leave(struct exchange *exchange)
{
	struct web *web = exchange->web;
	struct exchange **at = serial_bucket(web, exchange->serial);

	while (*at != exchange)
		at = &(*at)->next_serial;
	*at = exchange->next_serial;
	at = peer_bucket(web, exchange->peer);
	while (*at != exchange)
		at = &(*at)->next_peer;
	*at = exchange->next_peer;
	web->in_flight--;
}

/* ---- limits ----------------------------------------------------------------------------- */

static const char *refuses(const struct web *web, const struct http_request *request)
{
	const char *why = web_refuses(web);
	uint32_t count = 0;

	if (why)
		return why;
	if (web->in_flight >= WEB_IN_FLIGHT_MAX)
		return "too many requests in flight; try again later";
	for (size_t i = 0; i < WEB_BUCKETS && web->in_flight >= WEB_IN_FLIGHT_EACH; i++) {
		for (const struct exchange *at = web->by_peer[i]; at; at = at->next_peer)
			count += visitor_same_client(at->request, request);
	}
	return count >= WEB_IN_FLIGHT_EACH ? "too many requests in flight from this address" : NULL;
}

/* ---- birth and death -------------------------------------------------------------------- */

static void free_exchange(struct exchange *exchange)
{
	free(exchange->id);
	free(exchange->session);
	free(exchange->asked);
	buf_fini(&exchange->ready);
	free(exchange);
}

static void on_closed(uv_handle_t *handle)
{
	struct exchange *exchange = handle->data;

	exchange->web->exchanges--;
	free_exchange(exchange);
}

static void tell_gone(struct web *web, uint64_t peer)
{
	struct message message;

	message_init(&message, MESSAGE_PEER_GONE);
	message.u.peer_gone.peer = peer;
	(void)web_tell(web, &message); /* its fault ends the front */
}

/* The request is answered, or nobody is there to answer. */
static void end(struct exchange *exchange)
{
	struct web *web = exchange->web;

	leave(exchange);
	web->streams -= exchange->streaming;
	exchange->request = NULL;
	uv_close((uv_handle_t *)&exchange->timer, on_closed);
	tell_gone(web, exchange->peer);
	if (exchange->batch)
		batch_release(exchange->batch);
}

static void tell_cancel(struct exchange *exchange)
{
	struct message message;

	message_init(&message, MESSAGE_CANCEL);
	message.u.cancel.peer = exchange->peer;
	message.u.cancel.request = exchange->serial;
	(void)web_tell(exchange->web, &message);
}

/* The client is gone, and the request with it. */
static void lose(struct exchange *exchange)
{
	tell_cancel(exchange);
	end(exchange);
}

static struct exchange *new_exchange(
    struct web *web, struct http_request *request, const struct exchange_order *order)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->web = web;
	exchange->request = request;
	exchange->form = order->form;
	exchange->status = order->status;
	exchange->type = order->type;
	exchange->lasting = order->lasting;
	exchange->may_stream = order->may_stream;
	exchange->era = order->era;
	exchange->bond = order->bond;
	exchange->peer = PEER_IS_HTTP | ++web->last_peer;
	buf_init(&exchange->ready, WEB_ANSWER_MAX);
	(void)snprintf(exchange->request_id, sizeof(exchange->request_id),
	    "%016" PRIx64 "-%" PRIx64, web->request_seed, web->last_peer); /* it fits */
	if (order->ready)
		buf_put(&exchange->ready, order->ready->data, order->ready->len);
	if (order->id)
		exchange->id = strdup(order->id);
	if (order->session && *order->session)
		exchange->session = strdup(order->session);
	if ((order->id && !exchange->id) ||
	    (order->session && *order->session && !exchange->session) ||
	    exchange->ready.fault < 0 || uv_timer_init(&web->loop, &exchange->timer) < 0) {
		free_exchange(exchange);
		return NULL;
	}
	exchange->timer.data = exchange;
	exchange->batch = order->batch;
	if (exchange->batch)
		batch_hold(exchange->batch);
	web->exchanges++;
	return exchange;
}

/* ---- out: JSON-RPC ---------------------------------------------------------------------- */

static bool is_mcp(enum exchange_form form)
{
	return form == EXCHANGE_MCP || form == EXCHANGE_READY;
}

/* Without the newline that ends a line of the socket. */
static void put_envelope(
    struct buf *out, const char *id, enum rpc_answer answer, const void *body, size_t len)
{
	if (rpc_put_answer(out, id, answer, body, len) == 0)
		out->len--;
}

static bool put_event(struct http_request *request, const void *bytes, size_t len)
{
	struct http_event event = {.name = "message", .data = bytes, .len = len};
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, WEB_ANSWER_MAX);
	if (http_event_put(&text, &event) < 0) {
		http_request_abandon(request);
		return false;
	}
	return http_stream_put(request, text.data, text.len) == 0;
}

static void answer_stream(struct exchange *exchange, const struct message_reply *said)
{
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, WEB_ANSWER_MAX);
	put_envelope(&text, exchange->id,
	    said->kind == REPLY_RESULT ? RPC_ANSWER_RESULT : RPC_ANSWER_ERROR, said->body.data,
	    said->body.len);
	if (text.fault < 0)
		http_request_abandon(exchange->request);
	else if (put_event(exchange->request, text.data, text.len))
		http_stream_end(exchange->request);
}

static void answer_mcp(
    struct exchange *exchange, const struct message_reply *said, struct reply *reply)
{
	const struct buf *ready = &exchange->ready;
	bool is_result = said->kind == REPLY_RESULT;

	reply->status = reply_status_of_mcp(exchange->era, said);
	if (said->retry_s > 0)
		reply_field(reply, "Retry-After", "%u", said->retry_s);
	if (exchange->form == EXCHANGE_READY && is_result)
		put_envelope(
		    &reply->body, exchange->id, RPC_ANSWER_RESULT, ready->data, ready->len);
	else
		put_envelope(&reply->body, exchange->id,
		    is_result ? RPC_ANSWER_RESULT : RPC_ANSWER_ERROR, said->body.data,
		    said->body.len);
	if (is_result && exchange->session)
		reply_field(reply, "Mcp-Session-Id", "%s", exchange->session);
}

/* ---- out: all forms --------------------------------------------------------------------- */

/* Its result holds the text of the page. */
static void answer_metrics(
    const struct exchange *exchange, const struct message_reply *said, struct reply *reply)
{
	json_t *result = NULL;
	struct err_note note;
	const json_t *text = NULL;

	if (said->kind == REPLY_RESULT &&
	    value_read(said->body.data, said->body.len, &result, &note) == 0)
		text = json_object_get(result, "text");
	if (json_is_string(text)) {
		reply->type = exchange->type;
		buf_put(&reply->body, json_string_value(text), json_string_length(text));
	} else if (said->kind == REPLY_RESULT) {
		reply_error(reply, 500, "the engine gave no metrics", NULL);
	} else {
		reply_from_engine(reply, said, 200);
	}
	json_decref(result);
}

static void answer_batch(struct exchange *exchange, const struct message_reply *said)
{
	struct message_reply told = *said;
	bool is_result = said->kind == REPLY_RESULT;

	if (exchange->form == EXCHANGE_READY && is_result)
		told.body = (struct bytes){exchange->ready.data, exchange->ready.len};
	batch_put(
	    exchange->batch, exchange->id, is_result ? RPC_ANSWER_RESULT : RPC_ANSWER_ERROR, &told);
}

static void answer_whole(struct exchange *exchange, const struct message_reply *said)
{
	struct reply cleanup_with(reply_fini) reply;
	struct web *web = exchange->web;
	struct http_reply http;

	if (exchange->batch) {
		answer_batch(exchange, said);
		return;
	}
	reply_init(&reply, 200);
	if (is_mcp(exchange->form))
		answer_mcp(exchange, said, &reply);
	else if (exchange->form == EXCHANGE_METRICS)
		answer_metrics(exchange, said, &reply);
	else
		reply_from_engine(&reply, said, exchange->status);
	if (reply.status == 401 || (reply.status == 403 && *said->challenge))
		wellknown_challenge(&reply, web->site, exchange->request, said->challenge);
	reply_field(&reply, "X-Request-Id", "%s", exchange->request_id);
	web_dress(web, exchange->request, &reply);
	http = reply_http(&reply);
	(void)http_answer(exchange->request, &http); /* who is gone has hung up */
}

/* An error of ours, before engine has heard of it or when it cannot answer. */
static void answer_unavailable(struct exchange *exchange, const char *why)
{
	struct buf cleanup_with(buf_fini) body;
	struct message_reply said = {
	    .kind = REPLY_ERROR, .status = 503, .retry_s = 1, .challenge = ""};

	buf_init(&body, WEB_ANSWER_MAX);
	if (result_error(&body, RESULT_UNAVAILABLE, why, NULL) < 0) {
		http_request_abandon(exchange->request);
		return;
	}
	said.body = (struct bytes){body.data, body.len};
	if (exchange->streaming)
		answer_stream(exchange, &said);
	else
		answer_whole(exchange, &said);
}

/* Headers and a word, so that client and proxies see life. false: the request is over. */
static bool begin_stream(struct exchange *exchange)
{
	struct reply cleanup_with(reply_fini) reply;
	struct http_reply http;

	uv_timer_stop(&exchange->timer);
	reply_init(&reply, 200);
	reply_field(&reply, "X-Accel-Buffering", "no");
	reply_field(&reply, "X-Request-Id", "%s", exchange->request_id);
	web_dress(exchange->web, exchange->request, &reply);
	http = reply_http(&reply);
	http.type = "text/event-stream";
	if (http_stream_begin(exchange->request, &http, true) != 0 ||
	    http_stream_put(exchange->request, HTTP_EVENT_COMMENT, sizeof(HTTP_EVENT_COMMENT) - 1) <
		0) {
		lose(exchange);
		return false;
	}
	exchange->streaming = true;
	exchange->web->streams++;
	return true;
}

/* Patience is over; or, once the client has half hung up, the connection may be cut. */
static void on_timer(uv_timer_t *timer)
{
	struct exchange *exchange = timer->data;

	if (!exchange->leaving) {
		(void)begin_stream(exchange);
		return;
	}
	http_request_abandon(exchange->request);
	end(exchange);
}

/* ---- begin ------------------------------------------------------------------------------ */

static int send_both(struct exchange *exchange, const struct http_request *request,
    const struct exchange_order *order)
{
	struct web *web = exchange->web;
	const struct visitor_facts facts = {
	    exchange->peer, exchange->request_id, order->revision ? order->revision : ""};
	struct visitor cleanup_with(visitor_fini) visitor = {.text = NULL};
	struct message message;
	int r = visitor_init(&visitor, web->site, request, &facts);

	if (r == 0)
		r = link_send(&web->engine, &visitor.message);
	if (r < 0)
		return r;
	message_init(&message, MESSAGE_REQUEST);
	message.u.request = order->say;
	message.u.request.peer = exchange->peer;
	r = link_send(&web->engine, &message);
	exchange->serial = message.serial;
	if (r < 0)
		tell_gone(web, exchange->peer);
	return r;
}

/* Never known to engine. */
static void drop(struct exchange *exchange)
{
	exchange->request = NULL;
	uv_close((uv_handle_t *)&exchange->timer, on_closed);
	if (exchange->batch)
		batch_release(exchange->batch);
}

static uint64_t patience(const struct http_request *request)
{
	return head_field(request->head, "authorization").at ? WEB_PATIENCE_TOKEN_MS
							     : WEB_PATIENCE_MS;
}

void exchange_begin(
    struct web *web, struct http_request *request, const struct exchange_order *order)
{
	struct exchange *exchange = new_exchange(web, request, order);
	const char *why = exchange ? refuses(web, request) : NULL;

	if (!exchange && order->batch) {
		batch_put_unavailable(order->batch, order->id, "no memory for the request");
		return;
	}
	if (!exchange) {
		web_answer_error(web, request, 503, "no memory for the request");
		return;
	}
	if (!why && send_both(exchange, request, order) < 0)
		why = "the request could not be handed on";
	if (why) {
		web->counts.answered++;
		answer_unavailable(exchange, why);
		drop(exchange);
		return;
	}
	if (!exchange->batch)
		request->data = exchange;
	enter(exchange);
	if (order->streams_late && order->may_stream)
		(void)uv_timer_start(&exchange->timer, on_timer, patience(request), 0);
}

/* ---- from engine ------------------------------------------------------------------------ */

void exchange_reply(struct web *web, uint64_t serial, const struct message_reply *reply)
{
	struct exchange *exchange = find_serial(web, serial);

	if (!exchange || exchange->leaving)
		return; /* its client is gone */
	if (reply->kind != REPLY_RESULT && reply->kind != REPLY_ERROR) {
		if (!exchange->batch) /* there the others are still answered */
			http_request_abandon(exchange->request);
	} else if (exchange->streaming)
		answer_stream(exchange, reply);
	else
		answer_whole(exchange, reply);
	end(exchange);
}

void exchange_notify(struct web *web, const struct message_notify *notify)
{
	struct exchange *exchange = *peer_bucket(web, notify->peer);

	while (exchange && exchange->peer != notify->peer)
		exchange = exchange->next_peer;
	if (!exchange || exchange->leaving || exchange->form != EXCHANGE_MCP ||
	    !exchange->may_stream)
		return; /* nobody is there who could hear it */
	if (asked_note(&exchange->asked, notify->body.data, notify->body.len) < 0)
		return; /* asked of nobody: engine waits until it gives up */
	if (!exchange->streaming && !begin_stream(exchange))
		return;
	if (!put_event(exchange->request, notify->body.data, notify->body.len))
		lose(exchange);
}

void exchange_end_all(struct web *web)
{
	for (size_t i = 0; i < WEB_BUCKETS; i++) {
		while (web->by_peer[i]) {
			struct exchange *exchange = web->by_peer[i];

			if (exchange->leaving)
				http_request_abandon(exchange->request);
			else
				answer_unavailable(exchange, "shutting down; the request was lost");
			end(exchange);
		}
	}
}

/* ---- from clients ----------------------------------------------------------------------- */

static struct exchange *find_of(struct web *web, const struct http_request *request)
{
	for (size_t i = 0; i < WEB_BUCKETS; i++) {
		for (struct exchange *at = web->by_peer[i]; at; at = at->next_peer) {
			if (at->request == request)
				return at;
		}
	}
	return NULL;
}

/* After half a hang-up what may take long is cancelled, and the batch ends with the rest. */
static void batch_gone(struct web *web, const struct http_request *request, enum http_gone how)
{
	struct exchange *exchange;

	for (size_t i = 0; i < WEB_BUCKETS && how == HTTP_GONE_HALF; i++) {
		for (struct exchange *at = web->by_peer[i]; at; at = at->next_peer) {
			if (at->request == request && at->lasting)
				tell_cancel(at);
		}
	}
	while (how == HTTP_GONE_ENTIRELY && (exchange = find_of(web, request)) != NULL) {
		batch_forget(exchange->batch);
		lose(exchange);
	}
}

void exchange_gone(struct web *web, struct http_request *request, enum http_gone how)
{
	struct exchange *exchange = request->data;

	if (!exchange) {
		batch_gone(web, request, how);
		return;
	}
	if (how == HTTP_GONE_ENTIRELY) {
		if (exchange->leaving)
			end(exchange);
		else
			lose(exchange);
	} else if (exchange->lasting && !exchange->leaving) {
		exchange->leaving = true;
		tell_cancel(exchange);
		/* Not within this call of the server's. */
		(void)uv_timer_start(&exchange->timer, on_timer, 0, 0);
	}
}

bool exchange_respond(struct web *web, const struct digest *bond, const json_t *id,
    const struct message_response *response)
{
	/* What is kept of the queue is for cancels and hang-ups. */
	if (link_backlog(&web->engine) > LINK_QUEUE_MAX / 4 * 3)
		return false;
	for (size_t i = 0; i < WEB_BUCKETS; i++) {
		for (struct exchange *at = web->by_peer[i]; at; at = at->next_peer) {
			struct message message;

			if (!at->asked || at->leaving || !digest_equal(&at->bond, bond) ||
			    !asked_take(at->asked, id))
				continue;
			message_init(&message, MESSAGE_RESPONSE);
			message.u.response = *response;
			message.u.response.peer = at->peer;
			(void)web_tell(web, &message);
			return true;
		}
	}
	return false;
}

void exchange_cancel(struct web *web, const struct digest *bond, const char *id)
{
	for (size_t i = 0; i < WEB_BUCKETS; i++) {
		for (struct exchange *at = web->by_peer[i]; at; at = at->next_peer) {
			if (at->form != EXCHANGE_MCP || at->leaving || strcmp(at->id, id) != 0 ||
			    !digest_equal(&at->bond, bond))
				continue;
			if (at->streaming)
				http_stream_end(at->request);
			else if (!at->batch)
				http_request_abandon(at->request);
			lose(at);
			return;
		}
	}
}
