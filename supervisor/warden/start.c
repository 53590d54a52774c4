/*
 * The start, in order. Each row says why it stands where it stands; a row that fails is the end
 * of the daemon, and no call was ever taken.
 */
#include "supervisor/warden/warden.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/evidence/note.h"
#include "supervisor/warden/listen_http.h"
#include "supervisor/warden/logger.h"
#include "supervisor/warden/notify.h"
#include "supervisor/warden/overlays_try.h"
#include "supervisor/warden/trail.h"
#include "sandbox/self.h"

#define ANSWER_MS 30000 /* for a role's answer at start: recovery of a journal takes time */

/* ---- small steps ----------------------------------------------------------------------------- */

static int look_at_self(struct warden *warden, struct err_note *note)
{
	const struct passwd *entry = getpwuid(geteuid());
	struct rlimit files;
	int fault = check_process(note);

	if (fault)
		return fault;
	umask(022); /* known, and inherited by the cells; what is private is made so by its mode */
	if (geteuid() == 0 && getgroups(0, NULL) > 0 && setgroups(0, NULL) < 0)
		return err_note_errno(note, err_note(note, -errno, "setgroups"));
	/* Opened programs are many. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files); /* less is enough for a small policy */
	}
	child_user_find(&warden->user);
	snprintf(warden->user_name, sizeof(warden->user_name), "%s",
	    entry && !warden->user.root ? entry->pw_name : "callgate");
	warden->notify = notify_open();
	fault = self_seal();
	if (!fault)
		fault = self_refuse_rings(); /* before the loop, which would make one */
	if (!fault)
		fault = uv_loop_init(&warden->loop);
	if (!fault)
		fault = uv_timer_init(&warden->loop, &warden->patience);
	warden->patience.data = warden;
	return fault;
}

static void on_patience_over(uv_timer_t *timer)
{
	struct warden *warden = timer->data;

	warden->impatient = 1;
}

void warden_be_patient(struct warden *warden, uint64_t ms)
{
	warden->impatient = 0;
	uv_timer_start(&warden->patience, on_patience_over, ms, 0);
}

static int take_state(struct warden *warden, struct err_note *note)
{
	return state_open(&warden->state, warden->options.state, warden->user.uid, note);
}

int warden_read_policy(struct warden *warden, struct err_note *note)
{
	struct config_child child;
	struct pollfd end = {.events = POLLIN};
	const struct config_request request = {
	    .file = warden->options.config, .overrides = &warden->options.overrides};
	int fault = config_start(&request, &warden->user, &child, note);

	if (fault)
		return fault;
	end.fd = child.child.pidfd;
	if (poll(&end, 1, CONFIG_DEADLINE_MS) != 1) {
		config_abort(&child);
		return err_note(note, -ETIMEDOUT, "%s: callgate-policy took longer than %d s",
		    warden->options.config, CONFIG_DEADLINE_MS / 1000);
	}
	return config_finish(&child, &warden->config, &warden->warnings, note);
}

static int set_log(struct warden *warden, struct err_note *note)
{
	(void)note;
	log_init(
	    "warden", logger_level(warden->config->policy), logger_format(warden->config->policy));
	return 0;
}

/* The journal's directory as the policy wants it; "": the usual one. */
static int journal_wish(const struct config *config, char ret[PATHS_MAX], struct err_note *note)
{
	const char *wish = config->policy->audit_directory;

	ret[0] = '\0';
	if (wish[0] && paths_join(ret, config->folder, wish))
		return err_note(note, -ENAMETOOLONG,
		    "%s:%u:%u: audit.directory: the path is too long", config->file,
		    config->policy->audit_pos.line, config->policy->audit_pos.column);
	return 0;
}

static int open_journal(struct warden *warden, struct err_note *note)
{
	char wish[PATHS_MAX];
	int fault = journal_wish(warden->config, wish, note);

	if (!fault)
		fault = state_open_journal(&warden->state, wish, note);
	if (!fault && warden->user.service)
		fault = state_give(&warden->state, warden->user.gid, note);
	return fault;
}

static int find_socket(struct warden *warden, struct err_note *note)
{
	const struct config *config = warden->config;
	int fault = listen_path(config->policy, config->folder, warden->socket, note);

	return fault ? fault : listen_check(config->policy, warden->socket, note);
}

static int check_places(struct warden *warden, struct err_note *note)
{
	const struct check_places places = {
	    .state = warden->state.path,
	    .journal = warden->state.journal,
	    .socket = warden->socket,
	    .site = warden->site,
	    .root = warden->user.root,
	};

	return check_policy(warden->config, &places, note);
}

