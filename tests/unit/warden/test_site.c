/* The files of server.tls, and the secrets that a policy names: what is refused, and with what
 * words; what the messages carry. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/base/fd.h"
#include "supervisor/warden/secrets.h"
#include "supervisor/warden/site.h"
#include "tests/unit/warden/rig.h"

#define CERT "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY  "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"

static struct rig rig;
static struct config *config;
static struct err_note note;
static struct site *site;

static int setup(void **state)
{
	struct policy_http *http;

	(void)state;
	rig_make(&rig);
	config = rig_config(&rig, "version: 1\n");
	http = &config->policy->http;
	http->port = 8700;
	http->tls.pos = (struct policy_pos){7, 3};
	http->tls.cert = "tls/cert.pem";
	http->tls.key = "tls/key.pem";
	http->tls.client_ca = "";
	http->outgoing.ca = "";
	http->outgoing.ca_pos = (struct policy_pos){9, 5};
	rig_dir(&rig, "tls");
	rig_file(&rig, "tls/cert.pem", CERT, 0644);
	rig_file(&rig, "tls/key.pem", KEY, 0600);
	note.text[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	site_free(site);
	site = NULL;
	config_free(config);
	rig_remove(&rig);
	return 0;
}

static void refused(int fault, const char *text)
{
	note.text[0] = '\0';
	assert_int_equal(site_read(config, NULL, &site, &note), fault);
	assert_null(site);
	if (!strstr(note.text, text))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, text);
}

static void good_files_become_sealed_memory(void **state)
{
	const void *bytes;
	size_t len;

	(void)state;
	config->policy->http.tls.client_ca = "tls/ca.pem";
	config->policy->http.outgoing.ca = "tls/ca.pem";
	rig_file(&rig, "tls/ca.pem", CERT CERT, 0444);
	if (site_read(config, NULL, &site, &note))
		fail_msg("%s", note.text);
	assert_int_equal(fd_map_sealed(site->files[SITE_KEY], 4096, &bytes, &len), 0);
	assert_int_equal(len, strlen(KEY));
	assert_memory_equal(bytes, KEY, len);
	fd_unmap(bytes, len);
	assert_int_equal(fd_map_sealed(site->files[SITE_CLIENT_CA], 4096, &bytes, &len), 0);
	assert_int_equal(len, 2 * strlen(CERT));
	fd_unmap(bytes, len);
	assert_true(site->files[SITE_OUTGOING_CA] >= 0);
	assert_string_equal(site->paths[SITE_KEY], rig_path(&rig, "tls/key.pem"));
}

static void a_link_is_followed_to_what_is_judged(void **state)
{
	(void)state;
	rig_file(&rig, "tls/key2.pem", KEY, 0600);
	assert_int_equal(unlink(rig_path(&rig, "tls/key.pem")), 0);
	assert_int_equal(symlink("key2.pem", rig_path(&rig, "tls/key.pem")), 0);
	assert_int_equal(site_read(config, NULL, &site, &note), 0);
	assert_string_equal(site->paths[SITE_KEY], rig_path(&rig, "tls/key2.pem"));
	site_free(site);
	site = NULL;
	assert_int_equal(chmod(rig_path(&rig, "tls/key2.pem"), 0644), 0);
	refused(-EPERM, "p.yaml:7:3: server.tls.key: ");
}

static void files_that_others_reach_are_refused(void **state)
{
	static const mode_t open_keys[] = {0604, 0620, 0602, 0610, 0777};

	(void)state;
	for (size_t i = 0; i < sizeof(open_keys) / sizeof(*open_keys); i++) {
		assert_int_equal(chmod(rig_path(&rig, "tls/key.pem"), open_keys[i]), 0);
		refused(-EPERM, "shows the private key to others; chmod 600 it");
	}
	/* Its group may read it where it is root's: Debian's ssl-cert. */
	assert_int_equal(chmod(rig_path(&rig, "tls/key.pem"), 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(site_read(config, NULL, &site, &note), 0);
	else
		refused(-EPERM, "mode 0640 shows the private key");
	site_free(site);
	site = NULL;
	assert_int_equal(chmod(rig_path(&rig, "tls/key.pem"), 0600), 0);
	assert_int_equal(chmod(rig_path(&rig, "tls/cert.pem"), 0664), 0);
	refused(-EPERM, "p.yaml:7:3: server.tls.cert: ");
	refused(-EPERM, "mode 0664 lets others change it; chmod go-w it");
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(rig_path(&rig, "tls/cert.pem"), 0644), 0);
	assert_int_equal(chown(rig_path(&rig, "tls/cert.pem"), 54321, 54321), 0);
	refused(-EPERM, "belongs to uid 54321, who could change it; chown it to root");
}

