/* The keywords: one row each, and the functions that read their values. What has no row refuses
 * the schema: a rule that nobody checks is worse than none. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema.h"
#include "policy/json_schema_compile.h"
#include "policy/json_schema_regex.h"
#include "supervisor/base/err.h"

#define REGEX_BYTES_MAX (16 * 1024 * 1024) /* compiled, of one schema */
#define COUNT_MAX       9007199254740992.0 /* beyond it a double leaves out whole numbers */

struct schema_keyword {
	const char *name;
	int (*read)(const struct schema_use *use);
	size_t place; /* of the field in struct schema_node */
	enum schema_shape shape;
	const char *advice; /* of a keyword that is refused */
};

#define field_of(use, type) ((type *)(void *)((char *)(use)->node + (use)->keyword->place))

int schema_use_refuse(const struct schema_use *use, const char *why)
{
	char place[JSON_PLACE_MAX];

	return err_note(
	    use->compiler->note, -EINVAL, "%s: %s", json_place_text(place, use->place), why);
}

static void *take_memory(const struct schema_use *use, size_t count, size_t size)
{
	return arena_array(&use->compiler->schema->arena, count, size);
}

static const char *take_text(const struct schema_use *use, const char *text)
{
	return arena_text(&use->compiler->schema->arena, text, strlen(text));
}

/* ---- plain values ---------------------------------------------------------------------------- */

static int read_ignored(const struct schema_use *use)
{
	(void)use;
	return 0;
}

static int read_refused(const struct schema_use *use)
{
	return schema_use_refuse(use, use->keyword->advice);
}

static unsigned kind_bits(const char *name)
{
	static const struct {
		const char *name;
		unsigned bits;
	} kinds[] = {{"null", JSON_KIND_NULL}, {"boolean", JSON_KIND_BOOLEAN},
	    {"object", JSON_KIND_OBJECT}, {"array", JSON_KIND_ARRAY}, {"number", JSON_KIND_NUMBER},
	    {"string", JSON_KIND_STRING}, {"integer", JSON_KIND_INTEGER}};

	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(name, kinds[i].name))
			return kinds[i].bits;
	}
	return 0;
}

static int read_type(const struct schema_use *use)
{
	size_t count = json_is_array(use->value) ? json_array_size(use->value) : 1;

	for (size_t i = 0; i < count; i++) {
		const json_t *name =
		    json_is_array(use->value) ? json_array_get(use->value, i) : use->value;
		unsigned bits = kind_bits(json_string_value(name));

		if (!bits)
			return schema_use_refuse(use, "not a type; write null, boolean, object, "
						      "array, number, integer or string");
		if (use->node->kinds & bits)
			return schema_use_refuse(use, "names a type twice; name each once");
		use->node->kinds |= bits;
	}
	return count ? 0 : schema_use_refuse(use, "names no type; name at least one");
}

