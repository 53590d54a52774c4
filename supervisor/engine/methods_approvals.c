#include "supervisor/engine/methods_approvals.h"

#include <string.h>

#include "agent-api/wire/rpc.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approver.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/grant.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/record.h"
#include "supervisor/engine/viewer.h"

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

/* NULL when well-formed, else what is wrong. */
static const char *read_vote(const struct methods_ask *ask, struct approver_vote *vote)
{
	const char *plan = methods_text(ask, "plan"), *decision = methods_text(ask, "decision");
	const json_t *reason = json_object_get(ask->params, "reason");
	const json_t *approver = json_object_get(ask->params, "approver");
	const json_t *scope = json_object_get(ask->params, "scope");

	vote->peer = ask->peer;
	vote->identity = &ask->identity;
	vote->reason = json_is_string(reason) ? json_string_value(reason) : "";
	if (!plan || strncmp(plan, "sha256:", 7) != 0 || digest_unhex(&vote->plan, plan + 7))
		return "plan: \"sha256:<64 hex digits>\" is needed";
	if (!decision || (strcmp(decision, "approve") != 0 && strcmp(decision, "deny") != 0))
		return "decision: approve or deny is needed";
	vote->approve = strcmp(decision, "approve") == 0;
	vote->scope =
	    scope ? grant_scope(json_is_string(scope) ? json_string_value(scope) : "") : GRANT_ONCE;
	if (!vote->scope)
		return "scope: once, session or always is needed";
	if ((reason && !json_is_string(reason)) || strlen(vote->reason) >= APPROVAL_REASON_MAX)
		return "reason: a text of less than 512 bytes is needed";
	return approver ? read_approver(approver, vote) : NULL;
}

static void refuse_vote(
    const struct methods_ask *ask, const struct approval *approval, int code, const char *why)
{
	record_approval_refused(ask->engine, approval, ask->peer->caller->principal, why);
	result_refuse(&ask->to, code, "%s", why);
}

/* {id, state}; where the answer left a grant, also which, and how long it stands. */
static json_t *decided(
    const struct engine *engine, const char *id, const struct approval_answer *answer)
{
	const struct grant *grant = engine->grants; /* the newest */
	char expires[CLOCK_STAMP_MAX];

	if (!grant || strcmp(grant->answer.id, id) != 0)
		return json_pack(
		    "{s:s, s:s}", "id", id, "state", approval_state_name(APPROVAL_APPROVED));
	(void)clock_stamp(expires, grant->expires_wall_us);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "state",
	    approval_state_name(APPROVAL_APPROVED), "grant", grant->id, "scope",
	    grant_scope_name(answer->scope), "expires", expires);
}

/* An answer that the rules allow is given; what comes of it is the book's to say. */
static void give_answer(const struct methods_ask *ask, struct approval *approval,
    enum approval_state to, const struct approval_answer *answer)
{
	struct err_note note = {""};
	char id[APPROVAL_ID_MAX];

	memcpy(id, approval->answer.id, sizeof(id));
	/* The approval may be gone after this. */
	switch (approval_answer(ask->engine, approval, to, answer, &note)) {
	case APPROVAL_DECIDED:
		result_give(&ask->to,
		    to == APPROVAL_APPROVED
			? decided(ask->engine, id, answer)
			: json_pack("{s:s, s:s}", "id", id, "state", approval_state_name(to)));
		return;
	case APPROVAL_COUNTED:
		result_give(
		    &ask->to, json_pack("{s:s, s:s, s:i, s:i}", "id", id, "state",
				  approval_state_name(APPROVAL_PENDING), "agreed",
				  (int)approval->yes_count, "quorum", (int)approval->quorum));
		return;
	case APPROVAL_TWICE:
		refuse_vote(ask, approval, RESULT_CONFLICT,
		    "this approver has agreed already; another one must agree too");
		return;
	case APPROVAL_NO_GRANT: refuse_vote(ask, approval, RESULT_CONFLICT, note.text); return;
	}
}

static void take_vote(
    const struct methods_ask *ask, struct approval *approval, const struct approver_vote *vote)
{
	enum approval_state to = vote->approve ? APPROVAL_APPROVED : APPROVAL_DENIED;
	struct approval_answer answer;
	struct err_note note;

	switch (approver_judge(ask->engine, approval, vote, &answer, &note)) {
	case APPROVER_REFUSED: refuse_vote(ask, approval, RESULT_FORBIDDEN, note.text); return;
	case APPROVER_STALE: refuse_vote(ask, approval, RESULT_CONFLICT, note.text); return;
	case APPROVER_COUNTS: break;
	}
	if (approval->state != APPROVAL_PENDING) {
		(void)err_note(&note, 0, "approval %s is %s already; an answer counts once",
		    approval->answer.id, approval_state_name(approval->state));
		refuse_vote(ask, approval, RESULT_CONFLICT, note.text);
		return;
	}
	give_answer(ask, approval, to, &answer);
}

void decide_approval(const struct methods_ask *ask)
{
	const struct viewer viewer = {ask->engine, ask->peer->caller};
	struct approver_vote vote = {0};
	const char *id = methods_text(ask, "id");
	struct approval *approval;
	enum approval_state ended;
	const char *wrong = id ? read_vote(ask, &vote) : "id: the id of an approval is needed";

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
	approval_sweep(ask->engine);
	approval = approval_find(ask->engine, id);
	ended = approval_ended(ask->engine, id);
	/* Of another namespace: as unknown as one that never was. */
	if (approval && !viewer_enters(&viewer, approval->space))
		approval = NULL;
	if (ended != APPROVAL_NONE &&
	    !viewer_enters(&viewer, approval_ended_space(ask->engine, id)))
		ended = APPROVAL_NONE;
	if (approval)
		take_vote(ask, approval, &vote);
	else if (ended != APPROVAL_NONE)
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "this approval is %s; an answer counts once", approval_state_name(ended));
	else
		result_refuse(&ask->to, RESULT_NOT_FOUND, "no approval of that id waits");
}
