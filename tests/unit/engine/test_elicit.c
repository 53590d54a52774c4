/* Approval by a form in the client: who is asked, which answers count, once, for one plan. */
#include "tests/unit/engine/fakes.h"

#include "agent-api/wire/notice.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/engine/asking/elicit.h"

static const char form_policy[] =
    "server:\n  socket: {path: callgate.sock}\n"
    "approvals: {timeout: 5m, hold: 45s}\n"
    "roles:\n  developer: {tools: [\"*\"]}\n"
    "principals:\n  - {peer_uid: 1000, roles: [developer]}\n"
    "  - {peer_uid: 1001, roles: [developer]}\n"
    "namespaces: {default: {working_directory: ./workspace}}\n"
    "tools:\n"
    "  form: {type: command, require_approval: true, approval: {by_client: true}}\n"
    "  reason: {type: command, require_approval: true, approval: {by_client: true, "
    "reason_required: true}}\n"
    "  two: {type: command, require_approval: true, approval: {by_client: true, quorum: 2}}\n"
    "  strict: {type: command, require_approval: true}\n";

static int setup(void **state)
{
	int r = world_setup(state);

	world.rules = ruleset_drop(world.rules);
	world.rules = world_rules(form_policy);
	return r;
}

static uint64_t last_serial = 1000;

struct ask {
	const char *tool;
	enum request_era era;
	uint32_t options;
	const char *retry;
	uint64_t peer;
	uint8_t plan; /* seed */
};

/* Up to the answer to its plan. NULL: refused at the door. */
static struct call *start(const struct ask *ask)
{
	struct message message =
	    request_message(ask->peer ? ask->peer : 1, ++last_serial, REQUEST_TOOLS_CALL);
	struct call *before = world.calls;

	message.u.request.tool = ask->tool;
	message.u.request.era = ask->era;
	message.u.request.options = ask->options;
	message.u.request.retry = ask->retry ? ask->retry : "";
	message.u.request.body.data = "{\"command\":\"ls\"}";
	message.u.request.body.len = strlen(message.u.request.body.data);
	assert_int_equal(methods_request(&world, &message), 0);
	if (world.calls == before)
		return NULL;
	answer_plan(world.calls, ANSWER_OK, ask->plan ? ask->plan : 7);
	return world.calls;
}

static const struct ask LEGACY = {.tool = "form", .options = REQUEST_CAN_ELICIT};
static const struct ask NEW = {.tool = "form", .era = ERA_MODERN, .options = REQUEST_CAN_ELICIT};

/* The id of the form that was sent; false: none was. */
static bool hear_form(char id[NOTICE_ID_MAX])
{
	struct message *message = sent_next(&world.front, MESSAGE_NOTIFY);
	json_t *json;

	if (!message)
		return false;
	json = json_loadb(message->u.notify.body.data, message->u.notify.body.len, 0, NULL);
	assert_string_equal(
	    json_string_value(json_object_get(json, "method")), "elicitation/create");
	snprintf(id, NOTICE_ID_MAX, "%s", json_string_value(json_object_get(json, "id")));
	assert_non_null(
	    strstr(json_string_value(json_object_get(json_object_get(json, "params"), "message")),
		"program /bin/ls")); /* the plan */
	json_decref(json);
	return true;
}

static void respond(uint64_t peer, const char *id, const char *json)
{
	struct message message;

	message_init(&message, MESSAGE_RESPONSE);
	message.u.response.peer = peer;
	message.u.response.id = id;
	message.u.response.kind = REPLY_RESULT;
	message.u.response.body.data = json;
	message.u.response.body.len = strlen(json);
	assert_int_equal(elicit_response(&world, &message), 0);
}

#define YES "{\"action\":\"accept\",\"content\":{\"decision\":\"approve\",\"reason\":\"r\"}}"
#define NO  "{\"action\":\"accept\",\"content\":{\"decision\":\"deny\"}}"

/* ---- legacy ---- */

static void a_yes_lets_the_call_go_on(void **state)
{
	struct call *call = start(&LEGACY);
	char id[NOTICE_ID_MAX];
	struct message *record;

	(void)state;
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_true(hear_form(id));
	respond(2, id, YES); /* another connection */
	respond(1, "callgate-00", YES);
	respond(1, id, "{\"action\":\"accept\""); /* broken */
	respond(1, id, "{\"action\":\"cancel\"}");
	assert_int_equal(call->state, CALL_APPROVAL);
	respond(1, id, YES);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_true(call->answered);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 1);
	while ((record = sent_next(&world.auditor, MESSAGE_RECORD)) &&
	       record->u.record.record != RECORD_APPROVAL_GRANT)
		;
	assert_non_null(record);
	assert_true(record_holds(record, "answered in the client: r"));
	assert_true(record_holds(record, "elicitation"));
	respond(1, id, YES); /* once */
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 1);
	drive_to_end(call->id);
}

