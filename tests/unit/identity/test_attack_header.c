/* Hostile headers and hostile text around a good signature. Vectors of our own making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/identity/jws.h"
#include "tests/unit/identity/maker.h"

#define PAYLOAD "{\"sub\":\"x\"}"

struct rig {
	EVP_PKEY *key;
	struct jwks *set; /* one P-256 key, kid "k1" */
	char *good;
};

static struct rig rig_new(void)
{
	struct rig rig = {.key = maker_key(JWK_P256)};
	struct buf text;

	buf_init(&text, 4096);
	buf_text(&text, "{\"keys\":[{\"kid\":\"k1\",");
	maker_members(&text, rig.key, JWK_P256);
	buf_text(&text, "}]}");
	assert_int_equal(jwks_parse(&rig.set, buf_cstr(&text), text.len, NULL), 0);
	buf_fini(&text);
	rig.good = maker_token("{\"alg\":\"ES256\",\"kid\":\"k1\"}", PAYLOAD, rig.key, JWS_ES256);
	return rig;
}

static void rig_fini(struct rig *rig)
{
	EVP_PKEY_free(rig->key);
	jwks_free(rig->set);
	free(rig->good);
}

static void expect(const struct rig *rig, const char *what, const char *text, size_t len,
    enum credential_verdict wanted)
{
	struct jws jws;
	enum credential_verdict verdict = jws_verify(&jws, rig->set, JWS_ALGS_ALL, text, len);

	if (verdict != wanted)
		fail_msg("%s: %s, not %s", what, credential_name(verdict), credential_name(wanted));
	if (verdict != CREDENTIAL_OK)
		assert_null(jws.payload);
	jws_fini(&jws);
}

static void expect_header(
    const struct rig *rig, const char *header, size_t len, enum credential_verdict wanted)
{
	unsigned char signature[64];
	char *part = maker_signed_part(header, len, PAYLOAD, strlen(PAYLOAD));
	size_t n = maker_sign(signature, sizeof(signature), rig->key, JWS_ES256, part);
	char *token = maker_join(part, signature, n);

	expect(rig, header, token, strlen(token), wanted);
	free(part);
	free(token);
}

/* ---- headers, all with a right signature ---------------------------------------------------- */

#define K ",\"kid\":\"k1\"}"

