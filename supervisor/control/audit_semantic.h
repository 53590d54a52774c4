/*
 * The meaning of the trail, call by call: nothing started that was not allowed, nothing finished
 * twice, none of its changes written without a decision of its own about exactly these, and
 * nothing left open by a daemon that is no more (an era is what one log.open begins). Keeps one
 * small entry per call, so its memory grows with the number of calls (unlike the rest of verify).
 * Floor 4; pure.
 */
#ifndef CALLGATE_CONTROL_AUDIT_SEMANTIC_H
#define CALLGATE_CONTROL_AUDIT_SEMANTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/digest.h"

struct semantic_call;

struct semantic {
	struct semantic_call *calls;  /* owned; open addressing */
	struct digest_stream *stream; /* borrowed; see struct frontier */
	size_t count;
	size_t room;    /* a power of two */
	uint64_t lines; /* judged so far */
	uint64_t era;   /* log.open records so far */
};

/* Judges the next line, each being given, from the first. 0; 1: it breaks the rule *ret_rule (a
 * literal); -EBADMSG: not a record; -ENOMEM, -EIO. */
int semantic_line(struct semantic *semantic, const void *line, size_t len, const char **ret_rule);
/* Calls that began to run and have no outcome: running now, or cut off by a crash. */
uint64_t semantic_unfinished(const struct semantic *semantic);
/* Whether a call of an earlier era never got its outcome, or was started and never got its exit:
 * the next start owed it both. *ret_n: the first such decision. */
bool semantic_left_open(const struct semantic *semantic, uint64_t *ret_n);
void semantic_fini(struct semantic *semantic);

#endif
