/* What running tools log: who hears it, of what severity, whose level that is, how much of it. */
#include "tests/unit/engine/visitors.h"

#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/severity.h"
#include "supervisor/engine/asking/logging.h"

#define HEARS REQUEST_CAN_HEAR

/* ---- calls and what they say ---- */

static int writers[2] = {-1, -1};

static int setup(void **state)
{
	writers[0] = -1;
	return guarded_setup(state);
}

/* To RUNNING, with a gate. */
static struct call *run_newest(void)
{
	struct call *call = world.calls;

	assert_non_null(call);
	answer_plan(call, ANSWER_OK, 7);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(call->state, CALL_RUNNING);
	((struct policy_tool *)(uintptr_t)call->tool)->sandbox.callgate = true;
	return call;
}

static struct call *run(uint64_t peer, enum request_era era, uint16_t log, uint32_t options)
{
	struct message message = request_message(peer, ++last_serial, REQUEST_TOOLS_CALL);

	message.u.request.tool = "bash";
	message.u.request.era = era;
	message.u.request.log = log;
	message.u.request.options = options;
	message.u.request.body.data = "{\"command\":\"ls\"}";
	message.u.request.body.len = strlen(message.u.request.body.data);
	assert_int_equal(methods_request(&world, &message), 0);
	return run_newest();
}

static struct call *run_http(const struct visited *as)
{
	struct visited asked = *as;

	asked.method = REQUEST_TOOLS_CALL;
	asked.tool = "bash";
	asked.options = HEARS;
	asked.body = "{\"command\":\"ls\"}";
	(void)visit(&asked);
	return run_newest();
}

static uint64_t inside(const struct call *call)
{
	static uint64_t last = 70;
	struct message message;

	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = ++last;
	message.u.peer.call = call->id;
	assert_int_equal(peer_arrived(&world, &message), 0);
	return last;
}

static void end(struct call *call)
{
	close(writers[0]);
	close(writers[1]);
	answer_exit(call->id, EXIT_HOW_EXITED, 0);
	drive_to_end(call->id);
}

/* 0, or the error's code. */
static int ask(uint64_t peer, enum request_method method, const char *params)
{
	struct message message = request_message(peer, ++last_serial, method);
	struct message *reply;
	json_t *json;
	int code;

	message.u.request.body = (struct bytes){params, strlen(params)};
	while (sent_next(&world.front, MESSAGE_REPLY))
		; /* results of calls that ended */
	assert_int_equal(methods_request(&world, &message), 0);
	reply = sent_next(&world.front, MESSAGE_REPLY);
	assert_non_null(reply);
	json = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	code = (int)json_integer_value(json_object_get(json, "code"));
	assert_int_equal(reply->u.reply.kind, code ? REPLY_ERROR : REPLY_RESULT);
	assert_true(code || json_object_size(json) == 0);
	json_decref(json);
	return code;
}

static int say(uint64_t gate, const char *level)
{
	char text[96];

	snprintf(text, sizeof(text), "{\"level\":\"%s\",\"data\":{\"a\":\"\\u001b[2J\"}}", level);
	return ask(gate, REQUEST_LOG, text);
}

/* The level of the next message to this client; "" = none came. */
static const char *heard(struct link *link, uint64_t peer)
{
	struct message *message = sent_next(link, MESSAGE_NOTIFY);
	json_t *json, *params;
	enum severity level;

	if (!message)
		return "";
	assert_true(message->u.notify.peer == peer);
	json = json_loadb(message->u.notify.body.data, message->u.notify.body.len, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(json, "method")), "notifications/message");
	params = json_object_get(json, "params");
	assert_int_equal(json_object_size(params), 3);
	assert_string_equal(json_string_value(json_object_get(params, "logger")), "bash");
	assert_non_null(json_object_get(params, "data"));
	level = severity_from_name(json_string_value(json_object_get(params, "level")));
	json_decref(json);
	return severity_name(level);
}

