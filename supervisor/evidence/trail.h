/*
 * Following the journal line by line: numbers, links, tree, and the seals' claims about them.
 * The daemon's recovery and the offline verifier walk the same way, here. What a finding means
 * (a torn tail, tampering) is for them to say. Floor 1: base, libcrypto; pure.
 */
#ifndef CALLGATE_EVIDENCE_TRAIL_H
#define CALLGATE_EVIDENCE_TRAIL_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/clock.h"
#include "supervisor/evidence/line.h"
#include "supervisor/evidence/merkle.h"
#include "supervisor/evidence/seal.h"

enum trail_step {
	TRAIL_NONE = 0,
	TRAIL_LINE,     /* follows the line before */
	TRAIL_SEAL,     /* the same, and a seal of exactly what is before it; trail->seal */
	TRAIL_FRAMING,  /* does not begin as a record does */
	TRAIL_SEQUENCE, /* its number is not the next; trail->found */
	TRAIL_CHAIN,    /* its @prev is not the hash of the line before */
	TRAIL_NOTE,     /* a seal not in canonical form; trail->why */
	TRAIL_ROOT,     /* a seal of another tree than the one before it; trail->seal */
};

struct trail {
	struct frontier frontier;      /* over all lines that followed */
	char prev_hex[DIGEST_HEX_MAX]; /* leaf of the last of them */
	char stamp[CLOCK_STAMP_MAX];   /* its time */
	uint64_t seals;
	struct seal seal;       /* the last one met; seals > 0 or after NOTE, ROOT */
	struct frontier sealed; /* the tree that it covers; seals > 0 */
	uint64_t found;
	const char *why;
};

/* stream: see struct frontier; it must outlive the trail, or be taken out of it. */
void trail_init(struct trail *trail, struct digest_stream *stream);
/* Judges the next line and, if it follows, takes it in. *ret_leaf is its leaf hash either way.
 * enum trail_step, or a fault: -EIO, -ENOMEM. */
int trail_line(struct trail *trail, const void *line, size_t len, struct digest *ret_leaf);

#endif
