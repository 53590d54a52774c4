#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/digest.h"

static void assert_digest(const struct digest *digest, const char *want)
{
	char hex[DIGEST_HEX_MAX];

	assert_string_equal(digest_hex(hex, digest), want);
}

/* FIPS 180-4 examples */
#define SHA_EMPTY     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA_ABC       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA_MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void sha256_vectors(void **state)
{
	struct digest digest;

	(void)state;
	assert_int_equal(digest_of(&digest, NULL, 0), 0);
	assert_digest(&digest, SHA_EMPTY);
	assert_int_equal(digest_of(&digest, "abc", 3), 0);
	assert_digest(&digest, SHA_ABC);
}

static void stream_can_be_peeked_and_go_on(void **state)
{
	struct digest_stream *stream = digest_stream_new();
	struct digest digest;
	char block[1000];

	(void)state;
	assert_non_null(stream);
	assert_int_equal(digest_stream_peek(stream, &digest), 0);
	assert_digest(&digest, SHA_EMPTY);
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(digest_stream_add(stream, block, sizeof(block)), 0);
		if (i == 500)
			assert_int_equal(digest_stream_peek(stream, &digest), 0);
	}
	assert_int_equal(digest_stream_peek(stream, &digest), 0);
	assert_digest(&digest, SHA_MILLION_A);
	digest_stream_free(stream);
	digest_stream_free(NULL);
}

static void descriptor_is_read_from_its_start(void **state)
{
	int fd = memfd_create("test", 0), pipe_fds[2];
	struct digest digest, untouched = {{7}};
	char block[1000];
	uint64_t len;

	(void)state;
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(fd_write_all(fd, block, sizeof(block)), 0);
	assert_int_equal(digest_of_fd(&digest, fd, 1, &len), -EFBIG); /* one that grows */
	assert_int_equal(digest_of_fd(&digest, fd, UINT64_MAX, &len), 0);
	assert_digest(&digest, SHA_MILLION_A);
	assert_int_equal(len, 1000000);
	close(fd);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(digest_of_fd(&untouched, pipe_fds[0], UINT64_MAX, &len), -ESPIPE);
	assert_int_equal(digest_of_fd(&untouched, -1, UINT64_MAX, &len), -EBADF);
	assert_int_equal(untouched.bytes[0], 7);
	assert_int_equal(len, 1000000);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* RFC 4231 cases 1 and 2, whose keys are padded with zeros to 32 bytes: HMAC pads short keys with
 * zeros itself, so the published results stand. */
static void hmac_vectors(void **state)
{
	uint8_t key[KEY_LEN] = {0};
	struct digest digest;

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(digest_hmac(&digest, key, "Hi There", 8), 0);
	assert_digest(&digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	memset(key, 0, sizeof(key));
	memcpy(key, "Jefe", 4);
	assert_int_equal(digest_hmac(&digest, key, "what do ya want for nothing?", 28), 0);
	assert_digest(&digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void comparison_and_hex(void **state)
{
	struct digest a = {{0}}, b = {{0}};
	char upper[] = SHA_ABC;

	(void)state;
	assert_true(digest_is_zero(&a));
	b.bytes[DIGEST_LEN - 1] = 1;
	assert_false(digest_is_zero(&b));
	assert_false(digest_equal(&a, &b));
	assert_int_equal(digest_unhex(&a, SHA_ABC), 0);
	assert_int_equal(digest_of(&b, "abc", 3), 0);
	assert_true(digest_equal(&a, &b));
	upper[0] = 'B';
	assert_int_equal(digest_unhex(&a, upper), -EINVAL);
	assert_int_equal(digest_unhex(&a, SHA_ABC "0"), -EINVAL);
	assert_int_equal(digest_unhex(&a, "ba78"), -EINVAL);
	assert_int_equal(digest_unhex(&a, ""), -EINVAL);
	assert_true(digest_equal(&a, &b)); /* untouched */
}

/* RFC 8032 section 7.1 */
static const struct {
	const char *seed, *public_key, *message, *signature;
} ed25519[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
	"f9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
	"4dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void ed25519_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ed25519) / sizeof(ed25519[0]); i++) {
		uint8_t seed[KEY_LEN], public_key[KEY_LEN], message[8];
		uint8_t signature[SIGNATURE_LEN];
		size_t len = strlen(ed25519[i].message) / 2;
		char hex[2 * SIGNATURE_LEN + 1];

		assert_int_equal(str_unhex(seed, KEY_LEN, ed25519[i].seed), 0);
		assert_int_equal(str_unhex(message, len, ed25519[i].message), 0);
		assert_int_equal(key_public(public_key, seed), 0);
		str_hex(hex, public_key, KEY_LEN);
		assert_string_equal(hex, ed25519[i].public_key);
		assert_int_equal(key_sign(signature, seed, message, len), 0);
		str_hex(hex, signature, SIGNATURE_LEN);
		assert_string_equal(hex, ed25519[i].signature);
		assert_int_equal(key_verify(public_key, signature, message, len), 0);
		signature[i] ^= 1;
		assert_int_equal(key_verify(public_key, signature, message, len), -EKEYREJECTED);
		signature[i] ^= 1;
		assert_int_equal(key_verify(public_key, signature, "other", 5), -EKEYREJECTED);
		public_key[0] ^= 1;
		assert_int_equal(key_verify(public_key, signature, message, len), -EKEYREJECTED);
	}
}

/* With the neutral point as key, R = neutral and S = 0 satisfy the equation for every message:
 * libcrypto alone accepts this. */
static void small_order_keys_verify_nothing(void **state)
{
	uint8_t key[KEY_LEN] = {1}, signature[SIGNATURE_LEN] = {1};

	(void)state;
	assert_int_equal(key_verify(key, signature, "anything", 8), -EKEYREJECTED);
	key[KEY_LEN - 1] = 0x80;
	assert_int_equal(key_verify(key, signature, "anything", 8), -EKEYREJECTED);
	memset(key, 0, sizeof(key));
	for (int i = 0; i < 64; i++) {
		signature[40] = (uint8_t)i;
		assert_int_equal(key_verify(key, signature, "anything", 8), -EKEYREJECTED);
	}
}

static void random_and_wipe(void **state)
{
	uint8_t a[KEY_LEN] = {0}, b[KEY_LEN] = {0};
	static const uint8_t zero[KEY_LEN];

	(void)state;
	assert_int_equal(key_random(a, sizeof(a)), 0);
	assert_int_equal(key_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	key_wipe(a, sizeof(a));
	assert_memory_equal(a, zero, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_vectors),
	    cmocka_unit_test(stream_can_be_peeked_and_go_on),
	    cmocka_unit_test(descriptor_is_read_from_its_start),
	    cmocka_unit_test(hmac_vectors),
	    cmocka_unit_test(comparison_and_hex),
	    cmocka_unit_test(ed25519_vectors),
	    cmocka_unit_test(small_order_keys_verify_nothing),
	    cmocka_unit_test(random_and_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
