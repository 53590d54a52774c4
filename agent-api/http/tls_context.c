#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent-api/http/tls.h"
#include "agent-api/http/tls_inside.h"

#define CIPHERS_1_2                                                                                \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                               \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                               \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static const unsigned char context_id[] = "callgate-http";
static const unsigned char protocols[] = "\x08http/1.1";

/* Never asks: a key with a passphrase is refused. */
static int no_passphrase(char *out, int max, int writing, void *data)
{
	(void)out;
	(void)max;
	(void)writing;
	(void)data;
	return -1;
}

static BIO *bytes_bio(const void *bytes, size_t len)
{
	return bytes && len <= INT_MAX ? BIO_new_mem_buf(bytes, (int)len) : NULL;
}

/* A client that names protocols must name ours. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *offered, unsigned offered_len, void *data)
{
	(void)ssl;
	(void)data;
	return SSL_select_next_proto((unsigned char **)out, out_len, protocols,
		   sizeof(protocols) - 1, offered, offered_len) == OPENSSL_NPN_NEGOTIATED
		   ? SSL_TLSEXT_ERR_OK
		   : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int take_chain(SSL_CTX *ctx, const struct http_tls_config *config, struct err_note *note)
{
	BIO *bio = bytes_bio(config->chain, config->chain_len);
	X509 *x509 = bio ? PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL) : NULL;
	int r = 0;

	if (!x509 || SSL_CTX_use_certificate(ctx, x509) != 1)
		r = err_note(note, -EINVAL,
		    "tls: no certificate can be read; a PEM file with our certificate first is "
		    "wanted");
	X509_free(x509);
	while (r == 0 && (x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
		if (SSL_CTX_add0_chain_cert(ctx, x509) == 1)
			continue;
		X509_free(x509);
		r = err_note(note, -EINVAL, "tls: a certificate of the chain cannot be used");
	}
	BIO_free(bio);
	return r;
}

static int take_key(SSL_CTX *ctx, const struct http_tls_config *config, struct err_note *note)
{
	BIO *bio = bytes_bio(config->key, config->key_len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	int r = 0;

	if (!key)
		r = err_note(
		    note, -EINVAL, "tls: the key cannot be read; an unencrypted PEM key is wanted");
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		r = err_note(note, -EINVAL,
		    "tls: key and certificate do not belong together; put a matching pair in "
		    "place and reload");
	EVP_PKEY_free(key);
	BIO_free(bio);
	return r;
}

static int add_authority(SSL_CTX *ctx, X509 *x509)
{
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x509) == 1 &&
		       SSL_CTX_add_client_CA(ctx, x509) == 1
		   ? 0
		   : -EINVAL;
}

static int take_client_ca(SSL_CTX *ctx, const struct http_tls_config *config, struct err_note *note)
{
	int mode =
	    SSL_VERIFY_PEER | (config->client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
	BIO *bio = NULL;
	X509 *x509;
	int count = 0;
	int r = 0;

	if (!config->client_ca && config->client_required)
		return err_note(note, -EINVAL,
		    "tls: client certificates are required, but no client_ca says whose");
	if (!config->client_ca)
		return 0;
	bio = bytes_bio(config->client_ca, config->client_ca_len);
	while (bio && r == 0 && (x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
		r = add_authority(ctx, x509);
		X509_free(x509);
		count++;
	}
	BIO_free(bio);
	if (r < 0 || count == 0)
		return err_note(note, -EINVAL, "tls: client_ca holds no usable certificate");
	SSL_CTX_set_verify(ctx, mode, NULL);
	/* Who was let in is judged anew in each connection. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	return 0;
}

/* OpenSSL judges dates of certificates with gmtime_r(3), whose first call reads /etc/localtime: it
 * is to do so now, with the first context of the process, and not when that is confined. */
static void read_zone(void)
{
	time_t when = 0;
	struct tm tm;

	(void)gmtime_r(&when, &tm);
}

static int set_up(SSL_CTX *ctx)
{
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_read_ahead(ctx, 0); /* see http_tls_read() */
	SSL_CTX_set_max_early_data(ctx, 0);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		       SSL_CTX_set_cipher_list(ctx, CIPHERS_1_2) == 1 &&
		       SSL_CTX_set_session_id_context(ctx, context_id, sizeof(context_id) - 1) ==
			   1 &&
		       SSL_CTX_set_num_tickets(ctx, 1) == 1
		   ? 0
		   : -ENOMEM;
}

int http_tls_new(const struct http_tls_config *config, struct http_tls **ret, struct err_note *note)
{
	struct http_tls *tls = calloc(1, sizeof(*tls));
	int r;

	*ret = NULL;
	if (!tls)
		return err_note(note, -ENOMEM, "tls: no memory");
	read_zone();
	tls->refs = 1;
	tls->ctx = SSL_CTX_new(TLS_server_method());
	r = tls->ctx ? set_up(tls->ctx) : -ENOMEM;
	if (r == 0)
		r = http_tls_method_init(tls);
	if (r < 0)
		(void)err_note(note, r, "tls: OpenSSL refuses the settings");
	if (r == 0)
		r = take_chain(tls->ctx, config, note);
	if (r == 0)
		r = take_key(tls->ctx, config, note);
	if (r == 0)
		r = take_client_ca(tls->ctx, config, note);
	ERR_clear_error(); /* the end of a PEM text is an error, too */
	if (r < 0) {
		http_tls_unref(tls);
		return r;
	}
	*ret = tls;
	return 0;
}

struct http_tls *http_tls_ref(struct http_tls *tls)
{
	tls->refs++;
	return tls;
}

void http_tls_unref(struct http_tls *tls)
{
	if (!tls || --tls->refs > 0)
		return;
	SSL_CTX_free(tls->ctx);
	BIO_meth_free(tls->method);
	free(tls);
}
