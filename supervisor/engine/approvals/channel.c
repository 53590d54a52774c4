#include "supervisor/engine/approvals/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/approval_past.h"
#include "supervisor/engine/approvals/vote.h"
#include "supervisor/engine/caller.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/hooks/hook.h"

void channel_clean(char *out, size_t max, const char *text)
{
	(void)str_printable(out, max, text);
}

bool channel_serves(const struct policy_channel *channel, const char *space)
{
	for (uint32_t i = 0; i < channel->namespaces.count; i++)
		if (strcmp(channel->namespaces.items[i].text, space) == 0)
			return true;
	return channel->namespaces.count == 0;
}

/* ---- who it is ------------------------------------------------------------------------------ */

/* Adds copies of these words to the caller's, and tells where they begin. */
static bool add_globs(
    struct caller *caller, size_t *at, const struct policy_words *words, struct shown_globs *ret)
{
	ret->items = (const char *const *)&caller->globs[*at];
	ret->count = words->count;
	for (uint32_t i = 0; i < words->count; i++) {
		caller->globs[*at] = strdup(words->items[i].text);
		if (!caller->globs[(*at)++])
			return false;
	}
	return true;
}

/* Roles and namespaces are the channel's; what those roles give is the policy's. */
static bool give_rights(struct caller *caller, const struct policy_channel *channel)
{
	static const struct policy_word any = {.text = "*"};
	const struct policy_words all = {.items = &any, .count = 1};
	const struct policy_words *spaces = channel->namespaces.count ? &channel->namespaces : &all;
	size_t at = 0;

	caller->globs =
	    calloc((size_t)channel->roles.count + spaces->count + 3, sizeof(*caller->globs));
	if (!caller->globs)
		return false;
	caller->own.permissions = PERMISSION(APPROVALS_READ) | PERMISSION(APPROVALS_DECIDE);
	caller->shown.own = &caller->own;
	return add_globs(caller, &at, &channel->roles, &caller->own.roles) &&
	       add_globs(caller, &at, spaces, &caller->own.namespaces) &&
	       add_globs(caller, &at, &all, &caller->own.tools) &&
	       add_globs(caller, &at, &all, &caller->own.agents);
}

struct caller *channel_caller(const struct policy_channel *channel)
{
	struct caller *caller = caller_new();

	if (!caller)
		return NULL;
	caller->proof = CALLER_CHANNEL;
	(void)snprintf(
	    caller->principal, sizeof(caller->principal), "channel:%.255s", channel->name);
	return give_rights(caller, channel) ? caller : caller_drop(caller);
}

/* ---- what it answers ------------------------------------------------------------------------ */

/* A question that is over, where the channel may know of it; else as if it never was. */
static int refuse_late(const struct engine *engine, const struct caller *caller,
    const struct channel_answer *answer, struct err_note *note)
{
	const struct viewer viewer = {engine, caller};
	const struct approval_past *past = approval_past_find(engine, answer->approval);

	if (past && past->space && viewer_enters(&viewer, past->space))
		return err_note(note, RESULT_CONFLICT, "this approval is %s; an answer counts once",
		    approval_state_name(past->state));
	return err_note(note, RESULT_NOT_FOUND, "no approval of that id waits");
}

static int give(struct engine *engine, const struct policy_channel *channel,
    const struct caller *caller, const struct channel_answer *answer, json_t **ret_told,
    struct err_note *note)
{
	struct approval *approval = approval_find(engine, answer->approval);
	char claimed[APPROVAL_CLAIM_MAX], reason[APPROVAL_REASON_MAX];
	const struct approver_vote vote = {.caller = caller,
	    .channel = channel->name,
	    .claimed = claimed,
	    .approve = answer->approve,
	    .scope = answer->scope,
	    .reason = reason};
	int code;

	if (!approval || !channel_serves(channel, approval->space))
		return refuse_late(engine, caller, answer, note);
	if (answer->nonce &&
	    !hook_nonce_is(engine, answer->approval, channel->name, answer->nonce)) {
		if (approval->state != APPROVAL_PENDING)
			return err_note(note, RESULT_CONFLICT,
			    "approval %s is %s already; an answer counts once", answer->approval,
			    approval_state_name(approval->state));
		return err_note(note, RPC_INVALID_PARAMS,
		    "nonce: not the one that this channel got with this question, or used already");
	}
	channel_clean(claimed, sizeof(claimed), answer->claimed);
	channel_clean(reason, sizeof(reason), answer->reason);
	code = vote_give(engine, approval, &vote, NULL, ret_told, note);
	if (!code)
		hook_nonce_used(engine, answer->approval, channel->name);
	return code;
}

int channel_decide(struct engine *engine, const struct policy_channel *channel,
    const struct channel_answer *answer, json_t **ret_told, struct err_note *note)
{
	struct caller *caller = channel_caller(channel);
	int code;

	*ret_told = NULL;
	if (!caller)
		return err_note(note, RESULT_UNAVAILABLE, "out of memory; send it again");
	approval_sweep(engine);
	code = give(engine, channel, caller, answer, ret_told, note);
	(void)caller_drop(caller);
	return code;
}
