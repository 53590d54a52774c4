#include "agent-api/wire/inquiry.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "agent-api/wire/form.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define KEY_DEFAULT "input"
#define KEY_MAX     64

/* ---- texts ------------------------------------------------------------------------------- */

/* May a form show it? Nothing that a terminal acts upon, that turns the text above it round or that
 * is not to be seen, and no line breaks outside messages. */
static bool is_shown(const json_t *text, size_t max, bool lines)
{
	const uint8_t *at = (const uint8_t *)json_string_value(text);
	size_t left = json_string_length(text);

	if (!at || left > max)
		return false;
	while (left > 0) {
		uint32_t code;
		size_t step = str_utf8_next(at, left, &code);

		if (step == 0 ||
		    (str_is_hidden(code) && !(lines && (code == '\n' || code == '\t'))))
			return false;
		at += step;
		left -= step;
	}
	return true;
}

static bool is_label(const json_t *text)
{
	return is_shown(text, INQUIRY_TEXT_MAX, false);
}

static bool is_key(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= KEY_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		   len;
}

static size_t count_characters(const json_t *text)
{
	const char *at = json_string_value(text);
	size_t count = 0;

	for (size_t i = 0; i < json_string_length(text); i++)
		count += ((uint8_t)at[i] & 0xC0) != 0x80;
	return count;
}

/* ---- one field --------------------------------------------------------------------------- */

/* What a keyword must be to count. */
enum keyword_kind {
	KEYWORD_LABEL = 0, /* a text that is shown */
	KEYWORD_COUNT,     /* an integer from 0 */
	KEYWORD_NUMBER,
	KEYWORD_VALUES, /* a list of texts */
	KEYWORD_NAMED,  /* a list of {const, title} */
	KEYWORD_FORMAT, /* one of four */
	KEYWORD_ITEMS,  /* of a choice of several */
	KEYWORD_ANY,    /* judged as an answer */
};

#define OF_STRING  1u
#define OF_NUMBER  2u /* integer, too */
#define OF_BOOLEAN 4u
#define OF_ARRAY   8u
#define OF_ITEMS   16u
#define OF_ALL     (OF_STRING | OF_NUMBER | OF_BOOLEAN | OF_ARRAY)

static const struct keyword {
	const char *name;
	unsigned of;
	enum keyword_kind kind;
} KEYWORDS[] = {
    {"type", OF_ALL | OF_ITEMS, KEYWORD_LABEL},
    {"title", OF_ALL, KEYWORD_LABEL},
    {"description", OF_ALL, KEYWORD_LABEL},
    {"default", OF_ALL, KEYWORD_ANY},
    {"minLength", OF_STRING, KEYWORD_COUNT},
    {"maxLength", OF_STRING, KEYWORD_COUNT},
    {"format", OF_STRING, KEYWORD_FORMAT},
    {"enum", OF_STRING | OF_ITEMS, KEYWORD_VALUES},
    {"enumNames", OF_STRING, KEYWORD_VALUES},
    {"oneOf", OF_STRING, KEYWORD_NAMED},
    {"anyOf", OF_ITEMS, KEYWORD_NAMED},
    {"minimum", OF_NUMBER, KEYWORD_NUMBER},
    {"maximum", OF_NUMBER, KEYWORD_NUMBER},
    {"minItems", OF_ARRAY, KEYWORD_COUNT},
    {"maxItems", OF_ARRAY, KEYWORD_COUNT},
    {"items", OF_ARRAY, KEYWORD_ITEMS},
};

static const struct keyword *find_keyword(const char *name, unsigned of)
{
	for (size_t i = 0; i < sizeof(KEYWORDS) / sizeof(KEYWORDS[0]); i++)
		if (strcmp(KEYWORDS[i].name, name) == 0 && (KEYWORDS[i].of & of))
			return &KEYWORDS[i];
	return NULL;
}

static bool is_list(const json_t *list)
{
	return json_is_array(list) && json_array_size(list) > 0 &&
	       json_array_size(list) <= INQUIRY_VALUES_MAX;
}

static bool is_values(const json_t *list)
{
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		if (!is_label(value))
			return false;
	}
	return is_list(list);
}

static bool is_named(const json_t *list)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (json_object_size(entry) != 2 || !is_label(json_object_get(entry, "const")) ||
		    !is_label(json_object_get(entry, "title")))
			return false;
	}
	return is_list(list);
}

static bool is_format(const json_t *value)
{
	static const char *const FORMATS[] = {"email", "uri", "date", "date-time"};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < sizeof(FORMATS) / sizeof(FORMATS[0]); i++)
		if (strcmp(text, FORMATS[i]) == 0)
			return true;
	return false;
}

static bool keywords_hold(const json_t *schema, unsigned of);

