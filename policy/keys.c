#include "policy/keys.h"

#include <errno.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

#define PATH_BYTES_MAX 4095

const char *const visibility_choices[] = {"", "public", "internal", "private", NULL};

const char *judge_name(const char *text)
{
	return str_is_name(text) ? NULL : "is not a name; use 1 to 255 letters, digits, _ and -";
}

/* As a tool name, with * and ?. */
const char *judge_tool_glob(const char *text)
{
	static const char fit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-*?";

	if (strlen(text) > 64 || text[strspn(text, fit)])
		return "cannot match a tool; use letters, digits, _ . - and the globs * and ?";
	return NULL;
}

/* ---- version ------------------------------------------------------------------------------ */

static int read_version(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	(void)key;
	(void)record;
	if (node->kind == YAML_KIND_SCALAR && !strcmp(node->text, "1"))
		return 0;
	if (node->kind == YAML_KIND_SCALAR && !strcmp(node->text, "2")) {
		schema_warn_at(schema, node->pos, "version",
		    "2 is another supervisor's; read as callgate's version 1");
		return 0;
	}
	return schema_refuse(
	    schema, node, "is not a version this callgate reads; write version: 1");
}

/* ---- server ------------------------------------------------------------------------------- */

/* Four octal digits with the leading zero written: 660 and 432 are too easily the wrong base. */
static int read_mode(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	static const char advice[] =
	    "is not an octal mode; write four octal digits in quotes, such as \"0660\"";
	struct policy *policy = record;
	uint32_t mode = 0;
	const char *text;
	int fault;

	(void)key;
	if (node->kind == YAML_KIND_SCALAR && node->text[0] != '0' && node->text[0] != '$')
		return schema_refuse(schema, node, "'%.60s' %s", node->text, advice);
	fault = schema_text(schema, node, &text);
	if (fault)
		return fault;
	if (strlen(text) != 4 || text[0] != '0' || text[strspn(text, "01234567")])
		return schema_refuse(schema, node, "'%.60s' %s", node->text, advice);
	for (; *text; text++)
		mode = mode * 8 + (uint32_t)(*text - '0');
	if ((mode & 0600) != 0600 || mode & 0111)
		return schema_refuse(schema, node,
		    "'%.60s' is no mode for a socket; let the owner read and write, nobody execute",
		    node->text);
	policy->socket_mode = mode;
	return 0;
}

static const struct schema_key socket_keys[] = {
    {.name = "path",
	.read = read_text,
	.place = PLACE(policy, socket_path),
	.pos_place = PLACE(policy, socket_pos),
	.max = PATH_BYTES_MAX},
    {.name = "mode", .read = read_mode},
    {.name = "group", .read = read_text, .place = PLACE(policy, socket_group), .max = 255},
    KEY_END,
};

static const struct schema_key server_keys[] = {
    {.name = "socket", .read = read_section, .keys = socket_keys},
    KEY_LATER("listen"),
    KEY_LATER("port"),
    KEY_LATER("max_upload_bytes"),
    KEY_LATER("trusted_proxies"),
    KEY_LATER("ip_allowlist"),
    KEY_LATER("auth"),
    KEY_LATER("cors"),
    KEY_LATER("rate_limiting"),
    KEY_LATER("studio"),
    KEY_LATER("tls"),
    KEY_LATER("observability"),
    KEY_END,
};

/* ---- small sections ----------------------------------------------------------------------- */

static const struct schema_key audit_keys[] = {
    {.name = "directory",
	.read = read_text,
	.place = PLACE(policy, audit_directory),
	.pos_place = PLACE(policy, audit_pos),
	.max = PATH_BYTES_MAX},
    KEY_END,
};

