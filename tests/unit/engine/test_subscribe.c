/* Who hears that the list of tools has changed, in what order, and how it ends. */
#include "tests/unit/engine/fakes.h"

#include "agent-api/wire/rpc.h"
#include "supervisor/engine/asking/subscribe.h"

static void handshake(uint64_t peer, const char *body)
{
	struct message message = request_message(peer, 1, REQUEST_SUBSCRIBE);

	message.u.request.body.data = body;
	message.u.request.body.len = strlen(body);
	assert_int_equal(methods_request(&world, &message), 0);
	assert_int_equal(sent_next(&world.front, MESSAGE_REPLY)->u.reply.kind, REPLY_SILENT);
}

static void stream(uint64_t peer, uint64_t serial, const char *body)
{
	struct message message = request_message(peer, serial, REQUEST_SUBSCRIBE);

	message.u.request.era = ERA_MODERN;
	message.u.request.body.data = body;
	message.u.request.body.len = strlen(body);
	assert_int_equal(methods_request(&world, &message), 0);
}

static json_t *heard(uint64_t *ret_peer)
{
	struct message *message = sent_next(&world.front, MESSAGE_NOTIFY);
	json_t *json;

	if (!message)
		return NULL;
	if (ret_peer)
		*ret_peer = message->u.notify.peer;
	json = json_loadb(message->u.notify.body.data, message->u.notify.body.len, 0, NULL);
	assert_non_null(json);
	return json;
}

static void expect_notice(const char *method, const char *subscription)
{
	json_t *json = heard(NULL);
	const char *id = json_string_value(json_object_get(
	    json_object_get(json_object_get(json, "params"), "_meta"), MCP_META_SUBSCRIPTION));

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "method")), method);
	assert_string_equal(id ? id : "", subscription);
	json_decref(json);
}

#define TOOLS       "{\"notifications\":{\"toolsListChanged\":true},\"subscription\":\"\\\"s\\\"\"}"
#define OTHERS      "{\"notifications\":{\"promptsListChanged\":true},\"subscription\":\"9\"}"
#define ACKNOWLEDGE "notifications/subscriptions/acknowledged"
#define CHANGED     "notifications/tools/list_changed"

static void a_handshake_sets_the_revision(void **state)
{
	(void)state;
	assert_int_equal(subscribe_revision(&world, ERA_LEGACY, 1), MCP_2025_11_25);
	handshake(1, "{\"revision\":\"2024-11-05\"}");
	assert_int_equal(subscribe_revision(&world, ERA_LEGACY, 1), MCP_2024_11_05);
	assert_int_equal(subscribe_revision(&world, ERA_LEGACY, 2), MCP_2025_11_25);
	assert_int_equal(subscribe_revision(&world, ERA_MODERN, 1), MCP_2026_07_28);
	handshake(1, "{\"revision\":\"2025-06-18\"}"); /* the last one counts */
	assert_int_equal(subscribe_revision(&world, ERA_LEGACY, 1), MCP_2025_06_18);
	subscribe_changed(&world);
	expect_notice(CHANGED, "");
	assert_null(heard(NULL)); /* once, however often it shook hands */
	watch_drop_peer(&world, 1);
	assert_int_equal(subscribe_revision(&world, ERA_LEGACY, 1), MCP_2025_11_25);
	subscribe_changed(&world);
	assert_null(heard(NULL));
}

static void a_stream_is_acknowledged_first(void **state)
{
	uint64_t peer = 0;
	json_t *json;

	(void)state;
	stream(1, 5, TOOLS);
	json = heard(&peer);
	assert_int_equal(peer, 1);
	assert_string_equal(json_string_value(json_object_get(json, "method")), ACKNOWLEDGE);
	assert_true(json_is_true(
	    json_object_get(json_object_get(json_object_get(json, "params"), "notifications"),
		"toolsListChanged")));
	json_decref(json);
	stream(2, 6, OTHERS); /* nothing of it is ours: open, and quiet */
	json = heard(&peer);
	assert_int_equal(
	    json_object_size(json_object_get(json_object_get(json, "params"), "notifications")), 0);
	json_decref(json);
	assert_null(sent_next(&world.front, MESSAGE_REPLY));
	subscribe_changed(&world);
	expect_notice(CHANGED, "s");
	assert_null(heard(NULL));
}

