#include "tests/unit/web/rig.h"

#include "agent-api/web/admission.h"

static struct rig_answer answer;

static struct http_text text(const char *from)
{
	return (struct http_text){from, strlen(from)};
}

static void test_hosts(void **state)
{
	static const char *const ours[] = {"127.0.0.1", "127.0.0.1:8700", "10.1.2.3:80", "[::1]",
	    "[2001:db8::1]:8700", "localhost", "LOCALHOST:1", "gate.lan", "Gate.LAN:8700",
	    "gate.example", "gate.example:443"};
	static const char *const others[] = {"", "evil.example", "localhost.evil.example",
	    "evil.example:8700", "127.0.0.1.evil.example", "gate.lan.evil", "gate.lan@evil",
	    "gate.lan:80:80", "gate.lan:", "gate.lan:x", "gate.lan:123456", "[::1", "[::1]x", "::1",
	    "gate.lan/", "gate lan", "localhost.", "2130706433", "0x7f.1", "127.1"};
	const char *hosts[] = {"gate.lan"};
	struct message_site said = rig_site();
	struct site site = {.said = &said, .url_host = text("gate.example")};

	(void)state;
	said.hosts = (struct strv){hosts, 1};
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (!admission_knows_host(&site, text(ours[i])))
			fail_msg("%s is ours", ours[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (admission_knows_host(&site, text(others[i])))
			fail_msg("%s is not ours", others[i]);
	}
	site.url_host = (struct http_text){NULL, 0};
	assert_false(admission_knows_host(&site, text("gate.example")));
}

static void test_origins(void **state)
{
	static const struct {
		const char *host, *origin;
		bool https, allowed;
	} rows[] = {
	    {"localhost:8700", "http://localhost:8700", false, true},
	    {"localhost:8700", "https://localhost:8700", false, true}, /* a proxy may speak TLS */
	    {"localhost:8700", "http://localhost:8700", true, false},
	    {"localhost:8700", "http://localhost", false, false},
	    {"localhost:8700", "http://localhost:8701", false, false},
	    {"localhost", "http://localhost:80", false, true},
	    {"gate.lan", "https://GATE.lan:443", true, true},
	    {"gate.lan", "https://gate.lan.evil", true, false},
	    {"gate.lan", "https://app.example", true, true},
	    {"gate.lan", "https://app.example:443", true, false}, /* not as it is listed */
	    {"gate.lan", "https://App.example", true, false},
	    {"gate.lan", "https://public.example", true, true}, /* server.url */
	    {"gate.lan", "null", false, false},
	    {"gate.lan", "", false, false},
	    {"gate.lan", "gate.lan", false, false},
	    {"gate.lan", "file://gate.lan", false, false},
	    {"gate.lan", "http://gate.lan/path", false, false},
	    {"[::1]:8700", "http://[::1]:8700", false, true},
	};
	const char *origins[] = {"https://app.example"};
	const char *any[] = {"*"};
	struct message_site said = rig_site();
	struct site site = {.said = &said};

	(void)state;
	said.url = "https://public.example";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_head head = {.host = text(rows[i].host)};
		struct http_request request = {.head = &head, .client.https = rows[i].https};

		said.cors_origins = (struct strv){origins, 1};
		if (admission_allows_origin(&site, &request, text(rows[i].origin)) !=
		    rows[i].allowed)
			fail_msg("%s from %s", rows[i].host, rows[i].origin);
		said.cors_origins = (struct strv){any, 1};
		assert_true(admission_allows_origin(&site, &request, text(rows[i].origin)));
	}
}

static void test_queries(void **state)
{
	static const char *const safe[] = {
	    "", "cursor=1", "since=4&tenant=a", "keys=1", "tokens", "a=token", "monkey=1", "a&b"};
	static const char *const unsafe[] = {"token=1", "a=1&token=1", "TOKEN=1", "tok%65n=1",
	    "access_token=x", "Access-Token=x", "api_key=1", "apikey=1", "api-key=1", "key=1",
	    "a=1;key=1", "key", "%6bey=1", "X-API-Key=1", "authorization=1", "%zz=1", "a%", "a=1&%",
	    "id_token=1", "api.key=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		if (!admission_allows_query(text(safe[i])))
			fail_msg("%s is refused", safe[i]);
	}
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		if (admission_allows_query(text(unsafe[i])))
			fail_msg("%s is taken", unsafe[i]);
	}
}

