#include "policy/scalar.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_listed(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(text, list[i]))
			return true;
	}
	return false;
}
#define IS_LISTED(text, list) is_listed(text, list, sizeof(list) / sizeof((list)[0]))

/* A number of the core schema (YAML 1.2.2, 10.3.2), but for 0o and 0x, which nothing here needs,
 * and for leading zeros: 012 is 10 to one reader and 12 to another, so it stays text. */
static bool is_number(const char *text)
{
	size_t digits;

	if (*text == '-' || *text == '+')
		text++;
	digits = strspn(text, "0123456789");
	if (digits > 1 && text[0] == '0' && !text[digits])
		return false;
	if (digits && !text[digits])
		return true;
	if (text[digits] == '.') {
		size_t fraction = strspn(text + digits + 1, "0123456789");

		text += digits + 1 + fraction;
		digits += fraction;
	} else {
		text += digits;
	}
	if (digits && (*text == 'e' || *text == 'E')) {
		text += 1 + (text[1] == '-' || text[1] == '+');
		return *text && !text[strspn(text, "0123456789")];
	}
	return digits && !*text;
}

enum scalar_type scalar_type(const char *text)
{
	static const char *const empty[] = {"", "~", "null", "Null", "NULL"};
	static const char *const boolean[] = {"true", "True", "TRUE", "false", "False", "FALSE"};

	if (IS_LISTED(text, empty))
		return SCALAR_EMPTY;
	if (IS_LISTED(text, boolean))
		return SCALAR_BOOL;
	return is_number(text) ? SCALAR_NUMBER : SCALAR_TEXT;
}
