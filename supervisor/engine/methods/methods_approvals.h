/*
 * callgate/approvals/decide: a human's answer; callgate/approvals/get: what he needs for it.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_APPROVALS_H
#define CALLGATE_ENGINE_METHODS_APPROVALS_H

struct approver_vote;
struct methods_ask;

/* {id, plan, decision, scope?, reason?, edited_arguments?, approver?}; by HTTP plan may be left out
 * where nothing is signed */
void decide_approval(const struct methods_ask *ask);
/* Who answers, why, and the signature, of params {reason?, approver?}; borrows from ask. NULL when
 * well-formed, else what is wrong. */
const char *methods_read_proof(const struct methods_ask *ask, struct approver_vote *vote);
/* {id}: the whole question, or how it ended */
void get_approval(const struct methods_ask *ask);

#endif
