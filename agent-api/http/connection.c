#include "agent-api/http/connection.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-api/http/intake.h"
#include "agent-api/http/server_inside.h"
#include "supervisor/base/cleanup.h"

/* One answer may be larger than what waits otherwise: its size is the owner's business. */
#define OUT_LIMIT (64 * 1024 * 1024)
#define TLS_TURNS 4 /* records in one turn */

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- budget, deadlines, poll ------------------------------------------------------------ */

size_t http_connection_queued(const struct http_connection *connection)
{
	return connection->out.len - connection->sent;
}

void http_connection_charge(struct http_connection *connection)
{
	size_t holds = connection->in.cap + connection->out.cap +
		       http_reader_held(&connection->reader) +
		       (connection->work ? http_incoming_held(connection->work->incoming) : 0);

	connection->server->held += holds - connection->charged;
	connection->charged = holds;
}

void http_connection_wait(struct http_connection *connection, enum http_deadline kind)
{
	http_deadline_set(&connection->server->deadlines, &connection->deadline, kind);
}

/* Whether bytes may be taken from the socket. Beside an answer in the making, only as many as fit,
 * and none that nobody will look at. */
static bool may_read(const struct http_connection *connection)
{
	switch (connection->state) {
	case HTTP_CONNECTION_CLOSED: return false;
	case HTTP_CONNECTION_HANDSHAKE:
	case HTTP_CONNECTION_LINGERING: return true;
	case HTTP_CONNECTION_READING:
	case HTTP_CONNECTION_WORKING:
	case HTTP_CONNECTION_STREAMING:
	case HTTP_CONNECTION_FLUSHING: break;
	}
	return !connection->half &&
	       !(connection->last && connection->state != HTTP_CONNECTION_READING) &&
	       connection->in.len + HTTP_TLS_RECORD_MAX <= HTTP_INPUT_MAX;
}

/* Of a client that sends no more, only the full end of the connection is news: see the front's
 * connection.c on "urgent data". */
static int events_of(const struct http_connection *connection)
{
	bool queued = http_connection_queued(connection) > 0;
	int events = queued || connection->wake ? UV_WRITABLE : 0;

	/* TLS has something of its own to say before it reads on: bytes that wait to be read must
	 * not wake us meanwhile. */
	if (connection->tls && http_tls_wants_write(connection->tls) && !queued &&
	    connection->state != HTTP_CONNECTION_LINGERING)
		return UV_WRITABLE;
	if (may_read(connection))
		events |= UV_READABLE;
	else
		events |= connection->half ? UV_PRIORITIZED : UV_DISCONNECT;
	return events;
}

void http_connection_settle(struct http_connection *connection)
{
	int events;

	if (connection->state == HTTP_CONNECTION_CLOSED)
		return;
	http_connection_charge(connection);
	events = events_of(connection);
	if (events == connection->watched)
		return; /* libuv would leave and enter the epoll set again */
	connection->watched = events;
	if (uv_poll_start(&connection->poll, events, on_poll) < 0)
		connection->wake =
		    true; /* cannot happen with a descriptor that is polled already */
}

