/*
 * One public key out of a JWKS document (RFC 7517, 7518, 8037).
 *
 * Only keys that can verify become one: RSA of 2048 to 8192 bits, EC points on P-256, P-384 or
 * P-521, Ed25519 keys of full order. What says that it is for something else ("use", "key_ops",
 * "alg") is taken at its word. Floor 2: jansson, libcrypto; pure.
 */
#ifndef CALLGATE_IDENTITY_JWK_H
#define CALLGATE_IDENTITY_JWK_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/digest.h"
#include "supervisor/identity/algorithm.h"

#define JWK_KID_MAX      256 /* bytes, without NUL */
#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 8192

struct evp_pkey_st;

/* X(id, why a key of the document is not used) */
#define JWK_SKIPS(X)                                                                               \
	X(NONE, "used")                                                                            \
	X(FORM, "it is not an object of the expected members")                                     \
	X(KIND, "its kind of key is not used here")                                                \
	X(SYMMETRIC, "it is a symmetric key, which must never be published")                       \
	X(PRIVATE, "it is a private key, which must never be published; change it")                \
	X(USE, "it is not for signatures")                                                         \
	X(OPERATIONS, "its key_ops do not name verify, or are not a list of names")                \
	X(ALGORITHM, "its alg is not one that such a key verifies here")                           \
	X(KID, "its kid is not a text of 1 to 256 bytes")                                          \
	X(CURVE, "its curve is not used here")                                                     \
	X(NUMBER, "a number in it is not canonical base64url of the right length")                 \
	X(SIZE, "its size is not 2048 to 8192 bits, or its exponent is unfit")                     \
	X(POINT, "its point is not on the curve, or is of small order")                            \
	X(FAULT, "memory or libcrypto failed")

#define JWK_SKIP_ENUM_(id, text) JWK_SKIP_##id,
enum jwk_skip { JWK_SKIPS(JWK_SKIP_ENUM_) };
#undef JWK_SKIP_ENUM_
const char *jwk_skip_text(enum jwk_skip skip);

/* Immutable once read. Zero: no key. */
struct jwk {
	char kid[JWK_KID_MAX + 1]; /* "" = it has none */
	enum jwk_type type;
	enum jws_alg alg;               /* JWS_NO_ALG: any of its kind */
	size_t signature_len;           /* bytes of its signatures, exactly */
	struct evp_pkey_st *public_key; /* owned; NULL for Ed25519 */
	uint8_t ed25519[KEY_LEN];
};

/* JWK_SKIP_NONE: *ret is filled and ended by jwk_fini(). Otherwise only ret->kid is, if it could
 * be read. */
enum jwk_skip jwk_read(struct jwk *ret, const json_t *object);
void jwk_fini(struct jwk *key);

/* RFC 7638 thumbprint of an Ed25519 key, base64url: the kid of our own keys. */
#define JWK_THUMBPRINT_MAX 44
int jwk_thumbprint(char out[JWK_THUMBPRINT_MAX], const uint8_t ed25519[KEY_LEN]);

#endif
