/* Keys and certificates as bytes: what is refused at load, and what a certificate says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "agent-api/http/tls.h"

struct pair {
	X509 *x509;
	char chain[2048];
	char key[2048];
	char locked[2048]; /* the key behind a passphrase */
};

static size_t take_text(BIO *bio, char *out, size_t max)
{
	int n = BIO_read(bio, out, (int)max - 1);

	assert_true(n > 0);
	out[n] = '\0';
	BIO_free(bio);
	return (size_t)n;
}

/* A NUL byte in the middle of a name, as no text of a configuration can say it. */
static void add_name(GENERAL_NAMES *names, int type, const char *text, int len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	assert_true(name && value && ASN1_STRING_set(value, text, len) == 1);
	GENERAL_NAME_set0_value(name, type, value);
	assert_true(sk_GENERAL_NAME_push(names, name) > 0);
}

static void make(struct pair *pair, GENERAL_NAMES *names)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *subject;
	BIO *bio;

	pair->x509 = X509_new();
	assert_true(key && pair->x509);
	assert_true(X509_set_version(pair->x509, X509_VERSION_3) == 1);
	assert_true(ASN1_TIME_set_string_X509(X509_getm_notBefore(pair->x509), "20200101000000Z"));
	assert_true(ASN1_TIME_set_string_X509(X509_getm_notAfter(pair->x509), "20380119031407Z"));
	subject = X509_get_subject_name(pair->x509);
	assert_true(X509_NAME_add_entry_by_txt(
	    subject, "O", MBSTRING_UTF8, (const unsigned char *)"C\xc3\xb6rp, Inc", -1, -1, 0));
	assert_true(X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_ASC, (const unsigned char *)"ci", -1, -1, 0));
	assert_true(X509_set_pubkey(pair->x509, key) == 1);
	if (names)
		assert_true(X509_add1_ext_i2d(pair->x509, NID_subject_alt_name, names, 0, 0) == 1);
	assert_true(X509_sign(pair->x509, key, EVP_sha256()) > 0);
	bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_X509(bio, pair->x509) == 1);
	take_text(bio, pair->chain, sizeof(pair->chain));
	bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	take_text(bio, pair->key, sizeof(pair->key));
	bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_PrivateKey(
			bio, key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"secret") == 1);
	take_text(bio, pair->locked, sizeof(pair->locked));
	EVP_PKEY_free(key);
}

static int load(const char *chain, const char *key, const char *ca, bool required, char *why)
{
	struct http_tls_config config = {.chain = chain,
	    .chain_len = chain ? strlen(chain) : 0,
	    .key = key,
	    .key_len = key ? strlen(key) : 0,
	    .client_ca = ca,
	    .client_ca_len = ca ? strlen(ca) : 0,
	    .client_required = required};
	struct http_tls *tls;
	struct err_note note = {""};
	int r = http_tls_new(&config, &tls, &note);

	assert_true((r == 0) == (tls != NULL));
	memcpy(why, note.text, sizeof(note.text));
	http_tls_unref(tls);
	return r;
}

static void test_load(void **state)
{
	static struct pair one;
	static struct pair two;
	char why[ERR_NOTE_MAX];

	(void)state;
	make(&one, NULL);
	make(&two, NULL);
	assert_int_equal(load(one.chain, one.key, NULL, false, why), 0);
	assert_int_equal(load(one.chain, one.key, two.chain, true, why), 0);
	assert_int_equal(load(one.chain, two.key, NULL, false, why), -EINVAL);
	assert_non_null(strstr(why, "do not belong together"));
	assert_int_equal(
	    load(one.chain, one.locked, NULL, false, why), -EINVAL); /* and asks nobody */
	assert_non_null(strstr(why, "unencrypted"));
	assert_int_equal(load(one.key, one.key, NULL, false, why), -EINVAL);
	assert_int_equal(load(one.chain, one.chain, NULL, false, why), -EINVAL);
	assert_int_equal(load("", "", NULL, false, why), -EINVAL);
	assert_int_equal(load(NULL, NULL, NULL, false, why), -EINVAL);
	assert_int_equal(load(one.chain, one.key, "", false, why), -EINVAL);
	assert_non_null(strstr(why, "client_ca"));
	assert_int_equal(load(one.chain, one.key, one.key, false, why), -EINVAL);
	assert_int_equal(load(one.chain, one.key, NULL, true, why), -EINVAL);
	assert_non_null(strstr(why, "client_ca"));
	X509_free(one.x509);
	X509_free(two.x509);
}

static int names_of(GENERAL_NAMES *names, struct http_certificate **ret)
{
	static struct pair pair;
	int r;

	make(&pair, names);
	r = http_certificate_new(pair.x509, ret);
	X509_free(pair.x509);
	GENERAL_NAMES_free(names);
	return r;
}

static void test_names(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct http_certificate *certificate;

	(void)state;
	add_name(names, GEN_URI, "spiffe://corp/ci", 16);
	add_name(names, GEN_DNS, "ci.corp.example", 15);
	add_name(names, GEN_EMAIL, "ci@corp.example", 15);
	assert_int_equal(names_of(names, &certificate), 0);
	assert_int_equal(certificate->count, 3);
	assert_int_equal(certificate->names[0].kind, HTTP_NAME_URI);
	assert_string_equal(certificate->names[0].text, "spiffe://corp/ci");
	assert_int_equal(certificate->names[1].kind, HTTP_NAME_DNS);
	assert_string_equal(certificate->names[2].text, "ci@corp.example");
	assert_string_equal(certificate->subject, "CN=ci,O=C\\C3\\B6rp\\, Inc");
	assert_int_equal(certificate->expires_s, 2147483647);
	http_certificate_free(certificate);
	assert_int_equal(names_of(NULL, &certificate), 0);
	assert_int_equal(certificate->count, 0);
	http_certificate_free(certificate);
}

static void refused(int type, const char *text, int len)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct http_certificate *certificate;

	add_name(names, type, text, len);
	assert_int_equal(names_of(names, &certificate), -EINVAL);
	assert_null(certificate);
}

static void test_bad_names(void **state)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	struct http_certificate *certificate;

	(void)state;
	refused(GEN_DNS, "ci.corp.example\0.evil", 21);
	refused(GEN_URI, "spiffe://corp/ci\n", 17);
	refused(GEN_URI, "spiffe://corp/\xc3\xa9", 16);
	refused(GEN_EMAIL, "", 0);
	refused(GEN_DNS, "a b", 3);
	for (int i = 0; i <= HTTP_CERTIFICATE_NAMES_MAX; i++)
		add_name(names, GEN_DNS, "a", 1);
	assert_int_equal(names_of(names, &certificate), -EINVAL);
	http_certificate_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_load),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_bad_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
