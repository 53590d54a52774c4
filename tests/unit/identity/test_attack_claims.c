/* Claims in every form, each in a token with a right signature. Vectors of our own making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/identity/jwt.h"
#include "tests/unit/identity/maker.h"

#define NOW 1800000000ull

static EVP_PKEY *key;
static struct jwks *set;
static const struct jwt_rules rules = {.issuer = "https://idp.example/",
    .audience = "callgate",
    .algs = JWS_ALGS_DEFAULT,
    .skew_s = 30};

static int make_key(void **state)
{
	struct buf text;

	(void)state;
	key = maker_key(JWK_ED25519);
	buf_init(&text, 4096);
	buf_text(&text, "{\"keys\":[{\"kid\":\"k1\",");
	maker_members(&text, key, JWK_ED25519);
	buf_text(&text, "}]}");
	assert_int_equal(jwks_parse(&set, buf_cstr(&text), text.len, NULL), 0);
	buf_fini(&text);
	return 0;
}

static int free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	jwks_free(set);
	return 0;
}

static enum credential_verdict judge_at(struct jwt *ret, const char *header, const char *payload,
    const struct jwt_rules *by, uint64_t now_s)
{
	char *token = maker_token(header, payload, key, JWS_EDDSA);
	enum credential_verdict verdict = jwt_verify(ret, set, by, now_s, token, strlen(token));

	if (verdict != CREDENTIAL_OK)
		assert_null(ret->claims);
	free(token);
	return verdict;
}

static void expect_by(const struct jwt_rules *by, const char *header, const char *payload,
    enum credential_verdict wanted)
{
	struct jwt jwt;
	enum credential_verdict verdict = judge_at(&jwt, header, payload, by, NOW);

	if (verdict != wanted)
		fail_msg(
		    "%s: %s, not %s", payload, credential_name(verdict), credential_name(wanted));
	jwt_fini(&jwt);
}

#define HEADER "{\"alg\":\"EdDSA\"}"
#define ISS    "\"iss\":\"https://idp.example/\","
#define AUD    "\"aud\":\"callgate\","
#define EXP    "\"exp\":1800000100"
#define GOOD   ISS AUD EXP

static const struct {
	const char *payload;
	enum credential_verdict verdict;
} claims[] = {
    {"{" GOOD "}", CREDENTIAL_OK},
    {"{" GOOD ",\"sub\":\"alice\",\"nbf\":1799999000,\"iat\":1799999000}", CREDENTIAL_OK},
    {"{" GOOD ",\"unknown\":{\"a\":[1,2,{\"b\":null}]}}", CREDENTIAL_OK},
    /* exp */
    {"{" ISS AUD "\"x\":1}", CREDENTIAL_NO_EXPIRY},
    {"{" ISS AUD "\"exp\":null}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":\"1800000100\"}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":true}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":[1800000100]}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":{}}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":0}", CREDENTIAL_EXPIRED},
    {"{" ISS AUD "\"exp\":-1}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":1799999970}", CREDENTIAL_EXPIRED},
    {"{" ISS AUD "\"exp\":1799999971}", CREDENTIAL_OK},
    {"{" ISS AUD "\"exp\":1799999970.9}", CREDENTIAL_EXPIRED},
    {"{" ISS AUD "\"exp\":1800000100.5}", CREDENTIAL_OK},
    {"{" ISS AUD "\"exp\":1.8000001e9}", CREDENTIAL_OK},
    {"{" ISS AUD "\"exp\":1e300}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":1e999}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"exp\":-1e300}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":NaN}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"exp\":Infinity}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"exp\":0x7fffffff}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"exp\":253402300799}", CREDENTIAL_OK},
    {"{" ISS AUD "\"exp\":253402300800}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":9223372036854775807}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":9223372036854775808}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"exp\":18446744073709551616}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"exp\":1800000100000}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"Exp\":1800000100}", CREDENTIAL_NO_EXPIRY},
    {"{" ISS AUD EXP ",\"exp\":1}", CREDENTIAL_JSON},
    {"{" ISS AUD EXP ",\"\\u0065xp\":1900000000}", CREDENTIAL_JSON},
    {"{" ISS AUD "\"\\u0065xp\":1800000100}", CREDENTIAL_OK},
    /* nbf, iat */
    {"{" GOOD ",\"nbf\":1800000030}", CREDENTIAL_OK},
    {"{" GOOD ",\"nbf\":1800000031}", CREDENTIAL_NOT_YET},
    {"{" GOOD ",\"nbf\":1800000030.1}", CREDENTIAL_NOT_YET},
    {"{" GOOD ",\"nbf\":\"0\"}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"nbf\":null}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"nbf\":-5}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"iat\":1800000030}", CREDENTIAL_OK},
    {"{" GOOD ",\"iat\":1800000031}", CREDENTIAL_ISSUED_LATER},
    {"{" GOOD ",\"iat\":\"now\"}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"iat\":1e30}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":1799999990,\"iat\":1799999995}", CREDENTIAL_CLAIM},
    {"{" ISS AUD "\"exp\":1799999990,\"nbf\":1799999995}", CREDENTIAL_CLAIM},
    /* iss */
    {"{" AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":null," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":\"\"," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":[\"https://idp.example/\"]," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":\"https://idp.example\"," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":\"https://IDP.example/\"," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":\"https://idp.example/x\"," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":\" https://idp.example/\"," AUD EXP "}", CREDENTIAL_ISSUER},
    {"{\"iss\":\"https://idp.example/\\u0000\"," AUD EXP "}", CREDENTIAL_JSON},
    {"{\"iss\":\"https:\\/\\/idp.example\\/\"," AUD EXP "}", CREDENTIAL_OK},
    {"{" ISS ISS AUD EXP "}", CREDENTIAL_JSON},
    /* aud */
    {"{" ISS EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":null," EXP "}", CREDENTIAL_CLAIM},
    {"{" ISS "\"aud\":\"\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":1," EXP "}", CREDENTIAL_CLAIM},
    {"{" ISS "\"aud\":{\"callgate\":1}," EXP "}", CREDENTIAL_CLAIM},
    {"{" ISS "\"aud\":[]," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":[\"callgate\"]," EXP "}", CREDENTIAL_OK},
    {"{" ISS "\"aud\":[\"a\",\"callgate\",\"b\"]," EXP "}", CREDENTIAL_OK},
    {"{" ISS "\"aud\":[\"a\",\"b\"]," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":[\"callgate\",1]," EXP "}", CREDENTIAL_CLAIM},
    {"{" ISS "\"aud\":[\"callgate\",null]," EXP "}", CREDENTIAL_CLAIM},
    {"{" ISS "\"aud\":[[\"callgate\"]]," EXP "}", CREDENTIAL_CLAIM},
    {"{" ISS "\"aud\":\"callgate2\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":\"call\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":\"Callgate\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":\"callgate other\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"aud\":\"*\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS "\"client_id\":\"callgate\"," EXP "}", CREDENTIAL_AUDIENCE},
    {"{" ISS AUD "\"aud\":[\"callgate\"]," EXP "}", CREDENTIAL_JSON},
    /* sub */
    {"{" GOOD ",\"sub\":1}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"sub\":\"\"}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"sub\":null}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"sub\":\"a\\nroot\"}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"sub\":\"a\\u007f\"}", CREDENTIAL_CLAIM},
    {"{" GOOD ",\"sub\":\"a\\u0000b\"}", CREDENTIAL_JSON},
    {"{" GOOD ",\"sub\":\"J\\u00fcrgen\"}", CREDENTIAL_OK},
    /* cnf: not a bearer token */
    {"{" GOOD ",\"cnf\":{\"jkt\":\"x\"}}", CREDENTIAL_BOUND},
    {"{" GOOD ",\"cnf\":{}}", CREDENTIAL_BOUND},
    {"{" GOOD ",\"cnf\":null}", CREDENTIAL_BOUND},
    {"{" GOOD ",\"cnf\":{\"x5t#S256\":\"thumb\"}}", CREDENTIAL_BOUND},
    /* what is no claims set */
    {"", CREDENTIAL_JSON},
    {"null", CREDENTIAL_JSON},
    {"[]", CREDENTIAL_JSON},
    {"\"x\"", CREDENTIAL_JSON},
    {"{}", CREDENTIAL_ISSUER},
    {"{" GOOD "} ", CREDENTIAL_OK},
    {"{" GOOD "}x", CREDENTIAL_JSON},
    {"{" GOOD "}{}", CREDENTIAL_JSON},
    {"eyJhbGciOiJFZERTQSJ9.e30.AAAA", CREDENTIAL_JSON},
    {"{" GOOD ",\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}", CREDENTIAL_OK},
    {"{" GOOD ",\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", CREDENTIAL_JSON},
};

