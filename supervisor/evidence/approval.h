/*
 * An approver's answer in bytes that can be signed, and the public half of an approver key.
 * Used by engine (verify) and the command (sign). Floor 1: base, libcrypto.
 */
#ifndef CALLGATE_EVIDENCE_APPROVAL_H
#define CALLGATE_EVIDENCE_APPROVAL_H

#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"

#define APPROVER_ID_LEN   16 /* hex digits: first 8 bytes of SHA-256(public key) */
#define APPROVER_NAME_MAX 64

struct approver {
	char id[APPROVER_ID_LEN + 1];
	char name[APPROVER_NAME_MAX + 1]; /* [A-Za-z0-9_.@-] */
	uint8_t public_key[KEY_LEN];
};

/* "callgate-approver v1 <id> <name> <base64 public key>\n": the whole of STATE/approvers/ID.pub */
int approver_text(struct buf *out, const struct approver *approver);
/* Checks that id belongs to the key. 0 or -EBADMSG. */
int approver_parse(struct approver *ret, const char *line);
/* Fills id from public_key. 0 or -EINVAL (name), -EIO. */
int approver_init(struct approver *ret, const char *name, const uint8_t public_key[KEY_LEN]);

/* What is signed: "callgate-approval-v1\n<id>\n<plan hex>\n<decision>\n<wall_us>\n<reason>".
 * decision is "approve", "approve:session", "approve:always" or "deny". */
int approval_signed_bytes(struct buf *out, const char *approval_id, const struct digest *plan,
    const char *decision, uint64_t wall_us, const char *reason);

/* A decision about what a call has changed is signed as one about an approval of this id, decision
 * "approve", whose plan is this digest: SHA-256 over "callgate-effects-decision-v1\n", op ("commit"
 * or "undo"), call, the hex digest of the list, and each path as the request names it; each with a
 * NUL behind it. count 0: all of the list. 0 or -EIO. */
#define EFFECTS_SIGNED_ID "effects"
int approval_effects_digest(struct digest *ret, const char *op, const char *call,
    const struct digest *effects, const char *const *paths, size_t count);

#endif
