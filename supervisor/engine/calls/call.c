/*
 * THE STORY of one tool call. The table says what may happen; call_step() makes it happen and is
 * the only writer of call->state and call->outcome; each state's action, entered once, sends one
 * request or thinks one thought and names the event that follows at once, if any does. Whatever
 * is not in the table is a FAULT, which has a row in every state.
 *
 * Look for the arrows into SANDBOX: there is one, from DECIDED, on a RECEIPT. DECIDED is where
 * "allow" goes to disk; every other road leads through DECLINED, where "not run" does. Both end
 * in FINISHED, so that each call leaves one decision and one outcome, and AUDITED answers only
 * then. What a tool has changed in an overlay is settled between its death and its outcome: in
 * SETTLED, where a human may have to be asked (REVIEW), the way he says (WRITING, DROPPING). Only a
 * yes leads to WRITING; whatever else ends a REVIEW, but for a client that is not held any longer,
 * drops the changes. Answers carry the serial of their request: a late one finds nobody and is
 * dropped.
 */
#include "supervisor/engine/calls/call.h"

#include <assert.h>
#include <errno.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/gate.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/changes.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/calls/result.h"
#include "supervisor/engine/calls/stream.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

#define IN(state) (1u << CALL_##state)
#define STAY      CALL_NEW
#define KEEP      OUTCOME_NONE

struct row {
	uint32_t from; /* states as bits */
	enum call_event event;
	enum call_state to;        /* STAY: no state is left or entered */
	enum call_outcome verdict; /* KEEP: the outcome stays what it is */
};

/* clang-format off */
#define JUDGED    (IN(RECEIVED) | IN(AUTHENTICATED))
#define UNDECIDED (IN(AUTHORIZED) | IN(APPROVAL))
#define DECIDING  (IN(DECIDED) | IN(DECLINED))
#define ALIVE     (IN(SANDBOX) | IN(RUNNING))
#define BEFORE    (IN(NEW) | JUDGED | IN(AUTHORIZED) | IN(PLANNED) | IN(APPROVAL))
#define ORDERED   (IN(WRITING) | IN(DROPPING))
#define ENDING    (IN(DECLINED) | IN(KILLING) | IN(CLOSING) | ORDERED | IN(FINISHED) | IN(AUDITED))

