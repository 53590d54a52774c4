/*
 * The tests: that a policy brings along. They run when it is checked, started with and reloaded:
 * a file whose own tests fail is refused whole. Pure; floor 1: base, jansson, PCRE2.
 */
#ifndef CALLGATE_POLICY_SELFTEST_H
#define CALLGATE_POLICY_SELFTEST_H

#include "policy/rulebook.h"
#include "supervisor/base/buf.h"

#define SELFTEST_FAILED 1

struct selftest {
	uint64_t run; /* grows while they run */
	uint32_t failed;
};

/* Runs every row. report (may be NULL) gets one line a failure: "file:line:column: tools.T.tests:
 * what was expected, what came, by which rule". 0 and *ret: all as expected; SELFTEST_FAILED with
 * the first failure in note; -ENOMEM. A row without roles asks as somebody who has every role. */
int policy_selftest(const struct policy *policy, const struct rulebook *book, struct selftest *ret,
    struct buf *report, struct err_note *note);

#endif
