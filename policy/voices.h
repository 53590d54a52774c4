/*
 * Every rule that speaks about one command, one after the other. policy_decide() keeps the
 * strictest, policy_explain_*() tell them all: the same code, so they cannot differ. Private to
 * policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_VOICES_H
#define CALLGATE_POLICY_VOICES_H

#include "policy/decide.h"

struct voices {
	const struct policy *policy;
	const struct policy_tool *tool;
	const struct command *command;
	uint32_t step; /* 0 the shell, 1..n the words, then the tool as a whole */
};

void voices_init(struct voices *voices, const struct policy *policy, const struct policy_tool *tool,
    const struct command *command);
/* The next rule that speaks into *ret; false at the end, *ret then untouched. */
bool voices_next(struct voices *voices, struct verdict *ret);

#endif
