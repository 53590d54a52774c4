/* Key sets: what becomes a key, what is left out, and which key a token gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "supervisor/identity/jwks.h"
#include "tests/unit/identity/maker.h"

static char *members[JWK_ED25519 + 1];

static int make_keys(void **state)
{
	(void)state;
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++) {
		EVP_PKEY *key = maker_key((enum jwk_type)type);
		struct buf text;

		buf_init(&text, 8192);
		maker_members(&text, key, (enum jwk_type)type);
		members[type] = strdup(buf_cstr(&text));
		buf_fini(&text);
		EVP_PKEY_free(key);
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++)
		free(members[type]);
	return 0;
}

static int parse(struct jwks **ret, const char *text)
{
	struct err_note note = {""};
	int fault = jwks_parse(ret, text, strlen(text), &note);

	if (fault)
		assert_true(strlen(note.text) > 20);
	return fault;
}

static enum jwk_skip read_one(const char *text)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct jwk key;
	enum jwk_skip skip;

	assert_non_null(object);
	skip = jwk_read(&key, object);
	if (skip == JWK_SKIP_NONE)
		jwk_fini(&key);
	json_decref(object);
	return skip;
}

/* {members of a good key of this kind, and more} */
static void expect_with(enum jwk_type type, const char *more, enum jwk_skip wanted)
{
	char text[4096];
	enum jwk_skip skip;

	snprintf(text, sizeof(text), "{%s%s}", members[type], more);
	skip = read_one(text);
	if (skip != wanted)
		fail_msg("%s: %s", more, jwk_skip_text(skip));
}

static void every_kind_is_read(void **state)
{
	static const struct {
		const char *more;
		enum jwk_skip skip;
	} rows[] = {
	    {"", JWK_SKIP_NONE},
	    {",\"kid\":\"a\"", JWK_SKIP_NONE},
	    {",\"use\":\"sig\"", JWK_SKIP_NONE},
	    {",\"key_ops\":[\"verify\"]", JWK_SKIP_NONE},
	    {",\"key_ops\":[\"sign\",\"verify\"]", JWK_SKIP_NONE},
	    {",\"x5c\":[\"MIIB\"],\"x5t\":\"AA\",\"ext\":true", JWK_SKIP_NONE},
	    {",\"use\":\"enc\"", JWK_SKIP_USE},
	    {",\"use\":\"SIG\"", JWK_SKIP_USE},
	    {",\"use\":\"\"", JWK_SKIP_USE},
	    {",\"use\":null", JWK_SKIP_USE},
	    {",\"use\":[\"sig\"]", JWK_SKIP_USE},
	    {",\"key_ops\":[]", JWK_SKIP_OPERATIONS},
	    {",\"key_ops\":[\"encrypt\"]", JWK_SKIP_OPERATIONS},
	    {",\"key_ops\":[\"sign\"]", JWK_SKIP_OPERATIONS},
	    {",\"key_ops\":[\"verify\",1]", JWK_SKIP_OPERATIONS},
	    {",\"key_ops\":\"verify\"", JWK_SKIP_OPERATIONS},
	    {",\"key_ops\":null", JWK_SKIP_OPERATIONS},
	    {",\"alg\":\"HS256\"", JWK_SKIP_ALGORITHM},
	    {",\"alg\":\"none\"", JWK_SKIP_ALGORITHM},
	    {",\"alg\":\"RSA-OAEP\"", JWK_SKIP_ALGORITHM},
	    {",\"alg\":\"\"", JWK_SKIP_ALGORITHM},
	    {",\"alg\":null", JWK_SKIP_ALGORITHM},
	    {",\"alg\":1", JWK_SKIP_ALGORITHM},
	    {",\"kid\":\"\"", JWK_SKIP_KID},
	    {",\"kid\":1", JWK_SKIP_KID},
	    {",\"kid\":null", JWK_SKIP_KID},
	    {",\"d\":\"AAAA\"", JWK_SKIP_PRIVATE},
	    {",\"d\":null", JWK_SKIP_PRIVATE},
	    {",\"k\":\"AAAA\"", JWK_SKIP_SYMMETRIC},
	};

	(void)state;
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			expect_with((enum jwk_type)type, rows[i].more, rows[i].skip);
		for (unsigned alg = JWS_RS256; alg < JWS_ALG_END; alg++) {
			const struct algorithm *row = algorithm_of((enum jws_alg)alg);
			char more[64];

			snprintf(more, sizeof(more), ",\"alg\":\"%s\"", row->name);
			expect_with((enum jwk_type)type, more,
			    row->type == type ? JWK_SKIP_NONE : JWK_SKIP_ALGORITHM);
		}
	}
}

