#include "policy/frozen.h"

#include "policy/order.h"
#include "policy/pack.h"
#include "policy/policy.h"

/* ---- parts -------------------------------------------------------------------------------- */

static const struct field word_fields[] = {
    F(STR, policy_word, text),
    F(POS, policy_word, pos),
};
SHAPE(word_shape, policy_word, word_fields);

static const struct field sandbox_fields[] = {
    F_U64(policy_sandbox, memory, 0, INT64_MAX),
    F_U64(policy_sandbox, pids, 0, INT64_MAX),
    F_U64(policy_sandbox, cpu_ms, 0, DURATION_MAX_MS),
    F_U64(policy_sandbox, output, 0, INT64_MAX),
    F_U64(policy_sandbox, disk, 0, INT64_MAX),
    F_U64(policy_sandbox, inodes, 0, INT64_MAX),
    F_U64(policy_sandbox, file_size, 0, INT64_MAX),
    F_U64(policy_sandbox, files, 0, INT64_MAX),
    F_U32(policy_sandbox, workspace, WORKSPACE_RW, WORKSPACE_OVERLAY),
    F(BOOL, policy_sandbox, exec),
    F_U32(policy_sandbox, run_as, RUN_AS_CELL, RUN_AS_OWNER),
    F(BOOL, policy_sandbox, require_all),
    F(BOOL, policy_sandbox, require_given),
    F_WORDS(policy_sandbox, require, NONE),
    F(BOOL, policy_sandbox, callgate),
    F(POS, policy_sandbox, pos),
};
static SHAPE(sandbox_shape, policy_sandbox, sandbox_fields);

static const struct field annotations_fields[] = {
    F(STR, policy_annotations, title),
    F_U32(policy_annotations, read_only, HINT_NONE, HINT_YES),
    F_U32(policy_annotations, destructive, HINT_NONE, HINT_YES),
    F_U32(policy_annotations, idempotent, HINT_NONE, HINT_YES),
    F_U32(policy_annotations, open_world, HINT_NONE, HINT_YES),
};
static SHAPE(annotations_shape, policy_annotations, annotations_fields);

static const struct field approval_fields[] = {
    F(BOOL, policy_approval, given),
    F_U64(policy_approval, quorum, 0, 16),
    F_U32(policy_approval, grants, 0, GRANT_ONCE | GRANT_SESSION | GRANT_ALWAYS),
    F_U64(policy_approval, max_grant_ttl_ms, 0, DURATION_MAX_MS),
    F_WORDS(policy_approval, editable, NONE),
    F_WORDS(policy_approval, channels, NONE),
    F_U64(policy_approval, escalate_after_ms, 0, DURATION_MAX_MS),
    F(BOOL, policy_approval, by_client),
    F(BOOL, policy_approval, reason_required),
};
static SHAPE(approval_shape, policy_approval, approval_fields);

static const struct field element_fields[] = {
    F_U32(policy_element, kind, ELEMENT_TEXT, ELEMENT_EACH),
    F(STR, policy_element, text),
    F(STR, policy_element, condition),
    F(BOOL, policy_element, dash),
    F(POS, policy_element, pos),
};
static SHAPE(element_shape, policy_element, element_fields);

static const struct field exec_fields[] = {
    F(STR, policy_exec, program),
    F(POS, policy_exec, pos),
    F_ARRAY(ARRAY, policy_exec, elements, element_count, element_shape),
};
static SHAPE(exec_shape, policy_exec, exec_fields);

static const struct field env_fields[] = {
    F(VARIABLE, policy_env, name),
    F(POS, policy_env, pos),
    F_U32(policy_env, source, ENV_LITERAL, ENV_VARIABLE),
    F(STR, policy_env, text),
};
static SHAPE(env_shape, policy_env, env_fields);

static const struct field when_fields[] = {
    F(STR, policy_when, name),
    F(POS, policy_when, pos),
    F(STR, policy_when, schema),
};
static SHAPE(when_shape, policy_when, when_fields);

static const struct field rule_fields[] = {
    F(NAME, policy_rule, id),
    F(POS, policy_rule, pos),
    F_U32(policy_rule, decision, DECISION_ALLOW, DECISION_DENY),
    F(STR, policy_rule, reason),
    F_WORDS(policy_rule, roles, NONE),
    F_ARRAY(ARRAY, policy_rule, when, when_count, when_shape),
};
static SHAPE(rule_shape, policy_rule, rule_fields);

