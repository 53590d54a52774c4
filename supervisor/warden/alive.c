#include "supervisor/warden/alive.h"

#include "supervisor/base/log.h"
#include "supervisor/warden/notify.h"
#include "supervisor/warden/warden.h"

static uint64_t ask(struct warden *warden, struct link *link, const char *name)
{
	struct message message;
	int fault;

	message_init(&message, MESSAGE_PING);
	fault = link_send(link, &message);
	if (fault)
		stop_lost(warden, name, fault);
	return message.serial;
}

static void complain(struct alive *alive)
{
	if (alive->complained)
		return;
	alive->complained = 1;
	log_error("%s%s%s: no sign of life; the service manager is told nothing until there is one",
	    alive->engine ? "callgate-engine or callgate-front" : "",
	    alive->engine && alive->auditor ? ", " : "", alive->auditor ? "callgate-auditor" : "");
}

/* While the daemon starts or ends, deadlines of their own watch the parts. */
static void on_time(uv_timer_t *timer)
{
	struct warden *warden = timer->data;
	struct alive *alive = &warden->alive;

	if (warden->phase != WARDEN_READY) {
		notify_ping(warden->notify);
	} else if (alive->engine || alive->auditor) {
		complain(alive);
	} else {
		alive->engine = ask(warden, &warden->engine, "callgate-engine");
		alive->auditor = ask(warden, &warden->auditor, "callgate-auditor");
	}
}

void alive_answered(struct warden *warden, const struct link *link, uint64_t serial)
{
	struct alive *alive = &warden->alive;
	uint64_t *asked = link == &warden->engine ? &alive->engine : &alive->auditor;

	if (*asked != serial)
		return;
	*asked = 0;
	if (alive->engine || alive->auditor)
		return;
	if (alive->complained)
		log_warn("every part of the daemon answers again");
	alive->complained = 0;
	notify_ping(warden->notify);
}

int alive_start(struct warden *warden)
{
	uint64_t ms = notify_ping_ms();
	int fault = uv_timer_init(&warden->loop, &warden->alive.timer);

	if (fault || !ms)
		return fault;
	warden->alive.timer.data = warden;
	uv_unref((uv_handle_t *)&warden->alive.timer);
	return uv_timer_start(&warden->alive.timer, on_time, 0, ms);
}
