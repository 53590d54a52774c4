#include "policy/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check_tool.h"
#include "policy/order.h"
#include "supervisor/base/str.h"

#define PATH_MAX_SHOWN 400

/* ---- order -------------------------------------------------------------------------------- */

/* Of equal keys the one written first stays first, so that messages name it. */
static int pos_compare(const struct policy_pos *a, const struct policy_pos *b)
{
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

static int compare_as(enum word_order order, const void *a, const void *b)
{
	const struct policy_word *left = a, *right = b;
	int compared = word_compare(order, left->text, right->text);

	return compared ? compared : pos_compare(&left->pos, &right->pos);
}

static int compare_texts(const void *a, const void *b)
{
	return compare_as(WORD_ORDER_TEXT, a, b);
}

static int compare_basenames(const void *a, const void *b)
{
	return compare_as(WORD_ORDER_BASENAME, a, b);
}

/* The words were made by read_words(), so they may be written. */
static void sort_words(struct policy_words *words, int (*compare)(const void *, const void *))
{
	if (words->count)
		qsort((struct policy_word *)words->items, words->count, sizeof(*words->items),
		    compare);
}

static void sort_named(void *items, uint32_t count, size_t size)
{
	if (count)
		qsort(items, count, size, named_compare);
}

static void sort_all(struct policy *policy)
{
	sort_named(policy->roles, policy->role_count, sizeof(*policy->roles));
	sort_named(policy->agents, policy->agent_count, sizeof(*policy->agents));
	sort_named(policy->namespaces, policy->namespace_count, sizeof(*policy->namespaces));
	sort_named(policy->tenants, policy->tenant_count, sizeof(*policy->tenants));
	sort_named(policy->channels, policy->channel_count, sizeof(*policy->channels));
	sort_named(policy->tools, policy->tool_count, sizeof(*policy->tools));
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		sort_words(&policy->tools[i].allowed_commands, compare_texts);
		sort_words(&policy->tools[i].denied_commands, compare_basenames);
	}
}

/* ---- names -------------------------------------------------------------------------------- */

enum name_kind {
	NAME_ROLE,
	NAME_AGENT,
	NAME_NAMESPACE,
	NAME_TOOL,
};

/* The names of one kind: the address of the first element's name, and how many. */
struct names {
	const char *what;
	const char *items;
	uint32_t count;
	size_t size;
};

static struct names names_of(const struct policy *policy, enum name_kind kind)
{
	switch (kind) {
	case NAME_ROLE:
		return (struct names){"role", (const char *)policy->roles, policy->role_count,
		    sizeof(*policy->roles)};
	case NAME_AGENT:
		return (struct names){"agent", (const char *)policy->agents, policy->agent_count,
		    sizeof(*policy->agents)};
	case NAME_NAMESPACE:
		return (struct names){"namespace", (const char *)policy->namespaces,
		    policy->namespace_count, sizeof(*policy->namespaces)};
	case NAME_TOOL: break;
	}
	return (struct names){
	    "tool", (const char *)policy->tools, policy->tool_count, sizeof(*policy->tools)};
}

static const char *name_at(const struct names *names, uint32_t index)
{
	return *(const char *const *)(names->items + index * names->size);
}

static bool is_known(const struct names *names, const char *name)
{
	return names->count &&
	       bsearch(&name, names->items, names->count, names->size, named_compare);
}

/* "; did you mean X?" or "; define it under roles:" into out. */
static void advise(const struct names *names, const char *name, char out[PATH_MAX_SHOWN])
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (schema_is_close(name, name_at(names, i))) {
			snprintf(out, PATH_MAX_SHOWN, "did you mean %.64s?", name_at(names, i));
			return;
		}
	}
	snprintf(out, PATH_MAX_SHOWN, "define it under %ss: or remove it", names->what);
}

/* list: "principals[3].roles". */
static int check_names(struct schema *schema, const struct names *names,
    const struct policy_words *words, const char *list)
{
	char path[PATH_MAX_SHOWN], advice[PATH_MAX_SHOWN];

	for (uint32_t i = 0; i < words->count; i++) {
		const struct policy_word *word = &words->items[i];

		if (is_known(names, word->text))
			continue;
		snprintf(path, sizeof(path), "%.200s[%u]", list, i);
		advise(names, word->text, advice);
		return schema_refuse_at(schema, word->pos, path, "there is no %s '%.64s'; %s",
		    names->what, schema_shown(schema, word->text), advice);
	}
	return 0;
}

static bool matches_any(const struct names *names, const char *glob)
{
	if (!strpbrk(glob, "*?"))
		return is_known(names, glob);
	for (uint32_t i = 0; i < names->count; i++) {
		if (str_glob(glob, name_at(names, i)))
			return true;
	}
	return false;
}

/* In another program's file a name that is close to none here is a tool of that program. */
static bool is_foreign(const struct schema *schema, const struct names *tools, const char *name)
{
	for (uint32_t i = 0; schema->foreign_file && i < tools->count; i++) {
		if (schema_is_close(name, name_at(tools, i)))
			return false;
	}
	return schema->foreign_file;
}

