#include "supervisor/warden/siblings.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"
#include "supervisor/warden/listen_http.h"
#include "supervisor/warden/logger.h"
#include "supervisor/warden/trail.h"
#include "supervisor/warden/warden.h"

#define AGAIN_MS 100   /* the loop has to turn once before a handle may be used again */
#define LOOK_MS  10000 /* between two looks at whether it answers */
#define LEAVE_MS 5000  /* for one that the policy no longer wants */

static void start_later(struct sibling *sibling);

static uint64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

static const char *name_of(const struct sibling *sibling)
{
	return nursery_program_name(sibling->program);
}

static bool is_alive(const struct sibling *sibling)
{
	return sibling->child.pid > 0;
}

/* Its end is seen by its pidfd, as any other end is. It is our child and not waited for yet. */
static void give_up(struct sibling *sibling)
{
	if (is_alive(sibling))
		(void)kill(sibling->child.pid, SIGKILL);
}

/* ---- words to engine and to the journal ------------------------------------------------------ */

static void tell_engine(struct sibling *sibling, const int *fd)
{
	struct warden *warden = sibling->warden;
	struct message message;
	int fault;

	message_init(&message, MESSAGE_SIBLING);
	message.u.sibling.sibling = (uint16_t)sibling->kind;
	if (fd) {
		message.fds[0] = *fd;
		message.fd_count = 1;
	}
	fault = link_send(&warden->engine, &message);
	if (fault && warden->phase == WARDEN_READY)
		stop_lost(warden, "callgate-engine", fault);
}

static void introduce(struct sibling *sibling)
{
	if (sibling->introduced || sibling->engine_end < 0)
		return;
	tell_engine(sibling, &sibling->engine_end);
	cleanup_fd_(&sibling->engine_end);
	sibling->introduced = true;
}

void siblings_introduce(struct warden *warden)
{
	if (warden->siblings.http.settled)
		introduce(&warden->siblings.http);
	introduce(&warden->siblings.courier);
}

static void record(struct sibling *sibling, const char *how)
{
	struct warden *warden = sibling->warden;
	int fault = how ? trail_role_lost(&warden->auditor, name_of(sibling), how)
			: trail_role_start(&warden->auditor, name_of(sibling), sibling->child.pid);

	if (fault)
		stop_lost(warden, "callgate-auditor", fault);
}

/* ---- its settings ---------------------------------------------------------------------------- */

static int send_site(struct sibling *http, const struct site *site)
{
	char address[LISTEN_NAME_MAX];
	struct site_lists lists;
	struct message message;
	int fault;

	listen_http_address(&http->warden->http_listener, address);
	fault = site_message(site, address, &lists, &message);
	if (!fault)
		fault = link_send(&http->link, &message);
	if (!fault)
		http->site = message.serial;
	site_lists_free(&lists);
	return fault;
}

static int send_outgoing(struct sibling *courier, const struct site *site)
{
	struct site_lists lists;
	struct message message;
	int fault = site_outgoing(site, &lists, &message);

	if (!fault)
		fault = link_send(&courier->link, &message);
	site_lists_free(&lists);
	return fault;
}

static int send_settings(struct sibling *sibling, const struct site *site)
{
	return sibling->kind == SIBLING_HTTP ? send_site(sibling, site)
					     : send_outgoing(sibling, site);
}

/* An answer that start or reload waits for goes there; another one is to a start of our own. */
static void take_site_answer(struct sibling *http, const struct message *message)
{
	struct warden *warden = http->warden;
	const struct message_site_taken *taken = &message->u.site_taken;
	bool good = taken->status == ANSWER_OK;

	if (good)
		http->settled = true;
	if (warden->awaited.serial && warden->awaited.serial == message->serial) {
		warden_take_answer(warden, message->serial, taken->status, taken->note);
		return;
	}
	if (good) {
		introduce(http);
		return;
	}
	log_error("%s does not take its settings: %s", name_of(http), taken->note);
	give_up(http);
}

