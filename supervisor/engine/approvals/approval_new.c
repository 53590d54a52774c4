#include "supervisor/engine/approvals/approval_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approvals/approval_past.h"
#include "supervisor/engine/approvals/approval_text.h"
#include "supervisor/engine/approvals/approval_told.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/engine/effects/effect_told.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

#define WARNING_MAX 4096

static int make_id(const struct engine *engine, char out[APPROVAL_ID_MAX])
{
	uint8_t bytes[6];
	int fault;

	do {
		fault = key_random(bytes, sizeof(bytes));
		str_hex(out, bytes, sizeof(bytes));
	} while (!fault && (approval_find(engine, out) || approval_past_find(engine, out)));
	return fault;
}

void approval_take_edited_from(struct approval *approval, const struct call *call)
{
	if (digest_is_zero(&call->edit.plan))
		return;
	approval->edited_plan = call->edit.plan;
	memcpy(approval->edited_from, call->edit.answer.id, sizeof(approval->edited_from));
}

/* Of whom, and under which rule; what is asked is filled in already. */
static int fill(struct approval *approval, const struct call *call, const char *prompt)
{
	uint64_t quorum = approval_rules(call->rules->policy, call->tool->name)->quorum;
	const char *agent = call->identity.agent ? call->identity.agent->name : "";

	approval->quorum = quorum ? (uint32_t)quorum : 1;
	approval->caller = caller_hold(call->caller);
	memcpy(approval->principal, call->caller->principal, sizeof(approval->principal));
	approval->agent = strdup(agent);
	approval->space = strdup(call->identity.space->name);
	approval->tool = strdup(call->tool->name);
	approval->rule = strdup(call->rule);
	approval->reason = strdup(call->reason);
	approval->command = approval_command(call);
	approval->facts = approval_facts(call, &approval->facts_bytes);
	approval_take_edited_from(approval, call);
	if (!approval->facts || !approval->agent || !approval->space || !approval->tool ||
	    !approval->rule || !approval->reason || !approval->command || !approval->warning)
		return -ENOMEM;
	approval->prompt = approval_prompt(prompt, approval->command);
	return approval->prompt ? make_id(call->engine, approval->answer.id) : -ENOMEM;
}

static int charge(struct approval *approval, struct call *call)
{
	uint64_t bytes = approval_size(approval);

	approval->account = quota_hold(call->engine, call->caller);
	if (!approval->account)
		return -ENOMEM;
	if (quota_charge(approval->account, QUOTA_APPROVAL, 1) == 0) {
		if (quota_charge(approval->account, QUOTA_BYTE, bytes) == 0) {
			approval->charged_bytes = bytes;
			return 0;
		}
		quota_return(approval->account, QUOTA_APPROVAL, 1);
	}
	approval->account = quota_drop(approval->account);
	judge_say(call,
	    "Too many questions of this user wait for a human (at most %d); retry when "
	    "some are answered or have expired.",
	    QUOTA_APPROVALS);
	return APPROVAL_FULL;
}

/* Into the book, and to whoever can answer. APPROVAL_WAITS, APPROVAL_FULL or -errno; unless it
 * waits, it is freed. */
static int ask(struct call *call, struct approval *approval, int fault)
{
	struct approval **at = &call->engine->approvals.first;

	if (fault == 0)
		fault = charge(approval, call);
	if (fault) {
		approval_free(approval);
		return fault;
	}
	approval->created_wall_us = clock_wall_us();
	while (*at)
		at = &(*at)->next;
	*at = approval;
	approval_set_state(call->engine, approval, APPROVAL_PENDING);
	record_approval_request(call->engine, approval, call);
	call->approval = approval;
	return APPROVAL_WAITS;
}

int approval_ask_anew(struct call *call)
{
	struct approval *approval = calloc(1, sizeof(*approval));
	const char *prompt = call->tool->approval_prompt;
	int fault;

	if (!approval)
		return -ENOMEM;
	fault = approval_details(call, &approval->details);
	approval->plan = call->plan;
	approval->warning = approval_warning(call);
	if (!fault)
		fault = fill(approval, call, *prompt ? prompt : "Run {command}?");
	if (fault == -E2BIG) {
		judge_say(call,
		    "Refused by callgate: a human must approve this call, and its arguments are "
		    "too long to be shown whole. Make several calls of it.");
		fault = APPROVAL_DECLINED;
	}
	fault = ask(call, approval, fault);
	if (fault == APPROVAL_WAITS)
		call->answer = call->approval->answer;
	return fault;
}

/* ---- about what it changed ----------------------------------------------------------------- */

static char *effects_warning(const struct call *call, const struct holding *holding)
{
	const struct effect_counts counts = effect_told_count(&holding->effects);
	char *cleanup_free mixed = approval_warning(call);
	struct buf cleanup_with(buf_fini) text = {0};

	if (!mixed)
		return NULL;
	buf_init(&text, WARNING_MAX);
	if (counts.runs_later)
		buf_textf(&text,
		    "%u of the changes may be run later on the host, outside of any sandbox%s",
		    counts.runs_later, mixed[0] ? "; " : "");
	buf_text(&text, mixed);
	return buf_cstr(&text) ? strdup(buf_cstr(&text)) : NULL;
}

static int effects_fill(
    struct approval *approval, const struct call *call, const struct holding *holding)
{
	int fault = approval_effects_details(call, &holding->effects, &approval->details);

	memcpy(approval->effects, holding->call, sizeof(approval->effects));
	approval->plan = holding->digest;
	approval->warning = effects_warning(call, holding);
	if (!fault)
		fault = fill(approval, call, "Keep what {command} changed?");
	if (!fault && json_object_set_new(approval->facts, "effects", effect_told_line(holding)))
		fault = -ENOMEM;
	return fault;
}

int approval_ask_effects(struct call *call)
{
	struct holding *holding = effect_book_find(call->engine, call->id);
	struct approval *approval = holding ? calloc(1, sizeof(*approval)) : NULL;
	int fault;

	if (!approval)
		return -ENOMEM;
	fault = effects_fill(approval, call, holding);
	if (fault == -E2BIG) {
		judge_say(call,
		    "It ran, and nothing of what it changed was kept: a human must approve that, "
		    "and it is too much to be shown whole. Make several calls of it.");
		fault = APPROVAL_DECLINED;
	}
	fault = ask(call, approval, fault);
	if (fault == APPROVAL_WAITS) {
		call->review = call->approval->answer;
		memcpy(holding->approval, call->review.id, sizeof(holding->approval));
	}
	return fault;
}

/* Whoever answers closes it himself; a client that is let go leaves it open. */
void approval_leave_effects(struct call *call)
{
	struct approval *approval = call->approval;

	call->approval = NULL;
	if (!approval || (call->outcome != OUTCOME_CANCELLED && call->outcome != OUTCOME_FAILED))
		return;
	record_approval_end(
	    call->engine, approval, "the call is over, and what it changed is dropped");
	approval_close(call->engine, approval, APPROVAL_CANCELLED);
}
