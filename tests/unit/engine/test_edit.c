/* Approvals with other arguments: only what may be edited, judged anew, recorded as what it is. */
#include "tests/unit/engine/hook_rig.h"

#define MAIN "{\"branch\": \"main\"}"

static struct call *asking(uint64_t serial, const char *tool, uint8_t plan)
{
	struct call *call = hook_waiting(serial, tool, MAIN, plan);

	assert_int_equal(call->state, CALL_APPROVAL);
	return call;
}

/* The answer of the operator by HTTP: without a plan. */
static int edit(const char *id, const char *arguments, json_t **ret)
{
	struct peer *peer = world.peers;
	uint64_t was;
	int code;

	while (peer && peer->id != 2)
		peer = peer->next;
	assert_non_null(peer);
	was = peer->id;
	peer->id = 2 | PEER_IS_HTTP;
	{
		struct message message = request_message(peer->id, 900, REQUEST_APPROVALS_DECIDE);
		json_t *params = json_pack("{s:s, s:s, s:o}", "id", id, "decision", "approve",
		    "edited_arguments", json_loads(arguments, JSON_DECODE_ANY, NULL));
		char *text = json_dumps(params, 0);
		struct message *reply;
		json_t *body;

		message.u.request.body.data = text;
		message.u.request.body.len = strlen(text);
		while (sent_next(&world.http, MESSAGE_REPLY))
			;
		world.http.name = "http";
		world.http.open = 1;
		assert_int_equal(methods_request(&world, &message), 0);
		reply = sent_next(&world.http, MESSAGE_REPLY);
		assert_non_null(reply);
		body = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
		code = reply->u.reply.kind == REPLY_RESULT
			   ? 0
			   : (int)json_integer_value(json_object_get(body, "code"));
		json_decref(params);
		free(text);
		if (ret)
			*ret = body;
		else
			json_decref(body);
	}
	peer->id = was;
	return code;
}

/* The branch that the warden was asked to plan for last. */
static const char *planned_branch(void)
{
	const struct message *plan = NULL, *next;

	while ((next = sent_next(&world.warden, MESSAGE_PLAN)))
		plan = next;
	assert_non_null(plan);
	return plan->u.plan.input.argv.items[2];
}

/* An edit that the policy allows runs; the caller hears what ran. */
static void test_edited_to_what_is_allowed(void **state)
{
	struct call *call = asking(70, "push_to", 3);
	char id[APPROVAL_ID_MAX];
	json_t *told = NULL, *result;
	const struct message *record;

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	assert_int_equal(edit(id, "{\"branch\": \"feature/x\"}", &told), 0);
	assert_string_equal(text_at(told, "state"), "superseded");
	json_decref(told);
	assert_int_equal(call->state, CALL_AUTHORIZED);
	assert_string_equal(planned_branch(), "feature/x");
	record = newest_record(RECORD_APPROVAL_DENY);
	assert_true(record_holds(record, "edited"));
	answer_plan(call, ANSWER_OK, 4);
	assert_int_equal(call->state, CALL_DECIDED); /* the policy allows it: no question */
	assert_int_equal(sent_records(RECORD_APPROVAL_REQUEST, NULL), 1);
	assert_false(call->answered);
	record = newest_record(RECORD_CALL_DECISION);
	assert_true(record_holds(record, "edited"));
	assert_true(record_holds(record, "uid:1001"));
	drive_to_end(call->id);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "completed");
	assert_non_null(strstr(content_text(result), "feature/x"));
	json_decref(result);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 1);
	/* the question is over: superseded, by whom */
	assert_int_equal(
	    hook_request(2, REQUEST_APPROVALS_GET, json_pack("{s:s}", "id", id), &told), 0);
	assert_string_equal(text_at(told, "state"), "superseded");
	assert_string_equal(text_at(told, "by"), "uid:1001");
	json_decref(told);
}

/* Where the policy asks about the new plan, too, that answer is the same one. */
static void test_edited_to_what_is_asked(void **state)
{
	struct call *call = asking(70, "push_to", 3);
	char id[APPROVAL_ID_MAX];
	const struct message *record;

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	assert_int_equal(edit(id, "{\"branch\": \"dev\"}", NULL), 0);
	answer_plan(call, ANSWER_OK, 4);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_string_not_equal(call->answer.id, id); /* its own question, its own id */
	record = newest_record(RECORD_APPROVAL_GRANT);
	assert_true(record_holds(record, "edited_from"));
	assert_true(record_holds(record, id));
	assert_true(record_holds(record, "edited_plan"));
	assert_int_equal(sent_records(RECORD_APPROVAL_REQUEST, NULL), 2);
	assert_null(world.approvals.first);
	drive_to_end(call->id);
	/* the answer was for one run: the same call again asks about what it says */
	call = hook_waiting(71, "push_to", MAIN, 3);
	assert_int_equal(call->state, CALL_APPROVAL);
	call_cancel(call);
	drive_to_end(call->id);
}

/* An approver is no way around the policy. */
static void test_edited_to_what_is_denied(void **state)
{
	struct call *call = asking(70, "push_to", 3);
	json_t *result;

	(void)state;
	assert_int_equal(edit(call->answer.id, "{\"branch\": \"prod\"}", NULL), 0);
	assert_int_equal(call->state, CALL_DECLINED);
	drive_to_end(call->id);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "refused");
	json_decref(result);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

