/* What a call changed in its overlay: held, asked about, committed, dropped, undone; who may; and
 * nothing reaches the warden before its decision is on disk. */
#include "tests/unit/engine/fakes.h"

#define LS "{\"command\": \"ls\"}"

static int writers[2];

/* A call of tool that has printed "secret" and ended with these changes; its id in out. */
static struct call *ended(const char *tool, char id[CALL_ID_MAX], enum exit_how how)
{
	struct call *call = world_call(1, 77, tool, LS);

	memcpy(id, call->id, CALL_ID_MAX);
	answer_plan(call, ANSWER_OK, 3);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(write(writers[0], "secret", 6), 6);
	close(writers[0]);
	close(writers[1]);
	answer_exit_effects(id, how, EFFECTS_HELD);
	return calls_find(&world, id);
}

/* Records the outcome and gives the client's answer. */
static json_t *finish(const char *id)
{
	struct call *call = calls_find(&world, id);

	assert_non_null(call);
	assert_int_equal(call->state, CALL_FINISHED);
	answer_record(call->serial, ANSWER_OK, 0);
	assert_null(calls_find(&world, id));
	world_turn();
	return reply_json(REPLY_RESULT);
}

static const char *effects_text(const json_t *result, const char *key)
{
	const json_t *told = json_object_get(json_object_get(result, "_meta"), "callgate/effects");
	const char *text = json_string_value(json_object_get(told, key));

	return text ? text : "";
}

/* A request of a peer: the code of its error, 0 for a result, -1 while there is no answer. */
static int request(uint64_t peer, enum request_method method, json_t *params, json_t **ret)
{
	struct message message = request_message(peer, 900, method);
	char *body = json_dumps(params, 0);
	struct message *reply;
	json_t *told;
	int code = 0;

	message.u.request.body.data = body;
	message.u.request.body.len = strlen(body);
	assert_int_equal(methods_request(&world, &message), 0);
	free(body);
	json_decref(params);
	reply = sent_next(&world.front, MESSAGE_REPLY);
	if (!reply)
		return -1;
	told = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	if (reply->u.reply.kind == REPLY_ERROR)
		code = (int)json_integer_value(json_object_get(told, "code"));
	if (ret)
		*ret = told;
	else
		json_decref(told);
	return code;
}

static json_t *order_of(const char *id, json_t *paths)
{
	char digest[80] = "sha256:";

	(void)digest_hex(digest + 7, &effect_book_find(&world, id)->digest);
	return json_pack("{s:s, s:s, s:o*}", "call", id, "digest", digest, "paths", paths);
}

static int decide(uint64_t peer, const char *decision, const char *scope)
{
	const struct approval *approval = world.approvals.first;
	char plan[80] = "sha256:";

	assert_non_null(approval);
	(void)digest_hex(plan + 7, &approval->plan);
	return request(peer, REQUEST_APPROVALS_DECIDE,
	    json_pack("{s:s, s:s, s:s, s:s}", "id", approval->answer.id, "plan", plan, "decision",
		decision, "scope", scope),
	    NULL);
}

/* ---- held ---------------------------------------------------------------------------------- */

static void test_held(void **state)
{
	char id[CALL_ID_MAX];
	struct message *message;
	json_t *result, *changes;

	(void)state;
	(void)ended("aside", id, EXIT_HOW_EXITED);
	assert_int_equal(sent_count_of(MESSAGE_EFFECTS), 0);
	while ((message = sent_next(&world.auditor, MESSAGE_RECORD)) &&
	       message->u.record.record != RECORD_CALL_OUTCOME)
		;
	assert_true(record_holds(message, "runs_later") && record_holds(message, "held"));
	result = finish(id);
	assert_string_equal(effects_text(result, "state"), "held");
	assert_string_equal(effects_text(result, "call"), id);
	changes = json_object_get(
	    json_object_get(json_object_get(result, "_meta"), "callgate/effects"), "changes");
	assert_int_equal(json_array_size(changes), 3);
	/* The hook first; hostile bytes escaped, so that it is JSON and no terminal's business. */
	assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 0), "path")),
	    ".git/hooks/pre-commit");
	assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 1), "path")),
	    "a\\x1b[2Jlink");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(changes, 2), "path")), "\\xff");
	assert_non_null(strstr(content_text(result), "secret"));
	assert_non_null(strstr(content_text(result), "callgate diff"));
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_HELD);
	json_decref(result);
}

