#include "supervisor/courier/authorities.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct authorities {
	X509_STORE *store;
	uint32_t count;
};

int authorities_check(struct err_note *note)
{
	const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;

	if (tls && !strncmp(tls, "OpenSSL/", strlen("OpenSSL/")))
		return 0;
	return err_note(note, -ENOTSUP,
	    "libcurl: it stands on %s, not on OpenSSL; install the libcurl that Debian calls "
	    "libcurl4",
	    tls ? tls : "no TLS");
}

static bool is_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

/* 0: the end; 1: one was read; -EBADMSG: what stands there is none; -ENOMEM. */
static int read_one(struct authorities *authorities, BIO *from)
{
	X509 *certificate = PEM_read_bio_X509_AUX(from, NULL, NULL, NULL);
	int added;

	if (!certificate)
		return is_end() ? 0 : -EBADMSG;
	added = X509_STORE_add_cert(authorities->store, certificate);
	X509_free(certificate);
	authorities->count++;
	return added == 1 ? 1 : -ENOMEM;
}

/* Each round reads on behind what could not be read, or there is nothing left. */
static int read_all(struct authorities *authorities, const void *pem, size_t len, bool strict)
{
	BIO *from = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	int step = 1;

	if (!from)
		return -ENOMEM;
	while (step > 0 || (step == -EBADMSG && !strict && BIO_pending(from) > 0)) {
		ERR_clear_error();
		step = read_one(authorities, from);
	}
	ERR_clear_error();
	BIO_free(from);
	return step == -EBADMSG && !strict ? 0 : step;
}

int authorities_read(struct authorities **ret, const void *system, size_t system_len,
    const void *more, size_t more_len, struct err_note *note)
{
	struct authorities *authorities = calloc(1, sizeof(*authorities));
	uint32_t before;
	int fault = -ENOMEM;

	if (authorities)
		authorities->store = X509_STORE_new();
	if (authorities && authorities->store &&
	    X509_STORE_set_flags(authorities->store, X509_V_FLAG_PARTIAL_CHAIN) == 1)
		fault = system_len ? read_all(authorities, system, system_len, false) : 0;
	before = fault ? 0 : authorities->count;
	if (!fault && more_len > 0)
		fault = read_all(authorities, more, more_len, true);
	if (!fault && more_len > 0 && authorities->count == before)
		fault = -EBADMSG;
	if (!fault) {
		*ret = authorities;
		return 0;
	}
	authorities_free(authorities);
	return err_note(note, fault, "server.outgoing.ca: %s",
	    fault == -EBADMSG ? "it holds what is no certificate, or none; give PEM"
			      : "out of memory");
}

uint32_t authorities_count(const struct authorities *authorities)
{
	return authorities->count;
}

static CURLcode on_context(CURL *easy, void *context, void *data)
{
	struct authorities *const *now = data;

	(void)easy;
	SSL_CTX_set1_cert_store(context, (*now)->store);
	return CURLE_OK;
}

/* Its own files are taken from libcurl, or it would read them besides; its cache of authorities, or
 * it would keep ours for a day (7.88 fills it after on_context()). Without sessions to resume each
 * connection sees the certificate. */
CURLcode authorities_use(struct authorities *const *now, CURL *easy)
{
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);

	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
	return bad ? bad : curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, (void *)(uintptr_t)now);
}

void authorities_free(struct authorities *authorities)
{
	if (!authorities)
		return;
	X509_STORE_free(authorities->store);
	free(authorities);
}
