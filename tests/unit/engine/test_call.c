/* The story of a call: every row of the table, every pair that is not in it, and every answer
 * that a sibling may give late, wrongly or not at all. */
#include "tests/unit/engine/fakes.h"

#define LS "{\"command\": \"ls\"}"
#define RM "{\"command\": \"rm -rf x\"}"

/* ---- the table, told a second time ------------------------------------------------------- */

struct expectation {
	enum call_state from;
	enum call_event event;
	enum call_state to; /* where it comes to rest, instant steps included */
	enum call_outcome outcome;
};

#define E(from, event, to, outcome)                                                                \
	{                                                                                          \
		CALL_##from, CALL_ON_##event, CALL_##to, OUTCOME_##outcome                         \
	}
static const struct expectation expected[] = {
    E(NEW, ARRIVED, AUTHORIZED, NONE),
    E(RECEIVED, IDENTIFIED, AUTHORIZED, NONE),
    E(RECEIVED, DENIED, DECLINED, REFUSED),
    E(RECEIVED, BUSY, DECLINED, UNAVAILABLE),
    E(AUTHENTICATED, PERMITTED, AUTHORIZED, NONE),
    E(AUTHENTICATED, DENIED, DECLINED, REFUSED),
    E(AUTHENTICATED, BUSY, DECLINED, UNAVAILABLE),
    E(AUTHORIZED, PLANNED, DECIDED, NONE),
    E(AUTHORIZED, REFUSED, DECLINED, REFUSED),
    E(AUTHORIZED, UNAVAILABLE, DECLINED, UNAVAILABLE),
    E(AUTHORIZED, TIMEOUT, DECLINED, UNAVAILABLE),
    E(AUTHORIZED, CANCELLED, DECLINED, CANCELLED),
    E(AUTHORIZED, RELOADED, AUTHORIZED, NONE),
    E(PLANNED, READY, DECIDED, NONE),
    E(PLANNED, NEEDS_HUMAN, APPROVAL, NONE),
    E(PLANNED, TIMEOUT, DECLINED, PENDING),
    E(APPROVAL, APPROVED, DECIDED, NONE),
    E(APPROVAL, DENIED, DECLINED, REFUSED),
    E(APPROVAL, BUSY, DECLINED, UNAVAILABLE),
    E(APPROVAL, EXPIRED, DECLINED, EXPIRED),
    E(APPROVAL, TIMEOUT, DECLINED, PENDING),
    E(APPROVAL, CANCELLED, DECLINED, CANCELLED),
    E(APPROVAL, NEEDS_HUMAN, APPROVAL, NONE),
    E(APPROVAL, RELOADED, AUTHORIZED, NONE),
    E(APPROVAL, EDITED, AUTHORIZED, NONE),
    E(DECIDED, RECEIPT, SANDBOX, NONE),
    E(DECIDED, UNRECORDED, FINISHED, UNAVAILABLE),
    E(DECIDED, CANCELLED, FINISHED, CANCELLED),
    E(DECIDED, TIMEOUT, FINISHED, UNAVAILABLE),
    E(DECLINED, TIMEOUT, FINISHED, UNAVAILABLE),
    E(RUNNING, TIMEOUT, KILLING, DEADLINE),
    E(KILLING, TIMEOUT, FINISHED, FAILED),
    E(FINISHED, TIMEOUT, AUDITED, UNAVAILABLE),
    E(DECLINED, RECORDED, FINISHED, REFUSED),
    E(DECLINED, UNRECORDED, FINISHED, UNAVAILABLE),
    E(DECLINED, CANCELLED, DECLINED, REFUSED),
    E(SANDBOX, LAUNCHED, RUNNING, NONE),
    E(SANDBOX, VOIDED, FINISHED, FAILED),
    E(SANDBOX, REFUSED, FINISHED, REFUSED),
    E(SANDBOX, UNAVAILABLE, FINISHED, UNAVAILABLE),
    E(SANDBOX, TIMEOUT, KILLING, UNAVAILABLE),
    E(SANDBOX, CANCELLED, KILLING, CANCELLED),
    E(SANDBOX, EXITED, FINISHED, COMPLETED),
    E(SANDBOX, DEADLINE, FINISHED, DEADLINE),
    E(SANDBOX, OOM, FINISHED, OOM),
    E(SANDBOX, PIDS, FINISHED, PIDS),
    E(SANDBOX, CPU, FINISHED, DEADLINE),
    E(SANDBOX, DISK, FINISHED, DISK),
    E(SANDBOX, OUTPUT, FINISHED, OUTPUT),
    E(SANDBOX, BROKE, FINISHED, FAILED),
    E(SANDBOX, STUCK, FINISHED, FAILED),
    E(RUNNING, EXITED, FINISHED, COMPLETED),
    E(RUNNING, DEADLINE, FINISHED, DEADLINE),
    E(RUNNING, OOM, FINISHED, OOM),
    E(RUNNING, PIDS, FINISHED, PIDS),
    E(RUNNING, CPU, FINISHED, DEADLINE),
    E(RUNNING, DISK, FINISHED, DISK),
    E(RUNNING, OUTPUT, FINISHED, OUTPUT),
    E(RUNNING, BROKE, FINISHED, FAILED),
    E(RUNNING, STUCK, FINISHED, FAILED),
    E(RUNNING, CANCELLED, KILLING, CANCELLED),
    E(KILLING, LAUNCHED, KILLING, CANCELLED),
    E(KILLING, KILLED, FINISHED, CANCELLED),
    E(KILLING, VOIDED, FINISHED, CANCELLED),
    E(KILLING, REFUSED, FINISHED, CANCELLED),
    E(KILLING, UNAVAILABLE, FINISHED, CANCELLED),
    E(KILLING, STUCK, FINISHED, FAILED),
    E(KILLING, CANCELLED, KILLING, CANCELLED),
    E(CLOSING, CLOSED, FINISHED, COMPLETED),
    E(CLOSING, CANCELLED, CLOSING, COMPLETED),
    E(SETTLED, READY, FINISHED, COMPLETED),
    E(SETTLED, NEEDS_HUMAN, REVIEW, COMPLETED),
    E(SETTLED, DENIED, DROPPING, COMPLETED),
    E(SETTLED, UNAVAILABLE, FINISHED, FAILED),
    E(REVIEW, APPROVED, WRITING, COMPLETED),
    E(REVIEW, DENIED, DROPPING, REFUSED),
    E(REVIEW, BUSY, DROPPING, UNAVAILABLE),
    E(REVIEW, EXPIRED, DROPPING, EXPIRED),
    E(REVIEW, TIMEOUT, FINISHED, PENDING),
    E(REVIEW, CANCELLED, DROPPING, CANCELLED),
    E(REVIEW, RELOADED, DROPPING, UNAVAILABLE),
    E(WRITING, WRITTEN, FINISHED, COMPLETED),
    E(WRITING, REFUSED, FINISHED, FAILED),
    E(WRITING, UNAVAILABLE, FINISHED, UNAVAILABLE),
    E(WRITING, TIMEOUT, FINISHED, UNAVAILABLE),
    E(WRITING, CANCELLED, WRITING, COMPLETED),
    E(DROPPING, DROPPED, FINISHED, REFUSED),
    E(DROPPING, TIMEOUT, FINISHED, REFUSED),
    E(DROPPING, CANCELLED, DROPPING, REFUSED),
    E(FINISHED, RECORDED, AUDITED, COMPLETED),
    E(FINISHED, UNRECORDED, AUDITED, UNAVAILABLE),
    E(FINISHED, CANCELLED, FINISHED, COMPLETED),
    E(AUDITED, CANCELLED, AUDITED, COMPLETED),
};

