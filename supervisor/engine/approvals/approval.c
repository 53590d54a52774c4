#include "supervisor/engine/approvals/approval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/approvals/approval_inside.h"
#include "supervisor/engine/approvals/approval_past.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/approvals/person.h"
#include "supervisor/engine/approvals/watch.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/hooks/hook.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

const char *approval_state_name(enum approval_state state)
{
	switch (state) {
#define APPROVAL_NAME_(id, name)                                                                   \
	case APPROVAL_##id: return name;
		APPROVAL_STATES(APPROVAL_NAME_)
#undef APPROVAL_NAME_
	case APPROVAL_NONE: break;
	}
	return "none";
}

/* ---- the book ---------------------------------------------------------------------------- */

static void on_timer_deadline(uv_timer_t *timer)
{
	approval_sweep(timer->data);
}

/* The timer stands on the nearest deadline. */
static void set_timer(struct engine *engine)
{
	struct approval_book *book = &engine->approvals;
	uint64_t now_us = clock_monotonic_us(), nearest = UINT64_MAX;

	for (const struct approval *at = book->first; at; at = at->next)
		if (at->expires_us < nearest)
			nearest = at->expires_us;
	(void)uv_timer_stop(&book->timer);
	if (nearest != UINT64_MAX)
		(void)uv_timer_start(&book->timer, on_timer_deadline,
		    nearest > now_us ? (nearest - now_us) / 1000 + 1 : 0, 0);
}

/* Approvers hear of every change. */
static void changed(struct engine *engine)
{
	set_timer(engine);
	engine->approvals.revision++;
	watch_wake(engine);
}

void approval_free(struct approval *approval)
{
	if (approval->account) {
		quota_return(approval->account, QUOTA_APPROVAL, 1);
		quota_return(approval->account, QUOTA_BYTE, approval->charged_bytes);
		(void)quota_drop(approval->account);
	}
	(void)caller_drop(approval->caller);
	free(approval->agent);
	free(approval->space);
	free(approval->tool);
	free(approval->command);
	free(approval->prompt);
	free(approval->details);
	free(approval->warning);
	free(approval->rule);
	free(approval->reason);
	json_decref(approval->facts);
	json_decref(approval->edited);
	free(approval);
}

/* Ends a question for good; its id is remembered. Nobody may be waiting for it any more. */
void approval_close(struct engine *engine, struct approval *approval, enum approval_state state)
{
	struct approval **at = &engine->approvals.first;

	while (*at != approval)
		at = &(*at)->next;
	*at = approval->next;
	approval_past_add(engine, approval, state);
	hook_ended(engine, approval, state);
	elicit_closed(engine, approval->answer.id);
	approval_free(approval);
	changed(engine);
}

void approval_set_state(struct engine *engine, struct approval *approval, enum approval_state state)
{
	uint64_t timeout_us = engine->rules->policy->approval_timeout_ms * 1000;

	approval->state = state;
	approval->expires_us = clock_monotonic_us() + timeout_us;
	approval->expires_wall_us = clock_wall_us() + timeout_us;
	if (state == APPROVAL_PENDING)
		hook_asked(engine, approval);
	else
		hook_ended(engine, approval, approval->edited ? APPROVAL_SUPERSEDED : state);
	changed(engine);
}

const char *approval_answer_how(const struct approval_answer *answer)
{
	if (!answer->principal[0])
		return "";
	if (answer->elicited)
		return "elicitation";
	if (answer->key[0])
		return "signature";
	return answer->proof == CALLER_PEER || answer->proof == CALLER_NOBODY
		   ? "uid"
		   : caller_proof_name(answer->proof);
}

void approval_init(struct engine *engine)
{
	(void)uv_timer_init(engine->loop, &engine->approvals.timer);
	engine->approvals.timer.data = engine;
}

void approval_fini(struct engine *engine)
{
	while (engine->approvals.first) {
		struct approval *approval = engine->approvals.first;

		engine->approvals.first = approval->next;
		approval_free(approval);
	}
	approval_past_free_all(engine);
	uv_close((uv_handle_t *)&engine->approvals.timer, NULL);
}

struct approval *approval_find(const struct engine *engine, const char *id)
{
	struct approval *at = engine->approvals.first;

