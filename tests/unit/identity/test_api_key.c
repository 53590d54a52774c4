#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/identity/api_key.h"
#include "supervisor/identity/base64url.h"
#include "supervisor/identity/bearer.h"
#include "supervisor/identity/jws.h"

static void make(char out[API_KEY_LEN + 1])
{
	uint8_t secret[API_KEY_SECRET_LEN];

	assert_int_equal(key_random(secret, sizeof(secret)), 0);
	assert_int_equal(api_key_text(out, secret), 0);
}

static void a_key_has_the_form_that_users_know(void **state)
{
	char key[API_KEY_LEN + 1], other[API_KEY_LEN + 1];

	(void)state;
	for (int i = 0; i < 200; i++) {
		make(key);
		make(other);
		assert_int_equal(strlen(key), 51);
		assert_memory_equal(key, "cg_live_", 8);
		for (size_t j = 8; j < 51; j++)
			assert_true(base64url_value(key[j]) >= 0);
		assert_int_equal(api_key_form(key, 51), CREDENTIAL_OK);
		assert_string_not_equal(key, other);
	}
}

/* All 256 bits of the secret are in the text. */
static void no_bit_is_lost(void **state)
{
	uint8_t secret[API_KEY_SECRET_LEN] = {0};
	char base[API_KEY_LEN + 1], key[API_KEY_LEN + 1];

	(void)state;
	assert_int_equal(api_key_text(base, secret), 0);
	for (int bit = 0; bit < 256; bit++) {
		memset(secret, 0, sizeof(secret));
		secret[bit / 8] = (uint8_t)(1 << bit % 8);
		assert_int_equal(api_key_text(key, secret), 0);
		/* apart from the two bits of the checksum */
		key[50] = base64url_digit((unsigned)base64url_value(key[50]) & ~3u);
		base[50] = base64url_digit((unsigned)base64url_value(base[50]) & ~3u);
		assert_string_not_equal(key, base);
	}
}

static void typos_are_told_from_wrong_keys(void **state)
{
	unsigned told = 0, tried = 0;
	char key[API_KEY_LEN + 1], typo[API_KEY_LEN + 2];

	(void)state;
	for (int i = 0; i < 40; i++) {
		make(key);
		for (size_t at = 8; at < API_KEY_LEN; at++, tried++) {
			memcpy(typo, key, sizeof(key));
			typo[at] = key[at] == 'x' ? 'y' : 'x';
			told += api_key_form(typo, API_KEY_LEN) == CREDENTIAL_MISTYPED;
		}
	}
	/* three of four, give or take */
	assert_true(told > tried * 65 / 100 && told < tried * 85 / 100);
	make(key);
	for (size_t len = 8; len < API_KEY_LEN; len++)
		assert_int_equal(api_key_form(key, len), CREDENTIAL_MISTYPED);
	snprintf(typo, sizeof(typo), "%sA", key);
	assert_int_equal(api_key_form(typo, API_KEY_LEN + 1), CREDENTIAL_MISTYPED);
	for (size_t at = 8; at < API_KEY_LEN; at++) {
		static const char alien[] = "+/= .\n\x7f\xff";

		for (size_t i = 0; i < sizeof(alien); i++) {
			memcpy(typo, key, sizeof(key));
			typo[at] = alien[i];
			assert_int_equal(api_key_form(typo, API_KEY_LEN), CREDENTIAL_MISTYPED);
		}
	}
	key[0] = 'C';
	assert_int_equal(api_key_form(key, API_KEY_LEN), CREDENTIAL_FORM);
	assert_int_equal(api_key_form("", 0), CREDENTIAL_FORM);
	assert_int_equal(api_key_form("cg_live", 7), CREDENTIAL_FORM);
	assert_int_equal(api_key_form("cg_test_", 8), CREDENTIAL_FORM);
}