static void what_is_no_file_or_not_it_is_refused(void **state)
{
	struct policy_tls *tls = &config->policy->http.tls;
	char *large;

	(void)state;
	tls->key = "tls/none.pem";
	refused(-ENOENT, "tls/none.pem: No such file");
	tls->key = "tls";
	refused(-EINVAL, "not a regular file");
	assert_int_equal(mkfifo(rig_path(&rig, "tls/pipe"), 0600), 0);
	tls->key = "tls/pipe";
	refused(-EINVAL, "not a regular file");
	tls->key = "tls/key.pem";
	rig_file(&rig, "tls/key.pem", "", 0600);
	refused(-EINVAL, "holds no private key in PEM");
	rig_file(&rig, "tls/key.pem", CERT, 0600);
	refused(-EINVAL, "holds no private key in PEM");
	rig_file(&rig, "tls/key.pem",
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n",
	    0600);
	refused(-EINVAL, "wants a passphrase");
	large = calloc(1, SITE_KEY_MAX + 2);
	memset(large, 'x', SITE_KEY_MAX + 1);
	rig_file(&rig, "tls/key.pem", large, 0600);
	free(large);
	refused(-EFBIG, "too large");
	rig_file(&rig, "tls/key.pem", KEY, 0600);
	rig_file(&rig, "tls/cert.pem", KEY, 0600);
	refused(-EINVAL, "server.tls.cert: ");
	config->policy->http.outgoing.ca = "tls/none";
	rig_file(&rig, "tls/cert.pem", CERT, 0644);
	refused(-ENOENT, "p.yaml:9:5: server.outgoing.ca: ");
}

static void half_of_tls_is_refused(void **state)
{
	struct policy_tls *tls = &config->policy->http.tls;

	(void)state;
	tls->key = "";
	refused(-EINVAL, "p.yaml:7:3: server.tls: cert and key belong together");
	tls->key = "tls/key.pem";
	tls->require_client_cert = true;
	refused(-EINVAL, "require_client_cert without client_ca");
	tls->require_client_cert = false;
	tls->cert = tls->key = "";
	rig_file(&rig, "tls/ca.pem", CERT, 0644);
	tls->client_ca = "tls/ca.pem";
	refused(-EINVAL, "client_ca is of no use");
	/* Nobody serves: nobody reads. */
	config->policy->http.port = 0;
	assert_int_equal(site_read(config, NULL, &site, &note), 0);
	assert_int_equal(site->files[SITE_CLIENT_CA], -1);
}

static void a_message_says_what_the_policy_says(void **state)
{
	static const struct policy_word networks[] = {{"10.0.0.0/8", {1, 1}}, {"::1/128", {1, 2}}};
	struct policy_http *http = &config->policy->http;
	struct site_lists lists;
	struct message message;
	struct buf wire;
	int body;

	(void)state;
	http->trusted_proxies = http->outgoing.networks = (struct policy_words){networks, 2};
	http->max_upload_bytes = 4096;
	http->auth.enabled = http->auth.require_auth = true;
	http->auth.issuer = "https://id.example/";
	assert_int_equal(site_read(config, NULL, &site, &note), 0);
	assert_int_equal(site_message(site, "127.0.0.1", &lists, &message), 0);
	assert_int_equal(message.fd_count, 2);
	assert_int_equal(message.fds[0], site->files[SITE_CERTIFICATE]);
	assert_int_equal(message.fds[1], site->files[SITE_KEY]);
	assert_int_equal(message.u.site.has_tls, 1);
	assert_int_equal(message.u.site.body_max, 4096);
	assert_int_equal(message.u.site.trusted_proxies.count, 2);
	assert_string_equal(message.u.site.trusted_proxies.items[1], "::1/128");
	assert_string_equal(message.u.site.issuer, "https://id.example/");
	message.serial = 2;
	buf_init(&wire, MESSAGE_MAX);
	assert_int_equal(message_encode(&wire, &message, &body), 0);
	buf_fini(&wire);
	site_lists_free(&lists);
	assert_int_equal(site_outgoing(site, &lists, &message), 0);
	assert_int_equal(message.fd_count, 0);
	assert_int_equal(message.u.outgoing.networks.count, 2);
	buf_init(&wire, MESSAGE_MAX);
	assert_int_equal(message_encode(&wire, &message, &body), 0);
	buf_fini(&wire);
	site_lists_free(&lists);
}