static int keep(const struct schema_use *use, const json_t **ret)
{
	json_t *copy = json_deep_copy(use->value);

	if (!copy || json_array_append_new(use->compiler->schema->kept, copy) < 0)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int read_const(const struct schema_use *use)
{
	return keep(use, &use->node->constant);
}

static int read_enum(const struct schema_use *use)
{
	if (json_array_size(use->value) == 0)
		return schema_use_refuse(use, "not a list of values; write at least one");
	return keep(use, &use->node->choices);
}

static int read_count(const struct schema_use *use)
{
	struct schema_limit *limit = field_of(use, struct schema_limit);
	struct json_number number;

	if (!json_is_number(use->value))
		return schema_use_refuse(use, "not a number; write a whole number, 0 or more");
	number = json_number_of(use->value);
	if (!json_number_is_whole(number) || json_number_value(use->value) < 0)
		return schema_use_refuse(use, "not a count; write a whole number, 0 or more");
	if (json_number_value(use->value) > COUNT_MAX)
		return schema_use_refuse(use, "too large a count; 2 to the power of 53 at most");
	limit->given = true;
	limit->count = number.is_real ? (uint64_t)number.real : (uint64_t)number.whole;
	return 0;
}

static int read_bound(const struct schema_use *use)
{
	struct schema_bound *bound = field_of(use, struct schema_bound);

	if (!json_is_number(use->value))
		return schema_use_refuse(use, "not a number; write one");
	bound->given = true;
	bound->number = json_number_of(use->value);
	return 0;
}

static int read_multiple_of(const struct schema_use *use)
{
	if (!json_is_number(use->value) || json_number_value(use->value) <= 0)
		return schema_use_refuse(use, "not a step; write a number above 0");
	return read_bound(use);
}

static int read_unique_items(const struct schema_use *use)
{
	if (!json_is_boolean(use->value))
		return schema_use_refuse(use, "neither true nor false; write one of them");
	use->node->unique = json_is_true(use->value);
	return 0;
}

/* Every other format is a remark, as 2020-12 has it. One that looks like ours must be ours. */
static int read_format(const struct schema_use *use)
{
	const char *name = json_string_value(use->value);

	if (!name)
		return schema_use_refuse(use, "not text; write the name of a format");
	use->node->is_path = !strcmp(name, "workspace-path");
	if (!use->node->is_path && !strncasecmp(name, "workspace", 9))
		return schema_use_refuse(use, "no such format; write workspace-path");
	return 0;
}

static int read_dialect(const struct schema_use *use)
{
	static const char dialect[] = "https://json-schema.org/draft/2020-12/schema";
	const char *name = json_string_value(use->value);

	if (!name || strncmp(name, dialect, sizeof(dialect) - 1) ||
	    (strcmp(name + sizeof(dialect) - 1, "") && strcmp(name + sizeof(dialect) - 1, "#")))
		return schema_use_refuse(use,
		    "another dialect; write https://json-schema.org/draft/2020-12/schema, or leave "
		    "it out");
	return 0;
}

/* At the top it names the whole; references that begin with # do not need the name. */
static int read_id(const struct schema_use *use)
{
	const char *name = json_string_value(use->value);

	if (!name)
		return schema_use_refuse(use, "not text; write a URI");
	if (use->compiler->level > 1 || strchr(name, '#'))
		return schema_use_refuse(use, "not read here; only a whole schema may have a name, "
					      "which refers to no part of it");
	return 0;
}

/* ---- patterns -------------------------------------------------------------------------------- */

static int compile_pattern(
    const struct schema_use *use, const char *pattern, size_t len, const struct json_regex **ret)
{
	struct json_schema *schema = use->compiler->schema;
	char why[JSON_REGEX_WHY_MAX] = "", words[JSON_REGEX_WHY_MAX + 64];
	int r;

	if (len > JSON_SCHEMA_PATTERN_MAX)
		return schema_use_refuse(use, "too long a pattern; 4096 bytes at most");
	r = json_regex_new(&schema->regexes, pattern, len, why);
	if (r == -ENOBUFS)
		return schema_use_refuse(use, "too large a pattern; write a simpler one");
	if (r == -EINVAL) {
		snprintf(words, sizeof(words), "not a pattern that can be read: %s", why);
		return schema_use_refuse(use, words);
	}
	if (r < 0)
		return r;
	use->compiler->regex_bytes += json_regex_size(schema->regexes);
	if (use->compiler->regex_bytes > REGEX_BYTES_MAX)
		return schema_use_refuse(use, "the patterns so far are too large; 16 MiB at most");
	*ret = schema->regexes;
	return 0;
}

static int read_pattern(const struct schema_use *use)
{
	if (!json_is_string(use->value))
		return schema_use_refuse(use, "not text; write a regular expression");
	return compile_pattern(use, json_string_value(use->value), json_string_length(use->value),
	    &use->node->pattern);
}

/* ---- schemas and names ----------------------------------------------------------------------- */

static int read_one(const struct schema_use *use)
{
	if (json_is_array(use->value) && !strcmp(use->keyword->name, "items"))
		return schema_use_refuse(use, "a list of schemas is of an older draft; write "
					      "prefixItems, and items for the rest");
	return schema_compile_node(
	    use->compiler, use->value, use->place, field_of(use, const struct schema_node *));
}

static int read_list(const struct schema_use *use)
{
	struct schema_nodes *list = field_of(use, struct schema_nodes);
	size_t count = json_array_size(use->value);
	int r = 0;

	if (count == 0)
		return schema_use_refuse(use, "not a list of schemas; write at least one");
	list->items = take_memory(use, count, sizeof(*list->items));
	if (!list->items)
		return -ENOMEM;
	list->count = (uint32_t)count;
	for (size_t i = 0; i < count && r == 0; i++) {
		const struct json_place place = {.up = use->place, .index = i};

		r = schema_compile_node(
		    use->compiler, json_array_get(use->value, i), &place, &list->items[i]);
	}
	return r;
}

static int read_names_into(const struct schema_use *use, struct schema_names *names)
{
	struct json_budget budget = {JSON_SCHEMA_STEPS_MAX};
	size_t count = json_array_size(use->value), first, second;
	int same;

	if (!json_is_array(use->value))
		return schema_use_refuse(use, "not a list; write a list of names");
	same = json_value_find_twins(use->value, &budget, &first, &second);
	if (same < 0)
		return same;
	if (same != JSON_SAME_NO)
		return schema_use_refuse(use, "holds a name twice; write each once");
	names->items = take_memory(use, count, sizeof(*names->items));
	if (!names->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(use->value, i));

		if (!name)
			return schema_use_refuse(
			    use, "holds something else than text; write names");
		names->items[i] = take_text(use, name);
		if (!names->items[i])
			return -ENOMEM;
	}
	names->count = (uint32_t)count;
	return 0;
}

