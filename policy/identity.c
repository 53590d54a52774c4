/* Who asks, and what may be seen: the first of the two questions of decide.h. */
#include <string.h>

#include "policy/decide.h"
#include "policy/order.h"
#include "supervisor/base/str.h"

/* ---- who asks ----------------------------------------------------------------------------- */

static bool row_matches(const struct policy_principal *row, const struct subject *subject)
{
	if (!row->has_uid && !row->has_gid)
		return false;
	return (!row->has_uid || row->uid == subject->uid) &&
	       (!row->has_gid || row->gid == subject->gid);
}

static bool is_open(enum visibility visibility)
{
	return visibility == VISIBILITY_PUBLIC || visibility == VISIBILITY_INTERNAL;
}

/* A private agent is one that a running call hands work to: what counts is whether the row allows
 * the agent of that call. */
static bool row_allows_agent(const struct policy_principal *row, const struct subject *subject,
    const struct policy_agent *agent)
{
	const char *name = agent ? agent->name : "";

	if (!agent)
		return true;
	if (!is_open(agent->visibility)) {
		if (!subject->inside || agent->visibility != VISIBILITY_PRIVATE)
			return false;
		name = subject->caller ? subject->caller : "";
	}
	return !row->has_agents || words_hold(&row->agents, name);
}

static bool row_allows_space(const struct policy_principal *row, const char *space)
{
	return row->has_namespaces ? words_hold(&row->namespaces, space)
				   : !strcmp(space, "default");
}

/* A row that gives rights to a call of this agent and namespace; NULL for either: any. */
static bool row_gives(const struct policy_principal *row, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space)
{
	return row_matches(row, subject) && row_allows_agent(row, subject, agent) &&
	       (!space || row_allows_space(row, space->name));
}

static bool any_row_gives(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space)
{
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		if (row_gives(&policy->principals[i], subject, agent, space))
			return true;
	}
	return false;
}

static void add_role(struct identity *identity, const struct policy_role *role)
{
	if (!role || identity->role_count == IDENTITY_ROLES_MAX)
		return;
	for (uint32_t i = 0; i < identity->role_count; i++) {
		if (identity->roles[i] == role)
			return;
	}
	identity->roles[identity->role_count++] = role;
	identity->permissions |= role->permissions;
}

static void add_roles(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space,
    struct identity *identity)
{
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		const struct policy_principal *row = &policy->principals[i];

		if (!row_gives(row, subject, agent, space))
			continue;
		for (uint32_t j = 0; j < row->roles.count; j++)
			add_role(identity, policy_find_role(policy, row->roles.items[j].text));
	}
}

/* The one agent that the matching rows leave to someone who named none. */
static enum identity_result only_agent(const struct policy *policy, const struct subject *subject,
    const struct policy_agent **ret_agent)
{
	const struct policy_agent *only = NULL;

	for (uint32_t i = 0; i < policy->agent_count; i++) {
		if (!any_row_gives(policy, subject, &policy->agents[i], NULL))
			continue;
		if (only)
			return IDENTITY_NAME_AN_AGENT;
		only = &policy->agents[i];
	}
	if (!only)
		return IDENTITY_NAME_AN_AGENT;
	*ret_agent = only;
	return IDENTITY_OK;
}

static enum identity_result find_agent(const struct policy *policy, const struct subject *subject,
    const struct policy_agent **ret_agent)
{
	const struct policy_agent *agent;

	if (!subject->agent[0]) {
		*ret_agent = NULL;
		return policy->has_agents ? only_agent(policy, subject, ret_agent) : IDENTITY_OK;
	}
	agent = policy_find_agent(policy, subject->agent);
	if (!agent || !any_row_gives(policy, subject, agent, NULL))
		return IDENTITY_UNKNOWN_AGENT;
	*ret_agent = agent;
	return IDENTITY_OK;
}

static enum identity_result find_identity(
    const struct policy *policy, const struct subject *subject, struct identity *identity)
{
	const struct policy_agent *agent = NULL;
	const struct policy_namespace *space;
	enum identity_result result;

	if (!identity->role_count)
		return IDENTITY_NO_ROLE;
	result = find_agent(policy, subject, &agent);
	if (result != IDENTITY_OK)
		return result;
	space = policy_find_namespace(policy, subject->space[0] ? subject->space : "default");
	if (space && subject->inside && strcmp(space->name, subject->home) != 0)
		space = NULL;
	if (!space || !any_row_gives(policy, subject, agent, space))
		return IDENTITY_NO_NAMESPACE;
	*identity = (struct identity){.agent = agent, .space = space, .inside = subject->inside};
	add_roles(policy, subject, agent, space, identity);
	return identity->role_count ? IDENTITY_OK : IDENTITY_NO_ROLE;
}

void policy_identify(
    const struct policy *policy, const struct subject *subject, struct identity *ret)
{
	*ret = (struct identity){.result = IDENTITY_NONE};
	add_roles(policy, subject, NULL, NULL, ret);
	ret->result = find_identity(policy, subject, ret);
}

/* ---- what may be seen --------------------------------------------------------------------- */

bool policy_reachable(const struct identity *identity, const struct policy_tool *tool)
{
	if (!tool || identity->result != IDENTITY_OK)
		return false;
	/* Kernel credentials are authentication, so internal is visible here; private is to running
	 * calls only. */
	if (!is_open(tool->visibility) &&
	    !(identity->inside && tool->visibility == VISIBILITY_PRIVATE))
		return false;
	if (identity->agent && !words_hold(&identity->agent->tools, tool->name))
		return false;
	for (uint32_t i = 0; i < identity->role_count; i++) {
		if (globs_hold(&identity->roles[i]->tools, tool->name))
			return true;
	}
	return false;
}

bool policy_may_approve(const struct identity *identity, const char *tool)
{
	if (!(identity->permissions & PERMISSION(APPROVALS_DECIDE)))
		return false;
	for (uint32_t i = 0; i < identity->role_count; i++) {
		if (globs_hold(&identity->roles[i]->approve, tool))
			return true;
	}
	return false;
}

void policy_identify_space(const struct policy *policy, const struct subject *subject,
    const char *space, struct identity *ret)
{
	const struct policy_namespace *found = policy_find_namespace(policy, space);

	*ret = (struct identity){.result = IDENTITY_NO_NAMESPACE};
	if (!found || !any_row_gives(policy, subject, NULL, found))
		return;
	add_roles(policy, subject, NULL, found, ret);
	ret->space = found;
	ret->result = ret->role_count ? IDENTITY_OK : IDENTITY_NO_ROLE;
}
