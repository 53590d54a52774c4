/* Arrays and objects: how many there are, which there must be, and each of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema.h"
#include "policy/json_schema_check.h"
#include "policy/json_schema_regex.h"

/* ---- how many -------------------------------------------------------------------------------- */

struct extent {
	const struct schema_limit *least, *most;
	const char *words;
};

static int check_extent(struct schema_check *check, const struct extent *extent, uint64_t count,
    const struct json_place *place)
{
	const struct schema_limit *wrong = NULL;

	if (extent->least->given && count < extent->least->count)
		wrong = extent->least;
	else if (extent->most->given && count > extent->most->count)
		wrong = extent->most;
	if (!wrong)
		return JSON_SCHEMA_VALID;
	return schema_check_refuse(check, place, "must have at %s %llu %s, and has %llu",
	    wrong == extent->least ? "least" : "most", (unsigned long long)wrong->count,
	    extent->words, (unsigned long long)count);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static int check_items(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	size_t count = json_array_size(value);

	if (!node->items && count > node->prefix_items.count)
		count = node->prefix_items.count;
	for (size_t i = 0; i < count; i++) {
		const struct json_place inner = {.up = place, .index = i};
		const struct schema_node *each =
		    i < node->prefix_items.count ? node->prefix_items.items[i] : node->items;
		int r;

		if (!json_budget_spend(&check->budget, 1))
			return schema_check_too_much(check, place);
		r = schema_check_node(check, each, json_array_get(value, i), &inner);
		if (r != JSON_SCHEMA_VALID)
			return r;
	}
	return JSON_SCHEMA_VALID;
}

static int check_contains(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct schema_limit one = {.given = true, .count = 1};
	const struct extent extent = {node->min_contains.given ? &node->min_contains : &one,
	    &node->max_contains, "items of the wanted kind (contains)"};
	uint64_t fitting = 0;

	if (!node->contains)
		return JSON_SCHEMA_VALID;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const struct json_place inner = {.up = place, .index = i};
		int r;

		if (!json_budget_spend(&check->budget, 1))
			return schema_check_too_much(check, place);
		r = schema_check_try(check, node->contains, json_array_get(value, i), &inner);
		if (r != JSON_SCHEMA_VALID && r != JSON_SCHEMA_INVALID)
			return r;
		fitting += r == JSON_SCHEMA_VALID;
	}
	return check_extent(check, &extent, fitting, place);
}

static int check_unique(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	size_t first = 0, second = 0;
	int same = JSON_SAME_NO;

	if (node->unique)
		same = json_value_find_twins(value, &check->budget, &first, &second);
	if (same < 0)
		return same;
	if (same == JSON_SAME_TOO_MUCH)
		return schema_check_too_much(check, place);
	return same == JSON_SAME_NO
		   ? JSON_SCHEMA_VALID
		   : schema_check_refuse(check, place,
			 "must hold each value once, and items %zu and %zu are the same", first,
			 second);
}

int schema_check_array(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct extent extent = {&node->min_items, &node->max_items, "items"};
	int r;

	if (!json_is_array(value))
		return JSON_SCHEMA_VALID;
	r = check_extent(check, &extent, json_array_size(value), place);
	if (r == JSON_SCHEMA_VALID)
		r = check_unique(check, node, value, place);
	if (r == JSON_SCHEMA_VALID)
		r = check_items(check, node, value, place);
	if (r == JSON_SCHEMA_VALID)
		r = check_contains(check, node, value, place);
	return r;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* `because` is the property that asks for the others, NULL if they are needed anyway. */
static int check_names(struct schema_check *check, const struct schema_names *names,
    const char *because, const json_t *value, const struct json_place *place)
{
	char missing[JSON_QUOTE_MAX], asking[JSON_QUOTE_MAX];

	if (!json_budget_spend(&check->budget, names->count))
		return schema_check_too_much(check, place);
	for (uint32_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		if (json_object_get(value, name))
			continue;
		json_text_quote(missing, name, strlen(name));
		if (!because)
			return schema_check_refuse(check, place, "lacks the property %s", missing);
		return schema_check_refuse(check, place, "lacks the property %s, which %s asks for",
		    missing, json_text_quote(asking, because, strlen(because)));
	}
	return JSON_SCHEMA_VALID;
}

static int check_dependent(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct schema_entries *names = &node->dependent_names;
	const struct schema_entries *schemas = &node->dependent_schemas;
	int r = JSON_SCHEMA_VALID;

	if (!json_budget_spend(&check->budget, (uint64_t)names->count + schemas->count))
		return schema_check_too_much(check, place);
	for (uint32_t i = 0; i < names->count && r == JSON_SCHEMA_VALID; i++) {
		const struct schema_entry *entry = &names->items[i];

		if (json_object_get(value, entry->name))
			r = check_names(check, &entry->names, entry->name, value, place);
	}
	for (uint32_t i = 0; i < schemas->count && r == JSON_SCHEMA_VALID; i++) {
		if (json_object_get(value, schemas->items[i].name))
			r = schema_check_node(check, schemas->items[i].node, value, place);
	}
	return r;
}

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct schema_entry *)entry)->name);
}

