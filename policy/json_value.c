#include "policy/json_value.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/env.h"
#include "policy/json_schema.h"
#include "policy/text.h"

struct writer {
	struct schema *schema;
	struct buf out;
};

static int put_node(struct writer *writer, const struct yaml_node *node);

/* ---- scalars ------------------------------------------------------------------------------ */

/* The shortest decimal that reads back as the same number. */
static void put_real(struct buf *out, double value)
{
	char text[40];
	int digits = 1;

	do
		snprintf(text, sizeof(text), "%.*g", digits, value);
	while (strtod(text, NULL) != value && ++digits <= 17);
	buf_text(out, text);
	if (!text[strcspn(text, ".e")])
		buf_text(out, ".0");
}

static int put_number(struct writer *writer, const struct yaml_node *node, const char *text)
{
	char *end;
	long long whole;
	double real;

	errno = 0;
	whole = strtoll(text, &end, 10);
	if (!*end) {
		if (errno)
			return schema_refuse_value(writer->schema, node,
			    "is too large a whole number; write 1e19 and the like with an exponent"
			    ", or in quotes if it is text");
		buf_textf(&writer->out, "%lld", whole);
		return 0;
	}
	real = strtod(text, &end);
	if (!isfinite(real))
		return schema_refuse_value(writer->schema, node,
		    "is too large a number; write one up to 1.7e308, or in quotes if it is text");
	put_real(&writer->out, real);
	return 0;
}

/* What is text to scalar_type() and a number to other readers of YAML. */
static bool is_disputed(const char *text)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
	const char *digits = text + (*text == '-' || *text == '+');

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(digits, words[i]))
			return true;
	}
	if (digits[0] != '0' || !digits[1])
		return false;
	if (digits[1] == 'x')
		return digits[2] && !digits[2 + strspn(digits + 2, "0123456789abcdefABCDEF")];
	if (digits[1] == 'o')
		return digits[2] && !digits[2 + strspn(digits + 2, "01234567")];
	return !digits[strspn(digits, "0123456789")];
}

static int put_plain(struct writer *writer, const struct yaml_node *node, const char *text)
{
	switch (scalar_type(text)) {
	case SCALAR_EMPTY: buf_text(&writer->out, "null"); return 0;
	case SCALAR_BOOL:
		buf_text(&writer->out, text[0] == 't' || text[0] == 'T' ? "true" : "false");
		return 0;
	case SCALAR_NUMBER: return put_number(writer, node, text);
	case SCALAR_TEXT: break;
	}
	if (is_disputed(text))
		return schema_refuse_value(writer->schema, node,
		    "is a number to some readers only; write a plain decimal, or quotes");
	text_quote(&writer->out, text);
	return 0;
}

static int put_scalar(struct writer *writer, const struct yaml_node *node)
{
	const char *text;
	int fault = schema_expand(writer->schema, node, &text);

	if (fault)
		return fault;
	if (node->style == YAML_STYLE_PLAIN)
		return put_plain(writer, node, text);
	text_quote(&writer->out, text);
	return 0;
}

/* ---- collections -------------------------------------------------------------------------- */

static int put_children(struct writer *writer, const struct yaml_node *node)
{
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		int fault;

		if (item != node->first)
			buf_text(&writer->out, ",");
		if (item->key) {
			text_quote(&writer->out, item->key);
			buf_text(&writer->out, ":");
		}
		fault = put_node(writer, item);
		if (fault)
			return fault;
	}
	return 0;
}

/* Recursion is bounded by POLICY_DEPTH_MAX. */
static int put_node(struct writer *writer, const struct yaml_node *node)
{
	bool is_mapping = node->kind == YAML_KIND_MAPPING;
	int fault;

	if (writer->out.fault)
		return 0; /* told at the end */
	if (node->kind == YAML_KIND_SCALAR)
		return put_scalar(writer, node);
	buf_text(&writer->out, is_mapping ? "{" : "[");
	fault = put_children(writer, node);
	buf_text(&writer->out, is_mapping ? "}" : "]");
	return fault;
}

