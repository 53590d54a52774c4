#include "policy/conditions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/err.h"

#define UNKNOWN   0  /* answers are kept as result + 1 */
#define KEEP_FROM 16 /* rows */

struct condition {
	const char *name; /* of the parameter; equal ones are one */
	struct json_schema *schema;
};

struct conditions {
	struct condition *items;
	uint32_t count, cap;
	char **names; /* owned, as each of them */
	uint32_t name_count;
	json_t *numbers; /* "parameter\x1fschema" -> number + 1; gone when sealed */
};

struct conditions *conditions_new(void)
{
	struct conditions *conditions = calloc(1, sizeof(*conditions));

	if (conditions)
		conditions->numbers = json_object();
	if (conditions && !conditions->numbers) {
		free(conditions);
		return NULL;
	}
	return conditions;
}

void conditions_free(struct conditions *conditions)
{
	if (!conditions)
		return;
	for (uint32_t i = 0; i < conditions->count; i++)
		json_schema_free(conditions->items[i].schema);
	for (uint32_t i = 0; i < conditions->name_count; i++)
		free(conditions->names[i]);
	free(conditions->names);
	free(conditions->items);
	json_decref(conditions->numbers);
	free(conditions);
}

void conditions_seal(struct conditions *conditions)
{
	json_decref(conditions->numbers);
	conditions->numbers = NULL;
}

uint32_t conditions_count(const struct conditions *conditions)
{
	return conditions->count;
}

/* JSON text holds no \x1f, so two keys are equal only if both parts are. */
static char *make_key(const struct policy_when *when)
{
	size_t name_len = strlen(when->name), schema_len = strlen(when->schema);
	char *key = malloc(name_len + schema_len + 2);

	if (!key)
		return NULL;
	memcpy(key, when->name, name_len);
	key[name_len] = '\x1f';
	memcpy(key + name_len + 1, when->schema, schema_len + 1);
	return key;
}

static int grow(struct conditions *conditions)
{
	uint32_t cap = conditions->cap ? conditions->cap * 2 : 16;
	struct condition *larger;

	if (conditions->count < conditions->cap)
		return 0;
	larger = realloc(conditions->items, cap * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	conditions->items = larger;
	conditions->cap = cap;
	return 0;
}

/* Parameters are few. NULL: no memory. */
static const char *name_of(struct conditions *conditions, const char *name)
{
	char **larger;

	for (uint32_t i = 0; i < conditions->name_count; i++)
		if (!strcmp(conditions->names[i], name))
			return conditions->names[i];
	larger = realloc(conditions->names, (conditions->name_count + 1u) * sizeof(*larger));
	if (!larger)
		return NULL;
	conditions->names = larger;
	larger[conditions->name_count] = strdup(name);
	return larger[conditions->name_count] ? larger[conditions->name_count++] : NULL;
}

/* JSON of the policy itself, so what does not parse was never loaded. */
static int compile(const char *text, struct json_schema **ret, struct err_note *note)
{
	json_t *schema = json_loads(text, JSON_DECODE_ANY, NULL);
	int fault = schema ? json_schema_compile(schema, ret, note)
			   : err_note(note, -EINVAL, "is not JSON");

	json_decref(schema);
	return fault;
}

static int add(struct conditions *conditions, const char *key, const struct policy_when *when,
    struct err_note *note)
{
	struct condition condition = {.name = name_of(conditions, when->name)};
	int fault = grow(conditions);

	if (fault || !condition.name)
		return -ENOMEM;
	fault = compile(when->schema, &condition.schema, note);
	if (fault)
		return fault;
	conditions->items[conditions->count++] = condition;
	return json_object_set_new_nocheck(
		   conditions->numbers, key, json_integer(conditions->count))
		   ? -ENOMEM
		   : 0;
}

int conditions_add(struct conditions *conditions, const struct policy_when *when, uint32_t *ret,
    struct err_note *note)
{
	char cleanup_free *key = make_key(when);
	json_int_t number;
	int fault = 0;

	if (!key)
		return -ENOMEM;
	number = json_integer_value(json_object_get(conditions->numbers, key));
	if (!number) {
		fault = add(conditions, key, when, note);
		number = conditions->count;
	}
	if (!fault)
		*ret = (uint32_t)(number - 1);
	return fault;
}

/* ---- one decision -------------------------------------------------------------------------- */

int conditions_ask(struct conditions_answers *ret, const struct conditions *conditions,
    const json_t *arguments, const struct json_schema_work *spent, uint32_t rows)
{
	*ret = (struct conditions_answers){
	    .conditions = conditions, .arguments = arguments, .work = *spent};
	if (rows < KEEP_FROM)
		return 0;
	ret->known = calloc(conditions->count + 1u, sizeof(*ret->known));
	return ret->known ? 0 : -ENOMEM;
}

void conditions_answers_fini(struct conditions_answers *answers)
{
	json_schema_room_free(answers->room);
	free(answers->known);
	*answers = (struct conditions_answers){NULL};
}

static const json_t *value_of(struct conditions_answers *answers, const char *name)
{
	if (answers->name != name) {
		answers->name = name;
		answers->value = json_object_get(answers->arguments, name);
	}
	return answers->value;
}

int conditions_answer(struct conditions_answers *answers, uint32_t number)
{
	const struct condition *condition = &answers->conditions->items[number];
	const json_t *value;
	int result;

	if (answers->known && answers->known[number] != UNKNOWN)
		return answers->known[number] - 1;
	value = value_of(answers, condition->name);
	result =
	    value ? json_schema_check_in(&answers->room, &answers->work, condition->schema, value)
		  : JSON_SCHEMA_INVALID;
	if (answers->known && result >= 0)
		answers->known[number] = (int8_t)(result + 1);
	return result;
}
