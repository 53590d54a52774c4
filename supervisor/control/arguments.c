#include "supervisor/control/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/control/client.h"

#define NAMES_MAX 1024 /* of the list that a complaint shows */

/* Is value of the JSON Schema type that is called so? */
static int is_of_type(const json_t *value, const char *type)
{
	return (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "number") == 0 && json_is_number(value)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "null") == 0 && json_is_null(value));
}

/* A value for a property of this type; NULL: the text is not one. */
static json_t *typed_value(const char *type, const char *text)
{
	json_t *value;

	if (strcmp(type, "string") == 0)
		return json_string(text);
	value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (value && is_of_type(value, type))
		return value;
	json_decref(value);
	return NULL;
}

/* The first of the property's types that the text is one of, a string last; a property without a
 * type takes strings. NULL: none. */
static json_t *property_value(const json_t *property, const char *text)
{
	const json_t *types = json_object_get(property, "type"), *entry;
	int strings = !json_is_array(types);
	json_t *value = NULL;
	size_t i;

	if (json_is_string(types))
		return typed_value(json_string_value(types), text);
	json_array_foreach(types, i, entry)
	{
		const char *type = json_is_string(entry) ? json_string_value(entry) : "";

		if (strcmp(type, "string") == 0)
			strings = 1;
		else if (!value)
			value = typed_value(type, text);
	}
	return value || !strings ? value : json_string(text);
}

/* "a, b, c" of an object's keys. */
static void list_names(char *out, size_t max, const json_t *object)
{
	const char *key;
	json_t *value;
	size_t used = 0;

	out[0] = 0;
	json_object_foreach((json_t *)object, key, value)
	{
		int put = snprintf(out + used, max - used, "%s%s", used ? ", " : "", key);

		if (put < 0 || (size_t)put >= max - used)
			return;
		used += (size_t)put;
	}
}

static int complain_of_value(const json_t *property, const char *word)
{
	const json_t *types = json_object_get(property, "type");
	char *cleanup_free many = json_is_array(types) ? json_dumps(types, JSON_COMPACT) : NULL;
	const char *one = json_string_value(types);

	if (!one || strcmp(one, "string") == 0)
		one = "valid UTF-8";
	return command_fail(COMMAND_USAGE, "%s: the value is not %s; write key:=JSON for a literal",
	    word, many ? many : one);
}

/* A name that the tool does not take, when its schema says that it takes no others. */
static int complain_of_name(const json_t *properties, const char *key)
{
	char names[NAMES_MAX];

	list_names(names, sizeof(names), properties);
	return command_fail(COMMAND_USAGE, "%s: no parameter of this tool; it takes %s", key,
	    names[0] ? names : "none");
}

/* The key of key=value or key:=JSON, owned by the caller, and the text behind the sign. */
static char *split_word(const char *word, const char **ret_text, int *ret_literal)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : 0;

	*ret_literal = len > 1 && word[len - 1] == ':';
	*ret_text = equals ? equals + 1 : NULL;
	return len > 0 ? strndup(word, len - (size_t)*ret_literal) : NULL;
}

static int parse_word(json_t *arguments, const json_t *schema, const char *word)
{
	const json_t *properties = json_object_get(schema, "properties"), *property;
	int closed = json_is_false(json_object_get(schema, "additionalProperties")), literal;
	const char *text;
	char *cleanup_free key = split_word(word, &text, &literal);
	json_t *value;

	if (!key)
		return command_fail(COMMAND_USAGE, "%s: expected key=value or key:=JSON", word);
	property = json_object_get(properties, key);
	if (!property && closed)
		return complain_of_name(properties, key);
	if (json_object_get(arguments, key))
		return command_fail(COMMAND_USAGE, "%s: given twice; one value each", key);
	if (literal)
		value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	else
		value = property_value(property, text);
	if (!value && literal)
		return command_fail(
		    COMMAND_USAGE, "%s: the value is not valid JSON; strings need quotes", word);
	if (!value)
		return complain_of_value(property, word);
	if (json_object_set_new(arguments, key, value) != 0)
		return command_fail(COMMAND_USAGE, "%s: the key is not valid UTF-8", word);
	return 0;
}

int arguments_parse(
    json_t *base, const json_t *schema, int count, char *const *words, json_t **ret_arguments)
{
	json_t *arguments = base ? base : json_object();
	int result = 0;

	for (int i = 0; result == 0 && i < count; i++)
		result = parse_word(arguments, schema, words[i]);
	if (result != 0) {
		json_decref(arguments);
		return result;
	}
	*ret_arguments = arguments;
	return 0;
}

int arguments_base(const char *what, const char *text, json_t **ret_base)
{
	json_error_t error;
	json_t *base;

	*ret_base = NULL;
	if (!text)
		return 0;
	base = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(base)) {
		*ret_base = base;
		return 0;
	}
	(void)command_fail(COMMAND_USAGE, "%s: --json: %s; give one JSON object", what,
	    base ? "not an object" : error.text);
	json_decref(base);
	return COMMAND_USAGE;
}

int arguments_schema(const struct command_session *session, const char *tool, json_t **ret_schema)
{
	json_t *tools = NULL;
	const json_t *entry;
	size_t i;
	int result = client_tools(session, &tools);

	if (result != 0)
		return result;
	*ret_schema = NULL;
	json_array_foreach(tools, i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (name && strcmp(name, tool) == 0)
			*ret_schema = json_incref(json_object_get(entry, "inputSchema"));
	}
	json_decref(tools);
	return 0;
}
