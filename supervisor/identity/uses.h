/*
 * How many calls were made with each token of a limited number (token.h), until it expires.
 *
 * Bounded: all memory is taken at the start, and with every place taken by a token that is still
 * good no new one is served. The counts live as long as the process: tokens that should not
 * outlive it need a signing key that does not, either. Floor 2; pure, time comes as a parameter.
 */
#ifndef CALLGATE_IDENTITY_USES_H
#define CALLGATE_IDENTITY_USES_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/identity/token.h"

#define USES_PLACES_MAX (1u << 16)

struct uses;

/* places: tokens at a time, 1 to USES_PLACES_MAX. NULL: no memory, or out of range. */
struct uses *uses_new(uint32_t places);
void uses_free(struct uses *uses);

/* Takes one call of a verified token. true: it may be made; *ret_left is what remains
 * (TOKEN_NO_LIMIT: no limit, nothing is counted). false: it has none left, it has expired, or
 * there is no place to count it in; *ret_left is 0. */
bool uses_take(struct uses *uses, const struct token *token, uint64_t now_s, uint64_t *ret_left);

#endif