static void a_no_ends_it(void **state)
{
	struct call *call = start(&LEGACY);
	char id[NOTICE_ID_MAX];

	(void)state;
	assert_true(hear_form(id));
	respond(1, id, NO);
	assert_int_equal(call->state, CALL_DECLINED);
	assert_int_equal(call->outcome, OUTCOME_REFUSED);
	drive_to_end(call->id);
}

static void nobody_else_is_asked(void **state)
{
	static const struct ask ROWS[] = {
	    {.tool = "form"}, /* cannot show it */
	    {.tool = "form", .era = ERA_MODERN},
	    {.tool = "strict", .options = REQUEST_CAN_ELICIT},
	    {.tool = "strict", .era = ERA_MODERN, .options = REQUEST_CAN_ELICIT},
	    {.tool = "two", .options = REQUEST_CAN_ELICIT}, /* one client is not two people */
	    {.tool = "two", .era = ERA_MODERN, .options = REQUEST_CAN_ELICIT},
	};
	char id[NOTICE_ID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct call *call = start(&ROWS[i]);

		assert_int_equal(call->state, CALL_APPROVAL);
		assert_false(hear_form(id));
		call_cancel(call);
		drive_to_end(call->id);
	}
}

/* What connects through a gate is a tool: it would answer its own form. */
static void nobody_behind_a_gate_is_asked(void **state)
{
	static const struct ask INSIDE = {
	    .tool = "form", .options = REQUEST_CAN_ELICIT, .peer = 2, .plan = 9};
	static const struct ask INSIDE_NEW = {
	    .tool = "form", .era = ERA_MODERN, .options = REQUEST_CAN_ELICIT, .peer = 2, .plan = 9};
	struct call *parent = start(&LEGACY), *call;
	struct peer *peer = (struct peer *)peer_find(&world, 2);
	char id[NOTICE_ID_MAX];
	int writers[2];

	(void)state;
	assert_true(hear_form(id));
	respond(1, id, YES);
	answer_record(parent->serial, ANSWER_OK, 9);
	answer_launch(parent->serial, ANSWER_OK, writers);
	assert_int_equal(parent->state, CALL_RUNNING);
	snprintf(peer->call, sizeof(peer->call), "%s", parent->id);
	call = start(&INSIDE);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_false(hear_form(id));
	call = start(&INSIDE_NEW);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_false(hear_form(id));
	close(writers[0]);
	close(writers[1]);
	peer->call[0] = '\0';
}

static void a_closed_question_is_withdrawn(void **state)
{
	struct call *call = start(&LEGACY);
	char id[NOTICE_ID_MAX];
	struct message *message;

	(void)state;
	assert_true(hear_form(id));
	call_cancel(call);
	message = sent_next(&world.front, MESSAGE_NOTIFY);
	assert_non_null(message);
	assert_non_null(
	    memmem(message->u.notify.body.data, message->u.notify.body.len, id, strlen(id)));
	assert_non_null(memmem(message->u.notify.body.data, message->u.notify.body.len,
	    "notifications/cancelled", 23));
	respond(1, id, YES); /* too late */
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0);
	drive_to_end(call->id);
}

static void forms_of_one_question_are_bounded(void **state)
{
	char ids[ELICIT_FORMS_MAX + 1][NOTICE_ID_MAX];
	struct call *calls[ELICIT_FORMS_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= ELICIT_FORMS_MAX; i++) {
		calls[i] = start(&LEGACY);
		assert_int_equal(calls[i]->state, CALL_APPROVAL);
		if (i == ELICIT_FORMS_MAX) /* the first one is taken back before */
			assert_non_null(sent_next(&world.front, MESSAGE_NOTIFY));
		assert_true(hear_form(ids[i]));
	}
	respond(1, ids[0], YES);
	assert_int_equal(calls[0]->state, CALL_APPROVAL);
	respond(1, ids[1], YES); /* for the call that has waited longest */
	assert_int_equal(calls[0]->state, CALL_DECIDED);
	assert_int_equal(calls[1]->state, CALL_APPROVAL);
}