static void other_kinds_are_left_out(void **state)
{
	(void)state;
	assert_int_equal(read_one("{}"), JWK_SKIP_FORM);
	assert_int_equal(read_one("{\"kty\":1}"), JWK_SKIP_FORM);
	assert_int_equal(read_one("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), JWK_SKIP_SYMMETRIC);
	assert_int_equal(read_one("{\"kty\":\"rsa\"}"), JWK_SKIP_KIND);
	assert_int_equal(read_one("{\"kty\":\"AKP\",\"alg\":\"ML-DSA-65\"}"), JWK_SKIP_KIND);
	assert_int_equal(read_one("{\"kty\":\"EC\"}"), JWK_SKIP_CURVE);
	assert_int_equal(read_one("{\"kty\":\"EC\",\"crv\":\"P-192\"}"), JWK_SKIP_CURVE);
	assert_int_equal(read_one("{\"kty\":\"EC\",\"crv\":\"secp256k1\"}"), JWK_SKIP_CURVE);
	assert_int_equal(read_one("{\"kty\":\"EC\",\"crv\":\"Ed25519\"}"), JWK_SKIP_CURVE);
	assert_int_equal(read_one("{\"kty\":\"OKP\",\"crv\":\"Ed448\"}"), JWK_SKIP_CURVE);
	assert_int_equal(read_one("{\"kty\":\"OKP\",\"crv\":\"X25519\"}"), JWK_SKIP_CURVE);
	assert_int_equal(read_one("{\"kty\":\"OKP\",\"crv\":\"P-256\"}"), JWK_SKIP_CURVE);
}

/* A modulus of so many bytes, whose first and last are given. */
static enum jwk_skip read_rsa(size_t len, unsigned first, unsigned last, const char *e)
{
	static unsigned char n[1100];
	struct buf text;
	enum jwk_skip skip;

	memset(n, 0xa5, sizeof(n));
	n[0] = (unsigned char)first;
	n[len - 1] = (unsigned char)last;
	buf_init(&text, 8192);
	buf_text(&text, "{\"kty\":\"RSA\",\"n\":\"");
	maker_b64(&text, n, len);
	buf_textf(&text, "\",\"e\":%s}", e);
	skip = read_one(buf_cstr(&text));
	buf_fini(&text);
	return skip;
}

static void rsa_sizes_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(read_rsa(256, 0x80, 1, "\"AQAB\""), JWK_SKIP_NONE);
	assert_int_equal(read_rsa(256, 0x7f, 1, "\"AQAB\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(128, 0x80, 1, "\"AQAB\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(1, 0x81, 0x81, "\"AQAB\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(1024, 0xff, 1, "\"AQAB\""), JWK_SKIP_NONE);
	assert_int_equal(read_rsa(1025, 0x01, 1, "\"AQAB\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(1099, 0x01, 1, "\"AQAB\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(257, 0x00, 1, "\"AQAB\""), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 2, "\"AQAB\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"Aw\""), JWK_SKIP_NONE);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"AQ\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"Ag\""), JWK_SKIP_SIZE);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"AA\""), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"AAEAAQ\""), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"AQAB=\""), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"AQAB\\n\""), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"\""), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 1, "65537"), JWK_SKIP_NUMBER);
	assert_int_equal(read_rsa(256, 0x80, 1, "\"_____________w\""), JWK_SKIP_SIZE);
}

static enum jwk_skip read_point(const char *curve, size_t x_len, size_t y_len, unsigned char fill)
{
	unsigned char bytes[80];
	struct buf text;
	enum jwk_skip skip;

	memset(bytes, fill, sizeof(bytes));
	buf_init(&text, 8192);
	buf_textf(&text, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"", curve);
	maker_b64(&text, bytes, x_len);
	buf_text(&text, "\",\"y\":\"");
	maker_b64(&text, bytes, y_len);
	buf_text(&text, "\"}");
	skip = read_one(buf_cstr(&text));
	buf_fini(&text);
	return skip;
}

static void points_are_on_the_curve(void **state)
{
	static const struct {
		const char *curve;
		size_t size;
	} curves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", 66}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *curve = curves[i].curve;
		size_t size = curves[i].size;

		assert_int_equal(read_point(curve, size, size, 0), JWK_SKIP_POINT);
		assert_int_equal(read_point(curve, size, size, 1), JWK_SKIP_POINT);
		assert_int_equal(read_point(curve, size, size, 0xff), JWK_SKIP_POINT);
		assert_int_equal(read_point(curve, size - 1, size, 1), JWK_SKIP_NUMBER);
		assert_int_equal(read_point(curve, size, size + 1, 1), JWK_SKIP_NUMBER);
		assert_int_equal(read_point(curve, size + 1, size, 0), JWK_SKIP_NUMBER);
		assert_int_equal(read_point(curve, size, 0, 1), JWK_SKIP_NUMBER);
	}
}

