#include "tests/unit/web/rig.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <sys/resource.h>

static struct rig_answer answer;

/* ---- TLS, made for the test ---- */

struct pair {
	char cert[4096];
	char key[4096];
};

static void to_text(BIO *bio, char *out)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);

	memcpy(out, bytes, (size_t)len);
	out[len] = '\0';
	BIO_free(bio);
}

static void make_pair(struct pair *pair, const char *name)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *x509 = X509_new();
	BIO *out = BIO_new(BIO_s_mem());

	X509_set_version(x509, 2);
	X509_gmtime_adj(X509_getm_notBefore(x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(out, x509);
	to_text(out, pair->cert);
	out = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	to_text(out, pair->key);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static int say_tls(struct rig *rig, const struct pair *pair, const char *key)
{
	struct message_site site = rig_site();
	int fds[2] = {
	    fd_sealed("cert", pair->cert, strlen(pair->cert)), fd_sealed("key", key, strlen(key))};
	int status;

	site.has_tls = 1;
	status = rig_say_site(rig, &site, fds, 2);
	close(fds[0]);
	close(fds[1]);
	return status;
}

#define HEALTH "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* The name that the server presents, and /health through it. */
static void name_of(const struct rig *rig, char *name, size_t max)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	int fd = rig_connect(rig);
	char text[512] = "";
	X509 *x509;

	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	x509 = SSL_get1_peer_certificate(ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, (int)max);
	assert_true(SSL_write(ssl, HEALTH, sizeof(HEALTH) - 1) == sizeof(HEALTH) - 1);
	assert_true(SSL_read(ssl, text, sizeof(text) - 1) > 0);
	assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
	X509_free(x509);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
}

static void test_certificates_are_swapped(void **state)
{
	struct pair one, two;
	struct message_site plain = rig_site();
	struct rig rig;
	char name[64];

	(void)state;
	make_pair(&one, "one");
	make_pair(&two, "two");
	rig_start_bare(&rig);
	assert_int_equal(say_tls(&rig, &one, two.key), ANSWER_REFUSED);
	assert_int_equal(say_tls(&rig, &one, one.key), ANSWER_OK);
	name_of(&rig, name, sizeof(name));
	assert_string_equal(name, "one");
	assert_int_equal(say_tls(&rig, &two, one.key), ANSWER_REFUSED);
	name_of(&rig, name, sizeof(name));
	assert_string_equal(name, "one");
	assert_int_equal(say_tls(&rig, &two, "garbage"), ANSWER_REFUSED);
	assert_int_equal(rig_say_site(&rig, &plain, NULL, 0), ANSWER_REFUSED);
	assert_int_equal(say_tls(&rig, &two, two.key), ANSWER_OK);
	name_of(&rig, name, sizeof(name));
	assert_string_equal(name, "two");
	rig_stop(&rig);
}

static void test_memory_that_may_change_is_no_key(void **state)
{
	struct message_site site = rig_site();
	struct rig rig;
	struct pair one;
	int fds[2];

	(void)state;
	make_pair(&one, "one");
	rig_start_bare(&rig);
	fds[0] = memfd_create("cert", MFD_CLOEXEC);
	assert_int_equal(fd_write_all(fds[0], one.cert, strlen(one.cert)), 0);
	fds[1] = fd_sealed("key", one.key, strlen(one.key));
	site.has_tls = 1;
	assert_int_equal(rig_say_site(&rig, &site, fds, 2), ANSWER_REFUSED);
	close(fds[0]);
	close(fds[1]);
	close(rig.engine);
	assert_int_equal(rig_wait(&rig), 1);
	close(rig.warden);
}

/* ---- the end ---- */

static void test_nothing_is_served_before_settings(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	rig_start_bare(&rig);
	fd = rig_connect(&rig); /* the kernel's backlog */
	rig_ask(fd, "GET /health", "", NULL);
	assert_false(rig_ready(fd, 200));
	struct message_site site = rig_site();
	assert_int_equal(rig_say_site(&rig, &site, NULL, 0), ANSWER_OK);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(
	    answer.body, "{\"status\":\"ok\",\"version\":\"" CALLGATE_VERSION "\"}");
	close(fd);
	rig_stop(&rig);
}

static void test_drain_finishes_what_began(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd, other;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "GET /tools", "", NULL);
	rig_take(&rig, &visitor, &request);
	rig_drain(&rig);
	usleep(50000);
	assert_int_equal(rig_status(&rig, "GET /health", "", NULL), 503);
	other = rig_connect(&rig);
	rig_ask(other, "GET /tools", "", NULL);
	rig_hear(other, &answer);
	assert_int_equal(answer.status, 503);
	assert_string_equal(rig_header(&answer, "Retry-After"), "1");
	close(other);
	rig_quiet(&rig);
	rig_reply(&rig, request.serial, REPLY_RESULT, "{\"last\":1}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(rig.engine);
	rig_hear(fd, &answer);
	assert_string_equal(answer.body, "{\"last\":1}");
	close(fd);
	assert_int_equal(rig_wait(&rig), 0);
	close(rig.warden);
}

static void test_unanswered_requests_are_told(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "GET /tools", "", NULL);
	rig_take(&rig, &visitor, &request);
	rig_drain(&rig);
	usleep(50000);
	close(rig.engine);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 503);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	assert_int_equal(rig_wait(&rig), 0);
	close(rig.warden);
}

