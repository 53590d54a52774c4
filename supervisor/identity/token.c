#include "supervisor/identity/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/identity/base64url.h"

int token_signer_init(struct token_signer *ret, const uint8_t seed[KEY_LEN])
{
	int fault;

	memcpy(ret->seed, seed, KEY_LEN);
	fault = key_public(ret->public_key, seed);
	return fault ? fault : jwk_thumbprint(ret->kid, ret->public_key);
}

int token_jwks(struct buf *out, const uint8_t (*public_keys)[KEY_LEN], size_t count)
{
	(void)buf_text(out, "{\"keys\":[");
	for (size_t i = 0; i < count; i++) {
		char kid[JWK_THUMBPRINT_MAX];
		int fault = jwk_thumbprint(kid, public_keys[i]);

		if (fault)
			return fault;
		(void)buf_textf(out,
		    "%s{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\",\"alg\":\"EdDSA\","
		    "\"kid\":\"%s\",\"x\":\"",
		    i ? "," : "", kid);
		(void)base64url_encode(out, public_keys[i], KEY_LEN);
		(void)buf_text(out, "\"}");
	}
	return buf_text(out, "]}");
}

/* ---- narrowing ------------------------------------------------------------------------------ */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int token_narrow(struct token_grant *ret, const struct token_grant *has,
    const struct token_grant *wants, uint64_t now_s)
{
	int fault;

	*ret = (struct token_grant){0};
	fault = scope_intersect(&ret->scope, &has->scope, &wants->scope);
	if (fault)
		return fault;
	ret->max_calls = smaller(has->max_calls, wants->max_calls);
	ret->expires_s =
	    smaller(smaller(has->expires_s, wants->expires_s), now_s + TOKEN_TTL_MAX_S);
	if (scope_is_idle(&ret->scope) || ret->max_calls == 0 || ret->expires_s <= now_s)
		return -EACCES;
	return 0;
}

void token_grant_fini(struct token_grant *grant)
{
	scope_fini(&grant->scope);
	*grant = (struct token_grant){0};
}

/* ---- issuing -------------------------------------------------------------------------------- */

static bool is_fact(const char *text)
{
	return text && text[0] && strlen(text) <= JWT_SUBJECT_MAX &&
	       str_is_utf8(text, strlen(text));
}

/* "max_calls" is left out where there is no limit. NULL: no memory. */
static json_t *claims_of(const struct token_facts *facts, const struct token_grant *grant)
{
	struct buf cleanup_with(buf_fini) id = {0};
	json_t *claims, *own;

	buf_init(&id, TOKEN_ID_MAX);
	if (base64url_encode(&id, facts->id, TOKEN_ID_BYTES) != 0)
		return NULL;
	claims = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:{s:s}}", "iss", facts->issuer, "aud",
	    facts->audience, "sub", facts->subject, "iat", (json_int_t)facts->now_s, "exp",
	    (json_int_t)grant->expires_s, "jti", buf_cstr(&id), "callgate", "by", facts->by);
	own = json_object_get(claims, "callgate");
	if (!own || scope_to_json(&grant->scope, own) < 0 ||
	    (facts->generation && json_object_set_new(own, "generation",
				      json_integer((json_int_t)facts->generation)) < 0) ||
	    (grant->max_calls != TOKEN_NO_LIMIT &&
		json_object_set_new(own, "max_calls", json_integer((json_int_t)grant->max_calls)) <
		    0)) {
		json_decref(claims);
		return NULL;
	}
	return claims;
}

static int put_signature(struct buf *text, const struct token_signer *signer)
{
	uint8_t signature[SIGNATURE_LEN];
	int fault = text->fault;

	if (!fault)
		fault = key_sign(signature, signer->seed, text->data, text->len);
	if (fault)
		return fault;
	(void)buf_text(text, ".");
	return base64url_encode(text, signature, sizeof(signature));
}

static int put_token(struct buf *text, const struct token_signer *signer, const char *claims)
{
	struct buf cleanup_with(buf_fini) header = {0};

	buf_init(&header, JWS_HEADER_MAX);
	if (buf_textf(&header, "{\"typ\":\"" TOKEN_TYP "\",\"alg\":\"EdDSA\",\"kid\":\"%s\"}",
		signer->kid) != 0)
		return header.fault;
	(void)base64url_encode(text, header.data, header.len);
	(void)buf_text(text, ".");
	(void)base64url_encode(text, claims, strlen(claims));
	return put_signature(text, signer);
}