static void test_commit(void **state)
{
	char id[CALL_ID_MAX];
	struct message *order;
	json_t *told = NULL;

	(void)state;
	(void)ended("aside", id, EXIT_HOW_EXITED);
	json_decref(finish(id));
	/* Who asked may not, nor who has no right, nor of another list; each without a record. */
	assert_int_equal(request(1, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 403);
	assert_int_equal(request(3, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 403);
	assert_int_equal(request(5, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 404);
	assert_int_equal(request(4, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 404);
	told = order_of(id, NULL);
	(void)json_object_set_new(told, "digest", json_sprintf("sha256:%064d", 1));
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, told, NULL), 409);
	assert_int_equal(
	    request(2, REQUEST_EFFECTS_COMMIT, order_of(id, json_pack("[s]", "/etc/passwd")), NULL),
	    -32602);
	assert_int_equal(sent_records(RECORD_EFFECTS_DECISION, NULL), 0);
	/* One path: decided on disk first, then ordered with the receipt. */
	assert_int_equal(
	    request(2, REQUEST_EFFECTS_COMMIT, order_of(id, json_pack("[s]", "\\xff")), NULL), -1);
	assert_int_equal(sent_count_of(MESSAGE_EFFECTS), 0);
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 409);
	order = answer_effects_record(ANSWER_OK);
	assert_true(order->u.record.allow == 1 && record_holds(order, "commit"));
	assert_string_equal(order->u.record.call, id);
	order = answer_effects(ANSWER_OK);
	assert_int_equal(order->u.effects.op, EFFECTS_COMMIT);
	assert_int_equal(order->u.effects.paths.count, 1);
	assert_string_equal(order->u.effects.paths.items[0], "\xff");
	assert_int_equal(order->u.effects.receipt.mac.bytes[0], 9);
	told = reply_json(REPLY_RESULT);
	assert_int_equal(json_integer_value(json_object_get(told, "committed")), 1);
	assert_string_equal(json_string_value(json_object_get(told, "state")), "held");
	json_decref(told);
	/* The rest; then no more; then back. */
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), -1);
	(void)answer_effects_record(ANSWER_OK);
	(void)answer_effects(ANSWER_OK);
	json_decref(reply_json(REPLY_RESULT));
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_COMMITTED);
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 409);
	assert_int_equal(request(1, REQUEST_EFFECTS_UNDO, order_of(id, NULL), NULL), 403);
	assert_int_equal(request(2, REQUEST_EFFECTS_UNDO, order_of(id, NULL), NULL), -1);
	(void)answer_effects_record(ANSWER_OK);
	order = answer_effects(ANSWER_OK);
	assert_int_equal(order->u.effects.op, EFFECTS_UNDO);
	assert_int_equal(order->u.effects.written, 3);
	json_decref(reply_json(REPLY_RESULT));
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_UNDONE);
	assert_int_equal(effect_book_find(&world, id)->written_count, 0);
}

