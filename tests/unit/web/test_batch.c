/* Batches of MCP 2025-03-26 over HTTP. */
#include "tests/unit/web/rig.h"

static struct rig_answer answer;

#define ACCEPT JSON_TYPE "Accept: application/json, text/event-stream\r\n"
#define LEGACY ACCEPT "MCP-Protocol-Version: 2025-11-25\r\n"
#define CALL(id)                                                                                   \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":"       \
	"\"bash\",\"arguments\":{}}}"

/* Answered without engine. */
static int ask(struct rig *rig, const char *headers, const char *body)
{
	int cleanup_fd fd = rig_connect(rig);

	rig_ask(fd, "POST /mcp", headers, body);
	rig_hear(fd, &answer);
	return answer.status;
}

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define NOTE     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"

/* The item with that id of an answered array; -1: none; else its error's code, 0: a result. */
static int code_in_batch(const char *id)
{
	json_t *all = json_loads(answer.body, 0, NULL);
	json_t *wanted = json_loads(id, JSON_DECODE_ANY, NULL);
	int code = -1;

	assert_true(json_is_array(all));
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *item = json_array_get(all, i);

		if (!json_equal(json_object_get(item, "id"), wanted))
			continue;
		assert_int_equal(code, -1); /* each once */
		code = (int)json_integer_value(
		    json_object_get(json_object_get(item, "error"), "code"));
	}
	json_decref(all);
	json_decref(wanted);
	return code;
}

/* The whole of it. */
static void refused(struct rig *rig, const char *headers, const char *body, const char *code)
{
	assert_int_equal(ask(rig, headers, body), 400);
	assert_non_null(strstr(answer.body, code));
	assert_int_equal(answer.body[0], '{');
}

static void a_batch_is_served_where_they_exist(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig);
	assert_int_equal(ask(&rig, ACCEPT, "[" NOTE "," NOTE "]"), 202);
	(void)ask(&rig, ACCEPT, " [" PING("1") "," NOTE "," PING("\"b\"") ",7]");
	assert_int_equal(answer.status, 200);
	assert_int_equal(code_in_batch("1"), 0);
	assert_int_equal(code_in_batch("\"b\""), 0);
	assert_int_equal(code_in_batch("null"), -32600);
	(void)ask(&rig, ACCEPT "MCP-Protocol-Version: 2025-03-26\r\n", "[" PING("1") "]");
	assert_int_equal(code_in_batch("1"), 0);
	(void)ask(&rig, ACCEPT, "[" PING("1") "," PING("1") "]");
	assert_non_null(strstr(answer.body, "twice"));
	(void)ask(&rig, ACCEPT,
	    "[" PING("1") ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"initialize\","
			  "\"params\":{\"protocolVersion\":\"2025-03-26\"}}]");
	assert_int_equal(code_in_batch("2"), -32600);
	/* Nothing that is no batch, and not of other revisions. */
	refused(&rig, ACCEPT, "[]", "-32600");
	refused(&rig, ACCEPT, "[" PING("1"), "-32700");
	refused(&rig, LEGACY, "[" PING("1") "]", "-32600");
	assert_int_equal(ask(&rig, ACCEPT, "[7,{}]"), 400);
	rig_quiet(&rig);
	rig_stop(&rig);
}

static void parts_of_a_batch_go_their_own_way(void **state)
{
	struct message visitor, first, second;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	fd = rig_connect(&rig);
	rig_ask(fd, "POST /mcp", ACCEPT, "[" CALL("1") "," NOTE "," CALL("2") "]");
	rig_take(&rig, &visitor, &first);
	message_fini(&visitor);
	rig_take(&rig, &visitor, &second);
	message_fini(&visitor);
	assert_false(first.u.request.peer == second.u.request.peer);
	rig_reply(&rig, second.serial, REPLY_RESULT, "{\"two\":2}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	assert_false(rig_ready(fd, 300)); /* not before all is there, and no stream */
	rig_reply(&rig, first.serial, REPLY_ERROR, "{\"code\":-32602,\"message\":\"no\"}");
	rig_expect(&rig, MESSAGE_PEER_GONE);
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(code_in_batch("1"), -32602);
	assert_int_equal(code_in_batch("2"), 0);
	message_fini(&first);
	message_fini(&second);

	/* The connection goes on; what all agree upon is HTTP's business. */
	rig_ask(fd, "POST /mcp", ACCEPT, "[" CALL("1") "," CALL("2") "]");
	for (int i = 0; i < 2; i++) {
		rig_take(&rig, &visitor, &first);
		rig_reply_full(&rig, first.serial,
		    (struct message_reply){.kind = REPLY_ERROR,
			.challenge = "error=\"invalid_token\"",
			.body = {"{\"code\":401,\"message\":\"no\"}", 27}});
		message_fini(&visitor);
		message_fini(&first);
	}
	rig_hear(fd, &answer);
	assert_int_equal(answer.status, 401);
	assert_non_null(strstr(rig_header(&answer, "WWW-Authenticate"), "invalid_token"));
	close(fd);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	rig_expect(&rig, MESSAGE_PEER_GONE);
	rig_stop(&rig);
}

static void hanging_up_ends_all_of_a_batch(void **state)
{
	struct message visitor, request;
	struct rig rig;
	int fd;

	(void)state;
	rig_start(&rig);
	for (int half = 0; half < 2; half++) {
		fd = rig_connect(&rig);
		rig_ask(fd, "POST /mcp", ACCEPT, "[" CALL("1") "," CALL("2") "]");
		for (int i = 0; i < 2; i++) {
			rig_take(&rig, &visitor, &request);
			message_fini(&visitor);
			message_fini(&request);
		}
		if (half) {
			uint64_t serials[2];

			shutdown(fd, SHUT_WR);
			for (int i = 0; i < 2; i++)
				serials[i] = rig_expect(&rig, MESSAGE_CANCEL);
			for (int i = 0; i < 2; i++) {
				rig_reply(&rig, serials[i], REPLY_SILENT, "");
				rig_expect(&rig, MESSAGE_PEER_GONE);
			}
			rig_hear(fd, &answer);
			assert_int_equal(answer.status, 202);
			close(fd);
		} else {
			struct linger reset = {1, 0};

			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(fd);
			for (int i = 0; i < 2; i++) {
				rig_expect(&rig, MESSAGE_CANCEL);
				rig_expect(&rig, MESSAGE_PEER_GONE);
			}
		}
	}
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_batch_is_served_where_they_exist),
	    cmocka_unit_test(parts_of_a_batch_go_their_own_way),
	    cmocka_unit_test(hanging_up_ends_all_of_a_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