static int open_socket(struct warden *warden, struct err_note *note)
{
	const struct config *config = warden->config;
	int fault = listen_open(config->policy, warden->socket, &warden->listener, note);

	return fault
		   ? fault
		   : listen_http_open(config->policy, config->folder, &warden->http_listener, note);
}

static int start_nursery(struct warden *warden, struct err_note *note)
{
	return nursery_start(&warden->nursery, &warden->user, note);
}

int start_watch(struct warden *warden, int i, struct child *child, int pidfd)
{
	struct watched *watched = &warden->watched[i];
	int fault = uv_poll_init(&warden->loop, &watched->poll, pidfd);

	if (fault)
		return fault;
	watched->active = 1;
	watched->child = child;
	watched->poll.data = warden;
	return uv_poll_start(&watched->poll, UV_READABLE, on_child_end);
}

static int start_roles(struct warden *warden, struct err_note *note)
{
	struct children *children = &warden->children;
	const struct children_spec spec = {
	    .listener = warden->listener.fd,
	    .store = warden->state.store,
	    .level = logger_level(warden->config->policy),
	    .format = logger_format(warden->config->policy),
	    .user = &warden->user,
	};
	int fault = children_start(&spec, children, note);

	if (fault)
		return fault;
	fault = link_open(&warden->auditor, &warden->loop, take_fd(&children->auditor_link),
	    "auditor", on_auditor, warden);
	if (!fault)
		fault = link_open(&warden->engine, &warden->loop, take_fd(&children->engine_link),
		    "engine", on_engine, warden);
	if (!fault)
		fault = start_watch(warden, 0, &children->auditor, children->auditor.pidfd);
	if (!fault)
		fault = start_watch(warden, 1, &children->engine, children->engine.pidfd);
	if (!fault)
		fault = start_watch(warden, 2, &children->front, children->front.pidfd);
	if (!fault)
		fault = start_watch(warden, 4, &warden->nursery.child, warden->nursery.child.pidfd);
	return fault ? err_note(note, fault, "links: %s", uv_strerror(fault)) : 0;
}

static int take_signals(struct warden *warden, struct err_note *note)
{
	sigset_t ours;
	int fault;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &ours, NULL) < 0)
		return err_note_errno(note, err_note(note, -errno, "signals"));
	warden->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	if (warden->signals < 0)
		return err_note_errno(note, err_note(note, -errno, "signals"));
	fault = uv_poll_init(&warden->loop, &warden->signal_poll, warden->signals);
	warden->signal_poll.data = warden;
	if (!fault)
		fault = uv_poll_start(&warden->signal_poll, UV_READABLE, on_signal);
	return fault ? err_note(note, fault, "signals: %s", uv_strerror(fault)) : 0;
}

static int make_keys(struct warden *warden, struct err_note *note)
{
	struct launcher *launcher = &warden->launcher;
	int fault = key_random(launcher->receipt_key, KEY_LEN);

	if (!fault)
		fault = key_random(warden->planner.env_key, KEY_LEN);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "random keys"));
	launcher->engine = &warden->engine;
	launcher->auditor = &warden->auditor;
	launcher->pool = &warden->pool;
	launcher->host = &warden->host;
	launcher->planner = &warden->planner;
	warden->planner.hashes = &warden->hashes;
	return 0;
}

/* ---- questions to the roles ------------------------------------------------------------------ */

int warden_await(struct warden *warden, const char *what, struct err_note *note)
{
	struct awaited *awaited = &warden->awaited;

	warden_be_patient(warden, ANSWER_MS);
	while (!awaited->done && !warden->impatient && !warden->lost.text[0])
		uv_run(&warden->loop, UV_RUN_ONCE);
	uv_timer_stop(&warden->patience);
	awaited->serial = 0;
	if (warden->lost.text[0])
		return err_note(note, -EPIPE, "%s", warden->lost.text);
	if (!awaited->done)
		return err_note(
		    note, -ETIMEDOUT, "%s: no answer within %d s", what, ANSWER_MS / 1000);
	if (awaited->status != ANSWER_OK)
		return err_note(note, -EPERM, "%s: %s", what, awaited->note.text);
	return 0;
}

/* A gate's name in its checkpoints: given once, at the journal's first line. */
static void make_origin(char origin[NOTE_ORIGIN_MAX])
{
	char host[65] = "localhost";

	(void)gethostname(host, sizeof(host) - 1); /* else the default */
	for (char *at = host; *at; at++)
		if (!strchr(
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *at))
			*at = '-';
	snprintf(origin, NOTE_ORIGIN_MAX, "%s/callgate", host[0] ? host : "localhost");
}

