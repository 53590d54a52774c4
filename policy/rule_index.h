/*
 * Which rows of rules: can match at all. A row that wants one text, or one of a few, or a pattern
 * that begins with a literal (^feature/) is found by that text in one look; what is left is looked
 * at each time. Private to policy/. Floor 1: jansson.
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
void rule_index_free(struct rule_index *index);

/* Indexes of the rows that may match these arguments (an object, or NULL), ascending, each once;
 * the array is the caller's, NULL for none. 0 or -ENOMEM. */
int rule_index_find(
    const struct rule_index *index, const json_t *arguments, uint32_t **ret, uint32_t *ret_count);

#endif