/* ---- secrets -------------------------------------------------------------------------------- */

#define LONG_ENOUGH "0123456789abcdef0123456789abcdef"

static void missing(int fault, const char *text)
{
	struct secrets secrets = {.items = NULL};

	note.text[0] = '\0';
	assert_int_equal(secrets_find(config, &secrets, &note), fault);
	assert_null(secrets.items);
	if (!strstr(note.text, text))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, text);
	assert_null(strstr(note.text, "topsecret"));
}

static void secrets_are_found_and_named_when_missing(void **state)
{
	static const struct policy_word keys[] = {
	    {"T_KEY_1", {3, 4}}, {"T_KEY_2", {3, 9}}, {"T_KEY_1", {3, 15}}};
	struct policy_channel channels[] = {
	    {.name = "ops", .pos = {5, 6}, .url_env = "T_URL", .secret_env = "T_SECRET"},
	    {.name = "dev",
		.pos = {6, 6},
		.url = "https://x",
		.url_env = "",
		.secret_env = "T_SECRET"},
	};
	struct policy_auth *auth = &config->policy->http.auth;
	struct secrets secrets;
	struct message message;
	struct digest digest;
	char hex[DIGEST_HEX_MAX], expected[128];
	char *large = calloc(1, SECRET_VALUE_MAX + 2);

	(void)state;
	auth->pos = (struct policy_pos){2, 2};
	auth->api_keys = (struct policy_words){keys, 3};
	missing(-ENOENT, "p.yaml:3:4: server.auth.api_keys: T_KEY_1 is not set");
	setenv("T_KEY_1", "topsecret", 1);
	missing(-EINVAL, "T_KEY_1 is shorter than 32 characters");
	setenv("T_KEY_1", LONG_ENOUGH, 1);
	missing(-ENOENT, "p.yaml:3:9: server.auth.api_keys: T_KEY_2 is not set");
	setenv("T_KEY_2", LONG_ENOUGH "2", 1);
	auth->service_key_env = "T_SERVICE";
	missing(-ENOENT, "p.yaml:2:2: server.auth.service_key_env: T_SERVICE is not set");
	setenv("T_SERVICE", LONG_ENOUGH "s", 1);
	config->policy->channels = channels;
	config->policy->channel_count = 2;
	missing(-ENOENT, "p.yaml:5:6: approvals.channels.ops: T_URL is not set");
	memset(large, 'x', SECRET_VALUE_MAX + 1);
	setenv("T_URL", large, 1);
	free(large);
	missing(-EINVAL, "T_URL is longer than 4096 bytes");
	setenv("T_URL", "https://hooks.example/topsecret", 1);
	setenv("T_SECRET", "", 1);
	missing(-ENOENT, "T_SECRET is not set");
	/* .env beside the policy counts where the environment says nothing */
	unsetenv("T_SECRET");
	config->values = calloc(1, 64);
	config->values_len = (size_t)snprintf(config->values, 64, "T_SECRET=whsec_1") + 1;
	assert_int_equal(secrets_find(config, &secrets, &note), 0);
	message_init(&message, MESSAGE_POLICY);
	secrets_into(&secrets, &message.u.policy);
	assert_int_equal(message.u.policy.static_keys.count, 2);
	assert_int_equal(digest_of(&digest, LONG_ENOUGH, 32), 0);
	snprintf(expected, sizeof(expected), "T_KEY_1=%s", digest_hex(hex, &digest));
	assert_string_equal(message.u.policy.static_keys.items[0], expected);
	assert_int_equal(digest_of(&digest, LONG_ENOUGH "s", 33), 0);
	assert_string_equal(message.u.policy.service_key, digest_hex(hex, &digest));
	assert_int_equal(message.u.policy.secrets.count, 2);
	assert_string_equal(
	    message.u.policy.secrets.items[0], "T_URL=https://hooks.example/topsecret");
	assert_string_equal(message.u.policy.secrets.items[1], "T_SECRET=whsec_1");
	secrets_fini(&secrets);
	config->policy->channels = NULL;
	config->policy->channel_count = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(good_files_become_sealed_memory, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_link_is_followed_to_what_is_judged, setup, teardown),
	    cmocka_unit_test_setup_teardown(files_that_others_reach_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_no_file_or_not_it_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(half_of_tls_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_message_says_what_the_policy_says, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		secrets_are_found_and_named_when_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