/* The same through the real server, with what refusals look like. */
static void test_refused_before_engine_hears(void **state)
{
	static const struct {
		const char *what, *headers, *body;
		int status;
	} rows[] = {
	    {"GET /tools", "Host: evil.example\r\n", NULL, 403},
	    {"GET /tools", "Origin: https://evil.example\r\n", NULL, 403},
	    {"GET /tools", "Origin: null\r\n", NULL, 403},
	    {"POST /mcp", "Origin: https://evil.example\r\n" JSON_TYPE, "{}", 403},
	    {"GET /", "Host: rebound.example\r\n", NULL, 403},
	    {"GET /.well-known/agent-card.json", "Host: rebound.example\r\n", NULL, 403},
	    {"GET /health", "Host: evil.example\r\nOrigin: https://evil.example\r\n", NULL, 200},
	    {"POST /v1/keys", "Content-Type: text/plain\r\n", "{}", 415},
	    {"POST /v1/keys", "", "{}", 415},
	    {"POST /v1/keys/a/rotate", "", NULL, 415},
	    {"POST /v1/keys", "Content-Type: application/x-www-form-urlencoded\r\n", "{}", 415},
	    {"POST /v1/keys", "Content-Type: multipart/form-data; boundary=application/json\r\n",
		"{}", 415},
	    {"POST /v1/keys", "Content-Type: application/json; charset=latin1\r\n", "{}", 415},
	    {"POST /v1/keys", "Content-Type: application/jsonx\r\n", "{}", 415},
	    {"POST /v1/keys", JSON_TYPE JSON_TYPE, "{}", 400},
	    {"GET /tools?access_token=x", "", NULL, 400},
	    {"GET /health?token=x", "", NULL, 400},
	    {"GET /tools", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", NULL, 400},
	    {"GET /tools", "X-API-Key: a\r\nx-api-key: b\r\n", NULL, 400},
	    {"GET /tools", "Callgate-Agent: a\r\nCallgate-Agent: a\r\n", NULL, 400},
	};
	struct rig rig;

	(void)state;
	rig_start(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int cleanup_fd fd = rig_connect(&rig);

		rig_ask(fd, rows[i].what, rows[i].headers, rows[i].body);
		rig_hear(fd, &answer);
		if (answer.status != rows[i].status)
			fail_msg("%s %s: %d", rows[i].what, rows[i].headers, answer.status);
		if (rows[i].status >= 400) {
			assert_string_equal(
			    rig_header(&answer, "Content-Type"), "application/json");
			assert_int_equal(strncmp(answer.body, "{\"error\":\"", 10), 0);
		}
	}
	rig_quiet(&rig);
	rig_stop(&rig);
}

static void test_networks(void **state)
{
	const char *mine[] = {"127.0.0.0/8"}, *other[] = {"10.0.0.0/8"}, *bad[] = {"10.1.2.3/8"};
	const char *proxies[] = {"127.0.0.1/32"};
	struct message_site site = rig_site();
	struct rig rig;

	(void)state;
	site.ip_allowlist = (struct strv){mine, 1};
	site.auth_ip_allowlist = (struct strv){other, 1};
	rig_start_with(&rig, &site);
	/* Both must hold; what is always open is not auth's. */
	assert_int_equal(rig_status(&rig, "GET /nothing", "", NULL), 403);
	assert_int_equal(rig_status(&rig, "GET /health", "", NULL), 200);
	site.ip_allowlist = (struct strv){other, 1};
	site.auth_ip_allowlist = (struct strv){mine, 1};
	assert_int_equal(rig_say_site(&rig, &site, NULL, 0), ANSWER_OK);
	assert_int_equal(rig_status(&rig, "GET /nothing", "", NULL), 403);
	assert_int_equal(rig_status(&rig, "GET /health", "", NULL), 403);
	/* What is not trusted cannot say who the client is; a trusted proxy can. */
	assert_int_equal(
	    rig_status(&rig, "GET /nothing", "X-Forwarded-For: 10.0.0.1\r\n", NULL), 403);
	site.auth_ip_allowlist = (struct strv){other, 1};
	site.trusted_proxies = (struct strv){proxies, 1};
	assert_int_equal(rig_say_site(&rig, &site, NULL, 0), ANSWER_OK);
	assert_int_equal(
	    rig_status(&rig, "GET /nothing", "X-Forwarded-For: 10.0.0.1\r\n", NULL), 404);
	assert_int_equal(
	    rig_status(&rig, "GET /nothing", "X-Forwarded-For: 10.0.0.1, 11.0.0.1\r\n", NULL), 403);
	assert_int_equal(rig_status(&rig, "GET /nothing", "X-Forwarded-For: x\r\n", NULL), 400);
	/* A list that cannot be read changes nothing. */
	site.ip_allowlist = (struct strv){bad, 1};
	assert_int_equal(rig_say_site(&rig, &site, NULL, 0), ANSWER_REFUSED);
	assert_int_equal(
	    rig_status(&rig, "GET /nothing", "X-Forwarded-For: 10.0.0.1\r\n", NULL), 404);
	rig_stop(&rig);
}

/* ---- CORS ---- */

static void preflight(struct rig *rig, const char *what, const char *headers)
{
	int cleanup_fd fd = rig_connect(rig);

	rig_ask(fd, what, headers, NULL);
	rig_hear(fd, &answer);
}

#define APP         "Origin: https://app.example\r\n"
#define WANT_POST   "Access-Control-Request-Method: POST\r\n"
#define WANT(names) "Access-Control-Request-Headers: " names "\r\n"

static void test_cors_is_off_unless_listed(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig);
	preflight(&rig, "OPTIONS /v1/keys", APP WANT_POST);
	assert_int_equal(answer.status, 403);
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Origin"), "");
	preflight(&rig, "OPTIONS /v1/keys", "Origin: http://localhost\r\n" WANT_POST);
	assert_int_equal(answer.status, 403);
	preflight(&rig, "GET /nothing", "Origin: http://localhost\r\n");
	assert_int_equal(answer.status, 404);
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Origin"), "");
	rig_stop(&rig);
}

