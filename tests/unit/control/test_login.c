/* What a gate and a provider say, judged; and where a login is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/control/device_flow.h"
#include "supervisor/control/login_store.h"

#define GATE   "https://gate.example:8700"
#define ISSUER "https://issuer.example/realm"

static json_t *load(const char *text)
{
	json_t *document = json_loads(text, 0, NULL);

	if (!document)
		fail_msg("the test is wrong: %s", text);
	return document;
}

static void test_resource(void **state)
{
	static const struct {
		const char *text, *names; /* names: what the complaint is about; NULL: it is good */
	} rows[] = {
	    {"{\"resource\":\"" GATE "\",\"authorization_servers\":[\"" ISSUER "\"]}", NULL},
	    {"{\"resource\":\"" GATE "/\",\"authorization_servers\":[\"" ISSUER "\"]}", NULL},
	    {"{\"resource\":\"" GATE "/mcp\",\"authorization_servers\":[\"" ISSUER "\"]}", NULL},
	    {"{\"resource\":\"" GATE "0\",\"authorization_servers\":[\"" ISSUER "\"]}", "resource"},
	    {"{\"resource\":\"" GATE ".evil.example\",\"authorization_servers\":[\"" ISSUER "\"]}",
		"resource"},
	    {"{\"resource\":\"https://gate.example\",\"authorization_servers\":[\"" ISSUER "\"]}",
		"resource"},
	    {"{\"resource\":[\"" GATE "\"],\"authorization_servers\":[\"" ISSUER "\"]}",
		"resource"},
	    {"{\"authorization_servers\":[\"" ISSUER "\"]}", "resource"},
	    {"{\"resource\":\"" GATE "\"}", "authorization_servers"},
	    {"{\"resource\":\"" GATE "\",\"authorization_servers\":[]}", "authorization_servers"},
	    {"{\"resource\":\"" GATE "\",\"authorization_servers\":[7]}", "authorization_servers"},
	    {"{\"resource\":\"" GATE "\",\"authorization_servers\":[\"http://issuer.example\"]}",
		"authorization_servers"},
	    {"{\"resource\":\"" GATE "\",\"authorization_servers\":[\"https://127.0.0.1/x\"]}",
		"this machine"},
	    {"[]", "no JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *document = load(rows[i].text);
		struct discovered where = {.issuer = ""};
		struct err_note note = {0};
		int result = discovery_judge_resource(document, GATE, &where, &note);

		if (rows[i].names && (result != -EINVAL || !strstr(note.text, rows[i].names)))
			fail_msg("%s: %s", rows[i].text, note.text);
		if (!rows[i].names) {
			assert_int_equal(result, 0);
			assert_string_equal(where.issuer, ISSUER);
		}
		json_decref(document);
	}
}

#define ENDPOINTS(device, token)                                                                   \
	"\"device_authorization_endpoint\":" device ",\"token_endpoint\":" token
#define GOOD ENDPOINTS("\"https://a.example/d\"", "\"https://a.example/t\"")

