/*
 * Signatures of web hooks, made and verified: Standard Webhooks (v1, HMAC-SHA-256 over
 * "id.timestamp.body"), GitHub's (over the body alone) and Slack's (v0 over "v0:timestamp:body").
 * Pure: no clock, no memory of what was seen. Comparisons take constant time, lengths are exact,
 * and whatever is not well-formed is no signature. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_HOOK_SIGN_H
#define CALLGATE_ENGINE_HOOK_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/buf.h"

#define HOOK_SKEW_S      300 /* how far a signed time may be from ours */
#define HOOK_ID_MAX      129 /* of a message, with NUL; [A-Za-z0-9_-] */
#define HOOK_SIGNATURE_S 8   /* signatures that are looked at */
#define HOOK_BODY_IN_MAX (64 * 1024)

/* One message with what is signed beside its body. Borrowed. */
struct hook_message {
	const char *secret; /* "whsec_" and base64, or the bytes as they are; never "" */
	const char *id;     /* "" where the scheme has none */
	uint64_t time_s;    /* since 1970 */
	const void *body;
	size_t body_len;
};

enum hook_verdict {
	HOOK_FORGED = 0, /* no signature, or none that is right */
	HOOK_STALE,      /* right, but older or newer than HOOK_SKEW_S */
	HOOK_GENUINE,
};

/* Each appends the value of the scheme's signature header. 0, out's fault, -EINVAL (a secret that
 * is not what its prefix says), -EIO. */
int hook_sign_standard(struct buf *out, const struct hook_message *message);
int hook_sign_github(struct buf *out, const struct hook_message *message);
int hook_sign_slack(struct buf *out, const struct hook_message *message);

/* time: the header as it came. message->time_s is filled from it. */
enum hook_verdict hook_verify_standard(
    struct hook_message *message, const char *time, const char *signatures, uint64_t now_s);
enum hook_verdict hook_verify_slack(
    struct hook_message *message, const char *time, const char *signature, uint64_t now_s);
/* No time is signed but in the body: the caller looks at that with hook_is_near(). */
enum hook_verdict hook_verify_github(const struct hook_message *message, const char *signature);

bool hook_is_near(uint64_t told_s, uint64_t now_s);
/* 1 to HOOK_ID_MAX - 1 of [A-Za-z0-9_-]: no dot, so that id and time cannot run together. */
bool hook_is_id(const char *id);

#endif
