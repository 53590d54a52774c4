/*
 * What the parts of the schema checker share: json_schema_check.c walks, json_schema_plain.c
 * judges a value by itself, json_schema_inside.c goes into arrays and objects. Private to
 * policy/json_schema*.c. Floor 1.
 */
#ifndef CALLGATE_POLICY_JSON_SCHEMA_CHECK_H
#define CALLGATE_POLICY_JSON_SCHEMA_CHECK_H

#include "policy/json_schema_node.h"
#include "supervisor/base/err.h"

struct json_regex;
struct json_regex_run;

struct schema_check {
	struct json_budget budget;
	struct json_budget patterns; /* theirs alone: a step of a pattern costs more than others */
	struct json_regex_run *run;
	struct err_note *note; /* NULL while an answer is only tried, as in anyOf */
	unsigned depth;
};

/* All of these return an enum json_schema_result or -ENOMEM; the note is written where one is
 * wanted and the result is not JSON_SCHEMA_VALID. */

/* node against value, which stands at place. */
int schema_check_node(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place);
/* The same without words: is this one of several that may fit? */
int schema_check_try(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place);

/* type, const, enum, numbers, text. */
int schema_check_plain(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place);
int schema_check_array(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place);
int schema_check_object(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place);

/* NULL: not among its properties. */
const struct schema_node *schema_property(const struct schema_node *node, const char *name);

/* "place: words". JSON_SCHEMA_INVALID. */
int schema_check_refuse(struct schema_check *check, const struct json_place *place,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* JSON_SCHEMA_TOO_MUCH. */
int schema_check_too_much(struct schema_check *check, const struct json_place *place);
/* Does text match? 1, 0, -ENOMEM, or -E2BIG for too much work. */
int schema_check_match(
    struct schema_check *check, const struct json_regex *regex, const char *text, size_t len);

#endif
