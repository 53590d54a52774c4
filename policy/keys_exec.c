#include "policy/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/order.h"
#include "policy/text.h"
#include "policy/tool.h"

#define ELEMENTS_MAX  256
#define VARIABLES_MAX 128
#define ELEMENT_MAX   4096
#define ENV_VALUE_MAX 32768

/* ---- argv --------------------------------------------------------------------------------- */

/* An element that is a mapping. */
struct element {
	const char *each;
	const char *value;
	const char *condition;
	bool dash;
	const struct yaml_node *then;
};

static int read_node(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	(void)schema;
	memcpy(place_of(record, key->place), &node, sizeof(node));
	return 0;
}

static const struct schema_key element_keys[] = {
    {.name = "each",
	.read = read_text,
	.about = "One argument for each item of this array parameter",
	.place = PLACE(element, each),
	.max = 127,
	.judge = judge_parameter},
    {.name = "value",
	.read = read_text,
	.about = "One argument, text with {parameter}s",
	.place = PLACE(element, value),
	.max = ELEMENT_MAX},
    {.name = "dash",
	.read = read_bool,
	.about = "The value may start with - though no -- came before",
	.place = PLACE(element, dash)},
    {.name = "if",
	.read = read_text,
	.about = "A parameter that must be there, not null and not false",
	.place = PLACE(element, condition),
	.max = 127,
	.judge = judge_parameter},
    {.name = "then",
	.read = read_node,
	.about = "The elements that are then added: one, or a list",
	.place = PLACE(element, then)},
    KEY_END,
};

/* Where elements go; conditions nest one deep. */
struct argv {
	struct schema *schema;
	struct policy_element *items;
	uint32_t count;
	uint32_t max;
};

static int add_element(
    struct argv *argv, const struct yaml_node *node, const struct policy_element *element)
{
	if (argv->count == argv->max)
		return schema_refuse(argv->schema, node,
		    "has more than %u elements; a script does more than an argv", argv->max);
	argv->items[argv->count] = *element;
	argv->items[argv->count++].pos = node->pos;
	return 0;
}

static int take_text(struct argv *argv, const struct yaml_node *node, const char *condition)
{
	struct policy_element element = {.kind = ELEMENT_TEXT, .condition = condition};
	int fault = schema_text(argv->schema, node, &element.text);

	if (!fault && strlen(element.text) > ELEMENT_MAX)
		fault = schema_refuse(
		    argv->schema, node, "is longer than %d bytes; shorten it", ELEMENT_MAX);
	return fault ? fault : add_element(argv, node, &element);
}

static int take_value(struct argv *argv, const struct yaml_node *node, const struct element *from,
    const char *condition)
{
	const struct policy_element element = {.kind = from->each ? ELEMENT_EACH : ELEMENT_TEXT,
	    .text = from->each ? from->each : from->value,
	    .condition = condition,
	    .dash = from->dash};

	return add_element(argv, node, &element);
}

static int refuse_element(const struct argv *argv, const struct yaml_node *node)
{
	return schema_refuse(argv->schema, node,
	    "is no element; write text, {each: p}, {value: text, dash: true} or {if: p, then: "
	    "text}");
}

/* A mapping is {each}, {value} or {if, then}; condition is that of the {if} around it. */
static int read_element(
    struct argv *argv, const struct yaml_node *node, const char *condition, struct element *element)
{
	unsigned forms;
	int fault;

	if (node->kind != YAML_KIND_MAPPING)
		return refuse_element(argv, node);
	fault = schema_mapping(argv->schema, node, element_keys, element);
	if (fault)
		return fault;
	forms = !!element->each + !!element->value + !!element->condition;
	if (forms != 1 || (element->condition && element->dash) ||
	    !element->condition != !element->then)
		return refuse_element(argv, node);
	if (element->condition && condition[0])
		return schema_refuse(
		    argv->schema, node, "is an if within an if; write two elements");
	return 0;
}

static int take_element(struct argv *argv, const struct yaml_node *node, const char *condition);

static int take_then(struct argv *argv, const struct element *element)
{
	int fault = 0;

	if (element->then->kind != YAML_KIND_SEQUENCE)
		return take_element(argv, element->then, element->condition);
	if (!element->then->count)
		return schema_refuse(
		    argv->schema, element->then, "adds nothing; name elements, or remove the if");
	for (const struct yaml_node *item = element->then->first; item && !fault; item = item->next)
		fault = take_element(argv, item, element->condition);
	return fault;
}

static int take_element(struct argv *argv, const struct yaml_node *node, const char *condition)
{
	struct element element = {0};
	int fault;

	if (node->kind == YAML_KIND_SCALAR)
		return take_text(argv, node, condition);
	fault = read_element(argv, node, condition, &element);
	if (fault)
		return fault;
	return element.condition ? take_then(argv, &element)
				 : take_value(argv, node, &element, condition);
}

/* As many as the list and the lists of its {if, then} have, but not more than there may be. */
static uint32_t count_elements(const struct yaml_node *list)
{
	uint32_t count = 0;

	for (const struct yaml_node *item = list->first; item && count < ELEMENTS_MAX;
	     item = item->next) {
		const struct yaml_node *then = yaml_child(item, "then");

		count += then && then->kind == YAML_KIND_SEQUENCE ? then->count : 1;
	}
	return count < ELEMENTS_MAX ? count : ELEMENTS_MAX;
}