static int read_required(const struct schema_use *use)
{
	return read_names_into(use, &use->node->required);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct schema_entry *)a)->name, ((const struct schema_entry *)b)->name);
}

/* One entry of the mapping use->value; entry_use stands at its value. */
static int read_entry(const struct schema_use *entry_use, struct schema_entry *entry)
{
	const struct schema_keyword *keyword = entry_use->keyword;
	int r = 0;

	if (keyword->place == offsetof(struct schema_node, dependent_names))
		return read_names_into(entry_use, &entry->names);
	if (keyword->place == offsetof(struct schema_node, patterns))
		r = compile_pattern(entry_use, entry->name, strlen(entry->name), &entry->regex);
	if (r == 0)
		r = schema_compile_node(
		    entry_use->compiler, entry_use->value, entry_use->place, &entry->node);
	return r;
}

static int read_map(const struct schema_use *use)
{
	struct schema_entries *map = field_of(use, struct schema_entries);
	json_t *own = (json_t *)use->value; /* jansson's iterators ask for it */
	struct schema_entry *entry;

	if (!json_is_object(use->value))
		return schema_use_refuse(
		    use, "not a mapping; write names and what each stands for");
	entry = take_memory(use, json_object_size(use->value), sizeof(*entry));
	map->items = entry;
	if (!entry)
		return -ENOMEM;
	for (void *it = json_object_iter(own); it; it = json_object_iter_next(own, it)) {
		const struct json_place place = {.up = use->place, .key = json_object_iter_key(it)};
		struct schema_use entry_use = *use;
		int r;

		entry_use.value = json_object_iter_value(it);
		entry_use.place = &place;
		entry->name = take_text(use, place.key);
		if (!entry->name)
			return -ENOMEM;
		r = read_entry(&entry_use, entry++);
		if (r < 0)
			return r;
	}
	map->count = (uint32_t)json_object_size(use->value);
	if (use->keyword->place == offsetof(struct schema_node, properties))
		qsort(map->items, map->count, sizeof(*map->items), by_name);
	return 0;
}

