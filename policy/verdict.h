/*
 * One verdict in words, in pieces, for explain.c; whole in decide.h. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_VERDICT_H
#define CALLGATE_POLICY_VERDICT_H

#include "policy/decide.h"

/* Why it was decided so, without what helps. Text is escaped. */
void verdict_why(struct buf *out, const struct policy_tool *tool, const struct verdict *verdict);
/* The id of the row, or what decides beside rows ("deny_by_default"); lives as the verdict does. */
const char *verdict_rule_name(const struct verdict *verdict);
/* What the caller's identity is worth, in words. Literal. */
const char *identity_word(enum identity_result result);
const char *command_form_name(enum command_form form);
/* "; retrying does not help, ..." or "". Literal. */
const char *verdict_helps(const struct verdict *verdict);

#endif