static const struct field tool_fields[] = {
    F(TOOL, policy_tool, name),
    F(POS, policy_tool, pos),
    F_U32(policy_tool, type, TOOL_COMMAND, TOOL_FUNCTION),
    F_U32(policy_tool, visibility, VISIBILITY_PUBLIC, VISIBILITY_PRIVATE),
    F(STR, policy_tool, description),
    F(STR, policy_tool, working_directory),
    F(POS, policy_tool, working_directory_pos),
    F_U64(policy_tool, max_execution_ms, 1, DURATION_MAX_MS),
    F(BOOL, policy_tool, deny_by_default),
    F(POS, policy_tool, deny_by_default_pos),
    F(BOOL, policy_tool, require_approval),
    F(BOOL, policy_tool, asks_effects),
    F(POS, policy_tool, require_approval_pos),
    F(STR, policy_tool, approval_prompt),
    F_WORDS(policy_tool, allowed_commands, TEXT),
    F_WORDS(policy_tool, denied_commands, BASENAME),
    F_WORDS(policy_tool, helpers, NONE),
    F(BOOL, policy_tool, multicall),
    F_U32(policy_tool, handler, HANDLER_NONE, HANDLER_GREP_SEARCH),
    F_RECORD(policy_tool, annotations, annotations_shape),
    F(STR, policy_tool, parameters),
    F(POS, policy_tool, parameters_pos),
    F(STR, policy_tool, output_schema),
    F_U32(policy_tool, output, TOOL_OUTPUT_TEXT, TOOL_OUTPUT_CONTENT),
    F(BOOL, policy_tool, elicit),
    F_RECORD(policy_tool, exec, exec_shape),
    F_U32(policy_tool, stdin_rule, STDIN_RULE_DEFAULT, STDIN_RULE_PARAMETER),
    F(STR, policy_tool, stdin_parameter),
    F_ARRAY(NAMED, policy_tool, env, env_count, env_shape),
    F_WORDS(policy_tool, packs, NONE),
    F_ARRAY(ARRAY, policy_tool, rules, rule_count, rule_shape),
    F_RECORD(policy_tool, approval, approval_shape),
    F_RECORD(policy_tool, sandbox, sandbox_shape),
};

/* A function has a handler and nothing that starts programs; a typed tool has a schema. */
static bool tool_fits(const void *record)
{
	const struct policy_tool *tool = record;
	bool is_function = tool->type == TOOL_FUNCTION;
	bool names_parameter = tool->stdin_rule == STDIN_RULE_PARAMETER;

	if (is_function != (tool->handler != HANDLER_NONE))
		return false;
	if (is_function &&
	    (tool_is_typed(tool) || tool->allowed_commands.count || tool->packs.count ||
		tool->env_count || tool->sandbox.callgate || tool->output != TOOL_OUTPUT_TEXT))
		return false;
	if (tool->elicit && !tool->sandbox.callgate)
		return false;
	if (tool_is_typed(tool) && (!tool->parameters[0] || tool->allowed_commands.count))
		return false;
	if (!tool_is_typed(tool) && (tool->exec.element_count || tool->parameters[0]))
		return false;
	return names_parameter == (tool->stdin_parameter[0] != '\0');
}
static SHAPE_JUDGED(tool_shape, policy_tool, tool_fields, tool_fits);

static const struct field role_fields[] = {
    F(NAME, policy_role, name),
    F(POS, policy_role, pos),
    F_WORDS(policy_role, tools, NONE),
    F_WORDS(policy_role, approve, NONE),
    F_U32(policy_role, permissions, 0, (1u << PERMISSION_BIT_COUNT) - 1),
};
static SHAPE(role_shape, policy_role, role_fields);

static const struct field principal_fields[] = {
    F(POS, policy_principal, pos),
    F(BOOL, policy_principal, has_uid),
    F(BOOL, policy_principal, has_gid),
    F_U32(policy_principal, uid, 0, UINT32_MAX - 1),
    F_U32(policy_principal, gid, 0, UINT32_MAX - 1),
    F(STR, policy_principal, jwt_claim),
    F(STR, policy_principal, jwt_value),
    F(STR, policy_principal, cert_san),
    F(STR, policy_principal, api_key),
    F(BOOL, policy_principal, anonymous),
    F_WORDS(policy_principal, roles, NONE),
    F(BOOL, policy_principal, has_agents),
    F(BOOL, policy_principal, has_namespaces),
    F_WORDS(policy_principal, agents, NONE),
    F_WORDS(policy_principal, namespaces, NONE),
};

/* A row without a matcher, or anonymous beside another one, was never loaded. */
static bool principal_fits(const void *record)
{
	const struct policy_principal *row = record;
	bool has_peer = row->has_uid || row->has_gid;
	bool has_credential = row->jwt_claim[0] || row->cert_san[0] || row->api_key[0];

	return (has_peer || has_credential) != row->anonymous &&
	       !row->jwt_claim[0] == !row->jwt_value[0];
}
static SHAPE_JUDGED(principal_shape, policy_principal, principal_fields, principal_fits);

static const struct field agent_fields[] = {
    F(NAME, policy_agent, name),
    F(POS, policy_agent, pos),
    F_U32(policy_agent, visibility, VISIBILITY_PUBLIC, VISIBILITY_PRIVATE),
    F_WORDS(policy_agent, tools, NONE),
};
static SHAPE(agent_shape, policy_agent, agent_fields);

