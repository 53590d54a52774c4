/*
 * The policy's `logger`: what it means for us and for the roles. Used by start.c and reload.c.
 */
#ifndef CALLGATE_WARDEN_LOGGER_H
#define CALLGATE_WARDEN_LOGGER_H

#include "policy/policy.h"
#include "supervisor/base/log.h"

struct warden;

enum log_level logger_level(const struct policy *policy);
enum log_format logger_format(const struct policy *policy);

/* From now on we and every role log as this policy says. A role that cannot be told is lost. */
void logger_change(struct warden *warden, const struct policy *policy);

#endif
