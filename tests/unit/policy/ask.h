/* One question to a policy, as short as tests want it: rules of lists only, no arguments. */
#ifndef CALLGATE_TESTS_POLICY_ASK_H
#define CALLGATE_TESTS_POLICY_ASK_H

#include "policy/decide.h"

static inline struct question question_of(const struct policy *policy,
    const struct identity *identity, const struct policy_tool *tool, const struct command *command)
{
	return (struct question){
	    .policy = policy, .tool = tool, .identity = identity, .command = command};
}

/* What the verdict points into is the policy's and the command's here: no packs, no rows. */
static inline void ask_verdict(const struct policy *policy, const struct policy_tool *tool,
    const struct command *command, struct verdict *ret)
{
	const struct question question = question_of(policy, NULL, tool, command);
	struct judgement judgement;

	(void)policy_judge(&question, &judgement); /* out of memory denies */
	*ret = judgement.result;
	judgement_fini(&judgement);
}

static inline int ask_json(struct buf *out, const struct policy *policy,
    const struct identity *identity, const struct policy_tool *tool, const struct command *command)
{
	const struct question question = question_of(policy, identity, tool, command);

	return policy_tell_json(out, &question, &(struct explanation){.grant = NULL});
}

static inline int ask_text(struct buf *out, const struct policy *policy,
    const struct identity *identity, const struct policy_tool *tool, const struct command *command)
{
	const struct question question = question_of(policy, identity, tool, command);

	return policy_tell_text(out, &question, &(struct explanation){.grant = NULL});
}

#endif
