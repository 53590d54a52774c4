#include <errno.h>
#include <string.h>

#include "policy/check_tool.h"
#include "policy/handlers.h"
#include "policy/json_value.h"
#include "policy/keys.h"
#include "policy/policy.h"
#include "policy/text.h"

/* ---- words -------------------------------------------------------------------------------- */

const char *judge_command(const char *text)
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

/* ---- tools -------------------------------------------------------------------------------- */

static const char *const type_choices[] = {"", "command", "function", NULL};
static const char *const output_choices[] = {"text", "content", NULL};

/* NULL and the id 0 end the list of handlers. */
static int refuse_handler(struct schema *schema, const struct yaml_node *node, const char *name)
{
	const struct handler *handler;

	for (unsigned id = 1; (handler = handler_by_id(id)); id++) {
		if (schema_is_close(name, handler->name))
			return schema_refuse_value(
			    schema, node, "is not a handler; did you mean %s?", handler->name);
	}
	return schema_refuse_value(
	    schema, node, "is not a handler; choose text_editor or grep_search");
}

static int read_handler(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_tool *tool = record;
	const char *name;
	int fault = schema_text(schema, node, &name);

	(void)key;
	if (fault)
		return fault;
	tool->handler = (enum tool_handler)handler_id(handler_find(name));
	return tool->handler ? 0 : refuse_handler(schema, node, name);
}

static int read_json_schema(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	return yaml_json_schema(schema, node, place_of(record, key->place));
}

/* true, false, or "{parameter}". */
static int read_stdin(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	static const char wanted[] = "true, false or \"{parameter}\"";
	struct policy_tool *tool = record;
	enum scalar_type type;
	const char *text;
	size_t len;
	int fault = schema_scalar(schema, node, wanted, &text, &type);

	(void)key;
	if (fault)
		return fault;
	if (type == SCALAR_BOOL) {
		tool->stdin_rule =
		    text[0] == 't' || text[0] == 'T' ? STDIN_RULE_YES : STDIN_RULE_NO;
		return 0;
	}
	len = strlen(text);
	if (type != SCALAR_TEXT || len < 3 || text[0] != '{' || strcspn(text + 1, "{}") != len - 2)
		return schema_refuse_value(
		    schema, node, "is not what a tool reads; write %s", wanted);
	tool->stdin_rule = STDIN_RULE_PARAMETER;
	tool->stdin_parameter = arena_text(schema->arena, text + 1, len - 2);
	return tool->stdin_parameter ? 0 : -ENOMEM;
}

/* true, false, or effects. */
static int read_require_approval(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	static const char wanted[] = "true, false or effects";
	struct policy_tool *tool = record;
	enum scalar_type type;
	const char *text;
	int fault = schema_scalar(schema, node, wanted, &text, &type);

	if (fault)
		return fault;
	if (type == SCALAR_BOOL)
		return read_bool(schema, node, key, record);
	if (type != SCALAR_TEXT || strcmp(text, "effects") != 0)
		return schema_refuse_value(
		    schema, node, "is not when a human is asked; write %s", wanted);
	tool->asks_effects = true;
	return 0;
}

static int read_hint(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	const struct schema_key plain = {.place = 1};
	bool said = false;
	enum hint hint;
	int fault = read_bool(schema, node, &plain, &said);

	hint = said ? HINT_YES : HINT_NO;
	memcpy(place_of(record, key->place), &hint, sizeof(hint));
	return fault;
}

#define HINT(name_, about_)                                                                        \
	{                                                                                          \
		.name = #name_, .read = read_hint, .about = (about_),                              \
		.place = PLACE(policy_annotations, name_), .form = "{\"type\":\"boolean\"}"        \
	}

static const struct schema_key annotation_keys[] = {
    {.name = "title",
	.read = read_text,
	.about = "A name for people",
	.place = PLACE(policy_annotations, title),
	.max = 256},
    HINT(read_only, "Changes nothing"),
    HINT(destructive, "May destroy something"),
    HINT(idempotent, "Doing it twice is doing it once"),
    HINT(open_world, "Reaches beyond this machine"),
    KEY_END,
};

