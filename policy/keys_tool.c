#include <errno.h>
#include <string.h>

#include "policy/keys.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

/* ---- words -------------------------------------------------------------------------------- */

static const char *judge_command(const char *text)
{
	if (text[strcspn(text, " \t\n")])
		return "holds a blank; name one program, arguments are not matched here";
	if (text[strcspn(text, "*?[]{}'\"\\$`;&|<>()")])
		return "is not a program's name; write it plainly, globs are not matched here";
	if (!strchr(text, '/'))
		return strcmp(text, ".") && strcmp(text, "..") ? NULL
							       : "is a directory; name a program";
	return text_is_plain_path(text)
		   ? NULL
		   : "is a relative or unclean path; write a name or an absolute path without ..";
}

static const char *judge_helper(const char *text)
{
	if (text[strcspn(text, "\n\t")])
		return "holds a control character; write a path";
	return text_is_plain_path(text)
		   ? NULL
		   : "is not an absolute path; write it from / without . .. or a last /";
}

static const char *judge_directory(const char *text)
{
	return text_climbs(text) ? "climbs with ..; a tool's directory lies below its namespace's"
				 : NULL;
}

/* The names of sandbox/layer.h, a neighbour that this floor may not include; the unit test holds
 * the two lists together. */
static const char *const layer_names[] = {"userns", "mntns", "pidns", "netns", "ipcns", "utsns",
    "cgroupns", "root", "proc", "caps", "nnp", "groups", "landlock", "allowlist", "seccomp",
    "memfd", "fds", "cgroup", "limits", "disk"};

static const char *judge_layer(const char *text)
{
	for (size_t i = 0; i < sizeof(layer_names) / sizeof(layer_names[0]); i++) {
		if (!strcmp(layer_names[i], text))
			return NULL;
	}
	return "is not a wall of the sandbox; callgate.yaml(5) lists them";
}

/* ---- sandbox ------------------------------------------------------------------------------ */

/* `all`, or a list. An empty list would ask for no wall at all, so it is refused. */
static int read_require(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_sandbox *sandbox = record;
	const char *text;
	int fault;

	if (node->kind == YAML_KIND_SEQUENCE && !node->count)
		return schema_refuse(
		    schema, node, "requires no wall; name walls, or remove it for the default");
	if (node->kind == YAML_KIND_SEQUENCE)
		return read_words(schema, node, key, record);
	fault = schema_text(schema, node, &text);
	if (fault)
		return fault;
	if (strcmp(text, "all"))
		return schema_refuse(schema, node,
		    "'%.60s' is not a list of walls; write all or a list", node->text);
	sandbox->require_all = true;
	return 0;
}

static const char *const workspace_choices[] = {"", "rw", "ro", NULL};
static const char *const run_as_choices[] = {"cell", "owner", NULL};

static int read_workspace(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind == YAML_KIND_SCALAR && !strcmp(node->text, "overlay"))
		return schema_later_value(schema, node);
	return read_choice(schema, node, key, record);
}

#define KEY_SIZE(name_, member, min_, max_, range_)                                                \
	{                                                                                          \
		.name = (name_), .read = read_size, .place = PLACE(policy_sandbox, member),        \
		.min = (min_), .max = (max_), .range = (range_)                                    \
	}
#define KEY_COUNT(name_, member, min_, max_, range_)                                               \
	{                                                                                          \
		.name = (name_), .read = read_count, .place = PLACE(policy_sandbox, member),       \
		.min = (min_), .max = (max_), .range = (range_)                                    \
	}

static const struct schema_key sandbox_keys[] = {
    KEY_SIZE("memory", memory, 4 * MIB, 64 * TIB, "4MiB to 65536GiB"),
    KEY_COUNT("pids", pids, 1, 32768, "1 to 32768"),
    {.name = "cpu",
	.read = read_duration,
	.place = PLACE(policy_sandbox, cpu_ms),
	.min = 1000,
	.max = 7 * DAY_MS,
	.range = "1s to 7d"},
    KEY_SIZE("output", output, 1 * KIB, 64 * MIB, "1KiB to 64MiB"),
    KEY_SIZE("disk", disk, 64 * KIB, 64 * TIB, "64KiB to 65536GiB"),
    KEY_COUNT("inodes", inodes, 16, 1000000000, "16 to 1000000000"),
    KEY_SIZE("file_size", file_size, 4 * KIB, 64 * TIB, "4KiB to 65536GiB"),
    KEY_COUNT("files", files, 8, 1048576, "8 to 1048576"),
    {.name = "workspace",
	.read = read_workspace,
	.place = PLACE(policy_sandbox, workspace),
	.choices = workspace_choices},
    {.name = "exec", .read = read_bool, .place = PLACE(policy_sandbox, exec)},
    {.name = "run_as",
	.read = read_choice,
	.place = PLACE(policy_sandbox, run_as),
	.choices = run_as_choices},
    {.name = "require",
	.read = read_require,
	.place = PLACE(policy_sandbox, require),
	.given_place = PLACE(policy_sandbox, require_given),
	.judge = judge_layer},
    KEY_LATER("network"),
    KEY_LATER("rootfs"),
    KEY_LATER("pin"),
    KEY_LATER("sockets"),
    KEY_LATER("inject"),
    KEY_LATER("callgate"),
    KEY_END,
};