static void on_message(struct link *link, struct message *message, int fault)
{
	struct sibling *sibling = link->owner;

	(void)fault;
	if (message && message->type == MESSAGE_SITE_TAKEN && sibling->kind == SIBLING_HTTP) {
		take_site_answer(sibling, message);
	} else if (message && message->type == MESSAGE_PONG) {
		if (message->serial == sibling->ping)
			sibling->ping = 0;
	} else {
		if (message)
			log_error("%s sent %s, which is not its to send", name_of(sibling),
			    message_name(message->type));
		give_up(sibling); /* most often it has ended already */
	}
}

/* ---- its life -------------------------------------------------------------------------------- */

static void release(struct sibling *sibling)
{
	if (sibling->watched)
		uv_close((uv_handle_t *)&sibling->end, NULL);
	sibling->watched = false;
	link_close(&sibling->link);
	cleanup_fd_(&sibling->engine_end);
	sibling->introduced = sibling->settled = false;
	sibling->ping = sibling->site = 0;
	sibling->released = now_ms();
	uv_timer_stop(&sibling->timer);
}

uint64_t sibling_delay(uint64_t again[SIBLING_STARTS_MAX], uint64_t now)
{
	for (size_t i = 0; i < SIBLING_STARTS_MAX; i++) {
		if (again[i] && now - again[i] < SIBLING_WINDOW_MS)
			continue;
		again[i] = now;
		return AGAIN_MS;
	}
	memset(again, 0, SIBLING_STARTS_MAX * sizeof(*again));
	return SIBLING_WINDOW_MS;
}

