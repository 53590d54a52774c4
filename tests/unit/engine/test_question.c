/* What a running tool asks its caller's user: who may, how it is asked in both eras, whose answer
 * counts, and how it ends. */
#include "tests/unit/engine/fakes.h"

#include "agent-api/wire/notice.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/question.h"

static const char ask_policy[] =
    "server:\n  socket: {path: callgate.sock}\n"
    "approvals: {timeout: 1s, hold: 45s}\n"
    "roles:\n  developer: {tools: [\"*\"]}\n"
    "principals:\n  - {peer_uid: 1000, roles: [developer]}\n"
    "  - {peer_uid: 1001, roles: [developer]}\n"
    "namespaces: {default: {working_directory: ./workspace}}\n"
    "defaults: {decision: allow}\n"
    "tools:\n"
    "  poll: {type: command, elicit: true, sandbox: {callgate: true}}\n"
    "  other: {type: command, elicit: true, sandbox: {callgate: true}}\n"
    "  mute: {type: command, sandbox: {callgate: true}}\n";

#define FORM                                                                                       \
	"{\"message\":\"Which?\",\"name\":\"which\",\"requestedSchema\":{\"type\":\"object\","     \
	"\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]}}"
#define THREE "{\"action\":\"accept\",\"content\":{\"n\":3}}"

static uint64_t last_serial = 1000;
static uint64_t last_peer = 100;
static int writers[2];

static int setup(void **state)
{
	int r = world_setup(state);

	world.rules = ruleset_drop(world.rules);
	world.rules = world_rules(ask_policy);
	writers[0] = writers[1] = -1;
	return r;
}

static int teardown(void **state)
{
	if (writers[0] >= 0) {
		close(writers[0]);
		close(writers[1]);
	}
	return world_teardown(state);
}

struct ask {
	const char *tool;
	uint64_t peer;
	enum request_era era;
	uint32_t options;
	const char *retry, *arguments;
};
static const struct ask LEGACY = {"poll", 1, ERA_LEGACY, REQUEST_CAN_ELICIT, NULL, NULL};
static const struct ask MODERN = {"poll", 1, ERA_MODERN, REQUEST_CAN_ELICIT, NULL, NULL};

static void send_call(const struct ask *ask)
{
	struct message message = request_message(ask->peer, ++last_serial, REQUEST_TOOLS_CALL);
	const char *body =
	    ask->arguments ? ask->arguments : "{\"command\":\"ls -l\",\"cwd\":\".\"}";

	message.u.request.tool = ask->tool;
	message.u.request.era = ask->era;
	message.u.request.options = ask->options;
	message.u.request.retry = ask->retry ? ask->retry : "";
	message.u.request.body = (struct bytes){body, strlen(body)};
	assert_int_equal(methods_request(&world, &message), 0);
}

static struct call *run(const struct ask *ask)
{
	struct call *call;

	send_call(ask);
	call = world.calls;
	answer_plan(call, ANSWER_OK, 7);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(call->state, CALL_RUNNING);
	return call;
}

static uint64_t inside(const struct call *call)
{
	struct message message;

	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = ++last_peer;
	message.u.peer.call = call->id;
	assert_int_equal(peer_arrived(&world, &message), 0);
	return last_peer;
}

/* The serial of the question. */
static uint64_t ask_user(uint64_t gate, const char *params)
{
	struct message message = request_message(gate, ++last_serial, REQUEST_ELICIT);

	message.u.request.body = (struct bytes){params, strlen(params)};
	assert_int_equal(methods_request(&world, &message), 0);
	return last_serial;
}

/* What was answered to this request, the caller's; NULL: nothing yet. */
static json_t *answer_of(uint64_t serial, enum reply_kind kind)
{
	for (size_t i = 0; i < sent_count; i++) {
		const struct message *message = &sent[i].message;

		if (message->type != MESSAGE_REPLY || message->serial != serial)
			continue;
		assert_int_equal(message->u.reply.kind, kind);
		return json_loadb(message->u.reply.body.data, message->u.reply.body.len, 0, NULL);
	}
	return NULL;
}