static const struct schema_entry *find_property(const struct schema_node *node, const char *key)
{
	if (node->properties.count == 0)
		return NULL;
	return bsearch(key, node->properties.items, node->properties.count,
	    sizeof(*node->properties.items), compare_name);
}

const struct schema_node *schema_property(const struct schema_node *node, const char *name)
{
	const struct schema_entry *entry = find_property(node, name);

	return entry ? entry->node : NULL;
}

/* The patterns that match the last key of place, whose value this is. *known becomes true if any
 * does. */
static int check_patterns(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place, bool *known)
{
	int r = JSON_SCHEMA_VALID;

	for (uint32_t i = 0; i < node->patterns.count && r == JSON_SCHEMA_VALID; i++) {
		const struct schema_entry *entry = &node->patterns.items[i];
		int matched =
		    schema_check_match(check, entry->regex, place->key, strlen(place->key));

		if (matched == -E2BIG)
			return schema_check_too_much(check, place);
		if (matched < 0)
			return matched;
		if (!matched)
			continue;
		*known = true;
		r = schema_check_node(check, entry->node, value, place);
	}
	return r;
}

static int check_property_name(
    struct schema_check *check, const struct schema_node *node, const struct json_place *place)
{
	json_t *name;
	int r;

	if (!node->property_names)
		return JSON_SCHEMA_VALID;
	name = json_string_nocheck(place->key);
	if (!name)
		return -ENOMEM;
	r = schema_check_try(check, node->property_names, name, place);
	json_decref(name);
	return r == JSON_SCHEMA_INVALID ? schema_check_refuse(check, place,
					      "has a name that is not allowed (propertyNames)")
					: r;
}

/* One property: its name, and its value by every rule that speaks of it. */
static int check_property(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct schema_entry *entry = find_property(node, place->key);
	bool known = entry != NULL;
	int r = check_property_name(check, node, place);

	if (r == JSON_SCHEMA_VALID && entry)
		r = schema_check_node(check, entry->node, value, place);
	if (r == JSON_SCHEMA_VALID)
		r = check_patterns(check, node, value, place, &known);
	if (r != JSON_SCHEMA_VALID || known || !node->additional)
		return r;
	if (node->additional->verdict == SCHEMA_NOTHING)
		return schema_check_refuse(check, place, "no such property is known here");
	return schema_check_node(check, node->additional, value, place);
}

static int check_properties(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	json_t *own = (json_t *)value; /* jansson's iterators ask for it; nothing is changed */

	if (!node->properties.count && !node->patterns.count && !node->additional &&
	    !node->property_names)
		return JSON_SCHEMA_VALID;
	for (void *it = json_object_iter(own); it; it = json_object_iter_next(own, it)) {
		const struct json_place inner = {.up = place, .key = json_object_iter_key(it)};
		int r;

		if (!json_budget_spend(&check->budget, 1))
			return schema_check_too_much(check, place);
		r = check_property(check, node, json_object_iter_value(it), &inner);
		if (r != JSON_SCHEMA_VALID)
			return r;
	}
	return JSON_SCHEMA_VALID;
}

int schema_check_object(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct extent extent = {&node->min_properties, &node->max_properties, "properties"};
	int r;

	if (!json_is_object(value))
		return JSON_SCHEMA_VALID;
	r = check_extent(check, &extent, json_object_size(value), place);
	if (r == JSON_SCHEMA_VALID)
		r = check_names(check, &node->required, NULL, value, place);
	if (r == JSON_SCHEMA_VALID)
		r = check_properties(check, node, value, place);
	if (r == JSON_SCHEMA_VALID)
		r = check_dependent(check, node, value, place);
	return r;
}
