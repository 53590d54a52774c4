/*
 * One client: bytes in become requests, one at a time; answers become bytes out. Its state is
 * written by connection.c, intake.c (WORKING) and request.c (STREAMING) only; request.h is what
 * owners see of it. Private to this folder.
 *
 * A connection that was closed stays valid memory until the loop has run once more.
 */
#ifndef CALLGATE_HTTP_CONNECTION_H
#define CALLGATE_HTTP_CONNECTION_H

#include "agent-api/http/reader.h"
#include "agent-api/http/server.h"

enum http_connection_state {
	HTTP_CONNECTION_CLOSED = 0,
	HTTP_CONNECTION_HANDSHAKE,
	HTTP_CONNECTION_READING,   /* waits for a request, or for the rest of it */
	HTTP_CONNECTION_WORKING,   /* the owner has the request */
	HTTP_CONNECTION_STREAMING, /* the owner has begun to answer */
	HTTP_CONNECTION_FLUSHING,  /* the answer is complete and not read yet */
	HTTP_CONNECTION_LINGERING, /* all is said; what still comes is thrown away */
};

/* The request of a connection, from its head to the end of its answer. */
struct http_work {
	struct http_request request; /* first: one is the other */
	struct http_connection *connection;
	struct http_incoming *incoming; /* owned from take() on */
	bool chunked;                   /* the form of the stream */
	bool events;
	bool moved;      /* bytes went out since the last tick */
	uint8_t stalled; /* ticks without that */
};

struct http_connection {
	enum http_connection_state state;
	uv_poll_t poll;
	int watched; /* events that poll waits for */
	int fd;
	struct http_server *server; /* borrowed */
	struct http_deadline_node deadline;
	struct http_tls_session *tls;         /* NULL: plain */
	struct http_certificate *certificate; /* NULL: none */
	struct http_address peer;
	struct http_local local;
	bool last; /* no request after this answer */
	bool half; /* the client sends no more */
	bool wake; /* something is to be done in the next turn, whatever the socket says */
	struct http_reader reader;
	struct http_work *work; /* owned; NULL: none */
	struct buf in;          /* bytes of the requests that follow */
	struct buf out;         /* what the client has not read yet ... */
	size_t sent;            /* ... without these first bytes */
	size_t charged;         /* bytes held against the server's budget */
	struct http_connection *next;
	struct http_connection *previous;
};

/* Takes fd, always. 0 or -errno. */
int http_connection_new(struct http_server *server, int fd, const struct http_address *peer,
    const struct http_local *local);
/* Hangs up; the owner of a request in flight is told. Idempotent. */
void http_connection_close(struct http_connection *connection);
/* The same without telling: for what the owner himself has called. */
void http_connection_drop(struct http_connection *connection);
/* Has nothing begun and nothing to say. */
bool http_connection_is_idle(const struct http_connection *connection);
/* From the queue of deadlines. */
void http_connection_expired(struct http_deadline_node *node, enum http_deadline kind);

/* For intake.c and request.c. */

/* Writes what the socket takes. 0 or -errno: the client is gone. */
int http_connection_flush(struct http_connection *connection);
/* The answer is complete in out: ends the request, flushes. 0 or -EPIPE (dropped). */
int http_connection_finish(struct http_connection *connection);
/* Settles the budget and what the poll waits for. */
void http_connection_settle(struct http_connection *connection);
/* Begins to wait; NONE ends it. */
void http_connection_wait(struct http_connection *connection, enum http_deadline kind);
/* Settles what this connection holds with the server's budget. */
void http_connection_charge(struct http_connection *connection);
size_t http_connection_queued(const struct http_connection *connection);

#endif
