/*
 * Changes in words and JSON. Paths and targets are bytes of the tool's choosing: what is told of
 * them is always escaped (str_escape), which also names each path in exactly one way.
 * Floor 3, engine only; pure.
 */
#ifndef CALLGATE_ENGINE_EFFECT_TOLD_H
#define CALLGATE_ENGINE_EFFECT_TOLD_H

#include <jansson.h>

#include "supervisor/base/buf.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/link/message.h"

#define EFFECT_TOLD_ALL    (1024 * 1024) /* bytes of JSON of the changes; others are counted */
#define EFFECT_TOLD_RESULT (64 * 1024)   /* the same in the result of a call */

struct effect_counts {
	uint32_t added, changed, removed, mode, runs_later, leads_out, special;
};
struct effect_counts effect_told_count(const struct effects *effects);

/* {call, digest, state, count, runs_later, changes: [...], more}: those that run later on the host
 * first, as many as max bytes hold. A new object; NULL: out of memory. */
json_t *effect_told_json(const struct holding *holding, size_t max);
/* {call, digest, state, count, runs_later, tool, ...}: one line of the list of what is held. */
json_t *effect_told_line(const struct holding *holding);
/* The contents of one path, out of the body of EFFECTED. 0 and a new object, or NULL where there is
 * no memory; -EBADMSG. */
int effect_told_look(const struct effect *effect, const struct bytes *body, json_t **ret);
/* Lines for an approver: every change, those that run later first and marked. 0 or out's fault. */
int effect_told_text(struct buf *out, const struct effects *effects);

#endif
