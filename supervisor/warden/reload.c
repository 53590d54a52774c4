/*
 * A reload: the child reads the file again, the new tables are built beside the old ones, a tool
 * a turn of the loop, the load is recorded, engine takes the policy, and only then the tables are
 * swapped. Any fault on the way leaves the old policy in force, is recorded and told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/warden/logger.h"
#include "supervisor/warden/notify.h"
#include "supervisor/warden/secrets.h"
#include "supervisor/warden/trail.h"
#include "supervisor/warden/warden.h"

enum reload_stage {
	RELOAD_READING = 0, /* the child runs */
	RELOAD_BUILDING,    /* a tool a turn of the loop, so that calls go on */
	RELOAD_SERVING,     /* the HTTP front looks at its settings */
	RELOAD_RECORDING,   /* policy.load is on its way to the disk */
	RELOAD_OFFERED,     /* engine has it */
};

struct reload {
	struct warden *warden;
	enum reload_stage stage;
	uint64_t control; /* serial to answer; 0: nobody asked by message */
	struct config_child child;
	uv_timer_t timer; /* always there, as is turn: whose closing frees the memory */
	uv_idle_t turn;
	uv_poll_t end; /* of the child, while watched */
	bool watched;
	int handles;           /* not closed yet */
	struct config *config; /* until the work owns it */
	struct tools_work *work;
	struct tools *tools;
	struct site *site; /* what the policy makes of HTTP; swapped with tools */
	bool offered;      /* siblings have it */
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct reload *reload = handle->data;

	if (--reload->handles > 0)
		return;
	site_free(reload->site);
	tools_end(reload->work);
	tools_free(reload->tools);
	config_free(reload->config);
	free(reload);
}

static void stop_watching(struct reload *reload)
{
	if (!reload->watched)
		return;
	reload->watched = false;
	uv_close((uv_handle_t *)&reload->end, on_handle_closed);
	uv_timer_stop(&reload->timer);
}

/* The last step of every reload; the memory goes when its handles are closed. */
static void finish(struct reload *reload, const char *status)
{
	reload->warden->reload = NULL;
	stop_watching(reload);
	uv_close((uv_handle_t *)&reload->timer, on_handle_closed);
	uv_close((uv_handle_t *)&reload->turn, on_handle_closed);
	if (reload->warden->phase == WARDEN_READY)
		notify_ready(reload->warden->notify, status);
}

void warden_answer_control(
    struct warden *warden, uint64_t serial, enum answer_status status, const char *note)
{
	struct message message;
	int fault;

	if (!serial || studio_reloaded(warden, serial, status, note))
		return;
	message_init(&message, MESSAGE_CONTROLLED);
	message.serial = serial;
	message.u.controlled.status = (uint16_t)status;
	message.u.controlled.version = warden->tools->config->version;
	message.u.controlled.note = note;
	fault = link_send(&warden->engine, &message);
	if (fault)
		stop_lost(warden, "callgate-engine", fault);
}

/* Who was told of the new settings hears of the old ones again. */
static void give_back(struct reload *reload)
{
	struct err_note note = {""};
	uint64_t serial; /* it took them before */

	if (!reload->offered)
		return;
	reload->offered = false;
	if (siblings_offer(reload->warden, reload->warden->site, &serial, &note))
		log_error("the old settings: %s", note.text);
	siblings_settle(reload->warden);
}

static void refuse(struct reload *reload, const char *why)
{
	struct warden *warden = reload->warden;
	uint64_t serial; /* its RECORDED is only looked at when it says no */
	const struct log_field fields[] = {{.key = LOG_KEY_CAUSE, .text = why}};
	const struct log_facts facts = {LOG_EVENT_RELOAD_REFUSED, fields, 1};

	give_back(reload);
	log_event(
	    LOG_LEVEL_ERROR, &facts, "reload refused, the old policy stays in force: %s", why);
	if (trail_policy_refused(&warden->auditor, warden->options.config, why, &serial))
		stop_lost(warden, "callgate-auditor", -EPIPE);
	warden_answer_control(warden, reload->control, ANSWER_REFUSED, why);
	finish(reload, "taking calls; the last reload was refused, the old policy is in force");
}

static bool differ(const char *old, const char *new)
{
	return strcmp(old ? old : "", new ? new : "") != 0;
}

/* The sockets are there since the start: a policy that wants others would not get them. */
static int refuse_moved(const struct policy *old, const struct policy *new, struct err_note *note)
{
	struct policy_pos pos = new->http.port_pos;
	const char *what = NULL;

	if (old->http.port != new->http.port || differ(old->http.listen, new->http.listen))
		what = "server.listen or server.port";
	if (differ(old->socket_path, new->socket_path) || old->socket_mode != new->socket_mode ||
	    differ(old->socket_group, new->socket_group)) {
		what = "server.socket";
		pos = new->socket_pos;
	}
	if (!what)
		return 0;
	return err_note(note, -EINVAL,
	    "%s:%u:%u: %s changed: the sockets are made at the start; restart the daemon, or write "
	    "it as it was",
	    new->file, pos.line, pos.column, what);
}