int yaml_json_text(struct schema *schema, const struct yaml_node *node, const char **ret_text)
{
	struct writer writer = {.schema = schema};
	int fault;

	buf_init(&writer.out, JSON_VALUE_MAX);
	fault = put_node(&writer, node);
	if (!fault && writer.out.fault == -ENOBUFS)
		fault = schema_refuse(
		    schema, node, "is longer than %d bytes of JSON; shorten it", JSON_VALUE_MAX);
	if (!fault)
		fault = writer.out.fault;
	if (!fault) {
		*ret_text =
		    arena_text(schema->arena, (const char *)writer.out.data, writer.out.len);
		fault = *ret_text ? 0 : -ENOMEM;
	}
	buf_fini(&writer.out);
	return fault;
}

/* ---- JSON Schema -------------------------------------------------------------------------- */

/* Steps down to the child that path names first; true when there is one. Keys may hold any byte,
 * so the child says where its name ends, not the path. */
static bool step_down(const struct yaml_node **node, const char **path)
{
	const char *at = *path + strspn(*path, ".[]/");
	const struct yaml_node *found = NULL;
	size_t found_len = 0;
	char index[16];

	for (const struct yaml_node *item = (*node)->first; item; item = item->next) {
		const char *name = item->key;
		size_t len;

		if (!name) {
			snprintf(index, sizeof(index), "%u", item->index);
			name = index;
		}
		len = strlen(name);
		if (strncmp(at, name, len) || !strchr(".[]/:", at[len]) ||
		    (found && len < found_len))
			continue;
		found = item;
		found_len = len;
	}
	if (!found)
		return false;
	*node = found;
	*path = at + found_len;
	return true;
}

/* note: "properties.branch.pattern: why; what to do", a path within the schema; "schema" is its
 * top. What of the path is not in the file stays in the message. */
static int refuse_schema(
    struct schema *schema, const struct yaml_node *node, const struct err_note *note)
{
	const char *path = note->text;

	if (!strncmp(path, "schema: ", 8))
		path += 6;
	while (*path != ':' && step_down(&node, &path))
		path += *path == ']';
	path += strspn(path, ": ");
	return schema_refuse(schema, node, "%s", path);
}

int yaml_json_schema(struct schema *schema, const struct yaml_node *node, const char **ret_text)
{
	struct json_schema *compiled = NULL;
	struct err_note note = {""};
	json_t *value;
	int fault;

	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(
		    schema, node, "is no JSON Schema; write a mapping such as {type: string}");
	fault = yaml_json_text(schema, node, ret_text);
	if (fault)
		return fault;
	value = json_loads(*ret_text, JSON_REJECT_DUPLICATES, NULL);
	if (!value)
		return -ENOMEM; /* our own text is JSON */
	fault = json_schema_compile(value, &compiled, &note);
	json_decref(value);
	json_schema_free(compiled);
	return fault == -EINVAL ? refuse_schema(schema, node, &note) : fault;
}

/* ---- defaults ------------------------------------------------------------------------------ */

/* Then a message that shows values might show what a variable stands for. */
static bool has_variable(const struct yaml_node *node)
{
	if (node->text && node->style != YAML_STYLE_VERBATIM && strstr(node->text, "${"))
		return true;
	for (const struct yaml_node *item = node->first; item; item = item->next)
		if (has_variable(item))
			return true;
	return false;
}

static int check_default(struct schema *schema, const struct yaml_node *properties,
    const struct json_schema *compiled, const char *name, const json_t *value)
{
	const struct yaml_node *property = yaml_child(properties, name);
	struct err_note why = {""}, note = {""};
	int result = json_schema_check_property(compiled, name, value, "default", &why);

	if (result <= 0)
		return result;
	if (has_variable(properties->parent))
		return schema_refuse(schema, yaml_child(property, "default"),
		    "does not meet the schema it stands in; change one of them");
	(void)err_note(&note, 0, "%s; change it, or the schema it stands in", why.text);
	return refuse_schema(schema, property, &note);
}

int yaml_json_defaults(struct schema *schema, const struct yaml_node *node, const char *text)
{
	json_t *value = json_loads(text, 0, NULL), *property;
	struct json_schema *compiled = NULL;
	int fault = value ? json_schema_compile(value, &compiled, NULL) : -ENOMEM;
	const char *name;

	json_object_foreach(json_object_get(value, "properties"), name, property)
	{
		const json_t *preset = json_object_get(property, "default");

		if (!fault && preset)
			fault = check_default(
			    schema, yaml_child(node, "properties"), compiled, name, preset);
	}
	json_schema_free(compiled);
	json_decref(value);
	return fault;
}
