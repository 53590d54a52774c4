#include "policy/remarks.h"

#include <string.h>

#include "policy/pack.h"
#include "supervisor/base/str.h"

/* ---- who may ------------------------------------------------------------------------------ */

static bool names_tool(const struct policy_words *globs, const char *tool)
{
	for (uint32_t i = 0; i < globs->count; i++)
		if (str_glob(globs->items[i].text, tool))
			return true;
	return false;
}

/* NULL: the name is there, the role is not (such a file is refused before). */
static const struct policy_role *role_at(
    const struct policy *policy, const struct policy_words *roles, uint32_t index)
{
	return policy_find_role(policy, roles->items[index].text);
}

static bool anybody_has_tools(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		const struct policy_principal *row = &policy->principals[i];

		for (uint32_t j = 0; j < row->roles.count; j++) {
			const struct policy_role *role = role_at(policy, &row->roles, j);

			if (role && role->tools.count)
				return true;
		}
	}
	return false;
}

/* Roles of one row or channel add up: the right to decide and the tool may stand in two. */
static bool may_answer(
    const struct policy *policy, const struct policy_words *roles, const char *tool)
{
	bool decides = false, approves = false;

	for (uint32_t i = 0; i < roles->count; i++) {
		const struct policy_role *role = role_at(policy, roles, i);

		if (!role)
			continue;
		decides = decides || role->permissions & PERMISSION(APPROVALS_DECIDE);
		approves = approves || names_tool(&role->approve, tool);
	}
	return decides && approves;
}

static bool is_listed(const struct policy_approval *approval, const char *channel)
{
	for (uint32_t i = 0; i < approval->channels.count; i++)
		if (!strcmp(approval->channels.items[i].text, channel))
			return true;
	return approval->channels.count == 0;
}

/* People with credentials of their own where the terminal is listed, and channels with roles. */
static bool anybody_may_answer(
    const struct policy *policy, const struct policy_approval *approval, const char *tool)
{
	for (uint32_t i = 0; i < policy->principal_count; i++)
		if (is_listed(approval, "terminal") &&
		    may_answer(policy, &policy->principals[i].roles, tool))
			return true;
	for (uint32_t i = 0; i < policy->channel_count; i++)
		if (is_listed(approval, policy->channels[i].name) &&
		    may_answer(policy, &policy->channels[i].roles, tool))
			return true;
	return false;
}

/* ---- what can ask ------------------------------------------------------------------------- */

static bool pack_can_ask(const struct policy_pack *pack)
{
	if (pack->unknown_option == DECISION_ASK || pack->otherwise == DECISION_ASK)
		return true;
	for (uint32_t i = 0; i < pack->rule_count; i++)
		if (pack->rules[i].decision == DECISION_ASK)
			return true;
	return false;
}

/* Does one of its rows speak about every call of everybody? */
static bool always_speaks(const struct policy_tool *tool)
{
	for (uint32_t i = 0; i < tool->rule_count; i++)
		if (!tool->rules[i].when_count && !tool->rules[i].roles.count)
			return true;
	return false;
}

static bool silence_asks(const struct policy *policy, const struct policy_tool *tool)
{
	if (policy->default_decision != DECISION_ASK || tool->type != TOOL_COMMAND)
		return false;
	return tool_is_typed(tool) ? !always_speaks(tool) : !tool->deny_by_default;
}

/* What of the tool asks, for the message; NULL: nothing. */
static const char *what_asks(const struct policy *policy, const struct policy_tool *tool)
{
	if (tool->require_approval)
		return "require_approval";
	if (tool->asks_effects)
		return "require_approval: effects";
	for (uint32_t i = 0; i < tool->rule_count; i++)
		if (tool->rules[i].decision == DECISION_ASK)
			return "one of its rules";
	for (uint32_t i = 0; i < tool->packs.count; i++) {
		const struct policy_pack *pack =
		    policy_find_pack(policy, tool->packs.items[i].text);

		if (pack && pack_can_ask(pack))
			return "one of its packs";
	}
	return silence_asks(policy, tool) ? "defaults.decision" : NULL;
}

/* ---- remarks ------------------------------------------------------------------------------ */

static void remark_asking(
    const struct policy *policy, const struct policy_tool *tool, struct buf *out)
{
	const struct policy_approval *approval =
	    tool->approval.given ? &tool->approval : &policy->approval;
	const char *asks = what_asks(policy, tool);

	if (!asks || approval->by_client || anybody_may_answer(policy, approval, tool->name))
		return;
	(void)buf_textf(out,
	    "%s:%u:%u: tools.%s: %s can ask, and nobody may answer: such a call waits for its "
	    "approval and expires; give a role of somebody `approve: [%s]` and the permission "
	    "approvals:decide\n",
	    policy->file, tool->pos.line, tool->pos.column, tool->name, asks, tool->name);
}

static void remark_open(
    const struct policy *policy, const struct policy_tool *tool, struct buf *out)
{
	if (tool->type != TOOL_COMMAND || tool_is_typed(tool) || tool->deny_by_default)
		return;
	(void)buf_textf(out,
	    "%s:%u:%u: tools.%s: without deny_by_default every program of defaults.path may run, "
	    "interpreters too; write deny_by_default: true and list allowed_commands\n",
	    policy->file, tool->pos.line, tool->pos.column, tool->name);
}

void policy_remarks(const struct policy *policy, struct buf *out)
{
	if (!policy->principal_count)
		(void)buf_textf(out,
		    "%s:1:1: principals: there are none, so nobody may do anything; add a row "
		    "{peer_uid: UID, roles: [ROLE]}\n",
		    policy->file);
	else if (!anybody_has_tools(policy))
		(void)buf_textf(out,
		    "%s:%u:%u: principals: no role of theirs has tools, so nobody may call "
		    "anything; give one of their roles tools: [...]\n",
		    policy->file, policy->principals[0].pos.line, policy->principals[0].pos.column);
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		remark_open(policy, &policy->tools[i], out);
		remark_asking(policy, &policy->tools[i], out);
	}
}