static void a_reason_that_is_demanded_is_demanded_here(void **state)
{
	static const struct ask REASON = {.tool = "reason", .options = REQUEST_CAN_ELICIT};
	struct call *call = start(&REASON);
	char id[NOTICE_ID_MAX];

	(void)state;
	assert_true(hear_form(id));
	respond(1, id, "{\"action\":\"accept\",\"content\":{\"decision\":\"approve\"}}");
	assert_int_equal(call->state, CALL_APPROVAL);
	respond(1, id, YES);
	assert_int_equal(call->state, CALL_DECIDED);
	drive_to_end(call->id);
}

/* ---- modern ---- */

/* The state of the next input_required; the caller's. */
static char *hear_state(struct call *call)
{
	json_t *result;
	char *state;

	assert_int_equal(call->outcome, OUTCOME_PENDING);
	drive_to_end(call->id);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(
	    json_string_value(json_object_get(result, "resultType")), "input_required");
	assert_string_equal(meta_text(result, "outcome"), "pending");
	state = strdup(json_string_value(json_object_get(result, "requestState")));
	json_decref(result);
	return state;
}

/* The call again, with this state and this answer (JSON; NULL: none). */
static struct call *again(const struct ask *ask, const char *state, const char *answer)
{
	struct ask retry = *ask;
	char text[1024];

	if (answer)
		snprintf(text, sizeof(text),
		    "{\"inputResponses\":{\"approval\":%s},\"requestState\":\"%s\"}", answer,
		    state);
	else
		snprintf(text, sizeof(text), "{\"requestState\":\"%s\"}", state);
	retry.retry = text;
	return start(&retry);
}

static void expect_refused(const struct ask *ask, const char *state)
{
	json_t *error;

	if (again(ask, state, YES))
		fail_msg("accepted: %s %s %llu", state, ask->tool, (unsigned long long)ask->peer);
	error = reply_json(REPLY_ERROR);
	assert_int_equal(json_integer_value(json_object_get(error, "code")), RPC_INVALID_PARAMS);
	json_decref(error);
}

static void a_state_brings_its_answer_once(void **state)
{
	char *given = hear_state(start(&NEW));
	struct call *call = again(&NEW, given, YES);

	(void)state;
	assert_int_equal(call->state, CALL_DECIDED);
	drive_to_end(call->id);
	json_decref(reply_json(REPLY_RESULT));
	expect_refused(&NEW, given);
	free(given);
}

static void a_state_is_bound_to_its_call(void **state)
{
	struct ask other = NEW;
	char *given = hear_state(start(&NEW));
	char *second;
	struct call *call;

	(void)state;
	for (size_t i = 0; i < strlen(given); i += 3) {
		char was = given[i];

		given[i] = was == 'A' ? 'B' : 'A';
		expect_refused(&NEW, given);
		given[i] = was;
	}
	expect_refused(&NEW, "");
	expect_refused(&NEW, "AAAA");
	other.tool = "reason";
	expect_refused(&other, given);
	other = NEW;
	other.peer = 2; /* another principal */
	expect_refused(&other, given);
	other = NEW;
	other.plan = 8; /* other arguments, or a program that changed: asked anew */
	call = again(&other, given, YES);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0);
	second = hear_state(call);
	assert_string_not_equal(second, given);
	free(second);
	free(given);
}

static void no_answer_is_asked_for_again(void **state)
{
	static const char *const NONE[] = {NULL, "{\"action\":\"cancel\"}", "{}", "null", "[]"};
	char *given = hear_state(start(&NEW));
	struct call *call;

	(void)state;
	for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++) {
		char *next = hear_state(again(&NEW, given, NONE[i]));

		expect_refused(&NEW, given); /* used, whatever came with it */
		free(given);
		given = next;
	}
	call = again(&NEW, given, NO);
	assert_int_equal(call->outcome, OUTCOME_REFUSED);
	drive_to_end(call->id);
	free(given);
}

static void a_closed_question_voids_its_states(void **state)
{
	char *given = hear_state(start(&NEW));

	(void)state;
	approval_void_all(&world, "another policy is in force");
	expect_refused(&NEW, given);
	free(given);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_yes_lets_the_call_go_on),
	    TEST(a_no_ends_it),
	    TEST(nobody_else_is_asked),
	    TEST(nobody_behind_a_gate_is_asked),
	    TEST(a_closed_question_is_withdrawn),
	    TEST(forms_of_one_question_are_bounded),
	    TEST(a_reason_that_is_demanded_is_demanded_here),
	    TEST(a_state_brings_its_answer_once),
	    TEST(a_state_is_bound_to_its_call),
	    TEST(no_answer_is_asked_for_again),
	    TEST(a_closed_question_voids_its_states),
	};

	return cmocka_run_group_tests_name("elicit", tests, NULL, NULL);
}