/* What only a start can change. */
static void warn_about_fixed(const struct policy *old, const struct policy *new)
{
	if (strcmp(old->audit_directory, new->audit_directory))
		log_warn(
		    "%s: audit.directory changed; it takes effect at the next start", new->file);
}

/* A load takes longer than a call may: no deadline waits for it. */
static void breathe(void *arg)
{
	struct warden *warden = arg;

	launch_look_at_clock(&warden->launcher);
}

struct tools_spec reload_tools_spec(struct warden *warden)
{
	return (struct tools_spec){
	    .host = &warden->host,
	    .user = warden->user_name,
	    .hashes = &warden->hashes,
	    .warnings = &warden->warnings,
	    .holdings = &warden->holdings,
	    .breathe = breathe,
	    .arg = warden,
	};
}

int reload_judge(struct warden *warden, const struct config *config, struct site **ret_site,
    struct err_note *note)
{
	struct secrets secrets = {.items = NULL};
	struct check_places places = {
	    .state = warden->state.path,
	    .journal = warden->state.journal,
	    .socket = warden->socket,
	    .root = warden->user.root,
	};
	int fault = refuse_moved(warden->tools->config->policy, config->policy, note);

	if (!fault)
		fault = secrets_find(config, &secrets, note); /* again when they are sent */
	secrets_fini(&secrets);
	if (!fault)
		fault = site_read(config, &warden->nursery, ret_site, note);
	if (fault)
		return fault;
	places.site = *ret_site;
	return check_policy(config, &places, note);
}

/* Judges what the child has read, and gets ready to build. */
static int take_policy(struct reload *reload, struct err_note *note)
{
	struct warden *warden = reload->warden;
	const struct tools_spec spec = reload_tools_spec(warden);
	int fault = config_finish(&reload->child, &reload->config, &warden->warnings, note);

	if (!fault)
		fault = reload_judge(warden, reload->config, &reload->site, note);
	if (!fault)
		fault = tools_begin(reload->config, &spec, &reload->work, note);
	if (!fault)
		reload->config = NULL;
	return fault;
}

static void record(struct reload *reload)
{
	struct warden *warden = reload->warden;

	warden->awaited = (struct awaited){.serial = 0};
	reload->stage = RELOAD_RECORDING;
	if (trail_policy_load(&warden->auditor, reload->tools->config, &warden->awaited.serial))
		stop_lost(warden, "callgate-auditor", -EPIPE);
}

/* A certificate that does not fit its key, or a network that is none, is found by who serves. */
static void offer_site(struct reload *reload)
{
	struct warden *warden = reload->warden;
	struct err_note note = {""};
	uint64_t serial;

	reload->tools = tools_take(reload->work);
	tools_end(take_ptr(reload->work));
	warden_log_warnings(&warden->warnings);
	reload->offered = true;
	if (siblings_offer(warden, reload->site, &serial, &note)) {
		refuse(reload, note.text);
		return;
	}
	if (!serial) {
		record(reload);
		return;
	}
	warden->awaited = (struct awaited){.serial = serial};
	reload->stage = RELOAD_SERVING;
}

void reload_lost_http(struct warden *warden, const char *what)
{
	struct err_note note;

	if (!warden->reload || warden->reload->stage != RELOAD_SERVING)
		return;
	(void)err_note(&note, 0, "lost %s while it was given new settings; reload again", what);
	warden->awaited = (struct awaited){.serial = 0};
	refuse(warden->reload, note.text);
}

static void on_turn(uv_idle_t *turn)
{
	struct reload *reload = turn->data;
	struct err_note note = {""};
	int more = tools_step(reload->work, &note);

	if (more > 0)
		return;
	uv_idle_stop(turn);
	if (more < 0)
		refuse(reload, note.text);
	else
		offer_site(reload);
}

static void on_policy_read(uv_poll_t *poll, int status, int events)
{
	struct reload *reload = poll->data;
	struct err_note note = {""};

	(void)status;
	(void)events;
	stop_watching(reload); /* its pidfd is about to be closed */
	if (take_policy(reload, &note)) {
		refuse(reload, note.text);
		return;
	}
	reload->stage = RELOAD_BUILDING;
	uv_idle_start(&reload->turn, on_turn);
}

static void on_too_long(uv_timer_t *timer)
{
	struct reload *reload = timer->data;

	stop_watching(reload);
	config_abort(&reload->child);
	refuse(reload, "callgate-policy took too long");
}

