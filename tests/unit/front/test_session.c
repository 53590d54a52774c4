/* What a connection has beyond single requests: the handshake's revision, batches, streams of
 * notifications, wishes beside a call, and answers to what the server asked. */
#include "tests/unit/front/rig.h"

#include "agent-api/wire/asked.h"
#include "agent-api/wire/limits.h"

#define MODERN_CAPS(caps)                                                                          \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                              \
	"\"io.modelcontextprotocol/clientCapabilities\":" caps
#define MODERN MODERN_CAPS("{}")
#define CALL_META(id, meta)                                                                        \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                                          \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"bash\",\"arguments\":{},"               \
	"\"_meta\":{" meta "}}}\n"

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_start(rig, 4096);
	*state = rig;
	return 0;
}

static int stop(void **state)
{
	int status = rig_stop(*state);

	free(*state);
	assert_int_equal(status, 1); /* engine left without a word */
	return 0;
}

static void expect_body(struct message *message, const char *json)
{
	json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);
	const struct bytes *body = message->type == MESSAGE_RESPONSE ? &message->u.response.body
								     : &message->u.request.body;
	json_t *got = json_loadb(body->data, body->len, JSON_DECODE_ANY, NULL);

	assert_non_null(expected);
	if (!json_equal(got, expected))
		fail_msg("%.*s instead of %s", (int)body->len, (const char *)body->data, json);
	json_decref(got);
	json_decref(expected);
}

static int initialized(struct rig *rig, const char *version, const char *capabilities)
{
	int fd = rig_client(rig);
	struct message message;
	char line[512], body[128];

	snprintf(line, sizeof(line),
	    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
	    "{\"protocolVersion\":\"%s\",\"capabilities\":%s}}\n",
	    version, capabilities);
	rig_say(fd, line);
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_int_equal(message.u.request.method, REQUEST_SUBSCRIBE);
	assert_int_equal(message.u.request.era, ERA_LEGACY);
	snprintf(body, sizeof(body), "{\"revision\":\"%s\"}", version);
	expect_body(&message, body);
	rig_reply(rig, message.serial, REPLY_SILENT, ""); /* nobody waits for it */
	message_fini(&message);
	json_decref(rig_hear(fd));
	return fd;
}

static void bye(struct rig *rig, int fd)
{
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* ---- the handshake ---- */

static void what_a_handshake_allows_is_kept(void **state)
{
	static const struct {
		const char *version, *capabilities;
		uint32_t options;
	} ROWS[] = {
	    {"2025-11-25", "{\"elicitation\":{}}", REQUEST_CAN_ELICIT},
	    {"2025-06-18", "{\"elicitation\":{\"form\":{}}}", REQUEST_CAN_ELICIT},
	    {"2025-11-25", "{}", 0},
	    {"2025-03-26", "{\"elicitation\":{}}", 0},
	    {"2024-11-05", "{\"elicitation\":{}}", 0},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		int fd = initialized(rig, ROWS[i].version, ROWS[i].capabilities);
		struct message message;

		rig_say(fd, CALL_META("1", ""));
		rig_next(rig, &message, MESSAGE_REQUEST);
		assert_int_equal(message.u.request.options, ROWS[i].options | REQUEST_CAN_HEAR);
		message_fini(&message);
		/* a modern request on the same connection speaks for itself */
		rig_say(fd, CALL_META("2", MODERN));
		rig_next(rig, &message, MESSAGE_REQUEST);
		assert_int_equal(message.u.request.era, ERA_MODERN);
		assert_int_equal(message.u.request.options, REQUEST_CAN_HEAR);
		message_fini(&message);
		bye(rig, fd);
	}
}

static void wishes_travel_with_the_call(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	struct message message;

	rig_say(fd, CALL_META("1", "\"progressToken\":\"t\\n\",\"callgate/stream\":"
				   "{\"stdin\":true,\"output\":true}"));
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_string_equal(message.u.request.progress, "\"t\\n\"");
	assert_string_equal(message.u.request.retry, "");
	assert_int_equal(message.u.request.options,
	    REQUEST_STREAM_INPUT | REQUEST_STREAM_OUTPUT | REQUEST_CAN_HEAR);
	assert_int_equal(message.u.request.log, 0);
	message_fini(&message);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":"
		    "{\"name\":\"bash\",\"requestState\":\"s\",\"inputResponses\":{\"approval\":"
		    "{\"action\":\"decline\"}},\"_meta\":{"
		    "\"io.modelcontextprotocol/logLevel\":\"error\"," MODERN_CAPS(
			"{\"elicitation\":{}}") "}}}\n");
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_string_equal(message.u.request.retry,
	    "{\"inputResponses\":{\"approval\":{\"action\":\"decline\"}},\"requestState\":\"s\"}");
	assert_int_equal(message.u.request.options, REQUEST_CAN_ELICIT | REQUEST_CAN_HEAR);
	assert_int_equal(message.u.request.log, 5);
	message_fini(&message);
	rig_say(fd, CALL_META("3", "\"progressToken\":{}"));
	assert_int_equal(rig_hear_error(fd, NULL), -32602);
	rig_say(fd, CALL_META("4", "\"callgate/stream\":[]"));
	assert_int_equal(rig_hear_error(fd, NULL), -32602);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":"
		    "{\"name\":\"bash\",\"inputResponses\":{\"a\":{}},\"_meta\":{" MODERN "}}}\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32021);
	/* wishes are for calls: other methods ignore a token, as MCP lets them */
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/list\",\"params\":"
		    "{\"cursor\":\"x\",\"_meta\":{\"progressToken\":1}}}\n");
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_string_equal(message.u.request.progress, "");
	expect_body(&message, "{\"cursor\":\"x\"}");
	message_fini(&message);
	bye(rig, fd);
}

