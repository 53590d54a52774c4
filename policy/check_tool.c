#include "policy/check_tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/handlers.h"
#include "policy/json_value.h"
#include "policy/order.h"
#include "policy/text.h"

#define LIST_MAX 160 /* "tools.NAME.exec.argv" */

/* ---- keys that have a place --------------------------------------------------------------- */

enum tool_mode {
	MODE_COMMAND = 1, /* judged by words */
	MODE_EXEC = 2,    /* one program, a template */
	MODE_FUNCTION = 4,
};

static enum tool_mode mode_of(const struct policy_tool *tool)
{
	if (tool->type == TOOL_FUNCTION)
		return MODE_FUNCTION;
	return tool_is_typed(tool) ? MODE_EXEC : MODE_COMMAND;
}

/* Every key that not every sort of tool can have. */
static const struct {
	const char *key;
	int modes;
} places[] = {
    {"exec", MODE_COMMAND | MODE_EXEC},
    {"handler", MODE_FUNCTION},
    {"parameters", MODE_EXEC},
    {"allowed_commands", MODE_COMMAND},
    {"denied_commands", MODE_COMMAND},
    {"deny_by_default", MODE_COMMAND},
    {"helpers", MODE_COMMAND | MODE_EXEC},
    {"packs", MODE_COMMAND | MODE_EXEC},
    {"multicall", MODE_COMMAND | MODE_EXEC},
    {"env", MODE_COMMAND | MODE_EXEC},
    {"stdin", MODE_COMMAND | MODE_EXEC},
    {"output_schema", MODE_COMMAND | MODE_EXEC},
    {"output", MODE_COMMAND | MODE_EXEC},
    {"elicit", MODE_COMMAND | MODE_EXEC},
};

static int refuse_place(struct schema *schema, const struct yaml_node *node, enum tool_mode mode)
{
	if (mode == MODE_FUNCTION)
		return schema_refuse_key(
		    schema, node, "has no meaning for a function tool; remove it");
	if (mode == MODE_EXEC)
		return schema_refuse_key(schema, node,
		    "has no meaning beside exec, which runs one program; remove one of them");
	if (!strcmp(node->key, "handler"))
		return schema_refuse_key(
		    schema, node, "belongs to a function tool; write type: function, or remove it");
	return schema_refuse_key(
	    schema, node, "needs exec, which says what parameters become; add it, or remove this");
}

static int check_places(
    struct schema *schema, const struct yaml_node *node, const struct policy_tool *tool)
{
	enum tool_mode mode = mode_of(tool);
	const struct yaml_node *gate;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct yaml_node *found = yaml_child(node, places[i].key);

		if (found && !(places[i].modes & (int)mode))
			return refuse_place(schema, found, mode);
	}
	gate = mode == MODE_FUNCTION && tool->sandbox.callgate
		   ? yaml_child(yaml_child(node, "sandbox"), "callgate")
		   : NULL;
	return gate ? refuse_place(schema, gate, mode) : 0;
}

static int check_type(
    struct schema *schema, const struct yaml_node *node, const struct policy_tool *tool)
{
	const struct yaml_node *exec = yaml_child(node, "exec");

	if (tool->type == TOOL_NONE)
		return schema_refuse(schema, node, "has no type; write type: command or function");
	if (exec && !tool_is_typed(tool))
		return schema_refuse(schema, exec, "has no program; name what runs");
	if (tool->type == TOOL_FUNCTION && tool->handler == HANDLER_NONE &&
	    !yaml_child(node, "handler"))
		return schema_refuse(
		    schema, node, "is a function without handler; write handler: text_editor");
	return 0;
}

/* ---- exec --------------------------------------------------------------------------------- */

/* What the checks of one template share. */
struct template_check {
	struct schema *schema;
	const struct parameters *parameters;
	char path[LIST_MAX];
};

static int refuse_unknown(
    const struct template_check *check, const struct policy_pos *pos, const char *name)
{
	char advice[PARAMETER_ADVICE_MAX];

	return schema_refuse_at(check->schema, *pos, check->path,
	    "there is no parameter '%.60s'; %s", name,
	    parameters_advice(check->parameters, name, advice));
}

