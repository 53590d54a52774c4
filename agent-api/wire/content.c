#include "agent-api/wire/content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define PATH_MAX_LEN 64 /* of the place in a note: "content[255].resource.mimeType" */

/* What a field of an object may be. Zero is the end of a list. */
enum field_kind {
	FIELD_END = 0,
	FIELD_TEXT,     /* any text */
	FIELD_NAME,     /* not empty, short */
	FIELD_URI,      /* the same, with a scheme */
	FIELD_MEDIA,    /* type/subtype */
	FIELD_IMAGE,    /* image/subtype */
	FIELD_AUDIO,    /* audio/subtype */
	FIELD_BASE64,   /* standard, with padding */
	FIELD_SIZE,     /* an integer from 0 */
	FIELD_AUDIENCE, /* a list of "user" and "assistant" */
	FIELD_PRIORITY, /* a number from 0 to 1 */
	FIELD_NOTES,    /* annotations */
	FIELD_RESOURCE, /* an embedded resource */
	FIELD_LIST,     /* the items */
	FIELD_ANYTHING, /* any JSON */
	FIELD_TRUTH,    /* true or false */
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
};

static const struct field TEXT_FIELDS[] = {
    {"type", FIELD_NAME, true},
    {"text", FIELD_TEXT, true},
    {"annotations", FIELD_NOTES, false},
    {NULL, FIELD_END, false},
};
static const struct field IMAGE_FIELDS[] = {
    {"type", FIELD_NAME, true},
    {"data", FIELD_BASE64, true},
    {"mimeType", FIELD_IMAGE, true},
    {"annotations", FIELD_NOTES, false},
    {NULL, FIELD_END, false},
};
static const struct field AUDIO_FIELDS[] = {
    {"type", FIELD_NAME, true},
    {"data", FIELD_BASE64, true},
    {"mimeType", FIELD_AUDIO, true},
    {"annotations", FIELD_NOTES, false},
    {NULL, FIELD_END, false},
};
static const struct field LINK_FIELDS[] = {
    {"type", FIELD_NAME, true},
    {"uri", FIELD_URI, true},
    {"name", FIELD_NAME, true},
    {"title", FIELD_NAME, false},
    {"description", FIELD_TEXT, false},
    {"mimeType", FIELD_MEDIA, false},
    {"size", FIELD_SIZE, false},
    {"annotations", FIELD_NOTES, false},
    {NULL, FIELD_END, false},
};
static const struct field EMBEDDED_FIELDS[] = {
    {"type", FIELD_NAME, true},
    {"resource", FIELD_RESOURCE, true},
    {"annotations", FIELD_NOTES, false},
    {NULL, FIELD_END, false},
};
static const struct field RESOURCE_FIELDS[] = {
    {"uri", FIELD_URI, true},
    {"mimeType", FIELD_MEDIA, false},
    {"text", FIELD_TEXT, false},
    {"blob", FIELD_BASE64, false},
    {NULL, FIELD_END, false},
};
static const struct field NOTES_FIELDS[] = {
    {"audience", FIELD_AUDIENCE, false},
    {"priority", FIELD_PRIORITY, false},
    {"lastModified", FIELD_NAME, false},
    {NULL, FIELD_END, false},
};
static const struct field TOP_FIELDS[] = {
    {"content", FIELD_LIST, false},
    {"structuredContent", FIELD_ANYTHING, false},
    {"isError", FIELD_TRUTH, false},
    {NULL, FIELD_END, false},
};

struct item_type {
	const char *name;
	const struct field *fields;
	enum mcp_revision since;
};

static const struct item_type ITEM_TYPES[] = {
    {"text", TEXT_FIELDS, MCP_2024_11_05},
    {"image", IMAGE_FIELDS, MCP_2024_11_05},
    {"audio", AUDIO_FIELDS, MCP_2025_03_26},
    {"resource", EMBEDDED_FIELDS, MCP_2024_11_05},
    {"resource_link", LINK_FIELDS, MCP_2025_06_18},
};

static const struct item_type *find_type(const json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "type"));

	for (size_t i = 0; name && i < sizeof(ITEM_TYPES) / sizeof(ITEM_TYPES[0]); i++)
		if (strcmp(ITEM_TYPES[i].name, name) == 0)
			return &ITEM_TYPES[i];
	return NULL;
}

/* ---- texts ------------------------------------------------------------------------------- */

