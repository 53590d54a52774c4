/* Who asks, and what may be seen: the first of the two questions of decide.h. */
#include <string.h>

#include "policy/decide.h"
#include "policy/order.h"
#include "supervisor/base/str.h"

/* ---- who asks ----------------------------------------------------------------------------- */

/* The form of the name says of which kind it is, so that a host cannot pass for a service. */
static const char *san_kind(const char *san)
{
	if (strstr(san, "://") || !strncmp(san, "urn:", 4))
		return "URI:";
	return strchr(san, '@') ? "EMAIL:" : "DNS:";
}

static bool has_san(const struct shown *shown, const char *san)
{
	const char *kind = san_kind(san);
	size_t len = strlen(kind);

	for (size_t i = 0; i < shown->san_count; i++) {
		if (!strncmp(shown->sans[i], kind, len) && !strcmp(shown->sans[i] + len, san))
			return true;
	}
	return false;
}

static bool peer_matches(const struct policy_principal *row, const struct shown *shown)
{
	if (!shown->has_peer)
		return !row->has_uid && !row->has_gid;
	return (!row->has_uid || row->uid == shown->uid) &&
	       (!row->has_gid || row->gid == shown->gid);
}

/* A row without a matcher is refused at load, and matches nobody here. */
static bool has_matcher(const struct policy_principal *row)
{
	return row->has_uid || row->has_gid || row->jwt_claim[0] || row->cert_san[0] ||
	       row->api_key[0] || row->anonymous;
}

/* Every matcher that the row has must be met. */
static bool row_matches(const struct policy_principal *row, const struct subject *subject)
{
	const struct shown *shown = &subject->shown;

	if (shown->own || !has_matcher(row) || !peer_matches(row, shown))
		return false;
	if (row->jwt_claim[0] && !(shown->claims && shown->has &&
				     shown->has(shown->claims, row->jwt_claim, row->jwt_value)))
		return false;
	if (row->cert_san[0] && !has_san(shown, row->cert_san))
		return false;
	if (row->api_key[0] && !(shown->api_key && !strcmp(shown->api_key, row->api_key)))
		return false;
	return !row->anonymous || shown->anonymous;
}

static bool own_has(const struct shown_globs *globs, const char *name)
{
	for (size_t i = 0; i < globs->count; i++) {
		if (str_glob(globs->items[i], name))
			return true;
	}
	return false;
}

static bool is_open(enum visibility visibility)
{
	return visibility == VISIBILITY_PUBLIC || visibility == VISIBILITY_INTERNAL;
}

/* A private agent is one that a running call hands work to: what counts is whether the row allows
 * the agent of that call. */
static bool agent_name(
    const struct subject *subject, const struct policy_agent *agent, const char **ret_name)
{
	*ret_name = agent->name;
	if (is_open(agent->visibility))
		return !subject->shown.anonymous || agent->visibility == VISIBILITY_PUBLIC;
	if (!subject->inside || agent->visibility != VISIBILITY_PRIVATE)
		return false;
	*ret_name = subject->caller ? subject->caller : "";
	return true;
}

static bool row_allows_agent(const struct policy_principal *row, const struct subject *subject,
    const struct policy_agent *agent)
{
	const char *name;

	if (!agent)
		return true;
	return agent_name(subject, agent, &name) &&
	       (!row->has_agents || words_hold(&row->agents, name));
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

/* The same of a credential that carries its own rights. */
static bool own_gives(const struct subject *subject, const struct policy_agent *agent,
    const struct policy_namespace *space)
{
	const struct shown_own *own = subject->shown.own;
	const char *name;

	if (!own)
		return false;
	if (agent && (!agent_name(subject, agent, &name) || !own_has(&own->agents, name)))
		return false;
	return !space || own_has(&own->namespaces, space->name);
}

static bool any_row_gives(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space)
{
	if (subject->shown.own)
		return own_gives(subject, agent, space);
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

static void add_own_roles(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space,
    struct identity *identity)
{
	const struct shown_own *own = subject->shown.own;

	if (!own_gives(subject, agent, space))
		return;
	for (uint32_t i = 0; i < policy->role_count; i++) {
		if (own_has(&own->roles, policy->roles[i].name))
			add_role(identity, &policy->roles[i]);
	}
	identity->permissions = (identity->permissions & own->permissions) | own->besides;
	identity->own_tools = own->tools;
	identity->has_own = true;
}

static void add_roles(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space,
    struct identity *identity)
{
	identity->anonymous = subject->shown.anonymous;
	if (subject->shown.own) {
		add_own_roles(policy, subject, agent, space, identity);
		return;
	}
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		const struct policy_principal *row = &policy->principals[i];

		if (!row_gives(row, subject, agent, space))
			continue;
		for (uint32_t j = 0; j < row->roles.count; j++)
			add_role(identity, policy_find_role(policy, row->roles.items[j].text));
	}
}

static bool has_rights(const struct identity *identity)
{
	return identity->role_count > 0 || identity->permissions != 0;
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

	if (!has_rights(identity))
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
	return has_rights(identity) ? IDENTITY_OK : IDENTITY_NO_ROLE;
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
	/* Who has shown anything is authenticated, so internal is visible to him; private is to
	 * running calls only. */
	if (identity->anonymous && tool->visibility != VISIBILITY_PUBLIC)
		return false;
	if (!is_open(tool->visibility) &&
	    !(identity->inside && tool->visibility == VISIBILITY_PRIVATE))
		return false;
	if (identity->has_own && !own_has(&identity->own_tools, tool->name))
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
	if (identity->has_own && !own_has(&identity->own_tools, tool))
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
	ret->result = has_rights(ret) ? IDENTITY_OK : IDENTITY_NO_ROLE;
}
