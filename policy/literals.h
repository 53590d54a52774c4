/*
 * What a text must hold for a pattern to match it: sets of literals, of each set at least one.
 * From ".*prod.*" it is {prod}, from "(^|/)secrets/" {secrets/ at the start, /secrets/}, from
 * "^v[12]\.env$" {v1.env, v2.env, each the whole text}. Nothing is claimed that is not so: whoever
 * looks for the literals finds every text that matches, and others. Private to policy/. Floor 1:
 * base.
 */
#ifndef CALLGATE_POLICY_LITERALS_H
#define CALLGATE_POLICY_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/arena.h"

#define LITERAL_MAX      256 /* bytes of a literal that a pattern gives */
#define LITERAL_SETS_MAX 8

/* Bytes, not characters: both sides are UTF-8, and case counts. */
struct literal {
	const char *text;
	uint32_t len;  /* 0 only where it is at the start and at the end: the empty text */
	bool at_start; /* the text begins with it */
	bool at_end;   /* the text ends with it */
};

/* Any one of them. */
struct literal_set {
	struct literal *items;
	uint32_t count;
};

/* All of them. */
struct literals {
	struct literal_set sets[LITERAL_SETS_MAX];
	uint32_t count;
};

/* Of a pattern of ECMA-262 (json_schema_regex.h). 0 and *ret, in the arena, with count 0 when the
 * pattern promises nothing or cannot be read; -ENOMEM. */
int literals_of_pattern(struct arena *arena, const char *pattern, size_t len, struct literals *ret);

#endif
