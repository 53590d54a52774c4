#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/evidence/merkle.h"

#define LEAVES 8

/* The leaf inputs and roots that Certificate Transparency implementations publish for RFC 6962
 * (roots[n]: tree of the first n leaves); checked with an independent implementation. */
static const char *const inputs[LEAVES] = {"", "00", "10", "2021", "3031", "40414243",
    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[LEAVES + 1] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
static const struct {
	uint64_t index, size;
	size_t count;
	const char *proof[3];
} proofs[] = {
    {0, 1, 0, {NULL}},
    {0, 8, 3,
	{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5, 8, 3,
	{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
	    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 3, 1, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1, 5, 3,
	{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
	    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {4, 5, 1, {"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
};

static void assert_digest(const struct digest *digest, const char *want)
{
	char hex[DIGEST_HEX_MAX];

	assert_string_equal(digest_hex(hex, digest), want);
}

static void make_leaves(struct digest leaves[LEAVES])
{
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t bytes[16];
		size_t len = strlen(inputs[i]) / 2;

		assert_int_equal(str_unhex(bytes, len, inputs[i]), 0);
		assert_int_equal(merkle_leaf(&leaves[i], bytes, len), 0);
	}
}

static void frontier_names_the_published_roots(void **state)
{
	struct frontier frontier = {.size = 0};
	struct digest leaves[LEAVES], root;

	(void)state;
	make_leaves(leaves);
	for (size_t i = 0; i <= LEAVES; i++) {
		assert_int_equal(frontier.size, i);
		assert_int_equal(frontier_root(&frontier, &root), 0);
		assert_digest(&root, roots[i]);
		if (i < LEAVES)
			assert_int_equal(frontier_append(&frontier, &leaves[i]), 0);
	}
}

static void published_proofs(void **state)
{
	struct digest leaves[LEAVES], proof[MERKLE_PROOF_MAX];
	size_t count;

	(void)state;
	make_leaves(leaves);
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		assert_int_equal(
		    merkle_prove(leaves, proofs[i].size, proofs[i].index, proof, &count), 0);
		assert_int_equal(count, proofs[i].count);
		for (size_t j = 0; j < count; j++)
			assert_digest(&proof[j], proofs[i].proof[j]);
	}
}

/* Tampering with anything that merkle_check() is given must be noticed. */
static void check_one(
    const struct digest *leaves, uint64_t size, uint64_t index, const struct digest *root)
{
	struct digest proof[MERKLE_PROOF_MAX], other = leaves[(index + 1) % LEAVES];
	size_t count;

	assert_int_equal(merkle_prove(leaves, size, index, proof, &count), 0);
	assert_int_equal(merkle_check(&leaves[index], index, size, proof, count, root), 0);
	assert_int_equal(merkle_check(&other, index, size, proof, count, root), -EBADMSG);
	for (uint64_t wrong = 0; wrong < 20; wrong++) {
		if (wrong != index)
			assert_int_equal(
			    merkle_check(&leaves[index], wrong, size, proof, count, root),
			    -EBADMSG);
	}
	proof[count] = other;
	assert_int_equal(
	    merkle_check(&leaves[index], index, size, proof, count + 1, root), -EBADMSG);
	if (count == 0)
		return;
	assert_int_equal(
	    merkle_check(&leaves[index], index, size, proof, count - 1, root), -EBADMSG);
	for (size_t i = 0; i < count; i++) {
		proof[i].bytes[31] ^= 1;
		assert_int_equal(
		    merkle_check(&leaves[index], index, size, proof, count, root), -EBADMSG);
		proof[i].bytes[31] ^= 1;
	}
}

static void every_proof_holds_and_no_other(void **state)
{
	struct digest leaves[LEAVES], root;

	(void)state;
	make_leaves(leaves);
	for (uint64_t size = 1; size <= LEAVES; size++) {
		assert_int_equal(digest_unhex(&root, roots[size]), 0);
		for (uint64_t index = 0; index < size; index++)
			check_one(leaves, size, index, &root);
	}
}

static void nothing_is_in_an_empty_tree(void **state)
{
	struct digest root, proof[MERKLE_PROOF_MAX];
	size_t count = 3;

	(void)state;
	assert_int_equal(digest_unhex(&root, roots[0]), 0);
	assert_int_equal(merkle_prove(&root, 0, 0, proof, &count), -EINVAL);
	assert_int_equal(merkle_prove(&root, 1, 1, proof, &count), -EINVAL);
	assert_int_equal(count, 3);
	assert_int_equal(merkle_check(&root, 0, 0, proof, 0, &root), -EBADMSG);
}

/* The largest positions do not overflow: 64 levels, and a proof that is too long is no crash. */
static void giant_trees(void **state)
{
	struct frontier frontier = {.size = UINT64_MAX};
	struct digest leaf = {{1}}, proof[MERKLE_PROOF_MAX + 1] = {0}, root;

	(void)state;
	assert_int_equal(frontier_append(&frontier, &leaf), -EOVERFLOW);
	assert_int_equal(frontier_root(&frontier, &root), 0);
	for (size_t count = 0; count <= MERKLE_PROOF_MAX + 1; count++)
		assert_int_equal(
		    merkle_check(&leaf, UINT64_MAX - 1, UINT64_MAX, proof, count, &root), -EBADMSG);
}

/* A line that holds two hashes must not pass for a node (second preimage). */
static void leaf_and_node_never_meet(void **state)
{
	struct digest left = {{1}}, right = {{2}}, node, leaf;
	uint8_t line[2 * DIGEST_LEN];

	(void)state;
	memcpy(line, &left, DIGEST_LEN);
	memcpy(line + DIGEST_LEN, &right, DIGEST_LEN);
	assert_int_equal(merkle_node(&node, &left, &right), 0);
	assert_int_equal(merkle_leaf(&leaf, line, sizeof(line)), 0);
	assert_false(digest_equal(&node, &leaf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frontier_names_the_published_roots),
	    cmocka_unit_test(published_proofs),
	    cmocka_unit_test(every_proof_holds_and_no_other),
	    cmocka_unit_test(nothing_is_in_an_empty_tree),
	    cmocka_unit_test(giant_trees),
	    cmocka_unit_test(leaf_and_node_never_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
