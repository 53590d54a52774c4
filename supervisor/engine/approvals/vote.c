#include "supervisor/engine/approvals/vote.h"

#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "policy/prepare.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

/* ---- other arguments ------------------------------------------------------------------------ */

static bool is_editable(const struct policy_approval *rules, const char *name)
{
	for (uint32_t i = 0; i < rules->editable.count; i++)
		if (strcmp(rules->editable.items[i].text, name) == 0)
			return true;
	return false;
}

/* The arguments with what changes put into them. 0 and a new object, or RPC_INVALID_PARAMS. */
static int merge(const struct approval *approval, const struct policy_approval *rules,
    const json_t *edited, json_t **ret, struct err_note *note)
{
	const json_t *asked = json_object_get(approval->facts, "arguments");
	json_t *merged = json_deep_copy(asked), *value;
	const char *name;

	json_object_foreach((json_t *)edited, name, value)
	{
		if (json_equal(value, json_object_get(asked, name)))
			continue;
		if (!is_editable(rules, name)) {
			json_decref(merged);
			return err_note(note, RPC_INVALID_PARAMS,
			    "edited_arguments: the policy lets nobody change %s of tool %s "
			    "(approval.editable); approve or deny it as it is",
			    name, approval->tool);
		}
		if (json_object_set(merged, name, value)) {
			json_decref(merged);
			return err_note(note, RPC_INVALID_PARAMS, "out of memory");
		}
	}
	if (merged && !json_equal(merged, asked)) {
		*ret = merged;
		return 0;
	}
	json_decref(merged);
	return err_note(note, RPC_INVALID_PARAMS,
	    "edited_arguments: nothing differs from what was asked; leave them out");
}

/* Would they be taken from a caller? What they would run is judged when the call goes on. */
static int check_form(const struct engine *engine, const struct approval *approval,
    const json_t *edited, struct err_note *note)
{
	const struct ruleset *rules = engine->rules;
	const struct policy_tool *tool = policy_find_tool(rules->policy, approval->tool);
	struct prepared cleanup_with(prepared_fini) prepared = {.arguments = NULL};
	struct err_note why = {""};
	int fault = 0;

	if (!tool)
		return err_note(note, RESULT_CONFLICT, "there is no such tool any more");
	if (json_dumpb(edited, NULL, 0, JSON_COMPACT) > WIRE_MESSAGE_MAX / 2)
		return err_note(note, RPC_INVALID_PARAMS, "edited_arguments: too long");
	if (tool->type == TOOL_COMMAND && !tool_is_typed(tool))
		fault = call_args_check(edited, &why);
	if (!fault)
		fault = policy_prepare(rulebook_tool(rules->book, tool), edited, &prepared, &why);
	return fault ? err_note(note, RPC_INVALID_PARAMS, "edited_arguments: %s", why.text) : 0;
}

static int give_edit(struct engine *engine, struct approval *approval,
    const struct approval_answer *answer, const json_t *edited, struct err_note *note)
{
	const struct policy_approval *rules = approval_rules(engine->rules->policy, approval->tool);
	json_t *merged = NULL;
	int code;

	if (approval->effects[0])
		return err_note(note, RPC_INVALID_PARAMS,
		    "edited_arguments: the call has run already; approve or deny what it changed");
	if (answer->scope != GRANT_ONCE)
		return err_note(note, RPC_INVALID_PARAMS,
		    "edited_arguments: they are approved, once, with decision approve");
	code = merge(approval, rules, edited, &merged, note);
	if (!code)
		code = check_form(engine, approval, merged, note);
	if (code) {
		json_decref(merged);
		return code;
	}
	approval_edit(engine, approval, answer, merged);
	return 0;
}

/* ---- the answer ----------------------------------------------------------------------------- */

static json_t *told_state(const char *id, enum approval_state state)
{
	return json_pack("{s:s, s:s}", "id", id, "state", approval_state_name(state));
}

/* Where the answer left a grant, also which, and how long it stands. */
static json_t *told_yes(
    const struct engine *engine, const char *id, const struct approval_answer *answer)
{
	const struct grant *grant = engine->grants; /* the newest */
	char expires[CLOCK_STAMP_MAX];

	if (!grant || strcmp(grant->answer.id, id) != 0)
		return told_state(id, APPROVAL_APPROVED);
	(void)clock_stamp(expires, grant->expires_wall_us);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "state",
	    approval_state_name(APPROVAL_APPROVED), "grant", grant->id, "scope",
	    grant_scope_name(answer->scope), "expires", expires);
}

/* An answer that the rules allow is given; what comes of it is the book's to say. */
static int give(struct engine *engine, struct approval *approval,
    const struct approval_answer *answer, json_t **ret_told, struct err_note *note)
{
	enum approval_state to = answer->scope ? APPROVAL_APPROVED : APPROVAL_DENIED;
	char id[APPROVAL_ID_MAX];

	memcpy(id, approval->answer.id, sizeof(id));
	switch (approval_answer(engine, approval, to, answer, note)) {
	case APPROVAL_DECIDED:
		*ret_told =
		    answer->scope ? told_yes(engine, id, answer) : told_state(id, APPROVAL_DENIED);
		return 0;
	case APPROVAL_COUNTED:
		*ret_told = json_pack("{s:s, s:s, s:i, s:i}", "id", id, "state",
		    approval_state_name(APPROVAL_PENDING), "agreed", (int)approval->yes_count,
		    "quorum", (int)approval->quorum);
		return 0;
	case APPROVAL_TWICE:
		return err_note(note, RESULT_CONFLICT,
		    "this approver has agreed already; another one must agree too (approver keys "
		    "of one name, and API keys that one principal made, are one)");
	case APPROVAL_NO_GRANT: return RESULT_CONFLICT;
	}
	return RESULT_CONFLICT;
}

static int judge(struct engine *engine, struct approval *approval, const struct approver_vote *vote,
    struct approval_answer *answer, struct err_note *note)
{
	switch (approver_judge(engine, approval, vote, answer, note)) {
	case APPROVER_REFUSED: return RESULT_FORBIDDEN;
	case APPROVER_STALE: return RESULT_CONFLICT;
	case APPROVER_COUNTS: break;
	}
	if (approval->state != APPROVAL_PENDING)
		return err_note(note, RESULT_CONFLICT,
		    "approval %s is %s already; an answer counts once", approval->answer.id,
		    approval_state_name(approval->state));
	return 0;
}

int vote_give(struct engine *engine, struct approval *approval, const struct approver_vote *vote,
    const json_t *edited, json_t **ret_told, struct err_note *note)
{
	struct approval_answer answer;
	char id[APPROVAL_ID_MAX];
	int code = judge(engine, approval, vote, &answer, note);

	memcpy(id, approval->answer.id, sizeof(id));
	*ret_told = NULL;
	if (!code && edited) {
		code = give_edit(engine, approval, &answer, edited, note);
		if (!code) {
			*ret_told = told_state(id, APPROVAL_SUPERSEDED);
			return 0;
		}
	} else if (!code) {
		code = give(engine, approval, &answer, ret_told, note);
	}
	if (code)
		record_approval_refused(engine, approval, vote->caller->principal, note->text);
	return code;
}
