/*
 * The HTTP front and courier: roles that the daemon can live without for a while. They are started
 * by the nursery, their ends of links are handed to engine (SIBLING), their settings come from the
 * policy (SITE, OUTGOING), and when one is lost, that is recorded and it is started again: at most
 * three times a minute, then once a minute. A call that came by the Unix socket does not notice.
 *
 *   HTTP front  runs while the policy serves HTTP; a start fails without it
 *   courier     runs only while the policy names something outside (jwks_url, channels): where
 *               nothing is fetched there is no program that could
 *
 * Used by start.c, reload.c, stop.c, logger.c. Nothing here waits, but for the nursery.
 */
#ifndef CALLGATE_WARDEN_SIBLINGS_H
#define CALLGATE_WARDEN_SIBLINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "supervisor/link/link.h"
#include "supervisor/warden/nursery.h"
#include "supervisor/warden/site.h"

#define SIBLING_STARTS_MAX 3 /* again, in SIBLING_WINDOW_MS */
#define SIBLING_WINDOW_MS  60000

struct warden;

struct sibling {
	struct warden *warden;
	enum sibling_kind kind;
	enum nursery_program program;
	bool wanted;     /* by the policy */
	bool introduced; /* engine has its link */
	bool settled;    /* it has taken its settings */
	bool complained; /* of one that does not stay */
	bool watched;    /* end is polled */
	struct child child;
	struct link link;
	int engine_end;                     /* of its link to engine, until introduced; -1 */
	uint64_t site;                      /* serial of the newest SITE */
	uint64_t ping;                      /* serial of the PING it has not answered; 0: none */
	uint64_t again[SIBLING_STARTS_MAX]; /* when it was started again lately, ms; 0: never */
	uint64_t started;                   /* when, ms */
	uint64_t released;                  /* when its handles were closed, ms */
	uv_poll_t end;                      /* of its pidfd */
	uv_timer_t timer; /* to its next start, or while it lives to the next look at it */
};

struct siblings {
	struct sibling http;
	struct sibling courier;
	const struct site *site; /* what a start gives; never owned */
};

/* With the loop. */
void siblings_init(struct warden *warden);
/* What the policy wants is started, and all get the settings of this site, which must live until
 * the next offer. *ret_serial: of the SITE whose answer is to come
 * (warden_take_answer()), 0 where nobody is there to answer. 0, or -errno with note where one could
 * not be started; it is tried again later. */
int siblings_offer(
    struct warden *warden, const struct site *site, uint64_t *ret_serial, struct err_note *note);
/* The site that was offered last is in force: who is no longer wanted leaves, and engine is told of
 * a courier that is new. */
void siblings_settle(struct warden *warden);
/* Engine is told of those that it does not know yet: once it has a policy. */
void siblings_introduce(struct warden *warden);
void siblings_tell_logger(struct warden *warden, const struct message *logger);
/* The end: nothing is started again, and link and child go. They have wait_ms to leave. */
void siblings_end_http(struct warden *warden, uint32_t wait_ms);
void siblings_end_courier(struct warden *warden, uint32_t wait_ms);

/* Pure, for tests: how long to wait before the next start, by when it was started again lately;
 * notes the start that will follow. now: ms, above 0. */
uint64_t sibling_delay(uint64_t again[SIBLING_STARTS_MAX], uint64_t now);

#endif
