/*
 * The end, wished for or not. Wished for: DRAIN to engine, which finishes what runs and leaves;
 * after 10 s what still runs is killed. Not wished for: a role or the zygote is gone, and what
 * runs is killed at once. Either way: every tree dead with proof and recorded, then the auditor
 * closes the journal, then everything we made is removed.
 */
#include <errno.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/warden/notify.h"
#include "supervisor/warden/warden.h"

#define DRAIN_MS   10000 /* running calls may end by themselves for so long */
#define KILL_MS    (LAUNCH_STUCK_MS + 2000)
#define ANSWERS_MS 3000 /* engine may record and answer what was killed */
#define FRONT_MS   2000 /* front may hand out the last answers */
#define CLOSE_MS   5000 /* the auditor writes its last lines */

static int send_drain(struct link *link, const char *cause)
{
	struct message message;

	if (!link->open)
		return -EPIPE;
	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = cause;
	return link_send(link, &message);
}

void stop_begin(struct warden *warden, const char *cause)
{
	const struct log_field fields[] = {{.key = LOG_KEY_CAUSE, .text = cause}};
	const struct log_facts facts = {LOG_EVENT_STOP, fields, 1};

	if (warden->phase != WARDEN_READY)
		return;
	log_event(LOG_LEVEL_INFO, &facts, "stopping: %s", cause);
	warden->phase = WARDEN_DRAINING;
	warden->launcher.closed = 1;
	notify_stopping(warden->notify);
	reload_abort(warden);
	studio_abort(warden);
	launch_no_cell(&warden->launcher, "the daemon is shutting down");
	(void)send_drain(&warden->engine, cause); /* a lost engine is seen by its pidfd */
	uv_stop(&warden->loop);
}

void stop_lost(struct warden *warden, const char *what, int fault)
{
	if (warden->lost.text[0] || warden->phase == WARDEN_ENDING)
		return;
	(void)err_note(&warden->lost, 0, "lost %s%s%s", what, fault ? ": " : "",
	    fault ? strerror(-fault) : "");
	warden->status = 1;
	warden->launcher.closed = 1;
	uv_stop(&warden->loop);
}

void warden_unwatch(struct warden *warden, const struct child *child)
{
	for (size_t i = 0; i < sizeof(warden->watched) / sizeof(*warden->watched); i++) {
		struct watched *watched = &warden->watched[i];

		if (!watched->active || watched->child != child)
			continue;
		uv_poll_stop(&watched->poll);
		watched->active = 0;
	}
}

static void end_child(struct warden *warden, struct child *child, uint32_t wait_ms)
{
	warden_unwatch(warden, child);
	child_end(child, wait_ms);
}

static int engine_lives(const struct warden *warden)
{
	return warden->children.engine.pid > 0;
}

static void run_while_engine(struct warden *warden, uint64_t ms)
{
	warden_be_patient(warden, ms);
	while (engine_lives(warden) && !warden->impatient && !warden->lost.text[0])
		uv_run(&warden->loop, UV_RUN_ONCE);
}

static void run_while_trees(struct warden *warden)
{
	warden_be_patient(warden, KILL_MS);
	while (launch_alive(&warden->launcher) && !warden->impatient)
		uv_run(&warden->loop, UV_RUN_ONCE);
	if (launch_alive(&warden->launcher))
		log_error("%u trees could not be proven dead", launch_alive(&warden->launcher));
}

/* Over a lost link it is not told to end, but may still hold what came over it: the start of a tool
 * that runs. It sees the end of the link behind that, and then its own. */
static void end_auditor(struct warden *warden)
{
	uint32_t wait_ms = CLOSE_MS;

	if (warden->children.auditor.pid > 0 && !send_drain(&warden->auditor, "stop")) {
		warden_be_patient(warden, CLOSE_MS);
		while (warden->children.auditor.pid > 0 && !warden->impatient)
			uv_run(&warden->loop, UV_RUN_ONCE);
		wait_ms = 0;
	}
	link_close(&warden->auditor);
	end_child(warden, &warden->children.auditor, wait_ms);
}

static void end_roles(struct warden *warden)
{
	uint32_t front_ms = 0;

	if (warden->phase == WARDEN_DRAINING)
		run_while_engine(warden, DRAIN_MS);
	if (launch_alive(&warden->launcher)) {
		launch_kill_all(&warden->launcher, warden->status
						       ? "the daemon lost a part of itself"
						       : "the daemon is shutting down");
		run_while_trees(warden);
	}
	if (warden->phase == WARDEN_DRAINING) {
		run_while_engine(warden, ANSWERS_MS);
		front_ms = FRONT_MS;
	}
	warden->phase = WARDEN_ENDING;
	end_child(warden, &warden->children.engine, 0);
	siblings_end_http(warden, front_ms);
	end_child(warden, &warden->children.front, front_ms); /* it leaves after engine */
	siblings_end_courier(warden, front_ms);
	overlays_end(&warden->overlays);
	warden_unwatch(warden, &warden->nursery.child);
	nursery_stop(&warden->nursery);
	end_auditor(warden);
}

void stop_finish(struct warden *warden)
{
	const struct log_field fields[] = {{.key = LOG_KEY_CAUSE, .text = warden->lost.text}};
	const struct log_facts facts = {LOG_EVENT_LOST, fields, 1};

	if (warden->lost.text[0])
		log_event(LOG_LEVEL_ERROR, &facts, "%s: stopping", warden->lost.text);
	reload_abort(warden);
	studio_abort(warden);
	end_roles(warden);
	warden_unwatch(warden, NULL);
	overlays_close(&warden->overlays);
	pool_close(&warden->pool);
	cgroup_close(&warden->cgroup);
	listen_close(&warden->http_listener);
	listen_close(&warden->listener);
	site_free(warden->site);
	tools_free(warden->tools);
	holdings_fini(&warden->holdings);
	config_free(warden->config);
	buf_fini(&warden->warnings);
	key_wipe(warden->launcher.receipt_key, KEY_LEN);
	key_wipe(warden->planner.env_key, KEY_LEN);
	cleanup_fd_(&warden->signals);
	cleanup_fd_(&warden->notify);
	state_close(&warden->state); /* last: the lock says that nobody else may begin yet */
}
