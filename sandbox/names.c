#include "sandbox/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int names_add(struct names *names, const char *text)
{
	char **larger = realloc(names->items, (names->count + 2) * sizeof(*larger));

	if (larger == NULL)
		return -ENOMEM;
	names->items = larger;
	larger[names->count] = strdup(text);
	if (larger[names->count] == NULL)
		return -ENOMEM;
	larger[++names->count] = NULL;
	return 0;
}

int names_add_once(struct names *names, const char *text)
{
	return names_has(names, text) ? 0 : names_add(names, text);
}

bool names_has(const struct names *names, const char *text)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], text) == 0)
			return true;
	return false;
}

const char *const *names_list(const struct names *names)
{
	static const char *const none[] = {NULL};

	return names->items == NULL ? none : (const char *const *)names->items;
}

void names_fini(struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	memset(names, 0, sizeof(*names));
}
