/*
 * Overlays and requests, between overlays.c and overlays_ask.c.
 */
#ifndef CALLGATE_WARDEN_OVERLAYS_OWN_H
#define CALLGATE_WARDEN_OVERLAYS_OWN_H

#include "supervisor/warden/launch.h"
#include "supervisor/warden/overlays.h"

enum overlay_state {
	OVERLAY_NONE = 0,
	OVERLAY_MAKING,
	OVERLAY_RUNNING,
	OVERLAY_READING,
	OVERLAY_HELD,
};

struct overlay {
	struct overlay *next;
	uint32_t id;
	enum overlay_state state;
	bool gone; /* MAKING: nobody wants it any more */
	char call[CALL_ID_MAX + 1];
	char *principal;       /* who asked for the call; owned */
	struct message exited; /* READING: what waits; its own copy */
	int list;              /* HELD: sealed memory, as told; -1 */
	uint32_t count;
	struct digest effects;
	uint64_t used;
	uint64_t held_us;
	uint32_t busy; /* requests under way on it */
};

/* An EFFECTS under way. */
struct overlay_request {
	struct overlay_request *next;
	struct message message;  /* the EFFECTS */
	uint32_t overlay;        /* its number; 0: UNDO or RECOVER need none */
	uint64_t serial;         /* of the keeper's answer; 0: it is there */
	uint64_t record;         /* of the RECORDED; 0: none waited for */
	struct keeper_told told; /* with record: what will be answered */
	int body;                /* the same: sealed memory; -1 */
	bool recovery;           /* nobody asked */
	int workspace;           /* the same: whose; owned; -1 */
};

struct overlay *overlay_find(const struct overlays *overlays, uint32_t id);
/* With a record where it was held. by may be "". *ret_serial may be NULL: of that record. */
void overlay_forget(struct overlays *overlays, struct overlay *overlay, const char *cause,
    const char *by, uint64_t *ret_serial);
/* Drops what is held too long at this time of the monotonic clock, in microseconds. */
void overlays_expire(struct overlays *overlays, uint64_t now);
/* A keeper's answer to an EFFECTS or a recovery; fd, or -1, is taken. */
void overlays_answered(struct overlays *overlays, const struct keeper_told *told, int fd);
/* Frees what was asked and not answered. */
void overlays_forget_requests(struct overlays *overlays);
void overlays_break(struct overlays *overlays, int fault);

#endif