static const struct {
	const char *header;
	enum credential_verdict verdict;
} headers[] = {
    /* what is right, so that the rest means something */
    {"{\"alg\":\"ES256\",\"kid\":\"k1\"}", CREDENTIAL_OK},
    {"{\"alg\":\"ES256\"}", CREDENTIAL_OK},
    {" {\n\t\"alg\" : \"ES256\" , \"kid\":\"k1\"}\r\n", CREDENTIAL_OK},
    {"{\"\\u0061lg\":\"E\\u0053256\",\"kid\":\"\\u006b1\"}", CREDENTIAL_OK},
    {"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5t\":\"AAAA\",\"new\":[1,{}]" K, CREDENTIAL_OK},
    /* alg */
    {"{\"kid\":\"k1\"}", CREDENTIAL_HEADER},
    {"{\"alg\":null" K, CREDENTIAL_HEADER},
    {"{\"alg\":256" K, CREDENTIAL_HEADER},
    {"{\"alg\":true" K, CREDENTIAL_HEADER},
    {"{\"alg\":[\"ES256\"]" K, CREDENTIAL_HEADER},
    {"{\"alg\":{\"ES256\":1}" K, CREDENTIAL_HEADER},
    {"{\"alg\":\"\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"none\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"None\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"NONE\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"nOnE\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"HS256\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"HS384\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"HS512\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"es256\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"ES256 \"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\" ES256\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"ES256K\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"ES521\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"ECDSA\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"Ed25519\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"RSA-OAEP\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"dir\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"alg\":\"A128KW\"" K, CREDENTIAL_ALG_UNKNOWN},
    {"{\"ALG\":\"ES256\"" K, CREDENTIAL_HEADER},
    {"{\"alg\":\"ES384\"" K, CREDENTIAL_KEY_UNFIT},
    {"{\"alg\":\"ES512\"" K, CREDENTIAL_KEY_UNFIT},
    {"{\"alg\":\"RS256\"" K, CREDENTIAL_KEY_UNFIT},
    {"{\"alg\":\"PS512\"" K, CREDENTIAL_KEY_UNFIT},
    {"{\"alg\":\"EdDSA\"" K, CREDENTIAL_KEY_UNFIT},
    {"{\"alg\":\"ES256\\u0000\"" K, CREDENTIAL_JSON},
    {"{\"alg\":\"\\u0000ES256\"" K, CREDENTIAL_JSON},
    /* members that bring a key, point to one, or change the rules */
    {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"crit\":[]" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"crit\":null" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"crit\":\"b64\"" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"\\u0063rit\":[\"x\"]" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"b64\":false" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"b64\":true" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"jku\":\"https://evil.example/jwks\"" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"jku\":\"\"" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"x5u\":\"https://evil.example/\"" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\"}" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"jwk\":null" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"\\u006awk\":{}" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"x5c\":[\"MIIB\"]" K, CREDENTIAL_EXTENSION},
    {"{\"alg\":\"ES256\",\"zip\":\"DEF\"" K, CREDENTIAL_EXTENSION},
    /* members that stand twice */
    {"{\"alg\":\"ES256\",\"alg\":\"ES256\"" K, CREDENTIAL_JSON},
    {"{\"alg\":\"none\",\"alg\":\"ES256\"" K, CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"alg\":\"none\"" K, CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"" K, CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"kid\":\"k2\"" K, CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":{\"y\":1,\"y\":2}" K, CREDENTIAL_JSON},
    /* kid */
    {"{\"alg\":\"ES256\",\"kid\":\"k2\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"K1\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"k1 \"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"k\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"../../../../dev/null\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"/proc/self/environ\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"k1' OR '1'='1\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"x' UNION SELECT 'key\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"k1;id\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"$(id)\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"%s%n\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"k1\\n\"}", CREDENTIAL_KEY_UNKNOWN},
    {"{\"alg\":\"ES256\",\"kid\":\"k1\\u0000x\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"kid\":\"\"}", CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\",\"kid\":null}", CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\",\"kid\":1}", CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\",\"kid\":[\"k1\"]}", CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\",\"kid\":{\"k1\":1}}", CREDENTIAL_HEADER},
    /* typ */
    {"{\"alg\":\"ES256\",\"typ\":1" K, CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\",\"typ\":\"\"" K, CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\",\"typ\":[\"JWT\"]" K, CREDENTIAL_HEADER},
    /* what is no object, or no JSON */
    {"", CREDENTIAL_FORM},
    {"null", CREDENTIAL_JSON},
    {"1", CREDENTIAL_JSON},
    {"\"ES256\"", CREDENTIAL_JSON},
    {"[]", CREDENTIAL_JSON},
    {"[{\"alg\":\"ES256\"}]", CREDENTIAL_JSON},
    {"{}", CREDENTIAL_HEADER},
    {"{\"alg\":\"ES256\"", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\"}}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\"}{\"alg\":\"none\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\"} x", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",}", CREDENTIAL_JSON},
    {"{'alg':'ES256'}", CREDENTIAL_JSON},
    {"{alg:\"ES256\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\"/**/}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":NaN}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":1e999}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":123456789012345678901234567890}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":01}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\n\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\x01\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\xff\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\xc0\xaf\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\xed\xa0\x80\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\\ud800\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\\x41\"}", CREDENTIAL_JSON},
    {"\xef\xbb\xbf{\"alg\":\"ES256\"}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":[[[1]]]}", CREDENTIAL_OK},
    {"{\"alg\":\"ES256\",\"x\":\"\\\"[[[[[[[[\"}", CREDENTIAL_OK},
    {"{\"alg\":\"ES256\",\"x\":\"\\\"\",\"y\":[[[[1]]]]}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":\"\\\\\",\"y\":[[[[1]]]]}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":[[[[1]]]]}", CREDENTIAL_JSON},
    {"{\"alg\":\"ES256\",\"x\":{\"a\":{\"a\":{\"a\":{}}}}}", CREDENTIAL_JSON},
};

