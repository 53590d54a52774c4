#include "supervisor/engine/access/rights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

/* ---- what stands in a credential of our own ----------------------------------------------- */

static int add_permissions(struct scope *scope, uint32_t permissions)
{
	int fault = 0;

	for (unsigned bit = 0; bit < PERMISSION_BIT_COUNT && !fault; bit++)
		if (permissions & (1u << bit))
			fault = scope_add(scope, SCOPE_PERMISSIONS, permission_name(1u << bit));
	return fault;
}

static int add_globs(struct scope *scope, enum scope_kind kind, const struct shown_globs *globs)
{
	int fault = 0;

	for (size_t i = 0; i < globs->count && !fault; i++)
		fault = scope_add(scope, kind, globs->items[i]);
	return fault;
}

static int own_rights(const struct methods_ask *ask, struct scope *ret)
{
	const struct shown_own *own = ask->peer->caller->shown.own;
	int fault = add_globs(ret, SCOPE_ROLES, &own->roles);

	if (!fault)
		fault = add_globs(ret, SCOPE_TOOLS, &own->tools);
	if (!fault)
		fault = add_globs(ret, SCOPE_AGENTS, &own->agents);
	if (!fault)
		fault = add_globs(ret, SCOPE_NAMESPACES, &own->namespaces);
	return fault ? fault : add_permissions(ret, ask->identity.permissions);
}

/* ---- what the rows of the policy give ----------------------------------------------------- */

/* The agents and namespaces that are named, as far as they are his. */
struct grid {
	const struct policy *policy;
	const struct shown *shown;
	const char **agents, **spaces; /* owned arrays */
	size_t agent_count, space_count;
};

static void grid_fini(struct grid *grid)
{
	free(grid->agents);
	free(grid->spaces);
}

/* agent NULL: none is named, so what counts is the namespace. */
static struct identity identity_at(const struct grid *grid, const char *agent, const char *space)
{
	const struct subject subject = {
	    .shown = *grid->shown, .agent = agent ? agent : "", .space = space};
	struct identity identity;

	if (agent)
		policy_identify(grid->policy, &subject, &identity);
	else
		policy_identify_space(grid->policy, &subject, space, &identity);
	if (identity.result != IDENTITY_OK)
		identity.role_count = 0;
	return identity;
}

/* Keeps of the names those that are his together with any of the others. */
static size_t keep_own(const struct grid *grid, const char **names, size_t count, bool are_agents)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		size_t others = are_agents ? grid->space_count : grid->agent_count;
		bool is_own = false;

		if (!are_agents && others == 0)
			is_own = identity_at(grid, NULL, names[i]).role_count > 0;
		for (size_t j = 0; j < others && !is_own; j++)
			is_own = are_agents
				     ? identity_at(grid, names[i], grid->spaces[j]).role_count > 0
				     : identity_at(grid, grid->agents[j], names[i]).role_count > 0;
		if (is_own)
			names[kept++] = names[i];
	}
	return kept;
}

static int fill_grid(struct grid *grid, const struct scope *wants)
{
	const struct policy *policy = grid->policy;

	grid->agents = calloc(policy->agent_count + 1u, sizeof(*grid->agents));
	grid->spaces = calloc(policy->namespace_count + 1u, sizeof(*grid->spaces));
	if (!grid->agents || !grid->spaces)
		return -ENOMEM;
	for (uint32_t i = 0; i < policy->agent_count; i++)
		if (scope_has(wants, SCOPE_AGENTS, policy->agents[i].name))
			grid->agents[grid->agent_count++] = policy->agents[i].name;
	for (uint32_t i = 0; i < policy->namespace_count; i++)
		if (scope_has(wants, SCOPE_NAMESPACES, policy->namespaces[i].name))
			grid->spaces[grid->space_count++] = policy->namespaces[i].name;
	if ((grid->agent_count + 1) * (grid->space_count + 1) > RIGHTS_PAIRS_MAX)
		return -E2BIG;
	grid->agent_count = keep_own(grid, grid->agents, grid->agent_count, true);
	grid->space_count = keep_own(grid, grid->spaces, grid->space_count, false);
	return 0;
}

static bool has_role(const struct identity *identity, const struct policy_role *role)
{
	for (uint32_t i = 0; i < identity->role_count; i++)
		if (identity->roles[i] == role)
			return true;
	return false;
}