/* ---- birth and death -------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct http_connection *connection = handle->data;
	struct http_server *server = connection->server;

	free(connection);
	http_server_handle_closed(server);
}

static void end_work(struct http_connection *connection)
{
	if (!connection->work)
		return;
	http_incoming_free(connection->work->incoming);
	free(connection->work);
	connection->work = NULL;
}

static void unlink_connection(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	server->count--;
}

static void close_connection(struct http_connection *connection, bool tell)
{
	struct http_server *server = connection->server;
	bool taken = connection->state == HTTP_CONNECTION_WORKING ||
		     connection->state == HTTP_CONNECTION_STREAMING;

	if (connection->state == HTTP_CONNECTION_CLOSED)
		return;
	connection->state = HTTP_CONNECTION_CLOSED;
	http_connection_wait(connection, HTTP_DEADLINE_NONE);
	unlink_connection(connection);
	if (tell && taken)
		server->callbacks->gone(
		    server->owner, &connection->work->request, HTTP_GONE_ENTIRELY);
	end_work(connection);
	http_reader_fini(&connection->reader);
	buf_fini(&connection->in);
	buf_fini(&connection->out);
	connection->sent = 0;
	http_connection_charge(connection);
	http_tls_session_free(connection->tls);
	connection->tls = NULL;
	http_certificate_free(connection->certificate);
	connection->certificate = NULL;
	uv_close((uv_handle_t *)&connection->poll, on_closed);
	close(take_fd(&connection->fd));
}

void http_connection_close(struct http_connection *connection)
{
	close_connection(connection, true);
}

void http_connection_drop(struct http_connection *connection)
{
	close_connection(connection, false);
}

bool http_connection_is_idle(const struct http_connection *connection)
{
	return connection->state == HTTP_CONNECTION_READING &&
	       connection->reader.phase == HTTP_READER_IDLE && connection->in.len == 0;
}

static void link_connection(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	server->count++;
}

int http_connection_new(struct http_server *server, int fd, const struct http_address *peer,
    const struct http_local *local)
{
	int cleanup_fd owned = fd;
	struct http_connection *connection = calloc(1, sizeof(*connection));
	int r = 0;

	if (!connection)
		return -ENOMEM;
	connection->server = server;
	connection->peer = *peer;
	connection->local = *local;
	http_reader_init(&connection->reader, server->config.body_max);
	buf_init(&connection->in, HTTP_INPUT_MAX);
	buf_init(&connection->out, OUT_LIMIT);
	if (server->tls)
		r = http_tls_session_new(server->tls, fd, &connection->tls);
	if (r == 0)
		r = uv_poll_init(server->loop, &connection->poll, fd);
	if (r < 0) {
		http_tls_session_free(connection->tls);
		free(connection);
		return r;
	}
	connection->poll.data = connection;
	connection->fd = take_fd(&owned);
	connection->state = connection->tls ? HTTP_CONNECTION_HANDSHAKE : HTTP_CONNECTION_READING;
	link_connection(connection);
	server->handles++;
	http_connection_wait(connection, HTTP_DEADLINE_HEAD);
	http_connection_settle(connection);
	return 0;
}

/* ---- out -------------------------------------------------------------------------------- */

