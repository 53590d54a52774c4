#include "supervisor/engine/effects/effect_op.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/wire/result.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/changes.h"
#include "supervisor/engine/effects/effect_told.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record_effects.h"
#include "supervisor/evidence/record.h"

struct effect_op {
	struct effect_op *next;
	enum effects_op op;
	enum message_type awaits;
	uint64_t serial;
	char call[CALL_ID_MAX];
	char by[PRINCIPAL_MAX];
	uint32_t *paths; /* owned indexes; NULL: all */
	uint32_t path_count;
	bool replies;
	struct result_to to;
};

/* ---- birth and death ---------------------------------------------------------------------- */

static void free_op(struct effect_op *op)
{
	free(op->paths);
	free(op);
}

static void drop(struct engine *engine, struct effect_op *op)
{
	struct effect_op **at = &engine->effects.ops;

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
	free_op(op);
}

void effect_op_free_all(struct engine *engine)
{
	while (engine->effects.ops)
		drop(engine, engine->effects.ops);
}

static struct effect_op *make(const struct holding *holding, const struct effect_order *order)
{
	struct effect_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->op = order->op;
	memcpy(op->call, holding->call, sizeof(op->call));
	(void)snprintf(op->by, sizeof(op->by), "%s", order->by);
	op->replies = order->to != NULL;
	if (order->to)
		op->to = *order->to;
	if (!order->paths)
		return op;
	op->path_count = order->path_count;
	op->paths = calloc(order->path_count ? order->path_count : 1, sizeof(*op->paths));
	if (!op->paths) {
		free_op(op);
		return NULL;
	}
	memcpy(op->paths, order->paths, order->path_count * sizeof(*op->paths));
	return op;
}

/* ---- to the warden ------------------------------------------------------------------------ */

static int fill_paths(struct strv *paths, const struct effect_op *op, const struct holding *holding)
{
	paths->items = calloc(op->path_count ? op->path_count : 1, sizeof(*paths->items));
	if (!paths->items)
		return -ENOMEM;
	for (uint32_t i = 0; i < op->path_count; i++)
		paths->items[i] = holding->effects.items[op->paths[i]].path;
	paths->count = op->path_count;
	return 0;
}

static int order(struct engine *engine, struct effect_op *op, const struct holding *holding,
    const struct receipt *receipt)
{
	struct message message;
	int fault = 0;

	message_init(&message, MESSAGE_EFFECTS);
	message.u.effects.op = op->op;
	message.u.effects.call = op->call;
	message.u.effects.by = op->by;
	message.u.effects.effects = holding->digest;
	if (receipt)
		message.u.effects.receipt = *receipt;
	/* The paths of an undoing are for the record: it is all of them or none. */
	message.u.effects.written = op->op == EFFECTS_UNDO ? holding->written_count : 0;
	if (op->op != EFFECTS_UNDO)
		fault = fill_paths(&message.u.effects.paths, op, holding);
	if (!fault)
		fault = engine_send(engine, &engine->warden, &message);
	free(message.u.effects.paths.items);
	op->awaits = MESSAGE_EFFECTED;
	op->serial = message.serial;
	return fault;
}

static int decide(struct engine *engine, struct effect_op *op, const struct holding *holding,
    const struct effect_order *order)
{
	struct buf cleanup_with(buf_fini) fields = {0};
	struct message message;
	int fault;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_effects_decision(&fields, holding, order);
	message_init(&message, MESSAGE_RECORD);
	message.u.record.record = RECORD_EFFECTS_DECISION;
	message.u.record.call = holding->call;
	message.u.record.plan = holding->digest;
	message.u.record.allow = order->op != EFFECTS_DISCARD;
	message.u.record.body.data = fields.data;
	message.u.record.body.len = fields.len;
	fault = fields.fault ? fields.fault : engine_send(engine, &engine->auditor, &message);
	op->awaits = MESSAGE_RECORDED;
	op->serial = message.serial;
	return fault;
}