static const struct row rows[] = {
	{IN(NEW),                   CALL_ON_ARRIVED,     CALL_RECEIVED,      KEEP},
	{IN(RECEIVED),              CALL_ON_IDENTIFIED,  CALL_AUTHENTICATED, KEEP},
	{IN(AUTHENTICATED),         CALL_ON_PERMITTED,   CALL_AUTHORIZED,    KEEP},
	{IN(AUTHORIZED),            CALL_ON_PLANNED,     CALL_PLANNED,       KEEP},
	{IN(PLANNED),               CALL_ON_READY,       CALL_DECIDED,       KEEP},
	{IN(PLANNED),               CALL_ON_NEEDS_HUMAN, CALL_APPROVAL,      KEEP},
	{IN(APPROVAL),              CALL_ON_APPROVED,    CALL_DECIDED,       KEEP},
	{IN(DECIDED),               CALL_ON_RECEIPT,     CALL_SANDBOX,       KEEP},
	{IN(SANDBOX),               CALL_ON_LAUNCHED,    CALL_RUNNING,       KEEP},
	{ALIVE,                     CALL_ON_EXITED,      CALL_CLOSING,       OUTCOME_COMPLETED},
	{IN(CLOSING),               CALL_ON_CLOSED,      CALL_SETTLED,       KEEP},
	{IN(SETTLED),               CALL_ON_READY,       CALL_FINISHED,      KEEP},
	{IN(FINISHED),              CALL_ON_RECORDED,    CALL_AUDITED,       KEEP},

	/* not run */
	{JUDGED | IN(APPROVAL),     CALL_ON_DENIED,      CALL_DECLINED,      OUTCOME_REFUSED},
	{JUDGED | IN(APPROVAL),     CALL_ON_BUSY,        CALL_DECLINED,      OUTCOME_UNAVAILABLE},
	{IN(AUTHORIZED),            CALL_ON_REFUSED,     CALL_DECLINED,      OUTCOME_REFUSED},
	{IN(AUTHORIZED),            CALL_ON_UNAVAILABLE, CALL_DECLINED,      OUTCOME_UNAVAILABLE},
	{IN(AUTHORIZED),            CALL_ON_TIMEOUT,     CALL_DECLINED,      OUTCOME_UNAVAILABLE},
	{IN(APPROVAL),              CALL_ON_TIMEOUT,     CALL_DECLINED,      OUTCOME_PENDING},
	{IN(APPROVAL),              CALL_ON_EXPIRED,     CALL_DECLINED,      OUTCOME_EXPIRED},
	{UNDECIDED,                 CALL_ON_CANCELLED,   CALL_DECLINED,      OUTCOME_CANCELLED},
	{IN(DECLINED),              CALL_ON_RECORDED,    CALL_FINISHED,      KEEP},

	/* the same has run already, and a human is asked about what that changed */
	{IN(PLANNED),               CALL_ON_TIMEOUT,     CALL_DECLINED,      OUTCOME_PENDING},

	/* asked again: the answer went to an identical call, or the policy changed */
	{IN(APPROVAL),              CALL_ON_NEEDS_HUMAN, CALL_APPROVAL,      KEEP},
	{UNDECIDED,                 CALL_ON_RELOADED,    CALL_RECEIVED,      KEEP},

	/* a human gave other arguments: another call, judged from the start */
	{IN(APPROVAL),              CALL_ON_EDITED,      CALL_RECEIVED,      KEEP},

	/* no record, no run; no record, no result */
	{DECIDING,                  CALL_ON_UNRECORDED,  CALL_FINISHED,      OUTCOME_UNAVAILABLE},
	{IN(FINISHED),              CALL_ON_UNRECORDED,  CALL_AUDITED,       OUTCOME_UNAVAILABLE},
	{IN(DECIDED),               CALL_ON_CANCELLED,   CALL_FINISHED,      OUTCOME_CANCELLED},

	/* a sibling that lives but does not answer: nothing runs, nothing is released */
	{DECIDING,                  CALL_ON_TIMEOUT,     CALL_FINISHED,      OUTCOME_UNAVAILABLE},
	{IN(FINISHED),              CALL_ON_TIMEOUT,     CALL_AUDITED,       OUTCOME_UNAVAILABLE},
	{IN(RUNNING),               CALL_ON_TIMEOUT,     CALL_KILLING,       OUTCOME_DEADLINE},
	{IN(KILLING),               CALL_ON_TIMEOUT,     CALL_CLOSING,       OUTCOME_FAILED},

	/* decided, but nothing ran */
	{IN(SANDBOX),               CALL_ON_VOIDED,      CALL_FINISHED,      OUTCOME_FAILED},
	{IN(SANDBOX),               CALL_ON_REFUSED,     CALL_FINISHED,      OUTCOME_REFUSED},
	{IN(SANDBOX),               CALL_ON_UNAVAILABLE, CALL_FINISHED,      OUTCOME_UNAVAILABLE},

	/* ran, and ended otherwise */
	{ALIVE,                     CALL_ON_DEADLINE,    CALL_CLOSING,       OUTCOME_DEADLINE},
	{ALIVE,                     CALL_ON_OOM,         CALL_CLOSING,       OUTCOME_OOM},
	{ALIVE,                     CALL_ON_PIDS,        CALL_CLOSING,       OUTCOME_PIDS},
	{ALIVE,                     CALL_ON_CPU,         CALL_CLOSING,       OUTCOME_DEADLINE},
	{ALIVE,                     CALL_ON_DISK,        CALL_CLOSING,       OUTCOME_DISK},
	{ALIVE,                     CALL_ON_OUTPUT,      CALL_CLOSING,       OUTCOME_OUTPUT},
	{ALIVE,                     CALL_ON_BROKE,       CALL_CLOSING,       OUTCOME_FAILED},
	{ALIVE | IN(KILLING),       CALL_ON_STUCK,       CALL_CLOSING,       OUTCOME_FAILED},

	/* ended by us: wait for the proof that the tree is dead, or that it never was */
	{ALIVE,                     CALL_ON_CANCELLED,   CALL_KILLING,       OUTCOME_CANCELLED},
	{IN(SANDBOX),               CALL_ON_TIMEOUT,     CALL_KILLING,       OUTCOME_UNAVAILABLE},
	{ALIVE,                     CALL_ON_FAULT,       CALL_KILLING,       OUTCOME_FAILED},
	{IN(KILLING),               CALL_ON_LAUNCHED,    STAY,               KEEP},
	{IN(KILLING),               CALL_ON_KILLED,      CALL_CLOSING,       KEEP},
	{IN(KILLING),               CALL_ON_VOIDED,      CALL_FINISHED,      KEEP},
	{IN(KILLING),               CALL_ON_REFUSED,     CALL_FINISHED,      KEEP},
	{IN(KILLING),               CALL_ON_UNAVAILABLE, CALL_FINISHED,      KEEP},

	/* what it changed: asked about, written, dropped. A client is let go; the question stays */
	{IN(SETTLED),               CALL_ON_NEEDS_HUMAN, CALL_REVIEW,        KEEP},
	{IN(SETTLED),               CALL_ON_DENIED,      CALL_DROPPING,      KEEP},
	{IN(SETTLED),               CALL_ON_UNAVAILABLE, CALL_FINISHED,      OUTCOME_FAILED},
	{IN(REVIEW),                CALL_ON_APPROVED,    CALL_WRITING,       KEEP},
	{IN(REVIEW),                CALL_ON_DENIED,      CALL_DROPPING,      OUTCOME_REFUSED},
	{IN(REVIEW),                CALL_ON_BUSY,        CALL_DROPPING,      OUTCOME_UNAVAILABLE},
	{IN(REVIEW),                CALL_ON_EXPIRED,     CALL_DROPPING,      OUTCOME_EXPIRED},
	{IN(REVIEW),                CALL_ON_TIMEOUT,     CALL_FINISHED,      OUTCOME_PENDING},
	{IN(REVIEW),                CALL_ON_CANCELLED,   CALL_DROPPING,      OUTCOME_CANCELLED},
	{IN(REVIEW),                CALL_ON_RELOADED,    CALL_DROPPING,      OUTCOME_UNAVAILABLE},
	{IN(WRITING),               CALL_ON_WRITTEN,     CALL_FINISHED,      KEEP},
	{IN(WRITING),               CALL_ON_REFUSED,     CALL_FINISHED,      OUTCOME_FAILED},
	{IN(WRITING),               CALL_ON_UNAVAILABLE, CALL_FINISHED,      OUTCOME_UNAVAILABLE},
	{IN(WRITING),               CALL_ON_TIMEOUT,     CALL_FINISHED,      OUTCOME_UNAVAILABLE},
	{IN(DROPPING),              CALL_ON_DROPPED,     CALL_FINISHED,      KEEP},
	{IN(DROPPING),              CALL_ON_TIMEOUT,     CALL_FINISHED,      KEEP},

	/* too late to matter; and what must never be */
	{ENDING,                    CALL_ON_CANCELLED,   STAY,               KEEP},
	{IN(SETTLED) | IN(REVIEW),  CALL_ON_FAULT,       CALL_DROPPING,      OUTCOME_FAILED},
	{ORDERED,                   CALL_ON_FAULT,       CALL_FINISHED,      OUTCOME_FAILED},
	{BEFORE,                    CALL_ON_FAULT,       CALL_DECLINED,      OUTCOME_FAILED},
	{DECIDING | IN(CLOSING),    CALL_ON_FAULT,       CALL_FINISHED,      OUTCOME_FAILED},
	{IN(FINISHED),              CALL_ON_FAULT,       CALL_AUDITED,       OUTCOME_FAILED},
	{IN(KILLING),               CALL_ON_FAULT,       STAY,               KEEP},
	{IN(AUDITED),               CALL_ON_FAULT,       STAY,               KEEP},
};
/* clang-format on */

