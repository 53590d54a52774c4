/*
 * One launch, between the files of launch.h.
 */
#ifndef CALLGATE_WARDEN_LAUNCH_OWN_H
#define CALLGATE_WARDEN_LAUNCH_OWN_H

#include "supervisor/warden/launch.h"

enum launch_state {
	LAUNCH_NONE = 0,
	LAUNCH_WAITING,
	LAUNCH_LAYING,
	LAUNCH_ARMING,
	LAUNCH_RUNNING,
	LAUNCH_KILLING,
	LAUNCH_REPORTED,
};

struct launch {
	struct launcher *launcher;
	struct launch *next;
	enum launch_state state;
	struct message message; /* the LAUNCH: input and receipt live in it */
	struct plan plan;       /* until GO */
	struct digest digest;
	uint32_t required; /* layers, copied: a reload must not change them now */
	uint64_t deadline_ms;
	struct pool_cell cell;
	int has_cell;
	uint32_t overlay; /* the number of its overlay; 0: none */
	bool stopped;     /* LAYING: it will not run; note says why */
	struct launch_ends ends;
	struct feed feed;
	struct attestation attestation;
	uint64_t go_us;
	enum exit_how how;         /* decided so far; NONE: nothing yet */
	enum cell_reached reached; /* a limit that its init saw */
	int64_t code;
	bool by_signal; /* code is one */
	uint64_t cpu_us;
	uint64_t memory_peak;
	struct err_note note;
	uv_poll_t event; /* the cell's socket */
	uv_poll_t end;   /* its pidfd */
	uv_timer_t timer;
	int handles;
};

static inline const struct plan_input *launch_input(const struct launch *launch)
{
	return &launch->message.u.launch.input;
}

/* launch.c: the daemon ends. */
void launch_break(struct launcher *launcher, int fault);
/* launch.c: LAUNCHED with this; nothing of the tool has run, and now nothing will. */
void launch_decline(struct launch *launch, enum answer_status status, const char *note);

#endif
