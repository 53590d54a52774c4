/*
 * How the lists of a policy are ordered, so that a name is found by halving. The loader sorts,
 * policy_thaw() refuses what is not sorted, the lookups rely on it. Private to policy/.
 */
#ifndef CALLGATE_POLICY_ORDER_H
#define CALLGATE_POLICY_ORDER_H

#include "policy/policy.h"

enum word_order {
	WORD_ORDER_NONE = 0, /* as written */
	WORD_ORDER_TEXT,     /* by the whole text: allowed_commands */
	WORD_ORDER_BASENAME, /* by what follows the last slash: denied_commands */
};

/* What follows the last slash, or all of it. */
const char *word_basename(const char *text);
/* <0, 0, >0 as strcmp() of the two texts' keys. */
int word_compare(enum word_order order, const char *a, const char *b);
/* The first word whose key equals that of text, NULL if there is none; order is not NONE. */
const struct policy_word *word_find(
    const struct policy_words *words, enum word_order order, const char *text);

/* Whatever the order: is text one of the words; does one of them, a glob, match it? */
bool words_hold(const struct policy_words *words, const char *text);
bool globs_hold(const struct policy_words *globs, const char *text);

/* Pointers to the elements' `name` come first in each named struct, so one compare serves all:
 * for qsort() and bsearch() over roles, agents, namespaces and tools. */
int named_compare(const void *a, const void *b);

#endif