/* `printf %s KEY | sha256sum` tells an administrator the same. */
static void at_rest_it_is_a_plain_hash(void **state)
{
	struct digest list[3], shown;
	char hex[DIGEST_HEX_MAX];

	(void)state;
	assert_int_equal(api_key_digest(&shown, "abc", 3), 0);
	assert_string_equal(digest_hex(hex, &shown),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(api_key_digest(&list[0], "a", 1), 0);
	assert_int_equal(api_key_digest(&list[1], "b", 1), 0);
	assert_int_equal(api_key_digest(&list[2], "abc", 3), 0);
	assert_int_equal(api_key_find(list, 3, &shown), 2);
	assert_int_equal(api_key_find(list, 2, &shown), 2);
	assert_int_equal(api_key_find(NULL, 0, &shown), 0);
}

/* ---- headers -------------------------------------------------------------------------------- */

static void one_credential_is_found(void **state)
{
	static const struct {
		const char *authorization, *x_api_key;
		enum credential_verdict verdict;
		enum bearer_kind kind;
		const char *text;
	} rows[] = {
	    {NULL, NULL, CREDENTIAL_ABSENT, BEARER_NONE, NULL},
	    {"Bearer a.b.c", NULL, CREDENTIAL_OK, BEARER_JWT, "a.b.c"},
	    {"bearer a.b.c", NULL, CREDENTIAL_OK, BEARER_JWT, "a.b.c"},
	    {"BEARER   a.b.c", NULL, CREDENTIAL_OK, BEARER_JWT, "a.b.c"},
	    {"Bearer cg_live_x", NULL, CREDENTIAL_OK, BEARER_API_KEY, "cg_live_x"},
	    {"Bearer cg_live_a.b.c", NULL, CREDENTIAL_OK, BEARER_API_KEY, "cg_live_a.b.c"},
	    {NULL, "cg_live_x", CREDENTIAL_OK, BEARER_API_KEY, "cg_live_x"},
	    {NULL, "a.b.c", CREDENTIAL_OK, BEARER_JWT, "a.b.c"},
	    {"Bearer abc", NULL, CREDENTIAL_OK, BEARER_OTHER, "abc"},
	    {"Bearer a.b", NULL, CREDENTIAL_OK, BEARER_OTHER, "a.b"},
	    {"Bearer a.b.c.d.e", NULL, CREDENTIAL_OK, BEARER_OTHER, "a.b.c.d.e"},
	    {"Bearer abc", "abc", CREDENTIAL_OK, BEARER_OTHER, "abc"},
	    {"Bearer abc", "abd", CREDENTIAL_SEVERAL, BEARER_NONE, NULL},
	    {"Basic abc", "abc", CREDENTIAL_SEVERAL, BEARER_NONE, NULL},
	    {"Bearer abc", "", CREDENTIAL_SEVERAL, BEARER_NONE, NULL},
	    {"", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {NULL, "", CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer ", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearerabc", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer\tabc", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {" Bearer abc", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Basic dXNlcjpwYXNz", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"DPoP a.b.c", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer a b", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer a.b.c, Bearer d.e.f", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer a\x01", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer a\x7f", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {"Bearer \xc3\xa9", NULL, CREDENTIAL_FORM, BEARER_NONE, NULL},
	    {NULL, "a b", CREDENTIAL_FORM, BEARER_NONE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bearer bearer;
		enum credential_verdict verdict =
		    bearer_read(&bearer, rows[i].authorization, rows[i].x_api_key);

		if (verdict != rows[i].verdict || bearer.kind != rows[i].kind)
			fail_msg("row %zu: %s", i, credential_name(verdict));
		if (rows[i].text) {
			assert_int_equal(bearer.len, strlen(rows[i].text));
			assert_memory_equal(bearer.text, rows[i].text, bearer.len);
		} else {
			assert_null(bearer.text);
		}
	}
}

static void a_credential_has_a_size(void **state)
{
	static char text[JWS_TEXT_MAX + 2];
	struct bearer bearer;

	(void)state;
	memset(text, 'a', JWS_TEXT_MAX);
	assert_int_equal(bearer_read(&bearer, NULL, text), CREDENTIAL_OK);
	text[JWS_TEXT_MAX] = 'a';
	assert_int_equal(bearer_read(&bearer, NULL, text), CREDENTIAL_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_has_the_form_that_users_know),
	    cmocka_unit_test(no_bit_is_lost),
	    cmocka_unit_test(typos_are_told_from_wrong_keys),
	    cmocka_unit_test(at_rest_it_is_a_plain_hash),
	    cmocka_unit_test(one_credential_is_found),
	    cmocka_unit_test(a_credential_has_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
