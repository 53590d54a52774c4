/*
 * The start of the trail: lock, signer, recovery, and the first batch of this run. Everything
 * that reads the disk happens here, before the auditor is confined. Auditor only.
 */
#ifndef CALLGATE_AUDITOR_OPENING_H
#define CALLGATE_AUDITOR_OPENING_H

#include <stdint.h>

#include "supervisor/auditor/commit.h"
#include "supervisor/auditor/newest.h"
#include "supervisor/base/err.h"

struct opening {
	int journal_dir;    /* borrowed; may be O_PATH */
	int key_dir;        /* borrowed; may be O_PATH */
	const char *origin; /* of a log that begins now */
	const char *path;   /* of journal_dir, for notes */
};

struct opened {
	struct note_key key;
	struct newest newest;     /* the caller's; its fd is -1 if it cannot be kept */
	uint64_t recovered_bytes; /* set aside */
	uint64_t recovered_lines;
};

/* Fills commit (but for the receipt key) and writes log.genesis where the log begins,
 * log.recovered where a tail was set aside, and log.open. 0 or a fault with note; then commit is
 * to be given to opening_undo(). -EBADMSG, -EKEYREJECTED, -EPERM: this journal or key must not
 * be used as it is. */
int opening_run(struct commit *commit, const struct opening *opening, struct opened *ret,
    struct err_note *note);
void opening_undo(struct commit *commit);

#endif
