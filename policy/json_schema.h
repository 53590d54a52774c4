/*
 * JSON Schema 2020-12, a subset: what the parameters and the output of a tool may look like. Pure:
 * no disk, no clock, no network. For policy and the processes that judge arguments. Floor 1:
 * base, jansson, PCRE2.
 *
 * Checked: type enum const · properties required additionalProperties patternProperties
 * propertyNames minProperties maxProperties dependentRequired dependentSchemas · items
 * prefixItems contains minContains maxContains minItems maxItems uniqueItems · minLength
 * maxLength (code points) pattern · minimum maximum exclusiveMinimum exclusiveMaximum
 * multipleOf · allOf anyOf oneOf not if then else · $ref to "#" or "#/..." of the same schema,
 * $defs · true and false · format: workspace-path, a relative path that stays below where it
 * starts (not empty, not absolute, no "..", no NUL).
 * Accepted and ignored: title description default examples deprecated readOnly writeOnly
 * $comment, every other format, keywords that begin with x-, $schema of 2020-12, and $id at the
 * top, where local references do not need it. Any other keyword refuses the schema.
 *
 * pattern is ECMA-262 as JSON Schema asks, searched anywhere in the text, $ only at the very end,
 * \d \w \b ASCII, \s the white space of ECMA; see json_schema_regex.c for what is refused.
 * multipleOf is exact in decimal: of each number the shortest notation that reads back as the same
 * double counts, so 19.99 is a multiple of 0.01. 1.0 is an integer and equals 1.
 */
#ifndef CALLGATE_POLICY_JSON_SCHEMA_H
#define CALLGATE_POLICY_JSON_SCHEMA_H

#include <stdint.h>

#include <jansson.h>

struct err_note;
struct json_schema; /* compiled; never changes; owns all it needs */

#define JSON_SCHEMA_LEVELS_MAX        32      /* schemas inside schemas */
#define JSON_SCHEMA_NODES_MAX         20000   /* JSON values in a schema */
#define JSON_SCHEMA_STEPS_MAX         1000000 /* work of one check, or of all that share it */
#define JSON_SCHEMA_PATTERN_STEPS_MAX 40000   /* of it, work of patterns: about 10 ms */
#define JSON_SCHEMA_DEPTH_MAX         64   /* recursion of one check; depth of a value compared */
#define JSON_SCHEMA_PATTERN_MAX       4096 /* bytes of one pattern */

enum json_schema_result {
	JSON_SCHEMA_VALID = 0,
	JSON_SCHEMA_INVALID = 1,
	JSON_SCHEMA_TOO_MUCH = 2, /* undecided within the bounds above; refuse */
};

/* Compiles schema, which may be freed or changed afterwards. 0 and *ret for json_schema_free();
 * -EINVAL with note "properties.branch.pattern: why; what to do", where a place in a list is
 * written allOf[1] and the top is "schema"; -ENOMEM. note may be NULL. */
int json_schema_compile(const json_t *schema, struct json_schema **ret, struct err_note *note);
/* Accepts NULL. */
void json_schema_free(struct json_schema *schema);

/* An enum json_schema_result or -ENOMEM. name: what to call the value, as in "arguments". If the
 * result is not JSON_SCHEMA_VALID, note names the place and what is wrong there:
 * "arguments.branch: does not match the pattern ^[a-z]+$". note may be NULL. */
int json_schema_check(
    const struct json_schema *schema, const json_t *value, const char *name, struct err_note *note);

/* The value of one entry of the schema's own properties; what is not among them is valid. */
int json_schema_check_property(const struct json_schema *schema, const char *property,
    const json_t *value, const char *name, struct err_note *note);

/* What checks have cost so far; those of one decision share it. Starts as zeros. */
struct json_schema_work {
	uint64_t steps;
	uint64_t pattern_steps;
};

/* json_schema_check() with what is left of the work, which it adds to. */
int json_schema_check_within(struct json_schema_work *work, const struct json_schema *schema,
    const json_t *value, const char *name, struct err_note *note);

/* json_schema_check_within() without a note, for many checks one after another: *room keeps what
 * they share, is NULL at first and is freed by json_schema_room_free(), which accepts NULL. Until
 * then no value that was checked may change or go. */
struct json_schema_room;
int json_schema_check_in(struct json_schema_room **room, struct json_schema_work *work,
    const struct json_schema *schema, const json_t *value);
void json_schema_room_free(struct json_schema_room *room);

#endif