/* Tools may be listed before they exist: it gives nobody anything, so it is only said. */
static void warn_tools(struct schema *schema, const struct names *tools,
    const struct policy_words *globs, const char *list)
{
	char path[PATH_MAX_SHOWN], advice[PATH_MAX_SHOWN];

	for (uint32_t i = 0; i < globs->count; i++) {
		const struct policy_word *glob = &globs->items[i];

		if (schema->warned == SCHEMA_WARNINGS_MAX)
			return;
		if (matches_any(tools, glob->text) || is_foreign(schema, tools, glob->text))
			continue;
		snprintf(path, sizeof(path), "%.200s[%u]", list, i);
		advise(tools, glob->text, advice);
		schema_warn_at(schema, glob->pos, path, "'%.64s' matches no tool; %s",
		    schema_shown(schema, glob->text), advice);
	}
}

/* ---- sections ----------------------------------------------------------------------------- */

static void check_roles(struct schema *schema, const struct policy *policy)
{
	const struct names tools = names_of(policy, NAME_TOOL);
	char list[PATH_MAX_SHOWN];

	for (uint32_t i = 0; i < policy->role_count; i++) {
		const struct policy_role *role = &policy->roles[i];

		snprintf(list, sizeof(list), "roles.%.64s.tools", role->name);
		warn_tools(schema, &tools, &role->tools, list);
		snprintf(list, sizeof(list), "roles.%.64s.approve", role->name);
		warn_tools(schema, &tools, &role->approve, list);
	}
}

static void warn_private(struct schema *schema, const struct policy *policy, uint32_t row)
{
	const struct policy_words *agents = &policy->principals[row].agents;
	char path[PATH_MAX_SHOWN];

	for (uint32_t i = 0; i < agents->count; i++) {
		const struct policy_agent *agent = policy_find_agent(policy, agents->items[i].text);

		if (!agent || agent->visibility != VISIBILITY_PRIVATE)
			continue;
		snprintf(path, sizeof(path), "principals[%u].agents[%u]", row, i);
		schema_warn_at(schema, agents->items[i].pos, path,
		    "'%.64s' is private; nobody can act as it over a socket", agent->name);
	}
}

static int check_principal(struct schema *schema, const struct policy *policy, uint32_t row)
{
	const struct policy_principal *principal = &policy->principals[row];
	const struct {
		const char *key;
		enum name_kind kind;
		const struct policy_words *words;
	} lists[] = {
	    {"roles", NAME_ROLE, &principal->roles},
	    {"agents", NAME_AGENT, &principal->agents},
	    {"namespaces", NAME_NAMESPACE, &principal->namespaces},
	};
	char list[PATH_MAX_SHOWN];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct names names = names_of(policy, lists[i].kind);
		int fault;

		snprintf(list, sizeof(list), "principals[%u].%s", row, lists[i].key);
		fault = check_names(schema, &names, lists[i].words, list);
		if (fault)
			return fault;
	}
	if (principal->anonymous && policy->http.auth.require_auth) {
		snprintf(list, sizeof(list), "principals[%u].anonymous", row);
		return schema_refuse_at(schema, principal->pos, list,
		    "nobody comes in without a credential; write server.auth.require_auth: false");
	}
	if (!principal->roles.count) {
		snprintf(list, sizeof(list), "principals[%u]", row);
		schema_warn_at(
		    schema, principal->pos, list, "has no role and may do nothing; give it roles");
	}
	warn_private(schema, policy, row);
	return 0;
}

static void check_agents(struct schema *schema, const struct policy *policy)
{
	const struct names tools = names_of(policy, NAME_TOOL);
	char list[PATH_MAX_SHOWN];

	for (uint32_t i = 0; i < policy->agent_count; i++) {
		snprintf(list, sizeof(list), "agents.%.64s.tools", policy->agents[i].name);
		warn_tools(schema, &tools, &policy->agents[i].tools, list);
	}
}

/* A tool's block says what differs; what it leaves out is that of all tools. */
static void inherit(struct policy_approval *own, const struct policy_approval *all)
{
	if (!own->given)
		return;
	if (!own->quorum)
		own->quorum = all->quorum;
	if (!own->grants)
		own->grants = all->grants;
	if (!own->max_grant_ttl_ms)
		own->max_grant_ttl_ms = all->max_grant_ttl_ms;
	if (!own->editable_given)
		own->editable = all->editable;
	if (!own->by_client_given)
		own->by_client = all->by_client;
	if (!own->reason_given)
		own->reason_required = all->reason_required;
	if (!own->channels.count)
		own->channels = all->channels;
	if (!own->escalate_given)
		own->escalate_after_ms = all->escalate_after_ms;
}

