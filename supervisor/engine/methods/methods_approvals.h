/*
 * callgate/approvals/decide: a human's answer; callgate/approvals/get: what he needs for it.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_APPROVALS_H
#define CALLGATE_ENGINE_METHODS_APPROVALS_H

struct methods_ask;

/* {id, plan, decision, scope?, reason?, edited_arguments?, approver?}; by HTTP plan may be left out
 * where nothing is signed */
void decide_approval(const struct methods_ask *ask);
/* {id}: the whole question, or how it ended */
void get_approval(const struct methods_ask *ask);

#endif
