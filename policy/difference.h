/*
 * What an edit of a policy means: who gains, who loses, and which settings are others now. For the
 * person who is about to put it in force, and for the trail. server: is not looked at: the studio
 * cannot change it. Pure. Floor 1: jansson.
 */
#ifndef CALLGATE_POLICY_DIFFERENCE_H
#define CALLGATE_POLICY_DIFFERENCE_H

#include <jansson.h>

#include "policy/policy.h"

#define DIFFERENCE_ENTRIES_MAX 1000 /* of each list; the last one then says how many more */

/* {"gains": [{"who", "what"}], "loses": [...], "changed": [...]}, in the order of who and what. A
 * right that came or a limit that went is a gain, the reverse a loss; a setting of which neither
 * can be said is changed, as "key: old -> new". Long values are cut with a mark. 0 and *ret, the
 * caller's; -E2BIG: more rights than can be compared; -ENOMEM. */
int policy_difference(const struct policy *old, const struct policy *edited, json_t **ret);

#endif
