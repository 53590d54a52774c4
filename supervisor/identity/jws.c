#include "supervisor/identity/jws.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/identity/base64url.h"
#include "supervisor/identity/json_text.h"

#define SIGNATURE_MAX     (JWK_RSA_BITS_MAX / 8)
#define DER_SIGNATURE_MAX 160 /* two integers of 67 bytes and their heads */

static const struct json_limits header_limits = {.bytes = JWS_HEADER_MAX, .values = 64, .depth = 4};

/* The three parts; pointers into the text. */
struct parts {
	const char *header, *payload, *signature;
	size_t header_len, payload_len, signature_len;
	size_t signed_len; /* header, dot and payload */
};

static enum credential_verdict split(struct parts *ret, const char *text, size_t len)
{
	const char *end = text + len;
	const char *first, *second;

	if (len > JWS_TEXT_MAX)
		return CREDENTIAL_TOO_LARGE;
	first = len ? memchr(text, '.', len) : NULL;
	second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)) || first == text)
		return CREDENTIAL_FORM;
	*ret = (struct parts){
	    .header = text,
	    .payload = first + 1,
	    .signature = second + 1,
	    .header_len = (size_t)(first - text),
	    .payload_len = (size_t)(second - first - 1),
	    .signature_len = (size_t)(end - second - 1),
	    .signed_len = (size_t)(second - text),
	};
	return ret->header_len > JWS_HEADER_MAX ? CREDENTIAL_TOO_LARGE : CREDENTIAL_OK;
}

/* ---- the header ----------------------------------------------------------------------------- */

/* Copies a member's text into a field. false: it is no text, empty or too long. */
static bool copy_text(char *out, size_t max, const json_t *member)
{
	size_t len = json_string_length(member);

	if (!json_is_string(member) || len < 1 || len > max)
		return false;
	memcpy(out, json_string_value(member), len + 1);
	return true;
}

static enum credential_verdict judge_header(struct jws *jws, const json_t *header, uint32_t algs)
{
	static const char *const extensions[] = {"crit", "b64", "jku", "x5u", "jwk", "x5c", "zip"};
	const json_t *alg = json_object_get(header, "alg");
	const json_t *kid = json_object_get(header, "kid");
	const json_t *typ = json_object_get(header, "typ");

	if (kid && !copy_text(jws->kid, JWK_KID_MAX, kid))
		return CREDENTIAL_HEADER;
	if (typ && !copy_text(jws->typ, JWS_TYP_MAX, typ))
		return CREDENTIAL_HEADER;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (json_object_get(header, extensions[i]))
			return CREDENTIAL_EXTENSION;
	}
	if (!json_is_string(alg))
		return CREDENTIAL_HEADER;
	jws->alg = algorithm_by_name(json_string_value(alg));
	if (jws->alg == JWS_NO_ALG)
		return CREDENTIAL_ALG_UNKNOWN;
	return algs & (1u << jws->alg) ? CREDENTIAL_OK : CREDENTIAL_ALG_NOT_ALLOWED;
}

static enum credential_verdict read_header(
    struct jws *jws, const struct parts *parts, uint32_t algs)
{
	char text[BASE64URL_BYTES(JWS_HEADER_MAX)];
	enum credential_verdict verdict;
	json_t *header = NULL;
	size_t len;

	if (base64url_decode(text, sizeof(text), parts->header, parts->header_len, &len) < 0)
		return CREDENTIAL_ENCODING;
	if (json_text_object(&header, text, len, &header_limits) < 0)
		return CREDENTIAL_JSON;
	verdict = judge_header(jws, header, algs);
	json_decref(header);
	return verdict;
}

/* ---- the signature -------------------------------------------------------------------------- */

/* A DER INTEGER of an unsigned big-endian number. Returns its end. */
static uint8_t *put_integer(uint8_t *at, const uint8_t *number, size_t len)
{
	size_t sign;

	while (len > 1 && *number == 0) {
		number++;
		len--;
	}
	sign = *number & 0x80 ? 1 : 0;
	*at++ = 0x02;
	*at++ = (uint8_t)(len + sign); /* at most 67 */
	if (sign)
		*at++ = 0;
	memcpy(at, number, len);
	return at + len;
}

