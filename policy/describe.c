#include "policy/describe.h"

#include <stdio.h>
#include <string.h>

#include "policy/text.h"
#include "policy/keys.h"

#define VARIABLE     "{\"$ref\":\"#/$defs/variable\"}"
#define KEY_PATH_MAX 160

static void put_keys(struct buf *out, const struct schema_key *keys, const char *required);

/* ---- values ------------------------------------------------------------------------------- */

static void put_choices(struct buf *out, const char *const *choices)
{
	const char *comma = "";

	buf_text(out, "\"enum\":[");
	for (; *choices; choices++) {
		if (!**choices)
			continue;
		buf_text(out, comma);
		text_quote(out, *choices);
		comma = ",";
	}
	buf_text(out, "]");
}

/* A text, or each of several: with a pattern, or one of a few; always a variable, too. */
static void put_text(struct buf *out, const struct schema_key *key)
{
	buf_text(out, "\"type\":\"string\",\"minLength\":1");
	if (!key->choices && !key->pattern)
		return;
	buf_text(out, ",\"anyOf\":[{");
	if (key->choices) {
		put_choices(out, key->choices);
	} else {
		buf_text(out, "\"pattern\":");
		text_quote(out, key->pattern);
	}
	buf_text(out, "}," VARIABLE "]");
}

static void put_words(struct buf *out, const struct schema_key *key)
{
	buf_text(out, "\"type\":\"array\",");
	if (key->max)
		buf_textf(out, "\"maxItems\":%llu,", (unsigned long long)key->max);
	buf_text(out, "\"items\":{");
	put_text(out, key);
	buf_text(out, "}");
}

static void put_number(struct buf *out, uint64_t min, uint64_t max)
{
	buf_textf(out,
	    "\"anyOf\":[{\"type\":\"integer\",\"minimum\":%llu,\"maximum\":%llu}," VARIABLE "]",
	    (unsigned long long)min, (unsigned long long)max);
}

static void put_named(struct buf *out, const struct schema_list *list)
{
	buf_textf(out,
	    "\"type\":\"object\",\"maxProperties\":%u,\"propertyNames\":{\"pattern\":", list->max);
	text_quote(out, list->pattern);
	buf_text(out, "},\"additionalProperties\":{");
	put_keys(out, list->keys, list->required);
	buf_text(out, "}");
}

static void put_rows(struct buf *out, const struct schema_list *list)
{
	buf_textf(out, "\"type\":\"array\",\"maxItems\":%u,\"items\":{", list->max);
	put_keys(out, list->keys, list->required);
	buf_text(out, "}");
}

/* ---- keys --------------------------------------------------------------------------------- */

static void put_bool(struct buf *out, const struct schema_key *key)
{
	(void)key;
	buf_text(out, "\"anyOf\":[{\"type\":\"boolean\"}," VARIABLE "]");
}

static void put_duration(struct buf *out, const struct schema_key *key)
{
	(void)key;
	buf_text(out, "\"$ref\":\"#/$defs/duration\"");
}

static void put_size(struct buf *out, const struct schema_key *key)
{
	(void)key;
	buf_text(out, "\"$ref\":\"#/$defs/size\"");
}

static void put_count(struct buf *out, const struct schema_key *key)
{
	put_number(out, key->min, key->max);
}

static void put_id(struct buf *out, const struct schema_key *key)
{
	(void)key;
	put_number(out, 0, UINT32_MAX - 1);
}

static void put_section(struct buf *out, const struct schema_key *key)
{
	put_keys(out, key->keys, NULL);
}

static void put_named_key(struct buf *out, const struct schema_key *key)
{
	put_named(out, key->list);
}

static void put_rows_key(struct buf *out, const struct schema_key *key)
{
	put_rows(out, key->list);
}

static const struct {
	schema_read *read;
	void (*put)(struct buf *out, const struct schema_key *key);
} forms[] = {
    {read_text, put_text},
    {read_choice, put_text},
    {read_choice_text, put_text},
    {read_bool, put_bool},
    {read_duration, put_duration},
    {read_size, put_size},
    {read_count, put_count},
    {read_id, put_id},
    {read_words, put_words},
    {read_section, put_section},
    {read_named, put_named_key},
    {read_rows, put_rows_key},
};

static void put_like(struct buf *out, const struct schema_key *key)
{
	schema_read *like = key->like ? key->like : key->read;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (forms[i].read == like)
			forms[i].put(out, key);
	}
}

static void put_key(struct buf *out, const struct schema_key *key)
{
	buf_text(out, "{\"description\":");
	text_quote(out, key->about);
	if (key->form && key->like) {
		buf_textf(out, ",\"anyOf\":[%s,{", key->form);
		put_like(out, key);
		buf_text(out, "}]");
	} else if (key->form) {
		buf_textf(out, ",\"anyOf\":[%s]", key->form);
	} else if (key->read != read_foreign) {
		buf_text(out, ",");
		put_like(out, key);
	}
	buf_text(out, "}");
}

static void put_keys(struct buf *out, const struct schema_key *keys, const char *required)
{
	const char *comma = "";

	buf_text(out, "\"type\":\"object\",\"additionalProperties\":false,");
	if (required)
		buf_textf(out, "\"required\":[%s],", required);
	buf_text(out, "\"properties\":{");
	for (; keys->name; keys++) {
		if (keys->read == read_later)
			continue;
		buf_text(out, comma);
		text_quote(out, keys->name);
		buf_text(out, ":");
		put_key(out, keys);
		comma = ",";
	}
	buf_text(out, "}");
}

int policy_describe(struct buf *out)
{
	buf_text(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
		      "\"title\":\"callgate.yaml\",\"description\":\"The policy of callgated: who "
		      "may call which tool, what a human must approve, within which walls.\",");
	put_keys(out, policy_keys, NULL);
	buf_text(out, ",\"$defs\":{"
		      "\"variable\":{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"},"
		      "\"duration\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":"
		      "\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)?$|\\\\$\\\\{\"}]},"
		      "\"size\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":"
		      "\"string\",\"pattern\":\"^[0-9]+(B|[kMGT]B|[KMGT]iB)?$|\\\\$\\\\{\"}]}}}");
	return out->fault;
}

/* ---- the list of keys --------------------------------------------------------------------- */

static void list_keys(struct buf *out, const struct schema_key *keys, const char *prefix)
{
	for (; keys->name; keys++) {
		const struct schema_list *list = keys->list;
		char path[KEY_PATH_MAX];

		snprintf(path, sizeof(path), "%s%s", prefix, keys->name);
		buf_textf(out, "%s\n", path);
		snprintf(path, sizeof(path), "%s%s%s.", prefix, keys->name,
		    list && list->judge ? ".NAME" : "");
		if (list)
			list_keys(out, list->keys, path);
		else if (keys->keys)
			list_keys(out, keys->keys, path);
	}
}

int policy_describe_keys(struct buf *out)
{
	list_keys(out, policy_keys, "");
	return out->fault;
}
