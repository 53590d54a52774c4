/*
 * The tree of RFC 6962 section 2.1 over the lines of the journal: leaf = SHA-256(0x00 || line
 * without its newline), node = SHA-256(0x01 || left || right).
 *
 * A frontier is the list of roots of the perfect subtrees of a tree of `size` leaves: all that
 * is needed to append and to name the root. Floor 1: base, libcrypto.
 */
#ifndef CALLGATE_EVIDENCE_MERKLE_H
#define CALLGATE_EVIDENCE_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/digest.h"

#define MERKLE_PROOF_MAX 64 /* hashes in an inclusion proof of a tree below 2^64 leaves */

struct frontier {
	uint64_t size;
	struct digest roots[64]; /* [i]: of 2^i leaves; counts where bit i of size is set */
	/* Borrowed, at its beginning; NULL: each hash makes its own. Goes along with copies. */
	struct digest_stream *stream;
};

/* stream: as in a frontier. */
int merkle_leaf_by(struct digest_stream *stream, struct digest *ret, const void *line, size_t len);
int merkle_leaf(struct digest *ret, const void *line, size_t len);
int merkle_node(struct digest *ret, const struct digest *left, const struct digest *right);

int frontier_append(struct frontier *frontier, const struct digest *leaf);
/* Root of the current size; for size 0 SHA-256 of nothing. */
int frontier_root(const struct frontier *frontier, struct digest *ret);

/* Inclusion proof of leaf `index` in the tree over leaves[0..size). *ret_count hashes.
 * 0 or -EINVAL (index >= size), -EIO. */
int merkle_prove(const struct digest *leaves, uint64_t size, uint64_t index,
    struct digest ret_proof[MERKLE_PROOF_MAX], size_t *ret_count);
/* RFC 9162 section 2.1.3.2. 0: proven; -EBADMSG: not; -EIO. */
int merkle_check(const struct digest *leaf, uint64_t index, uint64_t size,
    const struct digest *proof, size_t count, const struct digest *root);

#endif
