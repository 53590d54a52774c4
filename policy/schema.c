#include "policy/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/env.h"
#include "policy/scalar.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

#define WHY_MAX     320
#define WRITTEN_MAX 96 /* 60 bytes of a value, and who is to blame */

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

int schema_refuse_at(
    struct schema *schema, struct policy_pos pos, const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)refuse_at(schema, pos, path, format, args);
	va_end(args);
	return -EINVAL;
}

void schema_warn_at(
    struct schema *schema, struct policy_pos pos, const char *path, const char *format, ...)
{
	struct err_note line;
	char why[WHY_MAX];
	va_list args;

	if (!schema->warnings || schema->warned == SCHEMA_WARNINGS_MAX)
		return;
	if (++schema->warned == SCHEMA_WARNINGS_MAX) {
		buf_text(schema->warnings, "further warnings are left out\n");
		return;
	}
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	(void)err_note(
	    &line, 0, "%s:%u:%u: %s: %s", schema->source->file, pos.line, pos.column, path, why);
	buf_text(schema->warnings, line.text);
	buf_text(schema->warnings, "\n");
}

const char *schema_shown(const struct schema *schema, const char *text)
{
	const struct policy_source *source = schema->source;

	return memmem(source->text, source->len, text, strlen(text)) ? text : "${...}";
}

/* ---- scalars ------------------------------------------------------------------------------ */

static const char *type_name(const struct yaml_node *node, enum scalar_type type)
{
	switch (node->kind) {
	case YAML_KIND_MAPPING: return "a mapping";
	case YAML_KIND_SEQUENCE: return "a list";
	case YAML_KIND_SCALAR: break;
	}
	switch (type) {
	case SCALAR_EMPTY: return "empty";
	case SCALAR_BOOL: return "true or false";
	case SCALAR_NUMBER: return "a number";
	case SCALAR_TEXT: break;
	}
	return "text";
}

/* ${NAME} and nothing else. */
static bool is_one_variable(const struct yaml_node *node)
{
	return node->kind == YAML_KIND_SCALAR && node->style != YAML_STYLE_VERBATIM &&
	       !strncmp(node->text, "${", 2) && !node->text[strcspn(node->text, "}") + 1];
}

/* Who is to blame: "" for what the file says itself, else "the value of ${NAME} ". */
static const char *source_of(char out[WRITTEN_MAX], const struct yaml_node *node)
{
	out[0] = '\0';
	if (is_one_variable(node))
		snprintf(out, WRITTEN_MAX, "the value of %.60s ", node->text);
	return out;
}

/* Messages show a value as it is written: what ${VAR} stands for may be a secret. */
static const char *written(char out[WRITTEN_MAX], const struct yaml_node *node)
{
	snprintf(
	    out, WRITTEN_MAX, is_one_variable(node) ? "the value of %.60s" : "'%.60s'", node->text);
	return out;
}