/* $defs give nothing of themselves; references find what was compiled here. */
static int read_defs(const struct schema_use *use)
{
	json_t *own = (json_t *)use->value; /* as in read_map() */
	int r = 0;

	if (!json_is_object(use->value))
		return schema_use_refuse(use, "not a mapping; write names and a schema for each");
	for (void *it = json_object_iter(own); it; it = json_object_iter_next(own, it)) {
		const struct json_place place = {.up = use->place, .key = json_object_iter_key(it)};
		const struct schema_node *unused;

		r = schema_compile_node(use->compiler, json_object_iter_value(it), &place, &unused);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_ref(const struct schema_use *use)
{
	struct schema_ref *ref = take_memory(use, 1, sizeof(*ref));
	char place[JSON_PLACE_MAX];
	const char *target = json_string_value(use->value);

	if (!target)
		return schema_use_refuse(use, "not text; write # or #/ and the way to a schema");
	if (!ref)
		return -ENOMEM;
	ref->node = use->node;
	ref->target = take_text(use, target);
	ref->place = take_text(use, json_place_text(place, use->place));
	if (!ref->target || !ref->place)
		return -ENOMEM;
	ref->next = use->compiler->refs;
	use->compiler->refs = ref;
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define ROW(name, read, field, shape)                                                              \
	{                                                                                          \
		name, read, offsetof(struct schema_node, field), SCHEMA_SHAPE_##shape, NULL        \
	}
#define VALUE(name, read)                                                                          \
	{                                                                                          \
		name, read, 0, SCHEMA_SHAPE_NONE, NULL                                             \
	}
#define IGNORED(name)                                                                              \
	{                                                                                          \
		name, read_ignored, 0, SCHEMA_SHAPE_NONE, NULL                                     \
	}
#define REFUSED(name, advice)                                                                      \
	{                                                                                          \
		name, read_refused, 0, SCHEMA_SHAPE_NONE, advice                                   \
	}

#define NO_NAMES   "not read here; refer to #/$defs/name with $ref"
#define NO_CONTENT "not checked here, so it would say more than is true; take it out"

static const struct schema_keyword keywords[] = {
    VALUE("type", read_type),
    VALUE("const", read_const),
    VALUE("enum", read_enum),
    VALUE("pattern", read_pattern),
    VALUE("format", read_format),
    VALUE("required", read_required),
    VALUE("uniqueItems", read_unique_items),
    VALUE("$ref", read_ref),
    VALUE("$schema", read_dialect),
    VALUE("$id", read_id),
    ROW("minLength", read_count, min_length, NONE),
    ROW("maxLength", read_count, max_length, NONE),
    ROW("minItems", read_count, min_items, NONE),
    ROW("maxItems", read_count, max_items, NONE),
    ROW("minContains", read_count, min_contains, NONE),
    ROW("maxContains", read_count, max_contains, NONE),
    ROW("minProperties", read_count, min_properties, NONE),
    ROW("maxProperties", read_count, max_properties, NONE),
    ROW("minimum", read_bound, minimum, NONE),
    ROW("maximum", read_bound, maximum, NONE),
    ROW("exclusiveMinimum", read_bound, above, NONE),
    ROW("exclusiveMaximum", read_bound, below, NONE),
    ROW("multipleOf", read_multiple_of, multiple_of, NONE),
    ROW("properties", read_map, properties, MAP),
    ROW("patternProperties", read_map, patterns, MAP),
    ROW("dependentSchemas", read_map, dependent_schemas, MAP),
    ROW("dependentRequired", read_map, dependent_names, NONE),
    ROW("additionalProperties", read_one, additional, ONE),
    ROW("propertyNames", read_one, property_names, ONE),
    ROW("items", read_one, items, ONE),
    ROW("contains", read_one, contains, ONE),
    ROW("not", read_one, not_this, ONE),
    ROW("if", read_one, if_this, ONE),
    ROW("then", read_one, then_this, ONE),
    ROW("else", read_one, else_this, ONE),
    ROW("prefixItems", read_list, prefix_items, LIST),
    ROW("allOf", read_list, all_of, LIST),
    ROW("anyOf", read_list, any_of, LIST),
    ROW("oneOf", read_list, one_of, LIST),
    {"$defs", read_defs, 0, SCHEMA_SHAPE_MAP, NULL},
    IGNORED("title"),
    IGNORED("description"),
    IGNORED("default"),
    IGNORED("examples"),
    IGNORED("deprecated"),
    IGNORED("readOnly"),
    IGNORED("writeOnly"),
    IGNORED("$comment"),
    REFUSED("$anchor", NO_NAMES),
    REFUSED("$dynamicAnchor", NO_NAMES),
    REFUSED("$dynamicRef", NO_NAMES),
    REFUSED("$recursiveAnchor", NO_NAMES),
    REFUSED("$recursiveRef", NO_NAMES),
    REFUSED("$vocabulary", "not read here; take it out"),
    REFUSED("unevaluatedProperties", "not read here; write additionalProperties"),
    REFUSED("unevaluatedItems", "not read here; write items after prefixItems"),
    REFUSED("contentEncoding", NO_CONTENT),
    REFUSED("contentMediaType", NO_CONTENT),
    REFUSED("contentSchema", NO_CONTENT),
    REFUSED("definitions", "of an older draft; write $defs"),
    REFUSED("dependencies", "of an older draft; write dependentRequired or dependentSchemas"),
    REFUSED("additionalItems", "of an older draft; write prefixItems, and items for the rest"),
    REFUSED("id", "of an older draft; take it out"),
};

static const struct schema_keyword *find_keyword(const char *name)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!strcmp(keywords[i].name, name))
			return &keywords[i];
	}
	return NULL;
}

enum schema_shape schema_keyword_shape(const char *name)
{
	const struct schema_keyword *keyword = find_keyword(name);

	return keyword ? keyword->shape : SCHEMA_SHAPE_NONE;
}

int schema_keyword_read(struct schema_use *use, const char *name)
{
	use->keyword = find_keyword(name);
	if (use->keyword)
		return use->keyword->read(use);
	if (!strncmp(name, "x-", 2))
		return 0;
	return schema_use_refuse(use, "unknown keyword; callgate.yaml(5) lists those that are "
				      "checked, and a name that begins with x- is a remark");
}
