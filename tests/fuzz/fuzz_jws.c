/*
 * Everything of identity that reads a stranger's bytes: a token, a key set, a header, claims and
 * scopes behind a good signature, API keys. The first byte says as what the rest is read.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/identity/api_key.h"
#include "supervisor/identity/base64url.h"
#include "supervisor/identity/bearer.h"
#include "supervisor/identity/json_text.h"
#include "supervisor/identity/ledger.h"
#include "supervisor/identity/token.h"

#define NOW 1800000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t seed[KEY_LEN] = {1, 2, 3};
static const struct token_facts expected = {
    .issuer = "i", .audience = "a", .subject = "s", .by = "b", .now_s = NOW};
static const struct jwt_rules rules = {
    .issuer = "i", .audience = "a", .algs = JWS_ALGS_ALL, .skew_s = 30};

/* Our own key, and one of each other kind from the standards (RFC 7515 A.2, A.3; RFC 7520). */
static struct jwks *own_set(void)
{
	struct token_signer signer;
	struct buf cleanup_with(buf_fini) text;
	struct jwks *set = NULL;

	buf_init(&text, 4096);
	assert(token_signer_init(&signer, seed) == 0);
	assert(token_jwks(&text, &signer.public_key, 1) == 0);
	text.len -= 2;
	assert(buf_text(&text,
		   ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
		   "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		   "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
		   "{\"kty\":\"RSA\",\"kid\":\"r\",\"e\":\"AQAB\",\"n\":\""
		   "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2"
		   "mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7O"
		   "Mg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQ"
		   "Y4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs9"
		   "1kzk2PAcDTW9gb54h4FRWyuXpoQ\"}]}") == 0);
	assert(jwks_parse(&set, buf_cstr(&text), text.len, NULL) == 0);
	assert(jwks_count(set) == 3);
	return set;
}

static void check_verdict(enum credential_verdict verdict)
{
	assert(verdict > CREDENTIAL_UNCHECKED && verdict <= CREDENTIAL_OK);
	assert(verdict != CREDENTIAL_FAULT);
	assert(credential_name(verdict)[0] && credential_reason(verdict)[0]);
}

/* A token as it came: without a secret of ours nothing of it may pass. */
static void read_token(const struct jwks *set, const char *text, size_t len)
{
	struct jws jws;
	struct jwt jwt;
	struct token token;
	enum credential_verdict verdict = jws_verify(&jws, set, JWS_ALGS_ALL, text, len);

	check_verdict(verdict);
	assert((verdict == CREDENTIAL_OK) == (jws.payload != NULL));
	jws_fini(&jws);
	check_verdict(jwt_verify(&jwt, set, &rules, NOW, text, len));
	jwt_fini(&jwt);
	check_verdict(token_verify(&token, set, &expected, text, len));
	token_fini(&token);
}

static void ask_claims(const struct jwt *jwt, const char *bytes, size_t len)
{
	char name[64];
	size_t n = len < sizeof(name) - 1 ? len : sizeof(name) - 1;

	memcpy(name, bytes, n);
	name[n] = '\0';
	(void)jwt_claim_has(jwt, "scope", name);
	(void)jwt_claim_has(jwt, name, "x");
	(void)jwt_claim_has(jwt, "groups", name);
	(void)jwt_text(jwt, name);
}

/* Header and claims, split at the first newline, signed by us: the code behind the signature. */
static void read_signed(const struct jwks *set, const char *bytes, size_t len)
{
	const char *line = len ? memchr(bytes, '\n', len) : NULL;
	size_t header = line ? (size_t)(line - bytes) : 0;
	uint8_t signature[SIGNATURE_LEN];
	struct buf cleanup_with(buf_fini) text;
	struct token token;
	struct jwt jwt;

	buf_init(&text, 2 * JWS_TEXT_MAX);
	if (!line || len > JWS_TEXT_MAX)
		return;
	(void)base64url_encode(&text, bytes, header);
	(void)buf_text(&text, ".");
	(void)base64url_encode(&text, line + 1, len - header - 1);
	assert(key_sign(signature, seed, text.data, text.len) == 0);
	(void)buf_text(&text, ".");
	assert(base64url_encode(&text, signature, sizeof(signature)) == 0);
	check_verdict(token_verify(&token, set, &expected, (const char *)text.data, text.len));
	token_fini(&token);
	if (jwt_verify(&jwt, set, &rules, NOW, (const char *)text.data, text.len) == CREDENTIAL_OK)
		ask_claims(&jwt, bytes, len);
	jwt_fini(&jwt);
}

static void read_set(const char *bytes, size_t len)
{
	struct buf cleanup_with(buf_fini) told;
	struct err_note note = {""};
	struct jwks *set = NULL;
	const struct jwk *key;

	buf_init(&told, 1 << 20);
	if (jwks_parse(&set, bytes, len, &note) < 0) {
		assert(!set && note.text[0]);
		return;
	}
	assert(jwks_count(set) >= 1 && jwks_count(set) <= JWKS_KEYS_MAX);
	assert(jwks_skipped(set, &told) == 0);
	assert(str_is_utf8(told.data, told.len));
	for (unsigned alg = JWS_NO_ALG; alg <= JWS_ALG_END; alg++) {
		if (jwks_find(set, "", (enum jws_alg)alg, &key) == CREDENTIAL_OK)
			assert(key->type == algorithm_of((enum jws_alg)alg)->type);
	}
	read_token(set, "eyJhbGciOiJFUzI1NiJ9.e30.AAAA", 29);
	jwks_free(set);
}

static void read_header(const char *text, size_t len)
{
	char address[LEDGER_ADDRESS_MAX];
	struct bearer bearer;

	check_verdict(bearer_read(&bearer, text, NULL));
	check_verdict(bearer_read(&bearer, NULL, text));
	check_verdict(api_key_form(text, len));
	(void)ledger_address(address, text);
}

/* Scopes: what comes out of two is within both. */
static void read_scopes(const char *bytes, size_t len)
{
	static const struct json_limits limits = {.bytes = 4096, .values = 512, .depth = 4};
	struct scope a, b, both;
	json_t *root = NULL;

	if (json_text_object(&root, bytes, len, &limits) < 0)
		return;
	if (scope_from_json(&a, root) + scope_from_json(&b, json_object_get(root, "other")) == 0) {
		if (scope_intersect(&both, &a, &b) == 0)
			assert(scope_covers(&a, &both) && scope_covers(&b, &both));
		scope_fini(&both);
	}
	scope_fini(&a);
	scope_fini(&b);
	json_decref(root);
}

static void read_base64(const char *bytes, size_t len)
{
	struct buf cleanup_with(buf_fini) text;
	uint8_t out[1024];
	size_t n;

	buf_init(&text, 4096);
	if (base64url_decode(out, sizeof(out), bytes, len, &n) < 0)
		return;
	assert(base64url_encode(&text, out, n) == 0);
	assert(text.len == len && memcmp(text.data, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jwks *set; /* made once: RSA keys take their time */
	char *text;
	size_t len;

	if (size < 1)
		return 0;
	if (!set)
		set = own_set();
	len = size - 1;
	text = malloc(len + 1);
	assert(text);
	memcpy(text, data + 1, len);
	text[len] = '\0';
	switch (data[0]) {
	case 't': read_token(set, text, len); break;
	case 'c': read_signed(set, text, len); break;
	case 'k': read_set(text, len); break;
	case 'h': read_header(text, strlen(text)); break;
	case 's': read_scopes(text, len); break;
	case 'b': read_base64(text, len); break;
	default: break;
	}
	free(text);
	return 0;
}