/* ---- the actions, in the order of the story ---------------------------------------------- */

static enum call_event enter_received(struct call *call)
{
	calls_reset(call);
	return judge_identity(call);
}

static enum call_event enter_authenticated(struct call *call)
{
	return judge_tool(call);
}

/* Sends the one request whose answer the call waits for now. */
static enum call_event ask(struct call *call, struct link *link, struct message *request)
{
	if (engine_send(call->engine, link, request))
		return CALL_ON_FAULT;
	call->awaits = (enum message_type)(request->type + 1);
	call->serial = request->serial;
	return CALL_ON_NOTHING;
}

void call_plan_input(struct plan_input *input, const struct call *call)
{
	input->call = call->id;
	input->tool = call->tool->name;
	input->agent = call->identity.agent ? call->identity.agent->name : "";
	input->space = call->identity.space->name;
	input->principal = call->caller->principal;
	input->cwd = call->cwd ? call->cwd : "";
	input->argv.items = call->command.argv;
	input->argv.count = call->command.argc;
	input->paths = call->paths;
	input->stdin_kind = (uint8_t)call->stdin_kind;
	input->stdin_digest = call->stdin_digest;
	input->policy = call->rules->version;
}

static enum call_event enter_authorized(struct call *call)
{
	struct message message;

	message_init(&message, MESSAGE_PLAN);
	call_plan_input(&message.u.plan.input, call);
	return ask(call, &call->engine->warden, &message);
}