/* A parameter that stands where a value must be. */
static int check_use(
    const struct template_check *check, const struct policy_element *element, const char *name)
{
	const struct parameters *parameters = check->parameters;

	if (!parameters_have(parameters, name))
		return refuse_unknown(check, &element->pos, name);
	if (!strcmp(element->condition, name))
		return 0;
	if (!parameters_always(parameters, name))
		return schema_refuse_at(check->schema, element->pos, check->path,
		    "'%.60s' may be absent; require it, give it a default, or write {if: %.60s, "
		    "then: ...}",
		    name, name);
	if (parameters_may_be(parameters, name, "null"))
		return schema_refuse_at(check->schema, element->pos, check->path,
		    "'%.60s' may be null; write {if: %.60s, then: ...}", name, name);
	return 0;
}

static int check_scalar_use(
    const struct template_check *check, const struct policy_element *element, const char *name)
{
	int fault = check_use(check, element, name);

	if (!fault && parameters_may_be(check->parameters, name, "array"))
		return schema_refuse_at(check->schema, element->pos, check->path,
		    "'%.60s' may be an array, and an element is one argument; write {each: %.60s}",
		    name, name);
	if (!fault && parameters_may_be(check->parameters, name, "object"))
		return schema_refuse_at(check->schema, element->pos, check->path,
		    "'%.60s' may be an object, which is no argument; take texts and numbers", name);
	return fault;
}

static int refuse_brace(const struct template_check *check, const struct policy_element *element)
{
	return schema_refuse_at(check->schema, element->pos, check->path,
	    "'%.60s' has a brace without its pair or an empty name; write {parameter}, or {{ "
	    "and }} "
	    "for the signs",
	    schema_shown(check->schema, element->text));
}

/* {name} is a parameter, {{ and }} are signs. */
static int check_text(const struct template_check *check, const struct policy_element *element)
{
	const char *text = element->text;

	for (text += strcspn(text, "{}"); *text; text += strcspn(text, "{}")) {
		char name[128];
		size_t len;
		int fault;

		if (text[1] == text[0]) {
			text += 2;
			continue;
		}
		len = strcspn(text + 1, "{}");
		if (*text == '}' || !len || text[len + 1] != '}' || len >= sizeof(name))
			return refuse_brace(check, element);
		memcpy(name, text + 1, len);
		name[len] = '\0';
		fault = check_scalar_use(check, element, name);
		if (fault)
			return fault;
		text += len + 2;
	}
	return 0;
}

static int check_element(const struct template_check *check, const struct policy_element *element)
{
	int fault;

	if (element->condition[0] && !parameters_have(check->parameters, element->condition))
		return refuse_unknown(check, &element->pos, element->condition);
	if (element->kind == ELEMENT_TEXT)
		return check_text(check, element);
	fault = check_use(check, element, element->text);
	if (!fault && !parameters_may_be(check->parameters, element->text, "array"))
		return schema_refuse_at(check->schema, element->pos, check->path,
		    "'%.60s' is not an array; give it type: array, or write \"{%.60s}\"",
		    element->text, element->text);
	return fault;
}

/* What a shell is given is code, whatever walls the template has. */
static void warn_shell(struct schema *schema, const struct policy_tool *tool)
{
	static const char *const shells[] = {"sh", "bash", "dash", "zsh", "ksh", "fish"};
	const char *name = word_basename(tool->exec.program);
	char path[LIST_MAX];

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i], name))
			continue;
		snprintf(path, sizeof(path), "tools.%.64s.exec.program", tool->name);
		schema_warn_at(schema, tool->exec.pos, path,
		    "'%s' is a shell, which may read a parameter as a command; name the program "
		    "itself",
		    name);
	}
}