static void test_server(void **state)
{
	static const struct {
		const char *text, *names;
	} rows[] = {
	    {"{\"issuer\":\"" ISSUER "\"," GOOD "}", NULL},
	    {"{\"issuer\":\"" ISSUER "\",\"grant_types_supported\":[\"x\",\"urn:ietf:params:oauth:"
	     "grant-type:device_code\"]," GOOD "}",
		NULL},
	    {"{\"issuer\":\"" ISSUER "\",\"grant_types_supported\":[\"authorization_code\"]," GOOD
	     "}",
		"no device flow"},
	    {"{\"issuer\":\"" ISSUER "/\"," GOOD "}", "issuer"},
	    {"{\"issuer\":\"https://ISSUER.example/realm\"," GOOD "}", "issuer"},
	    {"{" GOOD "}", "issuer"},
	    {"{\"issuer\":7," GOOD "}", "issuer"},
	    {"{\"issuer\":\"" ISSUER "\",\"token_endpoint\":\"https://a.example/t\"}",
		"no device flow"},
	    {"{\"issuer\":\"" ISSUER "\"," ENDPOINTS("7", "\"https://a.example/t\"") "}",
		"device_authorization_endpoint"},
	    {"{\"issuer\":\"" ISSUER
	     "\"," ENDPOINTS("\"http://a.example/d\"", "\"https://a.example\"") "}",
		"device_authorization_endpoint"},
	    {"{\"issuer\":\"" ISSUER "\"," ENDPOINTS("\"https://a.example/d\"", "null") "}",
		"token_endpoint"},
	    {"{\"issuer\":\"" ISSUER
	     "\"," ENDPOINTS("\"https://a.example/d\"", "\"https://[::1]/t\"") "}",
		"token_endpoint"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *document = load(rows[i].text);
		struct discovered where = {.issuer = ISSUER};
		struct err_note note = {0};
		int result = discovery_judge_server(document, false, &where, &note);

		if (rows[i].names && (result != -EINVAL || !strstr(note.text, rows[i].names)))
			fail_msg("%s: %s", rows[i].text, note.text);
		if (!rows[i].names)
			assert_int_equal(result, 0);
		json_decref(document);
	}
}

static void test_local(void **state)
{
	struct err_note note = {0};
	char out[URL_MAX];

	(void)state;
	assert_int_equal(discovery_judge_url("http://127.0.0.1:9/x", "f", true, out, &note), 0);
	assert_string_equal(out, "http://127.0.0.1:9/x");
	assert_int_equal(
	    discovery_judge_url("http://127.0.0.1:9/x", "f", false, out, &note), -EINVAL);
	assert_int_equal(discovery_judge_url(NULL, "f", true, out, &note), -EINVAL);
}

#define CODE "\"device_code\":\"d\",\"user_code\":\"AB-CD\""
#define PAGE "\"verification_uri\":\"https://a.example/activate\""

static void test_device(void **state)
{
	static const struct {
		const char *text, *names;
	} rows[] = {
	    {"{" CODE "," PAGE ",\"expires_in\":600,\"interval\":7}", NULL},
	    {"{" CODE "," PAGE "}", "expires_in"},
	    {"{" CODE "," PAGE ",\"expires_in\":0}", "expires_in"},
	    {"{" CODE "," PAGE ",\"expires_in\":\"600\"}", "expires_in"},
	    {"{" CODE "," PAGE ",\"expires_in\":600,\"interval\":0}", "interval"},
	    {"{" CODE "," PAGE ",\"expires_in\":600,\"interval\":1.5}", "interval"},
	    {"{" CODE ",\"expires_in\":600}", "verification_uri"},
	    {"{" CODE ",\"verification_uri\":\"javascript:x\",\"expires_in\":600}",
		"verification_uri"},
	    {"{\"user_code\":\"A\"," PAGE ",\"expires_in\":600}", "device_code"},
	    {"{\"device_code\":\"\",\"user_code\":\"A\"," PAGE ",\"expires_in\":600}",
		"device_code"},
	    {"{\"device_code\":\"d\"," PAGE ",\"expires_in\":600}", "user_code"},
	    {"{\"device_code\":\"d\",\"user_code\":\"A\\u001b[2J\"," PAGE ",\"expires_in\":600}",
		"user_code"},
	};
	struct device device;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *document = load(rows[i].text);
		struct err_note note = {0};
		int result = device_judge(document, false, &device, &note);

		if (rows[i].names && (result != -EINVAL || !strstr(note.text, rows[i].names)))
			fail_msg("%s: %s", rows[i].text, note.text);
		if (!rows[i].names) {
			assert_int_equal(result, 0);
			assert_int_equal(device.interval_s, 7);
			assert_int_equal(device.expires_s, 600);
		}
		json_decref(document);
	}
}