static void expect(uint64_t peer, const char *level)
{
	assert_string_equal(heard(&world.front, peer), level);
}

#define SET(level) "{\"level\":\"" level "\"}"

/* ---- who hears what ---- */

static void levels_have_an_order(void **state)
{
	static const char *const NAMES[] = {
	    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};
	struct call *call = run(1, ERA_LEGACY, 0, HEARS);
	uint64_t gate = inside(call);

	(void)state;
	assert_int_equal(say(gate, "emergency"), 0); /* nobody has asked for it */
	expect(1, "");
	assert_false(call->streamed);
	for (int wanted = 0; wanted < 8; wanted++) {
		char text[64];

		snprintf(text, sizeof(text), SET("%s"), NAMES[wanted]);
		assert_int_equal(ask(1, REQUEST_SET_LEVEL, text), 0); /* also while it runs */
		for (int said = 0; said < 8; said++) {
			assert_int_equal(say(gate, NAMES[said]), 0);
			expect(1, said >= wanted ? NAMES[said] : "");
		}
	}
	assert_true(call->streamed);
	assert_int_equal(call->log.said, 65);
	assert_int_equal(call->log.told, 36);
	end(call);
	assert_true(record_holds(record_of(RECORD_CALL_OUTCOME), "said")); /* how much, */
	assert_true(record_holds(record_of(RECORD_CALL_OUTCOME), "told"));
	assert_false(recorded_anywhere("[2J")); /* not what */
	assert_int_equal(
	    ask(gate, REQUEST_LOG, "{\"level\":\"alert\",\"data\":1}"), RESULT_FORBIDDEN);
	expect(1, "");
}

static void a_modern_request_says_it_itself(void **state)
{
	struct call *call;
	uint64_t gate;

	(void)state;
	assert_int_equal(ask(1, REQUEST_SET_LEVEL, SET("debug")), 0); /* means nothing to it */
	call = run(1, ERA_MODERN, SEVERITY_NONE, HEARS);
	assert_int_equal(say(inside(call), "emergency"), 0);
	expect(1, "");
	end(call);
	call = run(1, ERA_MODERN, SEVERITY_WARNING, HEARS);
	gate = inside(call);
	assert_int_equal(say(gate, "notice"), 0);
	expect(1, "");
	assert_int_equal(say(gate, "warning"), 0);
	expect(1, "warning");
	end(call);
	call = run(1, ERA_MODERN, SEVERITY_DEBUG, 0); /* its answer is no stream */
	assert_int_equal(say(inside(call), "emergency"), 0);
	expect(1, "");
	assert_false(call->streamed);
	end(call);
}

static void the_level_is_the_connections(void **state)
{
	struct call *call;

	(void)state;
	world_peer(9, 1000); /* the same user, another connection */
	assert_int_equal(ask(9, REQUEST_SET_LEVEL, SET("debug")), 0);
	call = run(1, ERA_LEGACY, 0, HEARS);
	assert_int_equal(say(inside(call), "alert"), 0);
	expect(1, "");
	end(call);
	call = run(9, ERA_LEGACY, 0, HEARS);
	assert_int_equal(say(inside(call), "alert"), 0);
	expect(9, "alert");
	end(call);
}

/* The tool that called hears what it called, where it wants to; its own client hears nothing. */
static void a_tool_hears_its_tools(void **state)
{
	struct call *outer, *inner;
	uint64_t gate;

	(void)state;
	assert_int_equal(ask(1, REQUEST_SET_LEVEL, SET("debug")), 0);
	outer = run(1, ERA_LEGACY, 0, HEARS);
	gate = inside(outer);
	inner = run(gate, ERA_LEGACY, 0, HEARS);
	assert_int_equal(say(inside(inner), "error"), 0);
	expect(1, "");
	assert_int_equal(ask(gate, REQUEST_SET_LEVEL, SET("error")), 0);
	assert_int_equal(say(inside(inner), "error"), 0);
	expect(gate, "error");
	end(inner);
	call_cancel(outer);
	drive_to_end(outer->id);
}