int effect_op_start(struct engine *engine, struct holding *holding, const struct effect_order *said)
{
	struct effect_op *op;
	int fault;

	if (said->op != EFFECTS_LOOK && holding->busy)
		return -EBUSY;
	op = make(holding, said);
	if (!op)
		return -ENOMEM;
	fault = said->op == EFFECTS_LOOK ? order(engine, op, holding, NULL)
					 : decide(engine, op, holding, said);
	if (fault) {
		log_error("call %s: an order about its changes could not be sent: %s", op->call,
		    strerror(-fault));
		free_op(op);
		return fault;
	}
	holding->busy = said->op != EFFECTS_LOOK || holding->busy;
	op->next = engine->effects.ops;
	engine->effects.ops = op;
	return 0;
}

void effect_op_forget(struct engine *engine, const struct holding *holding)
{
	struct effect_op op = {.op = EFFECTS_DISCARD};

	memcpy(op.call, holding->call, sizeof(op.call));
	(void)snprintf(op.by, sizeof(op.by), "callgate");
	(void)order(engine, &op, holding, NULL);
}

/* ---- the end of an order -------------------------------------------------------------------- */

/* What the call that waits for this goes on with. */
static void step_call(
    struct engine *engine, const struct effect_op *op, enum answer_status status, const char *note)
{
	struct call *call = calls_find(engine, op->call);
	enum call_event event = CALL_ON_UNAVAILABLE;

	if (!call || (call->state != CALL_WRITING && call->state != CALL_DROPPING))
		return;
	if (op->op == EFFECTS_DISCARD) {
		event = CALL_ON_DROPPED;
	} else if (status == ANSWER_OK) {
		call->kept = true;
		event = CALL_ON_WRITTEN;
	} else {
		changes_say_unwritten(call, note);
		if (status == ANSWER_REFUSED || status == ANSWER_VOID)
			event = CALL_ON_REFUSED;
	}
	call_step(call, event);
}

static void reply(const struct effect_op *op, const struct holding *holding,
    enum answer_status status, const char *note)
{
	if (!op->replies)
		return;
	if (status == ANSWER_OK && holding)
		result_give(&op->to, effect_told_json(holding, EFFECT_TOLD_ALL));
	else if (status == ANSWER_OK)
		result_give(&op->to, json_pack("{s:s}", "call", op->call));
	else if (status == ANSWER_UNAVAILABLE)
		result_refuse(&op->to, RESULT_UNAVAILABLE, "not done: %s", note);
	else
		result_refuse(&op->to, RESULT_CONFLICT, "not done: %s", note);
}

static void end(
    struct engine *engine, struct effect_op *op, enum answer_status status, const char *note)
{
	struct holding *holding = effect_book_find(engine, op->call);
	struct effect_op over = *op;

	op->paths = NULL; /* freed below: over's */
	drop(engine, op);
	if (holding && over.op != EFFECTS_LOOK)
		holding->busy = false;
	if (status != ANSWER_OK)
		log_warn("call %s: %s", over.call, note);
	reply(&over, holding, status, note);
	step_call(engine, &over, status, note);
	free(over.paths);
	engine_settle(engine);
}

static struct effect_op *find(struct engine *engine, const struct message *answer)
{
	struct effect_op *op = engine->effects.ops;

	while (op && !(op->awaits == answer->type && op->serial == answer->serial))
		op = op->next;
	return op;
}

bool effect_op_recorded(struct engine *engine, const struct message *message)
{
	const struct message_recorded *recorded = &message->u.recorded;
	struct effect_op *op = find(engine, message);
	struct holding *holding = op ? effect_book_find(engine, op->call) : NULL;
	bool durable = recorded->status == ANSWER_OK;
	bool sealed = durable && !digest_is_zero(&recorded->receipt.mac);

	if (!op)
		return false;
	if (!holding)
		end(engine, op, ANSWER_REFUSED, "the changes are forgotten");
	else if (op->op != EFFECTS_DISCARD && !sealed)
		end(engine, op, ANSWER_UNAVAILABLE,
		    durable ? "the auditor gave no receipt" : recorded->note);
	else if (order(engine, op, holding, sealed ? &recorded->receipt : NULL))
		end(engine, op, ANSWER_UNAVAILABLE, "the order could not be sent");
	return true;
}

/* What the warden says it has written, or written back. -EBADMSG: no such path is held. */
static int take_written(
    struct holding *holding, const struct effect_op *op, const struct message_effected *effected)
{
	struct effects cleanup_with(effects_fini) list = {.count = 0};
	uint32_t at = 0;
	int fault = effects_decode(&list, effected->body.data, effected->body.len);

