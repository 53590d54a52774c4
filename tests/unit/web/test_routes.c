#include "tests/unit/web/rig.h"

#include "agent-api/web/routes.h"

static struct rig_answer answer;

/* Asks what engine answers with `result`; hears the answer. Checks number, tool and body of what
 * engine got (NULL: not looked at). */
static void served(struct rig *rig, const char *what, const char *headers, const char *body,
    enum request_method method, const char *expected)
{
	struct message visitor, request;
	int cleanup_fd fd = rig_connect(rig);

	rig_ask(fd, what, headers, body);
	rig_take(rig, &visitor, &request);
	assert_int_equal(request.u.request.method, method);
	assert_int_equal(request.u.request.era, ERA_LEGACY);
	if (expected) {
		json_t *got =
		    json_loadb(request.u.request.body.data, request.u.request.body.len, 0, NULL);
		json_t *want = json_loads(expected, 0, NULL);

		if (!json_equal(got, want))
			fail_msg("%s: %.*s", what, (int)request.u.request.body.len,
			    (const char *)request.u.request.body.data);
		json_decref(got);
		json_decref(want);
	}
	rig_reply(rig, request.serial, REPLY_RESULT, "{\"a\":1}");
	assert_true(rig_expect(rig, MESSAGE_PEER_GONE) == visitor.u.visitor.peer);
	message_fini(&visitor);
	message_fini(&request);
	rig_hear(fd, &answer);
}

static void test_every_route_becomes_its_request(void **state)
{
	static const struct {
		const char *what, *body;
		enum request_method method;
		int status;
		const char *params;
	} rows[] = {
	    {"GET /tools", NULL, REQUEST_TOOLS_LIST, 200, "{}"},
	    {"GET /tools?cursor=a%20b", NULL, REQUEST_TOOLS_LIST, 200, "{\"cursor\":\"a b\"}"},
	    {"GET /agents", NULL, REQUEST_AGENTS_LIST, 200, "{}"},
	    {"POST /v1/tools/bash/call", "{\"arguments\":{\"command\":\"ls\"}}", REQUEST_TOOLS_CALL,
		200, "{\"command\":\"ls\"}"},
	    {"POST /v1/tools/bash/call", "{}", REQUEST_TOOLS_CALL, 200, "{}"},
	    {"GET /v1/approvals", NULL, REQUEST_APPROVALS_LIST, 200, "{}"},
	    {"GET /v1/approvals?since=7", NULL, REQUEST_APPROVALS_WATCH, 200, "{\"since\":7}"},
	    {"GET /v1/approvals/ab12", NULL, REQUEST_APPROVALS_GET, 200, "{\"id\":\"ab12\"}"},
	    {"POST /v1/approvals/ab12/decision", "{\"decision\":\"deny\"}",
		REQUEST_APPROVALS_DECIDE, 200, "{\"decision\":\"deny\",\"id\":\"ab12\"}"},
	    {"GET /v1/keys", NULL, REQUEST_KEYS_LIST, 200, "{}"},
	    {"GET /v1/keys?tenant=acme", NULL, REQUEST_KEYS_LIST, 200, "{\"tenant\":\"acme\"}"},
	    {"GET /v1/keys?after=key_1", NULL, REQUEST_KEYS_LIST, 200, "{\"after\":\"key_1\"}"},
	    {"POST /v1/keys", "{\"label\":\"x\"}", REQUEST_KEYS_CREATE, 201, "{\"label\":\"x\"}"},
	    {"POST /v1/keys/k1/rotate", "", REQUEST_KEYS_ROTATE, 200, "{\"id\":\"k1\"}"},
	    {"DELETE /v1/keys/k1", NULL, REQUEST_KEYS_REVOKE, 200, "{\"id\":\"k1\"}"},
	    {"POST /v1/tokens", "{\"ttl_s\":60}", REQUEST_TOKENS_ISSUE, 201, "{\"ttl_s\":60}"},
	    {"GET /v1/whoami", NULL, REQUEST_WHOAMI, 200, "{}"},
	    {"GET /api/config", NULL, REQUEST_CONFIG_READ, 200, "{}"},
	    {"POST /api/config", "{\"config\":\"a: 1\"}", REQUEST_CONFIG_WRITE, 200,
		"{\"config\":\"a: 1\"}"},
	    {"GET /.well-known/jwks.json", NULL, REQUEST_TOKENS_KEYS, 200, "{}"},
	};
	struct message_site site = rig_site();
	struct rig rig;

	(void)state;
	site.studio = 1;
	rig_start_with(&rig, &site);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		served(&rig, rows[i].what, JSON_TYPE, rows[i].body, rows[i].method, rows[i].params);
		if (answer.status != rows[i].status)
			fail_msg("%s: %d", rows[i].what, answer.status);
		assert_string_equal(answer.body, "{\"a\":1}");
		assert_string_equal(rig_header(&answer, "Cache-Control"), "no-store");
		assert_true(strlen(rig_header(&answer, "X-Request-Id")) > 16);
	}
	rig_stop(&rig);
}

