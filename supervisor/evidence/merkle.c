#include "supervisor/evidence/merkle.h"

#include <errno.h>
#include <string.h>

#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

int merkle_leaf(struct digest *ret, const void *line, size_t len)
{
	static const uint8_t prefix = LEAF_PREFIX;
	struct digest_stream *stream = digest_stream_new();
	int r = -EIO;

	if (stream && digest_stream_add(stream, &prefix, 1) == 0 &&
	    digest_stream_add(stream, line, len) == 0)
		r = digest_stream_peek(stream, ret);
	digest_stream_free(stream);
	return r;
}

int merkle_node(struct digest *ret, const struct digest *left, const struct digest *right)
{
	uint8_t bytes[1 + 2 * DIGEST_LEN];

	bytes[0] = NODE_PREFIX;
	memcpy(bytes + 1, left->bytes, DIGEST_LEN);
	memcpy(bytes + 1 + DIGEST_LEN, right->bytes, DIGEST_LEN);
	return digest_of(ret, bytes, sizeof(bytes));
}

/* Appending is binary addition: each set bit of size is a subtree that the new one joins. */
int frontier_append(struct frontier *frontier, const struct digest *leaf)
{
	struct digest root = *leaf;
	unsigned level = 0;

	if (frontier->size == UINT64_MAX)
		return -EOVERFLOW;
	for (; frontier->size >> level & 1; level++) {
		int r = merkle_node(&root, &frontier->roots[level], &root);

		if (r < 0)
			return r;
	}
	frontier->roots[level] = root;
	frontier->size++;
	return 0;
}

int frontier_root(const struct frontier *frontier, struct digest *ret)
{
	struct digest root;
	bool have = false;

	if (frontier->size == 0)
		return digest_of(ret, NULL, 0);
	for (unsigned level = 0; level < 64; level++) {
		if (!(frontier->size >> level & 1))
			continue;
		if (have) {
			int r = merkle_node(&root, &frontier->roots[level], &root);

			if (r < 0)
				return r;
		} else {
			root = frontier->roots[level];
			have = true;
		}
	}
	*ret = root;
	return 0;
}

/* MTH(leaves[0..count)) of RFC 6962 section 2.1. */
static int subtree_root(const struct digest *leaves, uint64_t count, struct digest *ret)
{
	struct frontier frontier = {.size = 0};

	for (uint64_t i = 0; i < count; i++) {
		int r = frontier_append(&frontier, &leaves[i]);

		if (r < 0)
			return r;
	}
	return frontier_root(&frontier, ret);
}

/* The largest power of two below count; count is at least 2. */
static uint64_t split_point(uint64_t count)
{
	return UINT64_C(1) << (63 - __builtin_clzll(count - 1));
}

int merkle_prove(const struct digest *leaves, uint64_t size, uint64_t index,
    struct digest ret_proof[MERKLE_PROOF_MAX], size_t *ret_count)
{
	struct digest downwards[MERKLE_PROOF_MAX];
	size_t count = 0;

	if (index >= size)
		return -EINVAL;
	while (size > 1) {
		uint64_t split = split_point(size);
		int r;

		if (index < split) {
			r = subtree_root(leaves + split, size - split, &downwards[count++]);
			size = split;
		} else {
			r = subtree_root(leaves, split, &downwards[count++]);
			leaves += split;
			index -= split;
			size -= split;
		}
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++)
		ret_proof[i] = downwards[count - 1 - i];
	*ret_count = count;
	return 0;
}

int merkle_check(const struct digest *leaf, uint64_t index, uint64_t size,
    const struct digest *proof, size_t count, const struct digest *root)
{
	uint64_t node = index, last = size - 1;
	struct digest have = *leaf;

	if (index >= size)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		bool from_left = (node & 1) || node == last;
		int r;

		if (last == 0)
			return -EBADMSG;
		if (from_left)
			r = merkle_node(&have, &proof[i], &have);
		else
			r = merkle_node(&have, &have, &proof[i]);
		if (r < 0)
			return r;
		/* A right-most node without a sibling moves up unhashed. */
		while (from_left && !(node & 1) && node != 0) {
			node >>= 1;
			last >>= 1;
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && digest_equal(&have, root) ? 0 : -EBADMSG;
}
