/*
 * What only a whole tool shows: keys that contradict each other, templates that name parameters
 * which are not there, rules and tests about them. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_CHECK_TOOL_H
#define CALLGATE_POLICY_CHECK_TOOL_H

#include "policy/parameters.h"
#include "policy/policy.h"
#include "policy/schema.h"
#include "policy/tool.h"

/* node is the tool's mapping. Fills what follows from other keys (description, parameters of a
 * typed tool that has none). 0, -EINVAL with a note, -ENOMEM. */
int tool_check(struct schema *schema, const struct yaml_node *node, struct policy_tool *tool);

/* Ids of rules:, conditions and arguments of tests: about parameters that there are. */
int tool_check_rules(
    struct schema *schema, const struct policy_tool *tool, const struct parameters *parameters);
/* rule: of tests:, once the packs of policy are there. 0, -EINVAL with a note, -ENOMEM. */
int tool_check_expected(
    struct schema *schema, const struct policy *policy, const struct policy_tool *tool);

#endif
