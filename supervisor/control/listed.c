#include "supervisor/control/listed.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/control/command.h"

#define ID_PREFIX_MIN 4

void listed_write_field(FILE *out, const char *name, const char *value)
{
	if (!value[0])
		return;
	fprintf(out, "  %-10s ", name);
	command_write_rendered(out, value);
	fputc('\n', out);
}

void listed_print_field(const char *name, const char *value)
{
	listed_write_field(stdout, name, value);
}

const json_t *listed_find(
    const json_t *entries, const char *id, const char *what, const char *where)
{
	const json_t *entry, *found = NULL;
	size_t i, len = strlen(id);

	json_array_foreach(entries, i, entry)
	{
		const char *other = command_text_of(entry, "id");

		if (strcmp(other, id) == 0)
			return entry;
		if (len < ID_PREFIX_MIN || strncmp(other, id, len) != 0)
			continue;
		if (found) {
			(void)command_fail(COMMAND_USAGE,
			    "%s: the id of more than one %s begins so; give more of it", id, what);
			return NULL;
		}
		found = entry;
	}
	if (!found)
		(void)command_fail(
		    COMMAND_USAGE, "%s: no %s has that id; see `callgate %s`", id, what, where);
	return found;
}

const char *listed_time(const json_t *object, const char *member, char out[CLOCK_STAMP_MAX])
{
	const json_t *value = json_object_get(object, member);
	json_int_t seconds = json_integer_value(value);

	out[0] = '\0';
	if (json_is_string(value))
		return json_string_value(value);
	return seconds > 0 && seconds < INT64_MAX / 1000000
		   ? clock_stamp(out, (uint64_t)seconds * 1000000)
		   : out;
}