/* ---- batches ---- */

static void only_one_revision_has_batches(void **state)
{
	static const char *const OTHERS[] = {"2025-11-25", "2025-06-18", "2024-11-05"};
	struct rig *rig = *state;
	int fd = rig_client(rig);

	rig_say(fd, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32600);
	bye(rig, fd);
	for (size_t i = 0; i < 3; i++) {
		fd = initialized(rig, OTHERS[i], "{}");
		rig_say(fd, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]\n");
		assert_int_equal(rig_hear_error(fd, NULL), -32600);
		bye(rig, fd);
	}
}

static void each_message_of_a_batch_is_served(void **state)
{
	struct rig *rig = *state;
	int fd = initialized(rig, "2025-03-26", "{}");
	json_int_t id = 0;
	uint64_t serial;

	rig_say(fd, " [{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"},"
		    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"},"
		    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"},"
		    "7,"
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}]\n");
	serial = rig_expect(rig, MESSAGE_REQUEST);
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
	assert_int_equal(rig_hear_error(fd, &id), -32600);
	assert_int_equal(id, -1);
	assert_int_equal(rig_hear_error(fd, &id), -32600); /* its id is in flight */
	assert_int_equal(id, 1);
	rig_reply(rig, serial, REPLY_RESULT, "{\"tools\":[]}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}");
	rig_say(fd, "[]\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32600);
	rig_say(fd, "[{\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32700);
	rig_ping(fd);
	bye(rig, fd);
}

/* ---- streams of notifications ---- */

#define LISTEN(id)                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                                          \
	",\"method\":\"subscriptions/listen\",\"params\":{\"notifications\":"                      \
	"{\"toolsListChanged\":true},\"_meta\":{" MODERN "}}}\n"

static void a_stream_is_named_after_its_request(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	struct message message;
	uint64_t serial;

	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscriptions/listen\","
		    "\"params\":{\"notifications\":{}}}\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32601); /* not of the legacy era */
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscriptions/listen\","
		    "\"params\":{\"_meta\":{" MODERN "}}}\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32602);
	rig_say(fd, LISTEN("\"s\""));
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_int_equal(message.u.request.method, REQUEST_SUBSCRIBE);
	assert_int_equal(message.u.request.era, ERA_MODERN);
	expect_body(&message,
	    "{\"notifications\":{\"toolsListChanged\":true},\"subscription\":\"\\\"s\\\"\"}");
	serial = message.serial;
	message_fini(&message);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
		    "{\"requestId\":\"s\"}}\n");
	assert_int_equal(rig_expect(rig, MESSAGE_CANCEL), serial);
	bye(rig, fd);
}

/* A bridge whose client has closed its input must come to an end. */
static void a_stream_does_not_keep_a_silent_client(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	uint64_t stream, other;

	rig_say(fd, LISTEN("1"));
	stream = rig_expect(rig, MESSAGE_REQUEST);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}\n");
	other = rig_expect(rig, MESSAGE_REQUEST);
	shutdown(fd, SHUT_WR);
	assert_int_equal(rig_expect(rig, MESSAGE_CANCEL), stream);
	rig_reply(rig, stream, REPLY_SILENT, "");
	rig_reply(rig, other, REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
	rig_hear_end(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* ---- streams of a call ---- */

static void only_a_call_of_ones_own_has_streams(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig), other = rig_client(rig);
	struct message message;
	char body[128];
	uint64_t call;

	rig_say(fd, CALL_META("\"c\"", "\"callgate/stream\":{\"output\":true}"));
	call = rig_expect(rig, MESSAGE_REQUEST);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"callgate/output\",\"params\":"
		    "{\"requestId\":\"c\"}}\n");
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_int_equal(message.u.request.method, REQUEST_STREAM_READ);
	snprintf(body, sizeof(body), "{\"request\":%llu}", (unsigned long long)call);
	expect_body(&message, body);
	message_fini(&message);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"callgate/stdin\",\"params\":"
		    "{\"requestId\":\"c\",\"data\":\"eA==\",\"end\":true,\"request\":1}}\n");
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_int_equal(message.u.request.method, REQUEST_STREAM_WRITE);
	snprintf(body, sizeof(body), "{\"data\":\"eA==\",\"end\":true,\"request\":%llu}",
	    (unsigned long long)call); /* what the client said of it counts for nothing */
	expect_body(&message, body);
	message_fini(&message);
	rig_say(other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"callgate/output\",\"params\":"
		       "{\"requestId\":\"c\"}}\n");
	assert_int_equal(rig_hear_error(other, NULL), -32602);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"callgate/output\",\"params\":"
		    "{\"requestId\":2}}\n"); /* in flight, but no call */
	assert_int_equal(rig_hear_error(fd, NULL), -32602);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"callgate/output\"}\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32602);
	rig_reply(rig, call, REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":{}}");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"callgate/output\",\"params\":"
		    "{\"requestId\":\"c\"}}\n"); /* over */
	assert_int_equal(rig_hear_error(fd, NULL), -32602);
	rig_quiet(rig);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	bye(rig, other);
}

