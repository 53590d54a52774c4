#include "supervisor/identity/jwk.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/identity/base64url.h"

#define COORDINATE_MAX 66
#define EXPONENT_MAX   8 /* bytes */

static const char *const skip_texts[] = {
#define JWK_SKIP_TEXT_(id, text) [JWK_SKIP_##id] = text,
    JWK_SKIPS(JWK_SKIP_TEXT_)
#undef JWK_SKIP_TEXT_
};

const char *jwk_skip_text(enum jwk_skip skip)
{
	return (size_t)skip < sizeof(skip_texts) / sizeof(skip_texts[0])
		   ? skip_texts[skip]
		   : skip_texts[JWK_SKIP_FORM];
}

/* ---- what a key says of itself -------------------------------------------------------------- */

/* The text of a member; NULL: absent or not a text. */
static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static bool ops_hold_verify(const json_t *ops)
{
	bool found = false;

	if (!json_is_array(ops))
		return false;
	for (size_t i = 0; i < json_array_size(ops); i++) {
		const char *op = json_string_value(json_array_get(ops, i));

		if (!op)
			return false;
		if (strcmp(op, "verify") == 0)
			found = true;
	}
	return found;
}

static enum jwk_skip read_kid(struct jwk *key, const json_t *object)
{
	const json_t *kid = json_object_get(object, "kid");
	size_t len = json_string_length(kid);

	if (!kid)
		return JWK_SKIP_NONE;
	if (!json_is_string(kid) || len < 1 || len > JWK_KID_MAX)
		return JWK_SKIP_KID;
	memcpy(key->kid, json_string_value(kid), len + 1);
	return JWK_SKIP_NONE;
}

static enum jwk_skip read_purpose(struct jwk *key, const json_t *object)
{
	const json_t *use = json_object_get(object, "use");
	const json_t *ops = json_object_get(object, "key_ops");
	const json_t *alg = json_object_get(object, "alg");

	if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0))
		return JWK_SKIP_USE;
	if (ops && !ops_hold_verify(ops))
		return JWK_SKIP_OPERATIONS;
	if (!alg)
		return JWK_SKIP_NONE;
	key->alg = json_is_string(alg) ? algorithm_by_name(json_string_value(alg)) : JWS_NO_ALG;
	if (key->alg == JWS_NO_ALG || algorithm_of(key->alg)->type != key->type)
		return JWK_SKIP_ALGORITHM;
	return JWK_SKIP_NONE;
}

static enum jwk_skip read_kind(struct jwk *key, const json_t *object)
{
	static const struct {
		const char *kty, *curve;
		enum jwk_type type;
	} kinds[] = {
	    {"RSA", NULL, JWK_RSA},
	    {"EC", "P-256", JWK_P256},
	    {"EC", "P-384", JWK_P384},
	    {"EC", "P-521", JWK_P521},
	    {"OKP", "Ed25519", JWK_ED25519},
	};
	const char *kty = text_of(object, "kty");
	const char *curve = text_of(object, "crv");
	bool known = false;

	if (!kty)
		return JWK_SKIP_FORM;
	if (strcmp(kty, "oct") == 0 || json_object_get(object, "k"))
		return JWK_SKIP_SYMMETRIC;
	if (json_object_get(object, "d"))
		return JWK_SKIP_PRIVATE;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kty, kinds[i].kty) != 0)
			continue;
		known = true;
		if (!kinds[i].curve || (curve && strcmp(curve, kinds[i].curve) == 0))
			key->type = kinds[i].type;
	}
	if (key->type != JWK_NONE)
		return JWK_SKIP_NONE;
	return known ? JWK_SKIP_CURVE : JWK_SKIP_KIND;
}

/* ---- the numbers ---------------------------------------------------------------------------- */

/* A member's bytes. 0 or -EINVAL. */
static int bytes_of(
    const json_t *object, const char *name, uint8_t *out, size_t max, size_t *ret_len)
{
	const json_t *member = json_object_get(object, name);

	if (!json_is_string(member) || json_string_length(member) == 0)
		return -EINVAL;
	return base64url_decode(
		   out, max, json_string_value(member), json_string_length(member), ret_len)
		   ? -EINVAL
		   : 0;
}

