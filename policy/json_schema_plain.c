/* A value by itself: its type, its constants, numbers and text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/json_schema.h"
#include "policy/json_schema_check.h"
#include "policy/json_schema_regex.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

/* Most checks are only tries whose words nobody reads (rows of rules:). So words are made in
 * functions of their own, and only when there is a note. */
#define CHOICES_SHOWN 8
#define BYTES_A_STEP  64

/* ---- type ------------------------------------------------------------------------------------ */

static const struct {
	unsigned bit;
	const char *words;
} kinds[] = {
    {JSON_KIND_NULL, "null"},
    {JSON_KIND_BOOLEAN, "true or false"},
    {JSON_KIND_OBJECT, "an object"},
    {JSON_KIND_ARRAY, "an array"},
    {JSON_KIND_STRING, "a string"},
    {JSON_KIND_NUMBER, "a number"},
    {JSON_KIND_INTEGER, "an integer"},
};

static unsigned kinds_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_NULL: return JSON_KIND_NULL;
	case JSON_TRUE:
	case JSON_FALSE: return JSON_KIND_BOOLEAN;
	case JSON_OBJECT: return JSON_KIND_OBJECT;
	case JSON_ARRAY: return JSON_KIND_ARRAY;
	case JSON_STRING: return JSON_KIND_STRING;
	case JSON_INTEGER: return JSON_KIND_NUMBER | JSON_KIND_INTEGER;
	case JSON_REAL:
		return json_number_is_whole(json_number_of(value))
			   ? JSON_KIND_NUMBER | JSON_KIND_INTEGER
			   : JSON_KIND_NUMBER;
	}
	return 0;
}

static int refuse_type(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	struct buf cleanup_with(buf_fini) wanted;
	char shown[JSON_QUOTE_MAX];
	const char *words;

	buf_init(&wanted, 256);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (node->kinds & kinds[i].bit)
			buf_textf(&wanted, "%s%s", wanted.len ? " or " : "", kinds[i].words);
	}
	words = buf_cstr(&wanted);
	return schema_check_refuse(check, place, "must be %s, and is %s", words ? words : "",
	    json_value_quote(shown, value));
}

static int check_type(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	if (!node->kinds || (node->kinds & kinds_of(value)))
		return JSON_SCHEMA_VALID;
	return check->note ? refuse_type(check, node, value, place) : JSON_SCHEMA_INVALID;
}

/* ---- const and enum -------------------------------------------------------------------------- */

static int refuse_constant(
    struct schema_check *check, const struct schema_node *node, const struct json_place *place)
{
	char shown[JSON_QUOTE_MAX];

	return schema_check_refuse(
	    check, place, "must be %s", json_value_quote(shown, node->constant));
}

static int refuse_choice(
    struct schema_check *check, const struct schema_node *node, const struct json_place *place)
{
	struct buf cleanup_with(buf_fini) list;
	size_t count = json_array_size(node->choices);
	char shown[JSON_QUOTE_MAX];
	const char *words;

	buf_init(&list, 240);
	for (size_t i = 0; i < count && i < CHOICES_SHOWN; i++)
		buf_textf(&list, "%s%s", i ? ", " : "",
		    json_value_quote(shown, json_array_get(node->choices, i)));
	if (count > CHOICES_SHOWN)
		buf_text(&list, ", ...");
	words = buf_cstr(&list);
	if (!words)
		return schema_check_refuse(check, place, "is none of the values that are allowed");
	return schema_check_refuse(
	    check, place, count == 1 ? "must be %s" : "must be one of %s", words);
}

