/*
 * callgate-engine: decides. Started by callgated with 3 = link to the warden, 4 = link to the
 * auditor, 5 = link to the Unix front, 6 = folder of the key store; CALLGATE_LOG=level,format.
 * SIBLING on 3 brings the links to the HTTP front and to courier, which may be lost and come again.
 * It parses what the fronts decoded, verifies credentials, judges by the frozen policy, asks
 * humans, reads and hashes the output of tools; it opens no file but the key store, starts no
 * program and writes no journal. Only when POLICY has come on 3 are the fronts heard.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-api/wire/value.h"
#include "sandbox/self.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/access/held.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/approvals/approver.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/approvals/watch.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/calls/answer.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/hooks/callback.h"
#include "supervisor/engine/hooks/hook.h"
#include "supervisor/engine/hooks/hook_secret.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/engine/sibling.h"

#define FD_WARDEN    3
#define FD_AUDITOR   4
#define DESCRIPTORS  65536
#define FD_FRONT     5
#define FD_STATE     6    /* folder of the key store */
#define FLUSH_MAX_MS 2000 /* for the last answers to leave, and for front to take them */

static struct engine engine;
static uv_timer_t flush_timer;
static int front_gone;  /* after the drain: as it should be */
static int fronts_told; /* that this is the end: the HTTP front leaves as it should, too */

static link_handler on_link_message;

/* ---- POLICY and DRAIN: what the warden tells the whole engine ---------------------------- */

static void answer_policy(
    struct engine *self, uint64_t serial, enum answer_status status, const char *note)
{
	struct message answer;

	message_init(&answer, MESSAGE_POLICY_TAKEN);
	answer.serial = serial;
	answer.u.policy_taken.status = status;
	answer.u.policy_taken.note = note;
	(void)engine_send(self, &self->warden, &answer);
}

static int take_settings(struct engine *self, const struct message_policy *policy)
{
	char *state_dir = strdup(policy->state);
	int fault;

	if (!state_dir)
		return -ENOMEM;
	free(self->state_dir);
	self->state_dir = state_dir;
	self->owner_uid = policy->owner_uid;
	engine_note_tree(self, policy->audit_size, &policy->audit_root);
	fault = auth_take_keys(self, policy);
	if (!fault)
		fault = hook_secrets_replace(self, &policy->secrets);
	return fault ? fault : approver_replace(self, &policy->approvers);
}

/* Another version: questions are bound to plans, and plans to the version, so all are void, and
 * calls that wait are judged anew. The warden hears first that the policy is taken; it then plans
 * by it, too. */
static void change_policy(struct engine *self, struct ruleset *rules, uint64_t serial)
{
	struct ruleset *old = self->rules;

	self->rules = rules;
	answer_policy(self, serial, ANSWER_OK, "");
	auth_take_policy(self);
	metrics_reload(self, true);
	if (old) {
		approval_void_all(self, "another policy is in force");
		effect_op_void(self, "another policy is in force");
		grant_void_all(self, "another policy is in force");
		calls_reload(self);
		subscribe_changed(self);
		(void)ruleset_drop(old);
	}
}

/* Courier may have come just now. */
static void wake_issuer(struct engine *self)
{
	if (self->auth && self->courier.name)
		issuer_wake(&self->auth->issuer);
}

/* The fronts are heard once there is a policy to judge by. */
static int open_fronts(struct engine *self)
{
	int fault =
	    link_open(&self->front, self->loop, FD_FRONT, "link to front", on_link_message, self);

	if (!fault)
		fault = sibling_open_all(self, on_link_message);
	wake_issuer(self);
	return fault;
}

static int take_policy(struct engine *self, struct message *message)
{
	const struct message_policy *policy = &message->u.policy;
	struct err_note note = {"out of memory"};
	struct ruleset *rules = NULL;
	int first = !self->rules;
	int fault = ruleset_thaw(message->fds[0], &policy->version, &rules, &note);

	if (!fault)
		fault = take_settings(self, policy);
	if (fault) {
		(void)ruleset_drop(rules);
		metrics_reload(self, false);
		answer_policy(self, message->serial, ANSWER_REFUSED, note.text);
		return 0;
	}
	if (!first && digest_equal(&self->rules->version, &rules->version)) {
		(void)ruleset_drop(rules);
		answer_policy(self, message->serial, ANSWER_OK, "");
		return 0;
	}
	change_policy(self, rules, message->serial);
	return first ? open_fronts(self) : 0;
}

/* The fronts hear of the end from us, when what ran is over: until then whoever comes is told that
 * the daemon is stopping (methods.c), instead of waiting for nobody. */
static void drain_front(struct engine *self, struct link *link)
{
	struct message message;

	if (!link->open)
		return;
	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = "the daemon is stopping";
	(void)engine_send(self, link, &message);
}

static int take_drain(struct engine *self, struct message *message)
{
	log_info("stopping: %s", message->u.drain.cause);
	self->draining = 1;
	approval_void_all(self, "the daemon is stopping");
	effect_op_void(self, "the daemon is stopping");
	calls_drain(self);
	watch_end_all(self);
	subscribe_end_all(self);
	held_resume(self);
	callback_flush(self);
	quota_flush(self, QUOTA_FLUSH_ALL);
	admission_flush(self);
	engine_settle(self);
	return 0;
}