static EVP_PKEY *key_of_params(const char *kind, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *rsa_key(const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len)
{
	BIGNUM *modulus = BN_bin2bn(n, (int)n_len, NULL);
	BIGNUM *exponent = BN_bin2bn(e, (int)e_len, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (modulus && exponent && build &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params)
		key = key_of_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(modulus);
	BN_free(exponent);
	return key;
}

/* RFC 7518 section 6.3.1: unsigned, big endian, not one octet more than needed. */
static enum jwk_skip read_rsa(struct jwk *key, const json_t *object)
{
	uint8_t n[JWK_RSA_BITS_MAX / 8 + 1];
	uint8_t e[EXPONENT_MAX];
	size_t n_len, e_len, bits;

	if (json_string_length(json_object_get(object, "n")) > BASE64URL_CHARS(sizeof(n)) ||
	    json_string_length(json_object_get(object, "e")) > BASE64URL_CHARS(sizeof(e)))
		return JWK_SKIP_SIZE;
	if (bytes_of(object, "n", n, sizeof(n), &n_len) < 0 || n[0] == 0 ||
	    bytes_of(object, "e", e, sizeof(e), &e_len) < 0 || e[0] == 0)
		return JWK_SKIP_NUMBER;
	bits = n_len * 8;
	for (unsigned top = n[0]; !(top & 0x80); top <<= 1)
		bits--;
	/* 1 as exponent makes every signature its own message; an even one has no inverse. */
	if (bits < JWK_RSA_BITS_MIN || bits > JWK_RSA_BITS_MAX || !(n[n_len - 1] & 1) ||
	    !(e[e_len - 1] & 1) || (e_len == 1 && e[0] < 3))
		return JWK_SKIP_SIZE;
	key->signature_len = n_len;
	key->public_key = rsa_key(n, n_len, e, e_len);
	return key->public_key ? JWK_SKIP_NONE : JWK_SKIP_FAULT;
}

static enum jwk_skip read_ec(struct jwk *key, const json_t *object)
{
	static const char *const groups[] = {
	    [JWK_P256] = "P-256", [JWK_P384] = "P-384", [JWK_P521] = "P-521"};
	size_t size = jwk_curve_bytes(key->type);
	uint8_t point[1 + 2 * COORDINATE_MAX] = {0x04} /* uncompressed */;
	char group[8];
	size_t x_len, y_len;
	EVP_PKEY_CTX *check;
	OSSL_PARAM params[3];

	if (bytes_of(object, "x", point + 1, size, &x_len) < 0 || x_len != size ||
	    bytes_of(object, "y", point + 1 + size, size, &y_len) < 0 || y_len != size)
		return JWK_SKIP_NUMBER;
	(void)snprintf(group, sizeof(group), "%s", groups[key->type]);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size);
	params[2] = OSSL_PARAM_construct_end();
	key->public_key = key_of_params("EC", params);
	if (!key->public_key)
		return JWK_SKIP_POINT;
	check = EVP_PKEY_CTX_new(key->public_key, NULL);
	if (!check || EVP_PKEY_public_check(check) != 1) {
		EVP_PKEY_CTX_free(check);
		return JWK_SKIP_POINT;
	}
	EVP_PKEY_CTX_free(check);
	key->signature_len = 2 * size;
	return JWK_SKIP_NONE;
}

static enum jwk_skip read_ed25519(struct jwk *key, const json_t *object)
{
	size_t len;

	if (bytes_of(object, "x", key->ed25519, KEY_LEN, &len) < 0 || len != KEY_LEN)
		return JWK_SKIP_NUMBER;
	if (key_is_small_order(key->ed25519))
		return JWK_SKIP_POINT;
	key->signature_len = SIGNATURE_LEN;
	return JWK_SKIP_NONE;
}

static enum jwk_skip read_numbers(struct jwk *key, const json_t *object)
{
	switch (key->type) {
	case JWK_RSA: return read_rsa(key, object);
	case JWK_P256:
	case JWK_P384:
	case JWK_P521: return read_ec(key, object);
	case JWK_ED25519: return read_ed25519(key, object);
	case JWK_NONE: break;
	}
	return JWK_SKIP_KIND;
}

enum jwk_skip jwk_read(struct jwk *ret, const json_t *object)
{
	struct jwk key = {.kid = ""};
	enum jwk_skip skip;

	*ret = key;
	/* No configuration file: it could bring other code in, and a confined role has none. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return JWK_SKIP_FAULT;
	if (!json_is_object(object))
		return JWK_SKIP_FORM;
	skip = read_kid(&key, object);
	memcpy(ret->kid, key.kid, sizeof(ret->kid));
	if (skip == JWK_SKIP_NONE)
		skip = read_kind(&key, object);
	if (skip == JWK_SKIP_NONE)
		skip = read_purpose(&key, object);
	if (skip == JWK_SKIP_NONE)
		skip = read_numbers(&key, object);
	ERR_clear_error();
	if (skip == JWK_SKIP_NONE)
		*ret = key;
	else
		jwk_fini(&key);
	return skip;
}

void jwk_fini(struct jwk *key)
{
	EVP_PKEY_free(key->public_key);
	*key = (struct jwk){.kid = ""};
}

int jwk_thumbprint(char out[JWK_THUMBPRINT_MAX], const uint8_t ed25519[KEY_LEN])
{
	struct digest digest;
	struct buf text;
	int fault;

	buf_init(&text, 256);
	(void)buf_text(&text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
	(void)base64url_encode(&text, ed25519, KEY_LEN);
	fault = buf_text(&text, "\"}");
	if (!fault)
		fault = digest_of(&digest, text.data, text.len);
	buf_reset(&text);
	if (!fault)
		fault = base64url_encode(&text, digest.bytes, sizeof(digest.bytes));
	if (!fault)
		(void)snprintf(out, JWK_THUMBPRINT_MAX, "%s", buf_cstr(&text));
	buf_fini(&text);
	return fault;
}
