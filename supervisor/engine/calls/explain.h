/*
 * callgate/explain: what would be decided about one call, layer by layer, for a caller who may
 * reach the tool. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_EXPLAIN_H
#define CALLGATE_ENGINE_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct message;
struct methods_ask;

#define EXPLAINING_MAX 64 /* explanations that wait for a plan at once */

/* Answers exactly once: at once, or, where a grant could turn the decision, when the warden has
 * planned the call. */
void explain(const struct methods_ask *ask);
/* PLANNED: true where it was the plan of an explanation, which is answered now. */
bool explain_planned(struct engine *engine, const struct message *message);
/* Whose connection is gone gets no explanation any more. */
void explain_drop_peer(struct engine *engine, uint64_t peer);
/* Forgets all without a word. */
void explain_free_all(struct engine *engine);

#endif