static enum call_event enter_planned(struct call *call)
{
	if (changes_wait(call))
		return CALL_ON_TIMEOUT;
	switch (call->decision) {
	case DECISION_ALLOW: return CALL_ON_READY;
	case DECISION_ASK: return judge_grant(call) ? CALL_ON_READY : CALL_ON_NEEDS_HUMAN;
	case DECISION_NONE:
	case DECISION_DENY: break;
	}
	return CALL_ON_FAULT; /* judge_tool() never lets those come here */
}

static enum call_event enter_approval(struct call *call)
{
	elicit_retry(call);
	switch (approval_ask(call)) {
	case APPROVAL_WAITS:
		return elicit_ask(call) == ELICIT_RETURNS ? CALL_ON_TIMEOUT : CALL_ON_NOTHING;
	case APPROVAL_GRANTED: return CALL_ON_APPROVED;
	case APPROVAL_DECLINED: return CALL_ON_DENIED;
	case APPROVAL_RAN_OUT: return CALL_ON_EXPIRED;
	case APPROVAL_FULL: return CALL_ON_BUSY;
	case APPROVAL_EDITED: return CALL_ON_EDITED;
	default: return CALL_ON_FAULT; /* -errno */
	}
}

static enum call_event send_record(struct call *call, enum record_type type, bool allow)
{
	struct buf cleanup_with(buf_fini) fields = {0};
	struct message message;

	buf_init(&fields, RECORD_FIELDS_MAX);
	if (type == RECORD_CALL_DECISION)
		record_decision(&fields, call, allow);
	else
		record_outcome(&fields, call);
	if (fields.fault)
		return CALL_ON_FAULT;
	message_init(&message, MESSAGE_RECORD);
	message.u.record.record = type;
	message.u.record.call = call->id;
	message.u.record.plan = call->plan;
	message.u.record.allow = allow;
	message.u.record.body.data = fields.data;
	message.u.record.body.len = fields.len;
	return ask(call, &call->engine->auditor, &message);
}

static enum call_event enter_decided(struct call *call)
{
	call->allowed = true;
	return send_record(call, RECORD_CALL_DECISION, true);
}

static enum call_event enter_declined(struct call *call)
{
	judge_explain(call);
	return send_record(call, RECORD_CALL_DECISION, false);
}

static enum call_event enter_sandbox(struct call *call)
{
	struct message message;

	message_init(&message, MESSAGE_LAUNCH);
	call_plan_input(&message.u.launch.input, call);
	message.u.launch.plan = call->plan;
	message.u.launch.receipt = call->receipt;
	if (call->stdin_kind == STDIN_SEALED) {
		message.fds[0] = call->stdin_fd;
		message.fd_count = 1;
	}
	/* Not sent, so there is nothing to kill: not a FAULT. */
	return ask(call, &call->engine->warden, &message) ? CALL_ON_UNAVAILABLE : CALL_ON_NOTHING;
}

static enum call_event enter_running(struct call *call)
{
	int out = take_fd(&call->pipes[0]), err = take_fd(&call->pipes[1]);

	if (output_start(call->engine->loop, out, err, call->tool->sandbox.output, &call->output))
		return CALL_ON_FAULT;
	stream_start(call->stream);
	return CALL_ON_NOTHING;
}

static enum call_event enter_killing(struct call *call)
{
	struct message message;

	(void)gate_close(call);
	message_init(&message, MESSAGE_KILL);
	message.u.kill.call = call->id;
	message.u.kill.cause = call_outcome_name(call->outcome);
	return engine_send(call->engine, &call->engine->warden, &message) ? CALL_ON_FAULT
									  : CALL_ON_NOTHING;
}

/* What it asked for ends, and is recorded, before its own outcome; gate_left() says so. */
static enum call_event enter_closing(struct call *call)
{
	return gate_close(call) ? CALL_ON_NOTHING : CALL_ON_CLOSED;
}

