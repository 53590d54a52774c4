/*
 * The limits of a tool with the defaults filled in: one place for the warden that sets them and for
 * explain that tells them. Floor 1.
 */
#ifndef CALLGATE_POLICY_LIMITS_H
#define CALLGATE_POLICY_LIMITS_H

#include "policy/tool.h"

/* The same with every number that the file leaves out; cpu_ms stays 0: no limit of its own. */
struct policy_sandbox policy_limits(const struct policy_sandbox *sandbox);

#endif
