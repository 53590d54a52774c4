/*
 * The small words that every part of a policy is made of. Floor 1. Zero means: no right, no
 * decision, not visible.
 */
#ifndef CALLGATE_POLICY_TYPES_H
#define CALLGATE_POLICY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy_pos {
	uint32_t line; /* from 1; 0 = not written in the file */
	uint32_t column;
};

/* In order of strictness; the strictest that speaks wins. */
enum decision {
	DECISION_NONE = 0, /* nobody spoke; never acted upon */
	DECISION_ALLOW = 1,
	DECISION_ASK = 2,
	DECISION_DENY = 3,
};

enum visibility {
	VISIBILITY_NONE = 0, /* never seen */
	VISIBILITY_PUBLIC,
	VISIBILITY_INTERNAL,
	VISIBILITY_PRIVATE,
};

/* A word of the file with its place. */
struct policy_word {
	const char *text;
	struct policy_pos pos;
};
struct policy_words {
	const struct policy_word *items;
	uint32_t count;
};

#endif
