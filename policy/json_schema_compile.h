/*
 * What the parts of the schema compiler share: json_schema.c walks, json_schema_keys.c reads one
 * keyword, json_schema_ref.c joins the references afterwards. Private to policy/json_schema*.c.
 * Floor 1.
 */
#ifndef CALLGATE_POLICY_JSON_SCHEMA_COMPILE_H
#define CALLGATE_POLICY_JSON_SCHEMA_COMPILE_H

#include "policy/json_schema_node.h"

struct err_note;

/* Which schema a JSON value became. */
struct schema_source {
	const json_t *json; /* borrowed from the caller while compiling */
	struct schema_node *node;
};

/* A $ref that waits until everything is compiled. */
struct schema_ref {
	struct schema_ref *next;
	struct schema_node *node;
	const char *target;
	const char *place; /* for notes */
};

struct schema_compiler {
	struct json_schema *schema;
	const json_t *root;
	struct err_note *note;
	struct schema_source *sources; /* owned; as many as the schema has JSON values */
	uint32_t source_count;
	struct schema_ref *refs; /* in the arena */
	size_t regex_bytes;
	unsigned level;
};

struct schema_keyword;

/* One keyword in one schema. */
struct schema_use {
	struct schema_compiler *compiler;
	struct schema_node *node;
	const json_t *value;
	const struct json_place *place; /* of the value */
	const struct schema_keyword *keyword;
};

/* "place: why; what to do" into the note. -EINVAL. */
int schema_use_refuse(const struct schema_use *use, const char *why);

/* What a keyword holds, for whoever follows a pointer through it. */
enum schema_shape {
	SCHEMA_SHAPE_NONE = 0, /* no schema, or no keyword */
	SCHEMA_SHAPE_ONE,
	SCHEMA_SHAPE_MAP,
	SCHEMA_SHAPE_LIST,
};

enum schema_shape schema_keyword_shape(const char *name);

/* json, which stands at place, and all below. 0, -EINVAL with a note, -ENOMEM. */
int schema_compile_node(struct schema_compiler *compiler, const json_t *json,
    const struct json_place *place, const struct schema_node **ret);
/* Reads use->value as keyword name says; use->keyword need not be set. Same results. */
int schema_keyword_read(struct schema_use *use, const char *name);
/* Gives each $ref its target and refuses those that lead nowhere, and schemas that apply
 * themselves to the same value again. Same results. */
int schema_join_refs(struct schema_compiler *compiler);

#endif
