/*
 * Each receipt launches once: a sliding window over journal positions, as in RFC 4303 (section
 * 3.4.3, anti-replay). A position is taken, or it is older than the window and refused. Pure.
 */
#ifndef CALLGATE_WARDEN_RECEIPTS_H
#define CALLGATE_WARDEN_RECEIPTS_H

#include <stdint.h>

#define RECEIPTS_WINDOW 65536 /* lines of the journal; calls launch right after their decision */

struct receipts {
	uint64_t next; /* one more than the highest position taken; 0: none yet */
	uint64_t taken[RECEIPTS_WINDOW / 64];
};

/* 0 and the position is used up; -EALREADY: it was before; -ESTALE: too old to tell. */
int receipts_take(struct receipts *receipts, uint64_t n);

#endif