/* ---- over HTTP ---- */

static const struct visited STATIC = {.bearer = STATIC_KEY, .path = "/mcp"};

static int set_over_http(const struct visited *as, const char *body)
{
	struct visited asked = *as;

	asked.method = REQUEST_SET_LEVEL;
	asked.body = body;
	return visit_status(&asked);
}

/* What a call of this visitor is told of a message of severity "error". */
static const char *told_over_http(const struct visited *as)
{
	struct call *call = run_http(as);
	uint64_t peer = call->peer;
	const char *told;

	assert_int_equal(say(inside(call), "error"), 0);
	told = heard(&world.http, peer);
	end(call);
	records_are_written();
	while (sent_next(&world.http, MESSAGE_REPLY))
		;
	return told;
}

static void over_http_it_is_the_principals(void **state)
{
	const struct visited local = {.local = true, .path = "/mcp"};

	(void)state;
	assert_string_equal(told_over_http(&STATIC), "");
	assert_int_equal(set_over_http(&STATIC, SET("warning")), 200);
	assert_string_equal(told_over_http(&STATIC), "error");
	assert_string_equal(told_over_http(&local), ""); /* another principal */
	assert_int_equal(set_over_http(&STATIC, SET("critical")), 200);
	assert_string_equal(told_over_http(&STATIC), "");
	assert_int_equal(set_over_http(&STATIC, SET("debug")), 200);
	pass_s(LOGGING_LIFE_S - 1);
	assert_string_equal(told_over_http(&STATIC), "error"); /* used: it lives on */
	pass_s(LOGGING_LIFE_S - 1);
	assert_string_equal(told_over_http(&STATIC), "error");
	pass_s(LOGGING_LIFE_S);
	assert_string_equal(told_over_http(&STATIC), "");
}

static const char open_policy[] =
    "server:\n  listen: 127.0.0.1\n  port: 8700\n"
    "roles:\n  all: {tools: [\"*\"]}\n"
    "principals:\n  - {anonymous: true, roles: [all]}\n  - {peer_uid: 1000, roles: [all]}\n"
    "namespaces: {default: {working_directory: ./w}}\n"
    "tools:\n  bash: {type: command, allowed_commands: [ls], deny_by_default: true}\n";

static void strangers_are_kept_apart(void **state)
{
	struct visited stranger = {.path = "/mcp", .address = "198.51.100.1"};
	const struct visited other = {.path = "/mcp", .address = "198.51.100.2"};
	const struct visited local = {.local = true, .path = "/mcp"};
	char address[32];

	(void)state;
	guarded_use(open_policy);
	assert_int_equal(set_over_http(&local, SET("debug")), 200);
	assert_int_equal(set_over_http(&stranger, SET("debug")), 200);
	assert_string_equal(told_over_http(&stranger), "error");
	assert_string_equal(told_over_http(&other), "");
	for (int i = 0; i < LOGGING_KEPT_ANONYMOUS; i++) {
		struct visited many = {.path = "/mcp", .address = address};

		snprintf(address, sizeof(address), "203.0.%d.%d", i / 200, i % 200 + 1);
		assert_int_equal(set_over_http(&many, SET("debug")), 200);
	}
	assert_string_equal(told_over_http(&stranger), ""); /* made room for them */
	assert_string_equal(told_over_http(&local), "error");
}

/* ---- bad input, and too much ---- */

