/*
 * The tables behind self_confine(): which system calls each role has left. Floor 1: libseccomp.
 */
#ifndef CALLGATE_SANDBOX_SELF_SETS_H
#define CALLGATE_SANDBOX_SELF_SETS_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/self.h"

/* One permitted call; with a mask, only when (argument & mask) == value. Several rows of one call
 * are alternatives. */
struct self_row {
	int call;          /* number as SCMP_SYS() gives it */
	unsigned argument; /* index */
	uint64_t mask;     /* 0: any arguments */
	uint64_t value;
};

struct self_set {
	const struct self_row *rows;
	size_t count;
};

/* Calls answered with an errno, so that a library takes its other way instead of dying. */
struct self_refusal {
	int call;
	int error;
};

/* What every role needs to live: memory, time, its open descriptors, a clean end. */
struct self_set self_common(void);
/* What one role needs besides. */
struct self_set self_role_set(enum self_role role);
/* Of a call that is in its set: the arguments for which it is refused with EACCES instead. */
struct self_set self_role_refused(enum self_role role);
const struct self_refusal *self_refusals(size_t *ret_count);

/* What self_refuse_powers() takes away. */
const int *self_powers(size_t *ret_count);

/* What the sanitizers' runtime needs; empty in an ordinary build (self_san.c). */
struct self_set self_sanitizer(void);
/* The action for everything else: kill the process, or errno EPERM under a sanitizer, whose
 * runtime makes calls of its own when it reports. */
uint32_t self_default_action(void);

#endif
