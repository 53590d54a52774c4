#include "policy/rule_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MIN 1   /* bytes of a pattern's literal beginning that are worth an entry */
#define PREFIX_MAX 64  /* longer beginnings are cut: a shorter key finds more, never less */
#define ENUM_MAX   64  /* texts of one row; more, and it is looked at each time */
#define KEY_MAX    320 /* parameter, a NUL's stand-in, text; longer ones are not indexed */

enum key_kind {
	KEY_TEXT = 1,   /* the whole text */
	KEY_PREFIX = 2, /* what it begins with */
};

struct entry {
	uint32_t row;
	uint32_t next; /* index + 1 of the next entry of the same key; 0 ends */
};

struct rule_index {
	json_t *keys; /* key -> index + 1 of its newest entry */
	struct entry *entries;
	uint32_t entry_count, entry_cap;
	uint32_t *rest; /* rows without a key */
	uint32_t rest_count;
	uint64_t prefix_lengths; /* bit n - 1: some prefix has n bytes */
};

/* ---- keys ----------------------------------------------------------------------------------- */

/* "t<parameter>\x1f<text>": false when that is too long for a key. */
static bool make_key(
    char out[KEY_MAX], enum key_kind kind, const char *parameter, const char *text, size_t len)
{
	size_t name_len = strlen(parameter);

	if (name_len + len + 3 > KEY_MAX || memchr(text, '\0', len))
		return false;
	out[0] = kind == KEY_TEXT ? 't' : 'p';
	memcpy(out + 1, parameter, name_len);
	out[1 + name_len] = '\x1f';
	memcpy(out + 2 + name_len, text, len);
	out[2 + name_len + len] = '\0';
	return true;
}