/* Takes away what this pair does not have. */
static void intersect(struct identity *all, const struct identity *one)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < all->role_count; i++)
		if (has_role(one, all->roles[i]))
			all->roles[kept++] = all->roles[i];
	all->role_count = kept;
}

/* The roles that are his for every agent in every namespace of the grid; of an empty one, those
 * that he has at all, which then only give permissions. */
static struct identity common_roles(const struct grid *grid)
{
	const struct subject nowhere = {.shown = *grid->shown, .agent = "", .space = "?"};
	struct identity all, one;

	policy_identify(grid->policy, &nowhere, &all); /* no namespace has this name */
	for (size_t i = 0; i < grid->space_count; i++) {
		if (grid->agent_count == 0) {
			one = identity_at(grid, NULL, grid->spaces[i]);
			intersect(&all, &one);
		}
		for (size_t j = 0; j < grid->agent_count; j++) {
			one = identity_at(grid, grid->agents[j], grid->spaces[i]);
			intersect(&all, &one);
		}
	}
	return all;
}

/* A glob that a scope cannot hold is left out: less is given away. */
static int add_tools(struct scope *scope, const struct policy_words *globs)
{
	int fault = 0;

	for (uint32_t i = 0; i < globs->count && !fault; i++) {
		fault = scope_add(scope, SCOPE_TOOLS, globs->items[i].text);
		if (fault == -EINVAL)
			fault = 0;
	}
	return fault;
}

static int add_roles(struct scope *scope, const struct identity *roles)
{
	uint32_t permissions = 0;
	int fault = 0;

	for (uint32_t i = 0; i < roles->role_count && !fault; i++) {
		fault = scope_add(scope, SCOPE_ROLES, roles->roles[i]->name);
		if (!fault)
			fault = add_tools(scope, &roles->roles[i]->tools);
		permissions |= roles->roles[i]->permissions;
	}
	return fault ? fault : add_permissions(scope, permissions);
}

static int row_rights(const struct methods_ask *ask, const struct scope *wants, struct scope *ret)
{
	struct grid cleanup_with(grid_fini)
	    grid = {.policy = ask->engine->rules->policy, .shown = &ask->peer->caller->shown};
	struct identity roles;
	int fault = fill_grid(&grid, wants);

	if (fault)
		return fault;
	roles = common_roles(&grid);
	fault = add_roles(ret, &roles);
	for (size_t i = 0; i < grid.agent_count && !fault; i++)
		fault = scope_add(ret, SCOPE_AGENTS, grid.agents[i]);
	if (!fault && !grid.policy->has_agents)
		fault = scope_add(ret, SCOPE_AGENTS, "*");
	for (size_t i = 0; i < grid.space_count && !fault; i++)
		fault = scope_add(ret, SCOPE_NAMESPACES, grid.spaces[i]);
	return fault;
}

/* ---- both --------------------------------------------------------------------------------- */

int rights_within(const struct methods_ask *ask, const struct scope *wants, struct scope *ret)
{
	*ret = (struct scope){0};
	return ask->peer->caller->shown.own ? own_rights(ask, ret) : row_rights(ask, wants, ret);
}

/* The tenant that has all of these; NULL: none, or several. */
static const struct policy_tenant *tenant_of_all(
    const struct policy *policy, const struct scope_list *names)
{
	const struct policy_tenant *one = NULL;

	for (uint32_t i = 0; i < names->count; i++) {
		const struct policy_tenant *tenant = policy_tenant_of(policy, names->items[i]);

		if (!tenant || (one && tenant != one))
			return NULL;
		one = tenant;
	}
	return one;
}

const char *rights_tenant(const struct methods_ask *ask)
{
	const struct policy *policy = ask->engine->rules->policy;
	const struct policy_tenant *tenant = NULL;
	struct scope cleanup_with(scope_fini) all = {0};
	struct scope cleanup_with(scope_fini) has = {0};

	if (ask->peer->caller->tenant[0] || policy->tenant_count == 0)
		return ask->peer->caller->tenant;
	if (scope_add_all(&all) == 0 && rights_within(ask, &all, &has) == 0)
		tenant = tenant_of_all(policy, &has.lists[SCOPE_NAMESPACES]);
	return tenant ? tenant->name : "";
}

json_t *rights_time(uint64_t time_s)
{
	char stamp[CLOCK_STAMP_MAX];

	return time_s ? json_string(clock_stamp(stamp, time_s * 1000000)) : json_null();
}
