/*
 * A growing NULL-terminated list of owned strings. Floor 1: libc only, never blocks.
 */
#ifndef CALLGATE_SANDBOX_NAMES_H
#define CALLGATE_SANDBOX_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed struct is an empty list. */
struct names {
	char **items; /* owned; NULL while empty, else ended by NULL */
	uint32_t count;
};

/* Appends a copy. 0 or -ENOMEM. */
int names_add(struct names *names, const char *text);
/* The same unless it is there already. */
int names_add_once(struct names *names, const char *text);
bool names_has(const struct names *names, const char *text);
/* Never NULL; lives as long as the list and until the next add. */
const char *const *names_list(const struct names *names);
void names_fini(struct names *names);

#endif
