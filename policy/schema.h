/*
 * The engine of the policy language: tables of keys, each with the function that reads its value
 * into a struct. The tables themselves are keys*.c; `policy schema` and the test of
 * callgate.yaml(5) walk the same tables. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_SCHEMA_H
#define CALLGATE_POLICY_SCHEMA_H

#include "policy/scalar.h"
#include "policy/yaml_tree.h"
#include "supervisor/base/buf.h"

#define SCHEMA_WARNINGS_MAX 100

struct schema {
	const struct policy_source *source;
	struct arena *arena;  /* of the policy */
	struct buf *warnings; /* may be NULL */
	struct err_note *note;
	size_t budget;         /* bytes ${VAR} may still add */
	uint32_t foreign_seen; /* bit per foreign key already warned about */
	uint32_t warned;       /* warnings so far, at most SCHEMA_WARNINGS_MAX */
	uint32_t rules;        /* rows of rules: so far, of all tools */
	bool foreign_file;     /* version "2": tools that it has not are another program's */
};

struct schema_key;

/* Reads node into record, as key says. 0, -EINVAL with a note, -ENOMEM. */
typedef int schema_read(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *key, void *record);
/* NULL when this text may stand here, else "why; what to do". */
typedef const char *schema_judge(const char *text);

/* A place in a record that may be absent: 0 is none. */
#define PLACE(type, member)     (offsetof(struct type, member) + 1)
#define place_of(record, place) ((void *)((char *)(record) + (place)-1))

struct schema_key {
	const char *name; /* NULL ends a table */
	schema_read *read;
	const char *about;              /* one line for people */
	size_t place;                   /* of the field in the record */
	size_t pos_place;               /* of a struct policy_pos that takes the key's place */
	size_t given_place;             /* of a bool that becomes true when the key is there */
	uint64_t min, max;              /* of a number, a size in bytes, a duration in ms */
	const char *range;              /* the same for people: "1 to 32768" */
	const char *const *choices;     /* NULL-terminated; an enum's value is the index */
	schema_judge *judge;            /* of a text or of each word */
	const struct schema_list *list; /* of read_named and read_rows */
	const struct schema_key *keys;  /* of read_section */
	/* For `policy schema`, where the reader alone does not tell: the reader it is like, a form
	 * of the value as JSON Schema (if there are both, either fits), and an ECMA pattern of a
	 * text or of each word. */
	schema_read *like;
	const char *form;
	const char *pattern;
};

/* A mapping of names, or a sequence of rows, read to an array of structs. */
struct schema_list {
	size_t size;        /* of an element; a named one starts with its const char *name */
	size_t count_place; /* of the uint32_t count in the record */
	size_t pos_place;   /* of the element's own place in itself */
	uint32_t max;       /* elements */
	const struct schema_key *keys;
	schema_judge *judge;          /* of the name */
	const char *pattern;          /* the same for `policy schema` */
	const char *required;         /* keys that an element must have, as JSON: "\"type\"" */
	void (*begin)(void *element); /* sets defaults; may be NULL */
	/* What no single key can say; may be NULL. */
	int (*end)(struct schema *schema, const struct yaml_node *node, void *element);
};

/* "file:line:column: key.path: why; what to do" into the note, at the node's value. -EINVAL. */
int schema_refuse(struct schema *schema, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same where the node is gone. */
int schema_refuse_at(struct schema *schema, struct policy_pos pos, const char *path,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void schema_warn_at(struct schema *schema, struct policy_pos pos, const char *path,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Reads a mapping by a table. */
int schema_mapping(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *keys, void *record);
/* Any scalar but an empty one, ${VAR} expanded, and what it is. wanted: "a time such as 30s". */
int schema_scalar(struct schema *schema, const struct yaml_node *node, const char *wanted,
    const char **ret_text, enum scalar_type *ret_type);
/* The text of a scalar with ${VAR} expanded where its style lets it. 0, -EINVAL with a note,
 * -ENOMEM. */
int schema_expand(struct schema *schema, const struct yaml_node *node, const char **ret_text);
/* The text of a scalar that must be text, ${VAR} expanded. */
int schema_text(struct schema *schema, const struct yaml_node *node, const char **ret_text);
/* "VALUE why; what to do"; a value that came from a variable is not shown. */
int schema_refuse_value(struct schema *schema, const struct yaml_node *node, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* Refuses the key itself, at its own place. */
int schema_refuse_key(struct schema *schema, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void schema_warn_key(struct schema *schema, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A value that is ${NAME} and nothing else. */
bool schema_is_variable(const struct yaml_node *node);
/* text for a message when the node is gone: itself if the file holds it, else "${...}", since
 * what a variable stands for may be a secret. */
const char *schema_shown(const struct schema *schema, const char *text);
/* True when b is so close to a that it may be what was meant. */
bool schema_is_close(const char *a, const char *b);

schema_read read_text;        /* const char * */
schema_read read_choice;      /* enum, by choices */
schema_read read_choice_text; /* const char *, one of choices */
schema_read read_bool;
schema_read read_duration; /* uint64_t ms */
schema_read read_size;     /* uint64_t bytes */
schema_read read_count;    /* uint64_t */
schema_read read_id;       /* uint32_t */
schema_read read_words;    /* struct policy_words; max: how many, 0 any */
schema_read read_section;  /* a mapping by key->keys, into the same record or at place */
schema_read read_named;    /* a mapping by key->list */
schema_read read_rows;     /* a sequence by key->list */
schema_read read_later;    /* refused: not built yet */
schema_read read_foreign;  /* ignored with one warning; min is its bit */

#endif
