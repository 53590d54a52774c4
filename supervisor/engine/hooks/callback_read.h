/*
 * The body of an answer by web hook: {approval, nonce, decision, scope?, reason?, approver?, id?,
 * timestamp?} as JSON, or what Slack makes of a pressed button. What is not known is refused, not
 * passed over: an answer means all that it says. Pure. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CALLBACK_READ_H
#define CALLGATE_ENGINE_CALLBACK_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/base/err.h"
#include "supervisor/engine/approvals/channel.h"

struct callback_text {
	const char *text;
	size_t len;
};

struct callback_body {
	json_t *root; /* owned: what the texts point into */
	json_t *more; /* the same: of Slack, the button's value */
	struct channel_answer answer;
	char claimed[APPROVAL_CLAIM_MAX]; /* of Slack */
	const char *id;                   /* "" = none */
	bool has_time;
	uint64_t time_s;
};

/* 0; -EINVAL with note; -ENOMEM with note. Ended by callback_body_fini() in every case. */
int callback_read(struct callback_body *ret, enum channel_type type, struct callback_text text,
    struct err_note *note);
/* Accepts a zeroed one. */
void callback_body_fini(struct callback_body *body);

#endif
