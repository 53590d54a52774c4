/*
 * The listening Unix socket: accepts, asks the kernel who it is, makes a connection of it.
 * Survives running out of descriptors by pausing; clients wait in the backlog meanwhile.
 */
#ifndef CALLGATE_FRONT_LISTENER_H
#define CALLGATE_FRONT_LISTENER_H

#include <uv.h>

struct front;

struct listener {
	uv_poll_t poll; /* private from here ... */
	uv_timer_t pause;
	int fd; /* ... to here */
};

/* Takes fd. 0 or -errno. */
int listener_open(struct listener *listener, struct front *front, int fd);
/* Accepts no more; memory may be reused after the loop has run once more. Idempotent. */
void listener_close(struct listener *listener);

#endif