/* Is a human to be asked about what it changed? What did not come to its end is not asked about. */
static enum call_event enter_settled(struct call *call)
{
	bool died = !call_is_completed(call);

	switch (call->effects) {
	case EFFECTS_NONE:
	case EFFECTS_CLEAN: return CALL_ON_READY;
	case EFFECTS_LOST: return CALL_ON_UNAVAILABLE;
	case EFFECTS_HELD: break;
	}
	if (!effect_book_find(call->engine, call->id))
		return CALL_ON_FAULT; /* there was no memory for it */
	if (call->outcome == OUTCOME_CANCELLED || (died && call->tool->asks_effects))
		return CALL_ON_DENIED;
	return call->tool->asks_effects ? CALL_ON_NEEDS_HUMAN : CALL_ON_READY;
}

static enum call_event enter_review(struct call *call)
{
	switch (approval_ask_effects(call)) {
	case APPROVAL_WAITS: return CALL_ON_NOTHING;
	case APPROVAL_DECLINED: return CALL_ON_DENIED;
	case APPROVAL_FULL: return CALL_ON_BUSY;
	default: return CALL_ON_FAULT; /* -errno */
	}
}

static void leave_review(struct call *call)
{
	approval_leave_effects(call);
}

/* What was decided goes to disk first; effect_op.h has the rest of the road. */
static int order_effects(struct call *call, enum effects_op op)
{
	struct holding *holding = effect_book_find(call->engine, call->id);
	const bool by_human = call->review.principal[0];
	const struct effect_order order = {.op = op,
	    .answer = by_human ? &call->review : NULL,
	    .cause = by_human ? "" : call_outcome_name(call->outcome),
	    .by = by_human ? call->review.principal : "callgate"};

	if (!holding)
		return -ENOENT;
	holding->approval[0] = '\0';
	return effect_op_start(call->engine, holding, &order);
}

static enum call_event enter_writing(struct call *call)
{
	return order_effects(call, EFFECTS_COMMIT) ? CALL_ON_UNAVAILABLE : CALL_ON_NOTHING;
}

static enum call_event enter_dropping(struct call *call)
{
	return order_effects(call, EFFECTS_DISCARD) ? CALL_ON_DROPPED : CALL_ON_NOTHING;
}

static enum call_event enter_finished(struct call *call)
{
	stream_finish(call->stream);
	judge_explain(call);
	return send_record(call, RECORD_CALL_OUTCOME, false);
}

/* Of a streamed call only when its client has fetched what was before. */
static void release_result(struct call *call)
{
	result_send(call);
	record_tell(call);
	metrics_call(call);
	calls_end(call);
}

static enum call_event enter_audited(struct call *call)
{
	if (!call->proven)
		log_error("call %s: its outcome (%s) could not be recorded; the result is withheld",
		    call->id, call_outcome_name(call->outcome));
	judge_explain(call);
	gate_left(call);
	if (!stream_holds(call->stream, release_result))
		release_result(call);
	return CALL_ON_NOTHING;
}

static uint64_t hold_ms(struct call *call)
{
	uint64_t now_us = clock_monotonic_us();

	if (call->hold_until_us == 0)
		call->hold_until_us = now_us + call->rules->policy->approval_hold_ms * 1000;
	return call->hold_until_us > now_us ? (call->hold_until_us - now_us + 999) / 1000 : 0;
}

/* The client is held anew for each of the two questions that there may be about a call. */
static uint64_t review_ms(struct call *call)
{
	call->hold_until_us = 0;
	return hold_ms(call);
}

/* The warden keeps the deadline; this is for a warden that does not. */
static uint64_t run_ms(struct call *call)
{
	return call->tool->max_execution_ms + CALL_ANSWER_WAIT_MS;
}

struct stage {
	enum call_event (*enter)(struct call *call);
	void (*leave)(struct call *call);
	uint32_t wait_ms;                            /* then TIMEOUT; 0: as long as it takes */
	uint64_t (*wait_left_ms)(struct call *call); /* the same, reckoned */
};

