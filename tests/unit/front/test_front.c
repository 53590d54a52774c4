/* The front as clients and engine see it: framing, routing, hang-ups. */
#include "tests/unit/front/rig.h"

#include "agent-api/wire/limits.h"

#define CALL(id)                                                                                   \
	"{\"jsonrpc\":\"2.0\",\"id\":" id                                                          \
	",\"method\":\"tools/call\",\"params\":{\"name\":\"bash\","                                \
	"\"arguments\":{\"command\":\"ls\"}}}\n"
#define MODERN                                                                                     \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                              \
	"\"io.modelcontextprotocol/clientCapabilities\":{}"

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

static void the_kernel_says_who_it_is(void **state)
{
	struct rig *rig = *state;
	struct message message;
	int fd = rig_connect(rig);

	rig_next(rig, &message, MESSAGE_PEER);
	assert_int_equal(message.u.peer.uid, getuid());
	assert_int_equal(message.u.peer.gid, getgid());
	assert_int_equal(message.u.peer.pid, getpid());
	assert_true(message.u.peer.peer > 0);
	close(fd);
	assert_int_equal(rig_expect(rig, MESSAGE_PEER_GONE), message.u.peer.peer);
	message_fini(&message);
}

static void bad_lines_cost_one_answer_each(void **state)
{
	static const struct {
		const char *line;
		int code;
		json_int_t id;
	} ROWS[] = {
	    {"garbage\n", -32700, -1},
	    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"id\":2}\n", -32700, -1},
	    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}\n", -32700, -1},
	    {"[]\n", -32600, -1},
	    {"{\"jsonrpc\":\"2.0\",\"id\":4}\n", -32600, 4},
	    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}\n", -32600, -1},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"nonsense\"}\n", -32601, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"resources/list\"}\n", -32601, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"notifications/cancelled\"}\n", -32601, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"initialize\"}\n", -32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"server/discover\"}\n", -32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\"}\n", -32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\","
	     "\"params\":{\"name\":7}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\","
	     "\"params\":{\"name\":\"\"}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"a\","
	     "\"arguments\":[]}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"a\","
	     "\"arguments\":null}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"callgate/agent\":\"\"}}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"callgate/agent\":\"a/b\"}}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"callgate/agent\":null}}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"callgate/namespace\":\"..\"}}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"callgate/credential\":\"\"}}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"callgate/credential\":7}}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"callgate/explain\",\"params\":"
	     "{\"name\":\"bash\"}}\n",
		-32602, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\",\"params\":{\"_meta\":{" MODERN
	     "}}}\n",
		-32601, 5},
	    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":"
	     "{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}}\n",
		-32022, 5},
	};
	struct rig *rig = *state;
	int fd = rig_client(rig);

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_int_t id = 0;
		int code;

		rig_say(fd, ROWS[i].line);
		code = rig_hear_error(fd, &id);
		if (code != ROWS[i].code || id != ROWS[i].id)
			fail_msg("%s: %d, id %d", ROWS[i].line, code, (int)id);
		rig_ping(fd);
	}
	rig_quiet(rig); /* engine heard of none of it */
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void silence_is_answered_with_silence(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);

	rig_say(fd, "\n\r\n");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
	rig_say(
	    fd, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"bash\"}}\n");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}\n");
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
		    "\"params\":{\"requestId\":77}}\n");
	rig_ping(fd);
	rig_quiet(rig);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void a_call_reaches_engine_and_its_answer_the_client(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	struct message message;

	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"method\":\"tools/call\",\"params\":{"
		    "\"_meta\":{\"callgate/agent\":\"coder\",\"callgate/namespace\":\"n1\","
		    "\"progressToken\":5},\"name\":\"no such/tool\","
		    "\"arguments\":{\"command\":\"ls \\u00e9\"}}}\r\n");
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_int_equal(message.u.request.method, REQUEST_TOOLS_CALL);
	assert_int_equal(message.u.request.era, ERA_LEGACY);
	assert_string_equal(message.u.request.tool, "no such/tool");
	assert_string_equal(message.u.request.agent, "coder");
	assert_string_equal(message.u.request.space, "n1");
	assert_int_equal(message.u.request.body.len, strlen("{\"command\":\"ls \xC3\xA9\"}"));
	assert_memory_equal(message.u.request.body.data, "{\"command\":\"ls \xC3\xA9\"}",
	    message.u.request.body.len);
	rig_reply(rig, message.serial, REPLY_RESULT, "{\"any\":[\"thing\"]}");
	rig_hear_exactly(
	    fd, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"result\":{\"any\":[\"thing\"]}}");
	message_fini(&message);
	rig_say(fd, CALL("8"));
	rig_reply(rig, rig_expect(rig, MESSAGE_REQUEST), REPLY_ERROR, "{\"code\":404}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":404}}");
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void every_method_has_its_number(void **state)
{
	static const struct {
		const char *method;
		enum request_method number;
	} ROWS[] = {
	    {"tools/list", REQUEST_TOOLS_LIST},
	    {"callgate/status", REQUEST_STATUS},
	    {"callgate/agents/list", REQUEST_AGENTS_LIST},
	    {"callgate/approvals/list", REQUEST_APPROVALS_LIST},
	    {"callgate/approvals/watch", REQUEST_APPROVALS_WATCH},
	    {"callgate/approvals/decide", REQUEST_APPROVALS_DECIDE},
	    {"callgate/reload", REQUEST_RELOAD},
	    {"callgate/shutdown", REQUEST_SHUTDOWN},
	};
	struct rig *rig = *state;
	int fd = rig_client(rig);

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct message message;
		char line[512];

		snprintf(line, sizeof(line),
		    "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"%s\",\"params\":"
		    "{\"_meta\":{" MODERN ",\"callgate/agent\":\"x\"},\"since\":3}}\n",
		    i, ROWS[i].method);
		rig_say(fd, line);
		rig_next(rig, &message, MESSAGE_REQUEST);
		assert_int_equal(message.u.request.method, ROWS[i].number);
		assert_int_equal(message.u.request.era, ERA_MODERN);
		assert_string_equal(message.u.request.tool, "");
		assert_string_equal(message.u.request.agent, "x");
		assert_memory_equal(message.u.request.body.data, "{\"since\":3}", 11);
		assert_int_equal(message.u.request.body.len, 11);
		message_fini(&message);
	}
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void both_eras_on_one_connection(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	json_t *answer;

	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"server/discover\",\"params\":"
		    "{\"_meta\":{" MODERN "}}}\n");
	answer = rig_hear(fd);
	assert_non_null(json_object_get(json_object_get(answer, "result"), "supportedVersions"));
	json_decref(answer);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"
		    "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}}\n");
	rig_expect(rig, MESSAGE_REQUEST); /* engine is told what was agreed upon */
	answer = rig_hear(fd);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(answer, "result"), "protocolVersion")),
	    "2025-06-18");
	json_decref(answer);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
		    "\"protocolVersion\":\"2025-06-18\",\"_meta\":{" MODERN "}}}\n");
	assert_int_equal(rig_hear_error(fd, NULL), -32601);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void half_a_message_is_never_served(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);

	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/ca");
	rig_quiet(rig);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	fd = rig_client(rig);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
	shutdown(fd, SHUT_WR);
	assert_int_equal(rig_hear_error(fd, NULL), -32700);
	rig_hear_end(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void pieces_make_a_message(void **state)
{
	static const char LINE[] = CALL("3");
	struct rig *rig = *state;
	int fd = rig_client(rig);

	for (size_t i = 0; i < sizeof(LINE) - 1; i++) {
		assert_int_equal(write(fd, LINE + i, 1), 1);
		if (i % 16 == 0)
			usleep(1000);
	}
	rig_reply(rig, rig_expect(rig, MESSAGE_REQUEST), REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}");
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void a_hang_up_in_mid_call_is_told(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig), other = rig_client(rig);
	uint64_t serial;

	rig_say(fd, CALL("1"));
	serial = rig_expect(rig, MESSAGE_REQUEST);
	rig_say(fd, "{\"jsonrpc\":");
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_reply(rig, serial, REPLY_RESULT, "{}"); /* too late, and nobody is hurt */
	rig_reply(rig, serial + 100, REPLY_RESULT, "{}");
	rig_ping(other);
	close(other);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void who_has_said_all_still_gets_answers(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	uint64_t first, second;

	rig_say(fd, CALL("1") CALL("2"));
	shutdown(fd, SHUT_WR);
	first = rig_expect(rig, MESSAGE_REQUEST);
	second = rig_expect(rig, MESSAGE_REQUEST);
	rig_quiet(rig);
	rig_reply(rig, second, REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
	rig_quiet(rig);
	rig_reply(rig, first, REPLY_RESULT, "{}");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	rig_hear_end(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void half_closed_and_then_gone_is_gone(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);

	rig_say(fd, CALL("1"));
	shutdown(fd, SHUT_WR);
	rig_expect(rig, MESSAGE_REQUEST);
	rig_quiet(rig);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void a_half_closed_client_costs_no_time(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	char path[64], stat[512];
	unsigned long user = 0, kernel = 0;
	FILE *file;

	rig_say(fd, CALL("1"));
	shutdown(fd, SHUT_WR);
	rig_expect(rig, MESSAGE_REQUEST);
	usleep(500000);
	snprintf(path, sizeof(path), "/proc/%d/stat", rig->pid);
	file = fopen(path, "re");
	assert_non_null(fgets(stat, sizeof(stat), file));
	fclose(file);
	assert_int_equal(
	    sscanf(strrchr(stat, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&user, &kernel),
	    2);
	assert_true(user + kernel < 20); /* hundredths of a second */
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void a_cancel_names_the_request(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	uint64_t serial;

	rig_say(fd, CALL("\"x\""));
	serial = rig_expect(rig, MESSAGE_REQUEST);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
		    "{\"requestId\":\"x\",\"reason\":\"enough\"}}\n");
	assert_int_equal(rig_expect(rig, MESSAGE_CANCEL), serial);
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
		    "{\"requestId\":\"x\"}}\n");
	rig_ping(fd);
	rig_quiet(rig); /* once is enough */
	rig_say(fd, CALL("\"x\""));
	assert_int_equal(rig_hear_error(fd, NULL), -32600); /* still in flight */
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}\n");
	assert_int_equal(
	    rig_hear_error(fd, NULL), -32600);      /* for whatever is answered at once, too */
	rig_reply(rig, serial, REPLY_RESULT, "{}"); /* it lost the race: not shown */
	rig_ping(fd);
	rig_say(fd, CALL("\"x\""));
	serial = rig_expect(rig, MESSAGE_REQUEST);
	rig_reply(rig, serial, REPLY_SILENT, "");
	rig_ping(fd);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void ids_in_flight_are_unique(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig), other = rig_client(rig);
	json_int_t id;

	rig_say(fd, CALL("1"));
	rig_expect(rig, MESSAGE_REQUEST);
	rig_say(fd, CALL("1"));
	assert_int_equal(rig_hear_error(fd, &id), -32600);
	assert_int_equal(id, 1);
	rig_say(fd, CALL("\"1\""));
	rig_expect(rig, MESSAGE_REQUEST);
	rig_say(other, CALL("1"));
	rig_expect(rig, MESSAGE_REQUEST);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(other);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void a_notification_finds_its_peer(void **state)
{
	struct rig *rig = *state;
	int fd = rig_connect(rig);
	struct message message;

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = rig_expect(rig, MESSAGE_PEER);
	message.u.notify.body = (struct bytes){.data = "{\"method\":\"m\"}", .len = 14};
	rig_send(rig, &message);
	rig_hear_exactly(fd, "{\"method\":\"m\"}");
	message.u.notify.peer += 1000;
	rig_send(rig, &message);
	rig_ping(fd);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* A line of exactly len bytes that is a good request. */
static char *padded_ping(size_t len)
{
	static const char HEAD[] = "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\",\"x\":\"";
	char *line = malloc(len + 2);

	memset(line, 'x', len);
	memcpy(line, HEAD, sizeof(HEAD) - 1);
	memcpy(line + len - 2, "\"}\n", 4);
	return line;
}

static void one_mebibyte_is_served(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	char *line = padded_ping(WIRE_MESSAGE_MAX);

	rig_say(fd, line);
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}");
	rig_ping(fd);
	free(line);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void one_byte_more_is_the_end(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	char *line = padded_ping(WIRE_MESSAGE_MAX + 1);
	json_int_t id = 0;

	rig_say(fd, line);
	assert_int_equal(rig_hear_error(fd, &id), -32600);
	assert_int_equal(id, -1);
	rig_hear_end(fd);
	free(line);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_ping(fd = rig_client(rig));
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void large_bodies_go_both_ways(void **state)
{
	struct rig *rig = *state;
	int fd = rig_client(rig);
	size_t len = 900000;
	char *line = malloc(len + 200), *body = malloc(MESSAGE_BODY_MAX), *heard;
	struct message message;
	int head =
	    sprintf(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
			  "{\"name\":\"t\",\"arguments\":{\"stdin\":\"");

	memset(line + head, 'y', len);
	memcpy(line + head + len, "\"}}}\n", 6);
	rig_say(fd, line);
	rig_next(rig, &message, MESSAGE_REQUEST);
	assert_int_equal(message.u.request.body.len, len + strlen("{\"stdin\":\"\"}"));
	memset(body, 'z', MESSAGE_BODY_MAX);
	body[0] = body[MESSAGE_BODY_MAX - 1] = '"';
	rig_reply_bytes(rig, message.serial, REPLY_RESULT, body, MESSAGE_BODY_MAX);
	message_fini(&message);
	heard = malloc(MESSAGE_BODY_MAX + 200);
	for (size_t got = 0; got == 0 || heard[got - 1] != '\n';) {
		ssize_t n = read(fd, heard + got, MESSAGE_BODY_MAX + 200 - got);

		assert_true(n > 0);
		got += (size_t)n;
		heard[got] = '\0';
	}
	assert_int_equal(strlen(heard),
	    MESSAGE_BODY_MAX + strlen("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":}\n"));
	free(line);
	free(body);
	free(heard);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_kernel_says_who_it_is),
	    TEST(bad_lines_cost_one_answer_each),
	    TEST(silence_is_answered_with_silence),
	    TEST(a_call_reaches_engine_and_its_answer_the_client),
	    TEST(every_method_has_its_number),
	    TEST(both_eras_on_one_connection),
	    TEST(half_a_message_is_never_served),
	    TEST(pieces_make_a_message),
	    TEST(a_hang_up_in_mid_call_is_told),
	    TEST(who_has_said_all_still_gets_answers),
	    TEST(half_closed_and_then_gone_is_gone),
	    TEST(a_half_closed_client_costs_no_time),
	    TEST(a_cancel_names_the_request),
	    TEST(ids_in_flight_are_unique),
	    TEST(a_notification_finds_its_peer),
	    TEST(one_mebibyte_is_served),
	    TEST(one_byte_more_is_the_end),
	    TEST(large_bodies_go_both_ways),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("front", tests, NULL, NULL);
}