static void test_token(void **state)
{
	static const struct {
		long status;
		const char *text;
		enum token_verdict verdict;
	} rows[] = {
	    {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}", TOKEN_GRANTED},
	    {200,
		"{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":60,"
		"\"refresh_token\":\"r\"}",
		TOKEN_GRANTED},
	    {200, "{\"access_token\":\"t\"}", TOKEN_REFUSED},
	    {200, "{\"access_token\":\"t\",\"token_type\":\"DPoP\"}", TOKEN_REFUSED},
	    {200, "{\"access_token\":\"a b\",\"token_type\":\"Bearer\"}", TOKEN_REFUSED},
	    {200, "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\"}", TOKEN_REFUSED},
	    {200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}", TOKEN_REFUSED},
	    {200, "{\"access_token\":7,\"token_type\":\"Bearer\"}", TOKEN_REFUSED},
	    {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":-1}",
		TOKEN_REFUSED},
	    {200, "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"refresh_token\":\"\"}",
		TOKEN_REFUSED},
	    {200, "{\"error\":\"authorization_pending\"}", TOKEN_REFUSED},
	    {201, "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}", TOKEN_REFUSED},
	    {400, "{\"error\":\"authorization_pending\"}", TOKEN_PENDING},
	    {400, "{\"error\":\"slow_down\"}", TOKEN_SLOW_DOWN},
	    {403, "{\"error\":\"access_denied\"}", TOKEN_DENIED},
	    {400, "{\"error\":\"expired_token\"}", TOKEN_EXPIRED},
	    {400, "{\"error\":\"invalid_grant\"}", TOKEN_INVALID},
	    {400, "{\"error\":\"invalid_client\"}", TOKEN_REFUSED},
	    {400, "{\"error\":7}", TOKEN_REFUSED},
	    {400, "{}", TOKEN_REFUSED},
	};
	struct granted granted;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *document = load(rows[i].text);
		struct err_note note = {0};

		if (token_judge(rows[i].status, document, &granted, &note) != rows[i].verdict)
			fail_msg("%s: %s", rows[i].text, note.text);
		json_decref(document);
	}
	assert_int_equal(token_judge(200, NULL, &granted, NULL), TOKEN_REFUSED);
}

static void test_trim(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *out;
	} rows[] = {
	    {"abc\n", 0, "abc"},
	    {" \tabc\r\n\n", 0, "abc"},
	    {"", -ENODATA, ""},
	    {" \n", -ENODATA, ""},
	    {"a b", -EINVAL, ""},
	    {"a\nb", -EINVAL, ""},
	    {"a\x7F", -EINVAL, ""},
	    {"\xC3\xA4", -EINVAL, ""},
	};
	static char out[CREDENTIAL_MAX], longest[CREDENTIAL_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    remote_trim(out, rows[i].text, strlen(rows[i].text)), rows[i].result);
		assert_string_equal(out, rows[i].out);
	}
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(remote_trim(out, longest, sizeof(longest)), -EMSGSIZE);
	assert_int_equal(remote_trim(out, longest, sizeof(longest) - 1), 0);
	assert_int_equal(remote_trim(out, "a\0b", 3), -EINVAL);
	assert_int_equal(remote_trim(out, "ab\0", 3), -EINVAL);
}

/* ---- the store ------------------------------------------------------------------------------ */

static char home[] = "/tmp/callgate-login.XXXXXX";

static int make_home(void **state)
{
	(void)state;
	return mkdtemp(home) && setenv("XDG_STATE_HOME", home, 1) == 0 ? 0 : -1;
}

static int remove_home(void **state)
{
	char path[PATHS_MAX];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/callgate/login", home);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/callgate", home);
	(void)rmdir(path);
	return rmdir(home);
}

static struct remote gate(const char *text)
{
	struct remote remote = {.given = 1};
	struct err_note note = {0};

	assert_int_equal(url_read_gate(&remote.at, remote.url, text, &note), 0);
	return remote;
}

static void path_of(char out[PATHS_MAX])
{
	char folder[PATHS_MAX];

	assert_int_equal(login_folder(folder), 0);
	assert_int_equal(paths_join(out, folder, "gate.example_8700.json"), 0);
}

