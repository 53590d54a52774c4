/*
 * Who is one person among those who agree, where a policy wants several (approval.quorum). Accounts
 * are all that can be seen, so whatever one person may hold two of counts once: two approver keys
 * of one name, a key and who made it, two keys that one principal made. The service key is nobody's
 * account: it is how several people are given keys. Pure; floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_PERSON_H
#define CALLGATE_ENGINE_PERSON_H

#include <stdbool.h>

#include "supervisor/engine/approvals/approval.h"

/* Fills answer->makers: a line for each. Where they do not fit the last ones are left out, which
 * cannot happen with what the key store makes. */
void person_add_makers(struct approval_answer *answer, const struct caller *caller);
/* Has the person of this answer said yes to it already? */
bool person_has_agreed(const struct approval *approval, const struct approval_answer *answer);

#endif