	while (at && strcmp(at->answer.id, id) != 0)
		at = at->next;
	return at;
}

uint32_t approval_pending(const struct engine *engine)
{
	uint32_t count = 0;

	for (const struct approval *at = engine->approvals.first; at; at = at->next)
		count += at->state == APPROVAL_PENDING;
	return count;
}

/* ---- asking ------------------------------------------------------------------------------ */

/* The digest covers all of these already; they are compared again because an answer must never
 * cross from one principal to another, whatever the digest is made of. */
static bool is_for(const struct approval *approval, const struct call *call)
{
	return !approval->effects[0] && digest_equal(&approval->plan, &call->plan) &&
	       strcmp(approval->principal, call->caller->principal) == 0 &&
	       strcmp(approval->agent, call->identity.agent ? call->identity.agent->name : "") ==
		   0 &&
	       strcmp(approval->space, call->identity.space->name) == 0 &&
	       strcmp(approval->tool, call->tool->name) == 0;
}

static struct approval *find_for(const struct call *call, uint64_t now_us)
{
	struct approval *at = call->engine->approvals.first;

	while (at && !(is_for(at, call) && at->expires_us > now_us))
		at = at->next;
	return at;
}

/* Is what runs now an approver's edit, and may his answer still count? */
static bool edit_counts(const struct call *call)
{
	return !digest_is_zero(&call->edit.plan) && !call->edit.spent &&
	       digest_equal(&call->edit.policy, &call->rules->version);
}

/* True when enough have agreed. */
static bool count_yes(struct approval *approval, const struct approval_answer *answer)
{
	uint32_t n = approval->yes_count;

	if (n < APPROVAL_QUORUM_MAX) {
		memcpy(approval->yes[n].principal, answer->principal, sizeof(answer->principal));
		memcpy(approval->yes[n].makers, answer->makers, sizeof(answer->makers));
		memcpy(approval->yes[n].key, answer->key, sizeof(answer->key));
		memcpy(approval->yes[n].name, answer->name, sizeof(answer->name));
		memcpy(approval->yes[n].claimed, answer->claimed, sizeof(answer->claimed));
		approval->yes[n].how = approval_answer_how(answer);
		approval->yes_count++;
	}
	return approval->yes_count >= approval->quorum;
}

/* The call goes on with the arguments that an approver gave it. 0 or -ENOMEM. */
static int take_edit(struct call *call, const struct approval *approval)
{
	char *body = json_dumps(approval->edited, JSON_COMPACT);

	if (!body)
		return -ENOMEM;
	free(call->body);
	call->body = body;
	call->body_len = strlen(body);
	call->edit = (struct approval_edit){.answer = approval->answer,
	    .plan = approval->plan,
	    .policy = call->engine->rules->version};
	return 0;
}

static int pick_up_edit(struct call *call, struct approval *approval)
{
	int fault = take_edit(call, approval);

	approval_close(call->engine, approval, APPROVAL_SUPERSEDED);
	return fault ? fault : APPROVAL_EDITED;
}

/* A yes is good for one run: whoever else waits with the identical call asks anew. */
static void ask_again(struct engine *engine, struct approval *approval)
{
	struct call *call;

	while ((call = calls_waiter(engine, approval))) {
		approval->expires_us = 0; /* found by nobody any more */
		call_step(call, CALL_ON_NEEDS_HUMAN);
	}
}

/* The question about an approver's own edit has his yes already; where others must agree, they are
 * asked. */
static int answer_by_edit(struct call *call)
{
	struct engine *engine = call->engine;
	struct approval *approval = call->approval;
	struct approval_answer open = approval->answer, yes = call->edit.answer;

	call->edit.spent = true;
	approval_take_edited_from(approval, call);
	memcpy(yes.id, open.id, sizeof(yes.id));
	if (person_has_agreed(approval, &yes))
		return APPROVAL_WAITS;
	approval->answer = yes;
	if (!count_yes(approval, &yes)) {
		record_approval_answer(engine, RECORD_APPROVAL_GRANT, approval);
		approval->answer = open;
		changed(engine);
		return APPROVAL_WAITS;
	}
	call->approval = NULL;
	call->answer = yes;
	call->answered = true;
	approval_set_state(engine, approval, APPROVAL_APPROVED);
	record_approval_answer(engine, RECORD_APPROVAL_GRANT, approval);
	ask_again(engine, approval);
	approval_close(engine, approval, APPROVAL_USED);
	return APPROVAL_GRANTED;
}

