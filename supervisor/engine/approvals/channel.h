/*
 * A channel as an approver: answers that came back by it, authentic already, count as those of the
 * principal "channel:NAME" with the channel's roles. One channel is one person, whoever it says
 * has answered. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CHANNEL_H
#define CALLGATE_ENGINE_CHANNEL_H

#include <jansson.h>

#include "policy/policy.h"
#include "supervisor/base/err.h"
#include "supervisor/engine/approvals/approval.h"

struct caller;
struct engine;

/* Borrowed. */
struct channel_answer {
	const char *approval;
	const char *nonce; /* that the question went out with; NULL: it came on the very request */
	bool approve;
	enum grant_bit scope;
	const char *reason;  /* "" = none */
	const char *claimed; /* who is said to have answered, as it came; "" = nobody */
};

/* The channel's text for a claim or a reason: printable, cut. */
void channel_clean(char *out, size_t max, const char *text);
/* Has it to do with questions of this namespace? */
bool channel_serves(const struct policy_channel *channel, const char *space);
/* The principal that it answers as, with one hold. NULL: out of memory. */
struct caller *channel_caller(const struct policy_channel *channel);
/* 0 and *ret_told (vote.h); else a code: 400 as RPC_INVALID_PARAMS (not its question, or a nonce
 * that is not its), 403, 404, 409, 503 (out of memory), with note. Refusals of a question that
 * exists are recorded. */
int channel_decide(struct engine *engine, const struct policy_channel *channel,
    const struct channel_answer *answer, json_t **ret_told, struct err_note *note);

#endif
