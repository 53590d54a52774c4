/*
 * Who holds how much of the front, and who gives way when it is too much.
 *
 * Each connection belongs to a holder: its user, or the gate that it came through. A holder that
 * is over its own limit loses its oldest unfinished message. Where the sum of all gates, or of
 * all, is too much, that of the biggest holder goes: filling the front costs whoever does it. The
 * same for answers that nobody reads; there the connection that has not read for longest is closed.
 * Floor 3; never blocks.
 */
#ifndef CALLGATE_FRONT_BUDGET_H
#define CALLGATE_FRONT_BUDGET_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "supervisor/link/message.h"

struct connection;
struct front;

enum budget_kind {
	BUDGET_IN = 0, /* unfinished messages and requests with engine */
	BUDGET_OUT,    /* answers that wait to be read */
	BUDGET_KINDS,
};

struct holder {
	struct holder *next;
	uint32_t uid;           /* "call" empty: whose connections these are */
	char call[CALL_ID_MAX]; /* the running call of the gate; "" = the socket */
	uint32_t connections;   /* freed with the last one */
	size_t held[BUDGET_KINDS];
};

/* Zero is a budget that nobody holds anything of. */
struct budget {
	struct holder *holders; /* list, owned */
	uint32_t gate_connections;
	size_t held[BUDGET_KINDS];
	size_t gates_held[BUDGET_KINDS]; /* of them, through gates */
	uint32_t own_uid;                /* of this process, which is the daemon's */
};

/* Why there is no room for one more connection of this peer; a literal, NULL: there is. */
const char *budget_refuses(const struct front *front, const struct message_peer *who);
/* Counts one more connection of its holder, made when needed. NULL: out of memory. */
struct holder *budget_join(struct front *front, const struct message_peer *who);
/* One connection less; whatever it held was settled before. */
void budget_leave(struct front *front, struct holder *holder);

/* A holder now holds `after` bytes where it held `before`. */
void budget_settle(
    struct front *front, struct holder *holder, enum budget_kind kind, size_t before, size_t after);
/* Makes room for so many more bytes of BUDGET_IN; others may be closed for that. 1, or 0: it is
 * this connection that must give way. */
int budget_make_room(struct connection *asking, size_t more);
/* Closes who does not read until BUDGET_OUT is within its limits; be it this connection. */
void budget_relieve(struct connection *asking);

/* Ends connections whose message is unfinished, or whose good-bye is unread, since too long; calls
 * itself again while there are such. */
void budget_on_patience(uv_timer_t *timer);

#endif
