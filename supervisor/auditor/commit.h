/*
 * The heart of the trail: a batch of records becomes lines, leaves and one signed seal, goes to
 * disk with one write and one fdatasync, and only then is anything answered.
 *
 * A batch is whatever has arrived when the previous one was through; there is no timer. Position,
 * hashes and tree advance only when the batch is durable; after a failure nothing is answered OK
 * ever again. Auditor only; blocks on signer and disk.
 */
#ifndef CALLGATE_AUDITOR_COMMIT_H
#define CALLGATE_AUDITOR_COMMIT_H

#include <stdint.h>

#include "supervisor/auditor/entry.h"
#include "supervisor/auditor/journal.h"
#include "supervisor/auditor/signer.h"
#include "supervisor/evidence/merkle.h"

#define COMMIT_BATCH_LINES (SIGNER_LEAVES_MAX - 1) /* and the leaf of the seal before */
#define COMMIT_BATCH_BYTES (256 * 1024)            /* a quarter of the ballast, seal not counted */

struct commit {
	struct journal journal;
	struct signer signer;
	uint8_t receipt_key[KEY_LEN];
	char origin[NOTE_ORIGIN_MAX];
	struct frontier frontier; /* over all durable lines; size = number of the next one */
	struct digest prev;  /* leaf of the last of them: the newest seal, unknown to the signer */
	char note[NOTE_MAX]; /* of the newest durable seal that we wrote; "" before */
	uint64_t sealed;     /* lines that it covers */
	int signer_fault;    /* 0; else it sealed no more, and no restart but ours helps */
};

/* Takes entries from the list in order, up to the size of one batch, and fills their answers:
 * OK with the receipt, durable; REFUSED: this record could not be written, the others were;
 * UNAVAILABLE: nothing can be. Returns the first entry not taken, NULL if none is left. */
struct entry *commit_batch(struct commit *commit, struct entry *list);

#endif