static ssize_t write_some(struct http_connection *connection, const void *bytes, size_t len)
{
	ssize_t n;

	if (connection->tls)
		return http_tls_write(connection->tls, bytes, len);
	n = send(connection->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

/* What an idle connection would keep for nothing is given back. */
static void empty(struct buf *buf, size_t limit)
{
	buf_fini(buf);
	buf_init(buf, limit);
}

/* Nothing follows: the client may read it to the end, then he hangs up. Closed at once, bytes of
 * his that we did not read would make the kernel throw away what he has not read. */
static void linger(struct http_connection *connection)
{
	connection->state = HTTP_CONNECTION_LINGERING;
	http_reader_fini(&connection->reader);
	empty(&connection->in, HTTP_INPUT_MAX);
	if (connection->tls)
		http_tls_say_end(connection->tls);
	(void)shutdown(connection->fd, SHUT_WR); /* who is gone already is seen by reading */
	http_connection_wait(connection, HTTP_DEADLINE_LINGER);
}

/* An answer has been read to its end. */
static void flushed(struct http_connection *connection)
{
	if (connection->last) {
		linger(connection);
		return;
	}
	connection->state = HTTP_CONNECTION_READING;
	http_connection_wait(connection, HTTP_DEADLINE_IDLE);
	connection->wake = connection->in.len > 0 || connection->half;
}

int http_connection_flush(struct http_connection *connection)
{
	struct buf *out = &connection->out;

	while (http_connection_queued(connection) > 0) {
		ssize_t n = write_some(
		    connection, out->data + connection->sent, http_connection_queued(connection));

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			break;
		if (n < 0)
			return (int)n;
		connection->sent += (size_t)n;
		if (connection->work)
			connection->work->moved = true;
	}
	if (http_connection_queued(connection) == 0) {
		empty(out, OUT_LIMIT);
		connection->sent = 0;
		if (connection->state == HTTP_CONNECTION_FLUSHING)
			flushed(connection);
	} else if (connection->sent > out->len / 2) {
		memmove(
		    out->data, out->data + connection->sent, http_connection_queued(connection));
		out->len -= connection->sent;
		connection->sent = 0;
	}
	return 0;
}

int http_connection_finish(struct http_connection *connection)
{
	end_work(connection);
	connection->state = HTTP_CONNECTION_FLUSHING;
	http_connection_wait(connection, HTTP_DEADLINE_WRITE);
	if (connection->out.fault < 0 || http_connection_flush(connection) < 0) {
		http_connection_drop(connection);
		return -EPIPE;
	}
	http_connection_settle(connection);
	return 0;
}

/* ---- in --------------------------------------------------------------------------------- */

static ssize_t read_some(struct http_connection *connection, char *bytes, size_t max)
{
	ssize_t n;

	if (connection->tls && connection->state != HTTP_CONNECTION_LINGERING)
		return http_tls_read(connection->tls, bytes, max);
	n = recv(connection->fd, bytes, max, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static void take_input(struct http_connection *connection)
{
	char *scratch = connection->server->scratch;

	for (int turn = 0; turn < (connection->tls ? TLS_TURNS : 1); turn++) {
		bool later = connection->state != HTTP_CONNECTION_READING || connection->in.len > 0;
		ssize_t n;

		if (!may_read(connection))
			return;
		n = read_some(
		    connection, scratch, later ? HTTP_INPUT_MAX - connection->in.len : HTTP_READ);
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n < 0)
			http_connection_close(connection);
		else if (n == 0)
			http_intake_end(connection);
		else if (connection->state == HTTP_CONNECTION_LINGERING)
			continue; /* thrown away */
		else if (!later)
			http_intake(connection, scratch, (size_t)n);
		else if (buf_put(&connection->in, scratch, (size_t)n) < 0)
			http_connection_close(connection);
		if (n <= 0)
			return;
	}
}

static void shake_hands(struct http_connection *connection)
{
	int r = http_tls_handshake(connection->tls);

	if (r == -EAGAIN)
		return;
	if (r == 0)
		r = http_tls_certificate(connection->tls, &connection->certificate);
	if (r < 0)
		http_connection_close(connection);
	else
		connection->state = HTTP_CONNECTION_READING;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct http_connection *connection = poll->data;
	bool reread;

	if (status < 0 || (events & UV_PRIORITIZED)) {
		http_connection_close(connection);
		return;
	}
	if (events & UV_DISCONNECT) /* behind bytes that are not read now */
		http_intake_end(connection);
	if (connection->state == HTTP_CONNECTION_HANDSHAKE) {
		shake_hands(connection);
		http_connection_settle(connection);
		return;
	}
	reread = connection->tls && http_tls_wants_write(connection->tls) &&
		 http_connection_queued(connection) == 0;
	if ((events & UV_WRITABLE) && http_connection_flush(connection) < 0)
		http_connection_close(connection);
	if (connection->wake && connection->state == HTTP_CONNECTION_READING)
		http_intake_kept(connection);
	if (((events & UV_READABLE) || reread) && connection->state != HTTP_CONNECTION_CLOSED)
		take_input(connection);
	http_connection_settle(connection);
}

/* ---- deadlines -------------------------------------------------------------------------- */

static void tick(struct http_connection *connection)
{
	struct http_work *work = connection->work;
	bool waits = http_connection_queued(connection) > 0;

	work->stalled = waits && !work->moved ? (uint8_t)(work->stalled + 1) : 0;
	if (work->stalled >= HTTP_STALLED_TICKS) {
		http_connection_close(connection);
		return;
	}
	http_connection_wait(connection, HTTP_DEADLINE_TICK);
	if (work->events && !waits && !work->moved &&
	    (http_answer_put_bytes(&connection->out, HTTP_EVENT_COMMENT,
		 sizeof(HTTP_EVENT_COMMENT) - 1, work->chunked) < 0 ||
		http_connection_flush(connection) < 0))
		http_connection_close(connection);
	else
		work->moved = false; /* a comment of our own is not what the owner said */
}

void http_connection_expired(struct http_deadline_node *node, enum http_deadline kind)
{
	struct http_connection *connection =
	    (struct http_connection *)((char *)node - offsetof(struct http_connection, deadline));
	bool begun = connection->state == HTTP_CONNECTION_READING &&
		     connection->reader.phase != HTTP_READER_IDLE;

	if (kind == HTTP_DEADLINE_TICK)
		tick(connection);
	else if (begun)
		http_intake_late(connection);
	else
		http_connection_close(connection);
	http_connection_settle(connection);
}