/* What a fault does, and every pair that is not above. */
static const struct expectation faults[CALL_STATE_COUNT] = {
    [CALL_NEW] = E(NEW, FAULT, DECLINED, FAILED),
    [CALL_RECEIVED] = E(RECEIVED, FAULT, DECLINED, FAILED),
    [CALL_AUTHENTICATED] = E(AUTHENTICATED, FAULT, DECLINED, FAILED),
    [CALL_AUTHORIZED] = E(AUTHORIZED, FAULT, DECLINED, FAILED),
    [CALL_PLANNED] = E(PLANNED, FAULT, DECLINED, FAILED),
    [CALL_APPROVAL] = E(APPROVAL, FAULT, DECLINED, FAILED),
    [CALL_DECIDED] = E(DECIDED, FAULT, FINISHED, FAILED),
    [CALL_DECLINED] = E(DECLINED, FAULT, FINISHED, FAILED),
    [CALL_SANDBOX] = E(SANDBOX, FAULT, KILLING, FAILED),
    [CALL_RUNNING] = E(RUNNING, FAULT, KILLING, FAILED),
    [CALL_KILLING] = E(KILLING, FAULT, KILLING, CANCELLED),
    [CALL_CLOSING] = E(CLOSING, FAULT, FINISHED, FAILED),
    [CALL_SETTLED] = E(SETTLED, FAULT, DROPPING, FAILED),
    [CALL_REVIEW] = E(REVIEW, FAULT, DROPPING, FAILED),
    [CALL_WRITING] = E(WRITING, FAULT, FINISHED, FAILED),
    [CALL_DROPPING] = E(DROPPING, FAULT, FINISHED, FAILED),
    [CALL_FINISHED] = E(FINISHED, FAULT, AUDITED, FAILED),
    [CALL_AUDITED] = E(AUDITED, FAULT, AUDITED, COMPLETED),
};