static void test_names_and_tool_travel(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /v1/tools/git%5Fpush/call",
	    JSON_TYPE "Callgate-Agent: coder\r\nCallgate-Namespace: a\r\n",
	    "{\"agent\":\"coder\",\"arguments\":{}}");
	rig_take(&rig, &visitor, &request);
	assert_string_equal(request.u.request.tool, "git_push");
	assert_string_equal(request.u.request.agent, "coder");
	assert_string_equal(request.u.request.space, "a");
	rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	/* Two opinions, and what is no name. */
	assert_int_equal(rig_status(&rig, "POST /v1/tools/a/call",
			     JSON_TYPE "Callgate-Agent: coder\r\n", "{\"agent\":\"other\"}"),
	    400);
	assert_int_equal(rig_status(&rig, "POST /v1/tools/a/call",
			     JSON_TYPE "Callgate-Namespace: a/b\r\n", "{}"),
	    400);
	assert_int_equal(
	    rig_status(&rig, "POST /v1/tools/a/call", JSON_TYPE, "{\"namespace\":\"../x\"}"), 400);
	assert_int_equal(
	    rig_status(&rig, "POST /v1/tools/a/call", JSON_TYPE, "{\"agent\":7}"), 400);
	assert_int_equal(
	    rig_status(&rig, "POST /v1/tools/a/call", JSON_TYPE, "{\"argument\":{}}"), 400);
	assert_int_equal(
	    rig_status(&rig, "POST /v1/tools/a/call", JSON_TYPE, "{\"arguments\":[]}"), 400);
	rig_stop(&rig);
}

