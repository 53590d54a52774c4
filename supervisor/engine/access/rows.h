/*
 * The rows under principals: as one number, so that what was given away by their right ends when
 * they change. Floor 3, engine only; pure.
 */
#ifndef CALLGATE_ENGINE_ROWS_H
#define CALLGATE_ENGINE_ROWS_H

#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/evidence/digest.h"

/* Another number for other rows, never 0, and nothing of them can be read from it without the
 * key. 0 or -errno. */
int rows_mark(const struct policy *policy, const uint8_t key[KEY_LEN], uint64_t *ret);
/* What tells this digest from another one in the same way. 0 or -errno. */
int rows_mark_of(const struct digest *digest, const uint8_t key[KEY_LEN], uint64_t *ret);

#endif