static const struct expectation *expectation_of(enum call_state state, enum call_event event)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (expected[i].from == state && expected[i].event == event)
			return &expected[i];
	return &faults[state];
}

static int writers[2] = {-1, -1};

static void close_writers(void)
{
	for (int i = 0; i < 2; i++) {
		if (writers[i] >= 0)
			close(writers[i]);
		writers[i] = -1;
	}
}

/* A call that came to this state by the road of an honest world, or, where no call ever rests,
 * was put there. */
static bool is_about_changes(enum call_state state)
{
	return state == CALL_SETTLED || state == CALL_REVIEW || state == CALL_WRITING ||
	       state == CALL_DROPPING;
}

static const char *tool_for(enum call_state state)
{
	return state == CALL_APPROVAL ? "gated" : is_about_changes(state) ? "asks" : "bash";
}

/* In REVIEW it rests as in life; the others are where an answer leads from there. */
static void exit_into(struct call *call, enum call_state state)
{
	answer_exit_effects(call->id, EXIT_HOW_EXITED, EFFECTS_HELD);
	assert_int_equal(call->state, CALL_REVIEW);
	if (state == CALL_WRITING)
		call_step(call, CALL_ON_APPROVED);
	if (state == CALL_DROPPING)
		call_step(call, CALL_ON_DENIED);
	if (state == CALL_SETTLED) { /* where no call rests */
		approval_void_all(&world, "put there");
		effect_book_find(&world, call->id)->approval[0] = '\0';
		call->state = state;
	}
}

static struct call *call_in(enum call_state state)
{
	struct call *call = world_call(1, 50, tool_for(state), state == CALL_DECLINED ? RM : LS);

	switch (state) {
	case CALL_AUTHORIZED:
	case CALL_DECLINED: break;
	case CALL_NEW:
	case CALL_RECEIVED:
	case CALL_AUTHENTICATED:
	case CALL_PLANNED:
		if (state == CALL_PLANNED) {
			memset(&call->plan, 3, sizeof(call->plan));
			call->plan_text = strdup("");
			call->program = strdup("");
		}
		if (state == CALL_RECEIVED) { /* not judged yet */
			command_fini(&call->command);
			free(call->cwd);
			call->cwd = NULL;
			free(call->paths.items); /* it names none */
			call->paths.items = NULL;
			json_decref(call->arguments);
			json_decref(call->facts);
			call->arguments = call->facts = NULL;
		}
		call->state = state;
		break;
	case CALL_APPROVAL:
	case CALL_DECIDED: answer_plan(call, ANSWER_OK, 3); break;
	case CALL_SANDBOX:
	case CALL_RUNNING:
	case CALL_KILLING:
	case CALL_CLOSING:
	case CALL_SETTLED:
	case CALL_REVIEW:
	case CALL_WRITING:
	case CALL_DROPPING:
	case CALL_FINISHED:
	case CALL_AUDITED:
		answer_plan(call, ANSWER_OK, 3);
		answer_record(call->serial, ANSWER_OK, 9);
		if (state == CALL_SANDBOX)
			break;
		answer_launch(call->serial, ANSWER_OK, writers);
		if (state == CALL_KILLING)
			call_cancel(call);
		if (is_about_changes(state))
			exit_into(call, state);
		if (state == CALL_FINISHED || state == CALL_AUDITED)
			answer_exit(call->id, EXIT_HOW_EXITED, 0);
		if (state == CALL_CLOSING) { /* where it rests only while calls inside it end */
			call->outcome = OUTCOME_COMPLETED;
			call->state = state;
		}
		if (state == CALL_AUDITED)
			call->state = CALL_AUDITED;
		break;
	}
	assert_int_equal(call->state, state);
	return call;
}

static void walk_pair(enum call_state state, enum call_event event)
{
	const struct expectation *want = expectation_of(state, event);
	struct call *call;
	char id[CALL_ID_MAX];

	world_setup(NULL);
	call = call_in(state);
	memcpy(id, call->id, sizeof(id));
	if (event == CALL_ON_LAUNCHED) {
		int fds[2];

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		call->pipes[0] = fds[0];
		call->pipes[1] = fds[1];
	}
	if (event == CALL_ON_RECEIPT)
		memset(&call->receipt.mac, 9, sizeof(call->receipt.mac));
	call_step(call, event);
	if (call->state != want->to || call->outcome != want->outcome)
		fail_msg("%s in %s: expected %s/%s, got %s/%s", call_event_name(event),
		    call_state_name(state), call_state_name(want->to),
		    call_outcome_name(want->outcome), call_state_name(call->state),
		    call_outcome_name(call->outcome));
	if (calls_find(&world, id))
		drive_to_end(id);
	if (state != CALL_AUDITED) {
		assert_null(calls_find(&world, id));
		assert_int_equal(sent_records(RECORD_CALL_OUTCOME, id), 1);
		assert_int_equal(sent_count_of(MESSAGE_REPLY), 1);
	}
	close_writers();
	world_teardown(NULL);
}

