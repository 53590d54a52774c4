#include "agent-api/http/certificate.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/base/clock.h"

static enum http_name_kind kind_of(int type)
{
	switch (type) {
	case GEN_URI: return HTTP_NAME_URI;
	case GEN_DNS: return HTTP_NAME_DNS;
	case GEN_EMAIL: return HTTP_NAME_EMAIL;
	default: return HTTP_NAME_NONE;
	}
}

/* A copy with a NUL; NULL where the bytes are not printable ASCII, or there are too many. */
static char *copy_text(const unsigned char *bytes, int len, int *ret_fault)
{
	char *text;

	*ret_fault = -EINVAL;
	if (len <= 0 || len > HTTP_CERTIFICATE_TEXT_MAX)
		return NULL;
	for (int i = 0; i < len; i++) {
		if (bytes[i] < 0x21 || bytes[i] > 0x7e)
			return NULL;
	}
	*ret_fault = -ENOMEM;
	text = malloc((size_t)len + 1);
	if (!text)
		return NULL;
	memcpy(text, bytes, (size_t)len);
	text[len] = '\0';
	*ret_fault = 0;
	return text;
}

static int take_name(struct http_certificate *certificate, const GENERAL_NAME *general)
{
	enum http_name_kind kind = kind_of(general->type);
	struct http_name *name;
	int fault;

	if (kind == HTTP_NAME_NONE) /* an address or directory name: nobody asks for it here */
		return 0;
	if (certificate->count == HTTP_CERTIFICATE_NAMES_MAX)
		return -EINVAL;
	name = &certificate->names[certificate->count];
	name->text = copy_text(
	    ASN1_STRING_get0_data(general->d.ia5), ASN1_STRING_length(general->d.ia5), &fault);
	if (!name->text)
		return fault;
	name->kind = kind;
	certificate->count++;
	return 0;
}

static int take_names(struct http_certificate *certificate, const X509 *x509)
{
	int critical = -1;
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
	int r = 0;

	if (!names) /* -1: there is none; else it is there twice or cannot be read */
		return critical == -1 ? 0 : -EINVAL;
	for (int i = 0; r == 0 && i < sk_GENERAL_NAME_num(names); i++)
		r = take_name(certificate, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return r;
}

static int take_subject(struct http_certificate *certificate, const X509 *x509)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	int r = -ENOMEM;

	if (!bio)
		return -ENOMEM;
	if (X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &text);
		r = len > HTTP_CERTIFICATE_TEXT_MAX || (len > 0 && memchr(text, '\0', (size_t)len))
			? -EINVAL
			: 0;
		if (r == 0) {
			certificate->subject = strndup(len > 0 ? text : "", (size_t)len);
			r = certificate->subject ? 0 : -ENOMEM;
		}
	}
	BIO_free(bio);
	return r;
}

/* Without timegm(3), which may open /etc/localtime on first use. */
static int take_expiry(struct http_certificate *certificate, const X509 *x509)
{
	char stamp[CLOCK_STAMP_MAX];
	struct tm until;
	uint64_t us;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &until) != 1)
		return -EINVAL;
	(void)snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    (until.tm_year + 1900) % 10000, (until.tm_mon + 1) % 100, until.tm_mday % 100,
	    until.tm_hour % 100, until.tm_min % 100, until.tm_sec % 100);
	if (clock_unstamp(stamp, &us) < 0)
		return -EINVAL;
	certificate->expires_s = (int64_t)(us / 1000000);
	return 0;
}

static int take_facts(struct http_certificate *certificate, const X509 *x509)
{
	unsigned len = 0;

	if (X509_digest(x509, EVP_sha256(), certificate->sha256, &len) != 1 || len != 32)
		return -ENOMEM;
	return take_expiry(certificate, x509);
}

int http_certificate_new(const X509 *x509, struct http_certificate **ret)
{
	struct http_certificate *certificate = calloc(1, sizeof(*certificate));
	int r;

	*ret = NULL;
	if (!certificate)
		return -ENOMEM;
	r = take_facts(certificate, x509);
	if (r == 0)
		r = take_subject(certificate, x509);
	if (r == 0)
		r = take_names(certificate, x509);
	if (r < 0) {
		http_certificate_free(certificate);
		return r;
	}
	*ret = certificate;
	return 0;
}

void http_certificate_free(struct http_certificate *certificate)
{
	if (!certificate)
		return;
	for (size_t i = 0; i < certificate->count; i++)
		free(certificate->names[i].text);
	free(certificate->subject);
	free(certificate);
}
