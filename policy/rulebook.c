#include "policy/rulebook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/conditions.h"
#include "policy/facts.h"
#include "policy/handlers.h"
#include "policy/rule_index.h"
#include "supervisor/base/cleanup.h"

struct rule_book {
	const struct policy_rule *rule;
	uint32_t *when; /* numbers of conditions, one per rule->when */
};

/* How the rows of one tool are found and judged. */
struct rule_search {
	struct rule_index *index;
	struct conditions *conditions;
};

struct rulebook {
	const struct policy *policy;
	struct tool_book *tools; /* in the policy's order */
	struct rule_search *searches;
};

/* ---- birth -------------------------------------------------------------------------------- */

/* JSON of the policy itself, so what does not parse was never loaded. */
static int parse(const char *text, json_t **ret)
{
	*ret = json_loads(text, JSON_DECODE_ANY, NULL);
	return *ret ? 0 : -EINVAL;
}

static int compile(const char *text, struct json_schema **ret, struct err_note *note)
{
	json_t *schema;
	int fault = parse(text, &schema);

	if (fault)
		return err_note(note, fault, "is not JSON");
	fault = json_schema_compile(schema, ret, note);
	json_decref(schema);
	return fault;
}

static bool is_path(const json_t *schema)
{
	const char *format = json_string_value(json_object_get(schema, "format"));

	return format && !strcmp(format, "workspace-path");
}

static int find_paths(struct tool_book *tool)
{
	json_t *properties = json_object_get(tool->schema, "properties");
	const char *name;
	json_t *schema;

	tool->paths = calloc(json_object_size(properties) + 1, sizeof(*tool->paths));
	if (!tool->paths)
		return -ENOMEM;
	json_object_foreach(properties, name, schema)
	{
		bool list = is_path(json_object_get(schema, "items"));

		if (list || is_path(schema))
			tool->paths[tool->path_count++] = (struct path_parameter){name, list};
	}
	return 0;
}

static const char *schema_text_of(const struct policy_tool *tool)
{
	const struct handler *handler =
	    tool->type == TOOL_FUNCTION ? handler_by_id((unsigned)tool->handler) : NULL;

	return handler ? handler->parameters : tool->parameters;
}

static int take_schemas(struct tool_book *tool, struct err_note *note)
{
	const char *text = schema_text_of(tool->tool);
	int fault = 0;

	if (text && text[0]) {
		fault = parse(text, &tool->schema);
		if (!fault)
			fault = json_schema_compile(tool->schema, &tool->parameters, note);
		if (!fault)
			fault = find_paths(tool);
	}
	if (!fault && tool->tool->output_schema && tool->tool->output_schema[0])
		fault = compile(tool->tool->output_schema, &tool->output, note);
	return fault;
}

static int take_rule(struct rule_book *book, const struct policy_rule *rule,
    struct conditions *conditions, struct err_note *note)
{
	int fault = 0;

	book->rule = rule;
	book->when = calloc(rule->when_count + 1u, sizeof(*book->when));
	if (!book->when)
		return -ENOMEM;
	for (uint32_t i = 0; !fault && i < rule->when_count; i++)
		fault = conditions_add(conditions, &rule->when[i], &book->when[i], note);
	return fault;
}

/* Of an untyped command only these can be nothing but text. */
static json_t *properties_of(const struct tool_book *tool)
{
	return tool->schema ? json_incref(json_object_get(tool->schema, "properties"))
			    : json_pack("{s:{s:s}, s:{s:s}}", "command", "type", "string", "cwd",
				  "type", "string");
}

static int take_tool(struct tool_book *tool, struct rule_search *search, struct err_note *note)
{
	const struct policy_tool *policy = tool->tool;
	int fault = take_schemas(tool, note);
	json_t *properties;

	tool->rules = calloc(policy->rule_count + 1u, sizeof(*tool->rules));
	search->conditions = conditions_new();
	if (!tool->rules || !search->conditions)
		return -ENOMEM;
	for (uint32_t i = 0; !fault && i < policy->rule_count; i++)
		fault = take_rule(&tool->rules[i], &policy->rules[i], search->conditions, note);
	if (fault)
		return fault;
	conditions_seal(search->conditions);
	properties = properties_of(tool);
	fault = rule_index_new(policy->rules, policy->rule_count, properties, &search->index);
	json_decref(properties);
	return fault;
}