static void nonsense_is_refused(void **state)
{
	static const char *const LEVELS[] = {"{}", SET("loud"), SET(""), SET("Error"),
	    "{\"level\":3}", "{\"level\":null}", "{\"level\":[\"error\"]}"};
	static const char *const MESSAGES[] = {"{}", "{\"level\":\"error\"}", "{\"data\":1}",
	    "{\"level\":\"warn\",\"data\":1}", "{\"level\":1,\"data\":1}"};
	struct call *call = run(1, ERA_MODERN, SEVERITY_DEBUG, HEARS);
	uint64_t gate = inside(call);
	char text[LOGGING_DATA_MAX + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
		if (ask(1, REQUEST_SET_LEVEL, LEVELS[i]) != RPC_INVALID_PARAMS)
			fail_msg("%s", LEVELS[i]);
		assert_int_equal(set_over_http(&STATIC, LEVELS[i]), RPC_INVALID_PARAMS);
	}
	for (size_t i = 0; i < sizeof(MESSAGES) / sizeof(MESSAGES[0]); i++)
		if (ask(gate, REQUEST_LOG, MESSAGES[i]) != RPC_INVALID_PARAMS)
			fail_msg("%s", MESSAGES[i]);
	assert_int_equal(ask(1, REQUEST_LOG, "{\"level\":\"error\",\"data\":1}"), RESULT_FORBIDDEN);
	snprintf(
	    text, sizeof(text), "{\"level\":\"error\",\"data\":\"%0*d\"}", LOGGING_DATA_MAX - 1, 0);
	assert_int_equal(ask(gate, REQUEST_LOG, text), RPC_INVALID_PARAMS); /* with its quotes */
	expect(1, "");
	assert_int_equal(call->log.said, 0);
	snprintf(
	    text, sizeof(text), "{\"level\":\"error\",\"data\":\"%0*d\"}", LOGGING_DATA_MAX - 2, 0);
	assert_int_equal(ask(gate, REQUEST_LOG, text), 0);
	expect(1, "error");
	assert_int_equal(ask(gate, REQUEST_LOG, "{\"level\":\"error\",\"data\":null}"), 0);
	expect(1, "error");
	end(call);
}

static void a_call_says_so_much_and_no_more(void **state)
{
	struct call *call = run(1, ERA_MODERN, SEVERITY_INFO, HEARS);
	uint64_t gate = inside(call);
	char text[LOGGING_DATA_MAX + 64];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(gate, REQUEST_LOG, "{\"level\":\"info\",\"data\":1}"), 0);
	call->log.told = LOGGING_MESSAGES - 1;
	assert_int_equal(ask(gate, REQUEST_LOG, "{\"level\":\"info\",\"data\":1}"), 0);
	assert_int_equal(
	    ask(gate, REQUEST_LOG, "{\"level\":\"info\",\"data\":1}"), RESULT_TOO_MANY);
	assert_int_equal(
	    ask(gate, REQUEST_LOG, "{\"level\":\"debug\",\"data\":1}"), 0); /* unheard */
	assert_int_equal(call->state, CALL_RUNNING);
	end(call);
	while (sent_next(&world.front, MESSAGE_NOTIFY))
		;
	call = run(1, ERA_MODERN, SEVERITY_INFO, HEARS);
	gate = inside(call);
	snprintf(
	    text, sizeof(text), "{\"level\":\"info\",\"data\":\"%0*d\"}", LOGGING_DATA_MAX - 2, 0);
	for (int i = 0; i < LOGGING_BYTES / LOGGING_DATA_MAX; i++)
		assert_int_equal(ask(gate, REQUEST_LOG, text), 0);
	assert_int_equal(
	    ask(gate, REQUEST_LOG, "{\"level\":\"info\",\"data\":1}"), RESULT_TOO_MANY);
	end(call);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, guarded_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(levels_have_an_order),
	    TEST(a_modern_request_says_it_itself),
	    TEST(the_level_is_the_connections),
	    TEST(a_tool_hears_its_tools),
	    TEST(over_http_it_is_the_principals),
	    TEST(strangers_are_kept_apart),
	    TEST(nonsense_is_refused),
	    TEST(a_call_says_so_much_and_no_more),
	};

	return cmocka_run_group_tests_name("logging", tests, NULL, NULL);
}