static int read_channels(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind == YAML_KIND_SEQUENCE && !node->count)
		return schema_refuse(schema, node, "asks nobody; name a channel or terminal");
	return read_words(schema, node, key, record);
}

static const struct schema_key approval_keys[] = {
    APPROVAL_KEYS(policy_tool, approval),
    {.name = "channels",
	.read = read_channels,
	.about = "Which channels ask, in this order; terminal is one (terminal, then all)",
	.place = PLACE(policy_tool, approval.channels),
	.judge = judge_name,
	.max = CHANNELS_MAX + 1,
	.like = read_words,
	.pattern = NAME_PATTERN},
    KEY_END,
};

static const struct schema_key tool_keys[] = {
    {.name = "type",
	.read = read_choice,
	.about = "command: a program; function: a handler of callgate",
	.place = PLACE(policy_tool, type),
	.choices = type_choices},
    {.name = "description",
	.read = read_text,
	.about = "What agents are told",
	.place = PLACE(policy_tool, description),
	.max = 4096},
    {.name = "visibility",
	.read = read_choice,
	.about = "Who can see the tool (public)",
	.place = PLACE(policy_tool, visibility),
	.choices = visibility_choices},
    {.name = "working_directory",
	.read = read_text,
	.about = "Where it starts, below the namespace's (that)",
	.place = PLACE(policy_tool, working_directory),
	.pos_place = PLACE(policy_tool, working_directory_pos),
	.max = PATH_BYTES_MAX,
	.judge = judge_directory},
    {.name = "max_execution_time",
	.read = read_duration,
	.about = "After it the whole tree is killed, 1ms to 1d (as defaults)",
	.place = PLACE(policy_tool, max_execution_ms),
	.min = 1,
	.max = DAY_MS,
	.range = "1ms to 1d"},
    {.name = "deny_by_default",
	.read = read_bool,
	.about = "Only allowed_commands may run (false)",
	.place = PLACE(policy_tool, deny_by_default),
	.pos_place = PLACE(policy_tool, deny_by_default_pos)},
    {.name = "allowed_commands",
	.read = read_words,
	.about = "Programs that may run",
	.place = PLACE(policy_tool, allowed_commands),
	.judge = judge_command},
    {.name = "denied_commands",
	.read = read_words,
	.about = "Programs that may not, by what follows the last slash",
	.place = PLACE(policy_tool, denied_commands),
	.judge = judge_command},
    {.name = "require_approval",
	.read = read_require_approval,
	.about = "A human approves each call, or with effects what it changed (false)",
	.place = PLACE(policy_tool, require_approval),
	.pos_place = PLACE(policy_tool, require_approval_pos),
	.like = read_bool,
	.form = "{\"const\":\"effects\"}"},
    {.name = "approval_prompt",
	.read = read_text,
	.about = "What the human is asked; {command} stands for the command",
	.place = PLACE(policy_tool, approval_prompt),
	.max = 1024},
    {.name = "helpers",
	.read = read_words,
	.about = "Globs of absolute paths: programs that commands may start",
	.place = PLACE(policy_tool, helpers),
	.judge = judge_helper},
    {.name = "sandbox",
	.read = read_section,
	.about = "The walls and limits of a call",
	.place = PLACE(policy_tool, sandbox),
	.pos_place = PLACE(policy_tool, sandbox.pos),
	.keys = sandbox_keys},
    {.name = "handler",
	.read = read_handler,
	.about = "The function of a function tool: text_editor or grep_search",
	.form = "{\"enum\":[\"text_editor\",\"grep_search\"]}"},
    {.name = "parameters",
	.read = read_json_schema,
	.about = "JSON Schema of the arguments of a typed tool",
	.place = PLACE(policy_tool, parameters),
	.pos_place = PLACE(policy_tool, parameters_pos),
	.form = "{\"type\":\"object\"}"},
    {.name = "output_schema",
	.read = read_json_schema,
	.about = "JSON Schema of what it prints as JSON",
	.place = PLACE(policy_tool, output_schema),
	.form = "{\"type\":\"object\"}"},
    {.name = "output",
	.read = read_choice,
	.about = "What it prints: text, or content, a JSON object of MCP content (text)",
	.place = PLACE(policy_tool, output),
	.choices = output_choices},
    {.name = "elicit",
	.read = read_bool,
	.about = "It may ask the caller's user by a form while it runs (false)",
	.place = PLACE(policy_tool, elicit)},
    {.name = "exec",
	.read = read_section,
	.about = "What a typed tool runs: one program, one element one argument",
	.place = PLACE(policy_tool, exec),
	.pos_place = PLACE(policy_tool, exec.pos),
	.keys = exec_keys},
    {.name = "env",
	.read = read_env,
	.about = "Variables beside PATH, HOME, TMPDIR, LANG and USER",
	.keys = env_keys,
	.form = "{\"type\":\"object\",\"maxProperties\":128,\"additionalProperties\":{\"anyOf\":[{"
		"\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"api_key_env\"],"
		"\"additionalProperties\":false,\"properties\":{\"api_key_env\":{\"type\":"
		"\"string\"}}}]}}"},
    {.name = "stdin",
	.read = read_stdin,
	.about = "Whether a call may give standard input, or the parameter that is it",
	.form = "{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"string\",\"pattern\":"
		"\"^\\\\{[^{}]+\\\\}$\"}]}"},
    {.name = "rules",
	.read = read_rows,
	.about = "Rules about arguments",
	.place = PLACE(policy_tool, rules),
	.list = &tool_rule_list},
    {.name = "tests",
	.read = read_rows,
	.about = "Calls and what must be decided; a failing one refuses the policy",
	.place = PLACE(policy_tool, tests),
	.list = &tool_test_list},
    {.name = "packs",
	.read = read_words,
	.about = "Rule packs that know a program's options",
	.place = PLACE(policy_tool, packs),
	.judge = judge_name,
	.max = 32,
	.pattern = NAME_PATTERN},
    {.name = "multicall",
	.read = read_bool,
	.about = "A program of many names (busybox) may stand in the list (false)",
	.place = PLACE(policy_tool, multicall)},
    {.name = "annotations",
	.read = read_section,
	.about = "What clients are told of its effects",
	.place = PLACE(policy_tool, annotations),
	.keys = annotation_keys},
    {.name = "approval",
	.read = read_section,
	.about = "How calls of this tool are approved, where approvals: says otherwise",
	.given_place = PLACE(policy_tool, approval.given),
	.keys = approval_keys},
    KEY_END,
};

static void begin_tool(void *element)
{
	struct policy_tool *tool = element;

	tool->visibility = VISIBILITY_PUBLIC;
	tool->description = tool->working_directory = tool->approval_prompt = "";
	tool->parameters = tool->output_schema = tool->stdin_parameter = "";
	tool->exec.program = "";
	tool->annotations.title = "";
	tool->sandbox.workspace = WORKSPACE_RW;
	tool->sandbox.run_as = RUN_AS_CELL;
}

static int end_tool(struct schema *schema, const struct yaml_node *node, void *element)
{
	return tool_check(schema, node, element);
}

const struct schema_list tool_list = {
    .size = sizeof(struct policy_tool),
    .count_place = PLACE(policy, tool_count),
    .pos_place = PLACE(policy_tool, pos),
    .max = ENTRIES_MAX,
    .keys = tool_keys,
    .required = "\"type\"",
    .judge = judge_tool_name,
    .pattern = TOOL_PATTERN,
    .begin = begin_tool,
    .end = end_tool,
};
