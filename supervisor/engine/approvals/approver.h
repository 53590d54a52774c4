/*
 * Who may answer. An answer counts when the answering principal's roles may approve the tool AND
 * it is signed by a registered approver key, or comes from another uid than the caller's. What
 * runs under the caller's own uid may be the agent itself, so without a signature it is refused.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_APPROVER_H
#define CALLGATE_ENGINE_APPROVER_H

#include <stdint.h>

#include "policy/decide.h"
#include "supervisor/base/err.h"
#include "supervisor/engine/approvals/approval.h"
#include "supervisor/link/message.h"

#define APPROVER_SKEW_US (5ull * 60 * 1000000) /* how far a signed time may be from ours */

struct approver_vote {
	const struct caller *caller; /* who answers */
	const char *channel;         /* by which it came; "terminal": by himself, to us */
	const char *claimed;         /* who a channel says has answered; "" = nothing said */
	struct digest plan;          /* the plan that the human saw; zero: his answer names none */
	int approve;                 /* 1 approve, 0 deny */
	enum grant_bit scope;        /* of an approval: once, session, always */
	const char *reason;
	const char *key;  /* approver id; NULL: not signed */
	uint64_t wall_us; /* time in the signature */
	uint8_t signature[SIGNATURE_LEN];
};

enum approver_verdict {
	APPROVER_REFUSED = 0, /* note: a sentence that says how to do it right */
	APPROVER_STALE,       /* the answer is to another plan; note */
	APPROVER_COUNTS,      /* *ret_answer is filled */
};

enum approver_verdict approver_judge(const struct engine *engine, const struct approval *approval,
    const struct approver_vote *vote, struct approval_answer *ret_answer, struct err_note *note);

/* Takes the lines of STATE/approvers as the keys that count from now on; records admin.key for
 * each that came or went. A line that does not parse is logged and counts for nothing.
 * 0 or -ENOMEM with the old keys kept. */
int approver_replace(struct engine *engine, const struct strv *lines);

#endif
