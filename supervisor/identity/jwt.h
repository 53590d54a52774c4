/*
 * The claims of a JWT (RFC 7519, RFC 9068), judged at a given time.
 *
 * exp, iss and the audience are required; nbf and iat count when they are there. A token that
 * says it is bound to a key ("cnf") is no bearer token: it is good only together with the client
 * certificate it names. Times are whole seconds since 1970; a fraction is rounded against the
 * token. Floor 2: jansson, libcrypto; pure.
 */
#ifndef CALLGATE_IDENTITY_JWT_H
#define CALLGATE_IDENTITY_JWT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/identity/jws.h"

#define JWT_SKEW_MAX_S   60
#define JWT_SUBJECT_MAX  255
#define JWT_AUDIENCE_MAX 64 /* entries of a list */

/* What is expected. Pointers are borrowed for the call. */
struct jwt_rules {
	const char *issuer;         /* exact; never NULL or "" */
	const char *audience;       /* exact; never NULL or "" */
	const char *audience_claim; /* NULL: "aud". Another alone decides, whatever aud says. */
	const char *typ;            /* this header typ exactly; NULL: none, "JWT" or "at+jwt" */
	const char *thumbprint;     /* base64url SHA-256 of the client's certificate; NULL: none */
	uint32_t algs;              /* JWS_ALG_BIT()s */
	uint32_t skew_s;            /* above JWT_SKEW_MAX_S counts as that */
};

/* Zeroed: nothing verified. */
struct jwt {
	enum jws_alg alg;
	char kid[JWK_KID_MAX + 1];
	uint64_t expires_s;
	char subject[JWT_SUBJECT_MAX + 1]; /* "" = the token has none */
	json_t *claims;                    /* owned */
};

/* On CREDENTIAL_OK *ret is filled and ended by jwt_fini(); otherwise only alg and kid are, for
 * the record. Rules without issuer or audience refuse everything as a fault. */
enum credential_verdict jwt_verify(struct jwt *ret, const struct jwks *set,
    const struct jwt_rules *rules, uint64_t now_s, const char *text, size_t len);
void jwt_fini(struct jwt *jwt);

/* A claim that is a text; NULL otherwise. Lives as long as the token. */
const char *jwt_text(const struct jwt *jwt, const char *claim);
/* The matcher `jwt: {claim, value}` of a policy: the claim, by its whole name at the top level, is
 * this text or a list with it; "scope" and "scp" are also lists of words in one text. Numbers and
 * truth values match nothing. */
bool jwt_claim_has(const struct jwt *jwt, const char *claim, const char *value);

#endif
