#include "agent-api/http/intake.h"

#include <stdlib.h>

#include "agent-api/http/server_inside.h"
#include "supervisor/base/cleanup.h"

#define REFUSE_MAX 4096 /* bytes of the owner's words in a refusal */

/* ---- refusals --------------------------------------------------------------------------- */

/* Answers itself, and ends: after a refusal nobody knows where the next request would begin. */
static void refuse(struct http_connection *connection, const struct http_refusal *why)
{
	struct http_server *server = connection->server;
	struct http_refused refused = {
	    .why = *why,
	    .request = connection->work ? &connection->work->request : NULL,
	    .peer = connection->peer,
	};
	struct http_manner manner = {.date = http_server_date(server), .close = true};
	struct http_reply reply = {.status = why->status, .type = "text/plain; charset=utf-8"};
	struct buf cleanup_with(buf_fini) body;

	buf_init(&body, REFUSE_MAX);
	if (server->callbacks->refused)
		server->callbacks->refused(server->owner, &refused, &reply, &body);
	if (body.len == 0 || body.fault < 0) {
		buf_reset(&body);
		buf_textf(&body, "%s\n", why->reason);
	}
	reply.body = body.data;
	reply.len = body.len;
	if (connection->work && connection->work->request.head)
		manner.head_only = connection->work->request.head->method == HTTP_METHOD_HEAD;
	connection->last = true;
	if (http_answer_put(&connection->out, &reply, &manner) < 0)
		http_connection_drop(connection);
	else
		(void)http_connection_finish(connection); /* who is gone needs no refusal */
}

static void refuse_with(struct http_connection *connection, int status, const char *reason)
{
	refuse(connection, &(struct http_refusal){status, reason});
}

/* ---- in --------------------------------------------------------------------------------- */

/* The head is there: who asks, and may he. false: refused. */
static bool begin_work(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_work *work = calloc(1, sizeof(*work));
	struct http_client peer = {.address = connection->peer, .https = connection->tls != NULL};
	struct http_refusal why = {0};
	struct http_request *request;

	if (!work) {
		refuse_with(connection, 503, "no memory for the request");
		return false;
	}
	connection->work = work;
	work->connection = connection;
	request = &work->request;
	request->serial = ++server->last_serial;
	request->head = &connection->reader.incoming->head;
	request->peer = connection->peer;
	request->local = connection->local;
	request->certificate = connection->certificate;
	connection->last |= request->head->close || server->draining;
	connection->reader.body_max = server->config.body_max;
	http_connection_wait(connection, HTTP_DEADLINE_BODY);
	if (http_forwarded(request->head, &server->config.trust, &peer, &request->client, &why) ==
		0 &&
	    server->callbacks->admit)
		(void)server->callbacks->admit(
		    server->owner, request, &connection->reader.body_max, &why);
	if (why.status) {
		refuse(connection, &why);
		return false;
	}
	return true;
}

static void hand_over(struct http_connection *connection)
{
	struct http_work *work = connection->work;
	struct http_server *server = connection->server;

	work->incoming = http_reader_take(&connection->reader);
	work->request.head = &work->incoming->head;
	work->request.body = work->incoming->body.data;
	work->request.body_len = work->incoming->body.len;
	connection->state = HTTP_CONNECTION_WORKING;
	http_connection_wait(connection, HTTP_DEADLINE_NONE);
	server->callbacks->take(server->owner, &work->request);
}

/* The client waits for a word before it sends the body, and has sent none of it. */
static void say_continue(struct http_connection *connection)
{
	if (buf_text(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n") < 0 ||
	    http_connection_flush(connection) < 0)
		http_connection_close(connection);
}

/* One step of the reader. false: nothing more can be done with these bytes now. */
static bool step(struct http_connection *connection, const char *bytes, size_t len, size_t *used)
{
	bool idle = connection->reader.phase == HTTP_READER_IDLE;
	bool waits = connection->work && connection->work->request.head->expects_continue;

	switch (http_reader_feed(&connection->reader, bytes, len, used)) {
	case HTTP_READ_MORE:
		if (idle && len > 0 && connection->deadline.kind == HTTP_DEADLINE_IDLE)
			http_connection_wait(connection, HTTP_DEADLINE_HEAD);
		if (waits && len == 0)
			say_continue(connection);
		return false;
	case HTTP_READ_HEAD: return begin_work(connection);
	case HTTP_READ_WHOLE: hand_over(connection); return true;
	case HTTP_READ_REFUSED: refuse(connection, &connection->reader.refusal); break;
	}
	return false;
}

/* All clients together hold too much: who wants more is the one that has to go. */
static void refuse_too_much(struct http_connection *connection)
{
	if (connection->server->held > connection->server->config.held_max &&
	    connection->reader.phase != HTTP_READER_IDLE)
		refuse_with(connection, 503, "the server holds too much; try again later");
}

/* Takes bytes for as long as they are wanted; what is left waits for the answer. */
void http_intake(struct http_connection *connection, const char *bytes, size_t len)
{
	size_t used = 0;

	while (
	    connection->state == HTTP_CONNECTION_READING && step(connection, bytes, len, &used)) {
		bytes += used;
		len -= used;
		used = 0;
		if (len == 0 && connection->reader.phase == HTTP_READER_IDLE)
			break;
	}
	if (connection->state == HTTP_CONNECTION_CLOSED)
		return;
	http_connection_charge(connection);
	if (connection->state == HTTP_CONNECTION_READING) /* then all bytes were taken */
		refuse_too_much(connection);
	else if (!connection->last && buf_put(&connection->in, bytes + used, len - used) < 0)
		http_connection_close(connection);
}

/* The client has sent its last byte. */
void http_intake_end(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	connection->half = true;
	switch (connection->state) {
	case HTTP_CONNECTION_READING:
		if (connection->reader.phase == HTTP_READER_IDLE)
			http_connection_close(connection);
		else
			refuse_with(connection, 400, "the request ends before it is whole");
		break;
	case HTTP_CONNECTION_WORKING:
	case HTTP_CONNECTION_STREAMING:
		server->callbacks->gone(server->owner, &connection->work->request, HTTP_GONE_HALF);
		break;
	case HTTP_CONNECTION_FLUSHING: break;
	case HTTP_CONNECTION_HANDSHAKE:
	case HTTP_CONNECTION_LINGERING:
	case HTTP_CONNECTION_CLOSED: http_connection_close(connection); break;
	}
}

/* Requests that came while another was answered. */
void http_intake_kept(struct http_connection *connection)
{
	struct buf cleanup_with(buf_fini) kept = connection->in;

	connection->wake = false;
	buf_init(&connection->in, HTTP_INPUT_MAX);
	if (kept.len > 0)
		http_intake(connection, (const char *)kept.data, kept.len);
	if (connection->half && connection->state == HTTP_CONNECTION_READING)
		http_intake_end(connection);
}

void http_intake_late(struct http_connection *connection)
{
	refuse_with(connection, 408, "the request took too long to arrive");
}