static void test_every_pair(void **state)
{
	(void)state;
	for (int from = 0; from < CALL_STATE_COUNT; from++)
		for (int event = 1; event < CALL_EVENT_COUNT; event++)
			walk_pair((enum call_state)from, (enum call_event)event);
}

/* ---- roads ------------------------------------------------------------------------------- */

static void test_allowed_call(void **state)
{
	struct call *call =
	    world_call(1, 77, "bash", "{\"command\": \"echo hi\", \"stdin\": \"x\"}");
	struct message *message;
	json_t *result;
	char id[CALL_ID_MAX];

	(void)state;
	memcpy(id, call->id, sizeof(id));
	message = sent_next(&world.warden, MESSAGE_PLAN);
	assert_string_equal(message->u.plan.input.tool, "bash");
	assert_string_equal(message->u.plan.input.principal, "uid:1000");
	assert_string_equal(message->u.plan.input.argv.items[1], "hi");
	assert_int_equal(message->u.plan.input.stdin_kind, STDIN_SEALED);
	answer_plan(call, ANSWER_OK, 3);
	message = sent_next(&world.auditor, MESSAGE_RECORD);
	assert_int_equal(message->u.record.record, RECORD_CALL_DECISION);
	assert_int_equal(message->u.record.allow, 1);
	assert_int_equal(message->u.record.plan.bytes[0], 3);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
	answer_record(call->serial, ANSWER_OK, 9);
	message = sent_next(&world.warden, MESSAGE_LAUNCH);
	assert_int_equal(message->u.launch.receipt.mac.bytes[0], 9);
	assert_int_equal(message->u.launch.plan.bytes[0], 3);
	assert_int_equal(message->fd_count, 1);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(write(writers[0], "hi\n", 3), 3);
	assert_int_equal(write(writers[1], "oh\xff", 3), 3);
	close_writers();
	answer_exit(id, EXIT_HOW_EXITED, 2);
	message = sent_next(&world.auditor, MESSAGE_RECORD);
	assert_int_equal(message->u.record.record, RECORD_CALL_OUTCOME);
	assert_true(record_holds(message, "completed"));
	assert_int_equal(sent_count_of(MESSAGE_REPLY), 0);
	answer_record(call->serial, ANSWER_OK, 0);
	result = reply_json(REPLY_RESULT);
	assert_true(json_is_true(json_object_get(result, "isError")));
	assert_string_equal(meta_text(result, "outcome"), "completed");
	assert_string_equal(meta_text(result, "decision"), "allow");
	assert_string_equal(meta_text(result, "by"), "policy");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(result, "structuredContent"), "stdout")),
	    "hi\n");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(result, "structuredContent"), "stderr")),
	    "oh\xef\xbf\xbd");
	json_decref(result);
	assert_null(calls_find(&world, id));
}

static void test_denied_call(void **state)
{
	struct call *call = world_call(1, 77, "bash", RM);
	struct message *message = sent_next(&world.auditor, MESSAGE_RECORD);
	json_t *result;

	(void)state;
	assert_int_equal(message->u.record.allow, 0);
	assert_true(record_holds(message, "test.yaml:"));
	drive_to_end(call->id);
	assert_int_equal(sent_count_of(MESSAGE_PLAN) + sent_count_of(MESSAGE_LAUNCH), 0);
	result = reply_json(REPLY_RESULT);
	assert_true(json_is_true(json_object_get(result, "isError")));
	assert_string_equal(meta_text(result, "outcome"), "refused");
	assert_string_equal(meta_text(result, "decision"), "deny");
	assert_non_null(strstr(meta_text(result, "rule"), "denied_commands"));
	assert_non_null(strstr(content_text(result), "Refused"));
	assert_non_null(strstr(content_text(result), "test.yaml:"));
	json_decref(result);
}

/* The two answers differ in nothing but the id and the receipt. */
static void test_hidden_is_unknown(void **state)
{
	static const char *const tools[] = {"hidden", "absent"};
	char *texts[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		char id[CALL_ID_MAX], message[64];
		json_t *error, *call;

		memcpy(id, world_call(1, 77, tools[i], LS)->id, sizeof(id));
		drive_to_end(id);
		assert_int_equal(sent_records(RECORD_CALL_OUTCOME, id), 1);
		error = reply_json(REPLY_ERROR);
		assert_int_equal(json_integer_value(json_object_get(error, "code")), -32602);
		snprintf(message, sizeof(message), "Unknown tool: %s", tools[i]);
		assert_string_equal(json_string_value(json_object_get(error, "message")), message);
		json_object_del(error, "message");
		call = json_object_get(json_object_get(error, "data"), "callgate/call");
		assert_int_equal(json_object_del(call, "id"), 0);
		assert_int_equal(json_object_del(call, "receipt"), 0);
		texts[i] = json_dumps(error, JSON_SORT_KEYS);
		json_decref(error);
	}
	assert_string_equal(texts[0], texts[1]);
	free(texts[0]);
	free(texts[1]);
}

