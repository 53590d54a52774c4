#include "policy/difference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/difference_facts.h"

#define VALUE_SHOWN_MAX 200 /* bytes */

/* ---- entries ------------------------------------------------------------------------------ */

struct list {
	json_t *entries; /* NULL: no memory */
	size_t left_out;
};

static void put(struct list *list, const char *who, const char *what)
{
	if (list->entries && json_array_size(list->entries) >= DIFFERENCE_ENTRIES_MAX) {
		list->left_out++;
		return;
	}
	if (!list->entries || json_array_append_new(list->entries,
				  json_pack("{s:s, s:s}", "who", who, "what", what))) {
		json_decref(list->entries);
		list->entries = NULL;
	}
}

static void end_list(struct list *list)
{
	char text[64];

	if (!list->left_out || !list->entries)
		return;
	snprintf(text, sizeof(text), "and %zu more", list->left_out);
	if (json_array_append_new(
		list->entries, json_pack("{s:s, s:s}", "who", "", "what", text))) {
		json_decref(list->entries);
		list->entries = NULL;
	}
}

/* Cut between two characters. */
static const char *shown(const char *value, char out[VALUE_SHOWN_MAX + 8])
{
	size_t len = strlen(value);

	if (len <= VALUE_SHOWN_MAX)
		return len ? value : "(empty)";
	len = VALUE_SHOWN_MAX;
	while (len && ((unsigned char)value[len] & 0xc0) == 0x80)
		len--;
	snprintf(out, VALUE_SHOWN_MAX + 8, "%.*s ...", (int)len, value);
	return out;
}

/* ---- two lists of facts ------------------------------------------------------------------- */

struct comparison {
	struct facts old, edited;
	struct list gains, loses, changed;
};

static void say_changed(
    struct comparison *comparison, const struct fact *was, const struct fact *is)
{
	const struct fact *fact = is ? is : was;
	char before[VALUE_SHOWN_MAX + 8], after[VALUE_SHOWN_MAX + 8];
	char *text = NULL;

	if (asprintf(&text, "%s: %s -> %s", fact->what,
		was ? shown(was->value, before) : "(not there)",
		is ? shown(is->value, after) : "(not there)") < 0) {
		json_decref(comparison->changed.entries);
		comparison->changed.entries = NULL;
		return;
	}
	put(&comparison->changed, fact->who, text);
	free(text);
}

static void say(struct list *list, const struct fact *fact, const char *before)
{
	char value[VALUE_SHOWN_MAX + 8];
	char *text = NULL;

	if (asprintf(&text, "%s%s%s%s", before, fact->what, fact->value[0] ? ": " : "",
		fact->value[0] ? shown(fact->value, value) : "") < 0) {
		json_decref(list->entries);
		list->entries = NULL;
		return;
	}
	put(list, fact->who, text);
	free(text);
}

/* A right that the other policy gives by a broader one is neither gained nor lost. */
static bool is_covered(const struct facts *other, const struct fact *fact)
{
	return fact->broader && facts_find(other, fact->who, fact->broader);
}

static void only_now(struct comparison *comparison, const struct fact *fact)
{
	switch (fact->kind) {
	case FACT_RIGHT:
		if (!is_covered(&comparison->old, fact))
			say(&comparison->gains, fact, "");
		return;
	case FACT_LIMIT: say(&comparison->loses, fact, "now "); return;
	case FACT_SETTING: say_changed(comparison, NULL, fact); return;
	}
}

static void only_before(struct comparison *comparison, const struct fact *fact)
{
	switch (fact->kind) {
	case FACT_RIGHT:
		if (!is_covered(&comparison->edited, fact))
			say(&comparison->loses, fact, "");
		return;
	case FACT_LIMIT: say(&comparison->gains, fact, "no longer "); return;
	case FACT_SETTING: say_changed(comparison, fact, NULL); return;
	}
}

static int compare(const struct fact *a, const struct fact *b)
{
	int order = strcmp(a->who, b->who);

	return order ? order : strcmp(a->what, b->what);
}

static void walk(struct comparison *comparison)
{
	const struct facts *old = &comparison->old, *edited = &comparison->edited;
	size_t i = 0, j = 0;

	while (i < old->count || j < edited->count) {
		int order = i == old->count      ? 1
			    : j == edited->count ? -1
						 : compare(&old->items[i], &edited->items[j]);

		if (order < 0) {
			only_before(comparison, &old->items[i++]);
		} else if (order > 0) {
			only_now(comparison, &edited->items[j++]);
		} else {
			if (old->items[i].kind != edited->items[j].kind ||
			    strcmp(old->items[i].value, edited->items[j].value) != 0)
				say_changed(comparison, &old->items[i], &edited->items[j]);
			i++;
			j++;
		}
	}
}

static int finish(struct comparison *comparison, json_t **ret)
{
	json_t *root = NULL;

	end_list(&comparison->gains);
	end_list(&comparison->loses);
	end_list(&comparison->changed);
	if (comparison->gains.entries && comparison->loses.entries && comparison->changed.entries)
		root = json_pack("{s:O, s:O, s:O}", "gains", comparison->gains.entries, "loses",
		    comparison->loses.entries, "changed", comparison->changed.entries);
	if (!root)
		return -ENOMEM;
	*ret = root;
	return 0;
}

int policy_difference(const struct policy *old, const struct policy *edited, json_t **ret)
{
	struct comparison comparison = {.gains = {.entries = json_array()},
	    .loses = {.entries = json_array()},
	    .changed = {.entries = json_array()}};
	int fault = facts_collect(&comparison.old, old);

	if (!fault)
		fault = facts_collect(&comparison.edited, edited);
	if (!fault) {
		walk(&comparison);
		fault = finish(&comparison, ret);
	}
	json_decref(comparison.gains.entries);
	json_decref(comparison.loses.entries);
	json_decref(comparison.changed.entries);
	facts_fini(&comparison.old);
	facts_fini(&comparison.edited);
	return fault;
}
