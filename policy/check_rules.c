#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check_tool.h"
#include "policy/pack.h"
#include "supervisor/base/cleanup.h"

#define PATH_SHOWN_MAX 160

/* Everything that looks at the rows of one tool. */
struct rows {
	struct schema *schema;
	const struct policy *policy; /* NULL before all of it is there */
	const struct policy_tool *tool;
	const struct parameters *parameters; /* NULL where nothing asks for them */
	const struct policy_rule **by_id;    /* owned; sorted */
};

static void rows_fini(struct rows *rows)
{
	free(rows->by_id);
}

static int compare_ids(const void *a, const void *b)
{
	const struct policy_rule *left = *(const struct policy_rule *const *)a;
	const struct policy_rule *right = *(const struct policy_rule *const *)b;
	int order = strcmp(left->id, right->id);

	return order ? order : (left > right) - (left < right);
}

static int compare_id(const void *id, const void *row)
{
	return strcmp(id, (*(const struct policy_rule *const *)row)->id);
}

static const struct policy_rule *find_rule(const struct rows *rows, const char *id)
{
	const struct policy_rule *const *found =
	    rows->tool->rule_count ? bsearch(id, rows->by_id, rows->tool->rule_count,
					 sizeof(struct policy_rule *), compare_id)
				   : NULL;

	return found ? *found : NULL;
}

__attribute__((format(printf, 3, 4))) static void row_path(
    char out[PATH_SHOWN_MAX], const struct rows *rows, const char *format, ...)
{
	int used = snprintf(out, PATH_SHOWN_MAX, "tools.%.64s.", rows->tool->name);
	va_list args;

	va_start(args, format);
	vsnprintf(out + used, PATH_SHOWN_MAX - (size_t)used, format, args);
	va_end(args);
}

/* ---- rules -------------------------------------------------------------------------------- */

/* Keeps twenty thousand ids from costing their square. */
static int sort_ids(struct rows *rows)
{
	const struct policy_tool *tool = rows->tool;

	rows->by_id = calloc(tool->rule_count + 1u, sizeof(struct policy_rule *));
	if (!rows->by_id)
		return -ENOMEM;
	for (uint32_t i = 0; i < tool->rule_count; i++)
		rows->by_id[i] = &tool->rules[i];
	qsort(rows->by_id, tool->rule_count, sizeof(struct policy_rule *), compare_ids);
	return 0;
}

static int check_ids(struct rows *rows)
{
	const struct policy_tool *tool = rows->tool;
	char path[PATH_SHOWN_MAX];

	if (sort_ids(rows))
		return -ENOMEM;
	for (uint32_t i = 1; i < tool->rule_count; i++) {
		const struct policy_rule *row = rows->by_id[i];

		if (strcmp(rows->by_id[i - 1]->id, row->id))
			continue;
		row_path(path, rows, "rules[%zu]", (size_t)(row - tool->rules));
		return schema_refuse_at(rows->schema, row->pos, path,
		    "the id '%.60s' is given twice, at line %u too; rename one",
		    schema_shown(rows->schema, row->id), rows->by_id[i - 1]->pos.line);
	}
	return 0;
}

static int check_conditions(const struct rows *rows, uint32_t index)
{
	const struct policy_rule *rule = &rows->tool->rules[index];
	char path[PATH_SHOWN_MAX], advice[PARAMETER_ADVICE_MAX];

	for (uint32_t i = 0; i < rule->when_count; i++) {
		const struct policy_when *when = &rule->when[i];

		if (parameters_have(rows->parameters, when->name))
			continue;
		row_path(path, rows, "rules[%u].when", index);
		return schema_refuse_at(rows->schema, when->pos, path,
		    "there is no parameter '%.60s'; %s", when->name,
		    parameters_advice(rows->parameters, when->name, advice));
	}
	return 0;
}

/* ---- tests -------------------------------------------------------------------------------- */

/* What can decide a call beside a row of rules: (verdict_rule_name() names them so). */
static bool is_rule_word(const char *text)
{
	static const char *const words[] = {"denied_commands", "allowed_commands",
	    "deny_by_default", "require_approval", "defaults.decision", "not_analysable",
	    "shell_not_allowed", "function"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i], text))
			return true;
	}
	return false;
}

static bool is_in_packs(const struct rows *rows, const char *id)
{
	for (uint32_t i = 0; i < rows->tool->packs.count; i++) {
		const struct policy_pack *pack =
		    policy_find_pack(rows->policy, rows->tool->packs.items[i].text);

		if (pack && pack_has_rule(pack, id))
			return true;
	}
	return false;
}

static int check_expected_rule(const struct rows *rows, uint32_t index)
{
	const struct policy_test *test = &rows->tool->tests[index];
	char path[PATH_SHOWN_MAX];

	if (!test->rule[0])
		return 0;
	row_path(path, rows, "tests[%u].rule", index);
	if (test->expect_invalid)
		return schema_refuse_at(rows->schema, test->pos, path,
		    "no rule decides when the arguments are invalid; remove it");
	if (is_rule_word(test->rule) || find_rule(rows, test->rule) ||
	    is_in_packs(rows, test->rule))
		return 0;
	return schema_refuse_at(rows->schema, test->pos, path,
	    "there is no rule '%.60s' in this tool%s; name one by its id",
	    schema_shown(rows->schema, test->rule), rows->tool->packs.count ? " or its packs" : "");
}

static int check_arguments(const struct rows *rows, uint32_t index)
{
	const struct policy_test *test = &rows->tool->tests[index];
	json_t *args = test->expect_invalid ? NULL : json_loads(test->args, 0, NULL);
	char path[PATH_SHOWN_MAX], advice[PARAMETER_ADVICE_MAX];
	const char *name;
	json_t *value;
	int fault = 0;

	json_object_foreach(args, name, value)
	{
		if (parameters_have(rows->parameters, name))
			continue;
		row_path(path, rows, "tests[%u].args", index);
		fault = schema_refuse_at(rows->schema, test->pos, path,
		    "there is no parameter '%.60s'; %s", name,
		    parameters_advice(rows->parameters, name, advice));
		break;
	}
	json_decref(args);
	return fault;
}

int tool_check_rules(
    struct schema *schema, const struct policy_tool *tool, const struct parameters *parameters)
{
	struct rows cleanup_with(rows_fini)
	    rows = {.schema = schema, .tool = tool, .parameters = parameters};
	int fault = check_ids(&rows);

	for (uint32_t i = 0; !fault && i < tool->rule_count; i++)
		fault = check_conditions(&rows, i);
	for (uint32_t i = 0; !fault && i < tool->test_count; i++)
		fault = check_arguments(&rows, i);
	return fault;
}

int tool_check_expected(
    struct schema *schema, const struct policy *policy, const struct policy_tool *tool)
{
	struct rows cleanup_with(rows_fini)
	    rows = {.schema = schema, .policy = policy, .tool = tool};
	int fault = sort_ids(&rows);

	for (uint32_t i = 0; !fault && i < tool->test_count; i++)
		fault = check_expected_rule(&rows, i);
	return fault;
}
