/*
 * The overlays that calls ran on, from their making to their end: the warden's book about what the
 * keeper holds, and the answers to EFFECTS.
 *
 *   MAKING    the keeper was asked for it
 *   RUNNING   a call works on it
 *   READING   its tree is dead; the keeper reads what it left; EXITED waits for that
 *   HELD      EXITED told the list; kept for OVERLAYS_KEPT_MS, then dropped and recorded
 *
 * At most OVERLAYS_HELD are held, and OVERLAYS_BYTES of memory: then the oldest of the principal
 * who holds the most goes. They live in memory: the end of the daemon drops all of them. Used by
 * launch.c, main.c, start.c, stop.c. Nothing here waits. A fault of a sibling is left in ->broken,
 * and the loop is stopped.
 */
#ifndef CALLGATE_WARDEN_OVERLAYS_H
#define CALLGATE_WARDEN_OVERLAYS_H

#include <stdint.h>
#include <uv.h>

#include "supervisor/link/link.h"
#include "supervisor/warden/keeper/keeper.h"
#include "supervisor/warden/receipts.h"
#include "supervisor/warden/tools.h"

#define OVERLAYS_HELD     32
#define OVERLAYS_BYTES    (UINT64_C(1) << 30)
#define OVERLAYS_KEPT_MS  (60 * 60 * 1000)
#define OVERLAYS_CLOCK_MS 30000

struct overlay;
struct overlay_request;
struct launcher;

struct overlays {
	struct keeper keeper;
	struct launcher *launcher; /* hears of each mount; its links and receipts are used */
	int saved;                 /* STATE/effects; the state's */
	struct overlay *first;     /* oldest first */
	struct overlay_request *asked;
	uint32_t last_id;
	uint64_t last_serial;
	uv_poll_t answers;
	uv_timer_t clock;
	bool running; /* the handles are there */
};

struct overlay_spec {
	const char *call, *principal;
	uint64_t disk, inodes; /* 0: no limit */
	uid_t uid;             /* whose it is inside */
	gid_t gid;
	bool exec;
	int workspace; /* borrowed; on disk */
	int lower;     /* borrowed; its detached mount as the cell would see it */
};

/* Watches the keeper, which is there already. 0 or a libuv error. */
int overlays_start(struct overlays *overlays, struct launcher *launcher);
/* Takes back what a crash left half written in the workspaces of these tools. */
void overlays_begin(struct overlays *overlays, const struct tools *tools);
/* launch_overlaid() tells the end of it. 0 and *ret, never 0; or -errno with note. */
int overlays_make(struct overlays *overlays, const struct overlay_spec *spec, uint32_t *ret,
    struct err_note *note);
/* Nothing of the call ran on it. */
void overlays_drop(struct overlays *overlays, uint32_t id);
/* Its tree is dead: EXITED is copied and sent when the overlay was read. 0 or -errno. */
int overlays_finish(struct overlays *overlays, uint32_t id, const struct message *exited);
/* How many EXITED wait. */
uint32_t overlays_reading(const struct overlays *overlays);

/* EFFECTS of engine: takes what the message holds. Answered, now or later. */
void overlays_ask(struct overlays *overlays, struct message *message);
/* A RECORDED of the auditor: true where it was one of ours. */
bool overlays_recorded(
    struct overlays *overlays, uint64_t serial, uint16_t status, const char *note);

/* The end of the daemon: all are dropped and that is recorded, while the auditor is there. */
void overlays_end(struct overlays *overlays);
/* Ends the keeper. */
void overlays_close(struct overlays *overlays);

#endif
