#include "supervisor/evidence/merkle.h"

#include <errno.h>

#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

/* SHA-256 of two pieces. */
static int hash(
    struct digest_stream *stream, struct digest *ret, uint8_t prefix, const void *bytes, size_t len)
{
	if (digest_stream_add(stream, &prefix, 1) < 0 || digest_stream_add(stream, bytes, len) < 0)
		return -EIO;
	return digest_stream_end(stream, ret);
}

static int hash_by(
    struct digest_stream *stream, struct digest *ret, uint8_t prefix, const void *bytes, size_t len)
{
	struct digest_stream *own = stream ? NULL : digest_stream_new();
	int r = stream || own ? hash(own ? own : stream, ret, prefix, bytes, len) : -EIO;

	digest_stream_free(own);
	return r;
}

int merkle_leaf_by(struct digest_stream *stream, struct digest *ret, const void *line, size_t len)
{
	return hash_by(stream, ret, LEAF_PREFIX, line, len);
}

int merkle_leaf(struct digest *ret, const void *line, size_t len)
{
	return merkle_leaf_by(NULL, ret, line, len);
}

static int node_by(struct digest_stream *stream, struct digest *ret, const struct digest *left,
    const struct digest *right)
{
	struct digest pair[2] = {*left, *right};

	return hash_by(stream, ret, NODE_PREFIX, pair, sizeof(pair));
}

int merkle_node(struct digest *ret, const struct digest *left, const struct digest *right)
{
	return node_by(NULL, ret, left, right);
}

/* Appending is binary addition: each set bit of size is a subtree that the new one joins. */
int frontier_append(struct frontier *frontier, const struct digest *leaf)
{
	struct digest root = *leaf;
	unsigned level = 0;

	if (frontier->size == UINT64_MAX)
		return -EOVERFLOW;
	for (; frontier->size >> level & 1; level++) {
		int r = node_by(frontier->stream, &root, &frontier->roots[level], &root);

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
			int r = node_by(frontier->stream, &root, &frontier->roots[level], &root);

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
