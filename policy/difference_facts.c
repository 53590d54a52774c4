#include "policy/difference_facts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/order.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

/* ---- the list ----------------------------------------------------------------------------- */

static const char *keep(struct facts *facts, const char *bytes, size_t len)
{
	const char *text = arena_text(&facts->arena, bytes, len);

	if (!text)
		facts->fault = -ENOMEM;
	return text ? text : "";
}

const char *facts_text(struct facts *facts, const char *format, ...)
{
	char *cleanup_free text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		facts->fault = -ENOMEM;
		return "";
	}
	return keep(facts, text, (size_t)len);
}

const char *facts_words(struct facts *facts, const struct policy_words *words)
{
	struct buf cleanup_with(buf_fini) list;

	buf_init(&list, POLICY_FROZEN_MAX);
	for (uint32_t i = 0; i < words->count; i++)
		buf_textf(&list, "%s%s", i ? ", " : "", words->items[i].text);
	if (!words->count)
		buf_text(&list, "none");
	if (list.fault)
		facts->fault = list.fault;
	return list.fault ? "" : keep(facts, (const char *)list.data, list.len);
}

static void add_fact(struct facts *facts, struct fact fact)
{
	if (facts->fault)
		return;
	if (facts->count == FACTS_MAX) {
		facts->fault = -E2BIG;
		return;
	}
	if (facts->count == facts->room) {
		size_t room = facts->room ? facts->room * 2 : 256;
		struct fact *items = realloc(facts->items, room * sizeof(*items));

		if (!items) {
			facts->fault = -ENOMEM;
			return;
		}
		facts->items = items;
		facts->room = room;
	}
	facts->items[facts->count++] = fact;
}

void facts_add(
    struct facts *facts, enum fact_kind kind, const char *who, const char *what, const char *value)
{
	add_fact(facts, (struct fact){.who = who, .what = what, .value = value, .kind = kind});
}

void facts_add_words(struct facts *facts, enum fact_kind kind, const char *who, const char *what,
    const struct policy_words *words)
{
	for (uint32_t i = 0; i < words->count && !facts->fault; i++)
		facts_add(
		    facts, kind, who, facts_text(facts, "%s %s", what, words->items[i].text), "");
}

void facts_add_number(struct facts *facts, const char *who, const char *what, uint64_t value)
{
	facts_add(
	    facts, FACT_SETTING, who, what, facts_text(facts, "%llu", (unsigned long long)value));
}

void facts_add_flag(struct facts *facts, const char *who, const char *what, bool value)
{
	facts_add(facts, FACT_SETTING, who, what, value ? "true" : "false");
}

void facts_add_visible(struct facts *facts, const char *thing, enum visibility visibility)
{
	const char *what = facts_text(facts, "sees %s", thing);

	if (visibility == VISIBILITY_PUBLIC)
		facts_add(facts, FACT_RIGHT, "whoever shows nothing", what, "");
	if (visibility == VISIBILITY_PUBLIC || visibility == VISIBILITY_INTERNAL)
		facts_add(facts, FACT_RIGHT, "whoever is authenticated", what, "");
}

static int compare_facts(const void *a, const void *b)
{
	const struct fact *left = a, *right = b;
	int order = strcmp(left->who, right->who);

	if (!order)
		order = strcmp(left->what, right->what);
	return order ? order : strcmp(left->value, right->value);
}

/* Two rows may give the same. */
static void sort(struct facts *facts)
{
	size_t kept = 0;

	if (facts->count)
		qsort(facts->items, facts->count, sizeof(*facts->items), compare_facts);
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		if (kept && !strcmp(facts->items[kept - 1].who, fact->who) &&
		    !strcmp(facts->items[kept - 1].what, fact->what))
			continue;
		facts->items[kept++] = *fact;
	}
	facts->count = kept;
}

