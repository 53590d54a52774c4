/*
 * The open segment of the journal: append, make durable, rotate; and what a full disk leaves.
 *
 * A descriptor whose write or fdatasync failed is poisoned: it is never written or synced again,
 * because the kernel may have dropped the pages and would report success (fsync(2)). The single
 * exception is a write() refused for want of space, where nothing was in doubt: the segment is
 * cut back to its durable length, the ballast file is given up, and the same bytes are written
 * once more. From then on the journal is FULL: it still takes what running calls must leave
 * behind, and the commit refuses new decisions to allow. Only a restart ends FULL and DEAD.
 * Auditor only; blocks on the disk.
 */
#ifndef CALLGATE_AUDITOR_JOURNAL_H
#define CALLGATE_AUDITOR_JOURNAL_H

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/base/paths.h"
#include "supervisor/evidence/segment.h"

#define JOURNAL_SEGMENT_BYTES (64 * 1024 * 1024)
#define JOURNAL_BALLAST_BYTES (1024 * 1024)
#define JOURNAL_BALLAST_NAME  "ballast"

enum journal_state {
	JOURNAL_NONE = 0, /* not open: takes nothing */
	JOURNAL_OPEN,
	JOURNAL_FULL, /* living on the ballast */
	JOURNAL_DEAD, /* poisoned; note says why */
};

struct journal {
	enum journal_state state;
	int dirfd;   /* owned; a readable directory, locked */
	int fd;      /* owned; the open segment, -1 if none */
	int ballast; /* owned; -1 once given up */
	struct segment segment;
	uint64_t bytes; /* durable length of the segment */
	dev_t dev;
	ino_t ino;
	char path[PATHS_MAX]; /* for notes */
	struct err_note note; /* FULL, DEAD: what to tell */
};

/* Locks the directory and sets the ballast aside. dirfd stays the caller's. 0 or -errno with
 * note (-EWOULDBLOCK: another daemon writes here). */
int journal_open(struct journal *ret, int dirfd, const char *path, struct err_note *note);
/* Goes on in an existing segment of exactly this many bytes. 0 or -errno. */
int journal_resume(struct journal *journal, const struct segment *segment, uint64_t bytes);
/* Begins a new segment, durable in its directory before the old one is let go. 0, or -errno and
 * the journal is DEAD. */
int journal_begin(struct journal *journal, uint64_t first);
/* Whether the next batch belongs into a new segment. */
int journal_is_due(const struct journal *journal);
/* Writes all of it with one loop and one fdatasync. 0: durable. Else -errno, nothing counts as
 * written, and the journal is DEAD: -EIO for every later call. */
int journal_append(struct journal *journal, const void *bytes, size_t len);
/* Poisons the journal for a cause outside of it; the note is
 * "AUDIT_UNAVAILABLE <what>: <strerror>; …" or AUDIT_FULL. Returns fault. */
int journal_fail(struct journal *journal, const char *what, int fault);
void journal_close(struct journal *journal);

#endif
