#include "agent-api/front/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-api/wire/asked.h"
#include "agent-api/front/dispatch.h"
#include "agent-api/front/front.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/result.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"

#define OUT_LIMIT (FRONT_OUTPUT_MAX + MESSAGE_BODY_MAX + 64 * 1024)
#define KEEP_CAP  (64 * 1024) /* a larger empty buffer is given back */

/* ---- budget and poll -------------------------------------------------------------------- */

static size_t queued(const struct connection *connection)
{
	return connection->out.len - connection->sent;
}

/* Settles what this connection holds with the front's budget. */
static void charge(struct connection *connection)
{
	const size_t holds[BUDGET_KINDS] = {
	    [BUDGET_IN] = connection->in.len, [BUDGET_OUT] = connection->out.len};

	for (enum budget_kind kind = 0; kind < BUDGET_KINDS; kind++) {
		budget_settle(connection->front, connection->holder, kind, connection->held[kind],
		    holds[kind]);
		connection->held[kind] = holds[kind];
	}
}

/* From now on we wait for the client to finish its message, or to read. */
static void begin_waiting(struct connection *connection, enum budget_kind kind)
{
	struct front *front = connection->front;

	connection->since[kind] = uv_now(&front->loop);
	if (!uv_is_active((uv_handle_t *)&front->patience))
		(void)uv_timer_start(&front->patience, budget_on_patience, front->line_ms, 0);
}

static void empty(struct buf *buf, size_t limit)
{
	if (buf->cap > KEEP_CAP) {
		buf_fini(buf);
		buf_init(buf, limit);
	}
	buf_reset(buf);
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* While half closed, an epoll for reading would wake for ever; "urgent data", which Unix sockets
 * do not have unless a client means mischief, wakes only when the other half is closed too. */
static void watch(struct connection *connection)
{
	int events = queued(connection) > 0 ? UV_WRITABLE : 0;

	if (connection->state == CONNECTION_OPEN)
		events |= UV_READABLE;
	if (connection->state == CONNECTION_HALF)
		events |= UV_PRIORITIZED;
	if (events == connection->watched)
		return; /* libuv would leave and enter the epoll set again */
	connection->watched = events;
	if (uv_poll_start(&connection->poll, events, on_poll) < 0)
		connection_close(connection);
}

/* ---- birth and death -------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	free(connection->asked);
	free(connection);
}

static void tell_gone(struct connection *connection)
{
	struct message message;
	int r;

	message_init(&message, MESSAGE_PEER_GONE);
	message.u.peer_gone.peer = connection->peer;
	r = link_send(&connection->front->engine, &message);
	message_fini(&message);
	if (r < 0) /* a call whose client is gone would run on unseen */
		front_fail(connection->front, "tell engine that a client is gone", r);
}

static void unlink_connection(struct connection *connection)
{
	struct front *front = connection->front;

	if (connection->previous)
		connection->previous->next = connection->next;
	else
		front->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	front->connection_count--;
	if (front->phase == FRONT_DONE && !front->connections)
		uv_stop(&front->loop);
}

void connection_close(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection->state = CONNECTION_CLOSED;
	while (connection->pending)
		connection_remove_pending(connection, connection->pending);
	buf_fini(&connection->in);
	buf_fini(&connection->out);
	charge(connection);
	unlink_connection(connection);
	budget_leave(connection->front, connection->holder);
	connection->holder = NULL;
	uv_close((uv_handle_t *)&connection->poll, on_closed);
	close(take_fd(&connection->fd));
	tell_gone(connection);
}

static int tell_peer(struct connection *connection, const struct message_peer *who)
{
	struct message message;
	int r;

	message_init(&message, MESSAGE_PEER);
	message.u.peer = *who;
	message.u.peer.peer = connection->peer;
	r = link_send(&connection->front->engine, &message);
	message_fini(&message);
	return r;
}

static void link_connection(struct connection *connection)
{
	struct front *front = connection->front;

	connection->next = front->connections;
	if (connection->next)
		connection->next->previous = connection;
	front->connections = connection;
	front->connection_count++;
}

int connection_new(struct front *front, int fd, const struct message_peer *who)
{
	int cleanup_fd owned = fd;
	struct connection *connection = calloc(1, sizeof(*connection));
	int r;

	if (!connection)
		return -ENOMEM;
	connection->front = front;
	connection->peer = ++front->last_peer;
	if (who->call)
		(void)snprintf(connection->call, sizeof(connection->call), "%s", who->call);
	buf_init(&connection->in, WIRE_MESSAGE_MAX);
	buf_init(&connection->out, OUT_LIMIT);
	connection->poll.data = connection;
	r = uv_poll_init(&front->loop, &connection->poll, fd);
	if (r < 0) {
		free(connection);
		return r;
	}
	connection->holder = budget_join(front, who);
	if (!connection->holder) {
		uv_close((uv_handle_t *)&connection->poll, on_closed);
		return -ENOMEM;
	}
	connection->fd = take_fd(&owned);
	connection->state = CONNECTION_OPEN;
	link_connection(connection);
	r = tell_peer(connection, who);
	if (r < 0)
		connection_close(connection);
	else
		watch(connection);
	return r;
}