static bool is_answered(uint64_t serial)
{
	json_t *told = answer_of(serial, REPLY_RESULT);

	json_decref(told);
	return told != NULL;
}

static void expect_answer(uint64_t serial, const char *text)
{
	json_t *told = answer_of(serial, REPLY_RESULT), *expected = json_loads(text, 0, NULL);

	assert_non_null(told);
	if (!json_equal(told, expected))
		fail_msg("%s", json_dumps(told, 0));
	json_decref(told);
	json_decref(expected);
}

static int refusal(uint64_t serial)
{
	json_t *error = answer_of(serial, REPLY_ERROR);
	int code;

	assert_non_null(error);
	code = (int)json_integer_value(json_object_get(error, "code"));
	json_decref(error);
	return code;
}

/* Does the client hear of this method? id: of a request; NULL: not wanted. */
static bool heard(const char *method, char id[NOTICE_ID_MAX])
{
	struct message *message = sent_next(&world.front, MESSAGE_NOTIFY);
	json_t *json;
	bool same;

	if (!message)
		return false;
	assert_int_equal(message->u.notify.peer, 1);
	json = json_loadb(message->u.notify.body.data, message->u.notify.body.len, 0, NULL);
	same = strcmp(json_string_value(json_object_get(json, "method")), method) == 0;
	if (id)
		snprintf(id, NOTICE_ID_MAX, "%s", json_string_value(json_object_get(json, "id")));
	json_decref(json);
	return same;
}

/* The newest form.answered: what was done, and of what was filled in its digest alone. */
static void check_form_record(const char *action, const char *content)
{
	const struct message *record = NULL;
	struct digest digest;

	for (size_t i = 0; i < sent_count; i++)
		if (sent[i].message.type == MESSAGE_RECORD &&
		    sent[i].message.u.record.record == RECORD_FORM_ANSWERED)
			record = &sent[i].message;
	assert_non_null(record);
	assert_true(record_holds(record, action));
	assert_true(record_holds(record, "uid:1000"));
	assert_int_equal(record_holds(record, "answer"), content != NULL);
	if (!content)
		return;
	assert_int_equal(digest_of(&digest, content, strlen(content)), 0);
	assert_non_null(memmem(record->u.record.body.data, record->u.record.body.len, digest.bytes,
	    sizeof(digest.bytes)));
	assert_false(record_holds(record, content));
}

static void respond(uint64_t peer, const char *id, enum reply_kind kind, const char *json)
{
	struct message message;

	message_init(&message, MESSAGE_RESPONSE);
	message.u.response.peer = peer;
	message.u.response.id = id;
	message.u.response.kind = kind;
	message.u.response.body = (struct bytes){json, strlen(json)};
	assert_int_equal(elicit_response(&world, &message), 0);
}

static void leave(uint64_t peer)
{
	struct message message;

	message_init(&message, MESSAGE_PEER_GONE);
	message.u.peer_gone.peer = peer;
	assert_int_equal(peer_gone(&world, &message), 0);
}

/* ---- legacy ---- */

static void the_answer_goes_to_the_tool(void **state)
{
	struct call *call = run(&LEGACY);
	uint64_t gate = inside(call), serial = ask_user(gate, FORM);
	char id[NOTICE_ID_MAX];

	(void)state;
	assert_true(heard("elicitation/create", id));
	assert_null(answer_of(serial, REPLY_RESULT));
	assert_true(call->streamed);
	respond(2, id, REPLY_RESULT, THREE); /* another connection */
	respond(1, "callgate-tool-00", REPLY_RESULT, THREE);
	assert_null(answer_of(serial, REPLY_RESULT));
	assert_int_equal(refusal(ask_user(gate, FORM)), RESULT_FORBIDDEN); /* one at a time */
	assert_int_equal(sent_records(RECORD_FORM_ASKED, NULL), 1);
	assert_int_equal(sent_records(RECORD_FORM_ANSWERED, NULL), 0);
	respond(1, id, REPLY_RESULT, THREE);
	check_form_record("accept", "{\"n\":3}");
	expect_answer(serial, THREE);
	respond(1, id, REPLY_RESULT, "{\"action\":\"decline\"}"); /* once */
	assert_int_equal(call->state, CALL_RUNNING);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0); /* it decides nothing */
	serial = ask_user(gate, FORM);
	assert_true(heard("elicitation/create", id));
	respond(1, id, REPLY_RESULT, "{\"action\":\"accept\",\"content\":{\"n\":\"3\"}}");
	expect_answer(serial, "{\"action\":\"cancel\"}");
	serial = ask_user(gate, FORM);
	assert_true(heard("elicitation/create", id));
	respond(1, id, REPLY_ERROR, "{\"code\":-32601,\"message\":\"no\"}");
	check_form_record("cancel", NULL);
	expect_answer(serial, "{\"action\":\"cancel\"}");
}

