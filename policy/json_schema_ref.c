/*
 * $ref, after everything is compiled: from a pointer to the schema it means. The pointer is
 * followed keyword by keyword, so that only what stands where a schema stands can be meant, never
 * a part of a const, of an enum or of a default.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema.h"
#include "policy/json_schema_compile.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/err.h"
#include "supervisor/base/str.h"

static int refuse_ref(
    const struct schema_compiler *compiler, const struct schema_ref *ref, const char *why)
{
	char shown[JSON_QUOTE_MAX];

	return err_note(compiler->note, -EINVAL, "%s: %s: %s", ref->place,
	    json_text_quote(shown, ref->target, strlen(ref->target)), why);
}

/* ---- the pointer ----------------------------------------------------------------------------- */

/* %NN in place; -EINVAL when it is none, or would be a NUL. */
static int decode_percent(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		uint8_t byte = (uint8_t)*at;
		char digits[3] = "";

		if (*at == '%') {
			memcpy(digits, at + 1, strnlen(at + 1, 2));
			if (strlen(digits) != 2 || str_unhex(&byte, 1, digits) < 0 || byte == 0)
				return -EINVAL;
			at += 2;
		}
		*to++ = (char)byte;
	}
	*to = '\0';
	return 0;
}

/* ~0 and ~1 of one token in place; -EINVAL for another ~. */
static int decode_tilde(char *token)
{
	char *to = token;

	for (const char *at = token; *at; at++) {
		if (*at != '~') {
			*to++ = *at;
		} else if (at[1] == '0' || at[1] == '1') {
			*to++ = *++at == '0' ? '~' : '/';
		} else {
			return -EINVAL;
		}
	}
	*to = '\0';
	return 0;
}

/* Cuts the next token from *rest, which begins with a slash or is empty. NULL at the end or when
 * the token cannot be read; *rest is NULL then in the second case. */
static char *next_token(char **rest)
{
	char *token = *rest;
	char *end;

	if (!token || *token != '/') {
		if (token && *token)
			*rest = NULL;
		return NULL;
	}
	token++;
	end = strchr(token, '/');
	if (end) {
		/* The slash moves on with the rest: the token ends where it was. */
		size_t len = (size_t)(end - token);

		memmove(token - 1, token, len);
		token[len - 1] = '\0';
		token--;
		*rest = end;
	} else {
		*rest = token + strlen(token);
	}
	if (decode_tilde(token) < 0) {
		*rest = NULL;
		return NULL;
	}
	return token;
}

static const json_t *element(const json_t *list, const char *token)
{
	uint64_t index = 0;

	if ((token[0] == '0' && token[1]) || str_u64(token, UINT32_MAX, &index) < 0)
		return NULL;
	return json_array_get(list, (size_t)index);
}

/* The JSON of the schema that the pointer means, NULL if it means none. */
static const json_t *follow(const json_t *schema, char *pointer)
{
	char *token;

	while ((token = next_token(&pointer))) {
		enum schema_shape shape = schema_keyword_shape(token);
		const json_t *value = json_object_get(schema, token);

		if (shape == SCHEMA_SHAPE_NONE)
			return NULL;
		if (shape != SCHEMA_SHAPE_ONE) {
			token = next_token(&pointer);
			if (!token)
				return NULL;
			value = shape == SCHEMA_SHAPE_MAP ? json_object_get(value, token)
							  : element(value, token);
		}
		schema = value;
	}
	return pointer ? schema : NULL;
}

/* ---- joining --------------------------------------------------------------------------------- */

static int by_json(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct schema_source *)a)->json;
	uintptr_t y = (uintptr_t)((const struct schema_source *)b)->json;

	return x < y ? -1 : x > y;
}

