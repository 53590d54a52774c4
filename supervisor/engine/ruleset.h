/*
 * One version of the policy, kept alive by the calls that were judged under it. The newest is in
 * force; an older one dies with its last call. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RULESET_H
#define CALLGATE_ENGINE_RULESET_H

#include <stdint.h>

#include "policy/rulebook.h"
#include "supervisor/base/err.h"
#include "supervisor/evidence/digest.h"

struct ruleset {
	struct policy *policy; /* owned */
	struct rulebook *book; /* of it; owned */
	struct digest version; /* SHA-256 of the frozen form */
	uint32_t uses;         /* the engine's own and one per call */
};

/* Maps the sealed frozen policy, checks that it has this digest, thaws it. fd stays the
 * caller's. 0 and *ret with one use, or -errno with note. */
int ruleset_thaw(int fd, const struct digest *version, struct ruleset **ret, struct err_note *note);
struct ruleset *ruleset_hold(struct ruleset *rules);
/* Gives one use back; accepts NULL. Always returns NULL. */
struct ruleset *ruleset_drop(struct ruleset *rules);

#endif
