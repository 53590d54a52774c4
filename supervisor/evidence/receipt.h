/*
 * The receipt: the auditor's word to the warden that the decision "allow" for exactly this plan
 * (or list of changes) of exactly this call is durable at position n of the journal. HMAC-SHA-256
 * under a key that the warden makes at start and only the auditor shares; engine carries it and
 * cannot make one.
 * Floor 1: base, libcrypto.
 */
#ifndef CALLGATE_EVIDENCE_RECEIPT_H
#define CALLGATE_EVIDENCE_RECEIPT_H

#include <stdint.h>

#include "supervisor/evidence/digest.h"

struct receipt {
	uint64_t n;         /* line number of the decision record */
	struct digest leaf; /* its leaf hash */
	uint64_t size;      /* size of the sealed tree that holds it */
	struct digest root; /* root of that tree */
	struct digest mac;  /* zero unless the record was an allow decision with a plan */
};

/* Fills receipt->mac from the other fields. 0, -EINVAL (zero key or plan, empty call), -EIO. */
int receipt_seal(struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *plan);
/* 0: good; -EKEYREJECTED: forged, or for another call or plan; -EIO. */
int receipt_check(const struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *plan);

/* The same for a decision about what a call left behind (effects_digest()): neither receipt is good
 * for the other. */
int receipt_seal_effects(struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *effects);
int receipt_check_effects(const struct receipt *receipt, const uint8_t key[KEY_LEN],
    const char *call, const struct digest *effects);

#endif