static void test_visitor_is_what_was_shown(void **state)
{
	const char *excluded[] = {"/tools"};
	struct message_site site = rig_site();
	struct message visitor, request;
	struct rig rig;
	uint64_t peer;
	char id[64];
	int fd;

	(void)state;
	site.excluded_paths = (struct strv){excluded, 1};
	rig_start_with(&rig, &site);
	fd = rig_connect(&rig);
	rig_ask(fd, "GET /tools?cursor=x",
	    "Authorization:  Bearer abc.def \r\nX-API-Key: cg_live_1\r\n", NULL);
	rig_take(&rig, &visitor, &request);
	assert_string_equal(visitor.u.visitor.authorization, "Bearer abc.def");
	assert_string_equal(visitor.u.visitor.api_key, "cg_live_1");
	assert_string_equal(visitor.u.visitor.address, "127.0.0.1");
	assert_string_equal(visitor.u.visitor.method, "GET");
	assert_string_equal(visitor.u.visitor.path, "/tools");
	assert_string_equal(visitor.u.visitor.subject, "");
	assert_string_equal(visitor.u.visitor.revision, "");
	assert_int_equal(visitor.u.visitor.https, 0);
	assert_int_equal(visitor.u.visitor.local, 0);
	assert_int_equal(visitor.u.visitor.excluded, 1);
	assert_int_equal(visitor.u.visitor.sans.count, 0);
	peer = visitor.u.visitor.peer;
	snprintf(id, sizeof(id), "%s", visitor.u.visitor.request_id);
	rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
	rig_hear(fd, &answer);
	assert_string_equal(rig_header(&answer, "X-Request-Id"), id);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	/* The same connection again: another peer, another id, nothing left of what was shown. */
	rig_ask(fd, "GET /agents", "", NULL);
	rig_take(&rig, &visitor, &request);
	assert_true(visitor.u.visitor.peer == peer + 1);
	assert_string_not_equal(visitor.u.visitor.request_id, id);
	assert_string_equal(visitor.u.visitor.authorization, "");
	assert_string_equal(visitor.u.visitor.api_key, "");
	assert_int_equal(visitor.u.visitor.excluded, 0);
	rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
	rig_hear(fd, &answer);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

/* ---- errors ---- */

static void fails(struct rig *rig, struct message_reply reply, const char *text)
{
	struct message visitor, request;
	int cleanup_fd fd = rig_connect(rig);

	rig_ask(fd, "GET /v1/whoami", "", NULL);
	rig_take(rig, &visitor, &request);
	reply.kind = REPLY_ERROR;
	reply.body = (struct bytes){text, strlen(text)};
	if (!reply.challenge)
		reply.challenge = "";
	rig_reply_full(rig, request.serial, reply);
	rig_expect(rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	rig_hear(fd, &answer);
}

static void test_errors_have_one_form(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
	    {"{\"code\":401,\"message\":\"m\"}", 401},
	    {"{\"code\":403,\"message\":\"m\"}", 403},
	    {"{\"code\":404,\"message\":\"m\"}", 404},
	    {"{\"code\":409,\"message\":\"m\"}", 409},
	    {"{\"code\":413,\"message\":\"m\"}", 413},
	    {"{\"code\":429,\"message\":\"m\"}", 429},
	    {"{\"code\":503,\"message\":\"m\"}", 503},
	    {"{\"code\":-32602,\"message\":\"m\"}", 400},
	    {"{\"code\":-32602,\"message\":\"Unknown tool: x\"}", 404},
	    {"{\"code\":-32601,\"message\":\"m\"}", 404},
	    {"{\"code\":-32603,\"message\":\"m\"}", 500},
	    {"{\"code\":200,\"message\":\"m\"}", 500},
	    {"{}", 500},
	};
	struct message_site site = rig_site();
	struct rig rig;

	(void)state;
	site.url = "https://gate.example";
	site.issuer = "https://id.example/";
	rig_start_with(&rig, &site);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *body;

		fails(&rig, (struct message_reply){0}, rows[i].text);
		if (answer.status != rows[i].status)
			fail_msg("%s: %d", rows[i].text, answer.status);
		body = json_loads(answer.body, 0, NULL);
		assert_true(json_is_string(json_object_get(body, "error")));
		assert_non_null(json_object_get(body, "details"));
		assert_int_equal(json_object_size(body), 2);
		json_decref(body);
		assert_int_equal(
		    *rig_header(&answer, "WWW-Authenticate") != '\0', rows[i].status == 401);
	}
	/* What REPLY says counts more. */
	fails(&rig, (struct message_reply){.status = 429, .retry_s = 17},
	    "{\"code\":403,\"message\":\"m\",\"data\":{\"x\":1}}");
	assert_int_equal(answer.status, 429);
	assert_string_equal(rig_header(&answer, "Retry-After"), "17");
	assert_string_equal(answer.body, "{\"error\":\"m\",\"details\":{\"x\":1}}");
	fails(&rig, (struct message_reply){.challenge = "error=\"invalid_token\""},
	    "{\"code\":401,\"message\":\"m\"}");
	assert_string_equal(rig_header(&answer, "WWW-Authenticate"),
	    "Bearer resource_metadata=\"https://gate.example/.well-known/"
	    "oauth-protected-resource\", error=\"invalid_token\"");
	fails(&rig,
	    (struct message_reply){.challenge = "error=\"insufficient_scope\", scope=\"a\""},
	    "{\"code\":403,\"message\":\"m\"}");
	assert_non_null(strstr(rig_header(&answer, "WWW-Authenticate"), "insufficient_scope"));
	/* A challenge that would end its line is not sent. */
	fails(&rig, (struct message_reply){.challenge = "a\r\nSet-Cookie: b"},
	    "{\"code\":401,\"message\":\"m\"}");
	assert_int_equal(answer.status, 500);
	assert_null(strstr(answer.head, "Set-Cookie"));
	rig_stop(&rig);
}

static void test_what_is_not_served(void **state)
{
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "GET /v1/audit", "", NULL);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 404);
	assert_string_equal(answer.body, "{\"error\":\"no such path\",\"details\":null}");
	rig_ask(fd, "GET /mcp", "", NULL);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 405);
	assert_string_equal(rig_header(&answer, "Allow"), "POST");
	rig_ask(fd, "DELETE /mcp", "", NULL);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 405);
	close(fd);
	assert_int_equal(rig_status(&rig, "GET /v1/approvals/ab/decision", "", NULL), 405);
	assert_int_equal(rig_status(&rig, "GET /v1//approvals", "", NULL), 400);
	assert_int_equal(rig_status(&rig, "GET /v1/../health", "", NULL), 400);
	assert_int_equal(rig_status(&rig, "GET /v1/approvals/%2e%2e", "", NULL), 400);
	assert_int_equal(rig_status(&rig, "GET /HEALTH", "", NULL), 404);
	assert_int_equal(rig_status(&rig, "PUT /v1/keys", JSON_TYPE, "{}"), 405);
	assert_int_equal(rig_status(&rig, "POST /nothing", JSON_TYPE, "{}"), 404);
	/* The studio is off, and metrics can be. */
	assert_int_equal(rig_status(&rig, "GET /api/config", "", NULL), 404);
	assert_int_equal(rig_status(&rig, "POST /api/config", JSON_TYPE, "{}"), 404);
	rig_quiet(&rig);
	rig_stop(&rig);
}