const struct fact *facts_find(const struct facts *facts, const char *who, const char *what)
{
	size_t low = 0, high = facts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct fact *fact = &facts->items[middle];
		int order = strcmp(fact->who, who);

		if (!order)
			order = strcmp(fact->what, what);
		if (!order)
			return fact;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void facts_fini(struct facts *facts)
{
	free(facts->items);
	arena_fini(&facts->arena);
	*facts = (struct facts){.items = NULL};
}

/* ---- who ---------------------------------------------------------------------------------- */

static const char *const permission_names[] = {
#define PERMISSION_NAME_(id, name) [PERMISSION_BIT_##id] = name,
    POLICY_PERMISSIONS(PERMISSION_NAME_)
#undef PERMISSION_NAME_
};

static void add_role(
    struct facts *facts, const struct policy *policy, const struct policy_role *role)
{
	const char *who = facts_text(facts, "role %s", role->name);

	for (uint32_t i = 0; i < policy->tool_count && !facts->fault; i++) {
		const struct policy_tool *tool = &policy->tools[i];

		if (globs_hold(&role->tools, tool->name))
			facts_add(facts, FACT_RIGHT, who,
			    facts_text(facts, "may call %s", tool->name), "");
	}
	facts_add_words(facts, FACT_RIGHT, who, "may approve calls of", &role->approve);
	for (uint32_t i = 0; i < PERMISSION_BIT_COUNT; i++) {
		if (role->permissions & (1u << i))
			facts_add(facts, FACT_RIGHT, who,
			    facts_text(facts, "permission %s", permission_names[i]), "");
	}
}

/* "peer_uid 1000 and jwt role = operator": who the row is about. */
static const char *name_row(struct facts *facts, const struct policy_principal *row)
{
	struct buf cleanup_with(buf_fini) name;
	const char *text;

	buf_init(&name, 16384);
	if (row->has_uid)
		buf_textf(&name, " and peer_uid %u", row->uid);
	if (row->has_gid)
		buf_textf(&name, " and peer_gid %u", row->gid);
	if (row->jwt_claim[0])
		buf_textf(&name, " and jwt %s = %s", row->jwt_claim, row->jwt_value);
	if (row->cert_san[0])
		buf_textf(&name, " and client_cert %s", row->cert_san);
	if (row->api_key[0])
		buf_textf(&name, " and api_key %s", row->api_key);
	if (row->anonymous)
		buf_text(&name, " and anonymous");
	text = buf_cstr(&name);
	if (!text || name.fault) {
		facts->fault = -ENOMEM;
		return "";
	}
	return facts_text(facts, "principal %s", name.len > 5 ? text + 5 : "");
}

/* A row's role counts for the agents and in the namespaces of that row only. */
static void add_row_role(struct facts *facts, const struct policy_principal *row, const char *who,
    const char *role, const char *space)
{
	const char *any = facts_text(facts, "role %s as any agent in namespace %s", role, space);

	if (!row->has_agents)
		facts_add(facts, FACT_RIGHT, who, any, "");
	for (uint32_t i = 0; row->has_agents && i < row->agents.count && !facts->fault; i++)
		add_fact(facts, (struct fact){.who = who,
				    .what = facts_text(facts, "role %s as agent %s in namespace %s",
					role, row->agents.items[i].text, space),
				    .value = "",
				    .broader = any,
				    .kind = FACT_RIGHT});
}

static void add_row(struct facts *facts, const struct policy_principal *row)
{
	const struct policy_words *spaces = &row->namespaces;
	const char *who = name_row(facts, row);

	for (uint32_t i = 0; i < row->roles.count && !facts->fault; i++) {
		const char *role = row->roles.items[i].text;

		if (!row->has_namespaces)
			add_row_role(facts, row, who, role, "default");
		for (uint32_t j = 0; row->has_namespaces && j < spaces->count && !facts->fault; j++)
			add_row_role(facts, row, who, role, spaces->items[j].text);
	}
}

static void add_agent(struct facts *facts, const struct policy_agent *agent)
{
	const char *who = facts_text(facts, "agent %s", agent->name);

	facts_add_words(facts, FACT_RIGHT, who, "may call", &agent->tools);
	facts_add_visible(facts, who, agent->visibility);
}

/* ---- the rest ----------------------------------------------------------------------------- */

void facts_add_approval(
    struct facts *facts, const char *who, const struct policy_approval *approval)
{
	facts_add_number(facts, who, "approval.quorum", approval->quorum);
	facts_add(facts, FACT_SETTING, who, "approval.grants",
	    facts_text(facts, "once%s%s", approval->grants & GRANT_SESSION ? ", session" : "",
		approval->grants & GRANT_ALWAYS ? ", always" : ""));
	facts_add_number(facts, who, "approval.max_grant_ttl (ms)", approval->max_grant_ttl_ms);
	facts_add_words(facts, FACT_RIGHT, who, "lets an approver edit", &approval->editable);
	facts_add(
	    facts, FACT_SETTING, who, "approval.channels", facts_words(facts, &approval->channels));
	facts_add_number(facts, who, "approval.escalate_after (ms)", approval->escalate_after_ms);
	if (approval->by_client)
		facts_add(facts, FACT_RIGHT, who, "lets the client ask its own user", "");
	if (approval->reason_required)
		facts_add(facts, FACT_LIMIT, who, "wants a reason for an approval", "");
}

static void add_channel(struct facts *facts, const struct policy_channel *channel)
{
	static const char *const types[CHANNEL_TYPE_COUNT] = {
	    "none", "standard", "github", "slack", "ntfy", "json"};
	const char *who = facts_text(facts, "channel %s", channel->name);

	facts_add(facts, FACT_SETTING, who, "type", types[channel->type]);
	facts_add(facts, FACT_SETTING, who, "url", channel->url);
	facts_add(facts, FACT_SETTING, who, "url_env", channel->url_env);
	facts_add(facts, FACT_SETTING, who, "secret_env", channel->secret_env);
	facts_add_words(facts, FACT_RIGHT, who, "answers with role", &channel->roles);
	facts_add(facts, FACT_SETTING, who, "namespaces",
	    channel->namespaces.count ? facts_words(facts, &channel->namespaces) : "all");
}

static void add_places(struct facts *facts, const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->namespace_count; i++)
		facts_add(facts, FACT_SETTING,
		    facts_text(facts, "namespace %s", policy->namespaces[i].name),
		    "working_directory", policy->namespaces[i].working_directory);
	for (uint32_t i = 0; i < policy->tenant_count; i++) {
		const struct policy_tenant *tenant = &policy->tenants[i];
		const char *who = facts_text(facts, "tenant %s", tenant->name);

		facts_add_words(facts, FACT_RIGHT, who, "has namespace", &tenant->namespaces);
		facts_add_number(facts, who, "rate_limiting.requests_per_minute",
		    tenant->rate.requests_per_minute);
		facts_add_number(facts, who, "rate_limiting.burst", tenant->rate.burst);
	}
}

