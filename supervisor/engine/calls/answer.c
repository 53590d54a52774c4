#include "supervisor/engine/calls/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/asking/gate.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/changes.h"
#include "supervisor/engine/calls/explain.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record.h"

int answer_planned(struct engine *engine, struct message *message)
{
	const struct message_planned *planned = &message->u.planned;
	struct call *call =
	    explain_planned(engine, message) ? NULL : calls_awaiting(engine, message);

	if (!call)
		return 0;
	switch ((enum answer_status)planned->status) {
	case ANSWER_OK:
		call->plan = planned->plan;
		call->plan_text = strdup(planned->text);
		call->program = strdup(planned->program);
		if (digest_is_zero(&call->plan))
			return -EBADMSG;
		call_step(call, call->plan_text && call->program ? CALL_ON_PLANNED : CALL_ON_FAULT);
		return 0;
	case ANSWER_REFUSED:
		judge_say(call, "Refused by callgate before anything ran: %s", planned->note);
		call_step(call, CALL_ON_REFUSED);
		return 0;
	case ANSWER_UNAVAILABLE:
		judge_say(call, "callgate cannot run this now: %s", planned->note);
		call_step(call, CALL_ON_UNAVAILABLE);
		return 0;
	case ANSWER_VOID:
	case ANSWER_NONE: break;
	}
	return -EBADMSG;
}

int answer_recorded(struct engine *engine, struct message *message)
{
	const struct message_recorded *recorded = &message->u.recorded;
	bool durable = recorded->status == ANSWER_OK;
	bool sealed = durable && !digest_is_zero(&recorded->receipt.mac);
	struct call *call;

	metrics_record(engine, durable);
	if (durable)
		engine_note_tree(engine, recorded->receipt.size, &recorded->receipt.root);
	if (record_noted(engine, message) || effect_op_recorded(engine, message))
		return 0;
	call = calls_awaiting(engine, message);
	if (!call)
		return 0;
	if (sealed)
		call->receipt = recorded->receipt;
	if (durable && call->state == CALL_FINISHED) {
		call->proof = recorded->receipt;
		call->proven = true;
	}
	if (!durable)
		judge_say(call, "%s%s. %s; do not rely on a retry before an operator has looked.",
		    strncmp(recorded->note, "AUDIT_", 6) == 0 ? "" : "AUDIT_UNAVAILABLE: ",
		    recorded->note, call->output ? "The result is withheld" : "No tool ran");
	call_step(call, sealed ? CALL_ON_RECEIPT : durable ? CALL_ON_RECORDED : CALL_ON_UNRECORDED);
	return 0;
}

static void take_pipes(struct call *call, struct message *message)
{
	call->pipes[0] = message_take_fd(message, 0);
	call->pipes[1] = message_take_fd(message, 1);
	if (message->u.launched.has_input)
		call->input = message_take_fd(message, 2);
}

/* The call runs: now whoever comes through its gate is served. */
static void open_gate(struct call *call, struct message *message)
{
	int cleanup_fd gate = message_take_fd(message, message->fd_count - 1);

	if (gate_open(call, gate))
		log_error("call %s: its gate cannot be handed on", call->id);
}

int answer_launched(struct engine *engine, struct message *message)
{
	const struct message_launched *launched = &message->u.launched;
	struct call *call = calls_awaiting(engine, message);

	if (!call)
		return 0;
	switch ((enum answer_status)launched->status) {
	case ANSWER_OK:
		take_pipes(call, message);
		call_step(call, CALL_ON_LAUNCHED);
		if (launched->has_gate && call->state == CALL_RUNNING)
			open_gate(call, message);
		return 0;
	case ANSWER_VOID:
		judge_say(call,
		    "Not run: what would run has changed since it was decided (%s). "
		    "Retry: it will be judged anew.",
		    launched->note);
		call_step(call, CALL_ON_VOIDED);
		return 0;
	case ANSWER_REFUSED:
		judge_say(call, "Refused by callgate at launch: %s", launched->note);
		call_step(call, CALL_ON_REFUSED);
		return 0;
	case ANSWER_UNAVAILABLE:
		judge_say(call, "callgate could not launch this: %s", launched->note);
		call_step(call, CALL_ON_UNAVAILABLE);
		return 0;
	case ANSWER_NONE: break;
	}
	return -EBADMSG;
}

