/*
 * callgated, the warden: starts the rest, plans what would run, and runs it in a cell when the
 * auditor's receipt says that the decision is durable. Parses no YAML, no JSON and no HTTP.
 *
 * This file: the command line, the dispatch tables, the ends of others, the loop.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/warden/warden.h"
#include "policy/remarks.h"

static struct warden warden;

static void tell_lost(const char *guess, int fault);

/* ---- engine ---------------------------------------------------------------------------------- */

static void answer_plan(const struct message *message)
{
	const struct plan_input *input = &message->u.plan.input;
	struct buf cleanup_with(buf_fini) text;
	struct plan plan = {.script = {.fd = -1}};
	struct err_note note = {""};
	struct message answer;
	struct message_planned *planned = &answer.u.planned;
	int result = plan_make(&warden.planner, input, &plan, &note);

	buf_init(&text, PLAN_TEXT_MAX);
	message_init(&answer, MESSAGE_PLANNED);
	answer.serial = message->serial;
	if (!result && plan_text(&text, input, &plan))
		result = err_note(&note, -EMSGSIZE, "the plan is too long to be shown");
	planned->note = note.text;
	planned->status = result < 0 ? ANSWER_UNAVAILABLE : result ? ANSWER_REFUSED : ANSWER_OK;
	if (!result) {
		planned->plan = plan.digest;
		planned->text = buf_cstr(&text);
		planned->program = plan.program.parts[0].path;
	}
	result = link_send(&warden.engine, &answer);
	if (result)
		stop_lost(&warden, "callgate-engine", result);
	plan_fini(&plan);
}

static void on_control(const struct message *message)
{
	static const char *const wishes[] = {
	    [CONTROL_RELOAD] = "a reload",
	    [CONTROL_SHUTDOWN] = "the end",
	    [CONTROL_CONFIG_READ] = "the policy",
	    [CONTROL_CONFIG_CHECK] = "a look at an edited policy",
	    [CONTROL_CONFIG_WRITE] = "an edited policy to be written",
	};
	uint16_t op = message->u.control.op;

	log_info("%s asks for %s", message->u.control.by,
	    op < sizeof(wishes) / sizeof(*wishes) && wishes[op] ? wishes[op] : "nothing known");
	switch ((enum control_op)message->u.control.op) {
	case CONTROL_RELOAD: reload_begin(&warden, message->serial); return;
	case CONTROL_SHUTDOWN:
		warden_answer_control(&warden, message->serial, ANSWER_OK, "");
		stop_begin(&warden, "asked for by a client");
		return;
	case CONTROL_CONFIG_READ:
	case CONTROL_CONFIG_CHECK:
	case CONTROL_CONFIG_WRITE: studio_begin(&warden, message); return;
	case CONTROL_NONE: break;
	}
	warden_answer_control(&warden, message->serial, ANSWER_REFUSED, "no such request");
}

void warden_take_answer(struct warden *self, uint64_t serial, uint16_t status, const char *note)
{
	struct awaited *awaited = &self->awaited;

	if (!awaited->serial || awaited->serial != serial) {
		if (status != ANSWER_OK)
			log_error("not recorded: %s", note);
		return;
	}
	awaited->done = 1;
	awaited->status = (enum answer_status)status;
	(void)err_note(&awaited->note, 0, "%s", note);
	if (self->reload)
		reload_answered(self);
}

static void take_answer(uint64_t serial, uint16_t status, const char *note)
{
	warden_take_answer(&warden, serial, status, note);
}

/* With its first policy engine serves: a PLAN may stand right behind this message. */
static void take_taken(const struct message_policy_taken *taken, uint64_t serial)
{
	if (warden.phase == WARDEN_STARTING && taken->status == ANSWER_OK)
		warden.phase = WARDEN_READY;
	take_answer(serial, taken->status, taken->note);
}

static int from_engine(struct message *message)
{
	/* Only what engine may say to the warden; everything else is a broken sibling. */
	if (message->type == MESSAGE_PLAN)
		answer_plan(message);
	else if (message->type == MESSAGE_LAUNCH)
		launch_ask(&warden.launcher, message);
	else if (message->type == MESSAGE_KILL)
		launch_kill(&warden.launcher, message->u.kill.call, message->u.kill.cause);
	else if (message->type == MESSAGE_POLICY_TAKEN)
		take_taken(&message->u.policy_taken, message->serial);
	else if (message->type == MESSAGE_EFFECTS)
		overlays_ask(&warden.overlays, message);
	else if (message->type == MESSAGE_CONTROL)
		on_control(message);
	else if (message->type == MESSAGE_PONG)
		alive_answered(&warden, &warden.engine, message->serial);
	else
		return -EBADMSG;
	return 0;
}