/* Launches that wait hold plans of the old tables; those under way have copied what they need. */
static void swap(struct reload *reload)
{
	struct warden *warden = reload->warden;
	struct tools *old = warden->tools;
	struct site *old_site = warden->site;
	char version[DIGEST_HEX_MAX];

	launch_void_waiting(&warden->launcher);
	warn_about_fixed(old->config->policy, reload->tools->config->policy);
	warden->tools = reload->tools;
	warden->planner.tools = reload->tools;
	reload->tools = NULL;
	warden->site = take_ptr(reload->site);
	reload->offered = false;
	siblings_settle(warden);
	site_free(old_site); /* points into the old policy */
	tools_free(old);
	logger_change(warden, warden->tools->config->policy);
	log_event(LOG_LEVEL_INFO,
	    &(struct log_facts){
		LOG_EVENT_RELOAD, &(struct log_field){.key = LOG_KEY_POLICY, .text = version}, 1},
	    "policy reloaded, version sha256:%s",
	    digest_hex(version, &warden->tools->config->version));
	warden_answer_control(warden, reload->control, ANSWER_OK, "");
	finish(reload, "taking calls");
}

/* What the HTTP front says of the files is said with their place. */
static void refuse_site(struct reload *reload, const char *why)
{
	const struct config *config = reload->tools->config;
	const struct policy_pos pos = config->policy->http.tls.pos;
	struct err_note note;

	if (reload->site->files[SITE_KEY] >= 0)
		(void)err_note(
		    &note, 0, "%s:%u:%u: server.tls: %s", config->file, pos.line, pos.column, why);
	else
		(void)err_note(&note, 0, "%s: server: %s", config->file, why);
	refuse(reload, note.text);
}

void reload_answered(struct warden *warden)
{
	struct reload *reload = warden->reload;
	struct awaited answer = warden->awaited;
	struct err_note note = {""};

	warden->awaited = (struct awaited){.serial = 0};
	if (answer.status != ANSWER_OK && reload->stage == RELOAD_SERVING) {
		refuse_site(reload, answer.note.text);
		return;
	}
	if (answer.status != ANSWER_OK) {
		refuse(reload, answer.note.text);
		return;
	}
	switch (reload->stage) {
	case RELOAD_READING:
	case RELOAD_BUILDING: break;
	case RELOAD_SERVING: record(reload); break;
	case RELOAD_RECORDING:
		reload->stage = RELOAD_OFFERED;
		if (warden_send_policy(warden, reload->tools->config, &note))
			refuse(reload, note.text);
		break;
	case RELOAD_OFFERED: swap(reload); break;
	}
}

/* Sees the child's end, or that it takes too long. */
static int watch(struct reload *reload)
{
	int fault = uv_poll_init(&reload->warden->loop, &reload->end, reload->child.child.pidfd);

	if (fault)
		return fault;
	reload->handles++;
	reload->watched = true;
	reload->end.data = reload;
	fault = uv_poll_start(&reload->end, UV_READABLE, on_policy_read);
	return fault ? fault : uv_timer_start(&reload->timer, on_too_long, CONFIG_DEADLINE_MS, 0);
}

/* 0, or -errno with a note: nothing runs and nothing is watched then. */
static int start_child(struct reload *reload, struct err_note *note)
{
	struct warden *warden = reload->warden;
	const struct config_request request = {.file = warden->options.config,
	    .overrides = &warden->options.overrides,
	    .nursery = &warden->nursery};
	int fault = config_start(&request, &warden->user, &reload->child, note);

	if (fault)
		return fault;
	fault = watch(reload);
	if (!fault)
		return 0;
	stop_watching(reload);
	config_abort(&reload->child);
	return err_note(note, fault, "callgate-policy cannot be watched: %s", uv_strerror(fault));
}

void reload_begin(struct warden *warden, uint64_t control)
{
	struct reload *reload;
	struct err_note note = {""};

	if (warden->reload || warden->phase != WARDEN_READY) {
		log_warn("reload asked for while one is under way or the daemon ends; ask again");
		warden_answer_control(warden, control, ANSWER_UNAVAILABLE,
		    "a reload is under way already, or the daemon ends");
		return;
	}
	reload = calloc(1, sizeof(*reload));
	if (!reload) {
		stop_lost(warden, "memory", -ENOMEM);
		return;
	}
	reload->warden = warden;
	reload->control = control;
	warden->reload = reload;
	notify_reloading(warden->notify);
	uv_timer_init(&warden->loop, &reload->timer); /* cannot fail */
	uv_idle_init(&warden->loop, &reload->turn);
	reload->timer.data = reload->turn.data = reload;
	reload->handles = 2;
	if (start_child(reload, &note))
		refuse(reload, note.text);
}

void reload_abort(struct warden *warden)
{
	struct reload *reload = warden->reload;

	if (!reload)
		return;
	if (reload->stage == RELOAD_READING) {
		stop_watching(reload);
		config_abort(&reload->child);
	}
	warden->awaited = (struct awaited){.serial = 0};
	reload->offered = false; /* they end with the daemon, and reload->site with this */
	warden->siblings.site = warden->site;
	finish(reload, "");
}