/* Of what was committed path by path one undoing takes back all, and the record names it. */
static void test_undo_of_some(void **state)
{
	static const char *const paths[] = {"\\xff", ".git/hooks/pre-commit"};
	char id[CALL_ID_MAX];
	struct message *order;

	(void)state;
	(void)ended("aside", id, EXIT_HOW_EXITED);
	json_decref(finish(id));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT,
				     order_of(id, json_pack("[s]", paths[i])), NULL),
		    -1);
		(void)answer_effects_record(ANSWER_OK);
		assert_int_equal(answer_effects(ANSWER_OK)->u.effects.written, 0);
		json_decref(reply_json(REPLY_RESULT));
	}
	assert_int_equal(request(2, REQUEST_EFFECTS_UNDO, order_of(id, NULL), NULL), -1);
	order = answer_effects_record(ANSWER_OK);
	assert_true(record_holds(order, "undo") && record_holds(order, "pre-commit"));
	assert_false(record_holds(order, "link"));
	order = answer_effects(ANSWER_OK);
	assert_int_equal(order->u.effects.op, EFFECTS_UNDO);
	assert_int_equal(order->u.effects.written, 2);
	assert_int_equal(order->u.effects.paths.count, 0);
	json_decref(reply_json(REPLY_RESULT));
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_HELD);
	assert_int_equal(effect_book_find(&world, id)->written_count, 0);
	/* Nothing is there any more to be undone. */
	assert_int_equal(request(2, REQUEST_EFFECTS_UNDO, order_of(id, NULL), NULL), 409);
}

static void test_no_receipt_no_commit(void **state)
{
	char id[CALL_ID_MAX];
	struct message *error;

	(void)state;
	(void)ended("aside", id, EXIT_HOW_EXITED);
	json_decref(finish(id));
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), -1);
	(void)answer_effects_record(ANSWER_UNAVAILABLE);
	assert_int_equal(sent_count_of(MESSAGE_EFFECTS), 0);
	error = sent_next(&world.front, MESSAGE_REPLY);
	assert_int_equal(error->u.reply.kind, REPLY_ERROR);
	/* Changed underneath: told, and all of it is held still. */
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), -1);
	(void)answer_effects_record(ANSWER_OK);
	(void)answer_effects(ANSWER_REFUSED);
	error = sent_next(&world.front, MESSAGE_REPLY);
	assert_int_equal(error->u.reply.kind, REPLY_ERROR);
	assert_non_null(
	    memmem(error->u.reply.body.data, error->u.reply.body.len, "underneath", 10));
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_HELD);
	assert_int_equal(effect_book_find(&world, id)->written_count, 0);
}

static void test_discard(void **state)
{
	char id[CALL_ID_MAX];
	struct message *order;

	(void)state;
	(void)ended("aside", id, EXIT_HOW_EXITED);
	json_decref(finish(id));
	assert_int_equal(
	    request(3, REQUEST_EFFECTS_DISCARD, json_pack("{s:s}", "call", id), NULL), 403);
	/* Who asked may; thrown away though the record could not be written. */
	assert_int_equal(
	    request(1, REQUEST_EFFECTS_DISCARD, json_pack("{s:s}", "call", id), NULL), -1);
	order = answer_effects_record(ANSWER_UNAVAILABLE);
	assert_int_equal(order->u.record.allow, 0);
	order = answer_effects(ANSWER_OK);
	assert_int_equal(order->u.effects.op, EFFECTS_DISCARD);
	assert_true(digest_is_zero(&order->u.effects.receipt.mac));
	json_decref(reply_json(REPLY_RESULT));
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_DISCARDED);
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 409);
}

