/*
 * Many literals looked for in one text at once, each with a row that is found by it. One pass over
 * the text, whatever their number: at each byte a small table says whether some piece of 1 to 8
 * bytes may begin here, a hash table which, and only then bytes are compared. Each literal is
 * entered under the piece of it that the fewest others have, so that ten thousand that begin alike
 * cost no more than ten. Private to policy/. Floor 1: libc.
 */
#ifndef CALLGATE_POLICY_NEEDLES_H
#define CALLGATE_POLICY_NEEDLES_H

#include "policy/literals.h"

struct needles;

/* expected: about how many literals there will be. NULL: no memory. */
struct needles *needles_new(uint32_t expected);
/* Accepts NULL. */
void needles_free(struct needles *needles);

/* First every literal that may be added is noted, then some are added, then needles_seal() is
 * called once. Texts are borrowed until then. */

void needles_note(struct needles *needles, const struct literal *literal);
/* How many of the noted literals its rarest piece is in, itself counted, as far as a table of
 * limited size tells: a reason to choose another, nothing more. */
uint32_t needles_crowd(const struct needles *needles, const struct literal *literal);
/* 0 or -ENOMEM. */
int needles_add(struct needles *needles, const struct literal *literal, uint32_t row);
int needles_seal(struct needles *needles);

/* Sets the bit of each row of which a literal is in text, in rows, which has a bit for each row.
 * 0 or -ENOMEM. */
int needles_find(const struct needles *needles, const char *text, size_t len, uint64_t *rows);
/* Bytes of memory held. */
size_t needles_size(const struct needles *needles);

#endif
