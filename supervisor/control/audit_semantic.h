/*
 * The meaning of the trail, call by call: nothing started that was not allowed, and nothing
 * finished twice. Keeps one small entry per call, so its memory grows with the number of calls
 * (unlike the rest of verify). Floor 4; pure.
 */
#ifndef CALLGATE_CONTROL_AUDIT_SEMANTIC_H
#define CALLGATE_CONTROL_AUDIT_SEMANTIC_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/digest.h"

struct semantic_call;

struct semantic {
	struct semantic_call *calls; /* owned; open addressing */
	size_t count;
	size_t room; /* a power of two */
};

/* Judges one line. 0; 1: it breaks the rule *ret_rule (a literal); -EBADMSG: not a record;
 * -ENOMEM, -EIO. */
int semantic_line(struct semantic *semantic, const void *line, size_t len, const char **ret_rule);
/* Calls that began to run and have no outcome: running now, or cut off by a crash. */
uint64_t semantic_unfinished(const struct semantic *semantic);
void semantic_fini(struct semantic *semantic);

#endif