static void test_lost_links_end_it(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct message message;
		struct rig rig;

		rig_start(&rig);
		if (i == 0) {
			close(rig.engine);
		} else if (i == 1) {
			close(rig.warden);
		} else {
			/* What nobody says to a front, and an answer that is two lines. */
			message_init(&message, i == 2 ? MESSAGE_PEER_GONE : MESSAGE_REPLY);
			message.serial = i == 2 ? 0 : 9;
			if (i == 3)
				message.u.reply = (struct message_reply){
				    .kind = REPLY_RESULT, .challenge = "", .body = {"{}\n{}", 5}};
			else
				message.u.peer_gone.peer = 1;
			rig_send_to(rig.engine, &message);
		}
		assert_int_equal(rig_wait(&rig), 1);
		if (i != 0)
			close(rig.engine);
		if (i != 1)
			close(rig.warden);
	}
}

static void test_pings_are_answered_on_both_links(void **state)
{
	struct message message;
	struct rig rig;

	(void)state;
	rig_start(&rig);
	for (int i = 0; i < 2; i++) {
		message_init(&message, MESSAGE_PING);
		message.serial = 5;
		rig_send_to(i ? rig.engine : rig.warden, &message);
		rig_next_from(i ? rig.engine : rig.warden, &message, MESSAGE_PONG);
		assert_int_equal(message.serial, 5);
		message_fini(&message);
	}
	rig_stop(&rig);
}

/* ---- limits ---- */

