/* Hostile signatures: other algorithms, other keys, other forms. Vectors of our own making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "supervisor/identity/jws.h"
#include "tests/unit/identity/maker.h"

#define PAYLOAD "{\"sub\":\"x\"}"

static EVP_PKEY *keys[JWK_ED25519 + 1]; /* one of each kind, made once: RSA takes its time */
static EVP_PKEY *strangers[JWK_ED25519 + 1];

static int make_keys(void **state)
{
	(void)state;
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++) {
		keys[type] = maker_key((enum jwk_type)type);
		strangers[type] = maker_key((enum jwk_type)type);
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++) {
		EVP_PKEY_free(keys[type]);
		EVP_PKEY_free(strangers[type]);
	}
	return 0;
}

/* A set with one key; more: members such as "\"alg\":\"RS256\",". */
static struct jwks *set_of(enum jwk_type type, const char *more)
{
	struct jwks *set = NULL;
	struct buf text;

	buf_init(&text, 8192);
	buf_textf(&text, "{\"keys\":[{%s", more);
	maker_members(&text, keys[type], type);
	buf_text(&text, "}]}");
	assert_int_equal(jwks_parse(&set, buf_cstr(&text), text.len, NULL), 0);
	buf_fini(&text);
	return set;
}

static char *part_of(const char *alg)
{
	char header[64];

	snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", alg);
	return maker_signed_part(header, strlen(header), PAYLOAD, strlen(PAYLOAD));
}

static enum credential_verdict verify(const struct jwks *set, const char *token)
{
	struct jws jws;
	enum credential_verdict verdict = jws_verify(&jws, set, JWS_ALGS_ALL, token, strlen(token));

	if (verdict != CREDENTIAL_OK)
		assert_null(jws.payload);
	jws_fini(&jws);
	return verdict;
}

/* A raw signature under the key of this kind. */
static enum credential_verdict verify_raw(
    enum jws_alg alg, const char *part, const void *signature, size_t len)
{
	struct jwks *set = set_of(algorithm_of(alg)->type, "");
	char *token = maker_join(part, signature, len);
	enum credential_verdict verdict = verify(set, token);

	free(token);
	jwks_free(set);
	return verdict;
}

#define expect(what, verdict, wanted)                                                              \
	do {                                                                                       \
		enum credential_verdict got_ = (verdict);                                          \
		if (got_ != (wanted))                                                              \
			fail_msg("%s: %s, not %s", what, credential_name(got_),                    \
			    credential_name(wanted));                                              \
	} while (0)

/* ---- every algorithm said against every one meant ------------------------------------------- */

static void every_pair_of_algorithms(void **state)
{
	unsigned char signature[1100];
	unsigned pairs = 0;

	(void)state;
	for (unsigned said = JWS_RS256; said < JWS_ALG_END; said++) {
		for (unsigned meant = JWS_RS256; meant < JWS_ALG_END; meant++, pairs++) {
			const struct algorithm *row = algorithm_of((enum jws_alg)said);
			const struct algorithm *other = algorithm_of((enum jws_alg)meant);
			char *part = part_of(row->name);
			size_t n = maker_sign(signature, sizeof(signature), keys[other->type],
			    (enum jws_alg)meant, part);
			char *token = maker_join(part, signature, n);
			struct jwks *set = set_of(other->type, "");
			enum credential_verdict wanted = said == meant ? CREDENTIAL_OK
							 : row->type == other->type
							     ? CREDENTIAL_SIGNATURE
							     : CREDENTIAL_KEY_UNKNOWN;

			expect(row->name, verify(set, token), wanted);
			free(token);
			free(part);
			jwks_free(set);
		}
	}
	print_message("# %u pairs of algorithms\n", pairs);
}

/* A key that names its algorithm verifies no other of its kind. */
static void a_key_keeps_to_its_algorithm(void **state)
{
	unsigned char signature[1100];

	(void)state;
	for (unsigned own = JWS_RS256; own <= JWS_PS512; own++) {
		for (unsigned said = JWS_RS256; said <= JWS_PS512; said++) {
			const char *name = algorithm_of((enum jws_alg)said)->name;
			char more[64];
			char *part = part_of(name);
			size_t n = maker_sign(
			    signature, sizeof(signature), keys[JWK_RSA], (enum jws_alg)said, part);
			char *token = maker_join(part, signature, n);
			struct jwks *set;

			snprintf(more, sizeof(more), "\"alg\":\"%s\",",
			    algorithm_of((enum jws_alg)own)->name);
			set = set_of(JWK_RSA, more);
			expect(name, verify(set, token),
			    own == said ? CREDENTIAL_OK : CREDENTIAL_KEY_UNKNOWN);
			free(token);
			free(part);
			jwks_free(set);
		}
	}
}