static int read_argv(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_exec *exec = record;
	struct argv argv = {.schema = schema};

	(void)key;
	if (node->kind != YAML_KIND_SEQUENCE)
		return schema_refuse(schema, node, "is not a list; write [push, \"{branch}\"]");
	argv.max = count_elements(node);
	argv.items = arena_array(schema->arena, argv.max, sizeof(*argv.items));
	if (!argv.items)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		int fault = take_element(&argv, item, "");

		if (fault)
			return fault;
	}
	exec->elements = argv.items;
	exec->element_count = argv.count;
	return 0;
}

#define ARGV_TEXT "{\"type\":\"string\",\"minLength\":1}"
#define ARGV_EACH                                                                                  \
	"{\"type\":\"object\",\"required\":[\"each\"],\"additionalProperties\":false,"             \
	"\"properties\":{\"each\":{\"type\":\"string\"},\"dash\":{\"type\":\"boolean\"}}}"
#define ARGV_VALUE                                                                                 \
	"{\"type\":\"object\",\"required\":[\"value\"],\"additionalProperties\":false,"            \
	"\"properties\":{\"value\":{\"type\":\"string\"},\"dash\":{\"type\":\"boolean\"}}}"
#define ARGV_PLAIN "{\"anyOf\":[" ARGV_TEXT "," ARGV_EACH "," ARGV_VALUE "]}"
#define ARGV_IF                                                                                    \
	"{\"type\":\"object\",\"required\":[\"if\",\"then\"],\"additionalProperties\":false,"      \
	"\"properties\":{\"if\":{\"type\":\"string\"},\"then\":{\"anyOf\":[" ARGV_PLAIN            \
	",{\"type\":\"array\",\"items\":" ARGV_PLAIN "}]}}}"

const struct schema_key exec_keys[] = {
    {.name = "program",
	.read = read_text,
	.about = "What runs: a name or an absolute path",
	.place = PLACE(policy_exec, program),
	.max = PATH_BYTES_MAX,
	.judge = judge_command},
    {.name = "argv",
	.read = read_argv,
	.about = "Its arguments: each element is one, always",
	.keys = element_keys,
	.form = "{\"type\":\"array\",\"maxItems\":256,\"items\":{\"anyOf\":[" ARGV_PLAIN "," ARGV_IF
		"]}}"},
    KEY_END,
};

/* ---- env ---------------------------------------------------------------------------------- */

const struct schema_key env_keys[] = {
    {.name = "api_key_env",
	.read = read_text,
	.about = "The daemon's variable whose value it gets, read when a call needs it",
	.place = PLACE(policy_env, text),
	.max = 128,
	.judge = judge_variable,
	.pattern = VARIABLE_PATTERN},
    KEY_LATER("vault"),
    KEY_END,
};

static const char *judge_env(const char *text)
{
	if (!text_is_variable(text))
		return judge_variable(text);
	return text_is_tool_variable(text)
		   ? NULL
		   : "is callgate's to set, or changes how programs are loaded; remove it";
}

/* A text may be empty here, if it is written as "". */
static int read_literal(struct schema *schema, const struct yaml_node *node, struct policy_env *env)
{
	env->source = ENV_LITERAL;
	if (node->kind == YAML_KIND_SCALAR && node->style != YAML_STYLE_PLAIN && !node->text[0]) {
		env->text = "";
		return 0;
	}
	if (node->kind == YAML_KIND_SCALAR && node->style != YAML_STYLE_VERBATIM &&
	    strstr(node->text, "${"))
		return schema_refuse(schema, node,
		    "would write a variable's value into the policy; write {api_key_env: NAME}, or "
		    "use single quotes");
	if (node->kind == YAML_KIND_SCALAR && strlen(node->text) > ENV_VALUE_MAX)
		return schema_refuse(
		    schema, node, "is longer than %d bytes; shorten it", ENV_VALUE_MAX);
	return schema_text(schema, node, &env->text);
}

static int read_variable(
    struct schema *schema, const struct yaml_node *node, struct policy_env *env)
{
	const char *why = judge_env(node->key);
	int fault;

	if (why)
		return schema_refuse_key(schema, node, "'%.60s' %s", node->key, why);
	env->name = node->key;
	env->pos = node->key_pos;
	if (node->kind != YAML_KIND_MAPPING)
		return read_literal(schema, node, env);
	fault = schema_mapping(schema, node, env_keys, env);
	if (!fault && !env->text)
		fault = schema_refuse(
		    schema, node, "says nothing; write {api_key_env: NAME}, or a text");
	env->source = ENV_VARIABLE;
	return fault;
}

int read_env(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_tool *tool = record;

	(void)key;
	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(schema, node, "is not a mapping; write {NAME: text}");
	if (node->count > VARIABLES_MAX)
		return schema_refuse(
		    schema, node, "has more than %d variables; remove some", VARIABLES_MAX);
	tool->env = arena_array(schema->arena, node->count, sizeof(*tool->env));
	if (!tool->env)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		int fault = read_variable(schema, item, &tool->env[item->index]);

		if (fault)
			return fault;
	}
	tool->env_count = node->count;
	if (tool->env_count)
		qsort(tool->env, tool->env_count, sizeof(*tool->env), named_compare);
	return 0;
}