static int ask_or_find(struct call *call, struct approval *approval)
{
	enum approval_state state;

	if (!approval)
		return approval_ask_anew(call);
	call->answer = approval->answer;
	state = approval->state;
	switch (state) {
	case APPROVAL_PENDING: call->approval = approval; return APPROVAL_WAITS;
	case APPROVAL_APPROVED:
		if (approval->edited)
			return pick_up_edit(call, approval);
		call->answered = true;
		approval_close(call->engine, approval, APPROVAL_USED);
		return APPROVAL_GRANTED;
	case APPROVAL_DENIED:
		call->answered = true;
		approval_close(call->engine, approval, APPROVAL_DENIED);
		return APPROVAL_DECLINED;
	case APPROVAL_EXPIRED:
		approval_close(call->engine, approval, APPROVAL_EXPIRED);
		return APPROVAL_RAN_OUT;
	case APPROVAL_NONE:
	case APPROVAL_USED:
	case APPROVAL_CANCELLED:
	case APPROVAL_SUPERSEDED:
	case APPROVAL_VOID: break;
	}
	return -EPROTO; /* ended questions are not in the book */
}

int approval_ask(struct call *call)
{
	struct approval *approval = find_for(call, clock_monotonic_us());
	int result = ask_or_find(call, approval);

	if (result == APPROVAL_WAITS && edit_counts(call))
		return answer_by_edit(call);
	return result;
}

void approval_leave(struct call *call)
{
	struct approval *approval = call->approval;

	call->approval = NULL;
	if (!approval || call->outcome != OUTCOME_CANCELLED || calls_waiter(call->engine, approval))
		return;
	record_approval_end(call->engine, approval, "the client withdrew the call");
	approval_close(call->engine, approval, APPROVAL_CANCELLED);
}

/* ---- ends -------------------------------------------------------------------------------- */

/* Gives the answer to the call that has waited longest. A yes is good for one run. A no, and an
 * expiry, are for all. */
static void tell_waiters(struct engine *engine, struct approval *approval, enum call_event event)
{
	enum approval_state state = approval->state;
	struct approval_answer answer = approval->answer;
	bool edited = event == CALL_ON_EDITED;
	struct call *call;

	while ((call = calls_waiter(engine, approval))) {
		if (approval->effects[0]) {
			call->review = answer;
		} else {
			call->answer = answer;
			call->answered = state != APPROVAL_EXPIRED && !edited;
		}
		call_step(call, edited && take_edit(call, approval) ? CALL_ON_FAULT : event);
		if (edited || event == CALL_ON_APPROVED)
			break;
	}
	if (edited || event == CALL_ON_APPROVED)
		ask_again(engine, approval);
	if (edited)
		state = APPROVAL_SUPERSEDED;
	approval_close(engine, approval, state == APPROVAL_APPROVED ? APPROVAL_USED : state);
}

/* Of a call that is over: nobody picks this up, so it is done at once. */
static void settle_effects(struct engine *engine, struct approval *approval, const char *cause)
{
	enum approval_state state = approval->state;

	effect_op_answered(engine, approval, state, cause);
	approval_close(engine, approval, state == APPROVAL_APPROVED ? APPROVAL_USED : state);
}

const struct policy_approval *approval_rules(const struct policy *policy, const char *name)
{
	const struct policy_tool *tool = policy_find_tool(policy, name);

	return tool && tool->approval.given ? &tool->approval : &policy->approval;
}

/* Before anything is answered: a grant that cannot be made must not look as if it were. */
static int make_grant(struct engine *engine, const struct approval *approval,
    const struct approval_answer *answer, struct err_note *note)
{
	const struct policy_approval *rules = approval_rules(engine->rules->policy, approval->tool);
	struct approval answered = *approval;
	int result;

	if (answer->scope != GRANT_SESSION && answer->scope != GRANT_ALWAYS)
		return 0;
	answered.answer = *answer;
	result = grant_add(engine, &answered, answer->scope, calls_waiter(engine, approval),
	    rules->max_grant_ttl_ms);
	if (result == GRANT_FULL)
		return err_note(note, result, "%d grants are in force; revoke some", GRANTS_MAX);
	if (result == GRANT_NO_SESSION)
		return err_note(note, result,
		    "nobody waits for approval %s now, so there is no "
		    "session to approve for; approve it once or always",
		    approval->answer.id);
	return result ? err_note(note, result, "the grant cannot be kept") : 0;
}