/* ---- tools -------------------------------------------------------------------------------- */

static int read_type(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_tool *tool = record;
	const char *text;
	int fault = schema_text(schema, node, &text);

	(void)key;
	if (fault)
		return fault;
	if (!strcmp(text, "function"))
		return schema_later_value(schema, node);
	if (strcmp(text, "command"))
		return schema_refuse(
		    schema, node, "'%.60s' is not a type of tool; write type: command", node->text);
	tool->type = TOOL_COMMAND;
	return 0;
}

static const struct schema_key tool_keys[] = {
    {.name = "type", .read = read_type},
    {.name = "description",
	.read = read_text,
	.place = PLACE(policy_tool, description),
	.max = 4096},
    {.name = "visibility",
	.read = read_choice,
	.place = PLACE(policy_tool, visibility),
	.choices = visibility_choices},
    {.name = "working_directory",
	.read = read_text,
	.place = PLACE(policy_tool, working_directory),
	.pos_place = PLACE(policy_tool, working_directory_pos),
	.max = 4095,
	.judge = judge_directory},
    {.name = "max_execution_time",
	.read = read_duration,
	.place = PLACE(policy_tool, max_execution_ms),
	.min = 1,
	.max = DAY_MS,
	.range = "1ms to 1d"},
    {.name = "deny_by_default",
	.read = read_bool,
	.place = PLACE(policy_tool, deny_by_default),
	.pos_place = PLACE(policy_tool, deny_by_default_pos)},
    {.name = "allowed_commands",
	.read = read_words,
	.place = PLACE(policy_tool, allowed_commands),
	.judge = judge_command},
    {.name = "denied_commands",
	.read = read_words,
	.place = PLACE(policy_tool, denied_commands),
	.judge = judge_command},
    {.name = "require_approval",
	.read = read_bool,
	.place = PLACE(policy_tool, require_approval),
	.pos_place = PLACE(policy_tool, require_approval_pos)},
    {.name = "approval_prompt",
	.read = read_text,
	.place = PLACE(policy_tool, approval_prompt),
	.max = 1024},
    {.name = "helpers",
	.read = read_words,
	.place = PLACE(policy_tool, helpers),
	.judge = judge_helper},
    {.name = "sandbox",
	.read = read_section,
	.place = PLACE(policy_tool, sandbox),
	.pos_place = PLACE(policy_tool, sandbox.pos),
	.keys = sandbox_keys},
    KEY_LATER("handler"),
    KEY_LATER("parameters"),
    KEY_LATER("exec"),
    KEY_LATER("env"),
    KEY_LATER("rules"),
    KEY_LATER("tests"),
    KEY_LATER("packs"),
    KEY_LATER("multicall"),
    KEY_LATER("annotations"),
    KEY_LATER("output_schema"),
    KEY_LATER("stdin"),
    KEY_LATER("approval"),
    KEY_END,
};

static void begin_tool(void *element)
{
	struct policy_tool *tool = element;

	tool->visibility = VISIBILITY_PUBLIC;
	tool->description = "";
	tool->working_directory = "";
	tool->approval_prompt = "";
	tool->sandbox.workspace = WORKSPACE_RW;
	tool->sandbox.run_as = RUN_AS_CELL;
}

static int end_tool(struct schema *schema, const struct yaml_node *node, void *element)
{
	struct policy_tool *tool = element;

	if (tool->type == TOOL_NONE)
		return schema_refuse(schema, node, "has no type; write type: command");
	if (!tool->description[0])
		tool->description = "Runs one of the commands that the policy allows.";
	return 0;
}

static const char *judge_tool(const char *text)
{
	return str_is_tool_name(text)
		   ? NULL
		   : "is not a tool's name; use 1 to 64 letters, digits, _ . and -";
}

const struct schema_list tool_list = {
    .size = sizeof(struct policy_tool),
    .count_place = PLACE(policy, tool_count),
    .pos_place = PLACE(policy_tool, pos),
    .max = ENTRIES_MAX,
    .keys = tool_keys,
    .judge = judge_tool,
    .begin = begin_tool,
    .end = end_tool,
};