static void claims_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		expect_by(&rules, HEADER, claims[i].payload, claims[i].verdict);
	print_message("# %zu sets of claims\n", sizeof(claims) / sizeof(claims[0]));
}

static void typ_says_what_a_token_is_for(void **state)
{
	static const struct {
		const char *header;
		enum credential_verdict verdict;
	} rows[] = {
	    {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", CREDENTIAL_OK},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"jwt\"}", CREDENTIAL_OK},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}", CREDENTIAL_OK},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"application/at+jwt\"}", CREDENTIAL_OK},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", CREDENTIAL_TYPE},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"secevent+jwt\"}", CREDENTIAL_TYPE},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"dpop+jwt\"}", CREDENTIAL_TYPE},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"callgate+jwt\"}", CREDENTIAL_TYPE},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"JOSE\"}", CREDENTIAL_TYPE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_by(&rules, rows[i].header, "{" GOOD "}", rows[i].verdict);
}

static void the_audience_may_be_another_claim(void **state)
{
	struct jwt_rules by = rules;

	(void)state;
	by.audience_claim = "client_id";
	expect_by(&by, HEADER, "{" ISS "\"client_id\":\"callgate\"," EXP "}", CREDENTIAL_OK);
	expect_by(&by, HEADER, "{" ISS "\"client_id\":[\"callgate\"]," EXP "}", CREDENTIAL_OK);
	expect_by(&by, HEADER, "{" GOOD "}", CREDENTIAL_AUDIENCE);
	expect_by(&by, HEADER, "{" GOOD ",\"client_id\":\"other\"}", CREDENTIAL_AUDIENCE);
	expect_by(&by, HEADER, "{" ISS "\"aud\":\"account\",\"client_id\":\"callgate\"," EXP "}",
	    CREDENTIAL_OK);
}

