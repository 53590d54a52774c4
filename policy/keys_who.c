#include "policy/keys.h"

#include <errno.h>
#include <string.h>

#include "policy/decide.h"

/* ---- roles -------------------------------------------------------------------------------- */

static const char *const permission_choices[] = {
#define PERMISSION_TEXT_(id, name) name,
    POLICY_PERMISSIONS(PERMISSION_TEXT_)
#undef PERMISSION_TEXT_
	NULL,
};

static int refuse_permission(struct schema *schema, const struct yaml_node *node, const char *text)
{
	for (const char *const *name = permission_choices; *name; name++) {
		if (schema_is_close(text, *name))
			return schema_refuse(schema, node,
			    "'%.60s' is not a permission; did you mean %s?", node->text, *name);
	}
	return schema_refuse(
	    schema, node, "'%.60s' is not a permission; callgate.yaml(5) lists them", node->text);
}

static int read_permissions(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_role *role = record;

	(void)key;
	if (node->kind != YAML_KIND_SEQUENCE)
		return schema_refuse(schema, node, "is not a list; write [audit:read]");
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		const char *text;
		uint32_t bit;
		int fault = schema_text(schema, item, &text);

		if (fault)
			return fault;
		bit = permission_from_name(text);
		if (!bit)
			return refuse_permission(schema, item, text);
		role->permissions |= bit;
	}
	return 0;
}

static const struct schema_key role_keys[] = {
    {.name = "tools",
	.about = "Globs of tools that the role may call",
	.read = read_words,
	.place = PLACE(policy_role, tools),
	.judge = judge_tool_glob,
	.pattern = "^[A-Za-z0-9_.*?-]{1,64}$"},
    {.name = "approve",
	.about = "Globs of tools whose calls the role may approve or deny",
	.read = read_words,
	.place = PLACE(policy_role, approve),
	.judge = judge_tool_glob,
	.pattern = "^[A-Za-z0-9_.*?-]{1,64}$"},
    {.name = "permissions",
	.read = read_permissions,
	.about = "What else the role may do",
	.choices = permission_choices,
	.like = read_words},
    KEY_END,
};

const struct schema_list role_list = {
    .size = sizeof(struct policy_role),
    .count_place = PLACE(policy, role_count),
    .pos_place = PLACE(policy_role, pos),
    .max = IDENTITY_ROLES_MAX,
    .keys = role_keys,
    .judge = judge_name,
    .pattern = NAME_PATTERN,
};

/* ---- principals --------------------------------------------------------------------------- */

static void begin_principal(void *element)
{
	struct policy_principal *row = element;

	row->jwt_claim = row->jwt_value = row->cert_san = row->api_key = "";
}

static int end_principal(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct policy_principal *row = element;
	bool has_peer = row->has_uid || row->has_gid;
	bool has_name = row->jwt_claim[0] || row->cert_san[0] || row->api_key[0];

	if (!row->jwt_claim[0] != !row->jwt_value[0])
		return schema_refuse(schema, yaml_child(node, "jwt"),
		    "is half a matcher; write {claim: role, value: operator}");
	if (!has_peer && !has_name && !row->anonymous)
		return schema_refuse(schema, node,
		    "matches nobody in particular; give peer_uid, peer_gid, jwt, client_cert, "
		    "api_key or anonymous");
	if (row->anonymous && (has_peer || has_name))
		return schema_refuse_key(schema, yaml_child(node, "anonymous"),
		    "together with another matcher matches nobody; keep one of them");
	return 0;
}

static const struct schema_key jwt_keys[] = {
    {.name = "claim",
	.read = read_text,
	.about = "The claim's name",
	.place = PLACE(policy_principal, jwt_claim),
	.max = 255},
    {.name = "value",
	.read = read_text,
	.about = "Its value, or one of its values where it is a list",
	.place = PLACE(policy_principal, jwt_value),
	.max = 1024},
    KEY_END,
};

static const struct schema_key client_cert_keys[] = {
    {.name = "san",
	.read = read_text,
	.about = "A subject alternative name, whole, as in spiffe://corp/ci",
	.place = PLACE(policy_principal, cert_san),
	.max = 1024},
    KEY_END,
};

