/* Our own tokens: what is given away is part of what there is, and only we can say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "supervisor/identity/token.h"
#include "tests/unit/identity/maker.h"

#define NOW 1800000000ull

static const uint8_t seed[KEY_LEN] = {1, 2, 3};
static const uint8_t other_seed[KEY_LEN] = {4, 5, 6};

static struct token_facts facts(void)
{
	return (struct token_facts){.issuer = "https://gate.example/",
	    .audience = "callgate",
	    .subject = "uid:1000",
	    .by = "jwt:alice",
	    .id = {9, 8, 7},
	    .now_s = NOW};
}

static struct jwks *own_set(void)
{
	struct token_signer signer;
	struct jwks *set = NULL;
	struct buf text;

	assert_int_equal(token_signer_init(&signer, seed), 0);
	buf_init(&text, 4096);
	assert_int_equal(token_jwks(&text, &signer.public_key, 1), 0);
	assert_int_equal(jwks_parse(&set, buf_cstr(&text), text.len, NULL), 0);
	buf_fini(&text);
	return set;
}

static struct token_grant grant_of(const char *tool, uint64_t calls, uint64_t expires_s)
{
	struct token_grant grant = {.max_calls = calls, .expires_s = expires_s};

	assert_int_equal(scope_add(&grant.scope, SCOPE_TOOLS, tool), 0);
	assert_int_equal(scope_add(&grant.scope, SCOPE_AGENTS, "*"), 0);
	assert_int_equal(scope_add(&grant.scope, SCOPE_NAMESPACES, "default"), 0);
	return grant;
}

/* Issues; NULL with *ret_fault. */
static char *issue(const uint8_t by[KEY_LEN], const struct token_facts *of, struct token_grant has,
    struct token_grant wants, struct token_grant *ret, int *ret_fault)
{
	struct token_signer signer;
	struct buf text;
	char *token = NULL;

	assert_int_equal(token_signer_init(&signer, by), 0);
	buf_init(&text, JWS_TEXT_MAX);
	*ret_fault = token_issue(&text, ret, &signer, of, &has, &wants);
	if (*ret_fault == 0)
		token = strdup(buf_cstr(&text));
	buf_fini(&text);
	token_grant_fini(&has);
	token_grant_fini(&wants);
	return token;
}

static void a_token_says_what_was_left(void **state)
{
	struct token_facts of = facts();
	struct jwks *set = own_set();
	struct token_grant granted;
	struct token token;
	int fault;
	char *text = issue(seed, &of, grant_of("git_*", TOKEN_NO_LIMIT, TOKEN_NO_LIMIT),
	    grant_of("git_push", 10, NOW + 600), &granted, &fault);

	(void)state;
	assert_non_null(text);
	assert_int_equal(granted.max_calls, 10);
	assert_int_equal(granted.expires_s, NOW + 600);
	assert_int_equal(token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_OK);
	assert_string_equal(token.subject, "uid:1000");
	assert_string_equal(token.by, "jwt:alice");
	assert_int_equal(strlen(token.id), TOKEN_ID_MAX - 1);
	assert_int_equal(token.grant.max_calls, 10);
	assert_int_equal(token.grant.expires_s, NOW + 600);
	assert_true(scope_has(&token.grant.scope, SCOPE_TOOLS, "git_push"));
	assert_false(scope_has(&token.grant.scope, SCOPE_TOOLS, "git_pull"));
	assert_true(scope_has(&token.grant.scope, SCOPE_AGENTS, "anyone"));
	assert_false(scope_has(&token.grant.scope, SCOPE_ROLES, "developer"));
	token_fini(&token);
	token_grant_fini(&granted);
	of.now_s = NOW + 599;
	assert_int_equal(token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_OK);
	token_fini(&token);
	of.now_s = NOW + 600;
	assert_int_equal(token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_EXPIRED);
	of.now_s = NOW;
	of.audience = "other";
	assert_int_equal(token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_AUDIENCE);
	of = facts();
	of.issuer = "https://other/";
	assert_int_equal(token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_ISSUER);
	free(text);
	jwks_free(set);
}