static void expect_refusal(uint64_t serial, int code)
{
	struct message *reply = sent_next(&world.front, MESSAGE_REPLY);
	json_t *error;

	assert_non_null(reply);
	assert_int_equal(reply->serial, serial);
	assert_int_equal(reply->u.reply.kind, REPLY_ERROR);
	error = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
	json_decref(error);
}

static void bad_filters_are_refused(void **state)
{
	static const char *const BAD[] = {"{\"subscription\":\"1\"}",
	    "{\"notifications\":[],\"subscription\":\"1\"}",
	    "{\"notifications\":{\"toolsListChanged\":1},\"subscription\":\"1\"}",
	    "{\"notifications\":{\"toolsListChanged\":null},\"subscription\":\"1\"}"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		stream(1, i + 1, BAD[i]);
		expect_refusal(i + 1, RPC_INVALID_PARAMS);
	}
	assert_null(heard(NULL));
}

static void streams_of_a_connection_are_bounded(void **state)
{
	json_t *json;

	(void)state;
	for (uint64_t i = 1; i <= SUBSCRIBE_STREAMS; i++)
		stream(1, i, TOOLS);
	stream(1, 99, TOOLS);
	expect_refusal(99, RESULT_UNAVAILABLE);
	stream(2, 100, TOOLS); /* of another connection */
	subscribe_cancel(&world, 1, 3);
	assert_int_equal(sent_next(&world.front, MESSAGE_REPLY)->serial, 3); /* silence */
	stream(1, 101, TOOLS);
	while ((json = heard(NULL)))
		json_decref(json);
	subscribe_cancel(&world, 2, 1); /* another's */
	subscribe_cancel(&world, 1, 4711);
	assert_null(sent_next(&world.front, MESSAGE_REPLY));
	subscribe_changed(&world);
	assert_int_equal(sent_count_of(MESSAGE_NOTIFY), 2 * (SUBSCRIBE_STREAMS + 1) + 1);
}

static void streams_of_a_user_are_bounded(void **state)
{
	uint64_t opened = 0;

	(void)state;
	for (uint64_t peer = 100; opened < SUBSCRIBE_STREAMS_USER; peer++) {
		world_peer(peer, 1000);
		for (int i = 0; i < SUBSCRIBE_STREAMS; i++)
			stream(peer, ++opened, TOOLS);
	}
	assert_null(sent_next(&world.front, MESSAGE_REPLY));
	stream(1, 9999, TOOLS); /* the same user, by a connection without any */
	expect_refusal(9999, RESULT_UNAVAILABLE);
	stream(2, 10000, TOOLS); /* another user */
	assert_null(sent_next(&world.front, MESSAGE_REPLY));
}

static void the_end_is_a_completed_result(void **state)
{
	json_t *result;

	(void)state;
	handshake(2, "{\"revision\":\"2025-11-25\"}");
	stream(1, 5, TOOLS);
	watch_end_all(&world);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(json_string_value(json_object_get(result, "resultType")), "complete");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(result, "_meta"), MCP_META_SUBSCRIPTION)),
	    "s");
	json_decref(result);
	watch_end_all(&world); /* once */
	assert_null(sent_next(&world.front, MESSAGE_REPLY));
	world.draining = 1; /* who comes now is told at once */
	stream(1, 6, TOOLS);
	result = reply_json(REPLY_RESULT);
	json_decref(result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_handshake_sets_the_revision),
	    TEST(a_stream_is_acknowledged_first),
	    TEST(bad_filters_are_refused),
	    TEST(streams_of_a_connection_are_bounded),
	    TEST(streams_of_a_user_are_bounded),
	    TEST(the_end_is_a_completed_result),
	};

	return cmocka_run_group_tests_name("subscribe", tests, NULL, NULL);
}
