/* A schema and a value, split at the first NUL; a pattern besides. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema.h"
#include "policy/json_schema_regex.h"
#include "policy/json_schema_value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/err.h"
#include "supervisor/base/str.h"

#define READ_FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_note(const struct err_note *note)
{
	size_t len = strnlen(note->text, sizeof(note->text));

	assert(len > 0 && len < sizeof(note->text));
	assert(strstr(note->text, ": "));
	assert(str_is_utf8(note->text, len));
}

/* What a value is checked against may not change the answer when it is asked again. */
static void check_value(const struct json_schema *schema, const json_t *value)
{
	struct err_note note = {""};
	int r = json_schema_check(schema, value, "value", &note);

	assert(r == JSON_SCHEMA_VALID || r == JSON_SCHEMA_INVALID || r == JSON_SCHEMA_TOO_MUCH);
	if (r != JSON_SCHEMA_VALID)
		check_note(&note);
	else
		assert(!note.text[0]);
	assert(json_schema_check(schema, value, "value", NULL) == r);
}

static void compile_and_check(const json_t *json, const json_t *value)
{
	struct json_schema *schema = NULL;
	struct err_note note = {""};
	int r = json_schema_compile(json, &schema, &note);

	assert(r == 0 || r == -EINVAL);
	if (r == 0) {
		check_value(schema, value);
		check_value(schema, json);
	} else {
		check_note(&note);
		assert(!schema);
	}
	json_schema_free(schema);
}

/* {keyword: operand} on value: the answer, or -1 when it does not compile. Keeps operand. */
static int ask(const char *keyword, json_t *operand, const json_t *value)
{
	json_t *json = json_pack("{s:O}", keyword, operand);
	struct json_schema *schema = NULL;
	int r = -1;

	assert(json);
	if (json_schema_compile(json, &schema, NULL) == 0)
		r = json_schema_check(schema, value, "value", NULL);
	json_schema_free(schema);
	json_decref(json);
	return r;
}

/* Rules that must agree with each other, whatever the values are. */
static void check_laws(json_t *json, const json_t *value)
{
	json_t *list = json_pack("[O]", json);
	json_t *twice = json_pack("[OO]", json, json);
	int same = ask("const", json, value), r = ask("enum", list, value);

	assert(list && twice);
	/* a list is one level deeper and may be one too many */
	assert(r == same || r == -1 || same == JSON_SCHEMA_TOO_MUCH);
	r = ask("const", json, json);
	assert(r == JSON_SCHEMA_VALID || r == JSON_SCHEMA_TOO_MUCH || r == -1);
	r = ask("uniqueItems", json_true(), twice);
	assert(r == JSON_SCHEMA_INVALID || r == JSON_SCHEMA_TOO_MUCH);
	json_decref(list);
	json_decref(twice);
}

static void check_pattern(const char *pattern, size_t len, const char *text, size_t text_len)
{
	struct json_budget budget = {10000};
	struct json_regex_run *run = NULL;
	struct json_regex *regex = NULL;
	char why[JSON_REGEX_WHY_MAX] = "";
	int r = len > JSON_SCHEMA_PATTERN_MAX ? -E2BIG : json_regex_new(&regex, pattern, len, why);

	assert(r == 0 || r == -E2BIG || r == -ENOBUFS || (r == -EINVAL && why[0]));
	if (r == 0) {
		r = json_regex_match(regex, text, text_len, &budget, &run);
		assert(r >= JSON_MATCH_NO && r <= JSON_MATCH_TOO_MUCH);
	}
	json_regex_run_free(run);
	json_regex_free(regex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size, rest = nul ? size - len - 1 : 0;
	char cleanup_free *text = malloc(len + 1); /* exact, so that reading past it is seen */
	const char *second = nul ? (const char *)nul + 1 : "";
	json_t *json, *value;

	assert(text);
	if (len)
		memcpy(text, data, len);
	check_pattern(text, len, second, rest);
	json = json_loadb(text, len, READ_FLAGS, NULL);
	value = json_loadb(second, rest, READ_FLAGS, NULL);
	if (json && !value)
		value = json_null();
	if (json) {
		compile_and_check(json, value);
		check_laws(json, value);
	}
	json_decref(value);
	json_decref(json);
	return 0;
}
