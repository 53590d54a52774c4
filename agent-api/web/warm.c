#include "agent-api/web/warm.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include "agent-api/http/tls.h"

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	X509_NAME *name = x509 ? X509_get_subject_name(x509) : NULL;
	bool made = name && X509_set_version(x509, 2) == 1 &&
		    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
		    X509_gmtime_adj(X509_getm_notBefore(x509), 0) &&
		    X509_gmtime_adj(X509_getm_notAfter(x509), 60) &&
		    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"callgate", -1, -1, 0) == 1 &&
		    X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1 &&
		    X509_sign(x509, key, EVP_sha256()) > 0;

	if (!made) {
		X509_free(x509);
		return NULL;
	}
	return x509;
}

static int make_context(BIO *chain, BIO *key, struct err_note *note)
{
	struct http_tls_config config = {.client_required = true};
	struct http_tls *tls = NULL;
	char *bytes;
	int r;

	config.chain_len = (size_t)BIO_get_mem_data(chain, &bytes);
	config.chain = bytes;
	config.client_ca_len = config.chain_len;
	config.client_ca = bytes;
	config.key_len = (size_t)BIO_get_mem_data(key, &bytes);
	config.key = bytes;
	r = http_tls_new(&config, &tls, note);
	http_tls_unref(tls);
	return r;
}

int warm_tls(struct err_note *note)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *x509 = key ? self_signed(key) : NULL;
	BIO *chain = BIO_new(BIO_s_mem());
	BIO *pem = BIO_new(BIO_s_mem());
	time_t now = time(NULL);
	struct tm broken;
	int r;

	(void)localtime_r(&now, &broken); /* reads the zone; its answer is not needed */
	if (x509 && chain && pem && PEM_write_bio_X509(chain, x509) == 1 &&
	    PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1)
		r = make_context(chain, pem, note);
	else
		r = err_note(
		    note, -EIO, "TLS: OpenSSL makes no key; look at openssl.cnf and its providers");
	BIO_free(pem);
	BIO_free(chain);
	X509_free(x509);
	EVP_PKEY_free(key);
	return r;
}