static int check_constants(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	enum json_same same = JSON_SAME_YES;

	if (node->constant)
		same = json_value_compare(node->constant, value, &check->budget);
	if (same == JSON_SAME_NO)
		return check->note ? refuse_constant(check, node, place) : JSON_SCHEMA_INVALID;
	if (same == JSON_SAME_TOO_MUCH)
		return schema_check_too_much(check, place);
	if (!node->choices)
		return JSON_SCHEMA_VALID;
	for (size_t i = 0; i < json_array_size(node->choices); i++) {
		same = json_value_compare(json_array_get(node->choices, i), value, &check->budget);
		if (same == JSON_SAME_YES)
			return JSON_SCHEMA_VALID;
		if (same == JSON_SAME_TOO_MUCH)
			return schema_check_too_much(check, place);
	}
	return check->note ? refuse_choice(check, node, place) : JSON_SCHEMA_INVALID;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const char *show_number(char out[JSON_QUOTE_MAX], struct json_number number)
{
	if (number.is_real)
		snprintf(out, JSON_QUOTE_MAX, "%.15g", number.real);
	else
		snprintf(out, JSON_QUOTE_MAX, "%" JSON_INTEGER_FORMAT, number.whole);
	return out;
}

static int refuse_number(struct schema_check *check, const char *words, struct json_number wanted,
    const json_t *value, const struct json_place *place)
{
	char limit[JSON_QUOTE_MAX], shown[JSON_QUOTE_MAX];

	if (!check->note)
		return JSON_SCHEMA_INVALID;
	return schema_check_refuse(check, place, "must be %s %s, and is %s", words,
	    show_number(limit, wanted), json_value_quote(shown, value));
}

static int check_number(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	struct json_number number = json_number_of(value);
	const struct {
		const struct schema_bound *bound;
		int wrong_sign; /* of the comparison with the bound */
		bool equal_is_wrong;
		const char *words;
	} rows[] = {{&node->minimum, -1, false, "at least"}, {&node->maximum, 1, false, "at most"},
	    {&node->above, -1, true, "more than"}, {&node->below, 1, true, "less than"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int order = rows[i].bound->given
				? json_number_compare(number, rows[i].bound->number)
				: -rows[i].wrong_sign;

		if (order == rows[i].wrong_sign || (order == 0 && rows[i].equal_is_wrong))
			return refuse_number(
			    check, rows[i].words, rows[i].bound->number, value, place);
	}
	if (node->multiple_of.given && !json_number_is_multiple(number, node->multiple_of.number))
		return refuse_number(
		    check, "a multiple of", node->multiple_of.number, value, place);
	return JSON_SCHEMA_VALID;
}

/* ---- text ------------------------------------------------------------------------------------ */

static uint64_t count_codes(const char *text, size_t len)
{
	uint64_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((uint8_t)text[i] & 0xc0) != 0x80;
	return count;
}

static int check_length(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct schema_limit *least = &node->min_length, *most = &node->max_length;
	size_t len = json_string_length(value);
	uint64_t count;

	if (!least->given && !most->given)
		return JSON_SCHEMA_VALID;
	if (!json_budget_spend(&check->budget, len / BYTES_A_STEP))
		return schema_check_too_much(check, place);
	count = count_codes(json_string_value(value), len);
	if (least->given && count < least->count)
		return schema_check_refuse(check, place,
		    "must have at least %llu characters, and has %llu",
		    (unsigned long long)least->count, (unsigned long long)count);
	if (most->given && count > most->count)
		return schema_check_refuse(check, place,
		    "must have at most %llu characters, and has %llu",
		    (unsigned long long)most->count, (unsigned long long)count);
	return JSON_SCHEMA_VALID;
}

/* Why text is no path that stays below where it starts; NULL if it is one. Nothing is looked up:
 * links are the business of whoever opens it. */
static const char *path_fault(const char *text, size_t len)
{
	if (len == 0)
		return "must be a path, and is empty";
	if (memchr(text, '\0', len))
		return "must be a path, and holds a NUL";
	if (text[0] == '/')
		return "must be a path below the working directory, and begins with a slash";
	for (const char *part = text; part; part = strchr(part, '/')) {
		part += part != text;
		if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
			return "must be a path below the working directory, and goes up with ..";
	}
	return NULL;
}

static int refuse_pattern(
    struct schema_check *check, const struct schema_node *node, const struct json_place *place)
{
	const char *pattern = json_regex_text(node->pattern);
	char shown[JSON_QUOTE_MAX];

	return schema_check_refuse(check, place, "does not match the pattern %s",
	    json_text_show(shown, pattern, strlen(pattern)));
}

static int check_text(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	const char *fault;
	int r = check_length(check, node, value, place);

	if (r != JSON_SCHEMA_VALID)
		return r;
	if (node->is_path && !json_budget_spend(&check->budget, len / BYTES_A_STEP))
		return schema_check_too_much(check, place);
	fault = node->is_path ? path_fault(text, len) : NULL;
	if (fault)
		return schema_check_refuse(check, place, "%s", fault);
	if (!node->pattern)
		return JSON_SCHEMA_VALID;
	r = schema_check_match(check, node->pattern, text, len);
	if (r == -E2BIG)
		return schema_check_too_much(check, place);
	if (r != 0)
		return r < 0 ? r : JSON_SCHEMA_VALID;
	return check->note ? refuse_pattern(check, node, place) : JSON_SCHEMA_INVALID;
}

int schema_check_plain(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	int r = check_type(check, node, value, place);

	if (r == JSON_SCHEMA_VALID)
		r = check_constants(check, node, value, place);
	if (r == JSON_SCHEMA_VALID && json_is_number(value))
		r = check_number(check, node, value, place);
	if (r == JSON_SCHEMA_VALID && json_is_string(value))
		r = check_text(check, node, value, place);
	return r;
}
