/*
 * What records say of the changes of a call. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RECORD_EFFECTS_H
#define CALLGATE_ENGINE_RECORD_EFFECTS_H

#include "supervisor/base/buf.h"

struct call;
struct effect_order;
struct engine;
struct holding;

/* The fields of effects.decision: who may do what with which changes. */
void record_effects_decision(
    struct buf *out, const struct holding *holding, const struct effect_order *order);
/* "effects" in call.outcome: what was changed, and what became of it; nothing where the tool has no
 * overlay. */
void record_effects_outcome(struct buf *out, const struct call *call);

#endif
