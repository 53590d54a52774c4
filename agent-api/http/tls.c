#include "agent-api/http/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "agent-api/http/tls_inside.h"

/* The session is the SSL object itself: one block less a connection. */
static SSL *ssl_of(const struct http_tls_session *session)
{
	return (SSL *)session;
}

/* ---- the socket, as OpenSSL sees it ----------------------------------------------------- */

/* OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a client that hangs up would be SIGPIPE. */
static int socket_result(BIO *bio, ssize_t n, int flag)
{
	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_flags(bio, flag | BIO_FLAGS_SHOULD_RETRY);
	return (int)n;
}

static int socket_fd(BIO *bio)
{
	return (int)(intptr_t)BIO_get_data(bio);
}

static int socket_write(BIO *bio, const char *bytes, int len)
{
	ssize_t n = send(socket_fd(bio), bytes, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return socket_result(bio, n, BIO_FLAGS_WRITE);
}

static int socket_read(BIO *bio, char *bytes, int max)
{
	ssize_t n = recv(socket_fd(bio), bytes, (size_t)max, MSG_DONTWAIT);

	if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return socket_result(bio, n, BIO_FLAGS_READ);
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

/* Made once for each context, and held by it: no global of ours. */
static BIO_METHOD *socket_method_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "callgate socket");

	if (!method || BIO_meth_set_write(method, socket_write) != 1 ||
	    BIO_meth_set_read(method, socket_read) != 1 ||
	    BIO_meth_set_ctrl(method, socket_control) != 1) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

int http_tls_method_init(struct http_tls *tls)
{
	tls->method = socket_method_new();
	return tls->method ? 0 : -ENOMEM;
}

/* ---- birth and death -------------------------------------------------------------------- */

int http_tls_session_new(struct http_tls *tls, int fd, struct http_tls_session **ret)
{
	SSL *ssl = SSL_new(tls->ctx);
	BIO *bio = ssl ? BIO_new(tls->method) : NULL;

	*ret = NULL;
	if (!bio) {
		SSL_free(ssl);
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	SSL_set_app_data(ssl, http_tls_ref(tls));
	*ret = (struct http_tls_session *)ssl;
	return 0;
}

void http_tls_session_free(struct http_tls_session *session)
{
	struct http_tls *tls;

	if (!session)
		return;
	tls = SSL_get_app_data(ssl_of(session));
	SSL_free(ssl_of(session));
	http_tls_unref(tls);
}

/* ---- talk ------------------------------------------------------------------------------- */

/* What a call that did not succeed means. A plain end of the connection without the client's
 * good-bye counts as reset: whoever cuts a connection can make it look like an end. */
static int result_of(SSL *ssl, int r)
{
	int error = SSL_get_error(ssl, r);

	ERR_clear_error(); /* a leftover would be taken for the fault of another connection */
	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN: return 0;
	case SSL_ERROR_SYSCALL: return -ECONNRESET;
	default: return -EPROTO;
	}
}

int http_tls_handshake(struct http_tls_session *session)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(ssl_of(session));
	if (r == 1)
		return 0;
	r = result_of(ssl_of(session), r);
	return r == 0 ? -ECONNRESET : r;
}

ssize_t http_tls_read(struct http_tls_session *session, void *bytes, size_t max)
{
	int r;

	ERR_clear_error();
	r = SSL_read(ssl_of(session), bytes, max > INT_MAX ? INT_MAX : (int)max);
	return r > 0 ? r : result_of(ssl_of(session), r);
}

ssize_t http_tls_write(struct http_tls_session *session, const void *bytes, size_t len)
{
	int r;

	ERR_clear_error();
	r = SSL_write(ssl_of(session), bytes, len > INT_MAX ? INT_MAX : (int)len);
	if (r > 0)
		return r;
	r = result_of(ssl_of(session), r);
	return r == 0 ? -ECONNRESET : r;
}

void http_tls_say_end(struct http_tls_session *session)
{
	ERR_clear_error();
	if (SSL_is_init_finished(ssl_of(session)))
		(void)SSL_shutdown(ssl_of(session)); /* who is gone does not hear it */
	ERR_clear_error();
}

bool http_tls_wants_write(const struct http_tls_session *session)
{
	return SSL_want_write(ssl_of(session));
}

int http_tls_certificate(const struct http_tls_session *session, struct http_certificate **ret)
{
	X509 *x509 = SSL_get1_peer_certificate(ssl_of(session));
	int r;

	*ret = NULL;
	if (!x509)
		return 0;
	r = SSL_get_verify_result(ssl_of(session)) == X509_V_OK ? http_certificate_new(x509, ret)
								: -EPERM;
	X509_free(x509);
	ERR_clear_error();
	return r;
}