static void test_look(void **state)
{
	char id[CALL_ID_MAX];
	struct buf body = {0};
	struct message answer, *order;
	json_t *told;

	(void)state;
	(void)ended("aside", id, EXIT_HOW_EXITED);
	json_decref(finish(id));
	assert_int_equal(request(1, REQUEST_EFFECTS_LOOK,
			     json_pack("{s:s, s:s}", "call", id, "path", "../x"), NULL),
	    -32602);
	assert_int_equal(
	    request(1, REQUEST_EFFECTS_LOOK,
		json_pack("{s:s, s:s}", "call", id, "path", ".git/hooks/pre-commit"), NULL),
	    -1);
	order = sent_next(&world.warden, MESSAGE_EFFECTS);
	assert_int_equal(order->u.effects.op, EFFECTS_LOOK);
	message_init(&answer, MESSAGE_EFFECTED);
	answer.serial = order->serial;
	answer.u.effected.status = ANSWER_OK;
	answer.u.effected.note = "";
	buf_init(&body, 100);
	buf_put_u32(&body, 0);
	buf_put_u32(&body, 4);
	buf_put(&body, "hi\xff\n", 4);
	answer.u.effected.body.data = body.data;
	answer.u.effected.body.len = body.len - 1;
	assert_int_equal(effect_op_effected(&world, &answer), -EBADMSG);
	sent_next(&world.front, MESSAGE_REPLY);
	assert_int_equal(
	    request(1, REQUEST_EFFECTS_LOOK,
		json_pack("{s:s, s:s}", "call", id, "path", ".git/hooks/pre-commit"), NULL),
	    -1);
	answer.serial = sent_next(&world.warden, MESSAGE_EFFECTS)->serial;
	answer.u.effected.body.len = body.len;
	assert_int_equal(effect_op_effected(&world, &answer), 0);
	told = reply_json(REPLY_RESULT);
	assert_true(json_is_null(json_object_get(told, "before")));
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(told, "after"), "encoding")),
	    "base64");
	json_decref(told);
	buf_fini(&body);
}

/* ---- asked about --------------------------------------------------------------------------- */

static void test_yes(void **state)
{
	char id[CALL_ID_MAX];
	struct call *call = ended("asks", id, EXIT_HOW_EXITED);
	const struct approval *approval = world.approvals.first;
	const char *hook, *link;
	json_t *result;

	(void)state;
	assert_int_equal(call->state, CALL_REVIEW);
	assert_int_equal(sent_count_of(MESSAGE_REPLY), 0);
	assert_true(digest_equal(&approval->plan, &effect_book_find(&world, id)->digest));
	hook = strstr(approval->details, ".git/hooks/pre-commit");
	link = strstr(approval->details, "a\\x1b[2Jlink");
	assert_true(hook && link && hook < link && strstr(hook, "RUNS LATER"));
	assert_non_null(strstr(approval->warning, "may be run later"));
	/* Not who asked; once only; nobody commits around the question. */
	assert_int_equal(decide(1, "approve", "once"), 403);
	assert_int_equal(decide(2, "approve", "always"), 403);
	assert_int_equal(request(2, REQUEST_EFFECTS_COMMIT, order_of(id, NULL), NULL), 409);
	assert_int_equal(decide(2, "approve", "once"), 0);
	assert_int_equal(call->state, CALL_WRITING);
	assert_int_equal(sent_count_of(MESSAGE_EFFECTS), 0);
	(void)answer_effects_record(ANSWER_OK);
	assert_int_equal(answer_effects(ANSWER_OK)->u.effects.op, EFFECTS_COMMIT);
	result = finish(id);
	assert_string_equal(meta_text(result, "outcome"), "completed");
	assert_string_equal(meta_text(result, "by"), "policy");
	assert_string_equal(effects_text(result, "state"), "committed");
	assert_non_null(strstr(content_text(result), "secret"));
	json_decref(result);
	assert_null(world.approvals.first);
}

/* A program that printed more than is kept came to its end all the same. */
static void test_asked_where_output_is_cut(void **state)
{
	static char lines[8192];
	char id[CALL_ID_MAX];
	struct call *call = world_call(1, 77, "asks", LS);
	json_t *result;

	(void)state;
	memcpy(id, call->id, CALL_ID_MAX);
	memset(lines, 'x', sizeof(lines));
	answer_plan(call, ANSWER_OK, 3);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	assert_int_equal(write(writers[0], lines, sizeof(lines)), sizeof(lines));
	close(writers[0]);
	close(writers[1]);
	answer_exit_effects(id, EXIT_HOW_EXITED, EFFECTS_HELD);
	assert_int_equal(call->outcome, OUTCOME_OUTPUT);
	assert_int_equal(call->state, CALL_REVIEW);
	assert_int_equal(decide(2, "approve", "once"), 0);
	(void)answer_effects_record(ANSWER_OK);
	assert_int_equal(answer_effects(ANSWER_OK)->u.effects.op, EFFECTS_COMMIT);
	result = finish(id);
	assert_string_equal(meta_text(result, "outcome"), "output");
	assert_string_equal(effects_text(result, "state"), "committed");
	json_decref(result);
}

