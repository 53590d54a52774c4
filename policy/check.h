/*
 * What only the whole policy shows: names that point nowhere, lists that contradict each other.
 * Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_CHECK_H
#define CALLGATE_POLICY_CHECK_H

#include "policy/policy.h"
#include "policy/schema.h"

/* Sorts the lists as policy/order.h says, fills the defaults that depend on other keys, then
 * checks. 0, -EINVAL with a note, -ENOMEM; warnings as schema_warn_at(). */
int policy_check(struct schema *schema, struct policy *policy);
/* Where a question goes when no tool says it: called while channels stand as written. */
int channels_order(struct schema *schema, struct policy *policy);
/* approvals.channels and approvals: itself; called when all is sorted. */
int channels_check(struct schema *schema, const struct policy *policy);
/* What a tool's approval: says of channels, after it has inherited the rest. */
int approval_check(struct schema *schema, const struct policy *policy,
    const struct policy_approval *approval, const char *path);
/* Puts what callgated's command line says in the place of what the file says, before defaults
 * are filled in. 0, -EINVAL with a note that names the option, -ENOMEM. */
int overrides_apply(struct schema *schema, struct policy_http *http);
/* The same for server: and what refers to it; called by policy_check(). */
int http_check(struct schema *schema, const struct policy *policy);
/* Reads the packs that tools name into policy->packs, each once; called by policy_check(). */
int policy_load_packs(struct schema *schema, struct policy *policy);

#endif
