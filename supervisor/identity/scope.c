#include "supervisor/identity/scope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"

static const char *const kind_names[] = {
#define SCOPE_NAME_(id, name) [SCOPE_##id] = name,
    SCOPE_KINDS(SCOPE_NAME_)
#undef SCOPE_NAME_
};

const char *scope_kind_name(enum scope_kind kind)
{
	return kind < SCOPE_KIND_COUNT ? kind_names[kind] : "";
}

enum scope_kind scope_kind_by_name(const char *name)
{
	unsigned kind = 0;

	while (kind < SCOPE_KIND_COUNT && strcmp(kind_names[kind], name) != 0)
		kind++;
	return (enum scope_kind)kind;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static bool is_glob(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= SCOPE_TEXT_MAX &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789_.:*?-") == len;
}

int scope_add(struct scope *scope, enum scope_kind kind, const char *glob)
{
	struct scope_list *list = &scope->lists[kind];
	char **items;
	char *copy;

	if (!is_glob(glob))
		return -EINVAL;
	for (uint32_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], glob) == 0)
			return 0;
	}
	if (list->count == SCOPE_ITEMS_MAX)
		return -E2BIG;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	copy = strdup(glob);
	if (!copy)
		return -ENOMEM;
	items[list->count++] = copy;
	return 0;
}

int scope_add_all(struct scope *scope)
{
	int fault = 0;

	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT && !fault; kind++)
		fault = scope_add(scope, (enum scope_kind)kind, "*");
	return fault;
}

int scope_copy(struct scope *ret, const struct scope *from)
{
	int fault = 0;

	*ret = (struct scope){0};
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++) {
		for (uint32_t i = 0; i < from->lists[kind].count && !fault; i++)
			fault = scope_add(ret, (enum scope_kind)kind, from->lists[kind].items[i]);
	}
	return fault;
}

void scope_fini(struct scope *scope)
{
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++) {
		struct scope_list *list = &scope->lists[kind];

		for (uint32_t i = 0; i < list->count; i++)
			free(list->items[i]);
		free(list->items);
		*list = (struct scope_list){.items = NULL};
	}
}

bool scope_has(const struct scope *scope, enum scope_kind kind, const char *name)
{
	const struct scope_list *list = &scope->lists[kind];

	for (uint32_t i = 0; i < list->count; i++) {
		if (str_glob(list->items[i], name))
			return true;
	}
	return false;
}

bool scope_is_idle(const struct scope *scope)
{
	return scope->lists[SCOPE_TOOLS].count == 0 && scope->lists[SCOPE_PERMISSIONS].count == 0;
}

/* ---- less and less -------------------------------------------------------------------------- */

/* Matches wide against the letters of narrow, where narrow's '*' is a letter that only '*' takes
 * and its '?' one that '?' and '*' take. What passes is an inclusion. */
bool scope_glob_covers(const char *wide, const char *narrow)
{
	const char *star = NULL; /* behind the last '*' of wide */
	const char *held = NULL; /* where narrow went on then */

	while (*narrow) {
		if (*wide == '*') {
			star = ++wide;
			held = narrow;
		} else if (*narrow != '*' && (*wide == '?' || *wide == *narrow)) {
			wide++;
			narrow++;
		} else if (star) {
			wide = star;
			narrow = ++held;
		} else {
			return false;
		}
	}
	while (*wide == '*')
		wide++;
	return *wide == '\0';
}

static bool list_covers(const struct scope_list *wide, const char *narrow)
{
	for (uint32_t i = 0; i < wide->count; i++) {
		if (scope_glob_covers(wide->items[i], narrow))
			return true;
	}
	return false;
}

/* Adds what of `from` lies in `other`. */
static int add_covered(struct scope *ret, enum scope_kind kind, const struct scope_list *from,
    const struct scope_list *other)
{
	int fault = 0;

	for (uint32_t i = 0; i < from->count && !fault; i++) {
		if (list_covers(other, from->items[i]))
			fault = scope_add(ret, kind, from->items[i]);
	}
	return fault;
}

int scope_intersect(struct scope *ret, const struct scope *a, const struct scope *b)
{
	int fault = 0;

	*ret = (struct scope){0};
	for (unsigned i = 0; i < SCOPE_KIND_COUNT && !fault; i++) {
		enum scope_kind kind = (enum scope_kind)i;

		fault = add_covered(ret, kind, &a->lists[kind], &b->lists[kind]);
		if (!fault)
			fault = add_covered(ret, kind, &b->lists[kind], &a->lists[kind]);
	}
	return fault;
}

bool scope_covers(const struct scope *wide, const struct scope *narrow)
{
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++) {
		const struct scope_list *list = &narrow->lists[kind];

		for (uint32_t i = 0; i < list->count; i++) {
			if (!list_covers(&wide->lists[kind], list->items[i]))
				return false;
		}
	}
	return true;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

int scope_to_json(const struct scope *scope, json_t *object)
{
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++) {
		const struct scope_list *list = &scope->lists[kind];
		json_t *array = json_array();

		for (uint32_t i = 0; i < list->count; i++) {
			if (json_array_append_new(array, json_string(list->items[i])) < 0) {
				json_decref(array);
				return -ENOMEM;
			}
		}
		if (json_object_set_new(object, kind_names[kind], array) < 0)
			return -ENOMEM;
	}
	return 0;
}

int scope_from_json(struct scope *ret, const json_t *object)
{
	*ret = (struct scope){0};
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++) {
		const json_t *array = json_object_get(object, kind_names[kind]);

		if (!array)
			continue;
		if (!json_is_array(array))
			return -EBADMSG;
		for (size_t i = 0; i < json_array_size(array); i++) {
			const char *glob = json_string_value(json_array_get(array, i));
			int fault = glob ? scope_add(ret, (enum scope_kind)kind, glob) : -EINVAL;

			if (fault)
				return fault == -EINVAL ? -EBADMSG : fault;
		}
	}
	return 0;
}