static void raise_files(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_one_address_cannot_take_all(void **state)
{
	static int fds[WEB_IN_FLIGHT_EACH];
	struct rig rig;

	(void)state;
	raise_files();
	rig_start(&rig);
	for (int i = 0; i < WEB_IN_FLIGHT_EACH; i++) {
		fds[i] = rig_connect(&rig);
		rig_ask(fds[i], "POST /v1/tools/a/call", JSON_TYPE, "{}");
		rig_expect(&rig, MESSAGE_VISITOR);
		rig_expect(&rig, MESSAGE_REQUEST);
	}
	assert_int_equal(rig_status(&rig, "GET /tools", "", NULL), 503);
	assert_int_equal(rig_status(&rig, "GET /health", "", NULL), 200);
	rig_quiet(&rig);
	close(fds[0]);
	rig_expect(&rig, MESSAGE_CANCEL);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	fds[0] = rig_connect(&rig);
	rig_ask(fds[0], "POST /v1/tools/a/call", JSON_TYPE, "{}");
	rig_expect(&rig, MESSAGE_VISITOR);
	rig_expect(&rig, MESSAGE_REQUEST);
	for (int i = 0; i < WEB_IN_FLIGHT_EACH; i++) {
		close(fds[i]);
		rig_expect(&rig, MESSAGE_CANCEL);
		rig_expect(&rig, MESSAGE_PEER_GONE);
	}
	rig_stop(&rig);
}

/* A result as large as engine may give, whole and as an event. */
static void test_largest_result_arrives(void **state)
{
	const size_t len = 3 * 1024 * 1024;
	char *body = malloc(len + 16), *heard = malloc(len + 4096);
	struct message visitor, request;
	struct rig rig;

	(void)state;
	memset(body, 'x', len);
	memcpy(body, "{\"a\":\"", 6);
	memcpy(body + len - 2, "\"}", 2);
	rig_start(&rig);
	for (int stream = 0; stream < 2; stream++) {
		int fd = rig_connect(&rig);
		size_t n = 0;

		rig_ask(fd, "POST /mcp",
		    "Accept: text/event-stream, application/json\r\n" JSON_TYPE,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
		    "\"a\"}}");
		rig_take(&rig, &visitor, &request);
		if (stream)
			rig_notify(&rig, visitor.u.visitor.peer, "{}");
		rig_reply_full(&rig, request.serial,
		    (struct message_reply){
			.kind = REPLY_RESULT, .challenge = "", .body = {body, len}});
		rig_hear_head(fd, &answer);
		assert_int_equal(answer.status, 200);
		while (n < len + 34) {
			ssize_t got;

			assert_true(rig_ready(fd, RIG_WAIT_MS));
			got = read(fd, heard + n, len + 4096 - n);
			if (got <= 0)
				break;
			n += (size_t)got;
		}
		assert_true(n >= len + 34);
		rig_expect(&rig, MESSAGE_PEER_GONE);
		message_fini(&visitor);
		message_fini(&request);
		close(fd);
	}
	free(body);
	free(heard);
	rig_stop(&rig);
}

/* A thousand clients that hang up in every state leave nothing behind: rig_stop() looks. */
static void test_nothing_is_left(void **state)
{
	struct rig rig;
	unsigned seed = 7;

	(void)state;
	rig_start(&rig);
	for (int i = 0; i < 1000; i++) {
		struct message visitor, request;
		int fd = rig_connect(&rig);
		int what = rand_r(&seed) % 6;

		if (what == 0) {
			rig_say(fd, "GET /tools HTTP/1.1\r\nHost: loc");
			close(fd);
			continue;
		}
		rig_ask(fd, "POST /mcp",
		    "Accept: text/event-stream, application/json\r\n" JSON_TYPE,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
		    "\"a\"}}");
		rig_take(&rig, &visitor, &request);
		if (what & 1)
			rig_notify(&rig, visitor.u.visitor.peer, "{}");
		if (what == 2) {
			rig_reply(&rig, request.serial, REPLY_SILENT, "");
			rig_expect(&rig, MESSAGE_PEER_GONE);
		} else if (what == 3) {
			rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
			rig_expect(&rig, MESSAGE_PEER_GONE);
		}
		close(fd);
		if (what != 2 && what != 3) {
			rig_expect(&rig, MESSAGE_CANCEL);
			rig_expect(&rig, MESSAGE_PEER_GONE);
			rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
		}
		message_fini(&visitor);
		message_fini(&request);
	}
	assert_int_equal(rig_status(&rig, "GET /health", "", NULL), 200);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_is_served_before_settings),
	    cmocka_unit_test(test_certificates_are_swapped),
	    cmocka_unit_test(test_memory_that_may_change_is_no_key),
	    cmocka_unit_test(test_drain_finishes_what_began),
	    cmocka_unit_test(test_unanswered_requests_are_told),
	    cmocka_unit_test(test_lost_links_end_it),
	    cmocka_unit_test(test_pings_are_answered_on_both_links),
	    cmocka_unit_test(test_one_address_cannot_take_all),
	    cmocka_unit_test(test_largest_result_arrives),
	    cmocka_unit_test(test_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