static int open_audit(struct warden *warden, struct err_note *note)
{
	char origin[NOTE_ORIGIN_MAX];
	struct message message;
	int fault;

	make_origin(origin);
	message_init(&message, MESSAGE_AUDIT_OPEN);
	message.u.audit_open.origin = origin;
	message.u.audit_open.journal = warden->state.journal;
	memcpy(message.u.audit_open.receipt_key, warden->launcher.receipt_key, KEY_LEN);
	message.fds[0] = warden->state.audit;
	message.fds[1] = warden->state.keys;
	message.fd_count = 2;
	fault = link_send(&warden->auditor, &message);
	key_wipe(message.u.audit_open.receipt_key, KEY_LEN);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "audit"));
	warden->awaited = (struct awaited){.serial = message.serial};
	return warden_await(warden, "audit", note);
}

static int pin_key(struct warden *warden, struct err_note *note)
{
	return state_pin(&warden->state, warden->vkey, note);
}

static int build_tools(struct warden *warden, struct err_note *note)
{
	const struct tools_spec spec = {
	    .host = &warden->host,
	    .user = warden->user_name,
	    .hashes = &warden->hashes,
	    .warnings = &warden->warnings,
	    .holdings = &warden->holdings,
	};
	int fault = tools_build(warden->config, &spec, &warden->tools, note);

	if (fault)
		return fault;
	warden->config = NULL; /* the tools' now */
	warden->planner.tools = warden->tools;
	if (warden->launcher.pool) { /* not for --check, which knows nothing of control groups */
		check_walls(warden->tools, &warden->host,
		    warden->cgroup.kind == CGROUP_NONE ? LAYER_BIT(CGROUP) : 0, &warden->warnings);
		overlays_try(warden->tools, true, &warden->warnings);
	}
	warden_log_warnings(&warden->warnings);
	return 0;
}

static int record_load(struct warden *warden, struct err_note *note)
{
	warden->awaited = (struct awaited){.serial = 0};
	if (trail_policy_load(&warden->auditor, warden->tools->config, &warden->awaited.serial))
		return err_note(note, -EPIPE, "audit: the policy's load cannot be recorded");
	return warden_await(warden, "audit", note);
}

static int give_policy(struct warden *warden, struct err_note *note)
{
	int fault = warden_send_policy(warden, warden->tools->config, note);

	if (!fault)
		overlays_begin(&warden->overlays, warden->tools);
	return fault ? fault : warden_await(warden, "engine", note);
}

static int confine(struct warden *warden, struct err_note *note)
{
	(void)warden;
	return self_confine(SELF_WARDEN, NULL, note);
}

/* Who hands a socket over has bound it where he likes, whatever the policy says. */
static void name_socket(const struct warden *warden, char ret[LISTEN_NAME_MAX])
{
	char bound[LISTEN_NAME_MAX];

	listen_http_name(&warden->listener, bound);
	if (!warden->listener.handed_over)
		(void)snprintf(ret, LISTEN_NAME_MAX, "%s", warden->socket);
	else
		(void)snprintf(ret, LISTEN_NAME_MAX, "%.4000s (handed over)",
		    bound[0] ? bound : "a socket without a path");
}

static int tell_ready(struct warden *warden, struct err_note *note)
{
	char version[DIGEST_HEX_MAX], http[LISTEN_NAME_MAX], rpc[LISTEN_NAME_MAX];
	const struct log_field fields[] = {
	    {.key = LOG_KEY_POLICY, .text = digest_hex(version, &warden->tools->config->version)}};
	const struct log_facts facts = {LOG_EVENT_START, fields, 1};

	(void)note;
	if (warden->phase != WARDEN_READY)
		return 0; /* asked to stop already, and that was said */
	notify_ready(warden->notify, "taking calls");
	name_socket(warden, rpc);
	if (warden->http_listener.fd >= 0) {
		listen_http_name(&warden->http_listener, http);
		log_event(LOG_LEVEL_INFO, &facts, "ready on %s, HTTP on %s", rpc, http);
	} else {
		log_event(LOG_LEVEL_INFO, &facts, "ready on %s", rpc);
	}
	return alive_start(warden);
}

/* ---- the order ------------------------------------------------------------------------------- */

struct step {
	int (*run)(struct warden *warden, struct err_note *note);
	const char *name; /* for a fault without words */
};

