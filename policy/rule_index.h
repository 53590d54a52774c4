/*
 * Which rows of rules: can match at all, found in one pass over the arguments, whatever the number
 * of rows. A row is found by the texts that one of its conditions wants: those of const and enum,
 * numbers too, or the literals that a pattern cannot do without (policy/literals.h), wherever in
 * the pattern they stand, in the value or, where the condition says contains, in an element of it.
 * Of several the one that the fewest other rows share is taken. What wants
 * no text (^[a-z]+$, minLength) is looked at each time, when its parameter is given at all.
 * Private to policy/. Floor 1: base, jansson.
 */
#ifndef CALLGATE_POLICY_RULE_INDEX_H
#define CALLGATE_POLICY_RULE_INDEX_H

#include <jansson.h>

#include "policy/tool.h"

struct rule_index;

/* properties: the schemas of the parameters by name, which tell whose value can only be text; NULL:
 * not known. All borrowed for the call only. 0 or -ENOMEM. */
int rule_index_new(const struct policy_rule *rules, uint32_t count, const json_t *properties,
    struct rule_index **ret);
/* Accepts NULL. */
void rule_index_free(struct rule_index *index);

/* Indexes of the rows that may match these arguments (an object, or NULL), ascending, each once;
 * the array is the caller's, NULL for none. 0 or -ENOMEM. */
int rule_index_find(
    const struct rule_index *index, const json_t *arguments, uint32_t **ret, uint32_t *ret_count);

/* Rows that are found by no text; bytes of memory held. */
uint32_t rule_index_unkeyed(const struct rule_index *index);
size_t rule_index_size(const struct rule_index *index);

#endif
