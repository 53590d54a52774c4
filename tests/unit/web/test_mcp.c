#include "tests/unit/web/rig.h"

#include "agent-api/web/mcp_headers.h"

static struct rig_answer answer;

#define ACCEPT         JSON_TYPE "Accept: application/json, text/event-stream\r\n"
#define MODERN(method) ACCEPT "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " method "\r\n"
#define META                                                                                       \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                   \
	"\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define LEGACY ACCEPT "MCP-Protocol-Version: 2025-11-25\r\n"
#define CALL(id, more)                                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":"       \
	"\"bash\",\"arguments\":{}" more "}}"

/* Answered without engine; the code of the error (0: none). */
static int code_of(struct rig *rig, const char *headers, const char *body)
{
	int cleanup_fd fd = rig_connect(rig);
	json_t *value;
	int code;

	rig_ask(fd, "POST /mcp", headers, body);
	rig_hear(fd, &answer);
	value = json_loads(answer.body, 0, NULL);
	code = (int)json_integer_value(json_object_get(json_object_get(value, "error"), "code"));
	json_decref(value);
	return code;
}

static void expect(struct rig *rig, const char *headers, const char *body, int status, int code)
{
	int got = code_of(rig, headers, body);

	if (got != code || answer.status != status)
		fail_msg("%s\n%s\n%d %s", headers, body, answer.status, answer.body);
}