static int grow(struct rule_index *index)
{
	uint32_t cap = index->entry_cap ? index->entry_cap * 2 : 64;
	struct entry *larger;

	if (index->entry_count < index->entry_cap)
		return 0;
	larger = realloc(index->entries, cap * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	index->entries = larger;
	index->entry_cap = cap;
	return 0;
}

static int put(struct rule_index *index, const char *key, uint32_t row)
{
	json_int_t before = json_integer_value(json_object_get(index->keys, key));
	int fault = grow(index);

	if (fault)
		return fault;
	index->entries[index->entry_count++] = (struct entry){row, (uint32_t)before};
	return json_object_set_new_nocheck(index->keys, key, json_integer(index->entry_count))
		   ? -ENOMEM
		   : 0;
}

/* ---- which key a condition gives --------------------------------------------------------------
 * */

/* A literal beginning of a pattern that every match must have: the characters after ^ that mean
 * themselves, less the last one where a quantifier may make it optional. */
static size_t literal_prefix(const char *pattern)
{
	size_t len;

	if (pattern[0] != '^' || strchr(pattern, '|'))
		return 0;
	len = strcspn(pattern + 1, "\\^$.[]()*+?{}");
	if (len && strchr("*?{", pattern[1 + len]) && pattern[1 + len])
		len--;
	return len < PREFIX_MAX ? len : PREFIX_MAX;
}

/* The rows of one condition: 1 indexed, 0 it gives no key, -ENOMEM. */
static int index_texts(
    struct rule_index *index, const char *parameter, const json_t *texts, uint32_t row)
{
	char keys[ENUM_MAX][KEY_MAX];
	const json_t *text;
	size_t i;

	if (json_array_size(texts) > ENUM_MAX)
		return 0;
	json_array_foreach(
	    texts, i, text) if (!json_is_string(text) ||
				!make_key(keys[i], KEY_TEXT, parameter, json_string_value(text),
				    json_string_length(text))) return 0;
	for (i = 0; i < json_array_size(texts); i++)
		if (put(index, keys[i], row))
			return -ENOMEM;
	return 1;
}

static int index_prefix(
    struct rule_index *index, const char *parameter, const char *pattern, uint32_t row)
{
	size_t len = literal_prefix(pattern);
	char key[KEY_MAX];

	/* A cut in the middle of a character is none to the value's bytes: it is compared as such.
	 * */
	if (len < PREFIX_MIN || !make_key(key, KEY_PREFIX, parameter, pattern + 1, len))
		return 0;
	while (len && ((unsigned char)pattern[1 + len] & 0xc0) == 0x80)
		len--;
	if (len < PREFIX_MIN || !make_key(key, KEY_PREFIX, parameter, pattern + 1, len))
		return 0;
	index->prefix_lengths |= UINT64_C(1) << (len - 1);
	return put(index, key, row) ? -ENOMEM : 1;
}

static bool is_text(const json_t *schema)
{
	const char *type = json_string_value(json_object_get(schema, "type"));

	return type && !strcmp(type, "string");
}

/* A pattern says nothing of what is no text: it is a key only where the value must be one. */
static int index_condition(struct rule_index *index, const struct policy_when *when,
    const json_t *properties, uint32_t row)
{
	/* These may be unknown, and then meet whatever restricts (policy/facts.h). */
	bool may_be_unknown = !strcmp(when->name, "argv") || !strcmp(when->name, "stdin");
	json_t *schema = may_be_unknown ? NULL : json_loads(when->schema, JSON_DECODE_ANY, NULL);
	json_t *constant = json_object_get(schema, "const");
	json_t *listed = json_object_get(schema, "enum");
	const char *pattern = json_string_value(json_object_get(schema, "pattern"));
	json_t *one = constant ? json_pack("[O]", constant) : NULL;
	int result = 0;

	if (one)
		result = index_texts(index, when->name, one, row);
	else if (json_is_array(listed))
		result = index_texts(index, when->name, listed, row);
	else if (pattern && (is_text(schema) || is_text(json_object_get(properties, when->name))))
		result = index_prefix(index, when->name, pattern, row);
	json_decref(one);
	json_decref(schema);
	return result;
}

static int index_row(struct rule_index *index, const struct policy_rule *rule,
    const json_t *properties, uint32_t row)
{
	for (uint32_t i = 0; i < rule->when_count; i++) {
		int result = index_condition(index, &rule->when[i], properties, row);

		if (result)
			return result < 0 ? result : 0;
	}
	index->rest[index->rest_count++] = row;
	return 0;
}

int rule_index_new(const struct policy_rule *rules, uint32_t count, const json_t *properties,
    struct rule_index **ret)
{
	struct rule_index *index = calloc(1, sizeof(*index));
	int fault = 0;

	if (!index)
		return -ENOMEM;
	index->keys = json_object();
	index->rest = calloc(count + 1u, sizeof(*index->rest));
	if (!index->keys || !index->rest)
		fault = -ENOMEM;
	for (uint32_t i = 0; !fault && i < count; i++)
		fault = index_row(index, &rules[i], properties, i);
	if (fault) {
		rule_index_free(index);
		return fault;
	}
	*ret = index;
	return 0;
}

void rule_index_free(struct rule_index *index)
{
	if (!index)
		return;
	json_decref(index->keys);
	free(index->entries);
	free(index->rest);
	free(index);
}

/* ---- looking ----------------------------------------------------------------------------------
 * */

struct found {
	const struct rule_index *index;
	uint32_t *rows;
	uint32_t count, cap;
};

static int add(struct found *found, uint32_t row)
{
	if (found->count == found->cap) {
		uint32_t cap = found->cap ? found->cap * 2 : 16;
		uint32_t *larger = realloc(found->rows, cap * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		found->rows = larger;
		found->cap = cap;
	}
	found->rows[found->count++] = row;
	return 0;
}

static int look(struct found *found, const char *key)
{
	const struct rule_index *index = found->index;
	uint32_t at = (uint32_t)json_integer_value(json_object_get(index->keys, key));
	int fault = 0;

	for (; at && !fault; at = index->entries[at - 1].next)
		fault = add(found, index->entries[at - 1].row);
	return fault;
}

static int look_up(struct found *found, const char *parameter, const char *text, size_t len)
{
	uint64_t lengths = found->index->prefix_lengths;
	char key[KEY_MAX];
	int fault = 0;

	if (make_key(key, KEY_TEXT, parameter, text, len))
		fault = look(found, key);
	for (size_t n = 1; !fault && n <= PREFIX_MAX && n <= len; n++)
		if ((lengths >> (n - 1) & 1) && make_key(key, KEY_PREFIX, parameter, text, n))
			fault = look(found, key);
	return fault;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Two conditions' keys never hold one row, but the two texts of one enum may. */
static void sort(struct found *found)
{
	uint32_t kept = 0;

	if (!found->count)
		return;
	qsort(found->rows, found->count, sizeof(*found->rows), compare);
	for (uint32_t i = 1; i < found->count; i++)
		if (found->rows[i] != found->rows[kept])
			found->rows[++kept] = found->rows[i];
	found->count = kept + 1;
}

int rule_index_find(
    const struct rule_index *index, const json_t *arguments, uint32_t **ret, uint32_t *ret_count)
{
	struct found found = {.index = index};
	const char *name;
	json_t *value;
	int fault = 0;

	for (uint32_t i = 0; !fault && i < index->rest_count; i++)
		fault = add(&found, index->rest[i]);
	json_object_foreach((json_t *)arguments, name, value) if (!fault && json_is_string(value))
	    fault = look_up(&found, name, json_string_value(value), json_string_length(value));
	if (fault) {
		free(found.rows);
		return fault;
	}
	sort(&found);
	*ret = found.rows;
	*ret_count = found.count;
	return 0;
}