static void nothing_grows_on_the_way(void **state)
{
	static const struct {
		const char *has, *wants;
		uint64_t has_calls, wants_calls, has_end, wants_end;
		int fault;
		uint64_t calls, end;
	} rows[] = {
	    {"*", "ls", 5, 10, NOW + 50, NOW + 60, 0, 5, NOW + 50},
	    {"ls", "*", 10, 5, NOW + 60, NOW + 50, 0, 5, NOW + 50},
	    {"ls", "*", TOKEN_NO_LIMIT, TOKEN_NO_LIMIT, TOKEN_NO_LIMIT, TOKEN_NO_LIMIT, 0,
		TOKEN_NO_LIMIT, NOW + TOKEN_TTL_MAX_S},
	    {"ls", "cat", 5, 5, NOW + 50, NOW + 50, -EACCES, 0, 0},
	    {"ls", "ls", 0, 5, NOW + 50, NOW + 50, -EACCES, 0, 0},
	    {"ls", "ls", 5, 0, NOW + 50, NOW + 50, -EACCES, 0, 0},
	    {"ls", "ls", 5, 5, NOW, NOW + 50, -EACCES, 0, 0},
	    {"ls", "ls", 5, 5, NOW + 50, 0, -EACCES, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct token_grant has = grant_of(rows[i].has, rows[i].has_calls, rows[i].has_end);
		struct token_grant wants =
		    grant_of(rows[i].wants, rows[i].wants_calls, rows[i].wants_end);
		struct token_grant got;

		assert_int_equal(token_narrow(&got, &has, &wants, NOW), rows[i].fault);
		if (rows[i].fault == 0) {
			assert_int_equal(got.max_calls, rows[i].calls);
			assert_int_equal(got.expires_s, rows[i].end);
			assert_true(scope_covers(&has.scope, &got.scope));
			assert_true(scope_covers(&wants.scope, &got.scope));
		}
		token_grant_fini(&got);
		token_grant_fini(&has);
		token_grant_fini(&wants);
	}
}

/* What a token was given it may give on, less and less. */
static void a_chain_only_narrows(void **state)
{
	struct token_facts of = facts();
	struct jwks *set = own_set();
	struct token_grant first, second;
	struct token token;
	int fault;
	char *text = issue(seed, &of, grant_of("git_*", 100, NOW + 1000),
	    grant_of("git_p*", 50, NOW + 500), &first, &fault);

	(void)state;
	assert_non_null(text);
	assert_int_equal(token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_OK);
	free(text);
	text = issue(seed, &of, token.grant, grant_of("*", 1000, NOW + 100000), &second, &fault);
	token.grant = (struct token_grant){0}; /* given away */
	assert_non_null(text);
	assert_int_equal(second.max_calls, 50);
	assert_int_equal(second.expires_s, NOW + 500);
	assert_true(scope_covers(&first.scope, &second.scope));
	free(text);
	token_fini(&token);
	token_grant_fini(&first);
	token_grant_fini(&second);
	jwks_free(set);
}

static void facts_are_needed(void **state)
{
	struct token_facts of;
	struct token_grant granted;
	char long_text[JWT_SUBJECT_MAX + 2];
	int fault;

	(void)state;
	memset(long_text, 'a', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	const char *const wrong[] = {NULL, "", long_text, "\xff"};

	for (size_t i = 0; i < 4; i++) {
		for (int field = 0; field < 4; field++) {
			of = facts();
			*(field == 0     ? &of.issuer
			    : field == 1 ? &of.audience
			    : field == 2 ? &of.subject
					 : &of.by) = wrong[i];
			assert_null(issue(seed, &of, grant_of("*", 1, NOW + 9),
			    grant_of("*", 1, NOW + 9), &granted, &fault));
			assert_int_equal(fault, -EINVAL);
			token_grant_fini(&granted);
		}
	}
}

/* A scope that does not fit a header is refused at the birth of the token, not at its use. */
static void a_token_fits_where_it_is_used(void **state)
{
	struct token_facts of = facts();
	struct token_grant has = grant_of("*", 1, NOW + 9), wants = grant_of("*", 1, NOW + 9);
	struct token_grant granted;
	char name[256];
	int fault;

	(void)state;
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "t%0250d", i);
		assert_int_equal(scope_add(&wants.scope, SCOPE_TOOLS, name), 0);
	}
	assert_null(issue(seed, &of, has, wants, &granted, &fault));
	assert_int_equal(fault, -EMSGSIZE);
	token_grant_fini(&granted);
}