static void test_bad_arguments(void **state)
{
	static const char *const bad[] = {"{}", "[]", "", "{\"command\": 1}", "{\"command\": \"\"}",
	    "{\"argv\": []}", "{\"argv\": [\"\"]}", "{\"command\": \"ls\", \"argv\": [\"ls\"]}",
	    "{\"command\": \"ls\", \"x\": 1}", "{\"command\": \"ls\", \"cwd\": \"../x\"}",
	    "{\"command\": \"ls\\u0000\"}", "{\"command\": \"ls\", \"command\": \"rm\"}",
	    "{\"command\": \"ls\\rrm\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct call *call = world_call(1, 77 + i, "bash", bad[i]);
		json_t *result;

		assert_int_equal(call->state, CALL_DECLINED);
		drive_to_end(call->id);
		result = reply_json(REPLY_RESULT);
		assert_string_equal(meta_text(result, "outcome"), "refused");
		json_decref(result);
	}
	assert_int_equal(sent_count_of(MESSAGE_PLAN), 0);
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, NULL), sizeof(bad) / sizeof(bad[0]));
}

static void test_no_role(void **state)
{
	json_t *result;

	(void)state;
	for (int i = 0; i < 50; i++) {
		drive_to_end(world_call(5, 77, "bash", LS)->id);
		result = reply_json(REPLY_RESULT);
		assert_string_equal(meta_text(result, "outcome"), "refused");
		assert_non_null(strstr(content_text(result), "the policy gives uid 4999 no role"));
		json_decref(result);
	}
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 1); /* one a second */
	fake_now_us += 2000000;
	quota_flush(&world, QUOTA_FLUSH_DUE);
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 2); /* the other 49 */
}

static void test_receipt_withheld(void **state)
{
	static const enum answer_status bad[] = {ANSWER_UNAVAILABLE, ANSWER_REFUSED, ANSWER_OK};
	json_t *result;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct call *call = world_call(1, 77, "bash", LS);

		answer_plan(call, ANSWER_OK, 3);
		/* not durable though it has a MAC; durable, but without one */
		answer_record(call->serial, bad[i], bad[i] == ANSWER_OK ? 0 : 9);
		assert_int_equal(call->state, CALL_FINISHED);
		drive_to_end(call->id);
		result = reply_json(REPLY_RESULT);
		assert_true(json_is_true(json_object_get(result, "isError")));
		if (bad[i] != ANSWER_OK)
			assert_non_null(strstr(content_text(result), "AUDIT_FULL"));
		json_decref(result);
	}
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

/* A receipt for a refusal launches nothing. */
static void test_receipt_for_a_refusal(void **state)
{
	struct call *call = world_call(1, 77, "bash", RM);

	(void)state;
	answer_record(call->serial, ANSWER_OK, 9);
	assert_int_equal(call->state, CALL_FINISHED);
	drive_to_end(call->id);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

static void test_outcome_not_recorded(void **state)
{
	struct call *call = world_call(1, 77, "bash", LS);
	json_t *result;

	(void)state;
	answer_plan(call, ANSWER_OK, 3);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(write(writers[0], "secret", 6), 6);
	close_writers();
	answer_exit(call->id, EXIT_HOW_EXITED, 0);
	answer_record(call->serial, ANSWER_UNAVAILABLE, 0);
	result = reply_json(REPLY_RESULT);
	assert_true(json_is_true(json_object_get(result, "isError")));
	assert_string_equal(meta_text(result, "outcome"), "unavailable");
	assert_non_null(strstr(content_text(result), "withheld"));
	assert_null(strstr(content_text(result), "secret"));
	assert_null(json_object_get(result, "structuredContent"));
	json_decref(result);
}

/* The decision's late receipt must not be taken for the outcome's. */
static void test_stale_serial(void **state)
{
	struct call *call = world_call(1, 77, "bash", LS);
	uint64_t plan = call->serial, decision;

	(void)state;
	answer_plan(call, ANSWER_OK, 3);
	decision = call->serial;
	call_cancel(call);
	assert_int_equal(call->state, CALL_FINISHED);
	answer_record(decision, ANSWER_OK, 9);
	assert_int_equal(call->state, CALL_FINISHED);
	assert_int_equal(world.stale_answers, 1);
	answer_record(call->serial, ANSWER_OK, 0);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
	assert_int_equal(sent_next(&world.front, MESSAGE_REPLY)->u.reply.kind, REPLY_SILENT);
	{
		struct message late;

		message_init(&late, MESSAGE_PLANNED);
		late.serial = plan;
		late.u.planned.status = ANSWER_OK;
		assert_int_equal(answer_planned(&world, &late), 0);
	}
	answer_exit("c00", EXIT_HOW_EXITED, 0);
	assert_int_equal(world.stale_answers, 3);
}

static void test_exit_before_its_time(void **state)
{
	struct call *call = world_call(1, 77, "bash", LS);

	(void)state;
	answer_exit(call->id, EXIT_HOW_EXITED, 0); /* nothing was launched */
	assert_int_equal(call->state, CALL_AUTHORIZED);
	assert_int_equal(world.stale_answers, 1);
	drive_to_end(call->id);
}

static void test_nonsense_answers(void **state)
{
	struct call *call = world_call(1, 77, "bash", LS);
	struct message message;

	(void)state;
	message_init(&message, MESSAGE_PLANNED);
	message.serial = call->serial;
	message.u.planned.text = message.u.planned.program = message.u.planned.note = "";
	message.u.planned.status = ANSWER_OK; /* with no digest */
	assert_int_equal(answer_planned(&world, &message), -EBADMSG);
	message.u.planned.status = ANSWER_VOID;
	call->awaits = MESSAGE_PLANNED;
	assert_int_equal(answer_planned(&world, &message), -EBADMSG);
	message_init(&message, MESSAGE_REQUEST);
	message.u.request.peer = 999;
	message.u.request.method = REQUEST_TOOLS_CALL;
	assert_int_equal(methods_request(&world, &message), -EBADMSG);
	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = 1;
	assert_int_equal(peer_arrived(&world, &message), -EBADMSG);
}

static void test_void_at_launch(void **state)
{
	struct call *call = world_call(1, 77, "bash", LS);
	json_t *result;

	(void)state;
	answer_plan(call, ANSWER_OK, 3);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_VOID, writers);
	drive_to_end(call->id);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "failed");
	assert_non_null(strstr(content_text(result), "changed since it was decided"));
	json_decref(result);
}