static void ed25519_keys_have_full_order(void **state)
{
	/* y of points of order 1, 2, 4 and 8, and the neutral one in its longer form */
	static const char *const small[] = {
	    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "7P_______________________________________38",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
	    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
	    "7v_______________________________________38",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		snprintf(text, sizeof(text), "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}",
		    small[i]);
		assert_int_equal(read_one(text), JWK_SKIP_POINT);
	}
	assert_int_equal(
	    read_one("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"), JWK_SKIP_NUMBER);
	assert_int_equal(read_one("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
				  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
	    JWK_SKIP_NUMBER);
	assert_int_equal(read_one("{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}"), JWK_SKIP_NUMBER);
}

/* ---- documents ------------------------------------------------------------------------------ */

static void documents_are_whole_or_refused(void **state)
{
	static const struct {
		const char *text;
		int fault;
	} rows[] = {
	    {"", -EBADMSG},
	    {"null", -EBADMSG},
	    {"[]", -EBADMSG},
	    {"{}", -EBADMSG},
	    {"<html>", -EBADMSG},
	    {"{\"keys\":null}", -EBADMSG},
	    {"{\"keys\":{}}", -EBADMSG},
	    {"{\"keys\":[]}", -ENOKEY},
	    {"{\"keys\":[1,null,\"x\",[]]}", -ENOKEY},
	    {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", -ENOKEY},
	    {"{\"keys\":[],\"keys\":[]}", -EBADMSG},
	    {"{\"keys\":[],\"\\u006beys\":[]}", -EBADMSG},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"kty\":\"EC\"}]}", -EBADMSG},
	    {"{\"keys\":[]} x", -EBADMSG},
	    {"{\"keys\":[[[[[[[1]]]]]]]}", -ENOKEY},
	    {"{\"keys\":[[[[[[[[1]]]]]]]]}", -EMSGSIZE},
	};
	struct jwks *set = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(&set, rows[i].text) != rows[i].fault)
			fail_msg("%s", rows[i].text);
		assert_null(set);
	}
	jwks_free(NULL);
}

static void documents_are_bounded(void **state)
{
	struct jwks *set = NULL;
	struct buf text;
	char *blank = malloc(JWKS_BYTES_MAX + 2);

	(void)state;
	buf_init(&text, 1 << 20);
	for (unsigned count = JWKS_KEYS_MAX; count <= JWKS_KEYS_MAX + 1; count++) {
		buf_reset(&text);
		buf_text(&text, "{\"keys\":[");
		for (unsigned i = 0; i < count; i++)
			buf_textf(
			    &text, "%s{\"kid\":\"k%u\",%s}", i ? "," : "", i, members[JWK_ED25519]);
		buf_text(&text, "]}");
		assert_int_equal(
		    parse(&set, buf_cstr(&text)), count <= JWKS_KEYS_MAX ? 0 : -EMSGSIZE);
		if (count <= JWKS_KEYS_MAX)
			assert_int_equal(jwks_count(set), count);
	}
	jwks_free(set);
	memset(blank, ' ', JWKS_BYTES_MAX + 1);
	blank[JWKS_BYTES_MAX + 1] = '\0';
	assert_int_equal(parse(&set, blank), -EMSGSIZE);
	buf_reset(&text);
	buf_text(&text, "{\"x\":[0");
	for (int i = 0; i < 80000; i++)
		buf_text(&text, ",[]");
	buf_text(&text, "]}");
	assert_int_equal(parse(&set, buf_cstr(&text)), -EMSGSIZE);
	free(blank);
	buf_fini(&text);
}