static void who_may_not_ask_is_told_so(void **state)
{
	static const struct ask ROWS[] = {
	    {"mute", 1, ERA_LEGACY, REQUEST_CAN_ELICIT, NULL, NULL},
	    {"poll", 1, ERA_LEGACY, 0, NULL, NULL},
	    {"poll", 1, ERA_MODERN, 0, NULL, NULL},
	    {"poll", 1, ERA_MODERN, REQUEST_CAN_ELICIT | REQUEST_STREAM_OUTPUT, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct call *call = run(&ROWS[i]);

		assert_int_equal(refusal(ask_user(inside(call), FORM)), RESULT_FORBIDDEN);
		assert_null(sent_next(&world.front, MESSAGE_NOTIFY));
		assert_false(call->parked);
		close(writers[0]);
		close(writers[1]);
		call_cancel(call);
		drive_to_end(call->id);
	}
	writers[0] = -1;
	assert_int_equal(refusal(ask_user(1, FORM)), RESULT_FORBIDDEN); /* no running call */
}

static void a_broken_form_is_not_shown(void **state)
{
	struct call *call = run(&LEGACY);
	uint64_t gate = inside(call);

	(void)state;
	assert_int_equal(refusal(ask_user(gate, "{}")), RPC_INVALID_PARAMS);
	assert_int_equal(refusal(ask_user(gate, "{\"message\":\"m\",\"requestedSchema\":true}")),
	    RPC_INVALID_PARAMS);
	assert_null(sent_next(&world.front, MESSAGE_NOTIFY));
	assert_int_equal(call->questions, 0);
	world_turn();
}

static void questions_of_a_call_are_bounded(void **state)
{
	struct call *call = run(&LEGACY);
	uint64_t gate = inside(call);
	char id[NOTICE_ID_MAX];

	(void)state;
	for (int i = 0; i < QUESTIONS_OF_CALL; i++) {
		(void)ask_user(gate, FORM);
		assert_true(heard("elicitation/create", id));
		respond(1, id, REPLY_RESULT, "{\"action\":\"decline\"}");
	}
	assert_int_equal(refusal(ask_user(gate, FORM)), RESULT_FORBIDDEN);
}

static void the_end_of_the_call_withdraws_it(void **state)
{
	struct call *call = run(&LEGACY);
	uint64_t serial = ask_user(inside(call), FORM);
	char id[NOTICE_ID_MAX];

	(void)state;
	assert_true(heard("elicitation/create", id));
	call_cancel(call);
	assert_true(heard("notifications/cancelled", NULL));
	expect_answer(serial, "{\"action\":\"cancel\"}");
	respond(1, id, REPLY_RESULT, THREE);
	drive_to_end(call->id);
}

static void a_tool_that_goes_asks_no_more(void **state)
{
	struct call *call = run(&LEGACY);
	uint64_t gate = inside(call), serial = ask_user(gate, FORM);
	struct message message;
	char id[NOTICE_ID_MAX];

	(void)state;
	assert_true(heard("elicitation/create", id));
	leave(gate);
	assert_true(heard("notifications/cancelled", NULL));
	respond(1, id, REPLY_RESULT, THREE);
	assert_null(answer_of(serial, REPLY_RESULT));
	gate = inside(call);
	serial = ask_user(gate, FORM);
	assert_true(heard("elicitation/create", id));
	message_init(&message, MESSAGE_CANCEL);
	message.u.cancel.peer = gate;
	message.u.cancel.request = serial;
	assert_int_equal(peer_cancel(&world, &message), 0);
	assert_true(heard("notifications/cancelled", NULL));
	json_decref(answer_of(serial, REPLY_SILENT));
	assert_int_equal(call->state, CALL_RUNNING);
}

static void nobody_waits_for_ever(void **state)
{
	struct call *call = run(&LEGACY);
	uint64_t serial = ask_user(inside(call), FORM);

	(void)state;
	assert_true(heard("elicitation/create", NULL));
	for (int i = 0; i < 300 && !is_answered(serial); i++) {
		world_turn();
		usleep(5000);
	}
	expect_answer(serial, "{\"action\":\"cancel\"}");
	assert_true(heard("notifications/cancelled", NULL));
	assert_int_equal(call->state, CALL_RUNNING); /* its client is still there */
}

/* ---- modern ---- */

/* The state that this request was answered with; the caller's. */
static char *parked(const struct call *call, uint64_t serial)
{
	json_t *result = answer_of(serial, REPLY_RESULT);
	char *state;

	assert_non_null(result);
	assert_true(call->parked);
	assert_string_equal(
	    json_string_value(json_object_get(result, "resultType")), "input_required");
	assert_string_equal(meta_text(result, "outcome"), "pending");
	assert_string_equal(meta_text(result, "id"), call->id);
	assert_non_null(json_object_get(json_object_get(result, "inputRequests"), "which"));
	state = strdup(json_string_value(json_object_get(result, "requestState")));
	json_decref(result);
	return state;
}

/* The call again with this state; answer: JSON of inputResponses. Its serial is last_serial. */
static void again(const struct ask *ask, const char *state, const char *answer)
{
	struct ask retry = *ask;
	char text[1024];

	snprintf(
	    text, sizeof(text), "{\"inputResponses\":%s,\"requestState\":\"%s\"}", answer, state);
	retry.retry = text;
	send_call(&retry);
}

#define ANSWERED "{\"which\":" THREE "}"

static void the_call_goes_on_with_its_answer(void **state)
{
	struct call *call = run(&MODERN);
	uint64_t serial = ask_user(inside(call), FORM);
	struct ask reordered = MODERN;
	char *given = parked(call, last_serial - 1);
	json_t *result;

	(void)state;
	leave(1); /* its request is answered: over HTTP the connection may go */
	assert_int_equal(call->state, CALL_RUNNING);
	world_peer(1, 1000);
	reordered.arguments = "{\"cwd\":\".\", \"command\":\"ls -l\"}";
	again(&reordered, given, ANSWERED);
	assert_int_equal(world.call_count, 1); /* no other call */
	assert_false(call->parked);
	expect_answer(serial, THREE);
	again(&MODERN, given, ANSWERED); /* once */
	assert_int_equal(refusal(last_serial), RPC_INVALID_PARAMS);
	assert_int_equal(call->request, last_serial - 1);
	answer_exit(call->id, EXIT_HOW_EXITED, 0);
	drive_to_end(call->id);
	result = answer_of(last_serial - 1, REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "completed");
	json_decref(result);
	free(given);
}

static void a_state_is_of_one_caller_and_one_call(void **state)
{
	static const struct ask OTHERS[] = {
	    {"poll", 2, ERA_MODERN, REQUEST_CAN_ELICIT, NULL, NULL}, /* another principal */
	    {"other", 1, ERA_MODERN, REQUEST_CAN_ELICIT, NULL, NULL},
	    {"poll", 1, ERA_MODERN, REQUEST_CAN_ELICIT, NULL, "{\"command\":\"ls\"}"},
	    {"poll", 1, ERA_MODERN, REQUEST_CAN_ELICIT, NULL, "[]"},
	};
	struct call *call = run(&MODERN);
	uint64_t gate = inside(call), serial = ask_user(gate, FORM);
	char *given = parked(call, last_serial - 1);

	(void)state;
	for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
		again(&OTHERS[i], given, ANSWERED);
		assert_int_equal(refusal(last_serial), RPC_INVALID_PARAMS);
	}
	for (size_t i = 0; i < strlen(given); i += 3) {
		char was = given[i];

		given[i] = was == 'A' ? 'B' : 'A';
		again(&MODERN, given, ANSWERED);
		assert_int_equal(refusal(last_serial), RPC_INVALID_PARAMS);
		given[i] = was;
	}
	assert_true(call->parked);
	assert_null(answer_of(serial, REPLY_RESULT));
	free(given);
}

