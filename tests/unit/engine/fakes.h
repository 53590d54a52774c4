/*
 * A world for the tests of engine's modules: the real policy, wire and evidence code, a fake
 * clock, and links that keep what was sent instead of sending it. What is sent passes the real
 * codec, so a message that could not travel fails the test. Included once per test program.
 */
#ifndef CALLGATE_TEST_ENGINE_FAKES_H
#define CALLGATE_TEST_ENGINE_FAKES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/load.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/approvals/approver.h"
#include "supervisor/engine/approvals/watch.h"
#include "supervisor/engine/calls/answer.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/hooks/hook.h"
#include "supervisor/engine/hooks/hook_secret.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

#define SENT_MAX 4096

/* ---- the clock --------------------------------------------------------------------------- */

static uint64_t fake_now_us = 1000000000;

uint64_t clock_monotonic_us(void)
{
	return fake_now_us;
}

uint64_t clock_wall_us(void)
{
	return 1700000000000000 + fake_now_us;
}

char *clock_stamp(char out[CLOCK_STAMP_MAX], uint64_t wall_us)
{
	snprintf(out, CLOCK_STAMP_MAX, "%llu", (unsigned long long)wall_us);
	return out;
}

int clock_unstamp(const char *text, uint64_t *ret_wall_us)
{
	*ret_wall_us = strtoull(text, NULL, 10);
	return 0;
}

/* ---- the log: counted, not printed ------------------------------------------------------- */

static int log_errors;

void log_init(const char *role, enum log_level level, enum log_format format)
{
	(void)role;
	(void)level;
	(void)format;
}

void log_event(enum log_level level, const struct log_facts *facts, const char *format, ...)
{
	(void)format;
	log_errors += level == LOG_LEVEL_ERROR;
	(void)facts;
}

void log_line(enum log_level level, const char *format, ...)
{
	(void)format;
	log_errors += level == LOG_LEVEL_ERROR;
}

/* The auditor's own check: keys in order, sizes, depth, one line. */
static void check_record(const struct message_record *record)
{
	const struct record_place place = {.n = 1, .wall_us = 1};
	struct buf line = {0};

	buf_init(&line, RECORD_LINE_MAX);
	assert_int_equal(record_emit(&line, &place, (enum record_type)record->record,
			     record->body.data, record->body.len),
	    0);
	buf_fini(&line);
}

/* ---- the links --------------------------------------------------------------------------- */

struct sent {
	struct link *link;
	struct message message;
	int seen;
};

static struct sent sent[SENT_MAX];
static size_t sent_count;
static int send_fault; /* what link_send() returns instead of sending */

int link_send(struct link *link, struct message *message)
{
	struct buf out = {0};
	int fds[MESSAGE_FDS + 1], body_fd = -1;
	size_t count = message->fd_count;

	if (send_fault)
		return send_fault;
	if (message->serial == 0 && message->type < 128 && message->type % 2 == 0)
		message->serial = ++link->next_serial;
	buf_init(&out, MESSAGE_MAX);
	assert_int_equal(message_encode(&out, message, &body_fd), 0);
	for (size_t i = 0; i < count; i++)
		fds[i] = fcntl(message->fds[i], F_DUPFD_CLOEXEC, 0);
	if (body_fd >= 0)
		fds[count++] = body_fd;
	assert_true(sent_count < SENT_MAX);
	assert_int_equal(
	    message_decode(&sent[sent_count].message, out.data, out.len, fds, count), 0);
	if (message->type == MESSAGE_RECORD)
		check_record(&message->u.record);
	sent[sent_count].link = link;
	sent[sent_count++].seen = 0;
	buf_fini(&out);
	return 0;
}

int link_open(struct link *link, uv_loop_t *loop, int fd, const char *name, link_handler *handler,
    void *owner)
{
	(void)loop;
	(void)fd;
	link->name = name;
	link->handler = handler;
	link->owner = owner;
	return 0;
}

int link_drain(struct link *link)
{
	(void)link;
	return 0;
}

size_t link_backlog(const struct link *link)
{
	(void)link;
	return 0;
}