static const struct step steps[] = {
    /* Everything below trusts descriptors 0 to 2, the umask and who we are. */
    {look_at_self, "process"},
    /* One daemon at a time, before anything is touched that another one may be using. */
    {take_state, "state"},
    /* The process that may start programs later: it knows nothing, since nothing is known yet, and
     * is in no user namespace of ours, so that what it starts is not either. */
    {start_nursery, "nursery"},
    /* Needs no privilege; what it says decides every later step. */
    {warden_read_policy, "policy"},
    {set_log, "log"},
    {open_journal, "journal"},
    {find_socket, "socket"},
    {start_find_port, "HTTP"},
    {start_read_site, "HTTP"},
    {start_find_secrets, "secrets"},
    /* Refuse while nothing runs and nobody can connect. */
    {check_places, "places"},
    {open_socket, "socket"},
    /* Roles exec now: exec'd inside a user namespace of ours they would be ptraceable by the
	 * whole uid, and SO_PEERCRED would be translated. */
    {start_roles, "roles"},
    /* With the roles there, so that a delegated subtree can be emptied of all of us. */
    {start_find_cgroups, "control groups"},
    {start_set_up_cells, "sandbox"},
    /* The zygote forks from us: before any key is in our memory and before our filter. */
    {start_zygote, "zygote"},
    /* Like the zygote, and for the same reasons. */
    {start_keeper, "keeper"},
    /* Blocked signals and ignored SIGPIPE are inherited: not by the zygote. */
    {take_signals, "signals"},
    {make_keys, "keys"},
    {open_audit, "audit"},
    {pin_key, "pin"},
    /* In our own mount namespace: directories opened before could not be mounted in cells. */
    {build_tools, "tools"},
    /* The trail knows which policy was in force before any call is judged by it. */
    {record_load, "audit"},
    {start_prepare_first_cell, "sandbox"},
    /* Everything that needed more is open. */
    {confine, "confinement"},
    /* Before engine has a policy: it may want to fetch at once. */
    {start_siblings, "HTTP"},
    /* Last, since engine serves from here on: clients may be waiting at the socket already. */
    {give_policy, "engine"},
    {start_introduce, "engine"},
    {tell_ready, "ready"},
};

static int run_steps(
    struct warden *warden, const struct step *list, size_t count, struct err_note *note)
{
	for (size_t i = 0; i < count; i++) {
		int fault = list[i].run(warden, note);

		if (fault && !note->text[0])
			(void)err_note_errno(note, err_note(note, fault, "%s", list[i].name));
		if (fault)
			return fault;
	}
	return 0;
}

int warden_start(struct warden *warden, struct err_note *note)
{
	return run_steps(warden, steps, sizeof(steps) / sizeof(*steps), note);
}

/* ---- --check --------------------------------------------------------------------------------- */

/* Nothing is created and no lock is taken: a running daemon is not disturbed. */
static int guess_places(struct warden *warden, struct err_note *note)
{
	char wish[PATHS_MAX], here[PATHS_MAX];
	int fault;

	cell_look(&warden->host); /* after look_at_self(), whose filter it knows of */
	fault = journal_wish(warden->config, wish, note);

	if (fault)
		return fault;
	if (!warden->options.state)
		fault = paths_state(warden->state.path);
	else if (!getcwd(here, sizeof(here)))
		fault = -errno;
	else
		fault = paths_join(warden->state.path, here, warden->options.state);
	if (!fault)
		fault = wish[0] ? paths_join(warden->state.journal, "/", wish)
				: paths_join(warden->state.journal, warden->state.path, "audit");
	return fault;
}

/* Said, and no more: a policy is good or not wherever it is looked at. */
static int try_sandbox(struct warden *warden, struct err_note *note)
{
	struct err_note why = {""};

	(void)note;
	if (cell_try(&why) < 0)
		(void)buf_textf(&warden->warnings, "here no call can run: %s\n", why.text);
	else
		overlays_try(warden->tools, false, &warden->warnings);
	check_walls(warden->tools, &warden->host, 0, &warden->warnings);
	return 0;
}

int warden_check(struct warden *warden, struct err_note *note)
{
	static const struct step list[] = {
	    {look_at_self, "process"},
	    {warden_read_policy, "policy"},
	    {guess_places, "state"},
	    {find_socket, "socket"},
	    {start_find_port, "HTTP"},
	    {start_read_site, "HTTP"},
	    {start_find_secrets, "secrets"},
	    {check_places, "places"},
	    {build_tools, "tools"},
	    {try_sandbox, "sandbox"},
	};

	return run_steps(warden, list, sizeof(list) / sizeof(*list), note);
}
