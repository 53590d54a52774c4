/*
 * Launches: from a LAUNCH of engine to the proof that its tree is dead.
 *
 *   WAITING   receipt good, planned again and the same; no cell yet
 *   LAYING    has a cell; the keeper makes the overlay that the call works on
 *   ARMING    the cell has the call; nothing of the tool has run
 *   RUNNING   EXEC_START was sent, then GO; LAUNCHED answered
 *   KILLING   deadline, KILL or a broken cell; waiting for the kernel's proof
 *   REPORTED  answered for good: EXEC_EXIT and EXITED were sent, or it never ran; only the corpse
 *             is waited for
 *
 * Used by main.c. Nothing here waits. A fault that ends the daemon is left in launcher.broken,
 * and the loop is stopped.
 */
#ifndef CALLGATE_WARDEN_LAUNCH_H
#define CALLGATE_WARDEN_LAUNCH_H

#include <stdint.h>

#include "supervisor/link/link.h"
#include "supervisor/warden/feed.h"
#include "supervisor/warden/overlays.h"
#include "supervisor/warden/plan.h"
#include "supervisor/warden/pool.h"
#include "supervisor/warden/receipts.h"

#define LAUNCH_ARM_MS   10000 /* a cell that is not armed by then is given up */
#define LAUNCH_STUCK_MS 10000 /* a killed tree that is not dead by then is told as stuck */

struct launch;

struct launcher {
	uv_loop_t *loop;
	struct link *engine;
	struct link *auditor;
	struct pool *pool;
	const struct cell_host *host;
	struct planner *planner;
	uint8_t receipt_key[KEY_LEN];
	struct receipts receipts;
	struct overlays *overlays; /* NULL: no call can have one */
	struct launch *first;      /* all, in order of arrival */
	int closed;                /* no new launches */
	int broken;                /* -errno: a sibling cannot be told, or the zygote is gone */
};

/* Our ends of one launch's descriptors between arming and GO; -1: not there. */
struct launch_ends {
	int out; /* read ends, for engine */
	int err;
	int in;   /* write end, for the feed, or for engine where the client streams */
	int gate; /* for front, by way of engine */
};
#define LAUNCH_NO_ENDS ((struct launch_ends){-1, -1, -1, -1})

/* A LAUNCH: takes what the message holds. It is answered, now or later. */
void launch_ask(struct launcher *launcher, struct message *message);
/* Gives prepared cells to those that wait and asks for more. */
void launch_go_on(struct launcher *launcher);
/* Cells cannot be prepared: those that wait are answered with why. */
void launch_no_cell(struct launcher *launcher, const char *why);
/* Another policy is in force: those that wait hold plans of the old one. */
void launch_void_waiting(struct launcher *launcher);
void launch_kill(struct launcher *launcher, const char *call, const char *cause);
void launch_kill_all(struct launcher *launcher, const char *cause);
/* Kills what is over its deadline now: for who works longer than a turn of the loop should take. */
void launch_look_at_clock(struct launcher *launcher);
/* Launches whose end is not reported yet. */
uint32_t launch_alive(const struct launcher *launcher);

/* The overlay that the keeper was asked for: its mount, which stays the caller's, or -1 and why. */
void launch_overlaid(struct launcher *launcher, uint32_t overlay, int mount, const char *why);
/* launch_arm.c: asks for it. 0 and launch->overlay, or -errno with note. */
int launch_lay(struct launch *launch, struct err_note *note);

/* Where a call will work. */
struct launch_place {
	const struct pool_cell *cell;
	int mount; /* its overlay; -1: the workspace itself */
};
/* launch_arm.c: hands the plan to a cell. has_stdin: whether *ret_ends gets an `in`. 0 and
 * *ret_ends, or -errno with note: the call cannot run in this cell. */
int launch_arm(const struct launcher *launcher, const struct plan *plan,
    const struct launch_place *place, int has_stdin, struct launch_ends *ret_ends,
    struct err_note *note);
/* launch_arm.c: adds the control group to what the cell attests, and judges it. 0, or -errno with
 * note: a wall is missing that is required; the note names switch and remedy. */
int launch_attest(const struct launcher *launcher, const struct pool_cell *cell, uint32_t required,
    struct attestation *attestation, struct err_note *note);
/* launch_arm.c: puts them into a LAUNCHED, which borrows them. 0 or -errno. */
int launch_ends_tell(const struct launch_ends *ends, struct message *launched);
void launch_ends_close(struct launch_ends *ends);

#endif
