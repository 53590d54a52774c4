/*
 * What tls_context.c and tls.c share, and nobody else. Floor 1: OpenSSL.
 */
#ifndef CALLGATE_HTTP_TLS_INSIDE_H
#define CALLGATE_HTTP_TLS_INSIDE_H

#include <openssl/ssl.h>
#include <stddef.h>

struct http_tls {
	SSL_CTX *ctx;       /* owned */
	BIO_METHOD *method; /* of our sockets; owned */
	size_t refs;
};

/* Makes tls->method. 0 or -ENOMEM. */
int http_tls_method_init(struct http_tls *tls);

#endif
