/*
 * Rows of rules: and values, found by the index beside looking at each row. The first line up to a
 * NUL: conditions, one a line, a pattern or (with a brace) a schema; then values, each up to a NUL,
 * JSON or else text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rulebook.h"
#include "supervisor/base/cleanup.h"

#define ROWS_MAX   64
#define VALUES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct row {
	struct policy_when when;
	char *text;                 /* owned; of when */
	struct json_schema *schema; /* owned; for the plain scan */
};

struct rows {
	struct row items[ROWS_MAX];
	struct policy_rule rules[ROWS_MAX];
	uint32_t count;
};

/* The parameter command can be nothing but text, any can be anything. */
static void add_row(struct rows *rows, const char *line, size_t len)
{
	struct row *row = &rows->items[rows->count];
	json_t *schema = len && line[0] == '{' ? json_loadb(line, len, 0, NULL)
					       : json_pack("{s:s%}", "pattern", line, len);

	if (schema && json_schema_compile(schema, &row->schema, NULL) == 0) {
		row->text = json_dumps(schema, JSON_COMPACT);
		assert(row->text);
		row->when = (struct policy_when){
		    .name = rows->count % 3 ? "any" : "command", .schema = row->text};
		rows->rules[rows->count] = (struct policy_rule){.id = "x",
		    .decision = DECISION_ASK,
		    .reason = "",
		    .when = &row->when,
		    .when_count = 1};
		rows->count++;
	}
	json_decref(schema);
}

static void read_rows(struct rows *rows, const char *text, size_t len)
{
	while (rows->count < ROWS_MAX) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		add_row(rows, text, line);
		if (!end)
			return;
		text += line + 1;
		len -= line + 1;
	}
}

/* What takes too much work may be found or not, and is slow; else both must agree. */
static bool judge_all(const struct rows *rows, const json_t *arguments, int answers[ROWS_MAX])
{
	struct json_schema_work work = {.steps = 0};

	for (uint32_t i = 0; i < rows->count; i++) {
		const json_t *given = json_object_get(arguments, rows->items[i].when.name);

		answers[i] =
		    given ? json_schema_check_within(&work, rows->items[i].schema, given, "", NULL)
			  : JSON_SCHEMA_INVALID;
		assert(answers[i] >= 0);
		if (answers[i] == JSON_SCHEMA_TOO_MUCH)
			return false;
	}
	return true;
}

/* False: enough of this input. */
static bool check_value(const struct rows *rows, const struct rulebook *book,
    const struct policy *policy, json_t *value)
{
	json_t *arguments = json_pack("{s:O}", "any", value);
	const struct question question = {
	    .policy = policy, .book = book, .tool = policy->tools, .facts = arguments};
	const struct policy_rule **found = NULL;
	uint32_t count = 0, next = 0;
	int answers[ROWS_MAX];
	bool judged;

	assert(arguments);
	if (json_is_string(value))
		assert(json_object_set(arguments, "command", value) == 0);
	judged = judge_all(rows, arguments, answers);
	if (judged)
		assert(rulebook_match(book, &question, &found, &count) == 0);
	for (uint32_t i = 0; judged && i < rows->count; i++) {
		bool is_found = next < count && found[next] == &rows->rules[i];

		assert(is_found == (answers[i] == JSON_SCHEMA_VALID));
		next += is_found;
	}
	assert(next == count);
	free(found);
	json_decref(arguments);
	return judged;
}

static void check_values(struct rows *rows, const char *text, size_t len)
{
	struct policy_tool tool = {.name = "t",
	    .type = TOOL_COMMAND,
	    .parameters = "",
	    .output_schema = "",
	    .rules = rows->rules,
	    .rule_count = rows->count};
	const struct policy policy = {.file = "p.yaml", .tools = &tool, .tool_count = 1};
	struct rulebook *book = NULL;

	assert(rulebook_new(&policy, &book, NULL) == 0);
	for (unsigned i = 0; i < VALUES_MAX; i++) {
		const char *end = len ? memchr(text, '\0', len) : NULL;
		size_t part = end ? (size_t)(end - text) : len;
		json_t *value = json_loadb(text, part, JSON_DECODE_ANY, NULL);

		if (!value)
			value = json_stringn(text, part);
		if (value && !check_value(rows, book, &policy, value))
			end = NULL;
		json_decref(value);
		if (!end)
			break;
		text += part + 1;
		len -= part + 1;
	}
	rulebook_free(book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size, rest = nul ? size - len - 1 : 0;
	char cleanup_free *text = malloc(len + 1);
	struct rows *rows = calloc(1, sizeof(*rows));

	assert(text && rows);
	if (len)
		memcpy(text, data, len);
	read_rows(rows, text, len);
	check_values(rows, nul ? (const char *)nul + 1 : "", rest);
	for (uint32_t i = 0; i < rows->count; i++) {
		json_schema_free(rows->items[i].schema);
		free(rows->items[i].text);
	}
	free(rows);
	return 0;
}