static void test_headers_and_body_agree(void **state)
{
	static const char list[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}";
	struct rig rig;

	(void)state;
	rig_start(&rig);
	expect(&rig, ACCEPT, list, 400, -32020);
	expect(&rig, ACCEPT "MCP-Protocol-Version: 2026-07-28\r\n", list, 400, -32020);
	expect(&rig, ACCEPT "Mcp-Method: tools/list\r\n", list, 400, -32020);
	expect(&rig, MODERN("tools/call"), list, 400, -32020);
	expect(&rig, MODERN("Tools/List"), list, 400, -32020);
	expect(&rig, LEGACY "Mcp-Method: tools/list\r\n", list, 400, -32020);
	expect(&rig, MODERN("tools/call"), CALL("1", "," META), 400, -32020);
	expect(&rig, MODERN("tools/call") "Mcp-Name: Bash\r\n", CALL("1", "," META), 400, -32020);
	expect(&rig, MODERN("tools/call") "Mcp-Name: =?base64?YmFzaA?=\r\n", CALL("1", "," META),
	    400, -32020);
	expect(&rig, MODERN("tools/call") "Mcp-Name: bash\r\nMcp-Name: bash\r\n",
	    CALL("1", "," META), 400, 0);
	/* Versions, missing parts, unknown methods. */
	expect(&rig, ACCEPT "MCP-Protocol-Version: 2099-01-01\r\nMcp-Method: tools/list\r\n",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\","
	    "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
	    400, -32022);
	assert_non_null(strstr(answer.body, "\"supported\":[\"2026-07-28\""));
	assert_non_null(strstr(answer.body, "\"requested\":\"2099-01-01\""));
	expect(&rig, ACCEPT "MCP-Protocol-Version: 1.0\r\n",
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", 400, -32022);
	expect(&rig, MODERN("tools/list"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", 400, -32602);
	expect(&rig, MODERN("tools/list"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}",
	    400, -32602);
	expect(&rig, MODERN("no/such"),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"no/such\",\"params\":{" META "}}", 404,
	    -32601);
	assert_non_null(strstr(answer.body, "\"id\":\"x\""));
	expect(&rig, MODERN("callgate/stdin"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"callgate/stdin\",\"params\":{" META "}}",
	    404, -32601);
	expect(&rig, LEGACY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}", 200, -32601);
	/* What is no message. */
	expect(&rig, ACCEPT, "{", 400, -32700);
	expect(&rig, ACCEPT, "{\"id\":1,\"id\":2}", 400, -32700);
	expect(&rig, ACCEPT, "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", 400, -32600);
	expect(&rig, ACCEPT, "", 400, -32700);
	expect(&rig, JSON_TYPE "Accept: text/html\r\n", CALL("1", ""), 406, 0);
	expect(&rig, JSON_TYPE "Accept: application/json\r\n", CALL("1", ""), 406, 0);
	expect(&rig, JSON_TYPE "Accept: application/json;q=0, text/event-stream\r\n", CALL("1", ""),
	    406, 0);
	/* Names in header and body. */
	expect(&rig, LEGACY "Callgate-Agent: a\r\n",
	    CALL("1", ",\"_meta\":{\"callgate/agent\":\"b\"}"), 400, -32020);
	expect(&rig, LEGACY, CALL("1", ",\"_meta\":{\"callgate/credential\":\"b\"}"), 200, -32602);
	expect(&rig, LEGACY, CALL("1", ",\"_meta\":{\"callgate/stream\":{\"output\":true}}"), 200,
	    -32602);
	rig_quiet(&rig);
	rig_stop(&rig);
}

static void test_modern_call_is_plain_when_quick(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp",
	    MODERN("tools/call") "Mcp-Name: =?base64?YmFzaA==?=\r\nCallgate-Agent: coder\r\n"
				 "Mcp-Session-Id: whatever\r\nLast-Event-ID: 7\r\n",
	    CALL("\"a\"", "," META));
	rig_take(&rig, &visitor, &request);
	assert_string_equal(visitor.u.visitor.revision, "2026-07-28");
	assert_int_equal(request.u.request.era, ERA_MODERN);
	assert_int_equal(request.u.request.method, REQUEST_TOOLS_CALL);
	assert_int_equal(request.u.request.options, REQUEST_CAN_HEAR);
	assert_string_equal(request.u.request.tool, "bash");
	assert_string_equal(request.u.request.agent, "coder");
	rig_reply(&rig, request.serial, REPLY_RESULT, "{\"x\":1}");
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(rig_header(&answer, "Content-Type"), "application/json");
	assert_string_equal(answer.body, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"x\":1}}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

static void test_slow_call_becomes_a_stream(void **state)
{
	struct message visitor, request;
	struct rig rig;
	uint64_t peer;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", LEGACY, CALL("5", ",\"_meta\":{\"progressToken\":\"t\"}"));
	rig_take(&rig, &visitor, &request);
	peer = visitor.u.visitor.peer;
	assert_string_equal(visitor.u.visitor.revision, "2025-11-25");
	assert_string_equal(request.u.request.progress, "\"t\"");
	rig_hear_head(fd, &answer); /* nothing was said yet */
	assert_int_equal(answer.status, 200);
	assert_string_equal(rig_header(&answer, "Content-Type"), "text/event-stream");
	assert_string_equal(rig_header(&answer, "X-Accel-Buffering"), "no");
	rig_hear_text(fd, &answer, ":\n\n");
	rig_notify(&rig, peer, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}");
	rig_hear_text(fd, &answer,
	    "event: message\ndata: "
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n");
	rig_notify(&rig, peer + 1, "{\"of\":\"nobody\"}");
	rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
	rig_hear_text(fd, &answer, "data: {\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n\n");
	rig_hear_text(fd, &answer, "\r\n0\r\n\r\n");
	assert_null(strstr(answer.body, "nobody"));
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	/* The connection goes on. */
	rig_ask(fd, "GET /health", "", NULL);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	close(fd);
	rig_stop(&rig);
}

/* Who asks for JSON only by a wildcard gets it, however long it takes. */
static void test_wildcards_get_no_stream(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", JSON_TYPE "Accept: */*\r\n", CALL("5", ""));
	rig_take(&rig, &visitor, &request);
	assert_string_equal(visitor.u.visitor.revision, "2025-03-26"); /* nothing said */
	assert_false(rig_ready(fd, 300));
	rig_notify(&rig, visitor.u.visitor.peer, "{\"method\":\"notifications/progress\"}");
	assert_false(rig_ready(fd, 100));
	rig_reply(&rig, request.serial, REPLY_ERROR, "{\"code\":-32602,\"message\":\"m\"}");
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

static void test_hanging_up_cancels(void **state)
{
	struct message visitor, request;
	struct rig rig;

	(void)state;
	rig_start(&rig);
	for (int how = 0; how < 4; how++) {
		int fd = rig_connect(&rig);

		rig_ask(fd, "POST /mcp", LEGACY, CALL("5", ""));
		rig_take(&rig, &visitor, &request);
		if (how & 1)
			rig_hear_head(fd, &answer); /* in the middle of the stream */
		if (how & 2)
			shutdown(fd, SHUT_WR);
		else
			close(fd);
		assert_true(rig_expect(&rig, MESSAGE_CANCEL) == request.serial);
		assert_true(rig_expect(&rig, MESSAGE_PEER_GONE) == visitor.u.visitor.peer);
		/* Too late, and of no harm. */
		rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
		rig_notify(&rig, visitor.u.visitor.peer, "{}");
		if (how & 2) {
			char bytes[64];

			while (rig_ready(fd, RIG_WAIT_MS) && read(fd, bytes, sizeof(bytes)) > 0)
				;
			close(fd);
		}
		message_fini(&visitor);
		message_fini(&request);
	}
	rig_stop(&rig);
}

/* ---- handshake, and who may have one ---- */

#define INITIALIZE                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"                     \
	"\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"elicitation\":{}},"                \
	"\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"

static void test_handshake_is_answered_here(void **state)
{
	bool can_elicit = false;
	const char *session;
	struct rig rig;

	(void)state;
	rig_start(&rig);
	expect(&rig, ACCEPT, INITIALIZE, 200, 0);
	assert_non_null(strstr(answer.body, "\"protocolVersion\":\"2025-11-25\""));
	session = rig_header(&answer, "Mcp-Session-Id");
	assert_true(mcp_session_read((struct http_text){session, strlen(session)}, &can_elicit));
	assert_true(can_elicit);
	expect(
	    &rig, ACCEPT, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", 202, 0);
	assert_int_equal(answer.body_len, 0);
	expect(&rig, LEGACY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", 200, 0);
	expect(&rig, MODERN("server/discover"),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META "}}",
	    200, 0);
	assert_string_equal(rig_header(&answer, "Mcp-Session-Id"), "");
	expect(
	    &rig, LEGACY, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", 200, -32602);
	rig_quiet(&rig);
	rig_stop(&rig);
}

static void test_strangers_are_told_how_to_sign_in(void **state)
{
	struct message_site site = rig_site();
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	site.auth = 1;
	site.require_auth = 1;
	site.issuer = "https://id.example/";
	site.url = "https://gate.example";
	rig_start_with(&rig, &site);
	expect(&rig, ACCEPT, INITIALIZE, 401, 401);
	assert_string_equal(rig_header(&answer, "WWW-Authenticate"),
	    "Bearer resource_metadata=\"https://gate.example/.well-known/"
	    "oauth-protected-resource\"");
	expect(&rig, MODERN("tools/list"), "garbage", 401, 401);
	rig_quiet(&rig);
	/* A credential is engine's to judge, before the handshake is answered. */
	for (int good = 0; good < 2; good++) {
		fd = rig_connect(&rig);
		rig_ask(fd, "POST /mcp", ACCEPT "Authorization: Bearer x\r\n", INITIALIZE);
		rig_take(&rig, &visitor, &request);
		assert_int_equal(request.u.request.method, REQUEST_WHOAMI);
		if (good)
			rig_reply(&rig, request.serial, REPLY_RESULT, "{\"principal\":\"p\"}");
		else
			rig_reply_full(&rig, request.serial,
			    (struct message_reply){.kind = REPLY_ERROR,
				.status = 401,
				.challenge = "error=\"invalid_token\"",
				.body = {"{\"code\":401,\"message\":\"m\"}", 26}});
		rig_hear(fd, &answer);
		assert_int_equal(answer.status, good ? 200 : 401);
		assert_int_equal(*rig_header(&answer, "Mcp-Session-Id") != '\0', good);
		assert_int_equal(strstr(answer.body, "protocolVersion") != NULL, good);
		assert_null(strstr(answer.body, "principal"));
		assert_int_equal(
		    strstr(rig_header(&answer, "WWW-Authenticate"), "invalid_token") != NULL,
		    !good);
		rig_expect(&rig, MESSAGE_PEER_GONE);
		message_fini(&visitor);
		message_fini(&request);
		close(fd);
	}
	rig_stop(&rig);
}

/* A token may wait for its issuer's keys; the refusal is a status all the same. */
static void test_late_refusal_is_a_status(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", LEGACY "Authorization: Bearer a.b.c\r\n", CALL("5", ""));
	rig_take(&rig, &visitor, &request);
	assert_false(rig_ready(fd, 400));
	rig_reply_full(&rig, request.serial,
	    (struct message_reply){.kind = REPLY_ERROR,
		.challenge = "",
		.body = {"{\"code\":401,\"message\":\"m\"}", 26}});
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 401);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

/* Engine says it by the code alone. */
static void test_who_may_not_ask_gets_a_status(void **state)
{
	static const struct {
		int code;
		int status;
	} rows[] = {{401, 401}, {403, 403}, {429, 429}, {503, 503}, {404, 200}, {-32602, 200}};
	struct message visitor, request;
	struct rig rig;

	(void)state;
	rig_start(&rig);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		int cleanup_fd fd = rig_connect(&rig);
		char body[64];
		int n = snprintf(
		    body, sizeof(body), "{\"code\":%d,\"message\":\"m\"}", rows[i / 2].code);

		if (i % 2)
			rig_ask(fd, "POST /mcp", MODERN("tools/call") "Mcp-Name: bash\r\n",
			    CALL("5", "," META));
		else
			rig_ask(fd, "POST /mcp", LEGACY, CALL("5", ""));
		rig_take(&rig, &visitor, &request);
		rig_reply_full(&rig, request.serial,
		    (struct message_reply){.kind = REPLY_ERROR,
			.retry_s = rows[i / 2].code == 429 ? 7 : 0,
			.challenge = rows[i / 2].code == 403 ? "error=\"insufficient_scope\"" : "",
			.body = {body, (size_t)n}});
		rig_hear(fd, &answer);
		assert_int_equal(answer.status, rows[i / 2].status);
		if (answer.status == 401 || answer.status == 403)
			assert_string_not_equal(rig_header(&answer, "WWW-Authenticate"), "");
		if (answer.status == 429)
			assert_string_equal(rig_header(&answer, "Retry-After"), "7");
		rig_expect(&rig, MESSAGE_PEER_GONE);
		message_fini(&visitor);
		message_fini(&request);
	}
	rig_stop(&rig);
}

/* ---- the old era's questions and cancels ---- */

#define SESSION   "Mcp-Session-Id: cg1-e-000102030405060708090a0b0c0d0e0f\r\n"
#define SESSION_2 "Mcp-Session-Id: cg1-e-ff0102030405060708090a0b0c0d0e0f\r\n"
#define SESSION_N "Mcp-Session-Id: cg1-n-000102030405060708090a0b0c0d0e0f\r\n"
#define YES       "{\"jsonrpc\":\"2.0\",\"id\":\"q-1\",\"result\":{\"action\":\"accept\"}}"

static void test_answers_count_from_who_was_asked(void **state)
{
	struct message visitor, request, response;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", LEGACY SESSION "X-API-Key: k\r\n", CALL("5", ""));
	rig_take(&rig, &visitor, &request);
	assert_int_equal(request.u.request.options, REQUEST_CAN_ELICIT | REQUEST_CAN_HEAR);
	rig_notify(&rig, visitor.u.visitor.peer,
	    "{\"jsonrpc\":\"2.0\",\"id\":\"q-1\",\"method\":\"elicitation/create\"}");
	rig_hear_head(fd, &answer);
	rig_hear_text(fd, &answer, "elicitation/create");
	/* Another credential, another session, none, an id never asked. */
	expect(&rig, LEGACY SESSION, YES, 400, -32600);
	expect(&rig, LEGACY SESSION "X-API-Key: j\r\n", YES, 400, -32600);
	expect(&rig, LEGACY SESSION_2 "X-API-Key: k\r\n", YES, 400, -32600);
	expect(&rig, LEGACY "X-API-Key: k\r\n", YES, 400, -32600);
	expect(&rig, LEGACY SESSION "X-API-Key: k\r\n",
	    "{\"jsonrpc\":\"2.0\",\"id\":\"q-2\",\"result\":{}}", 400, -32600);
	rig_quiet(&rig);
	expect(&rig, LEGACY SESSION "X-API-Key: k\r\n", YES, 202, 0);
	rig_next(&rig, &response, MESSAGE_RESPONSE);
	assert_true(response.u.response.peer == visitor.u.visitor.peer);
	assert_string_equal(response.u.response.id, "q-1");
	assert_int_equal(response.u.response.kind, REPLY_RESULT);
	message_fini(&response);
	expect(&rig, LEGACY SESSION "X-API-Key: k\r\n", YES, 400, -32600); /* once */
	rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

static void test_who_may_be_asked(void **state)
{
	static const struct {
		const char *headers;
		uint32_t options;
	} rows[] = {
	    {LEGACY SESSION, REQUEST_CAN_ELICIT | REQUEST_CAN_HEAR},
	    {LEGACY SESSION_N, REQUEST_CAN_HEAR}, {LEGACY, REQUEST_CAN_HEAR},
	    {LEGACY "Mcp-Session-Id: cg1-e-00\r\n", REQUEST_CAN_HEAR},
	    {ACCEPT SESSION, REQUEST_CAN_HEAR}, /* 2025-03-26 has no questions */
	    {JSON_TYPE "MCP-Protocol-Version: 2025-11-25\r\n" SESSION, 0}, /* nor has JSON alone */
	};
	struct message visitor, request;
	struct rig rig;

	(void)state;
	rig_start(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = rig_connect(&rig);

		rig_ask(fd, "POST /mcp", rows[i].headers, CALL("5", ""));
		rig_take(&rig, &visitor, &request);
		if (request.u.request.options != rows[i].options)
			fail_msg("row %zu", i);
		rig_reply(&rig, request.serial, REPLY_RESULT, "{}");
		rig_expect(&rig, MESSAGE_PEER_GONE);
		rig_hear(fd, &answer);
		message_fini(&visitor);
		message_fini(&request);
		close(fd);
	}
	rig_stop(&rig);
}

static void test_cancel_in_words(void **state)
{
	static const char cancel[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
				     "\"params\":{\"requestId\":5}}";
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", LEGACY SESSION, CALL("5", ""));
	rig_take(&rig, &visitor, &request);
	expect(&rig, LEGACY SESSION_2, cancel, 202, 0);
	expect(&rig, LEGACY, cancel, 202, 0);
	expect(&rig, LEGACY SESSION "X-API-Key: j\r\n", cancel, 202, 0);
	rig_quiet(&rig);
	expect(&rig, LEGACY SESSION, cancel, 202, 0);
	assert_true(rig_expect(&rig, MESSAGE_CANCEL) == request.serial);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

static void test_subscription_is_a_stream(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", MODERN("subscriptions/listen"),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"subscriptions/listen\",\"params\":{"
	    "\"notifications\":{\"toolsListChanged\":true}," META "}}");
	rig_take(&rig, &visitor, &request);
	assert_int_equal(request.u.request.method, REQUEST_SUBSCRIBE);
	assert_non_null(memmem(request.u.request.body.data, request.u.request.body.len,
	    "\"subscription\":\"\\\"s\\\"\"", 22));
	rig_notify(&rig, visitor.u.visitor.peer, "{\"ack\":1}");
	rig_hear_head(fd, &answer);
	rig_hear_text(fd, &answer, "data: {\"ack\":1}");
	rig_reply(&rig, request.serial, REPLY_RESULT, "{\"done\":1}");
	rig_hear_text(fd, &answer, "\"id\":\"s\",\"result\":{\"done\":1}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	message_fini(&visitor);
	message_fini(&request);
	close(fd);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_headers_and_body_agree),
	    cmocka_unit_test(test_modern_call_is_plain_when_quick),
	    cmocka_unit_test(test_slow_call_becomes_a_stream),
	    cmocka_unit_test(test_wildcards_get_no_stream),
	    cmocka_unit_test(test_hanging_up_cancels),
	    cmocka_unit_test(test_handshake_is_answered_here),
	    cmocka_unit_test(test_strangers_are_told_how_to_sign_in),
	    cmocka_unit_test(test_late_refusal_is_a_status),
	    cmocka_unit_test(test_who_may_not_ask_gets_a_status),
	    cmocka_unit_test(test_answers_count_from_who_was_asked),
	    cmocka_unit_test(test_who_may_be_asked),
	    cmocka_unit_test(test_cancel_in_words),
	    cmocka_unit_test(test_subscription_is_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