static void headers_are_judged(void **state)
{
	struct rig rig = rig_new();
	size_t count = sizeof(headers) / sizeof(headers[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		expect_header(
		    &rig, headers[i].header, strlen(headers[i].header), headers[i].verdict);
	print_message("# %zu headers\n", count);
	rig_fini(&rig);
}

/* A header of one long member: name and bracket depth, or a kid. */
static void long_headers_are_refused(void **state)
{
	struct rig rig = rig_new();
	static char header[6000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%0256d\"}", 0);
	expect_header(&rig, header, n, CREDENTIAL_KEY_UNKNOWN);
	n = (size_t)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%0257d\"}", 0);
	expect_header(&rig, header, n, CREDENTIAL_HEADER);
	n = (size_t)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"typ\":\"%065d\"}", 0);
	expect_header(&rig, header, n, CREDENTIAL_HEADER);
	n = (size_t)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"x\":\"%01500d\"}", 0);
	expect_header(&rig, header, n, CREDENTIAL_OK);
	n = (size_t)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"x\":\"%01600d\"}", 0);
	expect_header(&rig, header, n, CREDENTIAL_TOO_LARGE);
	memset(header, '[', 1500);
	expect_header(&rig, header, 1500, CREDENTIAL_JSON);
	for (size_t i = 0; i < 1500; i++)
		header[i] = "[],"[i % 3];
	expect_header(&rig, header, 1500, CREDENTIAL_JSON);
	expect_header(&rig, "{\"alg\":\"ES256\"\0}", 16, CREDENTIAL_JSON);
	expect_header(&rig, "{\"alg\":\"ES256\"}\0", 16, CREDENTIAL_JSON);
	rig_fini(&rig);
}

/* ---- the text ------------------------------------------------------------------------------- */

/* Replaces len characters at a place by a text. */
static void splice(
    const struct rig *rig, size_t at, size_t len, const char *with, enum credential_verdict wanted)
{
	static char text[4096];
	size_t whole = strlen(rig->good);
	size_t n = strlen(with);

	memcpy(text, rig->good, at);
	memcpy(text + at, with, n);
	memcpy(text + at + n, rig->good + at + len, whole - at - len);
	expect(rig, with, text, whole - len + n, wanted);
}

static void text_around_is_refused(void **state)
{
	struct rig rig = rig_new();
	size_t whole = strlen(rig.good);
	size_t first = strcspn(rig.good, ".");
	size_t second = first + 1 + strcspn(rig.good + first + 1, ".");
	static const char *const alien[] = {"=", "+", "/", " ", "\n", "\r\n", "\t", "%3D", "%2e",
	    "\x01", "\x7f", "\x80", "\xc3\xa9", "\\", "\"", ",", "~", "*"};

	(void)state;
	expect(&rig, "as it is", rig.good, whole, CREDENTIAL_OK);
	for (size_t i = 0; i < sizeof(alien) / sizeof(alien[0]); i++) {
		splice(&rig, 0, 0, alien[i], CREDENTIAL_ENCODING);
		splice(&rig, first, 0, alien[i], CREDENTIAL_ENCODING);
		splice(&rig, first, strlen(alien[i]), alien[i], CREDENTIAL_FORM);
		splice(&rig, second + 1, strlen(alien[i]), alien[i], CREDENTIAL_ENCODING);
		splice(&rig, whole, 0, alien[i], CREDENTIAL_SIGNATURE_LENGTH);
		splice(&rig, first + 1, 1, alien[i], CREDENTIAL_SIGNATURE);
	}
	expect(&rig, "empty", "", 0, CREDENTIAL_FORM);
	expect(&rig, "one part", rig.good, first, CREDENTIAL_FORM);
	expect(&rig, "two parts", rig.good, second, CREDENTIAL_FORM);
	expect(&rig, "no signature", rig.good, second + 1, CREDENTIAL_SIGNATURE_LENGTH);
	expect(&rig, "only dots", "..", 2, CREDENTIAL_FORM);
	expect(&rig, "four dots", "a.b.c.d.e", 9, CREDENTIAL_FORM);
	splice(&rig, 0, 0, ".", CREDENTIAL_FORM);
	splice(&rig, whole, 0, ".", CREDENTIAL_FORM);
	splice(&rig, whole, 0, ".e30", CREDENTIAL_FORM);
	splice(&rig, first, 0, ".", CREDENTIAL_FORM);
	splice(&rig, 0, first, "", CREDENTIAL_FORM);
	splice(&rig, first + 1, second - first - 1, "", CREDENTIAL_SIGNATURE);
	splice(&rig, first + 1, 0, "AAAA", CREDENTIAL_SIGNATURE);
	splice(&rig, second, 0, "A", CREDENTIAL_SIGNATURE);
	splice(&rig, 0, first, "eyJhbGciOiJub25lIn0", CREDENTIAL_ALG_UNKNOWN);
	expect(&rig, "none, unsigned", "eyJhbGciOiJub25lIn0.e30.", 24, CREDENTIAL_ALG_UNKNOWN);
	expect(&rig, "NUL at the end", rig.good, whole + 1, CREDENTIAL_SIGNATURE_LENGTH);
	expect(&rig, "JSON form", "{\"payload\":\"e30\"}", 17, CREDENTIAL_FORM);
	rig_fini(&rig);
}

