#include "supervisor/engine/methods/methods_approvals.h"

#include <string.h>

#include "agent-api/wire/rpc.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/approval_past.h"
#include "supervisor/engine/approvals/approval_told.h"
#include "supervisor/engine/approvals/approver.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/approvals/vote.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"

/* {key, time, signature}. NULL when well-formed, else what is wrong. */
static const char *read_approver(const json_t *approver, struct approver_vote *vote)
{
	const json_t *signature = json_object_get(approver, "signature");
	const json_t *time = json_object_get(approver, "time");
	size_t len = 0;

	vote->key = json_string_value(json_object_get(approver, "key"));
	if (!vote->key || !json_is_string(signature) || !json_is_integer(time) ||
	    json_integer_value(time) < 0)
		return "approver: {key, time, signature} are needed";
	vote->wall_us = (uint64_t)json_integer_value(time);
	if (str_unbase64(vote->signature, sizeof(vote->signature), json_string_value(signature),
		json_string_length(signature), &len) ||
	    len != SIGNATURE_LEN)
		return "approver.signature: not the base64 of 64 bytes";
	return NULL;
}

/* By HTTP an answer may leave the plan out: the id is of one exact plan, and the answer is the
 * caller's own. A signature is over it, so that a signed answer must name it. */
static const char *read_plan(const struct methods_ask *ask, struct approver_vote *vote)
{
	const json_t *plan = json_object_get(ask->params, "plan");
	const char *text = json_string_value(plan);

	if (!plan && (ask->peer->id & PEER_IS_HTTP) && !json_object_get(ask->params, "approver"))
		return NULL;
	if (!text || strncmp(text, "sha256:", 7) != 0 || digest_unhex(&vote->plan, text + 7) ||
	    digest_is_zero(&vote->plan))
		return "plan: \"sha256:<64 hex digits>\" is needed";
	return NULL;
}

const char *methods_read_proof(const struct methods_ask *ask, struct approver_vote *vote)
{
	const json_t *reason = json_object_get(ask->params, "reason");
	const json_t *approver = json_object_get(ask->params, "approver");

	vote->caller = ask->peer->caller;
	vote->channel = "terminal";
	vote->claimed = "";
	vote->reason = json_is_string(reason) ? json_string_value(reason) : "";
	if ((reason && !json_is_string(reason)) || strlen(vote->reason) >= APPROVAL_REASON_MAX)
		return "reason: a text of less than 512 bytes is needed";
	return approver ? read_approver(approver, vote) : NULL;
}

/* NULL when well-formed, else what is wrong. */
static const char *read_vote(const struct methods_ask *ask, struct approver_vote *vote)
{
	const char *decision = methods_text(ask, "decision"), *wrong = read_plan(ask, vote);
	const json_t *scope = json_object_get(ask->params, "scope");

	if (wrong)
		return wrong;
	if (!decision || (strcmp(decision, "approve") != 0 && strcmp(decision, "deny") != 0))
		return "decision: approve or deny is needed";
	vote->approve = strcmp(decision, "approve") == 0;
	vote->scope =
	    scope ? grant_scope(json_is_string(scope) ? json_string_value(scope) : "") : GRANT_ONCE;
	if (!vote->scope)
		return "scope: once, session or always is needed";
	return methods_read_proof(ask, vote);
}

/* What the caller may know of: a question of a namespace that he is let into. */
struct found {
	struct approval *approval;
	const struct approval_past *past; /* where it is over */
};

static struct found find(const struct methods_ask *ask, const char *id)
{
	const struct viewer viewer = {ask->engine, ask->peer->caller};
	struct found found;

	approval_sweep(ask->engine);
	found.approval = approval_find(ask->engine, id);
	found.past = found.approval ? NULL : approval_past_find(ask->engine, id);
	/* Of another namespace: as unknown as one that never was. */
	if (found.approval && !viewer_enters(&viewer, found.approval->space))
		found.approval = NULL;
	if (found.past && (!found.past->space || !viewer_enters(&viewer, found.past->space)))
		found.past = NULL;
	return found;
}

static void give_vote(
    const struct methods_ask *ask, struct approval *approval, const struct approver_vote *vote)
{
	const json_t *edited = json_object_get(ask->params, "edited_arguments");
	struct err_note note = {""};
	json_t *told = NULL;
	int code = vote_give(ask->engine, approval, vote, edited, &told, &note);

	if (code)
		result_refuse(&ask->to, code, "%s", note.text);
	else
		result_give(&ask->to, told);
}

static const char *read_edit(const struct methods_ask *ask, const struct approver_vote *vote)
{
	const json_t *edited = json_object_get(ask->params, "edited_arguments");

	if (!edited)
		return NULL;
	if (!json_is_object(edited))
		return "edited_arguments: an object of parameters is needed";
	/* What is signed is the plan that was asked about. */
	if (vote->key)
		return "edited_arguments: a signed answer is to what was asked; leave one out";
	return NULL;
}

void decide_approval(const struct methods_ask *ask)
{
	struct approver_vote vote = {0};
	const char *id = methods_text(ask, "id");
	const char *wrong = id ? read_vote(ask, &vote) : "id: the id of an approval is needed";
	struct found found;

	if (!wrong)
		wrong = read_edit(ask, &vote);
	if (wrong) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", wrong);
		return;
	}
	if (!(ask->identity.permissions & PERMISSION(APPROVALS_DECIDE))) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may not decide approvals: no role of it has the permission "
		    "approvals:decide",
		    ask->peer->caller->principal);
		return;
	}
	found = find(ask, id);
	if (found.approval)
		give_vote(ask, found.approval, &vote);
	else if (found.past)
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "this approval is %s; an answer counts once",
		    approval_state_name(found.past->state));
	else
		result_refuse(&ask->to, RESULT_NOT_FOUND, "no approval of that id waits");
}

static json_t *past_json(const struct approval_past *past)
{
	char plan[sizeof("sha256:") + 2 * DIGEST_LEN] = "sha256:", ended[CLOCK_STAMP_MAX];

	(void)digest_hex(plan + strlen(plan), &past->plan);
	(void)clock_stamp(ended, past->ended_wall_us);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", past->id,
	    "ended", ended, "state", approval_state_name(past->state), "plan", plan, "tool",
	    past->tool, "agent", past->agent, "namespace", past->space, "principal",
	    past->principal, "by", past->by, "method", past->how);
}

/* An answer that nobody has picked up yet: who gave it, too. */
static json_t *open_json(const struct engine *engine, const struct approval *approval)
{
	const struct approval_answer *answer = &approval->answer;
	json_t *told = approval_json(engine, approval);

	if (told && answer->principal[0]) {
		(void)json_object_set_new(told, "by", json_string(answer->principal));
		(void)json_object_set_new(told, "method", json_string(approval_answer_how(answer)));
	}
	return told;
}

void get_approval(const struct methods_ask *ask)
{
	const struct viewer viewer = {ask->engine, ask->peer->caller};
	const char *id = methods_text(ask, "id");
	struct found found;

	if (!id) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "id: the id of an approval is needed");
		return;
	}
	found = find(ask, id);
	if (found.approval && viewer_sees(&viewer, found.approval->space, found.approval->principal,
				  found.approval->tool))
		result_give(&ask->to, open_json(ask->engine, found.approval));
	else if (found.past &&
		 viewer_sees(&viewer, found.past->space, found.past->principal, found.past->tool))
		result_give(&ask->to, past_json(found.past));
	else
		result_refuse(&ask->to, RESULT_NOT_FOUND, "no approval of that id");
}