static int join(struct schema_compiler *compiler, const struct schema_ref *ref)
{
	char cleanup_free *pointer = NULL;
	struct schema_source key = {0};
	const struct schema_source *found = NULL;

	if (ref->target[0] != '#' || (ref->target[1] && ref->target[1] != '/'))
		return refuse_ref(compiler, ref,
		    "not in this schema; only # and #/ are followed, as in #/$defs/name");
	pointer = strdup(ref->target + 1);
	if (!pointer)
		return -ENOMEM;
	if (decode_percent(pointer) == 0)
		key.json = follow(compiler->root, pointer);
	if (json_is_boolean(key.json)) {
		const struct json_place unused = {.key = ""};

		return schema_compile_node(compiler, key.json, &unused, &ref->node->ref);
	}
	if (key.json)
		found =
		    bsearch(&key, compiler->sources, compiler->source_count, sizeof(key), by_json);
	if (!found)
		return refuse_ref(compiler, ref, "no schema is there; as in #/$defs/name");
	ref->node->ref = found->node;
	return 0;
}

/* ---- loops ----------------------------------------------------------------------------------- */

enum loop_state {
	LOOP_UNSEEN = 0,
	LOOP_BELOW, /* being searched: to meet it again is a loop */
	LOOP_FREE,
};

struct loop_search {
	uint8_t *states; /* enum loop_state by node number */
	unsigned depth;
};

static int search_loop(struct loop_search *search, const struct schema_node *node);

static int search_list(struct loop_search *search, const struct schema_nodes *list)
{
	int r = 0;

	for (uint32_t i = 0; i < list->count && r == 0; i++)
		r = search_loop(search, list->items[i]);
	return r;
}

/* All that a schema applies to the very value it is applied to. */
static int search_below(struct loop_search *search, const struct schema_node *node)
{
	const struct schema_node *const single[] = {
	    node->ref, node->not_this, node->if_this, node->then_this, node->else_this};
	int r = search_list(search, &node->all_of);

	if (r == 0)
		r = search_list(search, &node->any_of);
	if (r == 0)
		r = search_list(search, &node->one_of);
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]) && r == 0; i++)
		r = search_loop(search, single[i]);
	for (uint32_t i = 0; i < node->dependent_schemas.count && r == 0; i++)
		r = search_loop(search, node->dependent_schemas.items[i].node);
	return r;
}

/* 0, -ELOOP, or -E2BIG for a way longer than any check may go. */
static int search_loop(struct loop_search *search, const struct schema_node *node)
{
	int r;

	if (!node || node->verdict != SCHEMA_RULES || search->states[node->number] == LOOP_FREE)
		return 0;
	if (search->states[node->number] == LOOP_BELOW)
		return -ELOOP;
	if (search->depth == JSON_SCHEMA_DEPTH_MAX)
		return -E2BIG;
	search->states[node->number] = LOOP_BELOW;
	search->depth++;
	r = search_below(search, node);
	search->depth--;
	search->states[node->number] = LOOP_FREE;
	return r;
}

/* Each reference is where a loop would be closed. */
static int refuse_loops(struct schema_compiler *compiler)
{
	uint8_t cleanup_free *states = calloc(compiler->source_count, sizeof(*states));
	struct loop_search search = {.states = states};

	if (!states)
		return -ENOMEM;
	for (const struct schema_ref *ref = compiler->refs; ref; ref = ref->next) {
		int r = search_loop(&search, ref->node);

		if (r == -ELOOP)
			return refuse_ref(compiler, ref,
			    "leads back to itself with the same value; refer to it from properties "
			    "or items");
		if (r < 0)
			return refuse_ref(compiler, ref, "leads on too far; 64 schemas at most");
	}
	return 0;
}

int schema_join_refs(struct schema_compiler *compiler)
{
	if (!compiler->refs)
		return 0;
	qsort(compiler->sources, compiler->source_count, sizeof(*compiler->sources), by_json);
	for (const struct schema_ref *ref = compiler->refs; ref; ref = ref->next) {
		int r = join(compiler, ref);

		if (r < 0)
			return r;
	}
	return refuse_loops(compiler);
}