/* "VALUE why; what to do". */
__attribute__((format(printf, 3, 4))) static int refuse_value(
    struct schema *schema, const struct yaml_node *node, const char *format, ...)
{
	char shown[WRITTEN_MAX], why[WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return schema_refuse(schema, node, "%s %s", written(shown, node), why);
}

/* Any scalar, ${VAR} expanded, and what it is. wanted: "a time such as 30s". */
static int read_scalar(struct schema *schema, const struct yaml_node *node, const char *wanted,
    const char **ret_text, enum scalar_type *ret_type)
{
	const char *text = node->text;
	char from[WRITTEN_MAX];
	struct err_note why;
	int fault = 0;

	if (node->kind != YAML_KIND_SCALAR)
		return schema_refuse(
		    schema, node, "is %s; write %s", type_name(node, SCALAR_TEXT), wanted);
	if (node->style != YAML_STYLE_VERBATIM)
		fault = env_expand(schema->source, schema->arena, &schema->budget, &text, &why);
	if (fault == -EINVAL)
		return schema_refuse(schema, node, "%s", why.text);
	if (fault)
		return fault;
	*ret_type = node->style == YAML_STYLE_PLAIN ? scalar_type(text) : SCALAR_TEXT;
	if (*ret_type == SCALAR_EMPTY)
		return schema_refuse(schema, node, "%sis empty; write %s or remove the key",
		    source_of(from, node), wanted);
	*ret_text = text;
	return 0;
}

/* The same where text cannot be meant: in a flow mapping a variable needs quotes, which then say
 * nothing about its value. */
static int read_unquoted(struct schema *schema, const struct yaml_node *node, const char *wanted,
    const char **ret_text, enum scalar_type *ret_type)
{
	int fault = read_scalar(schema, node, wanted, ret_text, ret_type);

	if (!fault && *ret_type == SCALAR_TEXT && is_one_variable(node))
		*ret_type = scalar_type(*ret_text);
	return fault;
}

int schema_text(struct schema *schema, const struct yaml_node *node, const char **ret_text)
{
	char from[WRITTEN_MAX];
	enum scalar_type type;
	const char *text;
	int fault = read_scalar(schema, node, "text", &text, &type);

	if (fault)
		return fault;
	if (type != SCALAR_TEXT)
		return schema_refuse(schema, node, "%sis %s, not text; put it in quotes",
		    source_of(from, node), type_name(node, type));
	if (!*text)
		return schema_refuse(schema, node, "%sis empty; write text or remove the key",
		    source_of(from, node));
	*ret_text = text;
	return 0;
}

int read_text(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	const char *text, *why;
	int fault = schema_text(schema, node, &text);

	if (fault)
		return fault;
	if (strlen(text) > key->max)
		return schema_refuse(schema, node, "is longer than %llu bytes; shorten it",
		    (unsigned long long)key->max);
	why = key->judge ? key->judge(text) : NULL;
	if (why)
		return refuse_value(schema, node, "%s", why);
	memcpy(place_of(record, key->place), &text, sizeof(text));
	return 0;
}

static int find_choice(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *key, uint32_t *ret_index)
{
	char list[WHY_MAX / 2] = "";
	size_t used = 0;
	const char *text;
	int fault = schema_text(schema, node, &text);

	if (fault)
		return fault;
	for (uint32_t i = 0; key->choices[i]; i++) {
		/* An enum's value 0 has no name: it cannot be chosen. */
		if (!*key->choices[i])
			continue;
		if (!strcmp(key->choices[i], text)) {
			*ret_index = i;
			return 0;
		}
		used += (size_t)snprintf(
		    list + used, sizeof(list) - used, "%s%s", used ? ", " : "", key->choices[i]);
	}
	return refuse_value(schema, node, "is not one of its values; choose from %s", list);
}

int read_choice(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	uint32_t index;
	int fault = find_choice(schema, node, key, &index);

	if (!fault)
		memcpy(place_of(record, key->place), &index, sizeof(index));
	return fault;
}

int read_choice_text(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	uint32_t index;
	int fault = find_choice(schema, node, key, &index);

	if (!fault)
		memcpy(place_of(record, key->place), &key->choices[index], sizeof(char *));
	return fault;
}

int read_bool(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	enum scalar_type type;
	const char *text;
	int fault = read_unquoted(schema, node, "true or false", &text, &type);

	if (fault)
		return fault;
	if (type != SCALAR_BOOL)
		return refuse_value(schema, node, "is not a truth value; write true or false");
	*(bool *)place_of(record, key->place) = text[0] == 't' || text[0] == 'T';
	return 0;
}

/* ---- quantities --------------------------------------------------------------------------- */

static int store_number(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *key, uint64_t value, void *record)
{
	if (value < key->min || value > key->max)
		return refuse_value(schema, node, "is out of range; choose %s", key->range);
	memcpy(place_of(record, key->place), &value, sizeof(value));
	return 0;
}

int read_duration(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	enum scalar_type type;
	const char *text;
	uint64_t ms = UINT64_MAX;
	int fault = read_scalar(schema, node, "a time such as 30s", &text, &type);

	if (fault)
		return fault;
	fault = str_duration_ms(text, &ms);
	if (fault && fault != -ERANGE)
		return refuse_value(schema, node,
		    "is not a time; write a whole number and ms, s, m, h or d, as in 30s");
	return store_number(schema, node, key, ms, record);
}

int read_size(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	enum scalar_type type;
	const char *text;
	uint64_t bytes = UINT64_MAX;
	int fault = read_scalar(schema, node, "a size such as 64MiB", &text, &type);

	if (fault)
		return fault;
	fault = str_size(text, &bytes);
	if (fault && fault != -ERANGE)
		return refuse_value(schema, node,
		    "is not a size; write a whole number and KiB, MiB or GiB, as in 64MiB");
	return store_number(schema, node, key, bytes, record);
}

/* A plain decimal without sign or leading zero. */
static int read_decimal(struct schema *schema, const struct yaml_node *node, uint64_t *ret_value)
{
	enum scalar_type type;
	const char *text;
	int fault = read_unquoted(schema, node, "a whole number", &text, &type);

	if (fault)
		return fault;
	*ret_value = UINT64_MAX;
	if (type == SCALAR_NUMBER)
		fault = str_u64(text, UINT64_MAX, ret_value);
	if (type != SCALAR_NUMBER || (fault && fault != -ERANGE))
		return refuse_value(
		    schema, node, "is not a plain decimal number; write digits without quotes");
	return 0;
}

int read_count(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	uint64_t value;
	int fault = read_decimal(schema, node, &value);

	return fault ? fault : store_number(schema, node, key, value, record);
}

int read_id(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	uint64_t value;
	uint32_t id;
	int fault = read_decimal(schema, node, &value);

	if (fault)
		return fault;
	if (value >= UINT32_MAX)
		return refuse_value(schema, node, "is out of range; choose 0 to 4294967294");
	id = (uint32_t)value;
	memcpy(place_of(record, key->place), &id, sizeof(id));
	return 0;
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
		return refuse_value(schema, node, "%s", why);
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

		if (why)
			return schema_refuse_at(
			    schema, item->key_pos, key->name, "'%.60s' %s", item->key, why);
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

static int refuse_later(struct schema *schema, const struct yaml_node *node)
{
	char path[YAML_PATH_MAX];

	yaml_path(node, path);
	return schema_refuse_at(schema, node->key_pos, path,
	    "this part of callgate is not built yet in this version; remove it");
}

int schema_later_value(struct schema *schema, const struct yaml_node *node)
{
	char shown[WRITTEN_MAX];

	return schema_refuse(schema, node,
	    "%s: this part of callgate is not built yet in this version; choose another",
	    written(shown, node));
}

int read_later(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	(void)key;
	(void)record;
	return refuse_later(schema, node);
}

int read_foreign(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	char path[YAML_PATH_MAX];

	(void)record;
	if (schema->foreign_seen & (1u << key->min))
		return 0;
	schema->foreign_seen |= 1u << key->min;
	yaml_path(node, path);
	schema_warn_at(
	    schema, node->key_pos, path, "is not callgate's; ignored here and wherever it stands");
	return 0;
}

/* ---- mappings ----------------------------------------------------------------------------- */

bool schema_is_close(const char *a, const char *b)
{
	size_t most = strlen(a) > 4 ? 3 : 2; /* two slips in a word, one in a short one */

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
	char path[YAML_PATH_MAX];

	yaml_path(node, path);
	for (; keys->name; keys++) {
		if (schema_is_close(node->key, keys->name))
			return schema_refuse_at(schema, node->key_pos, path,
			    "unknown key; did you mean %s?", keys->name);
	}
	return schema_refuse_at(
	    schema, node->key_pos, path, "unknown key; remove it, callgate.yaml(5) lists the keys");
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