static void what_is_no_answer_is_asked_again(void **state)
{
	static const char *const NONE[] = {"{}", "{\"which\":12}", "{\"other\":" THREE "}",
	    "{\"which\":{\"action\":\"accept\",\"content\":{}}}"};
	struct call *call = run(&MODERN);
	uint64_t gate = inside(call), serial = ask_user(gate, FORM);
	char *given = parked(call, last_serial - 1);
	struct ask blind = MODERN;

	(void)state;
	for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++) {
		char *next;

		again(&MODERN, given, NONE[i]);
		next = parked(call, last_serial);
		assert_string_not_equal(next, given);
		again(&MODERN, given, ANSWERED); /* the old one counts no more */
		assert_int_equal(refusal(last_serial), RPC_INVALID_PARAMS);
		free(given);
		given = next;
	}
	assert_null(answer_of(serial, REPLY_RESULT));
	blind.options = 0; /* a client that can show none now: the tool hears of it */
	again(&blind, given, "{}");
	expect_answer(serial, "{\"action\":\"cancel\"}");
	assert_false(call->parked);
	assert_int_equal(refusal(ask_user(gate, FORM)), RESULT_FORBIDDEN);
	free(given);
}

static void a_parked_call_ends_without_a_word(void **state)
{
	struct call *call = run(&MODERN);
	int replies;
	char *given;

	(void)state;
	(void)ask_user(inside(call), FORM);
	given = parked(call, last_serial - 1);
	replies = sent_count_of(MESSAGE_REPLY);
	answer_exit(call->id, EXIT_HOW_EXITED, 0);
	drive_to_end(call->id);
	assert_int_equal(world.call_count, 0);
	assert_int_equal(sent_count_of(MESSAGE_REPLY), replies + 1); /* the tool's */
	again(&MODERN, given, ANSWERED);
	assert_int_equal(refusal(last_serial), RPC_INVALID_PARAMS);
	free(given);
}