/* Without a yes nothing is kept, and nobody reads what it printed. */
static void test_not_yes(void **state)
{
	static const char *const outcomes[] = {"refused", "expired", "unavailable", "cancelled"};

	(void)state;
	for (int i = 0; i < 4; i++) {
		char id[CALL_ID_MAX];
		struct call *call = ended("asks", id, EXIT_HOW_EXITED);
		json_t *result;

		if (i == 0) {
			assert_int_equal(decide(2, "deny", "once"), 0);
		} else if (i == 1) {
			fake_now_us += 301 * 1000000ull;
			approval_sweep(&world);
		} else if (i == 2) {
			approval_void_all(&world, "stopping");
			effect_op_void(&world, "stopping");
			calls_drain(&world);
		} else {
			call_cancel(call);
		}
		assert_int_equal(call->state, CALL_DROPPING);
		assert_null(world.approvals.first);
		assert_int_equal(answer_effects_record(ANSWER_OK)->u.record.allow, 0);
		assert_int_equal(answer_effects(ANSWER_OK)->u.effects.op, EFFECTS_DISCARD);
		if (i == 3) {
			assert_int_equal(call->outcome, OUTCOME_CANCELLED);
			drive_to_end(id);
			continue;
		}
		result = finish(id);
		assert_string_equal(meta_text(result, "outcome"), outcomes[i]);
		assert_string_equal(effects_text(result, "state"), "discarded");
		assert_null(strstr(content_text(result), "secret"));
		assert_null(json_object_get(result, "structuredContent"));
		assert_non_null(
		    strstr(content_text(result), "nothing of what it changed was kept"));
		json_decref(result);
	}
}

/* The client is let go; the question stays, and its answer is done without it. */
static void test_answered_later(void **state)
{
	(void)state;
	for (int yes = 0; yes < 3; yes++) {
		char id[CALL_ID_MAX], again[CALL_ID_MAX];
		struct call *call = ended("asks", id, EXIT_HOW_EXITED);
		json_t *result;

		call_step(call, CALL_ON_TIMEOUT);
		result = finish(id);
		assert_string_equal(meta_text(result, "outcome"), "pending");
		assert_null(strstr(content_text(result), "secret"));
		json_decref(result);
		/* The identical call is not run a second time meanwhile. */
		call = world_call(1, 78, "asks", LS);
		memcpy(again, call->id, sizeof(again));
		answer_plan(call, ANSWER_OK, 3);
		assert_int_equal(call->state, CALL_DECLINED);
		drive_to_end(again);
		result = reply_json(REPLY_RESULT);
		assert_string_equal(meta_text(result, "outcome"), "pending");
		assert_non_null(strstr(content_text(result), id));
		json_decref(result);
		if (yes == 2) {
			fake_now_us += 301 * 1000000ull;
			approval_sweep(&world);
		} else {
			assert_int_equal(decide(2, yes ? "approve" : "deny", "once"), 0);
		}
		assert_null(world.approvals.first);
		(void)answer_effects_record(ANSWER_OK);
		assert_int_equal(answer_effects(ANSWER_OK)->u.effects.op,
		    yes == 1 ? EFFECTS_COMMIT : EFFECTS_DISCARD);
		assert_int_equal(effect_book_find(&world, id)->state,
		    yes == 1 ? HOLDING_COMMITTED : HOLDING_DISCARDED);
		/* Now it runs again. */
		call = world_call(1, 79, "asks", LS);
		answer_plan(call, ANSWER_OK, 3);
		assert_int_equal(call->state, CALL_DECIDED);
		memcpy(again, call->id, sizeof(again));
		call_cancel(call);
		drive_to_end(again);
		(void)sent_next(&world.front, MESSAGE_REPLY);
	}
}

