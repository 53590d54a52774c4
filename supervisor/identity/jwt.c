#include "supervisor/identity/jwt.h"

#include <string.h>
#include <strings.h>

#include "supervisor/identity/json_text.h"

#define TIME_MAX_S 253402300799ull /* the end of the year 9999 */

static const struct json_limits claims_limits = {
    .bytes = JWS_TEXT_MAX, .values = 2048, .depth = 16};

/* ---- single claims -------------------------------------------------------------------------- */

/* A NumericDate, rounded down or up. false: not one. */
static bool read_time(const json_t *claim, bool up, uint64_t *ret)
{
	double value;

	if (json_is_integer(claim)) {
		json_int_t whole = json_integer_value(claim);

		if (whole < 0 || (uint64_t)whole > TIME_MAX_S)
			return false;
		*ret = (uint64_t)whole;
		return true;
	}
	if (!json_is_real(claim))
		return false;
	value = json_real_value(claim);
	if (!(value >= 0 && value <= (double)TIME_MAX_S))
		return false;
	*ret = (uint64_t)value;
	if (up && (double)*ret < value)
		(*ret)++;
	return true;
}

static enum credential_verdict judge_times(
    struct jwt *jwt, const struct jwt_rules *rules, uint64_t now_s)
{
	const json_t *exp = json_object_get(jwt->claims, "exp");
	const json_t *nbf = json_object_get(jwt->claims, "nbf");
	const json_t *iat = json_object_get(jwt->claims, "iat");
	uint64_t skew = rules->skew_s < JWT_SKEW_MAX_S ? rules->skew_s : JWT_SKEW_MAX_S;
	uint64_t from = 0, issued = 0;

	if (!exp)
		return CREDENTIAL_NO_EXPIRY;
	if (!read_time(exp, false, &jwt->expires_s) || (nbf && !read_time(nbf, true, &from)) ||
	    (iat && !read_time(iat, true, &issued)))
		return CREDENTIAL_CLAIM;
	if (now_s >= jwt->expires_s + skew)
		return CREDENTIAL_EXPIRED;
	if (now_s + skew < from)
		return CREDENTIAL_NOT_YET;
	if (now_s + skew < issued)
		return CREDENTIAL_ISSUED_LATER;
	if (issued > jwt->expires_s || from > jwt->expires_s)
		return CREDENTIAL_CLAIM;
	return CREDENTIAL_OK;
}

static bool is_text(const json_t *claim, const char *text)
{
	return json_is_string(claim) && strcmp(json_string_value(claim), text) == 0;
}

static enum credential_verdict judge_audience(const json_t *claim, const char *audience)
{
	bool found = false;

	if (!claim)
		return CREDENTIAL_AUDIENCE;
	if (json_is_string(claim))
		return is_text(claim, audience) ? CREDENTIAL_OK : CREDENTIAL_AUDIENCE;
	if (!json_is_array(claim) || json_array_size(claim) > JWT_AUDIENCE_MAX)
		return CREDENTIAL_CLAIM;
	for (size_t i = 0; i < json_array_size(claim); i++) {
		const json_t *item = json_array_get(claim, i);

		if (!json_is_string(item))
			return CREDENTIAL_CLAIM;
		found = found || is_text(item, audience);
	}
	return found ? CREDENTIAL_OK : CREDENTIAL_AUDIENCE;
}

/* The subject becomes part of a principal's name, which people read in one line. */
static enum credential_verdict take_subject(struct jwt *jwt)
{
	const json_t *sub = json_object_get(jwt->claims, "sub");
	const char *text = json_string_value(sub);
	size_t len = json_string_length(sub);

	if (!sub)
		return CREDENTIAL_OK;
	if (!text || len < 1 || len > JWT_SUBJECT_MAX)
		return CREDENTIAL_CLAIM;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return CREDENTIAL_CLAIM;
	}
	memcpy(jwt->subject, text, len + 1);
	return CREDENTIAL_OK;
}

/* RFC 8705 section 3.1. Other bindings (a DPoP key, say) cannot be proven here. */
static enum credential_verdict judge_binding(const json_t *cnf, const char *thumbprint)
{
	if (!cnf)
		return CREDENTIAL_OK;
	if (thumbprint && thumbprint[0] && json_is_object(cnf) && json_object_size(cnf) == 1 &&
	    is_text(json_object_get(cnf, "x5t#S256"), thumbprint))
		return CREDENTIAL_OK;
	return CREDENTIAL_BOUND;
}

