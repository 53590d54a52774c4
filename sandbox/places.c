#include "sandbox/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* path itself counts as below. */
static bool is_below(const char *folder, const char *path)
{
	size_t len = strlen(folder);

	return strncmp(folder, path, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static void drop_below(struct names *names, const char *folder)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < names->count; i++) {
		if (is_below(folder, names->items[i]))
			free(names->items[i]);
		else
			names->items[kept++] = names->items[i];
	}
	names->count = kept;
	if (names->items != NULL)
		names->items[kept] = NULL;
}

static int add(struct names *names, const char *folder)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (is_below(names->items[i], folder))
			return 0;
	drop_below(names, folder);
	return names_add(names, folder);
}

/* Too many: each becomes the first component of its path. */
static int widen(struct places *places)
{
	struct names tops = {.count = 0};
	int fault = 0;

	for (uint32_t i = 0; fault == 0 && i < places->names.count; i++) {
		char *item = places->names.items[i];

		item[strcspn(item + 1, "/") + 1] = '\0';
		fault = add(&tops, item);
	}
	names_fini(&places->names);
	places->names = tops;
	return fault;
}

int places_add(struct places *places, const char *folder)
{
	int fault = add(&places->names, folder);

	return fault == 0 && places->names.count > PLACES_MAX ? widen(places) : fault;
}

const char *const *places_list(const struct places *places)
{
	return names_list(&places->names);
}

void places_fini(struct places *places)
{
	names_fini(&places->names);
}