static void what_is_left_out_is_told(void **state)
{
	struct jwks *set = NULL;
	struct buf text, told;

	(void)state;
	buf_init(&text, 16384);
	buf_init(&told, 4096);
	buf_textf(&text,
	    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"s\\n\\u001b[2J\",\"k\":\"AAAA\"},"
	    "{%s,\"kid\":\"good\"},{%s,\"kid\":\"e\",\"use\":\"enc\"},7,{%s,\"d\":\"AA\"}]}",
	    members[JWK_P256], members[JWK_RSA], members[JWK_ED25519]);
	assert_int_equal(parse(&set, buf_cstr(&text)), 0);
	assert_int_equal(jwks_count(set), 1);
	assert_int_equal(jwks_skipped(set, &told), 0);
	assert_string_equal(buf_cstr(&told),
	    "key 1 (kid s\\n\\x1b[2J): it is a symmetric key, which must never be published\n"
	    "key 3 (kid e): it is not for signatures\n"
	    "key 4: it is not an object of the expected members\n"
	    "key 5: it is a private key, which must never be published; change it\n");
	jwks_free(set);
	buf_fini(&told);
	buf_fini(&text);
}

/* ---- which key ------------------------------------------------------------------------------ */

static void keys_are_found_by_name_and_kind(void **state)
{
	const struct jwk *key = NULL;
	struct jwks *set = NULL;
	struct buf text;

	(void)state;
	buf_init(&text, 16384);
	buf_textf(&text,
	    "{\"keys\":[{%s,\"kid\":\"a\"},{%s,\"kid\":\"a\"},{%s,\"kid\":\"b\",\"alg\":\"RS256\"},"
	    "{%s,\"kid\":\"b\",\"alg\":\"PS256\"},{%s,\"kid\":\"c\"},{%s,\"kid\":\"c\"},{%s}]}",
	    members[JWK_P256], members[JWK_RSA], members[JWK_RSA], members[JWK_RSA],
	    members[JWK_P384], members[JWK_P384], members[JWK_ED25519]);
	assert_int_equal(parse(&set, buf_cstr(&text)), 0);
	assert_int_equal(jwks_count(set), 7);
	/* one name, two kinds: the algorithm tells them apart */
	assert_int_equal(jwks_find(set, "a", JWS_ES256, &key), CREDENTIAL_OK);
	assert_int_equal(key->type, JWK_P256);
	assert_int_equal(jwks_find(set, "a", JWS_RS512, &key), CREDENTIAL_OK);
	assert_int_equal(key->type, JWK_RSA);
	assert_int_equal(jwks_find(set, "a", JWS_EDDSA, &key), CREDENTIAL_KEY_UNFIT);
	/* one name, one kind, told apart by alg */
	assert_int_equal(jwks_find(set, "b", JWS_PS256, &key), CREDENTIAL_OK);
	assert_int_equal(key->alg, JWS_PS256);
	assert_int_equal(jwks_find(set, "b", JWS_RS384, &key), CREDENTIAL_KEY_UNFIT);
	/* not told apart: none is taken */
	assert_int_equal(jwks_find(set, "c", JWS_ES384, &key), CREDENTIAL_KEY_AMBIGUOUS);
	/* no name: where one alone fits; and a key without one answers to none */
	assert_int_equal(jwks_find(set, "", JWS_EDDSA, &key), CREDENTIAL_OK);
	assert_int_equal(jwks_find(set, "", JWS_ES256, &key), CREDENTIAL_OK);
	assert_int_equal(jwks_find(set, "", JWS_RS256, &key), CREDENTIAL_KEY_AMBIGUOUS);
	assert_int_equal(jwks_find(set, "", JWS_ES512, &key), CREDENTIAL_KEY_UNKNOWN);
	assert_int_equal(jwks_find(set, "d", JWS_EDDSA, &key), CREDENTIAL_KEY_UNKNOWN);
	assert_int_equal(jwks_find(set, "a", JWS_NO_ALG, &key), CREDENTIAL_KEY_UNFIT);
	jwks_free(set);
	buf_fini(&text);
}

/* RFC 8037 appendix A.3. */
static void thumbprints_are_those_of_the_standard(void **state)
{
	char print[JWK_THUMBPRINT_MAX];
	uint8_t key[32];
	size_t len;

	(void)state;
	assert_int_equal(base64url_decode(key, sizeof(key),
			     "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", 43, &len),
	    0);
	assert_int_equal(jwk_thumbprint(print, key), 0);
	assert_string_equal(print, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_is_read),
	    cmocka_unit_test(other_kinds_are_left_out),
	    cmocka_unit_test(rsa_sizes_are_bounded),
	    cmocka_unit_test(points_are_on_the_curve),
	    cmocka_unit_test(ed25519_keys_have_full_order),
	    cmocka_unit_test(documents_are_whole_or_refused),
	    cmocka_unit_test(documents_are_bounded),
	    cmocka_unit_test(what_is_left_out_is_told),
	    cmocka_unit_test(keys_are_found_by_name_and_kind),
	    cmocka_unit_test(thumbprints_are_those_of_the_standard),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
