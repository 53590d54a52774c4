/*
 * One tools/call with its streams: this process's standard input goes to the tool as it reads it,
 * what the tool writes comes out here as it comes. Used by cmd_run.c. Floor 4: blocks.
 */
#ifndef CALLGATE_CONTROL_RUN_EXCHANGE_H
#define CALLGATE_CONTROL_RUN_EXCHANGE_H

#include <jansson.h>
#include <stdint.h>

#include "supervisor/control/client.h"

#define RUN_SIGNALED 128 /* + the signal that ended us */

enum run_want {
	RUN_WANT_INPUT = 1,  /* pass standard input on */
	RUN_WANT_OUTPUT = 2, /* pass output on */
};

struct run_exchange {
	const struct command_session *session;
	struct client *client;
	int signals;          /* a signalfd of what ends us */
	unsigned want;        /* enum run_want */
	int input_over;       /* ours has ended; stays so when the call is repeated */
	uint64_t passed;      /* bytes of output that were passed on */
	char waits_for[64];   /* the approval that was last spoken of */
	char output_end[256]; /* why the daemon gave no more output before its end; "" = it did */
};

/* Does the daemon know callgate/output? 1, 0; else the exit status of the command: 128 + a signal,
 * or COMMAND_RUN_COULD_NOT after complaining. */
int run_streams_served(struct run_exchange *run);

/* Makes the call; params is borrowed. 0 and *ret_answer, the response object (owned by the caller);
 * or the exit status of the command: 128 + a signal, or COMMAND_RUN_COULD_NOT after complaining. */
int run_exchange(struct run_exchange *run, const json_t *params, json_t **ret_answer);

/* Writes everything, waiting for a slow reader but not longer than for a signal. 0, the exit status
 * that a signal or a reader that is gone makes, or COMMAND_RUN_COULD_NOT after complaining. */
int run_pass_on(struct run_exchange *run, int fd, const void *bytes, size_t len);

/* The signal that came in the meantime, or within wait_ms; 0: none. */
int run_signal(const struct run_exchange *run, int wait_ms);

/* Tells a person, once for each approval, that the call waits for it. */
void run_say_waiting(struct run_exchange *run, const char *approval);

#endif
