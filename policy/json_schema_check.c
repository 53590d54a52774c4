#include "policy/json_schema_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema.h"
#include "policy/json_schema_regex.h"

int schema_check_refuse(
    struct schema_check *check, const struct json_place *place, const char *format, ...)
{
	char where[JSON_PLACE_MAX], words[ERR_NOTE_MAX];
	va_list args;

	if (!check->note)
		return JSON_SCHEMA_INVALID;
	va_start(args, format);
	if (vsnprintf(words, sizeof(words), format, args) < 0)
		words[0] = '\0';
	va_end(args);
	return err_note(
	    check->note, JSON_SCHEMA_INVALID, "%s: %s", json_place_text(where, place), words);
}

int schema_check_too_much(struct schema_check *check, const struct json_place *place)
{
	char where[JSON_PLACE_MAX];

	return err_note(check->note, JSON_SCHEMA_TOO_MUCH,
	    "%s: too large or too deep to be checked; make it smaller",
	    json_place_text(where, place));
}

int schema_check_match(
    struct schema_check *check, const struct json_regex *regex, const char *text, size_t len)
{
	int r = json_regex_match(regex, text, len, &check->patterns, &check->run);

	return r == JSON_MATCH_TOO_MUCH ? -E2BIG : r;
}

int schema_check_try(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	struct err_note *note = check->note;
	int r;

	check->note = NULL;
	r = schema_check_node(check, node, value, place);
	check->note = note;
	return r == JSON_SCHEMA_TOO_MUCH ? schema_check_too_much(check, place) : r;
}

/* ---- schemas applied to the same value ------------------------------------------------------- */

/* Adds to *ret_count how many of the list fit. */
static int count_fitting(struct schema_check *check, const struct schema_nodes *list,
    const json_t *value, const struct json_place *place, uint32_t *ret_count)
{
	for (uint32_t i = 0; i < list->count; i++) {
		int r = schema_check_try(check, list->items[i], value, place);

		if (r != JSON_SCHEMA_VALID && r != JSON_SCHEMA_INVALID)
			return r;
		*ret_count += r == JSON_SCHEMA_VALID;
	}
	return JSON_SCHEMA_VALID;
}

static int check_all_of(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	int r = JSON_SCHEMA_VALID;

	if (node->ref)
		r = schema_check_node(check, node->ref, value, place);
	for (uint32_t i = 0; i < node->all_of.count && r == JSON_SCHEMA_VALID; i++)
		r = schema_check_node(check, node->all_of.items[i], value, place);
	return r;
}

/* One alternative is no alternative: its own words say more. */
static int check_any_of(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct schema_nodes *list = &node->any_of;

	if (list->count == 1)
		return schema_check_node(check, list->items[0], value, place);
	for (uint32_t i = 0; i < list->count; i++) {
		int r = schema_check_try(check, list->items[i], value, place);

		if (r != JSON_SCHEMA_INVALID)
			return r;
	}
	return list->count ? schema_check_refuse(check, place,
				 "fits none of the %u alternatives (anyOf)", (unsigned)list->count)
			   : JSON_SCHEMA_VALID;
}

static int check_one_of(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	const struct schema_nodes *list = &node->one_of;
	uint32_t fitting = 0;
	int r;

	if (list->count == 0)
		return JSON_SCHEMA_VALID;
	if (list->count == 1)
		return schema_check_node(check, list->items[0], value, place);
	r = count_fitting(check, list, value, place, &fitting);
	if (r != JSON_SCHEMA_VALID || fitting == 1)
		return r;
	if (fitting == 0)
		return schema_check_refuse(check, place, "fits none of the %u alternatives (oneOf)",
		    (unsigned)list->count);
	return schema_check_refuse(check, place,
	    "fits %u of the %u alternatives, exactly one is allowed (oneOf)", (unsigned)fitting,
	    (unsigned)list->count);
}

static int check_not(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	int r;

	if (!node->not_this)
		return JSON_SCHEMA_VALID;
	r = schema_check_try(check, node->not_this, value, place);
	if (r == JSON_SCHEMA_INVALID)
		return JSON_SCHEMA_VALID;
	return r == JSON_SCHEMA_VALID
		   ? schema_check_refuse(check, place, "is of the kind that is excluded (not)")
		   : r;
}

