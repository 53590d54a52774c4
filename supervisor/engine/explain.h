/*
 * callgate/explain: what would be decided about one call, layer by layer, for a caller who may
 * reach the tool. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_EXPLAIN_H
#define CALLGATE_ENGINE_EXPLAIN_H

struct methods_ask;

/* Answers exactly once. */
void explain(const struct methods_ask *ask);

#endif