static const struct schema_key approvals_keys[] = {
    {.name = "timeout",
	.read = read_duration,
	.place = PLACE(policy, approval_timeout_ms),
	.min = 1000,
	.max = 7 * DAY_MS,
	.range = "1s to 7d"},
    /* MCP clients give up after 60 s; what is held longer is answered to nobody. */
    {.name = "hold",
	.read = read_duration,
	.place = PLACE(policy, approval_hold_ms),
	.min = 100,
	.max = 55 * 1000,
	.range = "100ms to 55s"},
    KEY_LATER("quorum"),
    KEY_LATER("grants"),
    KEY_LATER("max_grant_ttl"),
    KEY_LATER("escalate_after"),
    KEY_LATER("editable"),
    KEY_LATER("channels"),
    KEY_LATER("by_client"),
    KEY_LATER("reason_required"),
    KEY_END,
};

static const char *judge_path_dir(const char *text)
{
	return text_is_plain_path(text) && !strchr(text, ':')
		   ? NULL
		   : "is not an absolute directory; write it from / without . .. : or a last /";
}

static int read_path(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind == YAML_KIND_SEQUENCE && !node->count)
		return schema_refuse(schema, node, "has no directory; write at least one");
	return read_words(schema, node, key, record);
}

static const char *const decision_choices[] = {"", "allow", "ask", "deny", NULL};

static const struct schema_key defaults_keys[] = {
    {.name = "decision",
	.read = read_choice,
	.place = PLACE(policy, default_decision),
	.pos_place = PLACE(policy, default_decision_pos),
	.choices = decision_choices},
    {.name = "max_execution_time",
	.read = read_duration,
	.place = PLACE(policy, default_execution_ms),
	.min = 1,
	.max = DAY_MS,
	.range = "1ms to 1d"},
    {.name = "path", .read = read_path, .place = PLACE(policy, path), .judge = judge_path_dir},
    KEY_END,
};

static const char *const level_choices[] = {"error", "warn", "info", "debug", NULL};
static const char *const format_choices[] = {"text", "json", NULL};

static const struct schema_key logger_keys[] = {
    {.name = "level",
	.read = read_choice_text,
	.place = PLACE(policy, log_level),
	.choices = level_choices},
    {.name = "format",
	.read = read_choice_text,
	.place = PLACE(policy, log_format),
	.choices = format_choices},
    KEY_END,
};

/* ---- roles -------------------------------------------------------------------------------- */

static int refuse_permission(struct schema *schema, const struct yaml_node *node, const char *text)
{
	static const char *const names[] = {
#define PERMISSION_TEXT_(id, name) name,
	    POLICY_PERMISSIONS(PERMISSION_TEXT_)
#undef PERMISSION_TEXT_
	};

	for (size_t i = 0; i < PERMISSION_BIT_COUNT; i++) {
		if (schema_is_close(text, names[i]))
			return schema_refuse(schema, node,
			    "'%.60s' is not a permission; did you mean %s?", node->text, names[i]);
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
	.read = read_words,
	.place = PLACE(policy_role, tools),
	.judge = judge_tool_glob},
    {.name = "approve",
	.read = read_words,
	.place = PLACE(policy_role, approve),
	.judge = judge_tool_glob},
    {.name = "permissions", .read = read_permissions},
    KEY_END,
};

static const struct schema_list role_list = {
    .size = sizeof(struct policy_role),
    .count_place = PLACE(policy, role_count),
    .pos_place = PLACE(policy_role, pos),
    .max = IDENTITY_ROLES_MAX,
    .keys = role_keys,
    .judge = judge_name,
};

/* ---- principals --------------------------------------------------------------------------- */

static int end_principal(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct policy_principal *row = element;

	if (!row->has_uid && !row->has_gid)
		return schema_refuse(
		    schema, node, "matches nobody in particular; give peer_uid or peer_gid");
	return 0;
}