/* The last digit of a part of which not all bits count: the others must be zero. */
static void one_text_for_one_signature(void **state)
{
	struct rig rig = rig_new();
	char text[2048];
	size_t whole = strlen(rig.good);
	unsigned last = (unsigned)base64url_value(rig.good[whole - 1]);

	(void)state;
	memcpy(text, rig.good, whole + 1);
	for (unsigned i = 1; i < 16; i++) {
		text[whole - 1] = base64url_digit(last ^ i);
		expect(&rig, "unused bits", text, whole, CREDENTIAL_ENCODING);
	}
	rig_fini(&rig);
}

static void huge_texts_are_refused_before_work(void **state)
{
	struct rig rig = rig_new();
	size_t len = 4 * 1024 * 1024;
	char *text = malloc(len);

	(void)state;
	memset(text, 'A', len);
	expect(&rig, "no dot", text, len, CREDENTIAL_TOO_LARGE);
	expect(&rig, "at the limit", text, JWS_TEXT_MAX, CREDENTIAL_FORM);
	expect(&rig, "above it", text, JWS_TEXT_MAX + 1, CREDENTIAL_TOO_LARGE);
	memset(text, '.', len);
	expect(&rig, "dots", text, JWS_TEXT_MAX, CREDENTIAL_FORM);
	free(text);
	rig_fini(&rig);
}

static void nothing_is_known_without_keys_or_allowed_without_a_list(void **state)
{
	struct rig rig = rig_new();
	struct jws jws;
	size_t len = strlen(rig.good);

	(void)state;
	assert_int_equal(
	    jws_verify(&jws, NULL, JWS_ALGS_ALL, rig.good, len), CREDENTIAL_KEY_UNKNOWN);
	assert_int_equal(jws_verify(&jws, rig.set, 0, rig.good, len), CREDENTIAL_ALG_NOT_ALLOWED);
	assert_int_equal(
	    jws_verify(&jws, rig.set, JWS_ALGS_ALL & ~JWS_ALG_BIT(ES256), rig.good, len),
	    CREDENTIAL_ALG_NOT_ALLOWED);
	assert_int_equal(jws_verify(&jws, rig.set, JWS_ALGS_DEFAULT, rig.good, len), CREDENTIAL_OK);
	assert_string_equal(jws.payload, PAYLOAD);
	assert_string_equal(jws.kid, "k1");
	jws_fini(&jws);
	rig_fini(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_judged),
	    cmocka_unit_test(long_headers_are_refused),
	    cmocka_unit_test(text_around_is_refused),
	    cmocka_unit_test(one_text_for_one_signature),
	    cmocka_unit_test(huge_texts_are_refused_before_work),
	    cmocka_unit_test(nothing_is_known_without_keys_or_allowed_without_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