/* One client cannot be several people, so its user is never asked. */
static void warn_client(struct schema *schema, const struct policy_tool *tool)
{
	char path[PATH_MAX_SHOWN];

	snprintf(path, sizeof(path), "tools.%s", tool->name);
	if (tool->approval.by_client && tool->approval.quorum > 1)
		schema_warn_at(schema, tool->pos, path,
		    "by_client does nothing with quorum %llu: one client is one person; remove "
		    "one of them",
		    (unsigned long long)tool->approval.quorum);
}

static void warn_commands(struct schema *schema, const struct policy_tool *tool)
{
	char path[PATH_MAX_SHOWN];

	snprintf(path, sizeof(path), "tools.%s", tool->name);
	if (tool->deny_by_default && !tool->allowed_commands.count && !tool->packs.count)
		schema_warn_at(schema, tool->pos, path,
		    "denies every command; list some under allowed_commands");
	snprintf(path, sizeof(path), "tools.%s.allowed_commands", tool->name);
	for (uint32_t i = 0; i < tool->allowed_commands.count; i++) {
		const struct policy_word *word = &tool->allowed_commands.items[i];

		if (word_find(&tool->denied_commands, WORD_ORDER_BASENAME, word->text))
			schema_warn_at(schema, word->pos, path,
			    "'%.64s' is denied as well, and denied wins; keep it in one list",
			    schema_shown(schema, word->text));
	}
}

/* Roles that rules: and tests: of a tool name. */
static int check_rows(struct schema *schema, const struct policy *policy, uint32_t index)
{
	const struct policy_tool *tool = &policy->tools[index];
	const struct names roles = names_of(policy, NAME_ROLE);
	char list[PATH_MAX_SHOWN];
	int fault = 0;

	for (uint32_t i = 0; !fault && i < tool->rule_count; i++) {
		snprintf(list, sizeof(list), "tools.%.64s.rules[%u].roles", tool->name, i);
		fault = check_names(schema, &roles, &tool->rules[i].roles, list);
	}
	for (uint32_t i = 0; !fault && i < tool->test_count; i++) {
		snprintf(list, sizeof(list), "tools.%.64s.tests[%u].roles", tool->name, i);
		fault = check_names(schema, &roles, &tool->tests[i].roles, list);
	}
	return fault;
}

static int check_tools(struct schema *schema, struct policy *policy)
{
	char path[PATH_MAX_SHOWN];
	int fault = 0;

	for (uint32_t i = 0; !fault && i < policy->tool_count; i++) {
		struct policy_tool *tool = &policy->tools[i];

		if (!tool->max_execution_ms)
			tool->max_execution_ms = policy->default_execution_ms;
		inherit(&tool->approval, &policy->approval);
		warn_client(schema, tool);
		warn_commands(schema, tool);
		snprintf(path, sizeof(path), "tools.%.64s.approval", tool->name);
		fault = tool->approval.given ? approval_check(schema, policy, &tool->approval, path)
					     : 0;
		if (!fault)
			fault = check_rows(schema, policy, i);
	}
	return fault;
}

/* A namespace belongs to one tenant: what a call leaves behind is seen by one of them only. */
static int check_tenant(struct schema *schema, const struct policy *policy, uint32_t index)
{
	const struct policy_tenant *tenant = &policy->tenants[index];
	const struct names spaces = names_of(policy, NAME_NAMESPACE);
	char list[PATH_MAX_SHOWN], path[PATH_MAX_SHOWN];
	int fault;

	snprintf(list, sizeof(list), "tenants.%.64s.namespaces", tenant->name);
	if (!tenant->namespaces.count)
		return schema_refuse_at(schema, tenant->pos, list,
		    "has no namespace; name those that are this tenant's");
	fault = check_names(schema, &spaces, &tenant->namespaces, list);
	for (uint32_t i = 0; !fault && i < tenant->namespaces.count; i++) {
		const struct policy_word *word = &tenant->namespaces.items[i];
		const struct policy_tenant *other = policy_tenant_of(policy, word->text);

		snprintf(path, sizeof(path), "%.200s[%u]", list, i);
		if (other != tenant)
			fault = schema_refuse_at(schema, word->pos, path,
			    "'%.64s' is tenant %.64s's already; a namespace has one tenant",
			    schema_shown(schema, word->text), other->name);
	}
	return fault;
}

int policy_check(struct schema *schema, struct policy *policy)
{
	int fault = channels_order(schema, policy);

	sort_all(policy);
	if (!fault)
		fault = channels_check(schema, policy);
	check_roles(schema, policy);
	for (uint32_t i = 0; !fault && i < policy->principal_count; i++)
		fault = check_principal(schema, policy, i);
	check_agents(schema, policy);
	for (uint32_t i = 0; !fault && i < policy->tenant_count; i++)
		fault = check_tenant(schema, policy, i);
	if (!fault)
		fault = check_tools(schema, policy);
	if (!fault)
		fault = policy_load_packs(schema, policy);
	for (uint32_t i = 0; !fault && i < policy->tool_count; i++)
		fault = tool_check_expected(schema, policy, &policy->tools[i]);
	return fault ? fault : http_check(schema, policy);
}