enum approval_vote approval_answer(struct engine *engine, struct approval *approval,
    enum approval_state to, const struct approval_answer *answer, struct err_note *note)
{
	const struct approval_answer open = approval->answer;
	bool yes = to == APPROVAL_APPROVED;

	if (yes && person_has_agreed(approval, answer))
		return APPROVAL_TWICE;
	if (yes && approval->yes_count + 1 >= approval->quorum &&
	    make_grant(engine, approval, answer, note))
		return APPROVAL_NO_GRANT;
	approval->answer = *answer;
	if (yes && !count_yes(approval, answer)) {
		record_approval_answer(engine, RECORD_APPROVAL_GRANT, approval);
		approval->answer = open; /* it waits on, unanswered */
		changed(engine);
		return APPROVAL_COUNTED;
	}
	approval_set_state(engine, approval, to);
	record_approval_answer(
	    engine, yes ? RECORD_APPROVAL_GRANT : RECORD_APPROVAL_DENY, approval);
	if (calls_waiter(engine, approval))
		tell_waiters(engine, approval, yes ? CALL_ON_APPROVED : CALL_ON_DENIED);
	else if (approval->effects[0])
		settle_effects(engine, approval, "");
	return APPROVAL_DECIDED;
}

void approval_edit(struct engine *engine, struct approval *approval,
    const struct approval_answer *answer, json_t *edited)
{
	approval->answer = *answer;
	approval->edited = edited;
	approval_set_state(engine, approval, APPROVAL_APPROVED);
	record_approval_answer(engine, RECORD_APPROVAL_DENY, approval);
	if (calls_waiter(engine, approval))
		tell_waiters(engine, approval, CALL_ON_EDITED);
}

static void expire(struct engine *engine, struct approval *approval)
{
	enum approval_state was = approval->state;

	if (was == APPROVAL_PENDING) {
		record_approval_end(engine, approval, "nobody answered in time");
		approval_set_state(engine, approval, APPROVAL_EXPIRED);
		if (calls_waiter(engine, approval))
			tell_waiters(engine, approval, CALL_ON_EXPIRED);
		else if (approval->effects[0])
			settle_effects(engine, approval, "nobody answered in time");
		return;
	}
	if (was == APPROVAL_APPROVED)
		record_approval_end(engine, approval, "the answer was not picked up in time");
	approval_close(engine, approval, was == APPROVAL_APPROVED ? APPROVAL_EXPIRED : was);
}

void approval_sweep(struct engine *engine)
{
	uint64_t now_us = clock_monotonic_us();
	struct approval *at = engine->approvals.first;

	while (at) {
		if (at->expires_us <= now_us) {
			expire(engine, at);
			at = engine->approvals.first; /* the book has changed */
		} else {
			at = at->next;
		}
	}
	set_timer(engine);
}

/* Ends a question that nobody waits for. */
static void end_void(struct engine *engine, struct approval *approval, const char *cause)
{
	if (approval->state == APPROVAL_PENDING || approval->state == APPROVAL_APPROVED)
		record_approval_end(engine, approval, cause);
	approval_close(engine, approval, APPROVAL_VOID);
}

void approval_void_of(struct engine *engine, const char *credential, const char *cause)
{
	struct approval *approval = engine->approvals.first;

	while (approval) {
		bool ends =
		    auth_is_of(approval->caller, credential) && !calls_waiter(engine, approval);
		struct approval *next = approval->next;

		if (ends)
			end_void(engine, approval, cause);
		approval = next;
	}
}

void approval_void_all(struct engine *engine, const char *cause)
{
	while (engine->approvals.first) {
		struct approval *approval = engine->approvals.first;
		struct call *call;

		while ((call = calls_waiter(engine, approval)))
			call->approval = NULL;
		end_void(engine, approval, cause);
	}
}