/* ---- answers that came with the call ---- */

static struct ask foretold(const char *responses, char *text, size_t len)
{
	struct ask ask = MODERN;

	snprintf(text, len, "{\"inputResponses\":%s}", responses);
	ask.retry = text;
	return ask;
}

static bool is_recorded(const char *text)
{
	for (size_t i = 0; i < sent_count; i++)
		if (sent[i].message.type == MESSAGE_RECORD && record_holds(&sent[i].message, text))
			return true;
	return false;
}

static void an_answer_may_come_with_the_call(void **state)
{
	char text[256];
	struct ask ask =
	    foretold("{\"which\":" THREE ",\"more\":{},\"approval\":1}", text, sizeof(text));
	struct call *call = run(&ask);
	uint64_t gate = inside(call), serial = ask_user(gate, FORM);
	char *given;

	(void)state;
	expect_answer(serial, THREE);
	assert_false(call->parked);
	assert_false(call->streamed); /* nobody was shown anything */
	assert_int_equal(call->questions, 0);
	assert_int_equal(call->foreseen, 1);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0);
	serial = ask_user(gate, FORM); /* it counts once */
	given = parked(call, last_serial - 2);
	assert_false(is_answered(serial));
	again(&MODERN, given, ANSWERED);
	expect_answer(serial, THREE);
	answer_exit(call->id, EXIT_HOW_EXITED, 0);
	drive_to_end(call->id);
	assert_true(is_recorded("foreseen"));
	free(given);
}

