/*
 * Approvals beyond the terminal: each question is sent to the channels of its tool, one after the
 * other while nobody answers (escalate_after) or all at once, again when a channel does not take
 * it, until the question ends. Channels that were told hear of its end, too. What is sent is made
 * by hook_send.h; what comes back by POST is callback.h's, what stands in the answer to a plain
 * JSON hook is taken here. A flood becomes at most HOOK_RATE notices a minute and channel, and one
 * that says how many wait. Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_HOOK_H
#define CALLGATE_ENGINE_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/approvals/approval.h"

struct engine;

#define HOOK_RATE       30 /* questions a minute and channel */
#define HOOK_FLIGHT_MAX 24 /* on their way at once; courier has 32 places */
#define HOOK_SLOW_MAX                                                                              \
	12 /* of them to channels that answer on the request itself;
				 * of both each channel has its share */
#define HOOK_SHARE_MIN      2
#define HOOK_TIMEOUT_MS     15000
#define HOOK_SLOW_MS        300000
#define HOOK_ANSWER_MAX     (64 * 1024) /* bytes of what a channel says back */
#define HOOK_AFTER_ATTEMPTS 4

/* What became of one delivery; the name stands in metrics and in approval.sent. */
#define HOOK_RESULTS(X)                                                                            \
	X(OK, "ok")                                                                                \
	X(RETRY, "retry")   /* it is tried again */                                                \
	X(FAILED, "failed") /* it is not */                                                        \
	X(GONE, "gone")     /* 410: this channel does not want it */                               \
	X(HELD, "held")     /* over HOOK_RATE: sent later */                                       \
	X(OVER, "over")     /* the question ended before the channel had taken it */

enum hook_result {
	HOOK_RESULT_NONE = 0,
#define HOOK_ENUM_(id, name) HOOK_RESULT_##id,
	HOOK_RESULTS(HOOK_ENUM_)
#undef HOOK_ENUM_
	    HOOK_RESULT_COUNT,
};
const char *hook_result_name(enum hook_result result);
/* Deliveries since the start that ended so. */
uint64_t hook_count(const struct engine *engine, enum hook_result result);

/* A question begins to wait. */
void hook_asked(struct engine *engine, const struct approval *approval);
/* It waits no longer; may be said twice. state: what it is now. */
void hook_ended(struct engine *engine, const struct approval *approval, enum approval_state state);
/* Sends what is due. Done by a timer; tests do it by hand. */
void hook_sweep(struct engine *engine);

/* Is it the one that this channel got with this question, whole, and has not used? In constant
 * time. */
bool hook_nonce_is(
    const struct engine *engine, const char *approval, const char *channel, const char *nonce);
/* Its answer was counted. */
void hook_nonce_used(struct engine *engine, const char *approval, const char *channel);

void hook_free_all(struct engine *engine);

#endif