	for (uint32_t i = 0; !fault && i < list.count; i++) {
		while (at < holding->effects.count &&
		       strcmp(holding->effects.items[at].path, list.items[i].path) != 0)
			at++;
		if (at == holding->effects.count)
			return -EBADMSG;
		holding->written_count += (op->op == EFFECTS_COMMIT) - holding->written[at];
		holding->written[at] = op->op == EFFECTS_COMMIT;
	}
	return fault == -ENOMEM ? 0 : fault;
}

static int take_done(
    struct holding *holding, const struct effect_op *op, const struct message_effected *effected)
{
	int fault = 0;

	if (op->op != EFFECTS_DISCARD)
		fault = take_written(holding, op, effected);
	if (op->op == EFFECTS_COMMIT && holding->written_count == holding->effects.count)
		holding->state = HOLDING_COMMITTED;
	else if (op->op == EFFECTS_UNDO && holding->state == HOLDING_COMMITTED &&
		 !holding->written_count)
		holding->state = HOLDING_UNDONE;
	else if (op->op == EFFECTS_DISCARD && holding->state == HOLDING_HELD)
		holding->state = holding->written_count ? HOLDING_COMMITTED : HOLDING_DISCARDED;
	return fault;
}

static int end_look(
    struct engine *engine, struct effect_op *op, const struct message_effected *effected)
{
	const struct holding *holding = effect_book_find(engine, op->call);
	struct result_to to = op->to;
	json_t *told = NULL;
	int fault = 0;

	if (effected->status == ANSWER_OK && holding)
		fault =
		    effect_told_look(&holding->effects.items[op->paths[0]], &effected->body, &told);
	if (told)
		result_give(&to, told);
	else
		result_refuse(&to,
		    effected->status == ANSWER_REFUSED ? RESULT_CONFLICT : RESULT_UNAVAILABLE, "%s",
		    effected->note[0] ? effected->note : "the contents cannot be shown");
	drop(engine, op);
	engine_settle(engine);
	return fault;
}

int effect_op_effected(struct engine *engine, struct message *message)
{
	const struct message_effected *effected = &message->u.effected;
	struct effect_op *op = find(engine, message);
	struct holding *holding = op ? effect_book_find(engine, op->call) : NULL;
	int fault = 0;

	if (!op) {
		engine->stale_answers++;
		return 0;
	}
	if (effected->status == ANSWER_NONE)
		return -EBADMSG;
	if (op->op == EFFECTS_LOOK)
		return end_look(engine, op, effected);
	if (holding && effected->status == ANSWER_OK)
		fault = take_done(holding, op, effected);
	end(engine, op, (enum answer_status)effected->status,
	    effected->note[0] ? effected->note : "the warden says no more");
	return fault;
}

/* ---- answers of humans, where no call waits -------------------------------------------------- */

void effect_op_answered(struct engine *engine, const struct approval *approval,
    enum approval_state to, const char *cause)
{
	struct holding *holding = effect_book_find(engine, approval->effects);
	const bool by_human = approval->answer.principal[0];
	const struct effect_order order = {
	    .op = to == APPROVAL_APPROVED ? EFFECTS_COMMIT : EFFECTS_DISCARD,
	    .answer = by_human ? &approval->answer : NULL,
	    .cause = cause,
	    .by = by_human ? approval->answer.principal : "callgate"};

	if (!holding)
		return;
	holding->approval[0] = '\0';
	if (holding->state == HOLDING_HELD && effect_op_start(engine, holding, &order))
		log_error(
		    "call %s: what was answered about its changes cannot be done", holding->call);
}

void effect_op_void(struct engine *engine, const char *cause)
{
	const struct effect_order order = {.op = EFFECTS_DISCARD, .cause = cause, .by = "callgate"};

	for (struct holding *at = engine->effects.first; at; at = at->next) {
		const struct call *call = calls_find(engine, at->call);

		if (!at->approval[0])
			continue;
		at->approval[0] = '\0';
		if (!call || call->state != CALL_REVIEW)
			(void)effect_op_start(engine, at, &order);
	}
}