static void what_does_not_fit_is_asked_for(void **state)
{
	static const char *const ROWS[] = {"{\"other\":" THREE "}", "{\"which\":12345}",
	    "{\"which\":null}", "{\"which\":{\"action\":\"accept\"}}",
	    "{\"which\":{\"action\":\"accept\",\"content\":{\"n\":\"3\"}}}",
	    "{\"which\":{\"action\":\"accept\",\"content\":{\"n\":3,\"m\":4}}}"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct ask ask = foretold(ROWS[i], text, sizeof(text));
		struct call *call = run(&ask);
		uint64_t serial = ask_user(inside(call), FORM);

		free(parked(call, last_serial - 1));
		assert_false(is_answered(serial));
		assert_int_equal(call->questions, 1);
		assert_int_equal(call->foreseen, 0);
		call_cancel(call);
		drive_to_end(call->id);
		close(writers[0]);
		close(writers[1]);
		writers[0] = -1;
	}
}

/* A no is an answer, too; and what may not be asked is not answered either. */
static void an_answer_ahead_gives_no_rights(void **state)
{
	char text[256];
	struct ask ask = foretold("{\"which\":{\"action\":\"decline\"}}", text, sizeof(text));
	struct call *call = run(&ask);

	(void)state;
	expect_answer(ask_user(inside(call), FORM), "{\"action\":\"decline\"}");
	close(writers[0]);
	close(writers[1]);
	call_cancel(call);
	drive_to_end(call->id);
	ask.tool = "mute";
	call = run(&ask);
	assert_int_equal(refusal(ask_user(inside(call), FORM)), RESULT_FORBIDDEN);
	close(writers[0]);
	close(writers[1]);
	call_cancel(call);
	drive_to_end(call->id);
	ask.tool = "poll";
	call = run(&ask);
	call->edit.plan.bytes[0] = 1; /* an approver gave it other arguments */
	assert_false(is_answered(ask_user(inside(call), FORM)));
	assert_true(call->parked);
}

static void whoever_does_not_come_again_ends_it(void **state)
{
	struct call *call = run(&MODERN);
	int replies;

	(void)state;
	(void)ask_user(inside(call), FORM);
	free(parked(call, last_serial - 1));
	for (int i = 0; i < 300 && call->state == CALL_RUNNING; i++) {
		world_turn();
		usleep(5000);
	}
	assert_int_equal(call->state, CALL_KILLING);
	replies = sent_count_of(MESSAGE_REPLY);
	drive_to_end(call->id);
	assert_int_equal(sent_count_of(MESSAGE_REPLY), replies);
}

static void a_stop_waits_for_nobody_who_cannot_come(void **state)
{
	struct call *call = run(&MODERN);

	(void)state;
	(void)ask_user(inside(call), FORM);
	free(parked(call, last_serial - 1));
	world.draining = 1;
	calls_drain(&world);
	assert_int_equal(call->state, CALL_KILLING);
	drive_to_end(call->id);
	assert_int_equal(world.call_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_answer_goes_to_the_tool),
	    TEST(who_may_not_ask_is_told_so),
	    TEST(a_broken_form_is_not_shown),
	    TEST(questions_of_a_call_are_bounded),
	    TEST(the_end_of_the_call_withdraws_it),
	    TEST(a_tool_that_goes_asks_no_more),
	    TEST(nobody_waits_for_ever),
	    TEST(the_call_goes_on_with_its_answer),
	    TEST(a_state_is_of_one_caller_and_one_call),
	    TEST(what_is_no_answer_is_asked_again),
	    TEST(a_parked_call_ends_without_a_word),
	    TEST(an_answer_may_come_with_the_call),
	    TEST(what_does_not_fit_is_asked_for),
	    TEST(an_answer_ahead_gives_no_rights),
	    TEST(whoever_does_not_come_again_ends_it),
	    TEST(a_stop_waits_for_nobody_who_cannot_come),
	};

	return cmocka_run_group_tests_name("question", tests, NULL, NULL);
}
