#include "policy/keys.h"

#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

const char *const visibility_choices[] = {"", "public", "internal", "private", NULL};
const char *const verdict_choices[] = {"", "allow", "ask", "deny", NULL};
const char *const grant_choices[] = {"once", "session", "always", NULL};

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

const char *judge_tool_name(const char *text)
{
	return str_is_tool_name(text)
		   ? NULL
		   : "is not a tool's name; use 1 to 64 letters, digits, _ . and -";
}

const char *judge_variable(const char *text)
{
	return text_is_variable(text)
		   ? NULL
		   : "is not a variable's name; use letters, digits and _, no digit first";
}

/* Of a parameter that the file refers to: what stands between braces in exec.argv. */
const char *judge_parameter(const char *text)
{
	if (strlen(text) > 127 || text[strcspn(text, "{}")])
		return "cannot name a parameter; use up to 127 bytes without { and }";
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
		schema->foreign_file = true;
		return 0;
	}
	return schema_refuse(
	    schema, node, "is not a version this callgate reads; write version: 1");
}

/* ---- small sections ----------------------------------------------------------------------- */

static const struct schema_key audit_keys[] = {
    {.name = "directory",
	.about = "Folder of the audit trail (audit in the state directory)",
	.read = read_text,
	.place = PLACE(policy, audit_directory),
	.pos_place = PLACE(policy, audit_pos),
	.max = PATH_BYTES_MAX},
    KEY_END,
};

/* once is always there: it is what every answer stands for at least. */
int read_grants(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	uint32_t *grants = place_of(record, key->place);

	if (node->kind != YAML_KIND_SEQUENCE || !node->count)
		return schema_refuse(
		    schema, node, "is not a list of grants; write [once, session]");
	*grants = GRANT_ONCE;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct schema_key one = {.choices = key->choices, .place = 1};
		uint32_t bit;
		int fault = read_choice(schema, item, &one, &bit);

		if (fault)
			return fault;
		*grants |= 1u << bit;
	}
	return 0;
}

static const struct schema_key approvals_keys[] = {
    {.name = "timeout",
	.about = "How long a question waits for a human, 1s to 7d (5m)",
	.read = read_duration,
	.place = PLACE(policy, approval_timeout_ms),
	.min = 1000,
	.max = 7 * DAY_MS,
	.range = "1s to 7d"},
    /* MCP clients give up after 60 s; what is held longer is answered to nobody. */
    {.name = "hold",
	.about = "How long a call is held before it is answered pending, 100ms to 55s (45s)",
	.read = read_duration,
	.place = PLACE(policy, approval_hold_ms),
	.min = 100,
	.max = 55 * 1000,
	.range = "100ms to 55s"},
    APPROVAL_KEYS(policy, approval),
    {.name = "channels",
	.about = "Web hooks by which approvers are asked, beside the terminal",
	.read = read_named,
	.place = PLACE(policy, channels),
	.list = &channel_list},
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

static const struct schema_key defaults_keys[] = {
    {.name = "decision",
	.about = "For commands of which no rule speaks (ask)",
	.read = read_choice,
	.place = PLACE(policy, default_decision),
	.pos_place = PLACE(policy, default_decision_pos),
	.choices = verdict_choices},
    {.name = "max_execution_time",
	.about = "For tools that say none, 1ms to 1d (60s)",
	.read = read_duration,
	.place = PLACE(policy, default_execution_ms),
	.min = 1,
	.max = DAY_MS,
	.range = "1ms to 1d"},
    {.name = "path",
	.about = "Directories in which command names are looked up",
	.read = read_path,
	.place = PLACE(policy, path),
	.judge = judge_path_dir,
	.like = read_words,
	.pattern = "^/"},
    KEY_END,
};

static const char *const level_choices[] = {"error", "warn", "info", "debug", NULL};
static const char *const format_choices[] = {"text", "json", NULL};

static const struct schema_key logger_keys[] = {
    {.name = "level",
	.about = "What is logged (info)",
	.read = read_choice_text,
	.place = PLACE(policy, log_level),
	.choices = level_choices},
    {.name = "format",
	.about = "How a log line is written (text)",
	.read = read_choice_text,
	.place = PLACE(policy, log_format),
	.choices = format_choices},
    KEY_END,
};

/* ---- the file ----------------------------------------------------------------------------- */

const struct schema_key policy_keys[] = {
    {.name = "version",
	.read = read_version,
	.about = "The version of this language: 1",
	.form = "{\"enum\":[1,\"1\",2,\"2\"]}"},
    {.name = "server",
	.read = read_section,
	.about = "Where callgate listens, and who may come in",
	.keys = server_keys},
    {.name = "logger", .read = read_section, .about = "The daemon's own log", .keys = logger_keys},
    {.name = "audit",
	.read = read_section,
	.about = "The audit trail; it cannot be off",
	.keys = audit_keys},
    {.name = "approvals",
	.read = read_section,
	.about = "How humans are asked",
	.keys = approvals_keys},
    {.name = "defaults",
	.read = read_section,
	.about = "For what the rest of the file leaves unsaid",
	.keys = defaults_keys},
    {.name = "roles",
	.read = read_named,
	.about = "What principals may do",
	.place = PLACE(policy, roles),
	.list = &role_list},
    {.name = "principals",
	.about = "Who has which roles",
	.read = read_rows,
	.place = PLACE(policy, principals),
	.list = &principal_list},
    {.name = "agents",
	.about = "On whose behalf tools are called",
	.read = read_named,
	.place = PLACE(policy, agents),
	.given_place = PLACE(policy, has_agents),
	.list = &agent_list},
    {.name = "namespaces",
	.about = "Workspaces, apart from each other",
	.read = read_named,
	.place = PLACE(policy, namespaces),
	.list = &namespace_list},
    {.name = "tools",
	.read = read_named,
	.about = "What can be called, how it is judged, within which walls",
	.place = PLACE(policy, tools),
	.list = &tool_list},
    {.name = "tenants",
	.read = read_named,
	.about = "Who shares this daemon, each with namespaces of their own",
	.place = PLACE(policy, tenants),
	.list = &tenant_list},
    KEY_FOREIGN("llms", LLMS),
    KEY_FOREIGN("document_stores", DOCUMENT_STORES),
    KEY_END,
};
