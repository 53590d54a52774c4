/*
 * SHA-256, HMAC-SHA-256 and Ed25519 over libcrypto (FIPS 180-4, RFC 2104, RFC 8032).
 *
 * Floor 1: base and libcrypto. Never blocks, keeps no state between calls but what the caller
 * holds. A failing libcrypto is a fault (-EIO): nothing here ever returns a made-up digest.
 */
#ifndef CALLGATE_EVIDENCE_DIGEST_H
#define CALLGATE_EVIDENCE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN     32
#define DIGEST_HEX_MAX (2 * DIGEST_LEN + 1)
#define KEY_LEN        32 /* Ed25519 seed and public key, HMAC keys */
#define SIGNATURE_LEN  64

struct digest {
	uint8_t bytes[DIGEST_LEN];
};

/* A running SHA-256; opaque, freed by digest_stream_free(). */
struct digest_stream;

int digest_of(struct digest *ret, const void *bytes, size_t len);
/* Reads a descriptor from its start to its end, at most max bytes: a file that grows while it is
 * read would hold the reader for ever. *ret_len: bytes read. 0, -EFBIG (longer) or -errno. */
int digest_of_fd(struct digest *ret, int fd, uint64_t max, uint64_t *ret_len);
int digest_hmac(struct digest *ret, const uint8_t key[KEY_LEN], const void *bytes, size_t len);
/* The same with a key of any length, at least 1: of others' making. 0, -EINVAL or -EIO. */
int digest_hmac_with(
    struct digest *ret, const void *key, size_t key_len, const void *bytes, size_t len);
/* Constant time. */
bool digest_equal(const struct digest *a, const struct digest *b);
bool digest_is_zero(const struct digest *digest);
/* "sha256:<64 hex>" has no place here: hex only. out holds DIGEST_HEX_MAX. */
char *digest_hex(char out[DIGEST_HEX_MAX], const struct digest *digest);
/* 0 or -EINVAL; accepts exactly 64 lowercase hex digits. */
int digest_unhex(struct digest *ret, const char *text);

struct digest_stream *digest_stream_new(void);
int digest_stream_add(struct digest_stream *stream, const void *bytes, size_t len);
/* Gives the digest of what was added so far; the stream may go on. */
int digest_stream_peek(const struct digest_stream *stream, struct digest *ret);
/* The same, and the stream begins anew: for those who hash much, because making a stream costs
 * more than hashing a line. 0 or -EIO; then the stream is good for nothing but being freed. */
int digest_stream_end(struct digest_stream *stream, struct digest *ret);
void digest_stream_free(struct digest_stream *stream);

/* Random bytes from getrandom(2). 0 or -errno. */
int key_random(void *out, size_t len);
/* Overwrites in a way the compiler keeps. */
void key_wipe(void *secret, size_t len);

/* Public key of a 32-byte Ed25519 seed. */
int key_public(uint8_t ret_public[KEY_LEN], const uint8_t seed[KEY_LEN]);
int key_sign(uint8_t ret_signature[SIGNATURE_LEN], const uint8_t seed[KEY_LEN], const void *message,
    size_t len);
/* 0: good; -EKEYREJECTED: not a signature of this key over these bytes, or
 * a key of small order, such as one never filled in; -EIO. */
int key_verify(const uint8_t public_key[KEY_LEN], const uint8_t signature[SIGNATURE_LEN],
    const void *message, size_t len);

/* A public key of one of the eight points of small order: signatures of it can be made by anybody.
 * key_verify() refuses it; who keeps keys refuses it when it comes. */
bool key_is_small_order(const uint8_t public_key[KEY_LEN]);

#endif
