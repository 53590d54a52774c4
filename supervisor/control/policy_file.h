/*
 * Reading a policy file for a person: with its .env files, complaints printed. Floor 4.
 */
#ifndef CALLGATE_CONTROL_POLICY_FILE_H
#define CALLGATE_CONTROL_POLICY_FILE_H

#include "policy/policy.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/paths.h"

#define POLICY_FILE_WARNINGS_MAX (64 * 1024) /* bytes */

/* Loads path with the environment, the .env beside it and the one of $CALLGATE_HOME. Warnings go
 * to stderr, one line each, and into ret_warnings (may be NULL). 0 and *ret_policy (policy_free),
 * or COMMAND_USAGE after complaining. */
int policy_file_load(const char *path, struct policy **ret_policy, struct buf *ret_warnings);

/* The policy where none is named: ./callgate.yaml, the person's own, the machine's. A literal, or
 * written to out; NULL after complaining, as what, with what else can be given. */
const char *policy_file_default(const char *what, const char *remedy, char out[PATHS_MAX]);

/* The socket that a policy names, absolute; "" when it names none. 0 or COMMAND_USAGE. */
int policy_file_socket(const char *path, char out[PATHS_MAX]);

#endif
