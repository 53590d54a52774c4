#include "policy/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/env.h"
#include "supervisor/base/str.h"

#define WHY_MAX     320
#define WRITTEN_MAX 96 /* 60 bytes of a value, and who is to blame */

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

bool schema_is_variable(const struct yaml_node *node)
{
	return node->kind == YAML_KIND_SCALAR && node->style != YAML_STYLE_VERBATIM &&
	       !strncmp(node->text, "${", 2) && !node->text[strcspn(node->text, "}") + 1];
}

/* Who is to blame: "" for what the file says itself, else "the value of ${NAME} ". */
static const char *source_of(char out[WRITTEN_MAX], const struct yaml_node *node)
{
	out[0] = '\0';
	if (schema_is_variable(node))
		snprintf(out, WRITTEN_MAX, "the value of %.60s ", node->text);
	return out;
}

/* Messages show a value as it is written: what ${VAR} stands for may be a secret. */
static const char *written(char out[WRITTEN_MAX], const struct yaml_node *node)
{
	snprintf(out, WRITTEN_MAX, schema_is_variable(node) ? "the value of %.60s" : "'%.60s'",
	    node->text);
	return out;
}

int schema_refuse_value(
    struct schema *schema, const struct yaml_node *node, const char *format, ...)
{
	char shown[WRITTEN_MAX], why[WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return schema_refuse(schema, node, "%s %s", written(shown, node), why);
}

int schema_expand(struct schema *schema, const struct yaml_node *node, const char **ret_text)
{
	struct err_note why;
	int fault = 0;

	*ret_text = node->text;
	if (node->style != YAML_STYLE_VERBATIM)
		fault = env_expand(schema->source, schema->arena, &schema->budget, ret_text, &why);
	return fault == -EINVAL ? schema_refuse(schema, node, "%s", why.text) : fault;
}

int schema_scalar(struct schema *schema, const struct yaml_node *node, const char *wanted,
    const char **ret_text, enum scalar_type *ret_type)
{
	char from[WRITTEN_MAX];
	const char *text;
	int fault;

	if (node->kind != YAML_KIND_SCALAR)
		return schema_refuse(
		    schema, node, "is %s; write %s", type_name(node, SCALAR_TEXT), wanted);
	fault = schema_expand(schema, node, &text);
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
	int fault = schema_scalar(schema, node, wanted, ret_text, ret_type);

	if (!fault && *ret_type == SCALAR_TEXT && schema_is_variable(node))
		*ret_type = scalar_type(*ret_text);
	return fault;
}

int schema_text(struct schema *schema, const struct yaml_node *node, const char **ret_text)
{
	char from[WRITTEN_MAX];
	enum scalar_type type;
	const char *text;
	int fault = schema_scalar(schema, node, "text", &text, &type);

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
		return schema_refuse_value(schema, node, "%s", why);
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
	return schema_refuse_value(schema, node, "is not one of its values; choose from %s", list);
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
	if (type == SCALAR_TEXT && scalar_type(text) == SCALAR_BOOL)
		return schema_refuse_value(
		    schema, node, "in quotes is text; write it without them");
	if (type != SCALAR_BOOL)
		return schema_refuse_value(
		    schema, node, "is not a truth value; write true or false");
	*(bool *)place_of(record, key->place) = text[0] == 't' || text[0] == 'T';
	return 0;
}

/* ---- quantities --------------------------------------------------------------------------- */

static int store_number(struct schema *schema, const struct yaml_node *node,
    const struct schema_key *key, uint64_t value, void *record)
{
	if (value < key->min || value > key->max)
		return schema_refuse_value(schema, node, "is out of range; choose %s", key->range);
	memcpy(place_of(record, key->place), &value, sizeof(value));
	return 0;
}

int read_duration(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	enum scalar_type type;
	const char *text;
	uint64_t ms = UINT64_MAX;
	int fault = schema_scalar(schema, node, "a time such as 30s", &text, &type);

	if (fault)
		return fault;
	fault = str_duration_ms(text, &ms);
	if (fault && fault != -ERANGE)
		return schema_refuse_value(schema, node,
		    "is not a time; write a whole number and ms, s, m, h or d, as in 30s");
	return store_number(schema, node, key, ms, record);
}

int read_size(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	enum scalar_type type;
	const char *text;
	uint64_t bytes = UINT64_MAX;
	int fault = schema_scalar(schema, node, "a size such as 64MiB", &text, &type);

	if (fault)
		return fault;
	fault = str_size(text, &bytes);
	if (fault && fault != -ERANGE)
		return schema_refuse_value(schema, node,
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
		return schema_refuse_value(
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
		return schema_refuse_value(schema, node, "is out of range; choose 0 to 4294967294");
	id = (uint32_t)value;
	memcpy(place_of(record, key->place), &id, sizeof(id));
	return 0;
}
