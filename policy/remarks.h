/*
 * What somebody should know of a policy although it is good: rights that nobody has, questions that
 * nobody may answer, tools that run everything. For `callgated --check`. Floor 1: base.
 */
#ifndef CALLGATE_POLICY_REMARKS_H
#define CALLGATE_POLICY_REMARKS_H

#include "policy/policy.h"
#include "supervisor/base/buf.h"

/* Appends "file:line:column: what: why; what to do" lines; what does not fit is left out. */
void policy_remarks(const struct policy *policy, struct buf *out);

#endif
