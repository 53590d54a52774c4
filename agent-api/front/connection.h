/*
 * One client: bytes in become lines, lines become messages for dispatch, answers become bytes
 * out. Bounded both ways; a client that does not read is closed.
 *
 * A connection closed by any function here stays valid memory until the loop has run once more;
 * callers look at its state before they go on.
 */
#ifndef CALLGATE_FRONT_CONNECTION_H
#define CALLGATE_FRONT_CONNECTION_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent-api/front/budget.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/base/buf.h"
#include "supervisor/link/message.h"

struct asked;
struct front;
struct pending;

enum connection_state {
	CONNECTION_CLOSED = 0,
	CONNECTION_OPEN,
	CONNECTION_HALF,   /* the client has said all it will; answers are still due */
	CONNECTION_ENDING, /* closes as soon as what is queued has been read */
};

struct connection {
	enum connection_state state; /* written by connection.c only */
	uv_poll_t poll;
	int watched; /* events that poll waits for */
	int fd;
	uint64_t peer;          /* name of this connection towards engine */
	char call[CALL_ID_MAX]; /* the running call whose gate it came through; "" = the socket */
	struct front *front;    /* borrowed */
	struct holder *holder;  /* who pays; borrowed from the front's budget */
	struct buf in;          /* the beginning of a message */
	struct buf out;         /* what the client has not read yet ... */
	size_t sent;            /* ... without these first bytes */
	size_t held[BUDGET_KINDS];    /* bytes of "in" and "out", as settled with the budget */
	uint64_t since[BUDGET_KINDS]; /* loop's ms: "in" began; "out" last moved, or the end did */
	struct pending *pending;      /* list, owned */
	uint32_t pending_count;
	struct mcp_session session; /* what initialize agreed upon; zero before */
	struct asked *asked;        /* our questions to the client; owned, NULL = none yet */
	struct connection *next;
	struct connection *previous;
};

/* Takes fd, tells engine of the peer. On failure fd is closed. 0 or -errno. */
int connection_new(struct front *front, int fd, const struct message_peer *who);
/* Hangs up: forgets what is in flight and tells engine that the peer is gone. Idempotent. */
void connection_close(struct connection *connection);

/* Its unfinished message is given up for others that need the room, or because it takes too long:
 * told so, and then closed. */
void connection_give_way(struct connection *connection);
void connection_lose_patience(struct connection *connection);
/* Nothing more is read; closed as soon as what is queued has been read. */
void connection_end(struct connection *connection);

/* Queues one answer; writes what the socket takes. May close the connection. */
void connection_answer(struct connection *connection, const char *id, enum rpc_answer answer,
    const void *body, size_t len);
/* The same for a finished object without an envelope: a notification, or a request of ours, whose
 * id is kept for the answer. */
void connection_notify(struct connection *connection, const void *body, size_t len);
/* An error object of our own. params: see mcp_error_body(). */
void connection_refuse(struct connection *connection, const char *id, const struct rpc_error *error,
    const json_t *params);

/* Takes ownership of a request that was sent to engine. */
void connection_add_pending(struct connection *connection, struct pending *pending);
/* Frees it; a client that has said all is let go when nothing is due any more. */
void connection_remove_pending(struct connection *connection, struct pending *pending);
/* Engine is to end this request; nothing more is said to the client about it. */
void connection_cancel_pending(struct connection *connection, struct pending *pending);

#endif