static int sign_claims(struct buf *out, const struct token_signer *signer, json_t *claims)
{
	struct buf cleanup_with(buf_fini) text = {0};
	char *dump = json_dumps(claims, JSON_COMPACT);
	int fault;

	buf_init(&text, JWS_TEXT_MAX);
	fault = dump ? put_token(&text, signer, dump) : -ENOMEM;
	free(dump);
	if (fault)
		return fault == -ENOBUFS ? -EMSGSIZE : fault;
	return buf_put(out, text.data, text.len);
}

int token_issue(struct buf *out, struct token_grant *ret_grant, const struct token_signer *signer,
    const struct token_facts *facts, const struct token_grant *has, const struct token_grant *wants)
{
	json_t *claims;
	int fault;

	*ret_grant = (struct token_grant){0};
	if (!is_fact(facts->issuer) || !is_fact(facts->audience) || !is_fact(facts->subject) ||
	    !is_fact(facts->by))
		return -EINVAL;
	fault = token_narrow(ret_grant, has, wants, facts->now_s);
	if (fault)
		return fault;
	if (ret_grant->max_calls > INT64_MAX)
		ret_grant->max_calls = TOKEN_NO_LIMIT;
	claims = claims_of(facts, ret_grant);
	fault = claims ? sign_claims(out, signer, claims) : -ENOMEM;
	json_decref(claims);
	return fault;
}

/* ---- verifying ------------------------------------------------------------------------------ */

static bool copy_fact(char *out, size_t max, const char *text)
{
	if (!text || !text[0] || strlen(text) >= max)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static enum credential_verdict read_own(struct token *token, const struct jwt *jwt)
{
	const json_t *own = json_object_get(jwt->claims, "callgate");
	const json_t *calls = json_object_get(own, "max_calls");
	json_int_t generation = json_integer_value(json_object_get(own, "generation"));
	int fault;

	if (!json_is_object(own) ||
	    !copy_fact(token->subject, sizeof(token->subject), jwt->subject))
		return CREDENTIAL_SCOPE;
	if (!copy_fact(
		token->by, sizeof(token->by), json_string_value(json_object_get(own, "by"))) ||
	    !copy_fact(token->id, sizeof(token->id), jwt_text(jwt, "jti")))
		return CREDENTIAL_SCOPE;
	if (calls && (!json_is_integer(calls) || json_integer_value(calls) <= 0))
		return CREDENTIAL_SCOPE;
	token->generation = generation > 0 ? (uint64_t)generation : 0;
	token->grant.max_calls = calls ? (uint64_t)json_integer_value(calls) : TOKEN_NO_LIMIT;
	token->grant.expires_s = jwt->expires_s;
	fault = scope_from_json(&token->grant.scope, own);
	if (fault == -ENOMEM)
		return CREDENTIAL_FAULT;
	return fault ? CREDENTIAL_SCOPE : CREDENTIAL_OK;
}

enum credential_verdict token_verify(struct token *ret, const struct jwks *set,
    const struct token_facts *expected, const char *text, size_t len)
{
	/* Issuer and verifier share a clock, so there is no skew. */
	const struct jwt_rules rules = {
	    .issuer = expected->issuer,
	    .audience = expected->audience,
	    .typ = TOKEN_TYP,
	    .algs = JWS_ALG_BIT(EDDSA),
	};
	enum credential_verdict verdict;
	struct jwt jwt;

	*ret = (struct token){.subject = ""};
	verdict = jwt_verify(&jwt, set, &rules, expected->now_s, text, len);
	if (verdict != CREDENTIAL_OK)
		return verdict;
	verdict = read_own(ret, &jwt);
	jwt_fini(&jwt);
	if (verdict != CREDENTIAL_OK)
		token_fini(ret);
	return verdict;
}

void token_fini(struct token *token)
{
	token_grant_fini(&token->grant);
	*token = (struct token){.subject = ""};
}