static void a_bound_token_needs_its_certificate(void **state)
{
	struct jwt_rules by = rules;

	(void)state;
	by.thumbprint = "thumb";
	expect_by(&by, HEADER, "{" GOOD ",\"cnf\":{\"x5t#S256\":\"thumb\"}}", CREDENTIAL_OK);
	expect_by(&by, HEADER, "{" GOOD ",\"cnf\":{\"x5t#S256\":\"Thumb\"}}", CREDENTIAL_BOUND);
	expect_by(&by, HEADER, "{" GOOD ",\"cnf\":{\"x5t#S256\":\"thumb\",\"jkt\":\"x\"}}",
	    CREDENTIAL_BOUND);
	expect_by(&by, HEADER, "{" GOOD "}", CREDENTIAL_OK);
	by.thumbprint = "";
	expect_by(&by, HEADER, "{" GOOD ",\"cnf\":{\"x5t#S256\":\"\"}}", CREDENTIAL_BOUND);
}

static void rules_without_names_refuse(void **state)
{
	struct jwt_rules by = rules;

	(void)state;
	by.issuer = "";
	expect_by(&by, HEADER, "{\"iss\":\"\"," AUD EXP "}", CREDENTIAL_FAULT);
	by.issuer = NULL;
	expect_by(&by, HEADER, "{" AUD EXP "}", CREDENTIAL_FAULT);
	by = rules;
	by.audience = "";
	expect_by(&by, HEADER, "{" ISS "\"aud\":\"\"," EXP "}", CREDENTIAL_FAULT);
	by = rules;
	by.algs = 0;
	expect_by(&by, HEADER, "{" GOOD "}", CREDENTIAL_ALG_NOT_ALLOWED);
}

static void skew_is_a_minute_at_most(void **state)
{
	struct jwt_rules by = rules;
	struct jwt jwt;

	(void)state;
	by.skew_s = 1000000;
	assert_int_equal(judge_at(&jwt, HEADER, "{" GOOD "}", &by, 1800000100 + 59), CREDENTIAL_OK);
	jwt_fini(&jwt);
	assert_int_equal(
	    judge_at(&jwt, HEADER, "{" GOOD "}", &by, 1800000100 + 60), CREDENTIAL_EXPIRED);
	by.skew_s = 0;
	assert_int_equal(judge_at(&jwt, HEADER, "{" GOOD "}", &by, 1800000099), CREDENTIAL_OK);
	jwt_fini(&jwt);
	assert_int_equal(judge_at(&jwt, HEADER, "{" GOOD "}", &by, 1800000100), CREDENTIAL_EXPIRED);
}

