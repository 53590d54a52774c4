/*
 * A compiled schema as its compiler leaves it and its checker reads it. Private to
 * policy/json_schema*.c. Everything lives in the arena of the json_schema, but for the JSON values
 * and the patterns, which that owns one by one. Floor 1.
 */
#ifndef CALLGATE_POLICY_JSON_SCHEMA_NODE_H
#define CALLGATE_POLICY_JSON_SCHEMA_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "policy/arena.h"
#include "policy/json_schema_value.h"

struct json_regex;

/* What a value is, as bits for "type". A number without a fraction has both of its bits. */
enum json_kind {
	JSON_KIND_NULL = 1 << 0,
	JSON_KIND_BOOLEAN = 1 << 1,
	JSON_KIND_OBJECT = 1 << 2,
	JSON_KIND_ARRAY = 1 << 3,
	JSON_KIND_NUMBER = 1 << 4,
	JSON_KIND_STRING = 1 << 5,
	JSON_KIND_INTEGER = 1 << 6,
};

struct schema_node;

struct schema_limit {
	bool given;
	uint64_t count;
};

struct schema_bound {
	bool given;
	struct json_number number;
};

struct schema_nodes {
	const struct schema_node **items;
	uint32_t count;
};

struct schema_names {
	const char **items;
	uint32_t count;
};

/* One entry of properties, patternProperties, dependentSchemas or dependentRequired. */
struct schema_entry {
	const char *name;
	const struct json_regex *regex; /* patternProperties only */
	const struct schema_node *node; /* all but dependentRequired */
	struct schema_names names;      /* dependentRequired only */
};

/* properties are sorted by name; the others stand as written. */
struct schema_entries {
	struct schema_entry *items;
	uint32_t count;
};

enum schema_verdict {
	SCHEMA_NOTHING = 0, /* false */
	SCHEMA_ANYTHING,    /* true */
	SCHEMA_RULES,       /* an object: what follows */
};

struct schema_node {
	enum schema_verdict verdict;
	unsigned kinds;         /* enum json_kind bits; 0: no "type" */
	bool unique;            /* uniqueItems */
	bool is_path;           /* format: workspace-path */
	const json_t *constant; /* NULL: no "const" */
	const json_t *choices;  /* NULL: no "enum" */
	const struct json_regex *pattern;
	struct schema_limit min_length, max_length;
	struct schema_limit min_items, max_items;
	struct schema_limit min_contains, max_contains;
	struct schema_limit min_properties, max_properties;
	struct schema_bound minimum, maximum, above, below, multiple_of;
	struct schema_names required;
	struct schema_entries properties, patterns, dependent_schemas, dependent_names;
	struct schema_nodes prefix_items, all_of, any_of, one_of;
	const struct schema_node *items, *contains, *additional, *property_names;
	const struct schema_node *not_this, *if_this, *then_this, *else_this, *ref;
	uint32_t number; /* in the order of compiling */
};

struct json_schema {
	struct arena arena;
	const struct schema_node *root;
	json_t *kept;               /* array that owns what const and enum name */
	struct json_regex *regexes; /* owned list */
};

#endif