static bool is_keyword(const struct keyword *keyword, const json_t *value)
{
	switch (keyword->kind) {
	case KEYWORD_LABEL: return is_label(value);
	case KEYWORD_COUNT: return json_is_integer(value) && json_integer_value(value) >= 0;
	case KEYWORD_NUMBER: return json_is_number(value);
	case KEYWORD_VALUES: return is_values(value);
	case KEYWORD_NAMED: return is_named(value);
	case KEYWORD_FORMAT: return is_format(value);
	case KEYWORD_ITEMS:
		return keywords_hold(value, OF_ITEMS) &&
		       !json_object_get(value, "enum") != !json_object_get(value, "anyOf");
	case KEYWORD_ANY: return true;
	}
	return false;
}

static bool keywords_hold(const json_t *schema, unsigned of)
{
	const char *name;
	json_t *value;

	if (!json_is_object(schema))
		return false;
	json_object_foreach((json_t *)(uintptr_t)schema, name, value)
	{
		const struct keyword *keyword = find_keyword(name, of);

		if (!keyword || !is_keyword(keyword, value))
			return false;
	}
	return true;
}

/* 0: none that a form can have. */
static unsigned type_of(const json_t *schema)
{
	const char *type = json_string_value(json_object_get(schema, "type"));

	if (!type)
		return 0;
	if (strcmp(type, "string") == 0)
		return OF_STRING;
	if (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0)
		return OF_NUMBER;
	if (strcmp(type, "boolean") == 0)
		return OF_BOOLEAN;
	return strcmp(type, "array") == 0 ? OF_ARRAY : 0;
}

/* ---- is a value what its field asks for? --------------------------------------------------- */

static bool is_among(const json_t *value, const json_t *plain, const json_t *named)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(plain, i, entry)
	{
		if (json_equal((json_t *)(uintptr_t)value, (json_t *)(uintptr_t)entry))
			return true;
	}
	json_array_foreach(named, i, entry)
	{
		if (json_equal((json_t *)(uintptr_t)value, json_object_get(entry, "const")))
			return true;
	}
	return !plain && !named;
}

/* Is there no such bound, or is the number on the right side of it? sign: 1 for a minimum. */
static bool is_within(const json_t *schema, const char *keyword, double number, int sign)
{
	const json_t *bound = json_object_get(schema, keyword);

	return !bound || sign * number >= sign * json_number_value(bound);
}

static bool is_several(const json_t *schema, const json_t *list)
{
	const json_t *items = json_object_get(schema, "items"), *value;
	double count = (double)json_array_size(list);
	size_t i;

	json_array_foreach(list, i, value)
	{
		if (!json_is_string(value) || !is_among(value, json_object_get(items, "enum"),
						  json_object_get(items, "anyOf")))
			return false;
	}
	return json_is_array(list) && json_array_size(list) <= INQUIRY_VALUES_MAX &&
	       is_within(schema, "minItems", count, 1) && is_within(schema, "maxItems", count, -1);
}

static bool is_value(const json_t *schema, const json_t *value)
{
	const char *type = json_string_value(json_object_get(schema, "type"));
	double number;

	switch (type_of(schema)) {
	case OF_BOOLEAN: return json_is_boolean(value);
	case OF_ARRAY: return is_several(schema, value);
	case OF_NUMBER:
		number = json_number_value(value);
		return (json_is_integer(value) ||
			   (json_is_real(value) && strcmp(type, "number") == 0)) &&
		       is_within(schema, "minimum", number, 1) &&
		       is_within(schema, "maximum", number, -1);
	case OF_STRING:
		number = (double)count_characters(value);
		return json_is_string(value) &&
		       is_among(value, json_object_get(schema, "enum"),
			   json_object_get(schema, "oneOf")) &&
		       is_within(schema, "minLength", number, 1) &&
		       is_within(schema, "maxLength", number, -1);
	default: return false;
	}
}

/* ---- the form ---------------------------------------------------------------------------- */

static int check_field(const char *name, const json_t *field, struct err_note *note)
{
	const json_t *value = json_object_get(field, "default");
	unsigned type = type_of(field);

	if (!is_key(name))
		return err_note(note, -EINVAL,
		    "requestedSchema: a field's name is 1 to 64 of A-Z a-z 0-9 _ . -");
	if (type == 0)
		return err_note(note, -EINVAL,
		    "requestedSchema.%s: type is one of string, number, integer, boolean, array",
		    name);
	if (!keywords_hold(field, type) || (type == OF_ARRAY && !json_object_get(field, "items")) ||
	    (json_object_get(field, "enum") && json_object_get(field, "oneOf")))
		return err_note(note, -EINVAL,
		    "requestedSchema.%s: has a keyword, or a value of one, that no form can show",
		    name);
	if (value && !is_value(field, value))
		return err_note(
		    note, -EINVAL, "requestedSchema.%s: its default is no answer to it", name);
	return 0;
}

