/*
 * What no single key of a pack can say: names in its rules that point nowhere. Private to
 * policy/pack*.c. Floor 1.
 */
#ifndef CALLGATE_POLICY_PACK_CHECK_H
#define CALLGATE_POLICY_PACK_CHECK_H

#include "policy/pack.h"
#include "policy/schema.h"

#define PACK_OPTION_BYTES_MAX 63

/* 0 or -EINVAL with a note. */
int pack_check(struct schema *schema, const struct yaml_node *root, const struct policy_pack *pack);

#endif
