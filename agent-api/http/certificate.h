/*
 * What a client certificate says about its holder, copied out of it after the TLS library has
 * verified the chain: names in a form that can be compared, and the digest that pins it. Names
 * with bytes that text does not have (a NUL above all) make the whole certificate unusable.
 * Floor 1: OpenSSL.
 */
#ifndef CALLGATE_HTTP_CERTIFICATE_H
#define CALLGATE_HTTP_CERTIFICATE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_CERTIFICATE_NAMES_MAX 32
#define HTTP_CERTIFICATE_TEXT_MAX  1024 /* bytes of one name */

enum http_name_kind {
	HTTP_NAME_NONE = 0,
	HTTP_NAME_URI,
	HTTP_NAME_DNS,
	HTTP_NAME_EMAIL,
};

struct http_name {
	enum http_name_kind kind;
	char *text; /* owned; printable ASCII only */
};

struct http_certificate {
	char *subject; /* RFC 2253 in ASCII, for people and logs; owned */
	uint8_t sha256[32];
	int64_t expires_s; /* since 1970: the owner ends what outlives it */
	size_t count;
	struct http_name names[HTTP_CERTIFICATE_NAMES_MAX]; /* subjectAltName, in its order */
};

/* 0, -EINVAL (a name that is no text, too many or too long), -ENOMEM. */
int http_certificate_new(const X509 *x509, struct http_certificate **ret);
void http_certificate_free(struct http_certificate *certificate); /* accepts NULL */

#endif
