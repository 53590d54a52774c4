#include "policy/keys.h"

#include <errno.h>
#include <string.h>

#include "policy/json_value.h"
#include "policy/policy.h"

#define WHEN_MAX  32
#define TESTS_MAX 10000

/* ---- rules -------------------------------------------------------------------------------- */

static int read_when(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_rule *rule = record;

	(void)key;
	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(
		    schema, node, "is not a mapping; write {parameter: {const: value}}");
	if (node->count > WHEN_MAX)
		return schema_refuse(
		    schema, node, "has more than %d parameters; remove some", WHEN_MAX);
	rule->when = arena_array(schema->arena, node->count, sizeof(*rule->when));
	if (!rule->when)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct policy_when *when = &rule->when[item->index];
		int fault = yaml_json_schema(schema, item, &when->schema);

		if (fault)
			return fault;
		when->name = item->key;
		when->pos = item->key_pos;
	}
	rule->when_count = node->count;
	return 0;
}

static void begin_rule(void *element)
{
	struct policy_rule *rule = element;

	rule->id = rule->reason = "";
}

static int end_rule(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct policy_rule *rule = element;

	if (!rule->id[0])
		return schema_refuse(
		    schema, node, "has no id; name it, so that a record can name it");
	if (rule->decision == DECISION_NONE)
		return schema_refuse(
		    schema, node, "decides nothing; write decision: allow, ask or deny");
	if (++schema->rules > POLICY_RULES_MAX)
		return schema_refuse(schema, node,
		    "is beyond the %d rules a file may have; merge some", POLICY_RULES_MAX);
	return 0;
}

static const struct schema_key rule_keys[] = {
    {.name = "id",
	.read = read_text,
	.about = "Its name, once in a tool",
	.place = PLACE(policy_rule, id),
	.max = 255,
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    {.name = "when",
	.read = read_when,
	.about = "Parameters and the JSON Schemas that their values must meet; absent: always",
	.form = "{\"type\":\"object\",\"maxProperties\":32,\"additionalProperties\":{\"type\":"
		"\"object\"}}"},
    {.name = "decision",
	.read = read_choice,
	.about = "What it decides; the strictest of all that speak wins",
	.place = PLACE(policy_rule, decision),
	.choices = verdict_choices},
    {.name = "reason",
	.read = read_text,
	.about = "Why, for people",
	.place = PLACE(policy_rule, reason),
	.max = 512},
    {.name = "roles",
	.read = read_words,
	.about = "Whom it is about; absent: everybody",
	.place = PLACE(policy_rule, roles),
	.judge = judge_name,
	.max = 64,
	.pattern = NAME_PATTERN},
    KEY_END,
};

const struct schema_list tool_rule_list = {
    .size = sizeof(struct policy_rule),
    .count_place = PLACE(policy_tool, rule_count),
    .pos_place = PLACE(policy_rule, pos),
    .max = POLICY_RULES_MAX,
    .keys = rule_keys,
    .required = "\"id\",\"decision\"",
    .begin = begin_rule,
    .end = end_rule,
};

/* ---- tests -------------------------------------------------------------------------------- */

static int read_args(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_test *test = record;

	(void)key;
	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(schema, node, "is not a mapping; write {parameter: value}");
	return yaml_json_text(schema, node, &test->args);
}

static const char *const expect_choices[] = {"", "allow", "ask", "deny", "invalid", NULL};

static int read_expect(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	const struct schema_key choice = {.choices = key->choices, .place = 1};
	struct policy_test *test = record;
	uint32_t index;
	int fault = read_choice(schema, node, &choice, &index);

	if (fault)
		return fault;
	test->expect_invalid = index > DECISION_DENY;
	test->expect = test->expect_invalid ? DECISION_NONE : (enum decision)index;
	return 0;
}

static void begin_test(void *element)
{
	struct policy_test *test = element;

	test->args = test->rule = "";
}

static int end_test(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct policy_test *test = element;

	if (!test->args[0])
		return schema_refuse(schema, node, "has no args; give the arguments of a call");
	if (test->expect == DECISION_NONE && !test->expect_invalid)
		return schema_refuse(
		    schema, node, "expects nothing; write expect: allow, ask, deny or invalid");
	return 0;
}

static const struct schema_key test_keys[] = {
    {.name = "args",
	.read = read_args,
	.about = "The arguments of a call",
	.form = "{\"type\":\"object\"}"},
    {.name = "expect",
	.read = read_expect,
	.about = "What must be decided; invalid: the arguments do not meet the schema",
	.choices = expect_choices,
	.like = read_choice},
    {.name = "rule",
	.read = read_text,
	.about = "Which rule must decide it: an id, or a key such as denied_commands",
	.place = PLACE(policy_test, rule),
	.max = 255},
    {.name = "roles",
	.read = read_words,
	.about = "Roles of the caller; absent: every role of the file",
	.place = PLACE(policy_test, roles),
	.given_place = PLACE(policy_test, has_roles),
	.judge = judge_name,
	.max = 64,
	.pattern = NAME_PATTERN},
    KEY_END,
};

const struct schema_list tool_test_list = {
    .size = sizeof(struct policy_test),
    .count_place = PLACE(policy_tool, test_count),
    .pos_place = PLACE(policy_test, pos),
    .max = TESTS_MAX,
    .keys = test_keys,
    .required = "\"args\",\"expect\"",
    .begin = begin_test,
    .end = end_test,
};
