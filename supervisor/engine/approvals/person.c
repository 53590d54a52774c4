#include "supervisor/engine/approvals/person.h"

#include <string.h>

void person_add_makers(struct approval_answer *answer, const struct caller *caller)
{
	size_t used = 0;

	answer->makers[0] = '\0';
	for (size_t i = 0; i < CALLER_MAKERS_MAX && caller->makers[i]; i++) {
		size_t len = strlen(caller->makers[i]);

		if (used + len + 2 > sizeof(answer->makers))
			return;
		memcpy(answer->makers + used, caller->makers[i], len);
		memcpy(answer->makers + used + len, "\n", 2);
		used += len + 1;
	}
}

static bool is_among(const char *makers, const char *principal, size_t len)
{
	while (*makers) {
		size_t line = strcspn(makers, "\n");

		if (line == len && memcmp(makers, principal, len) == 0)
			return true;
		makers += line + 1;
	}
	return false;
}

static bool have_a_maker(const char *a, const char *b)
{
	while (*a) {
		size_t len = strcspn(a, "\n");
		bool service =
		    len == strlen(SERVICE_PRINCIPAL) && memcmp(a, SERVICE_PRINCIPAL, len) == 0;

		if (!service && is_among(b, a, len))
			return true;
		a += len + 1;
	}
	return false;
}

/* What is signed is of whom the key names, whatever way it came: the names are in the state folder
 * and the daemon's owner wrote them. An answer without such a key is of its principal, who may have
 * signed another. */
static bool is_same(const struct approval_yes *yes, const struct approval_answer *answer)
{
	if (yes->key[0] && answer->key[0])
		return strcmp(yes->key, answer->key) == 0 ||
		       (answer->name[0] && strcmp(yes->name, answer->name) == 0);
	return strcmp(yes->principal, answer->principal) == 0 ||
	       is_among(yes->makers, answer->principal, strlen(answer->principal)) ||
	       is_among(answer->makers, yes->principal, strlen(yes->principal)) ||
	       have_a_maker(yes->makers, answer->makers);
}

bool person_has_agreed(const struct approval *approval, const struct approval_answer *answer)
{
	for (uint32_t i = 0; i < approval->yes_count; i++)
		if (is_same(&approval->yes[i], answer))
			return true;
	return false;
}
