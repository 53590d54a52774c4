#include "policy/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"

#define WHY_MAX 320

/* ---- messages ----------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 0))) static int refuse_at(struct schema *schema,
    struct policy_pos pos, const char *path, const char *format, va_list args)
{
	char why[WHY_MAX];

	vsnprintf(why, sizeof(why), format, args);
	return err_note(schema->note, -EINVAL, "%s:%u:%u: %s: %s", schema->source->file, pos.line,
	    pos.column, path, why);
}

int schema_refuse(struct schema *schema, const struct yaml_node *node, const char *format, ...)
{
	char path[YAML_PATH_MAX];
	va_list args;

	yaml_path(node, path);
	va_start(args, format);
	(void)refuse_at(schema, node->pos, path, format, args);
	va_end(args);
	return -EINVAL;
}

int schema_refuse_key(struct schema *schema, const struct yaml_node *node, const char *format, ...)
{
	char path[YAML_PATH_MAX];
	va_list args;

	yaml_path(node, path);
	va_start(args, format);
	(void)refuse_at(schema, node->key_pos, path, format, args);
	va_end(args);
	return -EINVAL;
}

int schema_refuse_at(
    struct schema *schema, struct policy_pos pos, const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)refuse_at(schema, pos, path, format, args);
	va_end(args);
	return -EINVAL;
}

__attribute__((format(printf, 4, 0))) static void warn_at(struct schema *schema,
    struct policy_pos pos, const char *path, const char *format, va_list args)
{
	struct err_note line;
	char why[WHY_MAX];

	if (!schema->warnings || schema->warned == SCHEMA_WARNINGS_MAX)
		return;
	if (++schema->warned == SCHEMA_WARNINGS_MAX) {
		buf_text(schema->warnings, "further warnings are left out\n");
		return;
	}
	vsnprintf(why, sizeof(why), format, args);
	(void)err_note(
	    &line, 0, "%s:%u:%u: %s: %s", schema->source->file, pos.line, pos.column, path, why);
	buf_text(schema->warnings, line.text);
	buf_text(schema->warnings, "\n");
}

void schema_warn_at(
    struct schema *schema, struct policy_pos pos, const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	warn_at(schema, pos, path, format, args);
	va_end(args);
}

void schema_warn_key(struct schema *schema, const struct yaml_node *node, const char *format, ...)
{
	char path[YAML_PATH_MAX];
	va_list args;

	yaml_path(node, path);
	va_start(args, format);
	warn_at(schema, node->key_pos, path, format, args);
	va_end(args);
}

const char *schema_shown(const struct schema *schema, const char *text)
{
	const struct policy_source *source = schema->source;

	return memmem(source->text, source->len, text, strlen(text)) ? text : "${...}";
}

/* ---- collections -------------------------------------------------------------------------- */

static int read_word(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *key, struct policy_word *word)
{
	const char *why;
	int fault = schema_text(schema, node, &word->text);

	if (fault)
		return fault;
	why = key->judge ? key->judge(word->text) : NULL;
	if (why)
		return schema_refuse_value(schema, node, "%s", why);
	word->pos = node->pos;
	return 0;
}

int read_words(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_words *words = place_of(record, key->place);
	struct policy_word *items;

	if (node->kind != YAML_KIND_SEQUENCE)
		return schema_refuse(schema, node, "is not a list; write [one, two]");
	if (key->max && node->count > key->max)
		return schema_refuse(schema, node, "has more than %llu entries; shorten it",
		    (unsigned long long)key->max);
	items = arena_array(schema->arena, node->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		int fault = read_word(schema, item, key, &items[item->index]);

		if (fault)
			return fault;
	}
	words->items = items;
	words->count = node->count;
	return 0;
}

int read_section(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	return schema_mapping(
	    schema, node, key->keys, key->place ? place_of(record, key->place) : record);
}

static int read_element(struct schema *schema, const struct yaml_node *node,
    const struct schema_list *list, void *element)
{
	int fault;

	*(struct policy_pos *)place_of(element, list->pos_place) = node->key_pos;
	if (list->begin)
		list->begin(element);
	fault = schema_mapping(schema, node, list->keys, element);
	if (!fault && list->end)
		fault = list->end(schema, node, element);
	return fault;
}

static int read_elements(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	const struct schema_list *list = key->list;
	char *items;

	if (node->count > list->max)
		return schema_refuse(
		    schema, node, "has more than %u entries; merge some", list->max);
	items = arena_array(schema->arena, node->count, list->size);
	if (!items)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		char *element = items + item->index * list->size;
		const char *why = item->key ? list->judge(item->key) : NULL;
		int fault;

		if (why) {
			char path[YAML_PATH_MAX];

			yaml_path(node, path);
			return schema_refuse_at(
			    schema, item->key_pos, path, "'%.60s' %s", item->key, why);
		}
		if (item->key)
			memcpy(element, &item->key, sizeof(item->key));
		fault = read_element(schema, item, list, element);
		if (fault)
			return fault;
	}
	memcpy(place_of(record, key->place), &items, sizeof(items));
	*(uint32_t *)place_of(record, list->count_place) = node->count;
	return 0;
}

int read_named(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(schema, node, "is not a mapping; write name: {key: value}");
	return read_elements(schema, node, key, record);
}

int read_rows(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind != YAML_KIND_SEQUENCE)
		return schema_refuse(schema, node, "is not a list; write - {key: value}");
	return read_elements(schema, node, key, record);
}

int read_later(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	(void)key;
	(void)record;
	return schema_refuse_key(
	    schema, node, "this part of callgate is not built yet in this version; remove it");
}

int read_foreign(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	(void)record;
	if (schema->foreign_seen & (1u << key->min))
		return 0;
	schema->foreign_seen |= 1u << key->min;
	schema_warn_key(schema, node, "is not callgate's; ignored here and wherever it stands");
	return 0;
}

/* ---- mappings ----------------------------------------------------------------------------- */

bool schema_is_close(const char *a, const char *b)
{
	size_t len = strlen(a);
	size_t most = len > 4 ? 3 : len > 2 ? 2 : 1; /* two slips in a word, one in a short one */

	return text_distance(a, b, most) < most;
}

static const struct schema_key *find_key(const struct schema_key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (!strcmp(keys->name, name))
			return keys;
	}
	return NULL;
}

static int refuse_unknown(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *keys)
{
	for (; keys->name; keys++) {
		if (schema_is_close(node->key, keys->name))
			return schema_refuse_key(
			    schema, node, "unknown key; did you mean %s?", keys->name);
	}
	return schema_refuse_key(
	    schema, node, "unknown key; remove it, callgate.yaml(5) lists the keys");
}

int schema_mapping(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *keys, void *record)
{
	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(schema, node, "is not a mapping; write key: value");
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		const struct schema_key *key = find_key(keys, item->key);
		int fault;

		if (!key)
			return refuse_unknown(schema, item, keys);
		fault = key->read(schema, item, key, record);
		if (fault)
			return fault;
		if (key->pos_place)
			*(struct policy_pos *)place_of(record, key->pos_place) = item->key_pos;
		if (key->given_place)
			*(bool *)place_of(record, key->given_place) = true;
	}
	return 0;
}
