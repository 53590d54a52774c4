/*
 * SHA-256 of programs, remembered by what the kernel says about the inode. A file that was
 * changed within the last seconds is hashed again each time: its stamp could stay the same over
 * another change. Used by plan.c and tools.c; reads the disk when it does not remember.
 */
#ifndef CALLGATE_WARDEN_HASHES_H
#define CALLGATE_WARDEN_HASHES_H

#include <stdint.h>

#include "supervisor/evidence/digest.h"
#include "sandbox/allowlist.h"

#define HASHES_MAX      512
#define HASHES_FRESH_NS (3 * INT64_C(1000000000)) /* younger than this: not remembered */

struct hash_entry {
	struct program_stamp stamp;
	struct digest digest;
};

struct hashes {
	struct hash_entry entries[HASHES_MAX];
	uint32_t count;
	uint32_t next; /* the oldest, overwritten when full */
};

/* Digest of what read_fd reads; *ret_stamp is what fstat said before and after. 0; -EAGAIN: the
 * file changed while it was read; -EFBIG: larger than max bytes; -errno. */
int hashes_of(struct hashes *hashes, int read_fd, uint64_t max, struct program_stamp *ret_stamp,
    struct digest *ret_digest);
/* The stamp of an opened object (O_PATH is enough). 0 or -errno. */
int hashes_stamp(int fd, struct program_stamp *ret);

#endif