void link_close(struct link *link)
{
	(void)link;
}

void link_hang_up(struct link *link)
{
	(void)link;
}

/* The oldest message of this type that was not looked at yet; NULL if there is none. */
static inline struct message *sent_next(const struct link *link, enum message_type type)
{
	for (size_t i = 0; i < sent_count; i++)
		if (!sent[i].seen && sent[i].link == link && sent[i].message.type == type) {
			sent[i].seen = 1;
			return &sent[i].message;
		}
	return NULL;
}

/* How many records of this type were sent; call NULL: for any call. */
static inline int sent_records(enum record_type type, const char *call)
{
	int count = 0;

	for (size_t i = 0; i < sent_count; i++)
		count += sent[i].message.type == MESSAGE_RECORD &&
			 sent[i].message.u.record.record == type &&
			 (!call || strcmp(sent[i].message.u.record.call, call) == 0);
	return count;
}

static inline int sent_count_of(enum message_type type)
{
	int count = 0;

	for (size_t i = 0; i < sent_count; i++)
		count += sent[i].message.type == type;
	return count;
}

static inline void sent_forget(void)
{
	for (size_t i = 0; i < sent_count; i++)
		message_fini(&sent[i].message);
	sent_count = 0;
}

/* ---- the world --------------------------------------------------------------------------- */

static const char world_policy[] =
    "server:\n  socket: {path: callgate.sock}\n"
    "approvals: {timeout: 5m, hold: 45s}\n"
    "roles:\n"
    "  developer: {tools: [bash, gated, aside, asks], permissions: [approvals:read]}\n"
    "  operator: {tools: [\"*\"], approve: [\"*\"], permissions: [approvals:read, "
    "approvals:decide]}\n"
    "  blind: {tools: [\"*\"], approve: [bash], permissions: [approvals:decide]}\n"
    "principals:\n"
    "  - {peer_uid: 1000, roles: [developer]}\n"
    "  - {peer_uid: 1001, roles: [operator]}\n"
    "  - {peer_uid: 1002, roles: [developer]}\n"
    "  - {peer_uid: 1003, roles: [blind]}\n"
    "namespaces: {default: {working_directory: ./workspace}}\n"
    "tools:\n"
    "  bash:\n    type: command\n    working_directory: .\n    deny_by_default: true\n"
    "    allowed_commands: [ls, echo]\n    denied_commands: [rm]\n"
    "  gated:\n    type: command\n    working_directory: .\n    deny_by_default: true\n"
    "    allowed_commands: [ls, echo]\n    require_approval: true\n"
    "    approval_prompt: \"Run {command} now?\"\n"
    "  aside:\n    type: command\n    working_directory: .\n    allowed_commands: [ls]\n"
    "    sandbox: {workspace: overlay}\n"
    "  asks:\n    type: command\n    working_directory: .\n    allowed_commands: [ls]\n"
    "    require_approval: effects\n    sandbox: {workspace: overlay, output: 4KiB}\n"
    "  hidden:\n    type: command\n    working_directory: .\n    allowed_commands: [ls]\n";

/* The same without approvals, and without echo. */
static const char world_policy_2[] =
    "server:\n  socket: {path: callgate.sock}\n"
    "roles:\n  developer: {tools: [bash, gated]}\n"
    "principals:\n  - {peer_uid: 1000, roles: [developer]}\n"
    "namespaces: {default: {working_directory: ./workspace}}\n"
    "tools:\n"
    "  bash:\n    type: command\n    working_directory: .\n    deny_by_default: true\n"
    "    allowed_commands: [ls]\n"
    "  gated:\n    type: command\n    working_directory: .\n    deny_by_default: true\n"
    "    allowed_commands: [ls]\n";

static uv_loop_t world_loop;
static struct engine world;