/* r || s, each of size bytes, as the SEQUENCE that libcrypto wants. Returns its length. */
static size_t der_signature(uint8_t out[DER_SIGNATURE_MAX], const uint8_t *raw, size_t size)
{
	uint8_t body[DER_SIGNATURE_MAX];
	uint8_t *end = put_integer(put_integer(body, raw, size), raw + size, size);
	size_t len = (size_t)(end - body);
	size_t head = 0;

	out[head++] = 0x30;
	if (len >= 0x80)
		out[head++] = 0x81;
	out[head++] = (uint8_t)len;
	memcpy(out + head, body, len);
	return head + len;
}

static enum credential_verdict check_evp(const struct jwk *key, const struct algorithm *algorithm,
    const uint8_t *signature, size_t signature_len, const char *text, size_t len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings = NULL;
	enum credential_verdict verdict = CREDENTIAL_FAULT;

	if (context &&
	    EVP_DigestVerifyInit_ex(
		context, &settings, algorithm->digest, NULL, NULL, key->public_key, NULL) == 1 &&
	    (!algorithm->pss ||
		(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1)))
		verdict = EVP_DigestVerify(context, signature, signature_len,
			      (const unsigned char *)text, len) == 1
			      ? CREDENTIAL_OK
			      : CREDENTIAL_SIGNATURE;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return verdict;
}

static enum credential_verdict check_ed25519(
    const struct jwk *key, const uint8_t *signature, const char *text, size_t len)
{
	int fault = key_verify(key->ed25519, signature, text, len);

	ERR_clear_error();
	if (fault == 0)
		return CREDENTIAL_OK;
	return fault == -EKEYREJECTED ? CREDENTIAL_SIGNATURE : CREDENTIAL_FAULT;
}

static enum credential_verdict check_signature(
    const struct jwk *key, enum jws_alg alg, const struct parts *parts)
{
	const struct algorithm *algorithm = algorithm_of(alg);
	uint8_t signature[SIGNATURE_MAX];
	uint8_t der[DER_SIGNATURE_MAX];
	size_t curve = jwk_curve_bytes(key->type);
	size_t len;

	if (parts->signature_len != BASE64URL_CHARS(key->signature_len))
		return CREDENTIAL_SIGNATURE_LENGTH;
	if (base64url_decode(
		signature, sizeof(signature), parts->signature, parts->signature_len, &len) < 0)
		return CREDENTIAL_ENCODING;
	if (len != key->signature_len)
		return CREDENTIAL_SIGNATURE_LENGTH;
	if (key->type == JWK_ED25519)
		return check_ed25519(key, signature, parts->header, parts->signed_len);
	if (!curve)
		return check_evp(key, algorithm, signature, len, parts->header, parts->signed_len);
	len = der_signature(der, signature, curve);
	return check_evp(key, algorithm, der, len, parts->header, parts->signed_len);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static enum credential_verdict take_payload(struct jws *jws, const struct parts *parts)
{
	size_t max = BASE64URL_BYTES(parts->payload_len);
	uint8_t *payload = malloc(max + 1);

	if (!payload)
		return CREDENTIAL_FAULT;
	if (base64url_decode(payload, max, parts->payload, parts->payload_len, &jws->payload_len) <
	    0) {
		free(payload);
		return CREDENTIAL_ENCODING;
	}
	payload[jws->payload_len] = 0;
	jws->payload = payload;
	return CREDENTIAL_OK;
}

enum credential_verdict jws_verify(
    struct jws *ret, const struct jwks *set, uint32_t algs, const char *text, size_t len)
{
	const struct jwk *key = NULL;
	struct parts parts;
	enum credential_verdict verdict;

	*ret = (struct jws){.alg = JWS_NO_ALG};
	verdict = split(&parts, text, len);
	if (verdict == CREDENTIAL_OK)
		verdict = read_header(ret, &parts, algs);
	if (verdict == CREDENTIAL_OK)
		verdict = jwks_find(set, ret->kid, ret->alg, &key);
	if (verdict == CREDENTIAL_OK)
		verdict = check_signature(key, ret->alg, &parts);
	if (verdict == CREDENTIAL_OK)
		verdict = take_payload(ret, &parts);
	return verdict;
}

void jws_fini(struct jws *jws)
{
	free(jws->payload);
	*jws = (struct jws){.alg = JWS_NO_ALG};
}
