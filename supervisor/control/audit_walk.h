/*
 * The judgement of a whole journal, in one pass and with memory that does not grow: what verify
 * prints and what prove insists on. Floor 4.
 */
#ifndef CALLGATE_CONTROL_AUDIT_WALK_H
#define CALLGATE_CONTROL_AUDIT_WALK_H

#include <stdint.h>

#include "supervisor/base/err.h"
#include "supervisor/control/audit.h"
#include "supervisor/control/audit_anchor.h"
#include "supervisor/control/audit_semantic.h"
#include "supervisor/evidence/segment.h"
#include "supervisor/evidence/trail.h"

enum walk_flags {
	WALK_ALL_SEALS = 1, /* every signature, not only the newest */
	WALK_SEMANTIC = 2,
	WALK_KEEP_LEAVES = 4, /* for a proof: 32 bytes a line */
};

struct walk {
	/* set by the caller; the rest zero */
	int dirfd;
	unsigned flags; /* enum walk_flags */
	int pinned;
	struct note_key key; /* the pin's; without one that of the genesis record */
	uint64_t max_age_us; /* 0: not asked */
	uint64_t now_us;
	struct anchors anchors;
	uint64_t keep_line; /* with KEEP_LEAVES: the line to copy */

	/* found */
	struct err_note verdict; /* the first line of the answer */
	struct trail trail;
	struct note_key genesis;
	int has_genesis;
	uint64_t seal_n;     /* of the newest seal; trail.seals > 0 */
	uint64_t seal_us;    /* its time */
	uint64_t unsealed;   /* whole lines behind it */
	uint64_t tail_bytes; /* all bytes behind it */
	uint64_t torn_bytes; /* of these, the unfinished line */
	uint64_t recovered;  /* log.recovered records */
	uint64_t anchored;   /* size of the largest anchor that agrees */
	struct semantic semantic;
	struct buf kept_leaves; /* struct digest each */
	struct buf kept_line;
	int seal_met; /* some line is a seal, be it a bad one */

	/* private: where the walk is */
	struct segment_list list;
	size_t segment;
	struct lines lines;
	struct digest_stream *stream; /* owned */
};

/* Reads everything and fills verdict. enum audit_exit; AUDIT_USAGE: could not be read. */
int walk_run(struct walk *walk);
void walk_fini(struct walk *walk);

#endif
