#include "policy/json_schema.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/json_schema_compile.h"
#include "policy/json_schema_regex.h"
#include "supervisor/base/err.h"

/* A level is a keyword and, in properties and its like, a name. */
#define JSON_DEPTH_MAX (2 * JSON_SCHEMA_LEVELS_MAX + 2)

static const struct schema_node anything = {.verdict = SCHEMA_ANYTHING};
static const struct schema_node nothing = {.verdict = SCHEMA_NOTHING};

static int refuse_at(
    const struct schema_compiler *compiler, const struct json_place *place, const char *why)
{
	char text[JSON_PLACE_MAX];

	return err_note(compiler->note, -EINVAL, "%s: %s", json_place_text(text, place), why);
}

/* Counts every JSON value, so that nothing after this walks further than it may. */
static int measure(const json_t *json, unsigned depth, uint32_t *count)
{
	json_t *own = (json_t *)json; /* jansson's iterators ask for it; nothing is changed */
	int r = 0;

	if (depth > JSON_DEPTH_MAX || ++*count > JSON_SCHEMA_NODES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(json) && r == 0; i++)
		r = measure(json_array_get(json, i), depth + 1, count);
	if (!json_is_object(json))
		return r;
	for (void *it = json_object_iter(own); it && r == 0; it = json_object_iter_next(own, it))
		r = measure(json_object_iter_value(it), depth + 1, count);
	return r;
}

static int compile_rules(struct schema_compiler *compiler, const json_t *json,
    const struct json_place *place, struct schema_node *node)
{
	json_t *own = (json_t *)json; /* as in measure() */

	for (void *it = json_object_iter(own); it; it = json_object_iter_next(own, it)) {
		const struct json_place inner = {.up = place, .key = json_object_iter_key(it)};
		struct schema_use use = {.compiler = compiler,
		    .node = node,
		    .value = json_object_iter_value(it),
		    .place = &inner};
		int r = schema_keyword_read(&use, inner.key);

		if (r < 0)
			return r;
	}
	return 0;
}

int schema_compile_node(struct schema_compiler *compiler, const json_t *json,
    const struct json_place *place, const struct schema_node **ret)
{
	struct schema_node *node;
	int r;

	if (json_is_boolean(json)) {
		*ret = json_is_true(json) ? &anything : &nothing;
		return 0;
	}
	if (!json_is_object(json))
		return refuse_at(compiler, place, "not a schema; write an object, true or false");
	if (compiler->level == JSON_SCHEMA_LEVELS_MAX)
		return refuse_at(compiler, place,
		    "more than 32 schemas inside each other; move inner ones to $defs");
	node = arena_alloc(&compiler->schema->arena, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->verdict = SCHEMA_RULES;
	node->number = compiler->source_count;
	compiler->sources[compiler->source_count++] = (struct schema_source){json, node};
	compiler->level++;
	r = compile_rules(compiler, json, place, node);
	compiler->level--;
	if (r == 0)
		*ret = node;
	return r;
}

static int compile(struct schema_compiler *compiler)
{
	const struct json_place top = {.key = ""};
	uint32_t count = 0;
	int r;

	if (measure(compiler->root, 0, &count) < 0)
		return refuse_at(
		    compiler, &top, "too large or too deep; at most 20000 values and 66 levels");
	compiler->schema->kept = json_array();
	compiler->sources = calloc(count, sizeof(*compiler->sources));
	if (!compiler->schema->kept || !compiler->sources)
		return -ENOMEM;
	r = schema_compile_node(compiler, compiler->root, &top, &compiler->schema->root);
	if (r == 0)
		r = schema_join_refs(compiler);
	return r;
}

int json_schema_compile(const json_t *schema, struct json_schema **ret, struct err_note *note)
{
	struct schema_compiler compiler = {.root = schema, .note = note};
	int r;

	if (!schema)
		return err_note(note, -EINVAL, "schema: absent; write an object, true or false");
	compiler.schema = calloc(1, sizeof(*compiler.schema));
	if (!compiler.schema)
		return -ENOMEM;
	r = compile(&compiler);
	free(compiler.sources);
	if (r == 0)
		*ret = compiler.schema;
	else
		json_schema_free(compiler.schema);
	return r;
}

void json_schema_free(struct json_schema *schema)
{
	if (!schema)
		return;
	json_decref(schema->kept);
	json_regex_free(schema->regexes);
	arena_fini(&schema->arena);
	free(schema);
}
