/*
 * TLS of the server: what is presented and asked for (a context, shared by connections), and one
 * session on a non-blocking socket. TLS 1.2 with forward secrecy and authenticated encryption, and
 * 1.3; no renegotiation, no compression, HTTP/1.1 only.
 *
 * Keys and certificates come as bytes, and nothing asks for a passphrase. No file is opened, but
 * for what OpenSSL and libc read of their own when the first context of a process is made: make it
 * before the process is confined. New keys are a new context; sessions that began with the old one
 * keep it until they end. A session reads from and writes to the socket without buffers of its
 * own, so that alerts go out with the call that made them and an idle session holds only what
 * OpenSSL keeps. Floor 1: OpenSSL.
 */
#ifndef CALLGATE_HTTP_TLS_H
#define CALLGATE_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent-api/http/certificate.h"
#include "supervisor/base/err.h"

#define HTTP_TLS_RECORD_MAX 16384 /* bytes that one record can hold */

struct http_tls;         /* a context; counted */
struct http_tls_session; /* one connection's */

struct http_tls_config {
	const void *chain; /* PEM: our certificate first, then those that lead to a root */
	size_t chain_len;
	const void *key; /* PEM, not encrypted; copied into OpenSSL's memory */
	size_t key_len;
	const void *client_ca; /* PEM, one or more; NULL: clients are not asked for a certificate */
	size_t client_ca_len;
	bool client_required; /* with client_ca: a client without one is refused */
};

/* 0; -EINVAL (cannot be read, key and certificate do not belong together, client_required without
 * client_ca), -ENOMEM; note says which of them. *ret is let go by http_tls_unref(). */
int http_tls_new(
    const struct http_tls_config *config, struct http_tls **ret, struct err_note *note);
struct http_tls *http_tls_ref(struct http_tls *tls);
void http_tls_unref(struct http_tls *tls); /* accepts NULL */

/* A session of the server's side on fd, which stays the caller's and must outlive it. Holds a
 * reference of the context. 0 or -ENOMEM. */
int http_tls_session_new(struct http_tls *tls, int fd, struct http_tls_session **ret);
void http_tls_session_free(struct http_tls_session *session); /* accepts NULL */

/* Each of these: what it did; -EAGAIN (wait; http_tls_wants_write() says for what); -EPROTO,
 * -ECONNRESET and others (it is over; nothing may be said any more). */

/* 0: the handshake is over. */
int http_tls_handshake(struct http_tls_session *session);
/* Bytes read; 0: the client said that it has no more. With max >= HTTP_TLS_RECORD_MAX nothing
 * that was decrypted stays behind, so that waiting for the socket is enough. */
ssize_t http_tls_read(struct http_tls_session *session, void *bytes, size_t max);
/* Bytes written, perhaps not all. After -EAGAIN the same bytes must come again first. */
ssize_t http_tls_write(struct http_tls_session *session, const void *bytes, size_t len);
/* Tells the client that we have no more. Once, best effort. */
void http_tls_say_end(struct http_tls_session *session);

bool http_tls_wants_write(const struct http_tls_session *session);
/* The verified certificate of the client, or *ret = NULL where there is none. Owned by the caller.
 * 0, -EINVAL (unusable), -ENOMEM, -EPERM (a certificate that was not verified). */
int http_tls_certificate(const struct http_tls_session *session, struct http_certificate **ret);

#endif
