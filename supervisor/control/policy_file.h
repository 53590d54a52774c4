/*
 * Reading a policy file for a person: with its .env files, complaints printed. Floor 4.
 */
#ifndef CALLGATE_CONTROL_POLICY_FILE_H
#define CALLGATE_CONTROL_POLICY_FILE_H

#include "policy/policy.h"
#include "supervisor/base/paths.h"

/* Loads path with the environment, the .env beside it and the one of $CALLGATE_HOME. Warnings go
 * to stderr, one line each. 0 and *ret_policy (policy_free), or COMMAND_USAGE after complaining.
 * *ret_warnings: how many; may be NULL. */
int policy_file_load(const char *path, struct policy **ret_policy, int *ret_warnings);

/* The socket that a policy names, absolute; "" when it names none. 0 or COMMAND_USAGE. */
int policy_file_socket(const char *path, char out[PATHS_MAX]);

#endif