static void a_stranger_of_the_same_kind(void **state)
{
	unsigned char signature[1100];

	(void)state;
	for (unsigned alg = JWS_RS256; alg < JWS_ALG_END; alg++) {
		const struct algorithm *row = algorithm_of((enum jws_alg)alg);
		char *part = part_of(row->name);
		size_t n = maker_sign(
		    signature, sizeof(signature), strangers[row->type], (enum jws_alg)alg, part);

		expect(row->name, verify_raw((enum jws_alg)alg, part, signature, n),
		    CREDENTIAL_SIGNATURE);
		free(part);
	}
}

/* The public key as an HMAC secret, in the forms in which a library may hold it. */
static void public_key_as_secret(void **state)
{
	static const char *const said[] = {"HS256", "hs256", "HS384", "HS512", "RS256"};
	unsigned char mac[64], *der = NULL;
	unsigned mac_len = sizeof(mac);
	int der_len = i2d_PUBKEY(keys[JWK_RSA], &der);
	BIO *pem = BIO_new(BIO_s_mem());
	char *pem_text;
	long pem_len;

	(void)state;
	assert_true(der_len > 0 && PEM_write_bio_PUBKEY(pem, keys[JWK_RSA]) == 1);
	pem_len = BIO_get_mem_data(pem, &pem_text);
	for (size_t i = 0; i < 5; i++) {
		char *part = part_of(said[i]);
		enum credential_verdict wanted =
		    i < 4 ? CREDENTIAL_ALG_UNKNOWN : CREDENTIAL_SIGNATURE_LENGTH;

		HMAC(EVP_sha256(), pem_text, (int)pem_len, (const unsigned char *)part,
		    strlen(part), mac, &mac_len);
		expect(said[i], verify_raw(JWS_RS256, part, mac, mac_len), wanted);
		HMAC(EVP_sha256(), der, der_len, (const unsigned char *)part, strlen(part), mac,
		    &mac_len);
		expect(said[i], verify_raw(JWS_RS256, part, mac, mac_len), wanted);
		HMAC(EVP_sha256(), "", 0, (const unsigned char *)part, strlen(part), mac, &mac_len);
		expect(said[i], verify_raw(JWS_RS256, part, mac, mac_len), wanted);
		free(part);
	}
	OPENSSL_free(der);
	BIO_free(pem);
}

/* ---- lengths -------------------------------------------------------------------------------- */