void on_engine(struct link *link, struct message *message, int fault)
{
	(void)link;
	/* Without a policy in force it has nothing to ask. */
	if (message && warden.phase == WARDEN_STARTING && message->type != MESSAGE_POLICY_TAKEN)
		fault = -EBADMSG;
	else if (message)
		fault = from_engine(message);
	if (message && fault)
		log_error(
		    "engine sent %s, which is not its to send now", message_name(message->type));
	if (!message && warden.phase == WARDEN_DRAINING)
		link_close(&warden.engine); /* it has finished; its pidfd says so */
	else if (fault)
		tell_lost("callgate-engine", fault);
}

/* ---- auditor --------------------------------------------------------------------------------- */

/* Answers come in the order of the log, so the newest is the largest. */
static void note_tree(uint64_t size, const struct digest *root)
{
	warden.audit_size = size;
	warden.audit_root = *root;
}

void on_auditor(struct link *link, struct message *message, int fault)
{
	(void)link;
	if (!message) {
		tell_lost("callgate-auditor", fault);
	} else if (message->type == MESSAGE_AUDIT_OPENED) {
		const struct message_audit_opened *opened = &message->u.audit_opened;

		snprintf(warden.vkey, sizeof(warden.vkey), "%s", opened->vkey);
		note_tree(opened->size, &opened->root);
		take_answer(message->serial, opened->status, opened->note);
	} else if (message->type == MESSAGE_RECORDED) {
		const struct message_recorded *recorded = &message->u.recorded;

		if (recorded->status == ANSWER_OK)
			note_tree(recorded->receipt.size, &recorded->receipt.root);
		if (!overlays_recorded(
			&warden.overlays, message->serial, recorded->status, recorded->note))
			take_answer(message->serial, recorded->status, recorded->note);
	} else if (message->type == MESSAGE_PONG) {
		alive_answered(&warden, &warden.auditor, message->serial);
	} else {
		tell_lost("callgate-auditor", -EBADMSG);
	}
}

/* ---- the ends of others ---------------------------------------------------------------------- */

/* Several roles end within a moment of each other: the one that died of a signal is the cause,
 * else the first of the order in which they depend on each other. */
static void tell_lost(const char *guess, int fault)
{
	struct child *children[] = {&warden.children.auditor, &warden.children.engine,
	    &warden.children.front, &warden.nursery.child};
	char how[64] = "";

	for (size_t i = 0; i < sizeof(children) / sizeof(*children); i++) {
		int status;

		if (children[i]->pid <= 0 || child_is_alive(children[i]))
			continue;
		warden_unwatch(&warden, children[i]);
		if (child_reap(children[i], &status))
			continue;
		if (WIFSIGNALED(status))
			snprintf(
			    how, sizeof(how), "%s: signal %d", children[i]->name, WTERMSIG(status));
		else if (!how[0])
			snprintf(how, sizeof(how), "%s: status %d", children[i]->name,
			    WEXITSTATUS(status));
		if (WIFSIGNALED(status))
			break;
	}
	stop_lost(&warden, how[0] ? how : guess, how[0] ? 0 : fault);
}

void on_child_end(uv_poll_t *poll, int status, int events)
{
	struct watched *watched = (struct watched *)((char *)poll - offsetof(struct watched, poll));
	struct child *child = watched->child;
	int how = 0;

	(void)status;
	(void)events;
	if (!child) {
		uv_poll_stop(poll);
		watched->active = 0;
		stop_lost(&warden,
		    watched == &warden.watched[WATCHED_KEEPER] ? "the keeper" : "the zygote", 0);
		return;
	}
	if (warden.phase != WARDEN_DRAINING || child == &warden.children.auditor) {
		tell_lost(child->name, 0);
		return;
	}
	/* While draining, engine leaves when it is done, and front after it. */
	warden_unwatch(&warden, child);
	(void)child_reap(child, &how); /* how it left is in its own log */
}

