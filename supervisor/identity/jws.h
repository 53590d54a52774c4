/*
 * A compact JWS (RFC 7515): split, judged and verified, the cheap checks before the dear ones.
 *
 * The header is read under narrow limits before the signature; the payload is not looked at
 * until the signature is good. A key comes from the given set only: whatever a token brings
 * along or points to (jwk, jku, x5c, x5u) refuses it, as does every extension (crit, b64, zip).
 * ECDSA signatures are accepted with s in either half, as RFC 7518 has it, so the text of a token
 * is no name for it. Floor 2: jansson, libcrypto; pure.
 */
#ifndef CALLGATE_IDENTITY_JWS_H
#define CALLGATE_IDENTITY_JWS_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/identity/jwks.h"

#define JWS_TEXT_MAX   (16 * 1024) /* bytes of the whole */
#define JWS_HEADER_MAX 2048        /* characters of the first part */
#define JWS_TYP_MAX    64

/* Zeroed: nothing verified. */
struct jws {
	enum jws_alg alg;
	char kid[JWK_KID_MAX + 1]; /* "" = the token names none */
	char typ[JWS_TYP_MAX + 1]; /* "" = the token has none */
	uint8_t *payload;          /* owned; NUL-terminated, not counted */
	size_t payload_len;
};

/* algs: JWS_ALG_BIT()s that are allowed. On CREDENTIAL_OK *ret is filled and ended by jws_fini();
 * otherwise alg and kid are kept as far as they were read, for the record, and there is no
 * payload. */
enum credential_verdict jws_verify(
    struct jws *ret, const struct jwks *set, uint32_t algs, const char *text, size_t len);
void jws_fini(struct jws *jws);

#endif