static void test_not_written(void **state)
{
	char id[CALL_ID_MAX];
	json_t *result;

	(void)state;
	(void)ended("asks", id, EXIT_HOW_EXITED);
	assert_int_equal(decide(2, "approve", "once"), 0);
	(void)answer_effects_record(ANSWER_OK);
	(void)answer_effects(ANSWER_REFUSED);
	result = finish(id);
	assert_string_equal(meta_text(result, "outcome"), "failed");
	assert_null(strstr(content_text(result), "secret"));
	assert_non_null(strstr(content_text(result), "changed underneath"));
	json_decref(result);
	assert_int_equal(effect_book_find(&world, id)->state, HOLDING_HELD);
}

/* What did not come to its end is not asked about; what nobody may read early is no stream. */
static void test_not_asked(void **state)
{
	struct message message = request_message(1, 5, REQUEST_TOOLS_CALL);
	char id[CALL_ID_MAX];
	struct call *call = ended("asks", id, EXIT_HOW_DEADLINE);

	(void)state;
	assert_int_equal(call->state, CALL_DROPPING);
	assert_null(world.approvals.first);
	drive_to_end(id);
	message.u.request.tool = "asks";
	message.u.request.options = REQUEST_STREAM_OUTPUT;
	message.u.request.body.data = LS;
	message.u.request.body.len = strlen(LS);
	assert_int_equal(methods_request(&world, &message), 0);
	assert_int_equal(world.calls->state, CALL_DECLINED);
	assert_int_equal(world.calls->outcome, OUTCOME_REFUSED);
	drive_to_end(world.calls->id);
	/* A warden that tells of changes where there is no overlay is broken. */
	call = world_call(1, 6, "bash", LS);
	answer_plan(call, ANSWER_OK, 3);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	close(writers[0]);
	close(writers[1]);
	{
		struct buf list = {0};

		message_init(&message, MESSAGE_EXITED);
		message.u.exited.call = call->id;
		message.u.exited.how = EXIT_HOW_EXITED;
		message.u.exited.note = "";
		message.u.exited.effects = EFFECTS_HELD;
		world_effects(&list);
		message.u.exited.body.data = list.data;
		message.u.exited.body.len = list.len;
		assert_int_equal(answer_exited(&world, &message), -EBADMSG);
		buf_fini(&list);
	}
}

/* Nobody fills the warden with what nobody looks at. */
static void test_too_many(void **state)
{
	char id[CALL_ID_MAX], first[CALL_ID_MAX] = "";
	struct call *call;

	(void)state;
	for (int i = 0; i < QUOTA_HELD; i++) {
		(void)ended("aside", id, EXIT_HOW_EXITED);
		if (i == 0)
			memcpy(first, id, sizeof(first));
		json_decref(finish(id));
	}
	call = world_call(1, 70, "aside", LS);
	assert_int_equal(call->state, CALL_DECLINED);
	assert_int_equal(call->outcome, OUTCOME_UNAVAILABLE);
	drive_to_end(call->id);
	(void)sent_next(&world.front, MESSAGE_REPLY);
	/* What is over makes room, and the warden is told to forget it. */
	assert_int_equal(
	    request(1, REQUEST_EFFECTS_DISCARD, json_pack("{s:s}", "call", first), NULL), -1);
	(void)answer_effects_record(ANSWER_OK);
	(void)answer_effects(ANSWER_OK);
	json_decref(reply_json(REPLY_RESULT));
	assert_int_equal(world_call(1, 71, "aside", LS)->state, CALL_AUTHORIZED);
	assert_null(effect_book_find(&world, first));
}

int main(void)
{
#define ROAD(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    ROAD(test_held),
	    ROAD(test_commit),
	    ROAD(test_undo_of_some),
	    ROAD(test_no_receipt_no_commit),
	    ROAD(test_discard),
	    ROAD(test_look),
	    ROAD(test_yes),
	    ROAD(test_asked_where_output_is_cut),
	    ROAD(test_not_yes),
	    ROAD(test_answered_later),
	    ROAD(test_not_written),
	    ROAD(test_not_asked),
	    ROAD(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
