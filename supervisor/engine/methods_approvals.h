/*
 * callgate/approvals/decide: a human's answer. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_APPROVALS_H
#define CALLGATE_ENGINE_METHODS_APPROVALS_H

struct methods_ask;

/* {id, plan, decision, reason?, approver?} */
void decide_approval(const struct methods_ask *ask);

#endif