static void test_bodies_that_are_none(void **state)
{
	struct message_site site = rig_site();
	char *deep = malloc(4096), *long_body = malloc(20000);
	struct rig rig;

	(void)state;
	site.body_max = 10000;
	rig_start_with(&rig, &site);
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, "[]"), 400);
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, "{\"a\":1,\"a\":2}"), 400);
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, "{\"a\":\"\\u0000\"}"), 400);
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, "{} {}"), 400);
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, "nonsense"), 400);
	memset(deep, '[', 1000);
	deep[1000] = '\0';
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, deep), 400);
	memset(long_body, ' ', 19999);
	long_body[19999] = '\0';
	assert_int_equal(rig_status(&rig, "POST /v1/keys", JSON_TYPE, long_body), 413);
	assert_int_equal(rig_status(&rig, "GET /tools", "", "x"), 413);
	/* Refused before a byte of it was sent. */
	assert_int_equal(
	    rig_status(&rig, "POST /v1/keys", JSON_TYPE "Content-Length: 104857600\r\n", NULL),
	    413);
	/* The path and the body are about the same thing. */
	assert_int_equal(
	    rig_status(&rig, "POST /v1/keys/a/rotate", JSON_TYPE, "{\"id\":\"b\"}"), 400);
	assert_int_equal(rig_status(&rig, "GET /v1/approvals?since=-1", "", NULL), 400);
	assert_int_equal(rig_status(&rig, "GET /v1/approvals?since=1&since=2", "", NULL), 400);
	rig_quiet(&rig);
	free(deep);
	free(long_body);
	rig_stop(&rig);
}

static void test_callback_keeps_bytes_and_signature(void **state)
{
	struct message visitor, request;
	struct rig rig;
	json_t *got, *want;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /v1/approvals/callback/ops",
	    "Webhook-Id: m1\r\nwebhook-timestamp: 12\r\nWEBHOOK-SIGNATURE: v1,abc=\r\n"
	    "X-Hub-Signature-256: sha256=00\r\nX-Slack-Signature: v0=1\r\nCookie: secret\r\n"
	    "Authorization: Bearer x\r\nContent-Type: text/plain\r\n",
	    "{\"b\": 1,\n \"b\":\"\xc3\xa9\"}");
	rig_take(&rig, &visitor, &request);
	assert_int_equal(request.u.request.method, REQUEST_CALLBACK);
	got = json_loadb(request.u.request.body.data, request.u.request.body.len, 0, NULL);
	want = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s}}", "channel", "ops", "text",
	    "{\"b\": 1,\n \"b\":\"\xc3\xa9\"}", "headers", "webhook-id", "m1", "webhook-timestamp",
	    "12", "webhook-signature", "v1,abc=", "x-hub-signature-256", "sha256=00",
	    "x-slack-signature", "v0=1", "content-type", "text/plain");
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	close(fd);
	assert_int_equal(rig_status(&rig, "GET /v1/approvals/callback/ops", "", NULL), 405);
	assert_int_equal(rig_status(&rig, "POST /v1/approvals/callback/ops", "", "\xff\xfe"), 400);
	assert_int_equal(rig_status(&rig, "POST /v1/approvals/callback/ops",
			     "webhook-id: a\r\nwebhook-id: b\r\n", "{}"),
	    400);
	assert_int_equal(
	    rig_status(&rig, "POST /v1/approvals/callback/ops", "Content-Length: 65537\r\n", NULL),
	    413);
	rig_quiet(&rig);
	rig_stop(&rig);
}