static int take_logger(struct engine *self, struct message *message)
{
	struct message told;

	log_set((enum log_level)message->u.logger.level, (enum log_format)message->u.logger.format);
	message_init(&told, MESSAGE_LOGGER);
	told.u.logger = message->u.logger;
	(void)engine_send(self, &self->front, &told);
	return 0;
}

static int take_sibling(struct engine *self, struct message *message)
{
	int fault = sibling_take(self, message, on_link_message);

	wake_issuer(self);
	return fault;
}

static void answer_ping(struct engine *self, uint64_t serial)
{
	struct message answer;

	message_init(&answer, MESSAGE_PONG);
	answer.serial = serial;
	(void)engine_send(self, &self->warden, &answer);
}

/* The warden has no link to the Unix front, so we answer for both. Front may leave before us in a
 * drain. */
static int take_ping(struct engine *self, struct message *message)
{
	struct message question;

	if (self->draining) {
		answer_ping(self, message->serial);
		return 0;
	}
	self->ping_serial = message->serial;
	message_init(&question, MESSAGE_PING);
	(void)engine_send(self, &self->front, &question);
	return 0;
}

static int take_pong(struct engine *self, struct message *message)
{
	(void)message;
	if (self->ping_serial)
		answer_ping(self, self->ping_serial);
	self->ping_serial = 0;
	return 0;
}

/* ---- the dispatch table ------------------------------------------------------------------ */

struct route {
	enum message_type type;
	const struct link *from;
	int (*take)(struct engine *engine, struct message *message);
};

static const struct route routes[] = {
    {MESSAGE_POLICY, &engine.warden, take_policy},
    {MESSAGE_DRAIN, &engine.warden, take_drain},
    {MESSAGE_LOGGER, &engine.warden, take_logger},
    {MESSAGE_SIBLING, &engine.warden, take_sibling},
    {MESSAGE_PING, &engine.warden, take_ping},
    {MESSAGE_PONG, &engine.front, take_pong},
    {MESSAGE_PLANNED, &engine.warden, answer_planned},
    {MESSAGE_LAUNCHED, &engine.warden, answer_launched},
    {MESSAGE_EXITED, &engine.warden, answer_exited},
    {MESSAGE_EFFECTED, &engine.warden, effect_op_effected},
    {MESSAGE_CONTROLLED, &engine.warden, methods_controlled},
    {MESSAGE_RECORDED, &engine.auditor, answer_recorded},
    {MESSAGE_PEER, &engine.front, peer_arrived},
    {MESSAGE_PEER_GONE, &engine.front, peer_gone},
    {MESSAGE_CANCEL, &engine.front, peer_cancel},
    {MESSAGE_REQUEST, &engine.front, methods_request},
    {MESSAGE_RESPONSE, &engine.front, elicit_response},
    {MESSAGE_VISITOR, &engine.http, visitor_arrived},
    {MESSAGE_PEER_GONE, &engine.http, peer_gone},
    {MESSAGE_CANCEL, &engine.http, peer_cancel},
    {MESSAGE_REQUEST, &engine.http, methods_request},
    {MESSAGE_RESPONSE, &engine.http, elicit_response},
    {MESSAGE_COUNTS, &engine.http, sibling_counts},
    {MESSAGE_FETCHED, &engine.courier, fetch_answered},
};

static int is_early(const struct engine *self, enum message_type type)
{
	return !self->rules && type != MESSAGE_POLICY && type != MESSAGE_SIBLING;
}

/* -EBADMSG: no message for this link. */
static int dispatch(struct engine *self, struct link *link, struct message *message)
{
	int fault = is_early(self, message->type) ? -EBADMSG : 0;

	if (!fault)
		fault = sibling_read_peer(self, link, message);
	for (size_t i = 0; !fault && i < sizeof(routes) / sizeof(routes[0]); i++)
		if (routes[i].type == message->type && routes[i].from == link)
			return routes[i].take(self, message);
	log_error("%s: %s has no place here", link->name, message_name(message->type));
	return -EBADMSG;
}

/* A sibling that may be lost and talks nonsense is lost; any other fault is engine's own. */
static void on_sibling_fault(struct engine *self, struct link *link, int fault)
{
	log_error("%s: %s", link->name, strerror(-fault));
	sibling_lost(self, link);
}

static void on_link_message(struct link *link, struct message *message, int fault)
{
	struct engine *self = link->owner;

	if (!message && self->draining && link == &self->front) {
		front_gone = 1;
		engine_settle(self);
		return;
	}
	if (!message && fronts_told && link == &self->http) {
		sibling_lost(self, link);
		return;
	}
	if (!message && !sibling_is(self, link)) {
		engine_fail(self, fault ? fault : -EPIPE, link->name);
		return;
	}
	if (message)
		fault = dispatch(self, link, message);
	if (!message || (fault == -EBADMSG && sibling_is(self, link)))
		on_sibling_fault(self, link, fault ? fault : -EPIPE);
	else if (fault)
		engine_fail(self, fault, message_name(message->type));
}

