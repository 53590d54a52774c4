/*
 * One end of a SOCK_SEQPACKET socketpair between two processes of the daemon, on a libuv loop.
 *
 * The kernel keeps message edges and delivers descriptors with exactly their message. Sending
 * queues what the socket does not take; a queue above LINK_QUEUE_MAX is a fault. The single
 * handler is the process's dispatch table in its main.c: no function pointer travels further.
 * A lost peer or a message that does not decode is told to the same handler with message NULL.
 * Floor 2: base, libuv.
 */
#ifndef CALLGATE_LINK_LINK_H
#define CALLGATE_LINK_LINK_H

#include <stdint.h>
#include <uv.h>

#include "supervisor/link/message.h"

#define LINK_QUEUE_MAX (8 * 1024 * 1024) /* bytes waiting to be sent */

struct link;

/* message: valid during the call; NULL: the peer is gone or talks nonsense, fault says which
 * (-EPIPE, -EBADMSG, ...). */
typedef void link_handler(struct link *link, struct message *message, int fault);

struct link_queued;
struct link {
	uv_poll_t *poll; /* private from here ... */
	int fd;
	uint64_t next_serial;
	struct link_queued *head;
	struct link_queued *tail;
	size_t queued_bytes;
	struct buf scratch;
	uint8_t *receive_buffer;
	int open; /* ... to here */
	link_handler *handler;
	void *owner;      /* for the handler */
	const char *name; /* literal, for logs */
};

/* Takes fd. 0 or -errno / libuv error. */
int link_open(struct link *link, uv_loop_t *loop, int fd, const char *name, link_handler *handler,
    void *owner);
/* Sends now or queues. A request (even, < 128) with serial 0 gets the next serial, written back
 * into the message. Descriptors stay the caller's (they are duplicated when queued). 0,
 * -ENOBUFS (queue full), -EPIPE, -EMSGSIZE. */
int link_send(struct link *link, struct message *message);
/* Reads and handles every message that is already there, without waiting: for "drain the other
 * link first". Returns the number handled or -errno. */
int link_drain(struct link *link);
/* Bytes not yet taken by the socket. */
size_t link_backlog(const struct link *link);
/* Ends both directions without a word to the handler now: the loop finds the end, as if the peer
 * were gone. For those who find it choking in the middle of something. */
void link_hang_up(struct link *link);
/* Nothing more will be sent; the peer finds an end behind what was, and is still read. */
void link_end_writing(struct link *link);
/* Stops, closes, frees the queue; link_open() may follow at once, but not from the
 * link's own handler. */
void link_close(struct link *link);

#endif
