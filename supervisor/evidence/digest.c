#include "supervisor/evidence/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "supervisor/base/str.h"

#define READ_STEP (32 * 1024)

struct digest_stream {
	EVP_MD_CTX *context; /* owned */
};

/* No configuration file: it could bring other code into the process that holds the key, and a
 * confined role cannot open it. Runs once per process; later calls cost a load. */
static int crypto_ready(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? 0 : -EIO;
}

int digest_of(struct digest *ret, const void *bytes, size_t len)
{
	struct digest digest;
	unsigned size = sizeof(digest.bytes);

	if (crypto_ready() < 0 ||
	    EVP_Digest(len ? bytes : "", len, digest.bytes, &size, EVP_sha256(), NULL) != 1)
		return -EIO;
	*ret = digest;
	return 0;
}

/* Adds the whole file to the stream. 0, -EFBIG or -errno. */
static int stream_file(struct digest_stream *stream, int fd, uint64_t max, uint64_t *ret_len)
{
	uint8_t step[READ_STEP];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, step, sizeof(step), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		if (digest_stream_add(stream, step, (size_t)n) < 0)
			return -EIO;
		at += (uint64_t)n;
		if (at > max)
			return -EFBIG;
	}
	*ret_len = at;
	return 0;
}

int digest_of_fd(struct digest *ret, int fd, uint64_t max, uint64_t *ret_len)
{
	struct digest_stream *stream = digest_stream_new();
	uint64_t len = 0;
	int r;

	if (!stream)
		return -EIO;
	r = stream_file(stream, fd, max, &len);
	if (r == 0)
		r = digest_stream_peek(stream, ret);
	if (r == 0)
		*ret_len = len;
	digest_stream_free(stream);
	return r;
}

int digest_hmac(struct digest *ret, const uint8_t key[KEY_LEN], const void *bytes, size_t len)
{
	return digest_hmac_with(ret, key, KEY_LEN, bytes, len);
}

int digest_hmac_with(
    struct digest *ret, const void *key, size_t key_len, const void *bytes, size_t len)
{
	struct digest digest;
	size_t size = 0;

	if (key_len == 0)
		return -EINVAL;
	if (crypto_ready() < 0 ||
	    !EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len, len ? bytes : "", len,
		digest.bytes, sizeof(digest.bytes), &size) ||
	    size != sizeof(digest.bytes))
		return -EIO;
	*ret = digest;
	return 0;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool digest_is_zero(const struct digest *digest)
{
	static const struct digest zero;

	return digest_equal(digest, &zero);
}

char *digest_hex(char out[DIGEST_HEX_MAX], const struct digest *digest)
{
	str_hex(out, digest->bytes, sizeof(digest->bytes));
	return out;
}

int digest_unhex(struct digest *ret, const char *text)
{
	if (strspn(text, "0123456789abcdef") != 2 * DIGEST_LEN)
		return -EINVAL;
	return str_unhex(ret->bytes, sizeof(ret->bytes), text);
}

struct digest_stream *digest_stream_new(void)
{
	struct digest_stream *stream;

	if (crypto_ready() < 0)
		return NULL;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return NULL;
	stream->context = EVP_MD_CTX_new();
	if (stream->context && EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL) == 1)
		return stream;
	digest_stream_free(stream);
	return NULL;
}

int digest_stream_add(struct digest_stream *stream, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	return EVP_DigestUpdate(stream->context, bytes, len) == 1 ? 0 : -EIO;
}

int digest_stream_peek(const struct digest_stream *stream, struct digest *ret)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	struct digest digest;
	unsigned size = sizeof(digest.bytes);
	int r = -EIO;

	if (copy && EVP_MD_CTX_copy_ex(copy, stream->context) == 1 &&
	    EVP_DigestFinal_ex(copy, digest.bytes, &size) == 1) {
		*ret = digest;
		r = 0;
	}
	EVP_MD_CTX_free(copy);
	return r;
}

int digest_stream_end(struct digest_stream *stream, struct digest *ret)
{
	struct digest digest;
	unsigned size = sizeof(digest.bytes);

	/* Without a type the second call keeps the algorithm that was fetched. */
	if (EVP_DigestFinal_ex(stream->context, digest.bytes, &size) != 1 ||
	    EVP_DigestInit_ex(stream->context, NULL, NULL) != 1)
		return -EIO;
	*ret = digest;
	return 0;
}

void digest_stream_free(struct digest_stream *stream)
{
	if (!stream)
		return;
	EVP_MD_CTX_free(stream->context);
	free(stream);
}

int key_random(void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

void key_wipe(void *secret, size_t len)
{
	explicit_bzero(secret, len);
}

static EVP_PKEY *key_private(const uint8_t seed[KEY_LEN])
{
	if (crypto_ready() < 0)
		return NULL;
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_LEN);
}

int key_public(uint8_t ret_public[KEY_LEN], const uint8_t seed[KEY_LEN])
{
	EVP_PKEY *key = key_private(seed);
	uint8_t public_key[KEY_LEN];
	size_t size = sizeof(public_key);
	int r = -EIO;

	if (key && EVP_PKEY_get_raw_public_key(key, public_key, &size) == 1 && size == KEY_LEN) {
		memcpy(ret_public, public_key, KEY_LEN);
		r = 0;
	}
	EVP_PKEY_free(key);
	return r;
}

int key_sign(uint8_t ret_signature[SIGNATURE_LEN], const uint8_t seed[KEY_LEN], const void *message,
    size_t len)
{
	EVP_PKEY *key = key_private(seed);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE_LEN];
	size_t size = sizeof(signature);
	int r = -EIO;

	if (key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(context, signature, &size, len ? message : (const void *)"", len) == 1 &&
	    size == SIGNATURE_LEN) {
		memcpy(ret_signature, signature, SIGNATURE_LEN);
		r = 0;
	}
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return r;
}

/* The y coordinates of the eight points of small order, in every encoding below 2^255 (the sign
 * bit is cleared before the comparison). Such a key "verifies" signatures that anybody can make;
 * the all-zero key of a forgotten field is one of them. RFC 8032 5.1.7 leaves the check to us. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
};

bool key_is_small_order(const uint8_t public_key[KEY_LEN])
{
	char hex[2 * KEY_LEN + 1];
	uint8_t y[KEY_LEN];

	memcpy(y, public_key, KEY_LEN);
	y[KEY_LEN - 1] &= 0x7f;
	str_hex(hex, y, KEY_LEN);
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++) {
		if (strcmp(hex, small_order[i]) == 0)
			return true;
	}
	return false;
}

int key_verify(const uint8_t public_key[KEY_LEN], const uint8_t signature[SIGNATURE_LEN],
    const void *message, size_t len)
{
	EVP_MD_CTX *context;
	EVP_PKEY *key;
	int r = -EIO;

	if (key_is_small_order(public_key))
		return -EKEYREJECTED;
	if (crypto_ready() < 0)
		return -EIO;
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, KEY_LEN);
	context = EVP_MD_CTX_new();
	if (key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1)
		r = EVP_DigestVerify(context, signature, SIGNATURE_LEN,
			len ? message : (const void *)"", len) == 1
			? 0
			: -EKEYREJECTED;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return r;
}
