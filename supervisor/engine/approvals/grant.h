/*
 * Answers that stand for more than one call: a grant turns "ask" into "allow" for calls with
 * exactly the plan that was approved, never "deny", and for nothing wider. It ends with the
 * connection it was given for (session), at its time (at most max_grant_ttl), when it is revoked,
 * when the policy changes and when the daemon ends: nothing is kept on disk. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_GRANT_H
#define CALLGATE_ENGINE_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/tool.h"
#include "supervisor/engine/approvals/approval.h"

#define GRANTS_MAX            1024
#define GRANT_TTL_STANDARD_MS (8ull * 3600 * 1000)

struct grant {
	struct grant *next; /* newest first */
	char id[APPROVAL_ID_MAX];
	enum grant_bit scope;
	uint64_t peer; /* SESSION: the connection */
	struct digest plan;
	char principal[PRINCIPAL_MAX];               /* whose calls */
	char *agent, *space, *tool, *command, *rule; /* owned */
	struct approval_answer answer;               /* who approved, and of which approval */
	uint64_t created_wall_us;
	uint64_t expires_wall_us;
	uint64_t expires_us; /* monotonic */
};

/* Makes a grant of an approval that is being approved. caller: the call that waits for it; SESSION
 * needs one. 0; GRANT_FULL; GRANT_NO_SESSION; -ENOMEM. */
enum grant_result {
	GRANT_FULL = 1,
	GRANT_NO_SESSION,
};
int grant_add(struct engine *engine, const struct approval *approval, enum grant_bit scope,
    const struct call *caller, uint64_t ttl_ms);
/* The grant that lets this planned call run, or NULL. */
const struct grant *grant_find(const struct call *call);
/* Could there be one, whatever the plan of this call is? Then planning it is worth while. */
bool grant_possible(const struct call *call);
const struct grant *grant_by_id(const struct engine *engine, const char *id);
/* Ends one. by: the principal, for the record. */
void grant_revoke(struct engine *engine, const struct grant *grant, const char *by);
/* Ends all of them, for the cause (a literal). */
void grant_void_all(struct engine *engine, const char *cause);
/* Forgets those whose time or connection is over; before a list is told. */
void grant_sweep(struct engine *engine);
void grant_free_all(struct engine *engine);

const char *grant_scope_name(enum grant_bit scope);
/* GRANT_ONCE, ...; 0: not a scope. */
enum grant_bit grant_scope(const char *name);

#endif