/* ---- birth and death --------------------------------------------------------------------- */

/* A running call holds three descriptors, and 512 may run. */
static void raise_descriptor_limit(void)
{
	int fault = fd_allow(DESCRIPTORS);

	if (fault)
		log_warn("descriptor limit stays: %s", strerror(-fault));
}

/* Is there a folder for the key store? To be asked before anything else takes that number. */
static bool has_folder(void)
{
	struct stat st;

	return fstat(FD_STATE, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The key store is opened by the folder that the warden has opened: nothing else of the disk is
 * ever seen. Without one there are no API keys. */
static int open_auth(bool is_given, struct err_note *note)
{
	char folder[64];

	if (!is_given) {
		log_info("descriptor %d is no folder: there is no key store, and no API key counts",
		    FD_STATE);
		return auth_open(&engine, NULL, note);
	}
	(void)snprintf(folder, sizeof(folder), "/proc/self/fd/%d", FD_STATE);
	return auth_open(&engine, folder, note);
}

static int start(uv_loop_t *loop, bool with_keys)
{
	const int folders[] = {with_keys ? FD_STATE : -1, -1};
	struct err_note note = {0};
	int fault;

	(void)signal(SIGINT, SIG_IGN); /* a terminal's ^C is for callgated */
	(void)signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	value_start();
	engine.loop = loop;
	engine.born_us = clock_monotonic_us();
	engine.daemon_pid = getppid();
	if (gethostname(engine.host, sizeof(engine.host) - 1))
		engine.host[0] = '\0';
	approval_init(&engine);
	fault = uv_timer_init(loop, &engine.tick);
	if (!fault)
		fault = link_open(
		    &engine.warden, loop, FD_WARDEN, "link to warden", on_link_message, &engine);
	if (!fault)
		fault = link_open(
		    &engine.auditor, loop, FD_AUDITOR, "link to auditor", on_link_message, &engine);
	if (fault) {
		log_error("descriptors 3 and 4: %s; this program is started by callgated",
		    strerror(-fault));
		return fault;
	}
	fault = open_auth(with_keys, &note);
	if (!fault)
		fault = self_confine(SELF_ENGINE, folders, &note);
	if (fault)
		log_error("%s", note.text);
	return fault;
}

static void on_timer_flush(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static int may_run(void)
{
	return !engine.failed && uv_is_active((uv_handle_t *)&flush_timer);
}

/* The last answers and records may still wait for room in their sockets. A socket that is closed
 * with something unread in it takes what its peer has not read along, so front is told the end
 * by shutdown(2), and is read until it has gone. */
static void flush(uv_loop_t *loop)
{
	(void)uv_timer_init(loop, &flush_timer);
	(void)uv_timer_start(&flush_timer, on_timer_flush, FLUSH_MAX_MS, 0);
	while (may_run() && link_backlog(&engine.front) + link_backlog(&engine.http) +
				    link_backlog(&engine.auditor) >
				0)
		(void)uv_run(loop, UV_RUN_ONCE);
	link_end_writing(&engine.front);
	link_end_writing(&engine.http);
	while (may_run() && (!front_gone || engine.http.open))
		(void)uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&flush_timer, NULL);
}

static void stop(uv_loop_t *loop)
{
	calls_free_all(&engine);
	effect_book_free_all(&engine);
	watch_end_all(&engine);
	quota_flush(&engine, QUOTA_FLUSH_ALL);
	admission_flush(&engine);
	approval_fini(&engine);
	hook_free_all(&engine);
	hook_secrets_free_all(&engine);
	grant_free_all(&engine);
	peer_free_all(&engine);
	record_free_all(&engine);
	methods_free_all(&engine);
	auth_free(&engine);
	metrics_free(&engine);
	fetch_free_all(&engine);
	sibling_free_all(&engine);
	link_close(&engine.warden);
	link_close(&engine.auditor);
	link_close(&engine.front);
	uv_close((uv_handle_t *)&engine.tick, NULL);
	engine.rules = ruleset_drop(engine.rules);
	free(engine.approvers);
	free(engine.state_dir);
	while (uv_run(loop, UV_RUN_DEFAULT))
		; /* until every close callback has run */
	(void)uv_loop_close(loop);
}

int main(void)
{
	bool with_keys = has_folder();
	uv_loop_t loop;
	int fault;

	log_init_role("engine");
	fault = self_start(); /* before the loop: self_refuse_rings() says why */
	if (fault) {
		log_error("start: %s", strerror(-fault));
		return EXIT_FAILURE;
	}
	if (uv_loop_init(&loop) || start(&loop, with_keys))
		return EXIT_FAILURE;
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	if (engine.draining) {
		fronts_told = 1;
		drain_front(&engine, &engine.front);
		drain_front(&engine, &engine.http);
	}
	flush(&loop);
	if (engine.stale_answers)
		log_info(
		    "%llu late answers were dropped", (unsigned long long)engine.stale_answers);
	stop(&loop);
	return engine.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