static int check_if(struct schema_check *check, const struct schema_node *node, const json_t *value,
    const struct json_place *place)
{
	const struct schema_node *next;
	int r;

	if (!node->if_this || (!node->then_this && !node->else_this))
		return JSON_SCHEMA_VALID;
	r = schema_check_try(check, node->if_this, value, place);
	if (r != JSON_SCHEMA_VALID && r != JSON_SCHEMA_INVALID)
		return r;
	next = r == JSON_SCHEMA_VALID ? node->then_this : node->else_this;
	return next ? schema_check_node(check, next, value, place) : JSON_SCHEMA_VALID;
}

/* ---- the walk -------------------------------------------------------------------------------- */

typedef int check_step(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place);

/* The plainest reason first: it is the one people are told. */
static check_step *const steps[] = {
    schema_check_plain,
    schema_check_array,
    schema_check_object,
    check_all_of,
    check_any_of,
    check_one_of,
    check_not,
    check_if,
};

static int check_rules(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	int r = JSON_SCHEMA_VALID;

	if (check->depth == JSON_SCHEMA_DEPTH_MAX || !json_budget_spend(&check->budget, 1))
		return schema_check_too_much(check, place);
	check->depth++;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == JSON_SCHEMA_VALID; i++)
		r = steps[i](check, node, value, place);
	check->depth--;
	return r;
}

int schema_check_node(struct schema_check *check, const struct schema_node *node,
    const json_t *value, const struct json_place *place)
{
	switch (node->verdict) {
	case SCHEMA_ANYTHING: return JSON_SCHEMA_VALID;
	case SCHEMA_RULES: return check_rules(check, node, value, place);
	case SCHEMA_NOTHING: break;
	}
	return schema_check_refuse(check, place, "may not be given");
}

struct json_schema_room {
	struct json_regex_run *run;
};

static struct schema_check begin(const struct json_schema_work *work)
{
	return (struct schema_check){.budget = {JSON_SCHEMA_STEPS_MAX - work->steps},
	    .patterns = {JSON_SCHEMA_PATTERN_STEPS_MAX - work->pattern_steps}};
}

static void end(const struct schema_check *check, struct json_schema_work *work)
{
	work->steps = JSON_SCHEMA_STEPS_MAX - check->budget.steps;
	work->pattern_steps = JSON_SCHEMA_PATTERN_STEPS_MAX - check->patterns.steps;
}

static int check_whole(struct json_schema_work *work, const struct schema_node *node,
    const json_t *value, const char *name, struct err_note *note)
{
	struct schema_check check = begin(work);
	const struct json_place top = {.key = name};
	int r;

	check.note = note;
	if (!value)
		return schema_check_refuse(&check, &top, "absent");
	r = schema_check_node(&check, node, value, &top);
	json_regex_run_free(check.run);
	end(&check, work);
	return r;
}

int json_schema_check(
    const struct json_schema *schema, const json_t *value, const char *name, struct err_note *note)
{
	struct json_schema_work work = {0};

	return check_whole(&work, schema->root, value, name, note);
}

int json_schema_check_within(struct json_schema_work *work, const struct json_schema *schema,
    const json_t *value, const char *name, struct err_note *note)
{
	return check_whole(work, schema->root, value, name, note);
}

int json_schema_check_property(const struct json_schema *schema, const char *property,
    const json_t *value, const char *name, struct err_note *note)
{
	const struct schema_node *node = schema_property(schema->root, property);
	struct json_schema_work work = {0};

	return node ? check_whole(&work, node, value, name, note) : JSON_SCHEMA_VALID;
}

int json_schema_check_in(struct json_schema_room **room, struct json_schema_work *work,
    const struct json_schema *schema, const json_t *value)
{
	struct schema_check check = begin(work);
	const struct json_place top = {.key = ""};
	int r;

	if (!*room)
		*room = calloc(1, sizeof(**room));
	if (!*room)
		return -ENOMEM;
	check.run = (*room)->run;
	r = schema_check_node(&check, schema->root, value, &top);
	(*room)->run = check.run;
	end(&check, work);
	return r;
}

void json_schema_room_free(struct json_schema_room *room)
{
	if (room)
		json_regex_run_free(room->run);
	free(room);
}