/* ---- out -------------------------------------------------------------------------------- */

static void flush(struct connection *connection)
{
	struct buf *out = &connection->out;

	while (queued(connection) > 0) {
		ssize_t n = send(connection->fd, out->data + connection->sent, queued(connection),
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			connection_close(connection);
			return;
		}
		connection->sent += (size_t)n;
		connection->since[BUDGET_OUT] = uv_now(&connection->front->loop);
	}
	if (queued(connection) == 0) {
		empty(out, OUT_LIMIT);
		connection->sent = 0;
	}
	charge(connection);
	if (connection->state == CONNECTION_ENDING && queued(connection) == 0)
		connection_close(connection);
	else
		watch(connection);
}

/* Makes room at the front of the queue; 0 when the client has not read for too long. */
static int may_queue(struct connection *connection)
{
	struct buf *out = &connection->out;

	if (connection->state == CONNECTION_CLOSED)
		return 0;
	if (queued(connection) > FRONT_OUTPUT_MAX) {
		log_warn("peer %llu: closed, it does not read its answers",
		    (unsigned long long)connection->peer);
		connection_close(connection);
		return 0;
	}
	if (connection->sent > out->len / 2) {
		memmove(out->data, out->data + connection->sent, queued(connection));
		out->len -= connection->sent;
		connection->sent = 0;
	}
	if (queued(connection) == 0)
		connection->since[BUDGET_OUT] = uv_now(&connection->front->loop);
	return 1;
}

static void queued_one(struct connection *connection)
{
	if (connection->out.fault < 0)
		connection_close(connection); /* half an answer must not be followed by others */
	else
		flush(connection);
	budget_relieve(connection);
}

void connection_answer(struct connection *connection, const char *id, enum rpc_answer answer,
    const void *body, size_t len)
{
	if (!may_queue(connection))
		return;
	(void)rpc_put_answer(&connection->out, id, answer, body, len); /* fault looked at below */
	queued_one(connection);
}

void connection_notify(struct connection *connection, const void *body, size_t len)
{
	if (!may_queue(connection))
		return;
	if (asked_note(&connection->asked, body, len) < 0) {
		connection_close(connection);
		return;
	}
	buf_put(&connection->out, body, len);
	buf_text(&connection->out, "\n");
	queued_one(connection);
}

void connection_refuse(struct connection *connection, const char *id, const struct rpc_error *error,
    const json_t *params)
{
	struct buf cleanup_with(buf_fini) body;

	buf_init(&body, OUT_LIMIT);
	if (mcp_error_body(&body, error, params) < 0)
		connection_close(connection);
	else
		connection_answer(connection, id, RPC_ANSWER_ERROR, body.data, body.len);
}

void connection_end(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection->state = CONNECTION_ENDING;
	begin_waiting(connection, BUDGET_OUT);
	flush(connection);
}

/* ---- in flight -------------------------------------------------------------------------- */

void connection_add_pending(struct connection *connection, struct pending *pending)
{
	pending_add(&connection->front->pending, &connection->pending, pending);
	connection->pending_count++;
	budget_settle(connection->front, connection->holder, BUDGET_IN, 0, pending->charge);
}

void connection_remove_pending(struct connection *connection, struct pending *pending)
{
	budget_settle(connection->front, connection->holder, BUDGET_IN, pending->charge, 0);
	connection->pending_count--;
	pending_remove(&connection->front->pending, &connection->pending, pending);
	if (connection->state == CONNECTION_HALF && connection->pending_count == 0)
		connection_end(connection);
}

void connection_cancel_pending(struct connection *connection, struct pending *pending)
{
	struct message message;

	if (pending->state == PENDING_CANCELLED)
		return;
	pending->state = PENDING_CANCELLED;
	message_init(&message, MESSAGE_CANCEL);
	message.u.cancel.peer = connection->peer;
	message.u.cancel.request = pending->serial;
	if (link_send(&connection->front->engine, &message) < 0)
		connection_close(connection); /* ends that request, too, and is louder */
	message_fini(&message);
}

/* ---- in --------------------------------------------------------------------------------- */

static void refuse_and_end(struct connection *connection, int code, const char *why)
{
	struct rpc_error error;

	(void)rpc_refuse(&error, code, "%s", why); /* the refusal is sent right here */
	connection_refuse(connection, "null", &error, NULL);
	connection_end(connection);
}

/* Likewise, and what there is of a message is forgotten first. */
static void give_up_message(struct connection *connection, int code, const char *why)
{
	buf_fini(&connection->in);
	buf_init(&connection->in, WIRE_MESSAGE_MAX);
	charge(connection);
	refuse_and_end(connection, code, why);
}

void connection_give_way(struct connection *connection)
{
	give_up_message(connection, RESULT_UNAVAILABLE,
	    "too many unfinished messages; this connection ends, try again later");
}

