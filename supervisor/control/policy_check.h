/*
 * policy check: would a daemon take this file, here? And its own tests, which policy test runs
 * alone. Floor 4: reads programs and folders, starts callgated --check.
 */
#ifndef CALLGATE_CONTROL_POLICY_CHECK_H
#define CALLGATE_CONTROL_POLICY_CHECK_H

#include <jansson.h>

#include "policy/policy.h"
#include "policy/selftest.h"
#include "supervisor/control/command.h"

/* argv[0] is "check". Exit status. */
int policy_check_main(const struct command_session *session, int argc, char **argv);

/* Runs the tests of the file. What fails goes into failures, an array of one text each, or where
 * that is NULL to stderr. 0 or COMMAND_USAGE after complaining. */
int policy_check_tests(const struct command_session *session, const struct policy *policy,
    struct selftest *ret, json_t *failures);

#endif