void on_zygote_answer(uv_poll_t *poll, int status, int events)
{
	struct err_note note = {""};
	int fault = pool_answer(&warden.pool, &note);

	(void)poll;
	(void)status;
	(void)events;
	if (fault == -EPIPE) {
		uv_poll_stop(poll);
		stop_lost(&warden, "the zygote", fault);
		return;
	}
	if (fault) {
		log_error("%s", note.text);
		launch_no_cell(&warden.launcher, note.text);
		return;
	}
	launch_go_on(&warden.launcher);
}

void on_attacher_answer(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	if (pool_attached(&warden.pool)) {
		uv_poll_stop(poll);
		stop_lost(&warden, "the attacher", -EPIPE);
		return;
	}
	launch_go_on(&warden.launcher);
}

void on_signal(uv_poll_t *poll, int status, int events)
{
	struct signalfd_siginfo info;

	(void)poll;
	(void)status;
	(void)events;
	while (read(warden.signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload_begin(&warden, 0);
		else if (warden.phase == WARDEN_STARTING)
			stop_lost(&warden, "patience: a signal came during the start", 0);
		else
			stop_begin(
			    &warden, info.ssi_signo == SIGINT ? "interrupted" : "terminated");
	}
}

/* ---- the program ----------------------------------------------------------------------------- */

static void init(void)
{
	log_init("warden", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_journal(LOG_JOURNAL_SOCKET);
	buf_init(&warden.warnings, CONFIG_REPORT_MAX);
	warden.state = (struct state){
	    .dir = -1, .lock = -1, .keys = -1, .audit = -1, .store = -1, .effects = -1};
	warden.listener.fd = warden.http_listener.fd = -1;
	warden.nursery = (struct nursery){.sock = -1, .child = {.pidfd = -1}};
	warden.children.auditor.pidfd = warden.children.engine.pidfd = -1;
	warden.children.front.pidfd = -1;
	warden.pool.zygote = (struct zygote){.sock = -1, .pid = -1, .pidfd = -1};
	warden.pool.attacher.sock = -1;
	warden.overlays.keeper = (struct keeper){.sock = -1, .pid = -1, .pidfd = -1};
	warden.pool.cgroup = &warden.cgroup;
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++)
		warden.cgroup.parent[tree] = warden.cgroup.base[tree] = -1;
	warden.signals = warden.notify = -1;
}

void warden_log_warnings(struct buf *warnings)
{
	const char *text = buf_cstr(warnings);

	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (len)
			log_warn("%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
	buf_reset(warnings);
}

static int check(void)
{
	struct err_note note = {""};
	char version[DIGEST_HEX_MAX];
	int fault = warden_check(&warden, &note);

	if (!fault)
		policy_remarks(warden.tools->config->policy, &warden.warnings);
	warden_log_warnings(&warden.warnings);
	if (fault) {
		fprintf(stderr, "callgated: %s\n", note.text);
		return 1;
	}
	printf("%s: good, version sha256:%s\n", warden.options.config,
	    digest_hex(version, &warden.tools->config->version));
	site_free(warden.site);
	tools_free(warden.tools);
	holdings_fini(&warden.holdings);
	buf_fini(&warden.warnings);
	return 0;
}

static int run(void)
{
	struct err_note note = {""};

	if (warden_start(&warden, &note)) {
		log_error("not started: %s", note.text);
		warden.status = 1;
		warden.lost.text[0] = '\0'; /* told already */
	} else {
		/* The first client may have asked for the end before the start was over. */
		if (warden.phase == WARDEN_READY)
			uv_run(&warden.loop, UV_RUN_DEFAULT);
		if (warden.launcher.broken)
			stop_lost(
			    &warden, "touch with a part of the daemon", warden.launcher.broken);
	}
	stop_finish(&warden);
	return warden.status;
}

int main(int argc, char **argv)
{
	struct err_note note = {""};

	init();
	switch (options_parse(&warden.options, argc, argv, &note)) {
	case OPTIONS_WRONG: fprintf(stderr, "callgated: %s\n", note.text); return 1;
	case OPTIONS_HELP: fputs(options_help(), stdout); return 0;
	case OPTIONS_VERSION: puts("callgated " CALLGATE_VERSION); return 0;
	case OPTIONS_CHECK: return check();
	case OPTIONS_RUN: return run();
	}
	return 1;
}
