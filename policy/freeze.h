/*
 * The frozen form: a policy as flat bytes, so that processes which must not parse YAML can have
 * it. Its SHA-256 is the policy version. Floor 1: base.
 */
#ifndef CALLGATE_POLICY_FREEZE_H
#define CALLGATE_POLICY_FREEZE_H

#include <stddef.h>

#include "supervisor/base/buf.h"
#include "policy/policy.h"

/* Appends; limit of out should be POLICY_FROZEN_MAX. 0 or the buf's fault. */
int policy_freeze(struct buf *out, const struct policy *policy);
/* 0 and *ret_policy, -EBADMSG for anything not made by policy_freeze of this version, -ENOMEM. */
int policy_thaw(const void *bytes, size_t len, struct policy **ret_policy);

#endif
