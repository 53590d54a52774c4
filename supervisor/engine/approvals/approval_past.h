/*
 * Questions that are over, the newest APPROVAL_PAST_MAX of them: how each ended and who answered,
 * so that a late answer is told 409, its id is not given again, and an approver sees how such
 * calls were answered before. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_APPROVAL_PAST_H
#define CALLGATE_ENGINE_APPROVAL_PAST_H

#include "supervisor/engine/approvals/approval.h"

#define APPROVAL_PAST_MAX 256

/* Texts are owned; "" where there was none. */
struct approval_past {
	char id[APPROVAL_ID_MAX];
	enum approval_state state;
	struct digest plan;
	uint64_t ended_wall_us;
	char *space, *tool, *agent, *principal; /* whose question it was */
	char *by, *how;                         /* who answered, and how he proved it */
};

/* Remembers one that is being closed as state; the oldest is forgotten. Out of memory: it is not
 * remembered. */
void approval_past_add(
    struct engine *engine, const struct approval *approval, enum approval_state state);
/* NULL: never was, or too long ago. Lives until the next question ends. */
const struct approval_past *approval_past_find(const struct engine *engine, const char *id);
void approval_past_free_all(struct engine *engine);

/* How earlier questions of this principal and tool were answered by people. */
struct approval_earlier {
	uint32_t approved, denied;           /* of this tool */
	uint32_t same_approved, same_denied; /* of exactly this plan */
};
struct approval_earlier approval_past_count(
    const struct engine *engine, const struct approval *approval);

#endif