int rulebook_new(const struct policy *policy, struct rulebook **ret, struct err_note *note)
{
	struct rulebook *book = calloc(1, sizeof(*book));
	struct err_note why = {""};
	int fault = 0;

	if (!book)
		return -ENOMEM;
	book->policy = policy;
	book->tools = calloc(policy->tool_count + 1u, sizeof(*book->tools));
	book->searches = calloc(policy->tool_count + 1u, sizeof(*book->searches));
	if (!book->tools || !book->searches)
		fault = -ENOMEM;
	for (uint32_t i = 0; !fault && i < policy->tool_count; i++) {
		book->tools[i].tool = &policy->tools[i];
		fault = take_tool(&book->tools[i], &book->searches[i], &why);
		if (fault)
			(void)err_note(
			    note, fault, "tools.%s: %s", policy->tools[i].name, why.text);
	}
	if (fault) {
		rulebook_free(book);
		return fault;
	}
	*ret = book;
	return 0;
}

static void free_tool(struct tool_book *tool)
{
	for (uint32_t i = 0; tool->rules && i < tool->tool->rule_count; i++)
		free(tool->rules[i].when);
	free(tool->rules);
	free(tool->paths);
	json_schema_free(tool->parameters);
	json_schema_free(tool->output);
	json_decref(tool->schema);
}

void rulebook_free(struct rulebook *book)
{
	if (!book)
		return;
	for (uint32_t i = 0; i < book->policy->tool_count; i++) {
		if (book->tools && book->tools[i].tool)
			free_tool(&book->tools[i]);
		if (book->searches) {
			rule_index_free(book->searches[i].index);
			conditions_free(book->searches[i].conditions);
		}
	}
	free(book->tools);
	free(book->searches);
	free(book);
}

/* ---- questions ---------------------------------------------------------------------------- */

const struct tool_book *rulebook_tool(const struct rulebook *book, const struct policy_tool *tool)
{
	const struct policy *policy = book->policy;

	if (tool < policy->tools || tool >= policy->tools + policy->tool_count)
		return NULL;
	return &book->tools[tool - policy->tools];
}

static bool is_for(const struct policy_rule *rule, const struct identity *identity)
{
	if (!rule->roles.count || !identity)
		return true;
	for (uint32_t i = 0; i < rule->roles.count; i++)
		for (uint32_t j = 0; j < identity->role_count; j++)
			if (!strcmp(rule->roles.items[i].text, identity->roles[j]->name))
				return true;
	return false;
}

/* 1 met, 0 not met, -ENOMEM. What nobody knows yet meets whatever restricts, and allows nothing. */
static int is_met(const struct rule_book *book, uint32_t index, const struct question *question,
    struct conditions_answers *answers)
{
	const char *name = book->rule->when[index].name;
	int result;

	if (facts_unknown(question->tool, name, question->facts, question->stdin_streams))
		return book->rule->decision != DECISION_ALLOW;
	result = conditions_answer(answers, book->when[index]);
	if (result == JSON_SCHEMA_TOO_MUCH)
		return book->rule->decision != DECISION_ALLOW;
	return result < 0 ? result : result == JSON_SCHEMA_VALID;
}

static int matches(const struct rule_book *book, const struct question *question,
    struct conditions_answers *answers)
{
	int met = is_for(book->rule, question->identity);

	for (uint32_t i = 0; met == 1 && i < book->rule->when_count; i++)
		met = is_met(book, i, question, answers);
	return met;
}

/* Of count rows that may match those that do, in found: how many, or -ENOMEM. */
static int choose(const struct tool_book *tool, const struct question *question,
    struct conditions_answers *answers, const uint32_t *candidates, uint32_t count,
    const struct policy_rule **found)
{
	int chosen = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct rule_book *row = &tool->rules[candidates[i]];
		int met = matches(row, question, answers);

		if (met < 0)
			return met;
		if (met)
			found[chosen++] = row->rule;
	}
	return chosen;
}

int rulebook_match(const struct rulebook *book, const struct question *question,
    const struct policy_rule ***ret, uint32_t *ret_count)
{
	const struct tool_book *tool = rulebook_tool(book, question->tool);
	const struct policy_rule **cleanup_free found = NULL;
	uint32_t *cleanup_free candidates = NULL, count = 0;
	struct conditions_answers cleanup_with(conditions_answers_fini) answers = {NULL};
	const struct rule_search *search;
	int chosen;

	*ret = NULL;
	*ret_count = 0;
	if (!tool || !tool->tool->rule_count)
		return 0;
	search = &book->searches[tool - book->tools];
	chosen = rule_index_find(search->index, question->facts, &candidates, &count);
	if (chosen || !count)
		return chosen;
	found = calloc(count, sizeof(*found));
	if (!found ||
	    conditions_ask(&answers, search->conditions, question->facts, &question->spent, count))
		return -ENOMEM;
	chosen = choose(tool, question, &answers, candidates, count, found);
	if (chosen <= 0)
		return chosen;
	*ret = take_ptr(found);
	*ret_count = (uint32_t)chosen;
	return 0;
}