static bool tree_may_live(const struct call *call)
{
	return call->state == CALL_SANDBOX || call->state == CALL_RUNNING ||
	       call->state == CALL_KILLING;
}

/* In KILLING every end of the tree is the one we asked for. */
static enum call_event exit_event(const struct call *call, enum exit_how how)
{
	static const enum call_event ends[] = {
	    [EXIT_HOW_NONE] = CALL_ON_BROKE,
	    [EXIT_HOW_EXITED] = CALL_ON_EXITED,
	    [EXIT_HOW_SIGNALED] = CALL_ON_EXITED,
	    [EXIT_HOW_DEADLINE] = CALL_ON_DEADLINE,
	    [EXIT_HOW_KILLED] = CALL_ON_BROKE,
	    [EXIT_HOW_OOM] = CALL_ON_OOM,
	    [EXIT_HOW_PIDS] = CALL_ON_PIDS,
	    [EXIT_HOW_FAILED] = CALL_ON_BROKE,
	    [EXIT_HOW_STUCK] = CALL_ON_STUCK,
	    [EXIT_HOW_CPU] = CALL_ON_CPU,
	    [EXIT_HOW_FILE] = CALL_ON_DISK,
	    [EXIT_HOW_DISK] = CALL_ON_DISK,
	    [EXIT_HOW_INODES] = CALL_ON_DISK,
	};

	if (call->state == CALL_KILLING && how != EXIT_HOW_STUCK)
		return CALL_ON_KILLED;
	return (size_t)how < sizeof(ends) / sizeof(ends[0]) ? ends[how] : CALL_ON_BROKE;
}

static void take_exit(struct call *call, const struct message_exited *exited)
{
	struct call_exit *to = &call->exit;

	to->how = (enum exit_how)exited->how;
	to->code = exited->code;
	to->by_signal = exited->by_signal || exited->how == EXIT_HOW_SIGNALED;
	to->wall_us = exited->wall_us;
	to->cpu_us = exited->cpu_us;
	to->memory_peak = exited->memory_peak;
	for (uint32_t i = 0; i < exited->layers.count && i < CALL_LAYERS_MAX; i++) {
		to->layers[to->layer_count] = strdup(exited->layers.items[i]);
		if (to->layers[to->layer_count])
			to->layer_count++;
	}
}

/* A client that was sent the streams has all of them, whatever was kept here. */
static bool output_was_cut(const struct call *call)
{
	struct output_facts out = {0}, err = {0};

	return call->output && !(call->options & REQUEST_STREAM_OUTPUT) &&
	       output_facts(call->output, OUTPUT_OUT, &out) == 0 &&
	       output_facts(call->output, OUTPUT_ERR, &err) == 0 &&
	       (out.truncated || err.truncated);
}

int answer_exited(struct engine *engine, struct message *message)
{
	const struct message_exited *exited = &message->u.exited;
	struct call *call = calls_find(engine, exited->call);
	enum call_event event;

	if (!call || !tree_may_live(call)) {
		engine->stale_answers++;
		return 0;
	}
	event = exit_event(call, (enum exit_how)exited->how);
	take_exit(call, exited);
	if (changes_take(call, exited))
		return -EBADMSG;
	if (call->state != CALL_KILLING)
		judge_say_end(call, exited->note);
	if (call->output && output_finish(call->output) && event == CALL_ON_EXITED) {
		judge_say(call, "The program ran to its end, but its output could not be kept.");
		event = CALL_ON_BROKE;
	}
	if (event == CALL_ON_EXITED && output_was_cut(call))
		event = CALL_ON_OUTPUT;
	call_step(call, event);
	return 0;
}