static void test_what_may_be_edited(void **state)
{
	struct call *call = asking(70, "push_to", 3), *other;
	const char *id = call->answer.id;

	(void)state;
	assert_int_equal(edit(id, "{\"force\": true}", NULL), -32602);
	assert_int_equal(edit(id, "{\"branch\": \"dev\", \"force\": true}", NULL), -32602);
	assert_int_equal(edit(id, "{\"unknown\": 1}", NULL), -32602);
	assert_int_equal(edit(id, "{\"branch\": \"NOT LIKE THIS\"}", NULL), -32602);
	assert_int_equal(edit(id, "{\"branch\": null}", NULL), -32602);
	assert_int_equal(edit(id, "{\"branch\": \"main\"}", NULL), -32602); /* nothing differs */
	assert_int_equal(edit(id, "{}", NULL), -32602);
	assert_int_equal(edit(id, "[]", NULL), -32602);
	assert_int_equal(edit(id, "\"dev\"", NULL), -32602);
	assert_int_equal(
	    hook_request(2, REQUEST_APPROVALS_DECIDE,
		json_pack("{s:s, s:s, s:s, s:{s:s}}", "id", id, "decision", "deny", "plan",
		    "sha256:0303030303030303030303030303030303030303030303030303"
		    "030303030303",
		    "edited_arguments", "branch", "dev"),
		NULL),
	    -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	/* of a tool that says nothing of it */
	other = hook_waiting(71, "one", LS, 4);
	assert_int_equal(edit(other->answer.id, "{\"command\": \"echo\"}", NULL), -32602);
	assert_int_equal(other->state, CALL_APPROVAL);
	call_cancel(other);
	drive_to_end(other->id);
	call_cancel(call);
	drive_to_end(call->id);
}

/* Nobody waits any more; whoever makes the same call again gets the edit, once. */
static void test_picked_up_later(void **state)
{
	struct call *call = asking(70, "push_to", 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	call_step(call, CALL_ON_TIMEOUT);
	drive_to_end(call->id);
	assert_int_equal(edit(id, "{\"branch\": \"dev\"}", NULL), 0);
	call = hook_waiting(71, "push_to", MAIN, 3);
	assert_int_equal(call->state, CALL_AUTHORIZED);
	assert_string_equal(planned_branch(), "dev");
	answer_plan(call, ANSWER_OK, 4);
	assert_int_equal(call->state, CALL_DECIDED);
	drive_to_end(call->id);
	call = hook_waiting(72, "push_to", MAIN, 3);
	assert_int_equal(call->state, CALL_APPROVAL);
	call_cancel(call);
	drive_to_end(call->id);
}

/* Two calls wait with the same question: one gets the edit, the other is asked about anew. */
static void test_one_run(void **state)
{
	struct call *first = asking(70, "push_to", 3), *second = asking(71, "push_to", 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, first->answer.id, sizeof(id));
	assert_int_equal(edit(id, "{\"branch\": \"dev\"}", NULL), 0);
	assert_int_equal(first->state, CALL_AUTHORIZED);
	assert_int_equal(second->state, CALL_APPROVAL);
	assert_string_not_equal(second->answer.id, id);
	answer_plan(first, ANSWER_OK, 4);
	assert_int_equal(first->state, CALL_DECIDED);
	assert_int_equal(second->state, CALL_APPROVAL);
	drive_to_end(first->id);
	call_cancel(second);
	drive_to_end(second->id);
}

/* Another policy: the edit's answer is void, and the question about it is asked of somebody. */
static void test_reload_voids_the_answer(void **state)
{
	struct call *call = asking(70, "push_to", 3);
	struct ruleset *old = world.rules;

	(void)state;
	assert_int_equal(edit(call->answer.id, "{\"branch\": \"dev\"}", NULL), 0);
	assert_int_equal(call->state, CALL_AUTHORIZED);
	world.rules = world_rules(hook_policy);
	world.rules->version.bytes[0] ^= 1;
	approval_void_all(&world, "another policy is in force");
	calls_reload(&world);
	assert_int_equal(call->state, CALL_AUTHORIZED);
	answer_plan(call, ANSWER_OK, 4);
	assert_int_equal(call->state, CALL_APPROVAL);
	call_cancel(call);
	drive_to_end(call->id);
	(void)ruleset_drop(old);
}

/* Where two must agree, the one who edits is one of them. */
static void test_quorum(void **state)
{
	struct call *call = asking(70, "push_pair", 3);

	(void)state;
	assert_int_equal(edit(call->answer.id, "{\"branch\": \"dev\"}", NULL), 0);
	answer_plan(call, ANSWER_OK, 4);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(world.approvals.first->yes_count, 1);
	assert_int_equal(
	    hook_request(2, REQUEST_APPROVALS_DECIDE,
		json_pack("{s:s, s:s, s:s}", "id", call->answer.id, "decision", "approve", "plan",
		    "sha256:0404040404040404040404040404040404040404040404040404"
		    "040404040404"),
		NULL),
	    RESULT_CONFLICT);
	assert_int_equal(call->state, CALL_APPROVAL);
	call_cancel(call);
	drive_to_end(call->id);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, hook_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_edited_to_what_is_allowed),
	    TEST(test_edited_to_what_is_asked),
	    TEST(test_edited_to_what_is_denied),
	    TEST(test_what_may_be_edited),
	    TEST(test_picked_up_later),
	    TEST(test_one_run),
	    TEST(test_reload_voids_the_answer),
	    TEST(test_quorum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