/* ---- what the server asks ---- */

static void ask(struct rig *rig, uint64_t peer, const char *body)
{
	struct message message;

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = peer;
	message.u.notify.body = (struct bytes){.data = body, .len = strlen(body)};
	rig_send(rig, &message);
}

static void an_answer_goes_in_once(void **state)
{
	static const char QUESTION[] = "{\"jsonrpc\":\"2.0\",\"id\":\"callgate-1\",\"method\":"
				       "\"elicitation/create\",\"params\":{}}";
	static const char ANSWER[] = "{\"jsonrpc\":\"2.0\",\"id\":\"callgate-1\",\"result\":"
				     "{\"action\":\"accept\"}}\n";
	struct rig *rig = *state;
	struct message message;
	uint64_t peer;
	int fd, other;

	fd = rig_connect(rig);
	peer = rig_expect(rig, MESSAGE_PEER);
	other = rig_client(rig);
	rig_say(fd, ANSWER); /* nobody has asked */
	rig_ping(fd);
	ask(rig, peer, QUESTION);
	rig_hear_exactly(fd, QUESTION);
	rig_say(other, ANSWER); /* asked another */
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"callgate-2\",\"result\":{}}\n");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"result\":{}}\n");
	rig_ping(fd);
	rig_ping(other);
	rig_quiet(rig);
	rig_say(fd, ANSWER);
	rig_next(rig, &message, MESSAGE_RESPONSE);
	assert_int_equal(message.u.response.peer, peer);
	assert_string_equal(message.u.response.id, "callgate-1");
	assert_int_equal(message.u.response.kind, REPLY_RESULT);
	expect_body(&message, "{\"action\":\"accept\"}");
	message_fini(&message);
	rig_say(fd, ANSWER);
	rig_ping(fd);
	rig_quiet(rig);
	ask(rig, peer, QUESTION);
	rig_hear_exactly(fd, QUESTION);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"callgate-1\",\"error\":{\"code\":-32601,"
		    "\"message\":\"no\"}}\n");
	rig_next(rig, &message, MESSAGE_RESPONSE);
	assert_int_equal(message.u.response.kind, REPLY_ERROR);
	message_fini(&message);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	bye(rig, other);
}

static int take(struct asked *asked, const char *id)
{
	json_t *json = json_string(id);
	int taken = asked_take(asked, json);

	json_decref(json);
	return taken;
}

static void questions_are_bounded_and_the_oldest_goes(void **state)
{
	struct asked *asked = NULL;
	char body[128];

	(void)state;
	assert_int_equal(take(NULL, "q0"), 0);
	for (int i = 0; i < ASKED_MAX + 1; i++) {
		snprintf(body, sizeof(body), NOTICE_REQUEST_HEAD "q%d\",\"method\":\"x\"}", i);
		assert_int_equal(asked_note(&asked, body, strlen(body)), 0);
	}
	assert_int_equal(take(asked, "q0"), 0);
	assert_int_equal(take(asked, ""), 0);
	for (int i = 1; i < ASKED_MAX + 1; i++) {
		snprintf(body, sizeof(body), "q%d", i);
		assert_int_equal(take(asked, body), 1);
		assert_int_equal(take(asked, body), 0);
	}
	/* no requests of ours */
	assert_int_equal(asked_note(&asked, "{}", 2), 0);
	snprintf(body, sizeof(body), NOTICE_REQUEST_HEAD "\",\"method\":\"x\"}");
	assert_int_equal(asked_note(&asked, body, strlen(body)), 0);
	assert_int_equal(asked_note(&asked, NOTICE_REQUEST_HEAD, strlen(NOTICE_REQUEST_HEAD)), 0);
	assert_int_equal(take(asked, ""), 0);
	free(asked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_a_handshake_allows_is_kept),
	    TEST(wishes_travel_with_the_call),
	    TEST(only_one_revision_has_batches),
	    TEST(each_message_of_a_batch_is_served),
	    TEST(a_stream_is_named_after_its_request),
	    TEST(a_stream_does_not_keep_a_silent_client),
	    TEST(only_a_call_of_ones_own_has_streams),
	    TEST(an_answer_goes_in_once),
	    cmocka_unit_test(questions_are_bounded_and_the_oldest_goes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
