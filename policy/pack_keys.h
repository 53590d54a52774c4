/*
 * YAML to pack, by the same engine as the policy itself. Means libyaml: for the policy child and
 * `callgate policy` only. Floor 1: base, libyaml.
 */
#ifndef CALLGATE_POLICY_PACK_KEYS_H
#define CALLGATE_POLICY_PACK_KEYS_H

#include "policy/arena.h"
#include "policy/pack.h"
#include "supervisor/base/err.h"

/* The pack of that name that callgate brings; it lives in arena. 0; -ENOENT with a note that lists
 * the names; -EINVAL with "packs/git.yaml:12:3: key: why; what to do"; -ENOMEM. */
int pack_load(
    struct policy_pack *ret, struct arena *arena, const char *name, struct err_note *note);
/* The same from any text; file is for messages. -EINVAL, -ENOMEM. */
int pack_load_text(struct policy_pack *ret, struct arena *arena, const char *file, const char *text,
    struct err_note *note);

#endif
