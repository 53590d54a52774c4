#include "policy/json_schema_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define BYTES_A_STEP 64

bool json_budget_spend(struct json_budget *budget, uint64_t steps)
{
	if (budget->steps < steps) {
		budget->steps = 0;
		return false;
	}
	budget->steps -= steps;
	return true;
}

/* ---- equality -------------------------------------------------------------------------------- */

static enum json_same same_at(
    const json_t *a, const json_t *b, struct json_budget *budget, unsigned depth);

static enum json_same same_text(const json_t *a, const json_t *b, struct json_budget *budget)
{
	size_t len = json_string_length(a);

	if (len != json_string_length(b))
		return JSON_SAME_NO;
	if (!json_budget_spend(budget, len / BYTES_A_STEP))
		return JSON_SAME_TOO_MUCH;
	return memcmp(json_string_value(a), json_string_value(b), len) ? JSON_SAME_NO
								       : JSON_SAME_YES;
}

static enum json_same same_array(
    const json_t *a, const json_t *b, struct json_budget *budget, unsigned depth)
{
	if (json_array_size(a) != json_array_size(b))
		return JSON_SAME_NO;
	for (size_t i = 0; i < json_array_size(a); i++) {
		enum json_same same =
		    same_at(json_array_get(a, i), json_array_get(b, i), budget, depth + 1);

		if (same != JSON_SAME_YES)
			return same;
	}
	return JSON_SAME_YES;
}

static enum json_same same_object(
    const json_t *a, const json_t *b, struct json_budget *budget, unsigned depth)
{
	json_t *own = (json_t *)a; /* jansson's iterators ask for it; nothing is changed */

	if (json_object_size(a) != json_object_size(b))
		return JSON_SAME_NO;
	for (void *it = json_object_iter(own); it; it = json_object_iter_next(own, it)) {
		const json_t *other = json_object_get(b, json_object_iter_key(it));
		enum json_same same = JSON_SAME_NO;

		if (other)
			same = same_at(json_object_iter_value(it), other, budget, depth + 1);
		if (same != JSON_SAME_YES)
			return same;
	}
	return JSON_SAME_YES;
}

static enum json_same same_at(
    const json_t *a, const json_t *b, struct json_budget *budget, unsigned depth)
{
	if (depth > JSON_SCHEMA_DEPTH_MAX || !json_budget_spend(budget, 1))
		return JSON_SAME_TOO_MUCH;
	if (json_is_number(a) && json_is_number(b)) {
		int order = json_number_compare(json_number_of(a), json_number_of(b));

		return order ? JSON_SAME_NO : JSON_SAME_YES;
	}
	if (json_typeof(a) != json_typeof(b))
		return JSON_SAME_NO;
	if (json_is_string(a))
		return same_text(a, b, budget);
	if (json_is_array(a))
		return same_array(a, b, budget, depth);
	if (json_is_object(a))
		return same_object(a, b, budget, depth);
	return JSON_SAME_YES;
}

enum json_same json_value_compare(const json_t *a, const json_t *b, struct json_budget *budget)
{
	return same_at(a, b, budget, 0);
}

/* ---- twins ----------------------------------------------------------------------------------- */

struct hashed {
	uint64_t hash;
	size_t index;
};

static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	return hash ^ hash >> 32;
}

static uint64_t hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3U;
	return mix(hash);
}

/* Equal numbers have one hash: of the double nearest to them, 0 and -0 alike. */
static uint64_t hash_number(const json_t *value)
{
	double real = json_number_value(value);
	uint64_t bits = 0;

	if (real == 0)
		return mix(1);
	memcpy(&bits, &real, sizeof(bits));
	return mix(bits);
}

static bool hash_at(
    const json_t *value, struct json_budget *budget, unsigned depth, uint64_t *ret_hash);

/* The order of an object's members does not count, so their hashes are added. */
static bool hash_object(
    const json_t *value, struct json_budget *budget, unsigned depth, uint64_t *ret_hash)
{
	json_t *own = (json_t *)value; /* as in same_object() */
	uint64_t sum = 2, inner = 0;

	for (void *it = json_object_iter(own); it; it = json_object_iter_next(own, it)) {
		const char *key = json_object_iter_key(it);
		size_t len = strlen(key);

		if (!json_budget_spend(budget, len / BYTES_A_STEP) ||
		    !hash_at(json_object_iter_value(it), budget, depth + 1, &inner))
			return false;
		sum += mix(hash_bytes(key, len) ^ (inner * 31));
	}
	*ret_hash = mix(sum);
	return true;
}

static bool hash_array(
    const json_t *value, struct json_budget *budget, unsigned depth, uint64_t *ret_hash)
{
	uint64_t hash = 3, inner = 0;

	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!hash_at(json_array_get(value, i), budget, depth + 1, &inner))
			return false;
		hash = mix(hash * 31 + inner);
	}
	*ret_hash = hash;
	return true;
}