/* clang-format off */
static const struct stage stages[CALL_STATE_COUNT] = {
	[CALL_RECEIVED]      = {enter_received,      NULL,           0,                   NULL},
	[CALL_AUTHENTICATED] = {enter_authenticated, NULL,           0,                   NULL},
	[CALL_AUTHORIZED]    = {enter_authorized,    NULL,           CALL_PLAN_WAIT_MS,   NULL},
	[CALL_PLANNED]       = {enter_planned,       NULL,           0,                   NULL},
	[CALL_APPROVAL]      = {enter_approval,      approval_leave, 0,                   hold_ms},
	[CALL_DECIDED]       = {enter_decided,       NULL,           CALL_ANSWER_WAIT_MS, NULL},
	[CALL_DECLINED]      = {enter_declined,      NULL,           CALL_ANSWER_WAIT_MS, NULL},
	[CALL_SANDBOX]       = {enter_sandbox,       NULL,           CALL_LAUNCH_WAIT_MS, NULL},
	[CALL_RUNNING]       = {enter_running,       NULL,           0,                   run_ms},
	[CALL_KILLING]       = {enter_killing,       NULL,           CALL_ANSWER_WAIT_MS, NULL},
	[CALL_CLOSING]       = {enter_closing,       NULL,           0,                   NULL},
	[CALL_SETTLED]       = {enter_settled,       NULL,           0,                   NULL},
	[CALL_REVIEW]        = {enter_review,        leave_review,   0,                  review_ms},
	[CALL_WRITING]       = {enter_writing,       NULL,           CALL_WRITE_WAIT_MS,  NULL},
	[CALL_DROPPING]      = {enter_dropping,      NULL,           CALL_ANSWER_WAIT_MS, NULL},
	[CALL_FINISHED]      = {enter_finished,      NULL,           CALL_ANSWER_WAIT_MS, NULL},
	[CALL_AUDITED]       = {enter_audited,       NULL,           0,                   NULL},
};
/* clang-format on */

/* ---- the step ---------------------------------------------------------------------------- */

static const struct row *find_row(enum call_state state, enum call_event event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].event == event && (rows[i].from & (1u << state)))
			return &rows[i];
	return NULL;
}

static void on_timer_timeout(uv_timer_t *timer)
{
	call_step(timer->data, CALL_ON_TIMEOUT);
}

static void start_timer(struct call *call, const struct stage *stage)
{
	if (stage->wait_left_ms)
		(void)uv_timer_start(&call->timer, on_timer_timeout, stage->wait_left_ms(call), 0);
	else if (stage->wait_ms)
		(void)uv_timer_start(&call->timer, on_timer_timeout, stage->wait_ms, 0);
}

void call_step(struct call *call, enum call_event event)
{
	assert(!call->stepping);
	call->stepping = 1;
	while (event != CALL_ON_NOTHING) {
		const struct row *row = find_row(call->state, event);

		if (!row) {
			log_error("call %s: %s in state %s is not in the table", call->id,
			    call_event_name(event), call_state_name(call->state));
			row = find_row(call->state, CALL_ON_FAULT);
		}
		assert(row);
		if (row->verdict != KEEP)
			call->outcome = row->verdict;
		if (row->to == STAY)
			break;
		(void)uv_timer_stop(&call->timer);
		if (stages[call->state].leave)
			stages[call->state].leave(call);
		call->state = row->to;
		start_timer(call, &stages[call->state]);
		event = stages[call->state].enter(call);
	}
	call->stepping = 0;
}

bool call_is_completed(const struct call *call)
{
	return call->outcome == OUTCOME_COMPLETED || call->outcome == OUTCOME_OUTPUT;
}

void call_cancel(struct call *call)
{
	call->silent = true;
	call_step(call, CALL_ON_CANCELLED);
}

/* ---- words ------------------------------------------------------------------------------- */

#define NAME_(id, name) name,
static const char *const state_names[] = {"new", CALL_STATES(NAME_)};
static const char *const event_names[] = {"nothing", CALL_EVENTS(NAME_)};
static const char *const outcome_names[] = {"none", CALL_OUTCOMES(NAME_)};
#undef NAME_

const char *call_state_name(enum call_state state)
{
	return (unsigned)state < CALL_STATE_COUNT ? state_names[state] : "?";
}

const char *call_event_name(enum call_event event)
{
	return (unsigned)event < CALL_EVENT_COUNT ? event_names[event] : "?";
}

const char *call_outcome_name(enum call_outcome outcome)
{
	return (unsigned)outcome < CALL_OUTCOME_COUNT ? outcome_names[outcome] : "?";
}
