/*
 * Keys and tokens for the tests of identity, made with OpenSSL at run time. Everything here
 * asserts by itself; what it returns is freed by the caller.
 */
#ifndef CALLGATE_TESTS_IDENTITY_MAKER_H
#define CALLGATE_TESTS_IDENTITY_MAKER_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/identity/algorithm.h"
#include "supervisor/identity/base64url.h"

#define MAKER_NEED(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "maker: %s:%d: %s\n", __FILE__, __LINE__, #condition);     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static inline EVP_PKEY *maker_key(enum jwk_type type)
{
	static const char *const curves[] = {
	    [JWK_P256] = "P-256", [JWK_P384] = "P-384", [JWK_P521] = "P-521"};
	EVP_PKEY *key = NULL;

	if (type == JWK_RSA)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else if (type == JWK_ED25519)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[type]);
	MAKER_NEED(key);
	return key;
}

static inline void maker_b64(struct buf *out, const void *bytes, size_t len)
{
	MAKER_NEED(base64url_encode(out, bytes, len) == 0);
}

static inline void maker_number(struct buf *out, const EVP_PKEY *key, const char *name, int pad)
{
	unsigned char bytes[1100];
	BIGNUM *number = NULL;
	int len;

	MAKER_NEED(EVP_PKEY_get_bn_param(key, name, &number) == 1);
	len = pad ? BN_bn2binpad(number, bytes, pad) : BN_bn2bin(number, bytes);
	MAKER_NEED(len > 0);
	maker_b64(out, bytes, (size_t)len);
	BN_free(number);
}

/* The key's members without braces: "kty":…,"n":…,"e":… */
static inline void maker_members(struct buf *out, const EVP_PKEY *key, enum jwk_type type)
{
	static const char *const curves[] = {
	    [JWK_P256] = "P-256", [JWK_P384] = "P-384", [JWK_P521] = "P-521"};
	unsigned char raw[32];
	size_t len = sizeof(raw);

	if (type == JWK_RSA) {
		(void)buf_text(out, "\"kty\":\"RSA\",\"n\":\"");
		maker_number(out, key, OSSL_PKEY_PARAM_RSA_N, 0);
		(void)buf_text(out, "\",\"e\":\"");
		maker_number(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
	} else if (type == JWK_ED25519) {
		MAKER_NEED(EVP_PKEY_get_raw_public_key(key, raw, &len) == 1);
		(void)buf_text(out, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		maker_b64(out, raw, len);
	} else {
		int size = (int)jwk_curve_bytes(type);

		(void)buf_textf(out, "\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"", curves[type]);
		maker_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, size);
		(void)buf_text(out, "\",\"y\":\"");
		maker_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
	}
	(void)buf_text(out, "\"");
}

/* An ECDSA signature from DER to r || s. */
static inline size_t maker_raw_ecdsa(
    unsigned char *out, const unsigned char *der, size_t len, size_t size)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);

	MAKER_NEED(signature);
	MAKER_NEED(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)size) == (int)size);
	MAKER_NEED(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + size, (int)size) == (int)size);
	ECDSA_SIG_free(signature);
	return 2 * size;
}

/* salt: of PSS; RSA_PSS_SALTLEN_DIGEST is right. mgf: its digest; NULL is right. */
static inline size_t maker_sign_pss(unsigned char *out, size_t max, EVP_PKEY *key, enum jws_alg alg,
    const char *text, int salt, const char *mgf)
{
	const struct algorithm *algorithm = algorithm_of(alg);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings = NULL;
	unsigned char der[1100];
	size_t len = sizeof(der);
	size_t curve = jwk_curve_bytes(algorithm->type);

	MAKER_NEED(EVP_DigestSignInit_ex(
		       context, &settings, algorithm->digest, NULL, NULL, key, NULL) == 1);
	if (algorithm->pss) {
		MAKER_NEED(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1);
		MAKER_NEED(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, salt) == 1);
		MAKER_NEED(!mgf || EVP_PKEY_CTX_set_rsa_mgf1_md_name(settings, mgf, NULL) == 1);
	}
	MAKER_NEED(
	    EVP_DigestSign(context, der, &len, (const unsigned char *)text, strlen(text)) == 1);
	EVP_MD_CTX_free(context);
	if (curve)
		return maker_raw_ecdsa(out, der, len, curve);
	MAKER_NEED(len <= max);
	memcpy(out, der, len);
	return len;
}

/* The signature in the form of JWS. Returns its length. */
static inline size_t maker_sign(
    unsigned char *out, size_t max, EVP_PKEY *key, enum jws_alg alg, const char *text)
{
	return maker_sign_pss(out, max, key, alg, text, RSA_PSS_SALTLEN_DIGEST, NULL);
}

/* "header.payload" of two byte sequences, base64url. */
static inline char *maker_signed_part(
    const void *header, size_t header_len, const void *payload, size_t payload_len)
{
	struct buf text;
	char *copy;

	buf_init(&text, 1 << 20);
	maker_b64(&text, header, header_len);
	(void)buf_text(&text, ".");
	maker_b64(&text, payload, payload_len);
	copy = strdup(buf_cstr(&text));
	buf_fini(&text);
	return copy;
}

static inline char *maker_join(const char *signed_part, const void *signature, size_t len)
{
	struct buf text;
	char *copy;

	buf_init(&text, 1 << 20);
	(void)buf_textf(&text, "%s.", signed_part);
	maker_b64(&text, signature, len);
	copy = strdup(buf_cstr(&text));
	buf_fini(&text);
	return copy;
}

/* A whole token; alg is how it is signed, whatever the header says. */
static inline char *maker_token(
    const char *header, const char *payload, EVP_PKEY *key, enum jws_alg alg)
{
	unsigned char signature[1100];
	char *part = maker_signed_part(header, strlen(header), payload, strlen(payload));
	size_t len = maker_sign(signature, sizeof(signature), key, alg, part);
	char *token = maker_join(part, signature, len);

	free(part);
	return token;
}

#endif
