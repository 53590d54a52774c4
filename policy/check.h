/*
 * What only the whole policy shows: names that point nowhere, lists that contradict each other.
 * Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_CHECK_H
#define CALLGATE_POLICY_CHECK_H

#include "policy/schema.h"

/* Sorts the lists as policy/order.h says, fills the defaults that depend on other keys, then
 * checks. 0, -EINVAL with a note, -ENOMEM; warnings as schema_warn_at(). */
int policy_check(struct schema *schema, struct policy *policy);

#endif