static void test_store(void **state)
{
	struct login login = {.issuer = ISSUER,
	    .token_endpoint = "https://a.example/t",
	    .client_id = "cli",
	    .resource = GATE,
	    .scope = "",
	    .access_token = "token",
	    .refresh_token = "refresh",
	    .expires = 1700000000};
	struct remote remote = gate(GATE), other = gate("https://gate.example:8701");
	struct err_note note = {0};
	struct login got;
	char path[PATHS_MAX];
	struct stat found;

	(void)state;
	path_of(path);
	assert_int_equal(login_read(&remote, &got, &note), -ENOENT);
	umask(0); /* the mode does not depend on it */
	assert_int_equal(login_write(&remote, &login, &note), 0);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0600);
	assert_int_equal(login_read(&remote, &got, &note), 0);
	assert_string_equal(got.url, GATE);
	assert_string_equal(got.access_token, "token");
	assert_string_equal(got.refresh_token, "refresh");
	assert_int_equal(got.expires, 1700000000);
	login_fini(&got);
	assert_int_equal(login_read(&other, &got, &note), -ENOENT);

	/* of others, or for others to read */
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(login_read(&remote, &got, &note), -EPERM);
	assert_non_null(strstr(note.text, "0600"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(login_remove(&remote), 0);
	assert_int_equal(login_remove(&remote), -ENOENT);
}

static void test_store_spoilt(void **state)
{
	static const char *const texts[] = {"", "{}", "no JSON", "[]",
	    "{\"version\":2,\"url\":\"" GATE "\",\"issuer\":\"" ISSUER
	    "\",\"token_endpoint\":\"https://a.example/t\",\"client_id\":\"c\",\"resource\":\"r\","
	    "\"scope\":\"\",\"access_token\":\"t\",\"refresh_token\":\"\",\"expires\":1}",
	    "{\"version\":1,\"url\":\"" GATE "\",\"issuer\":\"" ISSUER
	    "\",\"token_endpoint\":\"http://a.example/t\",\"client_id\":\"c\",\"resource\":\"r\","
	    "\"scope\":\"\",\"access_token\":\"t\",\"refresh_token\":\"\",\"expires\":1}",
	    "{\"version\":1,\"url\":\"" GATE "\",\"issuer\":\"" ISSUER
	    "\",\"token_endpoint\":\"https://a.example/t\",\"client_id\":\"c\",\"resource\":\"r\","
	    "\"scope\":\"\",\"access_token\":\"\",\"refresh_token\":\"\",\"expires\":1}",
	    "{\"version\":1,\"url\":\"" GATE "\",\"issuer\":\"" ISSUER
	    "\",\"token_endpoint\":\"https://a.example/t\",\"client_id\":\"c\",\"resource\":\"r\","
	    "\"scope\":\"\",\"access_token\":\"t\",\"refresh_token\":\"\",\"expires\":-1}"};
	struct remote remote = gate(GATE);
	char path[PATHS_MAX], elsewhere[PATHS_MAX + 8];
	struct err_note note = {0};
	struct login got;
	int lock = login_lock(&remote);

	(void)state;
	assert_true(lock >= 0); /* makes the folder, too */
	close(lock);
	path_of(path);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		assert_int_equal(fchmod(fileno(file), 0600), 0);
		fputs(texts[i], file);
		fclose(file);
		note.text[0] = '\0';
		if (login_read(&remote, &got, &note) >= 0 || !note.text[0])
			fail_msg("%s is taken", texts[i]);
	}
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.real", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, path), 0);
	assert_int_equal(login_read(&remote, &got, &note), -ELOOP);
	assert_int_equal(unlink(elsewhere), 0);
	assert_int_equal(login_remove(&remote), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resource),
	    cmocka_unit_test(test_server),
	    cmocka_unit_test(test_local),
	    cmocka_unit_test(test_device),
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_store),
	    cmocka_unit_test(test_store_spoilt),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