/* ---- the token ------------------------------------------------------------------------------ */

/* A token made for another purpose (a logout, an event, a proof of possession) says so here. */
static bool typ_is_good(const char *typ, const char *wanted)
{
	static const char *const access[] = {"", "JWT", "at+jwt", "application/at+jwt"};

	if (wanted)
		return strcmp(typ, wanted) == 0;
	for (size_t i = 0; i < sizeof(access) / sizeof(access[0]); i++) {
		if (strcasecmp(typ, access[i]) == 0)
			return true;
	}
	return false;
}

static enum credential_verdict judge_claims(
    struct jwt *jwt, const struct jwt_rules *rules, uint64_t now_s)
{
	const char *audience_claim = rules->audience_claim ? rules->audience_claim : "aud";
	enum credential_verdict verdict;

	if (!is_text(json_object_get(jwt->claims, "iss"), rules->issuer))
		return CREDENTIAL_ISSUER;
	verdict = judge_audience(json_object_get(jwt->claims, audience_claim), rules->audience);
	if (verdict == CREDENTIAL_OK)
		verdict = judge_times(jwt, rules, now_s);
	if (verdict == CREDENTIAL_OK)
		verdict = judge_binding(json_object_get(jwt->claims, "cnf"), rules->thumbprint);
	if (verdict == CREDENTIAL_OK)
		verdict = take_subject(jwt);
	return verdict;
}

enum credential_verdict jwt_verify(struct jwt *ret, const struct jwks *set,
    const struct jwt_rules *rules, uint64_t now_s, const char *text, size_t len)
{
	struct jwt jwt = {.claims = NULL};
	enum credential_verdict verdict;
	struct jws jws;

	*ret = jwt;
	if (!rules->issuer || !rules->issuer[0] || !rules->audience || !rules->audience[0])
		return CREDENTIAL_FAULT;
	verdict = jws_verify(&jws, set, rules->algs, text, len);
	ret->alg = jwt.alg = jws.alg;
	memcpy(jwt.kid, jws.kid, sizeof(jwt.kid));
	memcpy(ret->kid, jws.kid, sizeof(ret->kid));
	if (verdict == CREDENTIAL_OK && !typ_is_good(jws.typ, rules->typ))
		verdict = CREDENTIAL_TYPE;
	if (verdict == CREDENTIAL_OK &&
	    json_text_object(&jwt.claims, jws.payload, jws.payload_len, &claims_limits) < 0)
		verdict = CREDENTIAL_JSON;
	if (verdict == CREDENTIAL_OK)
		verdict = judge_claims(&jwt, rules, now_s);
	jws_fini(&jws);
	if (verdict == CREDENTIAL_OK)
		*ret = jwt;
	else
		json_decref(jwt.claims);
	return verdict;
}

void jwt_fini(struct jwt *jwt)
{
	json_decref(jwt->claims);
	*jwt = (struct jwt){.claims = NULL};
}

/* ---- what a policy asks of it --------------------------------------------------------------- */

const char *jwt_text(const struct jwt *jwt, const char *claim)
{
	return json_string_value(json_object_get(jwt->claims, claim));
}

/* Only these are lists of words by their definition (RFC 8693 section 4.2); the words of, say, a
 * display name that its bearer chose must match nothing. */
static bool is_word_list(const char *claim)
{
	return strcmp(claim, "scope") == 0 || strcmp(claim, "scp") == 0;
}

static bool words_hold(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (const char *at = words; *at;) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, value, len) == 0)
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}

bool jwt_claim_has(const struct jwt *jwt, const char *claim, const char *value)
{
	const json_t *found = json_object_get(jwt->claims, claim);

	if (!claim[0] || !value[0])
		return false;
	if (is_text(found, value))
		return true;
	if (json_is_string(found) && is_word_list(claim) && !strchr(value, ' '))
		return words_hold(json_string_value(found), value);
	for (size_t i = 0; i < json_array_size(found); i++) {
		if (is_text(json_array_get(found, i), value))
			return true;
	}
	return false;
}