static bool is_short(const json_t *value)
{
	return json_string_length(value) > 0 && json_string_length(value) <= CONTENT_URI_MAX;
}

/* A scheme, a colon, and nothing that is no printable ASCII (RFC 3986). */
static bool is_uri(const char *text)
{
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789+-.");

	if (scheme == 0 || text[scheme] != ':' ||
	    !strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		text[0]))
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* A token, a slash, a token (RFC 9110); parameters are taken as printable ASCII behind ";". */
static bool is_media_type(const char *text, const char *prefix)
{
	static const char TOKEN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789!#$&^_.+-";
	size_t type = strspn(text, TOKEN), subtype;

	if (type == 0 || text[type] != '/' || strncmp(text, prefix, strlen(prefix)) != 0)
		return false;
	subtype = strspn(text + type + 1, TOKEN);
	if (subtype == 0)
		return false;
	text += type + 1 + subtype;
	if (*text && *text != ';')
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* 1, 0 or -ENOMEM. */
static int is_base64(const json_t *value)
{
	size_t len = json_string_length(value), got = 0;
	uint8_t *cleanup_free bytes = malloc(len + 1);

	if (!bytes)
		return -ENOMEM;
	return str_unbase64(bytes, len + 1, json_string_value(value), len, &got) == 0;
}

static bool is_audience(const json_t *value)
{
	const json_t *who;
	size_t i;

	json_array_foreach(value, i, who)
	{
		const char *name = json_string_value(who);

		if (!name || (strcmp(name, "user") != 0 && strcmp(name, "assistant") != 0))
			return false;
	}
	return json_is_array(value) && json_array_size(value) <= 2;
}

/* ---- objects ----------------------------------------------------------------------------- */

/* Where we are, for notes. */
struct place {
	char path[PATH_MAX_LEN];
	struct err_note *note;
};

static int check_object(const struct place *at, const json_t *object, const struct field *fields);

static int refuse(const struct place *at, const char *name, const char *why)
{
	return err_note(at->note, -EINVAL, "%s%s%.40s: %s", at->path,
	    at->path[0] && name[0] ? "." : "", name, why);
}

static int check_inner(const struct place *at, const struct field *field, const json_t *value)
{
	struct place inner = {.note = at->note};
	bool one = !json_object_get(value, "text") != !json_object_get(value, "blob");
	int r;

	(void)snprintf(inner.path, sizeof(inner.path), "%.40s.%s", at->path, field->name);
	r = check_object(
	    &inner, value, field->kind == FIELD_NOTES ? NOTES_FIELDS : RESOURCE_FIELDS);
	if (r == 0 && field->kind == FIELD_RESOURCE && !one)
		r = refuse(&inner, "", "has either text or blob");
	return r;
}

static int check_text(const struct place *at, const struct field *field, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return refuse(at, field->name, "is no string");
	if (field->kind != FIELD_TEXT && !is_short(value))
		return refuse(at, field->name, "is empty, or longer than 2048 bytes");
	if (field->kind == FIELD_URI && !is_uri(text))
		return refuse(at, field->name, "is no absolute URI");
	if ((field->kind == FIELD_MEDIA && !is_media_type(text, "")) ||
	    (field->kind == FIELD_IMAGE && !is_media_type(text, "image/")) ||
	    (field->kind == FIELD_AUDIO && !is_media_type(text, "audio/")))
		return refuse(at, field->name, "is no media type of this kind of item");
	return 0;
}

static int check_base64(const struct place *at, const struct field *field, const json_t *value)
{
	int good = json_is_string(value) ? is_base64(value) : 0;

	if (good < 0)
		return good;
	return good ? 0 : refuse(at, field->name, "is not base64");
}

static int check_list(const struct place *at, const struct field *field, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return refuse(at, field->name, "is no list");
	if (json_array_size(value) > CONTENT_ITEMS_MAX)
		return refuse(at, field->name, "has more than 256 items");
	json_array_foreach(value, i, item)
	{
		const struct item_type *type = find_type(item);
		struct place inner = {.note = at->note};
		int r;

		(void)snprintf(inner.path, sizeof(inner.path), "content[%zu]", i);
		if (!type)
			return refuse(
			    &inner, "type", "choose text, image, audio, resource or resource_link");
		r = check_object(&inner, item, type->fields);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_field(const struct place *at, const struct field *field, const json_t *value)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_URI:
	case FIELD_MEDIA:
	case FIELD_IMAGE:
	case FIELD_AUDIO: return check_text(at, field, value);
	case FIELD_BASE64: return check_base64(at, field, value);
	case FIELD_SIZE:
		return json_is_integer(value) && json_integer_value(value) >= 0
			   ? 0
			   : refuse(at, field->name, "is no integer from 0");
	case FIELD_AUDIENCE:
		return is_audience(value)
			   ? 0
			   : refuse(at, field->name, "is a list of \"user\" and \"assistant\"");
	case FIELD_PRIORITY:
		return json_is_number(value) && json_number_value(value) >= 0 &&
			       json_number_value(value) <= 1
			   ? 0
			   : refuse(at, field->name, "is no number from 0 to 1");
	case FIELD_NOTES:
	case FIELD_RESOURCE: return check_inner(at, field, value);
	case FIELD_LIST: return check_list(at, field, value);
	case FIELD_ANYTHING: return 0;
	case FIELD_TRUTH:
		return json_is_boolean(value) ? 0 : refuse(at, field->name, "is true or false");
	case FIELD_END: break;
	}
	return refuse(at, field->name, "is not known");
}

static const struct field *find_field(const struct field *fields, const char *name)
{
	while (fields->name && strcmp(fields->name, name) != 0)
		fields++;
	return fields->name ? fields : NULL;
}

static int check_object(const struct place *at, const json_t *object, const struct field *fields)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return refuse(at, "", "is no object");
	for (const struct field *field = fields; field->name; field++)
		if (field->required && !json_object_get(object, field->name))
			return refuse(at, field->name, "is missing");
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		const struct field *field = find_field(fields, name);
		int r = field ? check_field(at, field, value)
			      : refuse(at, name, "is not known here; remove it");

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int check_top(const struct place *at, const json_t *object)
{
	int r = check_object(at, object, TOP_FIELDS);

	if (r == 0 && !json_object_get(object, "content") &&
	    !json_object_get(object, "structuredContent"))
		r = refuse(at, "content", "is missing, and so is structuredContent");
	return r;
}

int content_read(const void *text, size_t len, struct content *ret, struct err_note *note)
{
	const struct place top = {.path = "", .note = note};
	json_t *object = NULL, *items;
	int r = value_read(text, len, &object, note);

	*ret = (struct content){.items = NULL};
	if (r == 0 && !json_is_object(object))
		r = err_note(note, -EINVAL, "the output: is no JSON object");
	if (r == 0)
		r = check_top(&top, object);
	if (r == 0) {
		items = json_object_get(object, "content");
		ret->items = items ? json_incref(items) : json_array();
		ret->structured = json_incref(json_object_get(object, "structuredContent"));
		ret->is_error = json_is_true(json_object_get(object, "isError"));
		if (!ret->items) {
			content_fini(ret);
			r = -ENOMEM;
		}
	}
	json_decref(object);
	return r;
}

void content_fini(struct content *content)
{
	json_decref(content->items);
	json_decref(content->structured);
	*content = (struct content){.items = NULL};
}

static json_t *in_words(const json_t *item)
{
	const char *type = json_string_value(json_object_get(item, "type"));
	const char *uri = json_string_value(json_object_get(item, "uri"));

	return json_pack("{s:s, s:o}", "type", "text", "text",
	    json_sprintf("[%s%s%s: not for this revision of the protocol]", type, uri ? " " : "",
		uri ? uri : ""));
}

static json_t *structured_item(const json_t *structured)
{
	char *cleanup_free text = json_dumps(structured, JSON_COMPACT | JSON_ENCODE_ANY);

	return text ? json_pack("{s:s, s:s}", "type", "text", "text", text) : NULL;
}

json_t *content_for(const struct content *content, enum mcp_revision revision)
{
	json_t *list = json_array(), *item;
	size_t i;
	int r = list ? 0 : -ENOMEM;

	json_array_foreach(content->items, i, item)
	{
		const struct item_type *type = find_type(item);

		if (r == 0)
			r = json_array_append_new(list,
			    type && type->since <= revision ? json_incref(item) : in_words(item));
	}
	if (r == 0 && json_array_size(list) == 0 && content->structured)
		r = json_array_append_new(list, structured_item(content->structured));
	if (r == 0)
		return list;
	json_decref(list);
	return NULL;
}