static const struct field namespace_fields[] = {
    F(NAME, policy_namespace, name),
    F(POS, policy_namespace, pos),
    F(STR, policy_namespace, working_directory),
    F(POS, policy_namespace, working_directory_pos),
};
static SHAPE(namespace_shape, policy_namespace, namespace_fields);

static const struct field tenant_fields[] = {
    F(NAME, policy_tenant, name),
    F(POS, policy_tenant, pos),
    F_WORDS(policy_tenant, namespaces, NONE),
    F_RECORD(policy_tenant, rate, rate_shape),
};
static SHAPE(tenant_shape, policy_tenant, tenant_fields);

static const struct field channel_fields[] = {
    F(NAME, policy_channel, name),
    F(POS, policy_channel, pos),
    F_U32(policy_channel, type, CHANNEL_STANDARD, CHANNEL_TYPE_COUNT - 1),
    F(STR, policy_channel, url),
    F(STR, policy_channel, url_env),
    F(STR, policy_channel, secret_env),
    F_WORDS(policy_channel, roles, NONE),
    F_WORDS(policy_channel, namespaces, NONE),
};

/* One address, and a secret for what is signed. "terminal" is never a web hook. */
static bool channel_fits(const void *record)
{
	const struct policy_channel *channel = record;
	bool is_signed = channel->type == CHANNEL_STANDARD || channel->type == CHANNEL_GITHUB ||
			 channel->type == CHANNEL_SLACK;

	return !channel->url[0] != !channel->url_env[0] && (!is_signed || channel->secret_env[0]) &&
	       strcmp(channel->name, "terminal") != 0;
}
static SHAPE_JUDGED(channel_shape, policy_channel, channel_fields, channel_fits);

/* ---- the whole ---------------------------------------------------------------------------- */

static bool packs_are_there(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		const struct policy_words *packs = &policy->tools[i].packs;

		for (uint32_t j = 0; j < packs->count; j++) {
			if (!policy_find_pack(policy, packs->items[j].text))
				return false;
		}
	}
	return true;
}

static bool channels_are_there(const struct policy *policy, const struct policy_approval *approval)
{
	for (uint32_t i = 0; i < approval->channels.count; i++) {
		const char *name = approval->channels.items[i].text;

		if (strcmp(name, "terminal") != 0 && !policy_find_channel(policy, name))
			return false;
	}
	return true;
}

static bool approvals_fit(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->tool_count; i++)
		if (!channels_are_there(policy, &policy->tools[i].approval))
			return false;
	return channels_are_there(policy, &policy->approval);
}

static bool policy_fits(const void *record)
{
	const struct policy *policy = record;

	if (!policy->namespace_count || !policy->path.count)
		return false;
	for (uint32_t i = 0; i < policy->path.count; i++) {
		if (policy->path.items[i].text[0] != '/')
			return false;
	}
	return (policy->has_agents || !policy->agent_count) && packs_are_there(policy) &&
	       approvals_fit(policy);
}

static const struct field policy_fields[] = {
    F(STR, policy, file),
    F(STR, policy, socket_path),
    F(POS, policy, socket_pos),
    F_U32(policy, socket_mode, 0, 0777),
    F(STR, policy, socket_group),
    F(POS, policy, socket_group_pos),
    F(STR, policy, audit_directory),
    F(POS, policy, audit_pos),
    F(NAME, policy, log_level),
    F(NAME, policy, log_format),
    F_U64(policy, approval_timeout_ms, 1, DURATION_MAX_MS),
    F_U64(policy, approval_hold_ms, 0, DURATION_MAX_MS),
    F_U32(policy, default_decision, DECISION_ALLOW, DECISION_DENY),
    F(POS, policy, default_decision_pos),
    F_U64(policy, default_execution_ms, 1, DURATION_MAX_MS),
    F_WORDS(policy, path, NONE),
    F(BOOL, policy, has_agents),
    F_ARRAY(NAMED, policy, roles, role_count, role_shape),
    F_ARRAY(ARRAY, policy, principals, principal_count, principal_shape),
    F_ARRAY(NAMED, policy, agents, agent_count, agent_shape),
    F_ARRAY(NAMED, policy, namespaces, namespace_count, namespace_shape),
    F_ARRAY(NAMED, policy, tenants, tenant_count, tenant_shape),
    F_ARRAY(NAMED, policy, packs, pack_count, pack_shape),
    F_RECORD(policy, approval, approval_shape),
    F_ARRAY(NAMED, policy, channels, channel_count, channel_shape),
    F_ARRAY(NAMED, policy, tools, tool_count, tool_shape),
    F_RECORD(policy, http, http_shape),
};
SHAPE_JUDGED(policy_shape, policy, policy_fields, policy_fits);