static int check_required(const json_t *required, const json_t *properties, struct err_note *note)
{
	const json_t *name;
	size_t i;

	if (!required)
		return 0;
	json_array_foreach(required, i, name)
	{
		if (!json_is_string(name) || !json_object_get(properties, json_string_value(name)))
			return err_note(note, -EINVAL, "requestedSchema.required: names no field");
	}
	return json_is_array(required)
		   ? 0
		   : err_note(note, -EINVAL, "requestedSchema.required: is no list");
}

static int check_schema(const json_t *schema, struct err_note *note)
{
	static const char *const KNOWN[] = {"type", "properties", "required", "$schema"};
	json_t *properties = json_object_get(schema, "properties");
	const char *type = json_string_value(json_object_get(schema, "type"));
	size_t known = 0;
	const char *name;
	json_t *field;
	int r = 0;

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		known += json_object_get(schema, KNOWN[i]) != NULL;
	if (!json_is_object(schema) || !type || strcmp(type, "object") != 0 ||
	    json_object_size(schema) != known)
		return err_note(note, -EINVAL,
		    "requestedSchema: is {type: \"object\", properties, required} and no more");
	if (json_object_size(properties) == 0 || json_object_size(properties) > INQUIRY_FIELDS_MAX)
		return err_note(note, -EINVAL, "requestedSchema.properties: 1 to %d fields",
		    INQUIRY_FIELDS_MAX);
	json_object_foreach(properties, name, field)
	{
		if (r == 0)
			r = check_field(name, field, note);
	}
	return r ? r : check_required(json_object_get(schema, "required"), properties, note);
}

int inquiry_read(const json_t *params, const char *tool, struct inquiry *ret, struct err_note *note)
{
	const json_t *message = json_object_get(params, "message");
	json_t *schema = json_object_get(params, "requestedSchema");
	const json_t *name = json_object_get(params, "name");
	int r;

	*ret = (struct inquiry){.key = KEY_DEFAULT};
	if (!is_shown(message, INQUIRY_MESSAGE_MAX, true) || json_string_length(message) == 0)
		return err_note(note, -EINVAL,
		    "message: required, a text of at most %d bytes without control, "
		    "bidirectional or invisible characters",
		    INQUIRY_MESSAGE_MAX);
	if (name && (!json_is_string(name) || !is_key(json_string_value(name))))
		return err_note(note, -EINVAL, "name: must be 1 to 64 of A-Z a-z 0-9 _ . -");
	if (name && strcmp(json_string_value(name), FORM_KEY) == 0)
		return err_note(note, -EINVAL,
		    "name: \"" FORM_KEY "\" is callgate's own question; take another one");
	r = check_schema(schema, note);
	if (r < 0)
		return r;
	if (name)
		ret->key = json_string_value(name);
	ret->message = json_sprintf("The running tool \"%s\" asks you this, not callgate; your "
				    "answer goes to the tool and approves nothing.\n\n%s",
	    tool, json_string_value(message));
	ret->requested = json_incref(schema);
	if (ret->message)
		return 0;
	inquiry_fini(ret);
	return -ENOMEM;
}

void inquiry_fini(struct inquiry *inquiry)
{
	json_decref(inquiry->message);
	json_decref(inquiry->requested);
	*inquiry = (struct inquiry){.key = NULL};
}

json_t *inquiry_params(const struct inquiry *inquiry, enum mcp_revision revision)
{
	return json_pack("{s:O, s:O, s:s*}", "message", inquiry->message, "requestedSchema",
	    inquiry->requested, "mode", revision >= MCP_2025_11_25 ? "form" : NULL);
}

/* ---- the answer -------------------------------------------------------------------------- */

static bool is_filled(const json_t *schema, const json_t *content)
{
	const json_t *properties = json_object_get(schema, "properties"), *required;
	const char *name;
	json_t *value;
	size_t i;

	if (!json_is_object(content))
		return false;
	json_array_foreach(json_object_get(schema, "required"), i, required)
	{
		if (!json_object_get(content, json_string_value(required)))
			return false;
	}
	json_object_foreach((json_t *)(uintptr_t)content, name, value)
	{
		const json_t *field = json_object_get(properties, name);

		if (!field || !is_value(field, value))
			return false;
	}
	return true;
}

json_t *inquiry_answer(const struct inquiry *inquiry, const json_t *result)
{
	const char *action = json_string_value(json_object_get(result, "action"));
	json_t *content = json_object_get(result, "content");

	if (!action)
		return NULL;
	if (strcmp(action, "decline") == 0 || strcmp(action, "cancel") == 0)
		return json_pack("{s:s}", "action", action);
	if (strcmp(action, "accept") != 0 || !is_filled(inquiry->requested, content))
		return NULL;
	return json_pack("{s:s, s:O}", "action", "accept", "content", content);
}