/* ---- forgeries ------------------------------------------------------------------------------ */

static void others_cannot_speak_for_us(void **state)
{
	struct token_facts of = facts();
	struct jwks *set = own_set();
	struct token_grant granted;
	struct token token;
	int fault;
	char *text = issue(other_seed, &of, grant_of("*", 1, NOW + 9), grant_of("*", 1, NOW + 9),
	    &granted, &fault);

	(void)state;
	assert_non_null(text);
	assert_int_equal(
	    token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_KEY_UNKNOWN);
	assert_int_equal(
	    token_verify(&token, NULL, &of, text, strlen(text)), CREDENTIAL_KEY_UNKNOWN);
	free(text);
	token_grant_fini(&granted);
	jwks_free(set);
}

#define BASE                                                                                       \
	"\"iss\":\"https://gate.example/\",\"aud\":\"callgate\",\"sub\":\"uid:1\","                \
	"\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"exp\":1800000100"
#define OWN ",\"callgate\":{\"by\":\"x\",\"tools\":[\"ls\"]"

/* Signed by our key, but not as token_issue() would. */
static void the_claim_is_read_strictly(void **state)
{
	static const struct {
		const char *payload;
		enum credential_verdict verdict;
	} rows[] = {
	    {"{" BASE OWN "}}", CREDENTIAL_OK},
	    {"{" BASE "}", CREDENTIAL_SCOPE},
	    {"{" BASE ",\"callgate\":null}", CREDENTIAL_SCOPE},
	    {"{" BASE ",\"callgate\":[]}", CREDENTIAL_SCOPE},
	    {"{" BASE ",\"callgate\":{}}", CREDENTIAL_SCOPE},
	    {"{" BASE ",\"callgate\":{\"by\":1}}", CREDENTIAL_SCOPE},
	    {"{" BASE ",\"callgate\":{\"by\":\"x\",\"tools\":\"*\"}}", CREDENTIAL_SCOPE},
	    {"{" BASE ",\"callgate\":{\"by\":\"x\",\"tools\":[1]}}", CREDENTIAL_SCOPE},
	    {"{" BASE OWN ",\"max_calls\":0}}", CREDENTIAL_SCOPE},
	    {"{" BASE OWN ",\"max_calls\":-1}}", CREDENTIAL_SCOPE},
	    {"{" BASE OWN ",\"max_calls\":1.5}}", CREDENTIAL_SCOPE},
	    {"{" BASE OWN ",\"max_calls\":\"9\"}}", CREDENTIAL_SCOPE},
	    {"{" BASE OWN ",\"max_calls\":null}}", CREDENTIAL_SCOPE},
	    {"{" BASE OWN ",\"max_calls\":3}}", CREDENTIAL_OK},
	};
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_LEN);
	struct token_facts of = facts();
	struct jwks *set = own_set();
	struct token token;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = maker_token("{\"alg\":\"EdDSA\",\"typ\":\"callgate+jwt\"}",
		    rows[i].payload, key, JWS_EDDSA);
		enum credential_verdict verdict =
		    token_verify(&token, set, &of, text, strlen(text));

		if (verdict != rows[i].verdict)
			fail_msg("%s: %s", rows[i].payload, credential_name(verdict));
		token_fini(&token);
		free(text);
	}
	for (int i = 0; i < 2; i++) {
		char *text =
		    maker_token(i ? "{\"alg\":\"EdDSA\"}" : "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
			"{" BASE OWN "}}", key, JWS_EDDSA);

		assert_int_equal(
		    token_verify(&token, set, &of, text, strlen(text)), CREDENTIAL_TYPE);
		free(text);
	}
	EVP_PKEY_free(key);
	jwks_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_says_what_was_left),
	    cmocka_unit_test(nothing_grows_on_the_way),
	    cmocka_unit_test(a_chain_only_narrows),
	    cmocka_unit_test(facts_are_needed),
	    cmocka_unit_test(a_token_fits_where_it_is_used),
	    cmocka_unit_test(others_cannot_speak_for_us),
	    cmocka_unit_test(the_claim_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