static const struct schema_key principal_keys[] = {
    {.name = "peer_uid",
	.about = "User id at the other end of the Unix socket",
	.read = read_id,
	.place = PLACE(policy_principal, uid),
	.given_place = PLACE(policy_principal, has_uid)},
    {.name = "peer_gid",
	.about = "Primary group id at the other end of the Unix socket",
	.read = read_id,
	.place = PLACE(policy_principal, gid),
	.given_place = PLACE(policy_principal, has_gid)},
    {.name = "roles",
	.about = "Roles that these callers have",
	.read = read_words,
	.place = PLACE(policy_principal, roles),
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    {.name = "agents",
	.about = "Agents as which these callers may act (all but private ones)",
	.read = read_words,
	.place = PLACE(policy_principal, agents),
	.given_place = PLACE(policy_principal, has_agents),
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    {.name = "namespaces",
	.about = "Namespaces that these callers may use (default)",
	.read = read_words,
	.place = PLACE(policy_principal, namespaces),
	.given_place = PLACE(policy_principal, has_namespaces),
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    {.name = "jwt",
	.read = read_section,
	.about = "Who shows a token with this claim, over HTTP",
	.keys = jwt_keys},
    {.name = "client_cert",
	.read = read_section,
	.about = "Who shows a certificate with this name, over HTTP",
	.keys = client_cert_keys},
    {.name = "api_key",
	.read = read_text,
	.about = "Who shows the key of this name, over HTTP",
	.place = PLACE(policy_principal, api_key),
	.max = 255,
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    {.name = "anonymous",
	.read = read_bool,
	.about = "Whoever shows nothing, over HTTP; needs require_auth: false",
	.place = PLACE(policy_principal, anonymous)},
    KEY_END,
};

const struct schema_list principal_list = {
    .size = sizeof(struct policy_principal),
    .count_place = PLACE(policy, principal_count),
    .pos_place = PLACE(policy_principal, pos),
    .max = ENTRIES_MAX,
    .keys = principal_keys,
    .begin = begin_principal,
    .end = end_principal,
};

/* ---- agents, namespaces ------------------------------------------------------------------- */

static void begin_agent(void *element)
{
	((struct policy_agent *)element)->visibility = VISIBILITY_PUBLIC;
}

static const struct schema_key agent_keys[] = {
    {.name = "visibility",
	.about = "Who can see the agent (public)",
	.read = read_choice,
	.place = PLACE(policy_agent, visibility),
	.choices = visibility_choices},
    {.name = "tools",
	.about = "Tools that the agent may call, out of the caller's",
	.read = read_words,
	.place = PLACE(policy_agent, tools),
	.judge = judge_tool_name,
	.pattern = TOOL_PATTERN},
    KEY_FOREIGN("llm", LLM),
    KEY_FOREIGN("instruction", INSTRUCTION),
    KEY_FOREIGN("document_stores", DOCUMENT_STORES),
    KEY_END,
};

const struct schema_list agent_list = {
    .size = sizeof(struct policy_agent),
    .count_place = PLACE(policy, agent_count),
    .pos_place = PLACE(policy_agent, pos),
    .max = ENTRIES_MAX,
    .keys = agent_keys,
    .judge = judge_name,
    .pattern = NAME_PATTERN,
    .begin = begin_agent,
};

static void begin_namespace(void *element)
{
	((struct policy_namespace *)element)->working_directory = "";
}

static int end_namespace(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct policy_namespace *space = element;

	if (!space->working_directory[0])
		return schema_refuse(schema, node, "has no directory; give working_directory");
	return 0;
}

static const struct schema_key namespace_keys[] = {
    {.name = "working_directory",
	.about = "The root of the namespace",
	.read = read_text,
	.place = PLACE(policy_namespace, working_directory),
	.pos_place = PLACE(policy_namespace, working_directory_pos),
	.max = PATH_BYTES_MAX},
    KEY_END,
};

const struct schema_list namespace_list = {
    .size = sizeof(struct policy_namespace),
    .count_place = PLACE(policy, namespace_count),
    .pos_place = PLACE(policy_namespace, pos),
    .max = ENTRIES_MAX,
    .keys = namespace_keys,
    .required = "\"working_directory\"",
    .judge = judge_name,
    .pattern = NAME_PATTERN,
    .begin = begin_namespace,
    .end = end_namespace,
};

/* ---- tenants ------------------------------------------------------------------------------ */

static const struct schema_key tenant_rate_keys[] = {
    {.name = "requests_per_minute",
	.read = read_count,
	.about = "Requests a minute of the whole tenant, 1 to 1000000",
	.place = PLACE(policy_tenant, rate.requests_per_minute),
	.min = 1,
	.max = 1000000,
	.range = "1 to 1000000"},
    {.name = "burst",
	.read = read_count,
	.about = "Requests at once, 1 to 100000",
	.place = PLACE(policy_tenant, rate.burst),
	.min = 1,
	.max = 100000,
	.range = "1 to 100000"},
    KEY_END,
};

static const struct schema_key tenant_keys[] = {
    {.name = "namespaces",
	.read = read_words,
	.about = "Its namespaces; one belongs to one tenant",
	.place = PLACE(policy_tenant, namespaces),
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    {.name = "rate_limiting",
	.read = read_section,
	.about = "Its own limit over HTTP",
	.given_place = PLACE(policy_tenant, rate.given),
	.keys = tenant_rate_keys},
    KEY_END,
};

const struct schema_list tenant_list = {
    .size = sizeof(struct policy_tenant),
    .count_place = PLACE(policy, tenant_count),
    .pos_place = PLACE(policy_tenant, pos),
    .max = ENTRIES_MAX,
    .keys = tenant_keys,
    .judge = judge_name,
    .pattern = NAME_PATTERN,
};