static bool hash_at(
    const json_t *value, struct json_budget *budget, unsigned depth, uint64_t *ret_hash)
{
	if (depth > JSON_SCHEMA_DEPTH_MAX || !json_budget_spend(budget, 1))
		return false;
	if (json_is_object(value))
		return hash_object(value, budget, depth, ret_hash);
	if (json_is_array(value))
		return hash_array(value, budget, depth, ret_hash);
	if (json_is_string(value)) {
		*ret_hash = hash_bytes(json_string_value(value), json_string_length(value));
		return json_budget_spend(budget, json_string_length(value) / BYTES_A_STEP);
	}
	*ret_hash = json_is_number(value) ? hash_number(value) : mix(16 + json_typeof(value));
	return true;
}

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The element at i against those after it that have its hash. */
static enum json_same find_twin_of(const json_t *array, const struct hashed *all, size_t i,
    struct json_budget *budget, size_t *ret_at)
{
	size_t count = json_array_size(array);

	for (size_t j = i + 1; j < count && all[j].hash == all[i].hash; j++) {
		enum json_same same = json_value_compare(json_array_get(array, all[i].index),
		    json_array_get(array, all[j].index), budget);

		*ret_at = j;
		if (same != JSON_SAME_NO)
			return same;
	}
	return JSON_SAME_NO;
}

int json_value_find_twins(
    const json_t *array, struct json_budget *budget, size_t *ret_first, size_t *ret_second)
{
	size_t count = json_array_size(array), at = 0;
	struct hashed cleanup_free *all = NULL;

	if (count < 2)
		return JSON_SAME_NO;
	if (count > budget->steps)
		return JSON_SAME_TOO_MUCH;
	all = calloc(count, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		all[i].index = i;
		if (!hash_at(json_array_get(array, i), budget, 0, &all[i].hash))
			return JSON_SAME_TOO_MUCH;
	}
	qsort(all, count, sizeof(*all), by_hash);
	for (size_t i = 0; i + 1 < count; i++) {
		enum json_same same = find_twin_of(array, all, i, budget, &at);

		if (same == JSON_SAME_YES) {
			*ret_first = all[i].index;
			*ret_second = all[at].index;
		}
		if (same != JSON_SAME_NO)
			return same;
	}
	return JSON_SAME_NO;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* len cut to at most max bytes, between code points. */
static size_t cut_text(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((uint8_t)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static const char *show(char out[JSON_QUOTE_MAX], const char *text, size_t len, size_t max)
{
	struct buf cleanup_with(buf_fini) escaped;
	size_t shown = cut_text(text, len, max);
	const char *words;

	buf_init(&escaped, 16 * JSON_QUOTE_MAX);
	str_escape(&escaped, text, shown);
	words = buf_cstr(&escaped);
	snprintf(out, JSON_QUOTE_MAX - 4, "%s%s", words ? words : "", shown < len ? "..." : "");
	return out;
}

const char *json_text_show(char out[JSON_QUOTE_MAX], const char *text, size_t len)
{
	return show(out, text, len, 120);
}

const char *json_text_quote(char out[JSON_QUOTE_MAX], const char *text, size_t len)
{
	char shown[JSON_QUOTE_MAX];

	snprintf(out, JSON_QUOTE_MAX, "\"%.*s\"", JSON_QUOTE_MAX - 4, show(shown, text, len, 60));
	return out;
}

const char *json_value_quote(char out[JSON_QUOTE_MAX], const json_t *value)
{
	const char *words = json_is_object(value)  ? "an object"
			    : json_is_array(value) ? "an array"
			    : json_is_true(value)  ? "true"
			    : json_is_false(value) ? "false"
						   : "null";

	if (json_is_string(value))
		return json_text_quote(out, json_string_value(value), json_string_length(value));
	if (json_is_integer(value))
		snprintf(out, JSON_QUOTE_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(out, JSON_QUOTE_MAX, "%.15g", json_real_value(value));
	else
		snprintf(out, JSON_QUOTE_MAX, "%s", words);
	return out;
}

static bool is_plain(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_-$");

	return len > 0 && len <= 60 && !key[len];
}

static void put_place(struct buf *out, const struct json_place *place)
{
	char quoted[JSON_QUOTE_MAX];

	if (place->up)
		put_place(out, place->up);
	if (!place->key) {
		buf_textf(out, "[%zu]", place->index);
		return;
	}
	if (!place->up) {
		buf_text(out, place->key);
		return;
	}
	if (out->len)
		buf_text(out, ".");
	buf_text(out, is_plain(place->key)
			  ? place->key
			  : json_text_quote(quoted, place->key, strlen(place->key)));
}

const char *json_place_text(char out[JSON_PLACE_MAX], const struct json_place *place)
{
	struct buf cleanup_with(buf_fini) text;

	/* A step that does not fit is a fault of the buffer and ends the path. */
	buf_init(&text, JSON_PLACE_MAX - 5);
	put_place(&text, place);
	snprintf(out, JSON_PLACE_MAX, "%.*s%s", (int)text.len,
	    text.data ? (const char *)text.data : "", text.fault ? "..." : "");
	if (!out[0])
		snprintf(out, JSON_PLACE_MAX, "schema");
	return out;
}