static void test_metrics_are_text(void **state)
{
	static const struct {
		const char *accept, *type, *format;
	} rows[] = {
	    {"", "text/plain; version=0.0.4; charset=utf-8", "{\"format\":\"prometheus\"}"},
	    {"Accept: application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.3\r\n",
		"application/openmetrics-text; version=1.0.0; charset=utf-8",
		"{\"format\":\"openmetrics\"}"},
	};
	struct message_site site = rig_site();
	struct message visitor, request, counts;
	struct rig rig;

	(void)state;
	rig_start(&rig);
	assert_int_equal(rig_status(&rig, "GET /health", "", NULL), 200);
	assert_int_equal(rig_status(&rig, "GET /nothing", "", NULL), 404);
	for (int i = 0; i < 2; i++) {
		int fd = rig_connect(&rig);

		rig_ask(fd, "GET /metrics", rows[i].accept, NULL);
		rig_next(&rig, &counts, MESSAGE_COUNTS);
		if (i == 0) {
			assert_true(counts.u.counts.health == 1);
			assert_true(counts.u.counts.answered == 1);
			assert_true(counts.u.counts.connections >= 1);
		} else {
			assert_true(counts.u.counts.health == 0);
		}
		message_fini(&counts);
		rig_take(&rig, &visitor, &request);
		assert_int_equal(request.u.request.method, REQUEST_METRICS);
		assert_memory_equal(
		    request.u.request.body.data, rows[i].format, strlen(rows[i].format));
		rig_reply(&rig, request.serial, REPLY_RESULT, "{\"text\":\"a 1\\n# EOF\\n\"}");
		rig_expect(&rig, MESSAGE_PEER_GONE);
		message_fini(&visitor);
		message_fini(&request);
		rig_hear(fd, &answer);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.body, "a 1\n# EOF\n");
		assert_string_equal(rig_header(&answer, "Content-Type"), rows[i].type);
		close(fd);
	}
	site.metrics = 0;
	assert_int_equal(rig_say_site(&rig, &site, NULL, 0), ANSWER_OK);
	assert_int_equal(rig_status(&rig, "GET /metrics", "", NULL), 404);
	rig_stop(&rig);
}

static void test_what_everybody_may_read(void **state)
{
	struct message_site site = rig_site();
	struct rig rig;
	json_t *card;
	int fd;

	(void)state;
	rig_start(&rig);
	assert_int_equal(
	    rig_status(&rig, "GET /.well-known/oauth-protected-resource", "", NULL), 404);
	site.issuer = "https://id.example/";
	site.auth = 1;
	assert_int_equal(rig_say_site(&rig, &site, NULL, 0), ANSWER_OK);
	fd = rig_connect(&rig);
	rig_ask(
	    fd, "GET /.well-known/oauth-protected-resource/mcp", "Host: localhost:99\r\n", NULL);
	rig_hear(fd, &answer);
	assert_non_null(strstr(answer.body, "\"resource\":\"http://localhost:99/mcp\""));
	assert_non_null(strstr(answer.body, "\"authorization_servers\":[\"https://id.example/\"]"));
	rig_ask(fd, "GET /.well-known/agent-card.json", "", NULL);
	rig_hear(fd, &answer);
	card = json_loads(answer.body, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(card, "url")), "http://localhost/mcp");
	assert_int_equal(json_object_size(json_object_get(card, "securitySchemes")), 2);
	json_decref(card);
	for (int i = 0; i < 3; i++) {
		static const char *const what[] = {"GET /", "GET /page.js", "HEAD /page.css"};

		rig_ask(fd, what[i], "", NULL);
		if (i < 2)
			rig_hear(fd, &answer);
		else
			rig_hear_head(fd, &answer);
		assert_int_equal(answer.status, 200);
		assert_non_null(
		    strstr(rig_header(&answer, "Content-Security-Policy"), "default-src 'none'"));
		assert_string_equal(rig_header(&answer, "X-Content-Type-Options"), "nosniff");
	}
	close(fd);
	rig_quiet(&rig);
	rig_stop(&rig);
}

/* Every row names a handler and an end, and there is one row for each method of a path. */
static void test_table_is_sound(void **state)
{
	size_t count;
	const struct http_route *table = route_table(&count);

	(void)state;
	assert_true(count > 20);
	for (size_t i = 0; i < count; i++) {
		const struct route *row = route_row(i);

		assert_non_null(row->handler);
		assert_true(row->status == 200 || row->status == 201);
		assert_true(row->body == ROUTE_BODY_NONE || table[i].method == HTTP_METHOD_POST);
		for (size_t k = i + 1; k < count; k++)
			assert_false(table[i].method == table[k].method &&
				     strcmp(table[i].pattern, table[k].pattern) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_is_sound),
	    cmocka_unit_test(test_every_route_becomes_its_request),
	    cmocka_unit_test(test_names_and_tool_travel),
	    cmocka_unit_test(test_visitor_is_what_was_shown),
	    cmocka_unit_test(test_errors_have_one_form),
	    cmocka_unit_test(test_what_is_not_served),
	    cmocka_unit_test(test_bodies_that_are_none),
	    cmocka_unit_test(test_callback_keeps_bytes_and_signature),
	    cmocka_unit_test(test_metrics_are_text),
	    cmocka_unit_test(test_what_everybody_may_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