static void lengths_are_exact(void **state)
{
	unsigned char signature[1100];

	(void)state;
	for (unsigned alg = JWS_RS256; alg < JWS_ALG_END; alg++) {
		const struct algorithm *row = algorithm_of((enum jws_alg)alg);
		char *part = part_of(row->name);
		size_t n = maker_sign(
		    signature + 1, sizeof(signature) - 2, keys[row->type], (enum jws_alg)alg, part);

		signature[0] = signature[n + 1] = 0;
		expect(row->name, verify_raw((enum jws_alg)alg, part, signature + 1, n),
		    CREDENTIAL_OK);
		expect("a zero in front", verify_raw((enum jws_alg)alg, part, signature, n + 1),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("a zero behind", verify_raw((enum jws_alg)alg, part, signature + 1, n + 1),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("first byte lost", verify_raw((enum jws_alg)alg, part, signature + 2, n - 1),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("last byte lost", verify_raw((enum jws_alg)alg, part, signature + 1, n - 1),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("half", verify_raw((enum jws_alg)alg, part, signature + 1, n / 2),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("nothing", verify_raw((enum jws_alg)alg, part, signature, 0),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("one byte", verify_raw((enum jws_alg)alg, part, signature + 1, 1),
		    CREDENTIAL_SIGNATURE_LENGTH);
		expect("twice", verify_raw((enum jws_alg)alg, part, signature, sizeof(signature)),
		    CREDENTIAL_SIGNATURE_LENGTH);
		signature[1 + n / 3] ^= 0x10;
		expect("one bit", verify_raw((enum jws_alg)alg, part, signature + 1, n),
		    CREDENTIAL_SIGNATURE);
		memset(signature, 0, sizeof(signature));
		expect("zeros", verify_raw((enum jws_alg)alg, part, signature, n),
		    CREDENTIAL_SIGNATURE);
		memset(signature, 0xff, sizeof(signature));
		expect("ones", verify_raw((enum jws_alg)alg, part, signature, n),
		    CREDENTIAL_SIGNATURE);
		free(part);
	}
}

/* ---- ECDSA ---------------------------------------------------------------------------------- */

static BIGNUM *order_of(const EVP_PKEY *key)
{
	BIGNUM *order = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &order), 1);
	return order;
}

/* NULL leaves a half as it is. */
static void expect_halves(enum jws_alg alg, const char *part, const unsigned char *good,
    const BIGNUM *r, const BIGNUM *s, enum credential_verdict wanted)
{
	size_t size = jwk_curve_bytes(algorithm_of(alg)->type);
	unsigned char raw[132];

	memcpy(raw, good, 2 * size);
	if (r && BN_num_bytes(r) <= (int)size)
		BN_bn2binpad(r, raw, (int)size);
	if (s && BN_num_bytes(s) <= (int)size)
		BN_bn2binpad(s, raw + size, (int)size);
	expect(algorithm_of(alg)->name, verify_raw(alg, part, raw, 2 * size), wanted);
}

static void try_halves(enum jws_alg alg)
{
	const struct algorithm *row = algorithm_of(alg);
	size_t size = jwk_curve_bytes(row->type);
	char *part = part_of(row->name);
	unsigned char good[132], swapped[132];
	BIGNUM *n = order_of(keys[row->type]);
	BIGNUM *zero = BN_new(), *one = BN_new(), *over = BN_dup(n), *below = BN_dup(n);
	BIGNUM *s = BN_new(), *negated = BN_new();

	maker_sign(good, sizeof(good), keys[row->type], alg, part);
	BN_zero(zero);
	BN_one(one);
	BN_add_word(over, 1);
	BN_sub_word(below, 1);
	BN_bin2bn(good + size, (int)size, s);
	BN_sub(negated, n, s);
	const BIGNUM *const wrong[] = {zero, one, n, over, below};

	for (size_t i = 0; i < 5; i++) {
		expect_halves(alg, part, good, wrong[i], NULL, CREDENTIAL_SIGNATURE);
		expect_halves(alg, part, good, NULL, wrong[i], CREDENTIAL_SIGNATURE);
		for (size_t j = 0; j < 5; j++)
			expect_halves(alg, part, good, wrong[i], wrong[j], CREDENTIAL_SIGNATURE);
	}
	/* s and n - s are both right: RFC 7518 asks for neither half. */
	expect_halves(alg, part, good, NULL, negated, CREDENTIAL_OK);
	/* r + n is r again, modulo n; where it fits it is still no number of the right range. */
	BN_bin2bn(good, (int)size, s);
	BN_add(negated, s, n);
	if (BN_num_bytes(negated) <= (int)size)
		expect_halves(alg, part, good, negated, NULL, CREDENTIAL_SIGNATURE);
	memcpy(swapped, good + size, size);
	memcpy(swapped + size, good, size);
	expect("halves swapped", verify_raw(alg, part, swapped, 2 * size), CREDENTIAL_SIGNATURE);
	BN_free(n), BN_free(zero), BN_free(one), BN_free(over), BN_free(below);
	BN_free(s), BN_free(negated);
	free(part);
}

static void ecdsa_numbers_are_in_range(void **state)
{
	(void)state;
	try_halves(JWS_ES256);
	try_halves(JWS_ES384);
	try_halves(JWS_ES512);
}

/* What other libraries call a signature. */
static void der_is_no_raw_signature(void **state)
{
	(void)state;
	for (unsigned alg = JWS_ES256; alg <= JWS_ES512; alg++) {
		const struct algorithm *row = algorithm_of((enum jws_alg)alg);
		char *part = part_of(row->name);
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		unsigned char der[160];
		size_t n = sizeof(der);

		assert_int_equal(EVP_DigestSignInit_ex(
				     context, NULL, row->digest, NULL, NULL, keys[row->type], NULL),
		    1);
		assert_int_equal(
		    EVP_DigestSign(context, der, &n, (const unsigned char *)part, strlen(part)), 1);
		EVP_MD_CTX_free(context);
		expect("DER", verify_raw((enum jws_alg)alg, part, der, n),
		    n == 2 * jwk_curve_bytes(row->type) ? CREDENTIAL_SIGNATURE
							: CREDENTIAL_SIGNATURE_LENGTH);
		free(part);
	}
}

/* Numbers with leading zeros keep them: both short r and short s must occur and be taken. */
static void short_numbers_are_padded(void **state)
{
	unsigned char raw[132];
	char *part = part_of("ES256");
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 20000 && seen != 3; i++) {
		unsigned what;

		maker_sign(raw, sizeof(raw), keys[JWK_P256], JWS_ES256, part);
		what = (raw[0] == 0 ? 1u : 0u) | (raw[32] == 0 ? 2u : 0u);
		if (!(what & ~seen))
			continue;
		seen |= what;
		expect("padded", verify_raw(JWS_ES256, part, raw, 64), CREDENTIAL_OK);
		expect("not padded", verify_raw(JWS_ES256, part, raw + 1, 63),
		    CREDENTIAL_SIGNATURE_LENGTH);
	}
	assert_int_equal(seen, 3);
	free(part);
}

/* ---- Ed25519 -------------------------------------------------------------------------------- */

static void ed25519_is_not_malleable(void **state)
{
	/* The order of the group, little endian: S + L verifies where S is not checked. */
	static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
	    0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	char *part = part_of("EdDSA");
	unsigned char signature[64], other[64];
	unsigned carry = 0;

	(void)state;
	maker_sign(signature, sizeof(signature), keys[JWK_ED25519], JWS_EDDSA, part);
	expect("good", verify_raw(JWS_EDDSA, part, signature, 64), CREDENTIAL_OK);
	memcpy(other, signature, 64);
	for (int i = 0; i < 32; i++) {
		carry += other[32 + i] + order[i];
		other[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	expect("S + L", verify_raw(JWS_EDDSA, part, other, 64), CREDENTIAL_SIGNATURE);
	memcpy(other, signature, 64);
	other[63] |= 0xe0;
	expect("high bits of S", verify_raw(JWS_EDDSA, part, other, 64), CREDENTIAL_SIGNATURE);
	memcpy(other, signature, 64);
	memset(other, 0, 32);
	other[0] = 1;
	expect("neutral R", verify_raw(JWS_EDDSA, part, other, 64), CREDENTIAL_SIGNATURE);
	memset(other + 32, 0, 32);
	expect("neutral R, S zero", verify_raw(JWS_EDDSA, part, other, 64), CREDENTIAL_SIGNATURE);
	memcpy(other, signature + 32, 32);
	memcpy(other + 32, signature, 32);
	expect("swapped", verify_raw(JWS_EDDSA, part, other, 64), CREDENTIAL_SIGNATURE);
	free(part);
}

/* ---- RSA ------------------------------------------------------------------------------------ */

static void rsa_numbers_are_in_range(void **state)
{
	BIGNUM *n = NULL, *s = BN_new();
	unsigned char raw[256], good[256];

	(void)state;
	EVP_PKEY_get_bn_param(keys[JWK_RSA], OSSL_PKEY_PARAM_RSA_N, &n);
	for (unsigned alg = JWS_RS256; alg <= JWS_PS512; alg++) {
		char *part = part_of(algorithm_of((enum jws_alg)alg)->name);

		maker_sign(good, sizeof(good), keys[JWK_RSA], (enum jws_alg)alg, part);
		BN_bn2binpad(n, raw, sizeof(raw));
		expect("n", verify_raw((enum jws_alg)alg, part, raw, 256), CREDENTIAL_SIGNATURE);
		BN_sub(s, n, BN_value_one());
		BN_bn2binpad(s, raw, sizeof(raw));
		expect(
		    "n - 1", verify_raw((enum jws_alg)alg, part, raw, 256), CREDENTIAL_SIGNATURE);
		memset(raw, 0, sizeof(raw));
		raw[255] = 1;
		expect("1", verify_raw((enum jws_alg)alg, part, raw, 256), CREDENTIAL_SIGNATURE);
		BN_bin2bn(good, sizeof(good), s);
		BN_sub(s, n, s);
		BN_bn2binpad(s, raw, sizeof(raw));
		expect(
		    "n - s", verify_raw((enum jws_alg)alg, part, raw, 256), CREDENTIAL_SIGNATURE);
		free(part);
	}
	BN_free(n);
	BN_free(s);
}

/* RFC 7518 section 3.5: the salt is as long as the digest, MGF1 uses the same digest. */
static void pss_has_one_form(void **state)
{
	static const char *const digests[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
	static const int salts[] = {0, 1, 20, 32, 48, 64, RSA_PSS_SALTLEN_MAX};
	unsigned char signature[256];

	(void)state;
	for (unsigned alg = JWS_PS256; alg <= JWS_PS512; alg++) {
		const struct algorithm *row = algorithm_of((enum jws_alg)alg);
		int right = alg == JWS_PS256 ? 32 : alg == JWS_PS384 ? 48 : 64;
		char *part = part_of(row->name);

		for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
			size_t n = maker_sign_pss(signature, sizeof(signature), keys[JWK_RSA],
			    (enum jws_alg)alg, part, salts[i], NULL);

			expect("salt", verify_raw((enum jws_alg)alg, part, signature, n),
			    salts[i] == right ? CREDENTIAL_OK : CREDENTIAL_SIGNATURE);
		}
		for (size_t i = 0; i < 4; i++) {
			size_t n = maker_sign_pss(signature, sizeof(signature), keys[JWK_RSA],
			    (enum jws_alg)alg, part, RSA_PSS_SALTLEN_DIGEST, digests[i]);

			expect("mgf1", verify_raw((enum jws_alg)alg, part, signature, n),
			    strcmp(digests[i], row->digest) == 0 ? CREDENTIAL_OK
								 : CREDENTIAL_SIGNATURE);
		}
		free(part);
	}
}

/* The padding of PKCS #1 v1.5 made by hand and put through the private operation. */
static enum credential_verdict sign_block(const char *part, const unsigned char block[256])
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(keys[JWK_RSA], NULL);
	unsigned char signature[256];
	size_t n = sizeof(signature);

	assert_true(EVP_PKEY_sign_init(context) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
		    EVP_PKEY_sign(context, signature, &n, block, 256) == 1);
	EVP_PKEY_CTX_free(context);
	return verify_raw(JWS_RS256, part, signature, n);
}

static void pkcs1_padding_is_strict(void **state)
{
	static const unsigned char info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
	    0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
	unsigned char block[256], digest[32], other[256];
	char *part = part_of("RS256");
	size_t at = 256 - sizeof(info) - 32;

	(void)state;
	EVP_Digest(part, strlen(part), digest, NULL, EVP_sha256(), NULL);
	memset(block, 0xff, sizeof(block));
	block[0] = 0;
	block[1] = 1;
	block[at - 1] = 0;
	memcpy(block + at, info, sizeof(info));
	memcpy(block + 224, digest, 32);
	expect("by hand", sign_block(part, block), CREDENTIAL_OK);
	memcpy(other, block, 256);
	other[1] = 2;
	expect("block type 2", sign_block(part, other), CREDENTIAL_SIGNATURE);
	memcpy(other, block, 256);
	other[5] = 0xfe;
	expect("another filler", sign_block(part, other), CREDENTIAL_SIGNATURE);
	/* Bleichenbacher 2006: a short filler, the digest, and room for rubbish behind it. */
	memset(other, 0, 256);
	memcpy(other, block, 11);
	other[11] = 0;
	memcpy(other + 12, info, sizeof(info));
	memcpy(other + 12 + sizeof(info), digest, 32);
	expect("rubbish behind", sign_block(part, other), CREDENTIAL_SIGNATURE);
	memcpy(other, block, 256);
	other[224] ^= 1;
	expect("another digest", sign_block(part, other), CREDENTIAL_SIGNATURE);
	memcpy(other, block, 256);
	other[at + 14] = 0x02;
	expect("another algorithm", sign_block(part, other), CREDENTIAL_SIGNATURE);
	memcpy(other, block, 256);
	other[at + 15] = 0x04;
	expect("parameters not NULL", sign_block(part, other), CREDENTIAL_SIGNATURE);
	memset(other, 0xff, 256);
	other[0] = 0, other[1] = 1, other[223] = 0;
	memcpy(other + 224, digest, 32);
	expect("no DigestInfo", sign_block(part, other), CREDENTIAL_SIGNATURE);
	free(part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair_of_algorithms),
	    cmocka_unit_test(a_key_keeps_to_its_algorithm),
	    cmocka_unit_test(a_stranger_of_the_same_kind),
	    cmocka_unit_test(public_key_as_secret),
	    cmocka_unit_test(lengths_are_exact),
	    cmocka_unit_test(ecdsa_numbers_are_in_range),
	    cmocka_unit_test(der_is_no_raw_signature),
	    cmocka_unit_test(short_numbers_are_padded),
	    cmocka_unit_test(ed25519_is_not_malleable),
	    cmocka_unit_test(rsa_numbers_are_in_range),
	    cmocka_unit_test(pss_has_one_form),
	    cmocka_unit_test(pkcs1_padding_is_strict),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