static void test_ends(void **state)
{
	static const struct {
		enum exit_how how;
		const char *outcome, *limit; /* NULL: none */
	} ends[] = {
	    {EXIT_HOW_EXITED, "completed", NULL},
	    {EXIT_HOW_SIGNALED, "completed", NULL},
	    {EXIT_HOW_DEADLINE, "deadline", "time"},
	    {EXIT_HOW_OOM, "oom", "memory"},
	    {EXIT_HOW_PIDS, "pids", "pids"},
	    {EXIT_HOW_KILLED, "failed", NULL},
	    {EXIT_HOW_FAILED, "failed", NULL},
	    {EXIT_HOW_STUCK, "failed", NULL},
	    {EXIT_HOW_CPU, "deadline", "cpu"},
	    {EXIT_HOW_FILE, "disk", "file_size"},
	    {EXIT_HOW_DISK, "disk", "disk"},
	    {EXIT_HOW_INODES, "disk", "inodes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct call *call = world_call(1, 77, "bash", LS);
		json_t *result;

		answer_plan(call, ANSWER_OK, 3);
		answer_record(call->serial, ANSWER_OK, 9);
		answer_launch(call->serial, ANSWER_OK, writers);
		answer_exit(call->id, ends[i].how, ends[i].how == EXIT_HOW_EXITED ? 0 : 9);
		close_writers();
		drive_to_end(call->id);
		result = reply_json(REPLY_RESULT);
		assert_string_equal(meta_text(result, "outcome"), ends[i].outcome);
		if (ends[i].limit)
			assert_string_equal(meta_text(result, "limit"), ends[i].limit);
		assert_int_equal(json_is_true(json_object_get(result, "isError")), i != 0);
		json_decref(result);
	}
}

/* At a limit the program may have ended by itself: both are told, and what the limit is. */
static void test_limits_are_told(void **state)
{
	static const struct {
		enum exit_how how;
		int64_t code;
		int by_signal;
		const char *note, *kind, *text;
	} ends[] = {
	    {EXIT_HOW_OOM, 9, 1, "", "signal",
		"Killed: the tool's memory limit of 512 MiB was reached."},
	    {EXIT_HOW_OOM, 2, 0, "memory kills 1", "code",
		"Killed: the tool's memory limit of 512 MiB was reached (memory kills 1)."},
	    {EXIT_HOW_OOM, 0, 0, "", NULL,
		"Killed: the tool's memory limit of 512 MiB was reached."},
	    {EXIT_HOW_PIDS, 254, 0, "", "code",
		"Ended: the tool's limit of 128 processes was reached."},
	    {EXIT_HOW_DEADLINE, 3, 0, "", "code", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct call *call = world_call(1, 77, "bash", LS);
		json_t *result, *facts, *end;

		answer_plan(call, ANSWER_OK, 3);
		answer_record(call->serial, ANSWER_OK, 9);
		answer_launch(call->serial, ANSWER_OK, writers);
		answer_exit_by(
		    call->id, ends[i].how, ends[i].code, ends[i].by_signal, ends[i].note);
		close_writers();
		drive_to_end(call->id);
		result = reply_json(REPLY_RESULT);
		facts = json_object_get(json_object_get(result, "_meta"), "callgate/call");
		end = json_object_get(facts, "exit");
		if (ends[i].kind)
			assert_int_equal(
			    json_integer_value(json_object_get(end, ends[i].kind)), ends[i].code);
		else
			assert_true(json_is_null(end) || !end);
		if (ends[i].text)
			assert_string_equal(content_text(result), ends[i].text);
		json_decref(result);
	}
}

/* An agent that reads the text only learns how a silent program ended. */
static void test_silent_end_is_told(void **state)
{
	static const struct {
		enum exit_how how;
		int64_t code;
		const char *out, *err, *text;
	} ends[] = {
	    {EXIT_HOW_EXITED, 0, "", "", ""},
	    {EXIT_HOW_EXITED, 3, "", "", "exit status 3"},
	    {EXIT_HOW_EXITED, 3, "no\n", "", "no\n"},
	    {EXIT_HOW_EXITED, 3, "", "no\n", "stderr:\nno\n"},
	    {EXIT_HOW_SIGNALED, 9, "", "", "killed by signal 9"},
	    {EXIT_HOW_SIGNALED, 11, "half", "", "half\nkilled by signal 11"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct call *call = world_call(1, 77, "bash", LS);
		json_t *result;

		answer_plan(call, ANSWER_OK, 3);
		answer_record(call->serial, ANSWER_OK, 9);
		answer_launch(call->serial, ANSWER_OK, writers);
		assert_int_equal(
		    write(writers[0], ends[i].out, strlen(ends[i].out)), strlen(ends[i].out));
		assert_int_equal(
		    write(writers[1], ends[i].err, strlen(ends[i].err)), strlen(ends[i].err));
		close_writers();
		answer_exit(call->id, ends[i].how, ends[i].code);
		drive_to_end(call->id);
		result = reply_json(REPLY_RESULT);
		assert_string_equal(meta_text(result, "outcome"), "completed");
		assert_string_equal(content_text(result), ends[i].text);
		json_decref(result);
	}
}

/* Hang-up in each state where a call rests: the tree is killed, the outcome recorded, nothing
 * said. */
static void test_hang_up(void **state)
{
	static const enum call_state rests[] = {CALL_AUTHORIZED, CALL_APPROVAL, CALL_DECIDED,
	    CALL_DECLINED, CALL_SANDBOX, CALL_RUNNING, CALL_FINISHED};

	(void)state;
	world_teardown(NULL);
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		struct message gone;
		struct call *call;

		world_setup(NULL);
		call = call_in(rests[i]);
		message_init(&gone, MESSAGE_PEER_GONE);
		gone.u.peer_gone.peer = 1;
		assert_int_equal(peer_gone(&world, &gone), 0);
		assert_int_equal(peer_gone(&world, &gone), -EBADMSG);
		assert_int_equal(sent_count_of(MESSAGE_KILL),
		    rests[i] == CALL_SANDBOX || rests[i] == CALL_RUNNING);
		drive_to_end(call->id);
		assert_null(world.calls);
		assert_int_equal(sent_records(RECORD_CALL_OUTCOME, NULL), 1);
		assert_int_equal(sent_records(RECORD_CALL_DECISION, NULL), 1);
		assert_int_equal(
		    sent_next(&world.front, MESSAGE_REPLY)->u.reply.kind, REPLY_SILENT);
		close_writers();
		world_teardown(NULL);
	}
	world_setup(NULL);
}

static void test_cancel_by_request(void **state)
{
	struct call *first = world_call(1, 70, "bash", LS);
	struct call *second = world_call(1, 71, "bash", LS);
	struct message cancel;

	(void)state;
	message_init(&cancel, MESSAGE_CANCEL);
	cancel.u.cancel.peer = 2; /* another connection's request */
	cancel.u.cancel.request = 70;
	assert_int_equal(peer_cancel(&world, &cancel), 0);
	assert_int_equal(first->state, CALL_AUTHORIZED);
	cancel.u.cancel.peer = 1;
	assert_int_equal(peer_cancel(&world, &cancel), 0);
	assert_int_equal(first->state, CALL_DECLINED);
	assert_int_equal(second->state, CALL_AUTHORIZED);
	assert_int_equal(peer_cancel(&world, &cancel), 0);
}

static void test_limits(void **state)
{
	struct call *call = NULL;
	json_t *result;

	(void)state;
	for (int i = 0; i < QUOTA_CALLS; i++)
		call = world_call(1, 100 + i, "bash", LS);
	assert_int_equal(call->state, CALL_AUTHORIZED);
	call = world_call(1, 500, "bash", LS);
	assert_int_equal(call->state, CALL_DECLINED);
	assert_int_equal(world_call(3, 501, "bash", LS)->state, CALL_AUTHORIZED);
	drive_to_end(call->id);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "unavailable");
	assert_non_null(strstr(content_text(result), "Too many calls"));
	json_decref(result);
	drive_to_end(world.calls->next->id); /* one of uid 1000 ends: there is room again */
	assert_int_equal(world_call(1, 502, "bash", LS)->state, CALL_AUTHORIZED);
}

static void test_reload(void **state)
{
	struct ruleset *old = world.rules;
	struct call *echo = world_call(1, 70, "bash", "{\"command\": \"echo\"}");
	struct call *asked = world_call(1, 71, "gated", LS);
	struct call *decided = world_call(1, 72, "bash", LS);

	(void)state;
	answer_plan(asked, ANSWER_OK, 3);
	answer_plan(decided, ANSWER_OK, 4);
	assert_int_equal(asked->state, CALL_APPROVAL);
	world.rules = world_rules(world_policy_2);
	approval_void_all(&world, "another policy is in force");
	calls_reload(&world);
	ruleset_drop(old);
	assert_int_equal(echo->state, CALL_DECLINED);    /* echo is not allowed any more */
	assert_int_equal(asked->state, CALL_AUTHORIZED); /* planned again under the new version */
	assert_ptr_equal(asked->rules, world.rules);
	assert_int_equal(decided->state, CALL_DECIDED);
	assert_ptr_equal(decided->rules, old); /* kept alive by the call */
	assert_null(world.approvals.first);
	answer_plan(asked, ANSWER_OK, 5);
	assert_int_equal(asked->state, CALL_DECIDED); /* nobody needs to be asked now */
	drive_to_end(echo->id);
	drive_to_end(asked->id);
	drive_to_end(decided->id);
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, NULL), 3);
	assert_int_equal(sent_records(RECORD_CALL_DECISION, NULL), 3);
}