static void large_claims_are_bounded(void **state)
{
	static char payload[16000];
	size_t n;

	(void)state;
	snprintf(payload, sizeof(payload), "{" GOOD ",\"sub\":\"%0255d\"}", 0);
	expect_by(&rules, HEADER, payload, CREDENTIAL_OK);
	snprintf(payload, sizeof(payload), "{" GOOD ",\"sub\":\"%0256d\"}", 0);
	expect_by(&rules, HEADER, payload, CREDENTIAL_CLAIM);
	snprintf(payload, sizeof(payload), "{" GOOD ",\"x\":\"%012000d\"}", 0);
	expect_by(&rules, HEADER, payload, CREDENTIAL_OK);
	snprintf(payload, sizeof(payload), "{" GOOD ",\"x\":\"%012500d\"}", 0);
	expect_by(&rules, HEADER, payload, CREDENTIAL_TOO_LARGE);
	n = (size_t)snprintf(payload, sizeof(payload), "{" GOOD ",\"x\":[0");
	while (n < 9000)
		n += (size_t)snprintf(payload + n, sizeof(payload) - n, ",[]");
	snprintf(payload + n, sizeof(payload) - n, "]}");
	expect_by(&rules, HEADER, payload, CREDENTIAL_JSON);
	n = (size_t)snprintf(payload, sizeof(payload), "{" ISS "\"aud\":[\"callgate\"");
	for (int i = 0; i < 63; i++)
		n += (size_t)snprintf(payload + n, sizeof(payload) - n, ",\"a\"");
	snprintf(payload + n, sizeof(payload) - n, "]," EXP "}");
	expect_by(&rules, HEADER, payload, CREDENTIAL_OK);
	snprintf(payload + n, sizeof(payload) - n, ",\"a\"]," EXP "}");
	expect_by(&rules, HEADER, payload, CREDENTIAL_CLAIM);
}

static void matchers_ask_for_whole_values(void **state)
{
	static const struct {
		const char *claim, *value;
		bool has;
	} rows[] = {
	    {"role", "operator", true},
	    {"role", "oper", false},
	    {"role", "operator2", false},
	    {"role", "", false},
	    {"groups", "a", true},
	    {"groups", "b c", true},
	    {"groups", "c", false},
	    {"groups", "7", false},
	    {"groups", "true", false},
	    {"scope", "read", true},
	    {"scope", "write:all", true},
	    {"scope", "write", false},
	    {"scope", "read write:all", false}, /* several words: the whole text, exactly */
	    {"scope", "read  write:all", true},
	    {"scope", "all read", false},
	    {"scp", "x", true},
	    {"scp", "y", true},
	    {"name", "admin", false},
	    {"name", "admin of nothing", true},
	    {"number", "7", false},
	    {"flag", "true", false},
	    {"none", "null", false},
	    {"realm", "operator", false},
	    {"realm.roles", "operator", false},
	    {"https://corp/roles", "dev", true},
	    {"absent", "", false},
	    {"", "x", false},
	};
	struct jwt jwt;

	(void)state;
	assert_int_equal(
	    judge_at(&jwt, HEADER,
		"{" GOOD ",\"role\":\"operator\",\"groups\":[\"a\",\"b c\",7,true,null],"
		"\"scope\":\"read  write:all\",\"scp\":[\"x\",\"y\"],"
		"\"name\":\"admin of nothing\",\"number\":7,\"flag\":true,"
		"\"none\":null,\"realm\":{\"roles\":[\"operator\"]},"
		"\"https://corp/roles\":[\"dev\"],\"\":\"x\"}",
		&rules, NOW),
	    CREDENTIAL_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (jwt_claim_has(&jwt, rows[i].claim, rows[i].value) != rows[i].has)
			fail_msg("%s=%s", rows[i].claim, rows[i].value);
	}
	assert_string_equal(jwt_text(&jwt, "role"), "operator");
	assert_null(jwt_text(&jwt, "number"));
	jwt_fini(&jwt);
}

/* What the client reads never says which of key, signature or algorithm was wrong. */
static void reasons_tell_no_secrets(void **state)
{
	(void)state;
	assert_string_equal(
	    credential_reason(CREDENTIAL_SIGNATURE), credential_reason(CREDENTIAL_KEY_UNKNOWN));
	assert_string_equal(
	    credential_reason(CREDENTIAL_NO_SUCH_KEY), credential_reason(CREDENTIAL_REVOKED));
	assert_string_equal(credential_name((enum credential_verdict)9999), "unchecked");
	assert_int_equal(CREDENTIAL_UNCHECKED, 0);
	assert_true(credential_wants_keys(CREDENTIAL_KEY_UNKNOWN));
	assert_false(credential_wants_keys(CREDENTIAL_SIGNATURE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(claims_are_judged),
	    cmocka_unit_test(typ_says_what_a_token_is_for),
	    cmocka_unit_test(the_audience_may_be_another_claim),
	    cmocka_unit_test(a_bound_token_needs_its_certificate),
	    cmocka_unit_test(rules_without_names_refuse),
	    cmocka_unit_test(skew_is_a_minute_at_most),
	    cmocka_unit_test(large_claims_are_bounded),
	    cmocka_unit_test(matchers_ask_for_whole_values),
	    cmocka_unit_test(reasons_tell_no_secrets),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
