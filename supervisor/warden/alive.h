/*
 * The sign of life for the service manager: WATCHDOG=1 says that every part of the daemon turns,
 * so it is sent only when engine (with front behind it) and auditor have answered. A part that
 * hangs is then found by the manager, which ends the daemon and starts it again.
 */
#ifndef CALLGATE_WARDEN_ALIVE_H
#define CALLGATE_WARDEN_ALIVE_H

#include <stdint.h>
#include <uv.h>

struct warden;
struct link;

struct alive {
	uv_timer_t timer;
	uint64_t engine;  /* serial of the PING it has not answered; 0: none */
	uint64_t auditor; /* the same */
	int complained;   /* of a part that does not answer */
};

/* Asks twice in each $WATCHDOG_USEC; does nothing where the manager wants no pings. The timer keeps
 * no loop alive. 0 or -errno. */
int alive_start(struct warden *warden);
/* PONG came by this link. */
void alive_answered(struct warden *warden, const struct link *link, uint64_t serial);

#endif