static inline struct ruleset *world_rules(const char *text)
{
	struct policy_source source = {.file = "test.yaml", .text = text, .len = strlen(text)};
	struct ruleset *rules = calloc(1, sizeof(*rules));
	struct err_note note = {0};

	if (policy_load(&source, &rules->policy, NULL, &note))
		fail_msg("%s", note.text);
	assert_int_equal(rulebook_new(rules->policy, &rules->book, &note), 0);
	assert_int_equal(digest_of(&rules->version, text, strlen(text)), 0);
	rules->uses = 1;
	return rules;
}

static inline struct message request_message(uint64_t peer, uint64_t serial, enum request_method m)
{
	struct message message;

	message_init(&message, MESSAGE_REQUEST);
	message.serial = serial;
	message.u.request.peer = peer;
	message.u.request.method = m;
	message.u.request.tool = message.u.request.agent = message.u.request.space = "";
	message.u.request.progress = message.u.request.retry = "";
	return message;
}

static inline void world_peer(uint64_t id, uint32_t uid)
{
	struct message message;

	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = id;
	message.u.peer.uid = message.u.peer.gid = uid;
	message.u.peer.pid = 4711;
	assert_int_equal(peer_arrived(&world, &message), 0);
}

/* Peers 1 (uid 1000), 2 (1001, operator), 3 (1002), 4 (1003), 5 (no role). */
static inline int world_setup(void **state)
{
	(void)state;
	log_errors = 0;
	memset(&world, 0, sizeof(world));
	assert_int_equal(uv_loop_init(&world_loop), 0);
	world.loop = &world_loop;
	world.rules = world_rules(world_policy);
	approval_init(&world);
	assert_int_equal(uv_timer_init(&world_loop, &world.tick), 0);
	for (uint32_t i = 0; i < 4; i++)
		world_peer(i + 1, 1000 + i);
	world_peer(5, 4999);
	send_fault = 0;
	return 0;
}

static inline int world_teardown(void **state)
{
	(void)state;
	send_fault = 0;
	calls_free_all(&world);
	effect_book_free_all(&world);
	watch_end_all(&world);
	approval_fini(&world);
	hook_free_all(&world);
	fetch_free_all(&world);
	hook_secrets_free_all(&world);
	quota_flush(&world, QUOTA_FLUSH_ALL);
	peer_free_all(&world);
	record_free_all(&world);
	methods_free_all(&world);
	metrics_free(&world);
	uv_close((uv_handle_t *)&world.tick, NULL);
	free(world.approvers);
	free(world.state_dir);
	world.rules = ruleset_drop(world.rules);
	while (uv_run(&world_loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&world_loop), 0);
	assert_null(world.accounts); /* every charge came back */
	sent_forget();
	return 0;
}

/* Lets close callbacks run. */
static inline void world_turn(void)
{
	uv_run(&world_loop, UV_RUN_NOWAIT);
}

static inline struct call *world_call(
    uint64_t peer, uint64_t serial, const char *tool, const char *arguments)
{
	struct message message = request_message(peer, serial, REQUEST_TOOLS_CALL);

	message.u.request.tool = tool;
	message.u.request.body.data = arguments;
	message.u.request.body.len = strlen(arguments);
	assert_int_equal(methods_request(&world, &message), 0);
	return world.calls;
}

static inline void answer_plan(const struct call *call, enum answer_status status, uint8_t seed)
{
	struct message message;

	message_init(&message, MESSAGE_PLANNED);
	message.serial = call->serial;
	message.u.planned.status = status;
	memset(message.u.planned.plan.bytes, seed, DIGEST_LEN);
	message.u.planned.text = "program /bin/ls";
	message.u.planned.program = "/bin/ls";
	message.u.planned.note = "bash: no such program";
	assert_int_equal(answer_planned(&world, &message), 0);
}

static inline void answer_record(uint64_t serial, enum answer_status status, uint8_t mac)
{
	static uint64_t n;
	struct message message;

	message_init(&message, MESSAGE_RECORDED);
	message.serial = serial;
	message.u.recorded.status = status;
	message.u.recorded.receipt.n = ++n;
	message.u.recorded.receipt.size = n + 1;
	memset(message.u.recorded.receipt.mac.bytes, mac, DIGEST_LEN);
	message.u.recorded.note = status == ANSWER_OK ? "" : "AUDIT_FULL: no space left";
	assert_int_equal(answer_recorded(&world, &message), 0);
}