static const struct schema_key principal_keys[] = {
    {.name = "peer_uid",
	.read = read_id,
	.place = PLACE(policy_principal, uid),
	.given_place = PLACE(policy_principal, has_uid)},
    {.name = "peer_gid",
	.read = read_id,
	.place = PLACE(policy_principal, gid),
	.given_place = PLACE(policy_principal, has_gid)},
    {.name = "roles",
	.read = read_words,
	.place = PLACE(policy_principal, roles),
	.judge = judge_name},
    {.name = "agents",
	.read = read_words,
	.place = PLACE(policy_principal, agents),
	.given_place = PLACE(policy_principal, has_agents),
	.judge = judge_name},
    {.name = "namespaces",
	.read = read_words,
	.place = PLACE(policy_principal, namespaces),
	.given_place = PLACE(policy_principal, has_namespaces),
	.judge = judge_name},
    KEY_LATER("jwt"),
    KEY_LATER("client_cert"),
    KEY_LATER("api_key"),
    KEY_LATER("anonymous"),
    KEY_END,
};

static const struct schema_list principal_list = {
    .size = sizeof(struct policy_principal),
    .count_place = PLACE(policy, principal_count),
    .pos_place = PLACE(policy_principal, pos),
    .max = ENTRIES_MAX,
    .keys = principal_keys,
    .end = end_principal,
};

/* ---- agents, namespaces ------------------------------------------------------------------- */

static const char *judge_tool_name(const char *text)
{
	return str_is_tool_name(text)
		   ? NULL
		   : "is not a tool's name; use 1 to 64 letters, digits, _ . and -";
}

static void begin_agent(void *element)
{
	((struct policy_agent *)element)->visibility = VISIBILITY_PUBLIC;
}

static const struct schema_key agent_keys[] = {
    {.name = "visibility",
	.read = read_choice,
	.place = PLACE(policy_agent, visibility),
	.choices = visibility_choices},
    {.name = "tools",
	.read = read_words,
	.place = PLACE(policy_agent, tools),
	.judge = judge_tool_name},
    KEY_FOREIGN("llm", LLM),
    KEY_FOREIGN("instruction", INSTRUCTION),
    KEY_FOREIGN("document_stores", DOCUMENT_STORES),
    KEY_END,
};

static const struct schema_list agent_list = {
    .size = sizeof(struct policy_agent),
    .count_place = PLACE(policy, agent_count),
    .pos_place = PLACE(policy_agent, pos),
    .max = ENTRIES_MAX,
    .keys = agent_keys,
    .judge = judge_name,
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
	.read = read_text,
	.place = PLACE(policy_namespace, working_directory),
	.pos_place = PLACE(policy_namespace, working_directory_pos),
	.max = PATH_BYTES_MAX},
    KEY_END,
};

static const struct schema_list namespace_list = {
    .size = sizeof(struct policy_namespace),
    .count_place = PLACE(policy, namespace_count),
    .pos_place = PLACE(policy_namespace, pos),
    .max = ENTRIES_MAX,
    .keys = namespace_keys,
    .judge = judge_name,
    .begin = begin_namespace,
    .end = end_namespace,
};

/* ---- the file ----------------------------------------------------------------------------- */

const struct schema_key policy_keys[] = {
    {.name = "version", .read = read_version},
    {.name = "server", .read = read_section, .keys = server_keys},
    {.name = "logger", .read = read_section, .keys = logger_keys},
    {.name = "audit", .read = read_section, .keys = audit_keys},
    {.name = "approvals", .read = read_section, .keys = approvals_keys},
    {.name = "defaults", .read = read_section, .keys = defaults_keys},
    {.name = "roles", .read = read_named, .place = PLACE(policy, roles), .list = &role_list},
    {.name = "principals",
	.read = read_rows,
	.place = PLACE(policy, principals),
	.list = &principal_list},
    {.name = "agents",
	.read = read_named,
	.place = PLACE(policy, agents),
	.given_place = PLACE(policy, has_agents),
	.list = &agent_list},
    {.name = "namespaces",
	.read = read_named,
	.place = PLACE(policy, namespaces),
	.list = &namespace_list},
    {.name = "tools", .read = read_named, .place = PLACE(policy, tools), .list = &tool_list},
    KEY_LATER("tenants"),
    KEY_FOREIGN("llms", LLMS),
    KEY_FOREIGN("document_stores", DOCUMENT_STORES),
    KEY_END,
};
