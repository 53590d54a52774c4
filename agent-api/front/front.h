/*
 * The front: one listener, its connections, the link to engine, and what is in flight between
 * them. It frames, checks form, and forwards; it decides nothing. Floor 3; never blocks.
 */
#ifndef CALLGATE_FRONT_FRONT_H
#define CALLGATE_FRONT_FRONT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent-api/front/budget.h"
#include "agent-api/front/limits.h"
#include "agent-api/front/listener.h"
#include "agent-api/front/pending.h"
#include "supervisor/link/link.h"

struct connection;
struct gate;

enum front_phase {
	FRONT_SERVING = 0,
	FRONT_DRAINING, /* no new requests; ends well when engine leaves */
	FRONT_DONE,     /* engine left while draining; the last answers are still delivered */
	FRONT_FAILED,   /* the daemon must stop */
};

struct front {
	uv_loop_t loop;
	struct link engine;
	struct listener listener;
	struct pending_table pending;
	struct connection *connections; /* list, owned */
	uint32_t connection_count;
	struct gate *gates; /* list, owned */
	uint64_t last_peer;
	struct budget budget;
	uv_timer_t patience; /* runs while somebody is waited for; when FRONT_DONE, for the end */
	uint64_t line_ms;    /* FRONT_LINE_MS; tests are less patient */
	enum front_phase phase;
	char scratch[FRONT_READ]; /* one read, for whichever connection has its turn */
};

/* Takes both descriptors. 0 or -errno; after a failure the process can only exit. */
int front_open(struct front *front, int engine_fd, int listen_fd);
/* Runs until engine leaves. The phase it ended in: FRONT_DONE or FRONT_FAILED. */
enum front_phase front_run(struct front *front);
/* Closes everything and lets the loop finish. */
void front_close(struct front *front);

/* Ends the process's work: the daemon must not go on without this front. */
void front_fail(struct front *front, const char *what, int fault);
/* Whether something new may begin: not draining, and the link to engine is not full. NULL or the
 * reason in words, a literal. */
const char *front_refuses(const struct front *front);
/* The same for what belongs to a call that is under way. */
const char *front_refuses_stream(const struct front *front);

#endif
