#include "policy/rulebook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/facts.h"
#include "policy/handlers.h"
#include "policy/rule_index.h"

struct rule_book {
	const struct policy_rule *rule;
	struct json_schema **when; /* one per rule->when */
};

struct rulebook {
	const struct policy *policy;
	struct tool_book *tools; /* in the policy's order */
	struct rule_index **indexes;
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

static int take_rule(struct rule_book *book, const struct policy_rule *rule, struct err_note *note)
{
	book->rule = rule;
	book->when = calloc(rule->when_count + 1u, sizeof(struct json_schema *));
	if (!book->when)
		return -ENOMEM;
	for (uint32_t i = 0; i < rule->when_count; i++) {
		int fault = compile(rule->when[i].schema, &book->when[i], note);

		if (fault)
			return fault;
	}
	return 0;
}

/* Of an untyped command only these can be nothing but text. */
static json_t *properties_of(const struct tool_book *tool)
{
	return tool->schema ? json_incref(json_object_get(tool->schema, "properties"))
			    : json_pack("{s:{s:s}, s:{s:s}}", "command", "type", "string", "cwd",
				  "type", "string");
}

static int take_tool(struct tool_book *tool, struct rule_index **index, struct err_note *note)
{
	const struct policy_tool *policy = tool->tool;
	int fault = take_schemas(tool, note);
	json_t *properties;

	tool->rules = calloc(policy->rule_count + 1u, sizeof(*tool->rules));
	if (!tool->rules)
		return -ENOMEM;
	for (uint32_t i = 0; !fault && i < policy->rule_count; i++)
		fault = take_rule(&tool->rules[i], &policy->rules[i], note);
	if (fault)
		return fault;
	properties = properties_of(tool);
	fault = rule_index_new(policy->rules, policy->rule_count, properties, index);
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
	book->indexes = calloc(policy->tool_count + 1u, sizeof(struct rule_index *));
	if (!book->tools || !book->indexes)
		fault = -ENOMEM;
	for (uint32_t i = 0; !fault && i < policy->tool_count; i++) {
		book->tools[i].tool = &policy->tools[i];
		fault = take_tool(&book->tools[i], &book->indexes[i], &why);
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
	for (uint32_t i = 0; tool->rules && i < tool->tool->rule_count; i++) {
		struct rule_book *book = &tool->rules[i];

		for (uint32_t j = 0; book->when && j < book->rule->when_count; j++)
			json_schema_free(book->when[j]);
		free(book->when);
	}
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
		if (book->indexes)
			rule_index_free(book->indexes[i]);
	}
	free(book->tools);
	free(book->indexes);
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
static int is_met(const struct rule_book *book, uint32_t index, const struct question *question)
{
	const char *name = book->rule->when[index].name;
	const json_t *value = json_object_get(question->facts, name);
	int result;

	if (!value)
		return facts_unknown(
			   question->tool, name, question->facts, question->stdin_streams) &&
		       book->rule->decision != DECISION_ALLOW;
	result = json_schema_check(book->when[index], value, "", NULL);
	if (result == JSON_SCHEMA_TOO_MUCH)
		return book->rule->decision != DECISION_ALLOW;
	return result < 0 ? result : result == 0;
}

static int matches(const struct rule_book *book, const struct question *question)
{
	int met = is_for(book->rule, question->identity);

	for (uint32_t i = 0; met == 1 && i < book->rule->when_count; i++)
		met = is_met(book, i, question);
	return met;
}

int rulebook_match(const struct rulebook *book, const struct question *question,
    const struct policy_rule ***ret, uint32_t *ret_count)
{
	const struct tool_book *tool = rulebook_tool(book, question->tool);
	const struct policy_rule **found;
	uint32_t *candidates = NULL, count = 0;
	int met = 0;

	*ret = NULL;
	*ret_count = 0;
	if (!tool || !tool->tool->rule_count)
		return 0;
	met = rule_index_find(
	    book->indexes[tool - book->tools], question->facts, &candidates, &count);
	if (met)
		return met;
	found = calloc(count + 1u, sizeof(*found));
	if (!found)
		met = -ENOMEM;
	for (uint32_t i = 0; met >= 0 && i < count; i++) {
		const struct rule_book *row = &tool->rules[candidates[i]];

		met = matches(row, question);
		if (met == 1)
			found[(*ret_count)++] = row->rule;
	}
	free(candidates);
	if (met < 0) {
		free(found);
		*ret_count = 0;
		return met;
	}
	*ret = found;
	return 0;
}