static void test_cors_of_listed_origins(void **state)
{
	const char *origins[] = {"https://app.example", "https://b.example"};
	const char *methods[] = {"GET", "POST"};
	const char *headers[] = {"Authorization", "Content-Type"};
	struct message_site site = rig_site();
	struct rig rig;

	(void)state;
	site.cors_origins = (struct strv){origins, 2};
	site.cors_methods = (struct strv){methods, 2};
	site.cors_headers = (struct strv){headers, 2};
	site.cors_max_age = 600;
	rig_start_with(&rig, &site);
	preflight(&rig, "OPTIONS /v1/keys", APP WANT_POST WANT("authorization, content-type"));
	assert_int_equal(answer.status, 204);
	assert_string_equal(
	    rig_header(&answer, "Access-Control-Allow-Origin"), "https://app.example");
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Methods"), "GET, POST");
	assert_string_equal(
	    rig_header(&answer, "Access-Control-Allow-Headers"), "Authorization, Content-Type");
	assert_string_equal(rig_header(&answer, "Access-Control-Max-Age"), "600");
	assert_non_null(strstr(rig_header(&answer, "Vary"), "Origin"));
	preflight(&rig, "OPTIONS /v1/keys", APP WANT_POST WANT("x-evil"));
	assert_int_equal(answer.status, 403);
	preflight(&rig, "OPTIONS /v1/keys", APP WANT_POST WANT("authorization") WANT("x-evil"));
	assert_int_equal(answer.status, 403);
	preflight(&rig, "OPTIONS /v1/keys/a", APP "Access-Control-Request-Method: DELETE\r\n");
	assert_int_equal(answer.status, 403); /* served, not listed */
	preflight(&rig, "OPTIONS /health", APP WANT_POST);
	assert_int_equal(answer.status, 403); /* listed, not served */
	preflight(&rig, "OPTIONS /v1/keys", "Origin: https://c.example\r\n" WANT_POST);
	assert_int_equal(answer.status, 403);
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Origin"), "");
	preflight(&rig, "OPTIONS /nothing", APP WANT_POST);
	assert_int_equal(answer.status, 404);
	/* Answers, and refusals by the server itself. */
	preflight(&rig, "GET /nothing", APP);
	assert_string_equal(
	    rig_header(&answer, "Access-Control-Allow-Origin"), "https://app.example");
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Credentials"), "true");
	assert_non_null(
	    strstr(rig_header(&answer, "Access-Control-Expose-Headers"), "WWW-Authenticate"));
	preflight(&rig, "GET /health", APP);
	assert_int_equal(answer.status, 200);
	assert_string_equal(
	    rig_header(&answer, "Access-Control-Allow-Origin"), "https://app.example");
	preflight(&rig, "POST /v1/keys", APP);
	assert_int_equal(answer.status, 415);
	assert_string_equal(
	    rig_header(&answer, "Access-Control-Allow-Origin"), "https://app.example");
	preflight(&rig, "GET /nothing", "");
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Origin"), "");
	assert_string_equal(rig_header(&answer, "Vary"), "Origin");
	rig_stop(&rig);
}

static void test_any_origin_never_has_credentials(void **state)
{
	const char *origins[] = {"https://app.example", "*"}, *methods[] = {"GET"};
	struct message_site site = rig_site();
	struct rig rig;

	(void)state;
	site.cors_origins = (struct strv){origins, 2};
	site.cors_methods = (struct strv){methods, 1};
	rig_start_with(&rig, &site);
	preflight(&rig, "GET /nothing", APP);
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Origin"), "*");
	assert_string_equal(rig_header(&answer, "Access-Control-Allow-Credentials"), "");
	preflight(&rig, "OPTIONS /tools",
	    "Origin: https://x.example\r\nAccess-Control-Request-Method: GET\r\n" WANT(
		"authorization"));
	assert_int_equal(answer.status, 403); /* not listed, so no page may send it */
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hosts),
	    cmocka_unit_test(test_origins),
	    cmocka_unit_test(test_queries),
	    cmocka_unit_test(test_refused_before_engine_hears),
	    cmocka_unit_test(test_networks),
	    cmocka_unit_test(test_cors_is_off_unless_listed),
	    cmocka_unit_test(test_cors_of_listed_origins),
	    cmocka_unit_test(test_any_origin_never_has_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