static void add_whole(struct facts *facts, const struct policy *policy)
{
	static const char who[] = "everybody";

	facts_add(
	    facts, FACT_SETTING, who, "defaults.decision", decision_name(policy->default_decision));
	facts_add(facts, FACT_SETTING, who, "defaults.path", facts_words(facts, &policy->path));
	facts_add_number(
	    facts, who, "defaults.max_execution_time (ms)", policy->default_execution_ms);
	facts_add_number(facts, who, "approvals.timeout (ms)", policy->approval_timeout_ms);
	facts_add_number(facts, who, "approvals.hold (ms)", policy->approval_hold_ms);
	facts_add_approval(facts, who, &policy->approval);
	facts_add(facts, FACT_SETTING, who, "audit.directory", policy->audit_directory);
	facts_add(facts, FACT_SETTING, who, "logger.level", policy->log_level);
	facts_add(facts, FACT_SETTING, who, "logger.format", policy->log_format);
	if (policy->has_agents)
		facts_add(facts, FACT_LIMIT, who, "acts as an agent of the file", "");
}

int facts_collect(struct facts *facts, const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->role_count; i++)
		add_role(facts, policy, &policy->roles[i]);
	for (uint32_t i = 0; i < policy->principal_count; i++)
		add_row(facts, &policy->principals[i]);
	for (uint32_t i = 0; i < policy->agent_count; i++)
		add_agent(facts, &policy->agents[i]);
	for (uint32_t i = 0; i < policy->channel_count; i++)
		add_channel(facts, &policy->channels[i]);
	for (uint32_t i = 0; i < policy->tool_count; i++)
		facts_add_tool(facts, policy, &policy->tools[i]);
	add_places(facts, policy);
	add_whole(facts, policy);
	sort(facts);
	return facts->fault;
}
