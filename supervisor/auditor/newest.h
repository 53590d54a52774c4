/*
 * The newest checkpoint, kept beside the key: what the journal must never again be shorter than.
 *
 * A journal cut off exactly behind an older seal is sound in itself; only a word kept elsewhere
 * tells (callgate-audit(7)). This is such a word for the daemon's own start. It is written after
 * the batch is durable, never before, at most once a second, so it may lag but never leads. The
 * file stays open: the confined auditor has no way into the folder of the key. A note is shorter
 * than a sector and written with one call; one that was torn all the same counts as missing.
 * Auditor only; blocks on the disk.
 */
#ifndef CALLGATE_AUDITOR_NEWEST_H
#define CALLGATE_AUDITOR_NEWEST_H

#include <stdint.h>

#include "supervisor/base/err.h"
#include "supervisor/evidence/note.h"

#define NEWEST_NAME "newest"

struct newest {
	int fd;        /* owned; -1: not kept */
	uint64_t size; /* of the checkpoint last written in this run */
	int fault;     /* of the last write, told once */
};

/* Opens the file below keydir, made if missing. 0 or -errno. */
int newest_open(struct newest *ret, int keydir);
/* The checkpoint of an earlier run, if its signature is this key's. 1, 0 (none, torn, or of a key
 * that was replaced) or -errno. */
int newest_read(
    const struct newest *newest, const uint8_t public_key[KEY_LEN], struct checkpoint *ret);
/* Writes the note of a durable seal over `size` lines. 0 or -errno. */
int newest_write(struct newest *newest, uint64_t size, const char *note);
/* Accepts a closed one. */
void newest_close(struct newest *newest);

#endif