static inline void answer_launch(uint64_t serial, enum answer_status status, int ret_writers[2])
{
	int out[2], err[2];
	struct message message;

	message_init(&message, MESSAGE_LAUNCHED);
	message.serial = serial;
	message.u.launched.status = status;
	message.u.launched.note = "something changed";
	if (status == ANSWER_OK) {
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
		assert_int_equal(pipe2(err, O_CLOEXEC), 0);
		message.fds[0] = out[0];
		message.fds[1] = err[0];
		message.fd_count = 2;
		ret_writers[0] = out[1];
		ret_writers[1] = err[1];
	}
	assert_int_equal(answer_launched(&world, &message), 0);
	message_fini(&message);
}

/* What the warden says a call has changed: three paths, the second of them a hook. */
static inline void world_effects(struct buf *out)
{
	struct effect items[3] = {
	    {.kind = EFFECT_REMOVED,
		.path = "\xff",
		.target = "",
		.before = {EFFECT_FILE, 0644, 7}},
	    {.kind = EFFECT_ADDED,
		.marks = EFFECT_RUNS_LATER,
		.path = ".git/hooks/pre-commit",
		.target = "",
		.after = {EFFECT_FILE, 0755, 9}},
	    {.kind = EFFECT_ADDED,
		.marks = EFFECT_LEADS_OUT,
		.path = "a\x1b[2Jlink",
		.target = "/etc",
		.after = {EFFECT_LINK}},
	};
	struct effect first = items[0];
	struct effects list = {.items = items, .count = 3};

	items[0] = items[1];
	items[1] = items[2];
	items[2] = first;
	buf_init(out, 4096);
	assert_int_equal(effects_encode(out, &list), 0);
}

static inline void answer_exit_effects(
    const char *call, enum exit_how how, enum effects_state effects)
{
	struct buf list = {0};
	struct message message;

	message_init(&message, MESSAGE_EXITED);
	message.u.exited.call = call;
	message.u.exited.how = how;
	message.u.exited.note = "";
	message.u.exited.effects = effects;
	if (effects == EFFECTS_HELD) {
		world_effects(&list);
		message.u.exited.body.data = list.data;
		message.u.exited.body.len = list.len;
	}
	assert_int_equal(answer_exited(&world, &message), 0);
	buf_fini(&list);
}

/* The oldest order about changes is done, or not. Paths of the answer: those that were ordered. */
static inline struct message *answer_effects(enum answer_status status)
{
	struct message *order = sent_next(&world.warden, MESSAGE_EFFECTS);
	struct effects all, some = {.count = 0};
	struct effect items[3];
	struct buf list = {0}, body = {0};
	struct message message;

	assert_non_null(order);
	world_effects(&list);
	assert_int_equal(effects_decode(&all, list.data, list.len), 0);
	for (uint32_t i = 0; i < all.count; i++) {
		bool named = order->u.effects.paths.count == 0;

		for (uint32_t k = 0; k < order->u.effects.paths.count; k++)
			named |= !strcmp(order->u.effects.paths.items[k], all.items[i].path);
		if (named)
			items[some.count++] = all.items[i];
	}
	some.items = items;
	buf_init(&body, 4096);
	assert_int_equal(effects_encode(&body, &some), 0);
	message_init(&message, MESSAGE_EFFECTED);
	message.serial = order->serial;
	message.u.effected.status = status;
	message.u.effected.note = status == ANSWER_OK ? "" : "Makefile: changed underneath";
	message.u.effected.body.data = body.data;
	message.u.effected.body.len = body.len;
	assert_int_equal(effect_op_effected(&world, &message), 0);
	effects_fini(&all);
	buf_fini(&list);
	buf_fini(&body);
	return order;
}

/* The oldest record about changes is on disk, with a receipt where it asked for one. */
static inline struct message *answer_effects_record(enum answer_status status);

