#include "supervisor/control/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/control/client.h"

/* A value for a property of this type; NULL: the text is not one. */
static json_t *typed_value(const char *type, const char *text)
{
	json_t *value;

	if (!type || strcmp(type, "string") == 0)
		return json_string(text);
	value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if ((strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	    (strcmp(type, "number") == 0 && json_is_number(value)) ||
	    (strcmp(type, "boolean") == 0 && json_is_boolean(value)))
		return value;
	json_decref(value);
	return NULL;
}

static int parse_word(json_t *arguments, const json_t *schema, const char *word)
{
	const char *equals = strchr(word, '=');
	const char *type = NULL;
	char *cleanup_free key = NULL;
	json_t *value;
	size_t len;

	if (!equals || equals == word)
		return command_fail(COMMAND_USAGE, "%s: expected key=value or key:=JSON", word);
	len = (size_t)(equals - word);
	if (len > 1 && word[len - 1] == ':') {
		key = strndup(word, len - 1);
		value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	} else {
		key = strndup(word, len);
		if (key)
			type = json_string_value(json_object_get(
			    json_object_get(json_object_get(schema, "properties"), key), "type"));
		value = typed_value(type, equals + 1);
	}
	if (!key || !value)
		return command_fail(COMMAND_USAGE,
		    "%s: the value is not %s; write key:=JSON for a literal", word,
		    !type                         ? "valid JSON or UTF-8"
		    : strcmp(type, "string") == 0 ? "valid UTF-8"
						  : type);
	if (json_object_get(arguments, key)) {
		json_decref(value);
		return command_fail(COMMAND_USAGE, "%s: given twice; one value each", key);
	}
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

int arguments_schema(const struct command_session *session, const char *tool, json_t **ret_schema)
{
	json_t *answer = NULL;
	const json_t *entry;
	size_t i;
	int result = client_once(session, "tools/list", NULL, &answer);

	if (result != 0)
		return result;
	*ret_schema = NULL;
	json_array_foreach(json_object_get(answer, "tools"), i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (name && strcmp(name, tool) == 0)
			*ret_schema = json_incref(json_object_get(entry, "inputSchema"));
	}
	json_decref(answer);
	return 0;
}