static int check_exec(struct schema *schema, const struct yaml_node *node,
    const struct policy_tool *tool, const struct parameters *parameters)
{
	struct template_check check = {.schema = schema, .parameters = parameters};
	const json_t *type = json_object_get(parameters->schema, "type");

	if (!json_is_string(type) || strcmp(json_string_value(type), "object"))
		return schema_refuse(schema, yaml_child(node, "parameters"),
		    "is not the schema of an object; write type: object at its top");
	if (!parameters_paths_seen(parameters))
		return schema_refuse(schema, yaml_child(node, "parameters"),
		    "says format: workspace-path where paths are not looked for; write it in a "
		    "parameter itself or in the items of one");
	snprintf(check.path, sizeof(check.path), "tools.%.64s.exec.argv", tool->name);
	for (uint32_t i = 0; i < tool->exec.element_count; i++) {
		int fault = check_element(&check, &tool->exec.elements[i]);

		if (fault)
			return fault;
	}
	warn_shell(schema, tool);
	return 0;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static int check_stdin(struct schema *schema, const struct yaml_node *node,
    const struct policy_tool *tool, const struct parameters *parameters)
{
	const struct yaml_node *key = yaml_child(node, "stdin");
	char advice[PARAMETER_ADVICE_MAX];

	if (tool->stdin_rule != STDIN_RULE_PARAMETER)
		return 0;
	if (!tool_is_typed(tool))
		return schema_refuse(
		    schema, key, "names a parameter, which needs exec; write true or false");
	if (!parameters_have(parameters, tool->stdin_parameter))
		return schema_refuse(schema, key, "there is no parameter '%.60s'; %s",
		    tool->stdin_parameter,
		    parameters_advice(parameters, tool->stdin_parameter, advice));
	if (!parameters_may_be(parameters, tool->stdin_parameter, "string"))
		return schema_refuse(schema, key, "'%.60s' is not a text; give it type: string",
		    tool->stdin_parameter);
	return 0;
}

static int check_editable(
    struct schema *schema, const struct policy_tool *tool, const struct parameters *parameters)
{
	const struct policy_words *words = &tool->approval.editable;
	char path[LIST_MAX], advice[PARAMETER_ADVICE_MAX];

	for (uint32_t i = 0; i < words->count; i++) {
		if (parameters_have(parameters, words->items[i].text))
			continue;
		snprintf(path, sizeof(path), "tools.%.64s.approval.editable[%u]", tool->name, i);
		return schema_refuse_at(schema, words->items[i].pos, path,
		    "there is no parameter '%.60s'; %s", schema_shown(schema, words->items[i].text),
		    parameters_advice(parameters, words->items[i].text, advice));
	}
	return 0;
}

static int check_annotations(
    struct schema *schema, const struct yaml_node *node, const struct policy_tool *tool)
{
	if (tool->annotations.read_only == HINT_YES && tool->annotations.destructive == HINT_YES)
		return schema_refuse(schema, yaml_child(node, "annotations"),
		    "says read_only and destructive, which exclude each other; keep one");
	return 0;
}

static int check_parts(struct schema *schema, const struct yaml_node *node,
    const struct policy_tool *tool, const struct parameters *parameters)
{
	const struct yaml_node *written = yaml_child(node, "parameters");
	int fault = written ? yaml_json_defaults(schema, written, tool->parameters) : 0;

	if (!fault)
		fault = check_stdin(schema, node, tool, parameters);
	if (!fault && tool_is_typed(tool))
		fault = check_exec(schema, node, tool, parameters);
	if (!fault)
		fault = check_editable(schema, tool, parameters);
	if (!fault)
		fault = check_annotations(schema, node, tool);
	if (!fault && tool->elicit && !tool->sandbox.callgate)
		fault = schema_refuse_key(schema, yaml_child(node, "elicit"),
		    "needs the gate through which the tool asks; write sandbox: {callgate: true}, "
		    "or remove this");
	if (!fault && tool->asks_effects && tool->sandbox.workspace != WORKSPACE_OVERLAY)
		fault = schema_refuse(schema, yaml_child(node, "require_approval"),
		    "needs changes that are held until somebody has answered; write sandbox: "
		    "{workspace: overlay}, or true to be asked before it runs");
	return fault ? fault : tool_check_rules(schema, tool, parameters);
}

static void fill(struct policy_tool *tool)
{
	const struct handler *handler =
	    tool->handler ? handler_by_id((unsigned)tool->handler) : NULL;

	if (tool_is_typed(tool) && !tool->parameters[0])
		tool->parameters =
		    "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}";
	if (tool->description[0])
		return;
	if (handler)
		tool->description = handler->description;
	else if (tool_is_typed(tool))
		tool->description = "Runs one program with the arguments that its policy fixes.";
	else
		tool->description = "Runs one of the commands that the policy allows.";
}

int tool_check(struct schema *schema, const struct yaml_node *node, struct policy_tool *tool)
{
	struct parameters parameters;
	int fault = check_type(schema, node, tool);

	if (!fault)
		fault = check_places(schema, node, tool);
	if (fault)
		return fault;
	fill(tool);
	fault = parameters_init(&parameters, tool);
	if (!fault)
		fault = check_parts(schema, node, tool, &parameters);
	parameters_fini(&parameters);
	return fault;
}
