/*
 * What a sed script does besides editing text. Conservative: a script that is not read to its end
 * by the rules of GNU sed 4.9 is "unknown". Private to policy/pack*.c. Pure.
 */
#ifndef CALLGATE_POLICY_PACK_SED_H
#define CALLGATE_POLICY_PACK_SED_H

#include "policy/pack.h"

#define PACK_SED_EXEC    1u /* e, s///e */
#define PACK_SED_WRITE   2u /* w, W, s///w; also the standard streams' names */
#define PACK_SED_READ    4u /* r, R */
#define PACK_SED_UNKNOWN 8u

/* The effects of one script. */
unsigned pack_sed_effects(const char *script);
/* Of first, or, if that is NULL, of all -e texts of the reading, one line each. 0 or -ENOMEM. */
int pack_sed_scan(const struct pack_reading *reading, const char *first, unsigned *ret_effects);

#endif
