/*
 * Standard input: sealed bytes from engine, written into a pipe as the tool reads it. A pipe, not
 * the memory file itself, because that could be run (ld.so /proc/self/fd/0) past every wall that
 * hangs on mounts and inodes. Used by launch.c. Never blocks.
 */
#ifndef CALLGATE_WARDEN_FEED_H
#define CALLGATE_WARDEN_FEED_H

#include <stddef.h>
#include <uv.h>

#include "supervisor/base/err.h"
#include "supervisor/evidence/digest.h"

struct feed {
	uv_poll_t poll;
	int polled;        /* poll was initialised: it must be closed */
	int fd;            /* write end; -1: none, or all was written */
	const void *bytes; /* mapped; unmapped by feed_fini() */
	size_t len;
	size_t done;
};

void feed_init(struct feed *feed);
/* Maps sealed bytes that must have this digest; fd stays the caller's. 0, -ESTALE or -errno with
 * note. */
int feed_take(struct feed *feed, int fd, const struct digest *expected, struct err_note *note);
/* Takes the write end of a pipe and starts. data is the handle's data. 0 or -errno. */
int feed_start(struct feed *feed, uv_loop_t *loop, int fd, void *data);
/* Ends the pipe; the caller closes poll. */
void feed_stop(struct feed *feed);
void feed_fini(struct feed *feed);

#endif