static inline void answer_exit_by(
    const char *call, enum exit_how how, int64_t code, int by_signal, const char *note)
{
	static const char *layers[] = {"userns", "landlock:7"};
	struct message message;

	message_init(&message, MESSAGE_EXITED);
	message.u.exited.call = call;
	message.u.exited.how = how;
	message.u.exited.code = code;
	message.u.exited.by_signal = (uint8_t)by_signal;
	message.u.exited.layers.items = layers;
	message.u.exited.layers.count = 2;
	message.u.exited.wall_us = 1200;
	message.u.exited.note = note;
	assert_int_equal(answer_exited(&world, &message), 0);
}

static inline void answer_exit(const char *call, enum exit_how how, int64_t code)
{
	answer_exit_by(call, how, code, 0, "");
}

static inline struct message *answer_effects_record(enum answer_status status)
{
	struct message *found = NULL;

	for (size_t i = 0; i < sent_count; i++)
		if (!sent[i].seen && sent[i].message.type == MESSAGE_RECORD &&
		    sent[i].message.u.record.record == RECORD_EFFECTS_DECISION) {
			sent[i].seen = 1;
			found = &sent[i].message;
			break;
		}
	assert_non_null(found);
	answer_record(found->serial, status, found->u.record.allow ? 9 : 0);
	return found;
}

/* Answers what the call waits for, honestly, until it is over. */
static inline void drive_to_end(const char *id)
{
	struct call *call;
	char name[CALL_ID_MAX];
	int writers[2];

	snprintf(name, sizeof(name), "%s", id);
	for (int i = 0; i < 32 && (call = calls_find(&world, name)); i++) {
		switch (call->state) {
		case CALL_AUTHORIZED: answer_plan(call, ANSWER_OK, 7); break;
		case CALL_APPROVAL: call_step(call, CALL_ON_TIMEOUT); break;
		case CALL_DECIDED: answer_record(call->serial, ANSWER_OK, 9); break;
		case CALL_DECLINED:
		case CALL_FINISHED: answer_record(call->serial, ANSWER_OK, 0); break;
		case CALL_SANDBOX:
			answer_launch(call->serial, ANSWER_OK, writers);
			close(writers[0]);
			close(writers[1]);
			break;
		case CALL_RUNNING:
		case CALL_KILLING: answer_exit(name, EXIT_HOW_EXITED, 0); break;
		case CALL_CLOSING: call_step(call, CALL_ON_CLOSED); break;
		case CALL_REVIEW: call_step(call, CALL_ON_TIMEOUT); break;
		case CALL_WRITING:
		case CALL_DROPPING:
			answer_effects_record(ANSWER_OK);
			(void)answer_effects(ANSWER_OK);
			break;
		case CALL_NEW:
		case CALL_RECEIVED:
		case CALL_AUTHENTICATED:
		case CALL_PLANNED:
		case CALL_SETTLED:
		case CALL_AUDITED: return; /* put there by the test itself */
		}
	}
	world_turn();
}

static inline json_t *reply_json(enum reply_kind kind)
{
	struct message *reply = sent_next(&world.front, MESSAGE_REPLY);
	json_t *json;

	assert_non_null(reply);
	assert_int_equal(reply->u.reply.kind, kind);
	json = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	assert_non_null(json);
	return json;
}

/* "outcome" and so on of _meta["callgate/call"]. */
static inline const char *meta_text(const json_t *result, const char *key)
{
	const json_t *meta = json_object_get(result, "_meta");
	const json_t *call =
	    json_object_get(meta ? meta : json_object_get(result, "data"), "callgate/call");
	const char *text = json_string_value(json_object_get(call, key));

	return text ? text : "";
}

static inline const char *content_text(const json_t *result)
{
	const char *text = json_string_value(
	    json_object_get(json_array_get(json_object_get(result, "content"), 0), "text"));

	return text ? text : "";
}

/* Does the body of a record hold these bytes? Keys and texts stand in it as they are. */
static inline int record_holds(const struct message *record, const char *text)
{
	return memmem(record->u.record.body.data, record->u.record.body.len, text, strlen(text)) !=
	       NULL;
}

#endif