void connection_lose_patience(struct connection *connection)
{
	give_up_message(connection, RPC_INVALID_REQUEST,
	    "the message was not finished in time; this connection ends");
}

static int is_empty_line(const char *line, size_t len)
{
	return len == 0 || (len == 1 && line[0] == '\r');
}

/* What rpc_parse() or rpc_read() made of one message. Finishes it. */
static void take_message(struct connection *connection, struct rpc_message *message, int r,
    const struct rpc_error *error)
{
	if (r < 0)
		connection_close(connection);
	else if (r == RPC_REFUSED)
		connection_refuse(connection, message->id, error, NULL);
	else
		dispatch_message(connection, message);
	rpc_message_fini(message);
}

/* Each message as if it had a line of its own; each is answered by itself, as soon as it can be. */
static void take_batch(struct connection *connection, const char *line, size_t len)
{
	struct rpc_error error;
	json_t *batch = NULL;
	int r = rpc_parse_batch(line, len, &batch, &error);

	if (r == RPC_REFUSED)
		connection_refuse(connection, "null", &error, NULL);
	else if (r < 0)
		connection_close(connection);
	for (size_t i = 0; i < json_array_size(batch); i++) {
		struct rpc_message message = {.kind = RPC_NONE};

		if (connection->state == CONNECTION_CLOSED)
			break;
		r = rpc_read(json_incref(json_array_get(batch, i)), &message, &error);
		take_message(connection, &message, r, &error);
	}
	json_decref(batch);
}

static int is_batch(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < len && line[at] == '[';
}

static void take_line(struct connection *connection, const char *line, size_t len)
{
	struct rpc_message message = {.kind = RPC_NONE};
	struct rpc_error error;
	int r;

	if (is_empty_line(line, len))
		return;
	if (connection->session.revision == MCP_2025_03_26 && is_batch(line, len)) {
		take_batch(connection, line, len);
		return;
	}
	r = rpc_parse(line, len, &message, &error);
	take_message(connection, &message, r, &error);
}

/* Adds a piece to the message that has begun. 0: it is too long, or there is no room. */
static int hold(struct connection *connection, const char *piece, size_t len)
{
	if (len > WIRE_MESSAGE_MAX - connection->in.len) {
		give_up_message(connection, RPC_INVALID_REQUEST,
		    "message longer than 1 MiB; this connection ends");
		return 0;
	}
	if (!budget_make_room(connection, len) || buf_put(&connection->in, piece, len) < 0) {
		connection_give_way(connection);
		return 0;
	}
	if (connection->held[BUDGET_IN] == 0)
		begin_waiting(connection, BUDGET_IN);
	charge(connection);
	return 1;
}

static void take_bytes(struct connection *connection, const char *bytes, size_t len)
{
	const char *newline;

	while (connection->state == CONNECTION_OPEN && len > 0) {
		size_t piece;

		newline = memchr(bytes, '\n', len);
		piece = newline ? (size_t)(newline - bytes) : len;
		if (newline && connection->in.len == 0) {
			take_line(connection, bytes, piece);
		} else if (!hold(connection, bytes, piece)) {
			return;
		} else if (newline) {
			struct buf cleanup_with(buf_fini) line = connection->in;

			buf_init(&connection->in, WIRE_MESSAGE_MAX);
			charge(connection);
			take_line(connection, (const char *)line.data, line.len);
		}
		bytes += piece + (newline != NULL);
		len -= piece + (newline != NULL);
	}
}

/* A stream of notifications has no end of its own, and who says nothing more cannot end it. */
static void end_subscriptions(struct connection *connection)
{
	struct pending *next;

	for (struct pending *at = connection->pending; at; at = next) {
		next = at->sibling;
		if (at->method == REQUEST_SUBSCRIBE)
			connection_cancel_pending(connection, at);
		if (connection->state == CONNECTION_CLOSED)
			return;
	}
}

static void take_end(struct connection *connection)
{
	if (connection->in.len > 0) {
		give_up_message(connection, RPC_PARSE_ERROR,
		    "the last message has no newline at its end and was not served");
	} else if (connection->pending_count == 0) {
		connection_end(connection);
	} else {
		connection->state = CONNECTION_HALF;
		watch(connection);
		end_subscriptions(connection);
	}
}

static void take_input(struct connection *connection)
{
	char *scratch = connection->front->scratch;
	/* Of a gate's connection the tool may hold this very file, and its flags. */
	ssize_t n = recv(connection->fd, scratch, FRONT_READ, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		connection_close(connection);
	else if (n == 0)
		take_end(connection);
	else
		take_bytes(connection, scratch, (size_t)n);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *connection = poll->data;

	if (status < 0 || (events & UV_PRIORITIZED)) {
		connection_close(connection);
		return;
	}
	if (events & UV_WRITABLE)
		flush(connection);
	if ((events & UV_READABLE) && connection->state == CONNECTION_OPEN)
		take_input(connection);
}
