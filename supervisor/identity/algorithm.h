/*
 * The algorithms of RFC 7518 and RFC 8037 that are spoken here, and the kind of key each needs.
 *
 * What a token says is looked up in this table; it never chooses a key's kind, a curve or a
 * digest by itself. HMAC and "none" have no row. Floor 2; pure.
 */
#ifndef CALLGATE_IDENTITY_ALGORITHM_H
#define CALLGATE_IDENTITY_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jwk_type {
	JWK_NONE = 0,
	JWK_RSA,
	JWK_P256,
	JWK_P384,
	JWK_P521,
	JWK_ED25519,
};

/* X(id, name, kind of key, digest or NULL, RSA with PSS) */
#define JWS_ALGORITHMS(X)                                                                          \
	X(RS256, "RS256", JWK_RSA, "SHA256", false)                                                \
	X(RS384, "RS384", JWK_RSA, "SHA384", false)                                                \
	X(RS512, "RS512", JWK_RSA, "SHA512", false)                                                \
	X(PS256, "PS256", JWK_RSA, "SHA256", true)                                                 \
	X(PS384, "PS384", JWK_RSA, "SHA384", true)                                                 \
	X(PS512, "PS512", JWK_RSA, "SHA512", true)                                                 \
	X(ES256, "ES256", JWK_P256, "SHA256", false)                                               \
	X(ES384, "ES384", JWK_P384, "SHA384", false)                                               \
	X(ES512, "ES512", JWK_P521, "SHA512", false)                                               \
	X(EDDSA, "EdDSA", JWK_ED25519, NULL, false)

#define JWS_ALG_ENUM_(id, name, type, digest, pss) JWS_##id,
enum jws_alg { JWS_NO_ALG = 0, JWS_ALGORITHMS(JWS_ALG_ENUM_) JWS_ALG_END };
#undef JWS_ALG_ENUM_

/* A set of algorithms; 0 allows none. */
#define JWS_ALG_BIT(id) (1u << JWS_##id)
#define JWS_ALGS_ALL    ((1u << JWS_ALG_END) - 2)
#define JWS_ALGS_DEFAULT                                                                           \
	(JWS_ALG_BIT(RS256) | JWS_ALG_BIT(PS256) | JWS_ALG_BIT(ES256) | JWS_ALG_BIT(EDDSA))

struct algorithm {
	const char *name;
	enum jwk_type type;
	const char *digest; /* libcrypto's name; NULL: the algorithm has its own */
	bool pss;
};

/* Exact name (case counts); JWS_NO_ALG if there is none. */
enum jws_alg algorithm_by_name(const char *name);
/* NULL for JWS_NO_ALG. Static. */
const struct algorithm *algorithm_of(enum jws_alg alg);
/* Bytes of r, of s and of a coordinate; 0 where the kind has no curve of that sort. */
size_t jwk_curve_bytes(enum jwk_type type);

#endif
