/*
 * JSON values as JSON Schema compares them: 1 equals 1.0, an object has no order. And the words
 * for places and values in notes. Private to policy/json_schema*.c. Floor 1: base, jansson.
 */
#ifndef CALLGATE_POLICY_JSON_SCHEMA_VALUE_H
#define CALLGATE_POLICY_JSON_SCHEMA_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct json_number {
	bool is_real;
	json_int_t whole; /* unless is_real */
	double real;
};

/* value must be a number. */
struct json_number json_number_of(const json_t *value);
bool json_number_is_whole(struct json_number number);
/* Below 0, 0, above 0; exact, also between an integer and a real. */
int json_number_compare(struct json_number a, struct json_number b);
/* Exact in decimal notation, see json_schema.h. step is above 0. */
bool json_number_is_multiple(struct json_number number, struct json_number step);

/* Work that may still be done; what runs out says so once and for all. */
struct json_budget {
	uint64_t steps;
};

/* False when the budget does not reach; it is empty then. */
bool json_budget_spend(struct json_budget *budget, uint64_t steps);

enum json_same {
	JSON_SAME_NO = 0,
	JSON_SAME_YES,
	JSON_SAME_TOO_MUCH, /* budget, or deeper than JSON_SCHEMA_DEPTH_MAX */
};

enum json_same json_value_compare(const json_t *a, const json_t *b, struct json_budget *budget);
/* Are two elements of this array equal? *ret_first < *ret_second are set on JSON_SAME_YES.
 * -ENOMEM or an enum json_same. About n log n for n elements; elements that were made to collide
 * cost more and end in JSON_SAME_TOO_MUCH. */
int json_value_find_twins(
    const json_t *array, struct json_budget *budget, size_t *ret_first, size_t *ret_second);

#define JSON_QUOTE_MAX 256
/* A scalar as JSON, text cut to 60 bytes and escaped; "an object", "an array". Returns out. */
const char *json_value_quote(char out[JSON_QUOTE_MAX], const json_t *value);
/* text between double quotes, cut and escaped the same way. Returns out. */
const char *json_text_quote(char out[JSON_QUOTE_MAX], const char *text, size_t len);
/* text escaped without quotes and cut to 120 bytes: patterns. Returns out. */
const char *json_text_show(char out[JSON_QUOTE_MAX], const char *text, size_t len);

/* A place inside a value or a schema, linked to the one around it; lives on the stack. */
struct json_place {
	const struct json_place *up; /* NULL: the top */
	const char *key;             /* NULL: an index */
	size_t index;
};

#define JSON_PLACE_MAX 240
/* "arguments.list[3].name"; a top with an empty key is left out, or is "schema" if it is all
 * there is. A key that is no plain word is quoted; what is too long ends in "...". Returns out. */
const char *json_place_text(char out[JSON_PLACE_MAX], const struct json_place *place);

#endif