static void test_drain(void **state)
{
	struct call *asked = world_call(1, 71, "gated", LS);
	json_t *result;

	(void)state;
	answer_plan(asked, ANSWER_OK, 3);
	world.draining = 1;
	approval_void_all(&world, "the daemon is stopping");
	calls_drain(&world);
	assert_int_equal(asked->state, CALL_DECLINED);
	drive_to_end(asked->id);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "unavailable");
	json_decref(result);
	/* whoever comes now is told at once, and holds nothing up */
	assert_null(world_call(1, 72, "bash", LS));
	result = reply_json(REPLY_ERROR);
	assert_int_equal(json_integer_value(json_object_get(result, "code")), 503);
	assert_non_null(strstr(
	    json_string_value(json_object_get(result, "message")), "the daemon is stopping"));
	json_decref(result);
}

/* A sibling that takes nothing any more ends the process; no tool is started on the way. */
static void test_lost_sibling(void **state)
{
	struct call *call = world_call(1, 70, "bash", LS);

	(void)state;
	send_fault = -EPIPE;
	answer_plan(call, ANSWER_OK, 3);
	assert_int_equal(world.failed, -EPIPE);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

static void test_hostile_text(void **state)
{
	char tool[70000];
	json_t *error;
	struct call *call;

	(void)state;
	memset(tool, 'x', sizeof(tool) - 1);
	tool[sizeof(tool) - 1] = '\0';
	call = world_call(1, 70, tool, LS);
	drive_to_end(call->id);
	error = reply_json(REPLY_ERROR);
	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32602);
	json_decref(error);
	call = world_call(1, 71, "bash", "{\"argv\": [\"\\u001b[2K\", \"\\u202e\"]}");
	drive_to_end(call->id);
	error = reply_json(REPLY_RESULT);
	assert_null(strchr(content_text(error), '\x1b'));
	json_decref(error);
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, NULL), 2);
}

int main(void)
{
#define ROAD(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_pair),
	    ROAD(test_allowed_call),
	    ROAD(test_denied_call),
	    ROAD(test_hidden_is_unknown),
	    ROAD(test_bad_arguments),
	    ROAD(test_no_role),
	    ROAD(test_receipt_withheld),
	    ROAD(test_receipt_for_a_refusal),
	    ROAD(test_outcome_not_recorded),
	    ROAD(test_stale_serial),
	    ROAD(test_exit_before_its_time),
	    ROAD(test_nonsense_answers),
	    ROAD(test_void_at_launch),
	    ROAD(test_ends),
	    ROAD(test_silent_end_is_told),
	    ROAD(test_limits_are_told),
	    ROAD(test_hang_up),
	    ROAD(test_cancel_by_request),
	    ROAD(test_limits),
	    ROAD(test_reload),
	    ROAD(test_drain),
	    ROAD(test_lost_sibling),
	    ROAD(test_hostile_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