static void describe_end(int status, char how[64])
{
	if (WIFSIGNALED(status))
		snprintf(how, 64, "signal %d", WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		snprintf(how, 64, "status 127: it could not be run");
	else
		snprintf(how, 64, "status %d", WEXITSTATUS(status));
}

/* While the daemon starts, the start fails; while it ends, this was awaited. */
static void on_lost(struct sibling *sibling, const char *how)
{
	struct warden *warden = sibling->warden;
	bool known = sibling->introduced;
	char what[160];

	release(sibling);
	snprintf(what, sizeof(what), "%s: %s", name_of(sibling), how);
	if (warden->phase == WARDEN_STARTING) {
		stop_lost(warden, what, 0);
		return;
	}
	if (warden->phase != WARDEN_READY)
		return;
	if (known)
		tell_engine(sibling, NULL);
	record(sibling, sibling->wanted ? how : "the policy no longer wants it");
	if (!sibling->wanted) {
		log_info("%s has left: the policy no longer wants it", name_of(sibling));
		return;
	}
	log_warn("lost %s", what);
	start_later(sibling);
	if (sibling->kind == SIBLING_HTTP)
		reload_lost_http(warden, what);
}

static void on_end(uv_poll_t *poll, int status, int events)
{
	struct sibling *sibling = poll->data;
	char how[64] = "status unknown";
	int code;

	(void)status;
	(void)events;
	if (child_reap(&sibling->child, &code) == 0)
		describe_end(code, how);
	else
		child_end(&sibling->child, 0);
	on_lost(sibling, how);
}

/* One that hangs is as lost as one that ended. */
static void on_look(uv_timer_t *timer)
{
	struct sibling *sibling = timer->data;
	struct message message;

	if (sibling->ping || !sibling->wanted) {
		if (sibling->wanted)
			log_error(
			    "%s: no sign of life within %d s", name_of(sibling), LOOK_MS / 1000);
		give_up(sibling);
		return;
	}
	message_init(&message, MESSAGE_PING);
	if (link_send(&sibling->link, &message) == 0)
		sibling->ping = message.serial;
}

static int watch(struct sibling *sibling)
{
	int fault = uv_poll_init(&sibling->warden->loop, &sibling->end, sibling->child.pidfd);

	if (fault)
		return fault;
	sibling->watched = true;
	sibling->end.data = sibling;
	fault = uv_poll_start(&sibling->end, UV_READABLE, on_end);
	return fault ? fault : uv_timer_start(&sibling->timer, on_look, LOOK_MS, LOOK_MS);
}

/* Its two pairs; ours[]: end for engine, end for us; theirs[] the same. */
static int make_links(int ours[2], int theirs[2])
{
	for (int i = 0; i < 2; i++) {
		int pair[2];
		int fault = fd_pair(pair);

		if (fault)
			return fault;
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	return 0;
}

static int ask_nursery(struct sibling *sibling, const int theirs[2], struct err_note *note)
{
	struct warden *warden = sibling->warden;
	const struct policy *policy = warden->siblings.site->config->policy;
	const int http_fds[] = {theirs[0], warden->http_listener.fd, theirs[1]};
	const struct nursery_order order = {
	    .program = sibling->program,
	    .fds = sibling->kind == SIBLING_HTTP ? http_fds : theirs,
	    .level = logger_level(policy),
	    .format = logger_format(policy),
	};

	return nursery_ask(&warden->nursery, &order, &sibling->child, note);
}

/* On a fault nothing of it is left. */
static int start_now(struct sibling *sibling, struct err_note *note)
{
	struct warden *warden = sibling->warden;
	int ours[2] = {-1, -1}, theirs[2] = {-1, -1};
	int fault = make_links(ours, theirs);

	if (fault)
		(void)err_note_errno(note, err_note(note, fault, "%s", name_of(sibling)));
	else
		fault = ask_nursery(sibling, theirs, note);
	if (!fault)
		fault = link_open(&sibling->link, &warden->loop, take_fd(&ours[1]),
		    name_of(sibling), on_message, sibling);
	if (!fault)
		fault = watch(sibling);
	if (!fault)
		fault = send_settings(sibling, warden->siblings.site);
	sibling->engine_end = take_fd(&ours[0]);
	cleanup_fd_(&ours[1]);
	cleanup_fd_(&theirs[0]);
	cleanup_fd_(&theirs[1]);
	if (!fault) {
		sibling->started = now_ms();
		record(sibling, NULL);
		return 0;
	}
	if (!note->text[0])
		(void)err_note_errno(note, err_note(note, fault, "%s", name_of(sibling)));
	release(sibling);
	child_end(&sibling->child, 0);
	return fault;
}

static void on_time_to_start(uv_timer_t *timer)
{
	struct sibling *sibling = timer->data;
	struct warden *warden = sibling->warden;
	struct err_note note = {""};

	if (warden->phase != WARDEN_READY || !sibling->wanted || is_alive(sibling))
		return;
	if (start_now(sibling, &note)) {
		log_error("%s", note.text);
		record(sibling, note.text);
		start_later(sibling);
		return;
	}
	log_info("%s was started again", name_of(sibling));
	if (sibling->kind == SIBLING_COURIER)
		introduce(sibling);
}

static void start_later(struct sibling *sibling)
{
	uint64_t now = now_ms();
	uint64_t delay = sibling_delay(sibling->again, now);

	if (sibling->started && now - sibling->started >= SIBLING_WINDOW_MS)
		sibling->complained = false; /* it did stay */
	if (delay > AGAIN_MS && !sibling->complained) {
		log_error("%s was lost %d times within a minute: the daemon goes on without it and "
			  "tries once a minute; look above for why",
		    name_of(sibling), SIBLING_STARTS_MAX + 1);
		sibling->complained = true;
	}
	(void)uv_timer_start(&sibling->timer, on_time_to_start, delay, 0);
}

/* ---- what the warden asks for ---------------------------------------------------------------- */

static void init(struct warden *warden, struct sibling *sibling)
{
	sibling->warden = warden;
	sibling->child = (struct child){.pidfd = -1};
	sibling->engine_end = -1;
	(void)uv_timer_init(&warden->loop, &sibling->timer); /* cannot fail */
	sibling->timer.data = sibling;
	uv_unref((uv_handle_t *)&sibling->timer);
}

void siblings_init(struct warden *warden)
{
	struct siblings *siblings = &warden->siblings;

	siblings->http = (struct sibling){.kind = SIBLING_HTTP, .program = NURSERY_HTTP};
	siblings->courier = (struct sibling){.kind = SIBLING_COURIER, .program = NURSERY_COURIER};
	init(warden, &siblings->http);
	init(warden, &siblings->courier);
}

static bool wants_courier(const struct policy *policy)
{
	const char *jwks = policy->http.auth.jwks_url;

	return policy->channel_count > 0 || (policy->http.auth.enabled && jwks && jwks[0]);
}

/* One that is not running and not waited for is started; one that runs is told what is new. */
static int offer(struct sibling *sibling, struct err_note *note)
{
	struct warden *warden = sibling->warden;
	bool before = sibling->wanted;
	int fault = 0;

	sibling->wanted = true;
	if (is_alive(sibling) && before)
		fault = send_settings(sibling, warden->siblings.site);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s", name_of(sibling)));
	/* One that is about to leave is lost then, and started again. */
	if (before || is_alive(sibling))
		return 0;
	if (sibling->released && now_ms() - sibling->released < AGAIN_MS) {
		(void)uv_timer_start(&sibling->timer, on_time_to_start, AGAIN_MS, 0);
		return 0;
	}
	fault = start_now(sibling, note);
	if (fault && warden->phase == WARDEN_READY)
		start_later(sibling);
	return fault;
}

/* Engine first: it asks no more. */
static void leave(struct sibling *sibling)
{
	struct message drain;

	sibling->wanted = false;
	uv_timer_stop(&sibling->timer);
	if (!is_alive(sibling))
		return;
	if (sibling->introduced)
		tell_engine(sibling, NULL);
	sibling->introduced = false;
	cleanup_fd_(&sibling->engine_end);
	message_init(&drain, MESSAGE_DRAIN);
	drain.u.drain.cause = "the policy no longer wants it";
	(void)link_send(&sibling->link, &drain); /* deaf: it is ended at the next look */
	(void)uv_timer_start(&sibling->timer, on_look, LEAVE_MS, LOOK_MS);
}

int siblings_offer(
    struct warden *warden, const struct site *site, uint64_t *ret_serial, struct err_note *note)
{
	struct siblings *siblings = &warden->siblings;
	const struct policy *policy = site->config->policy;
	int fault;

	siblings->site = site;
	*ret_serial = 0;
	fault = wants_courier(policy) ? offer(&siblings->courier, note) : 0;
	if (!fault && http_serves(&policy->http))
		fault = offer(&siblings->http, note);
	if (!fault && is_alive(&siblings->http))
		*ret_serial = siblings->http.site;
	return fault;
}

void siblings_settle(struct warden *warden)
{
	struct siblings *siblings = &warden->siblings;

	introduce(&siblings->courier);
	if (siblings->courier.wanted && !wants_courier(siblings->site->config->policy))
		leave(&siblings->courier);
}

static void tell(struct sibling *sibling, const struct message *message)
{
	struct message copy = *message;

	if (is_alive(sibling))
		(void)link_send(&sibling->link, &copy); /* a lost one is seen by its pidfd */
}

void siblings_tell_logger(struct warden *warden, const struct message *logger)
{
	tell(&warden->siblings.http, logger);
	tell(&warden->siblings.courier, logger);
}

static void end(struct sibling *sibling, uint32_t wait_ms)
{
	struct message drain;

	if (!sibling->warden)
		return; /* the start did not come that far */
	sibling->wanted = false;
	message_init(&drain, MESSAGE_DRAIN);
	drain.u.drain.cause = "the daemon is stopping";
	if (wait_ms)
		tell(sibling, &drain);
	if (sibling->watched)
		uv_poll_stop(&sibling->end); /* before its pidfd goes */
	child_end(&sibling->child, wait_ms);
	release(sibling);
}

void siblings_end_http(struct warden *warden, uint32_t wait_ms)
{
	end(&warden->siblings.http, wait_ms);
}

void siblings_end_courier(struct warden *warden, uint32_t wait_ms)
{
	end(&warden->siblings.courier, wait_ms);
}
