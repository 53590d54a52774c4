/*
 * What a start finds: the whole journal is followed from its first line, and what lies behind
 * the newest valid seal is set aside.
 *
 * Bytes behind that seal were never acknowledged, whoever wrote them. They are copied to
 * quarantine/ and cut off, never signed after the fact: else lines appended to a stopped log
 * would be blessed. Damage before a later valid seal is not a torn tail; then nothing is touched
 * and the start is refused. Auditor only, before it is confined; blocks on the disk.
 */
#ifndef CALLGATE_AUDITOR_RECOVER_H
#define CALLGATE_AUDITOR_RECOVER_H

#include <stdint.h>

#include "supervisor/auditor/unfinished.h"
#include "supervisor/base/err.h"
#include "supervisor/evidence/note.h"
#include "supervisor/evidence/segment.h"
#include "supervisor/evidence/trail.h"

#define RECOVER_QUARANTINE "quarantine"

enum recover_floor {
	RECOVER_FLOOR_NONE = 0, /* no checkpoint was given */
	RECOVER_FLOOR_MISSED,   /* the journal is shorter, or another one */
	RECOVER_FLOOR_MET,      /* it holds a seal of exactly that tree */
};

struct recovery {
	/* as of the newest valid seal, that line included; frontier.size 0: there is none */
	struct trail trail;
	struct note_key key;    /* of the genesis record; meaningful when there is a seal */
	struct segment segment; /* where the next line goes; name "" = no segment yet */
	uint64_t bytes;         /* of it that stay */
	uint64_t tail_bytes;    /* behind them */
	uint64_t tail_lines;
	struct digest tail_digest;
	char tail_name[64]; /* in quarantine/, once set aside */
	enum recover_floor floor;
	struct entry *owed; /* owned; the ends of calls that a crash cut off */
};

/* Reads only. public_key: the signer's. floor: a checkpoint that was once durable, or NULL. 0 and
 * *ret is to be given to recover_fini(), or a fault with note: -EBADMSG "CORRUPT n=K; …",
 * -EKEYREJECTED (another key's journal), -errno. */
int recover_scan(struct recovery *ret, int dirfd, const uint8_t public_key[KEY_LEN],
    const struct checkpoint *floor, struct err_note *note);
/* Copies the tail to quarantine/, durably, and cuts it off, durably. 0 or -errno with note. */
int recover_tail(struct recovery *recovery, int dirfd, struct err_note *note);
/* Accepts a zeroed struct. */
void recover_fini(struct recovery *recovery);

#endif
