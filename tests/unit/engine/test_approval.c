/* Approvals: bound to one plan of one principal, answered once, used once, by the right people,
 * in time. */
#include "tests/unit/engine/fakes.h"

#include "supervisor/engine/approvals/person.h"
#include "supervisor/base/str.h"

#define LS "{\"command\": \"ls\"}"

static uint8_t seed[KEY_LEN] = "an approver's seed, for tests  ";
static struct approver approver;

/* ---- helpers ----------------------------------------------------------------------------- */

/* A call of this peer that waits for a human, with a plan made of this byte. */
static struct call *waiting(uint64_t peer, uint64_t serial, uint8_t plan)
{
	struct call *call = world_call(peer, serial, "gated", LS);

	answer_plan(call, ANSWER_OK, plan);
	return call;
}

static void end(struct call *call)
{
	drive_to_end(call->id);
}

static const char *plan_text(uint8_t plan)
{
	static char text[128] = "sha256:";
	struct digest digest;

	memset(digest.bytes, plan, DIGEST_LEN);
	(void)digest_hex(text + 7, &digest);
	return text;
}

/* Sends the answer; gives the error code, or 0. */
static int decide(uint64_t peer, json_t *params)
{
	struct message message = request_message(peer, 900, REQUEST_APPROVALS_DECIDE);
	char *text = json_dumps(params, 0);
	struct message *reply;
	json_t *body;
	int code;

	message.u.request.body.data = text;
	message.u.request.body.len = strlen(text);
	while (sent_next(&world.front, MESSAGE_REPLY))
		;
	assert_int_equal(methods_request(&world, &message), 0);
	reply = sent_next(&world.front, MESSAGE_REPLY);
	assert_non_null(reply);
	body = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	code = reply->u.reply.kind == REPLY_RESULT
		   ? 0
		   : (int)json_integer_value(json_object_get(body, "code"));
	json_decref(body);
	json_decref(params);
	free(text);
	return code;
}

static json_t *bare(const char *id, uint8_t plan, const char *decision)
{
	return json_pack(
	    "{s:s, s:s, s:s}", "id", id, "plan", plan_text(plan), "decision", decision);
}

struct signing {
	const char *id;
	uint8_t plan;
	const char *decision;
	uint64_t wall_us;
	const char *reason;
};

/* params for `told`, signed over `over`. */
static json_t *signed_answer(const struct signing *told, const struct signing *over)
{
	struct buf bytes = {0}, base64 = {0};
	uint8_t signature[SIGNATURE_LEN];
	struct digest digest;
	json_t *params = bare(told->id, told->plan, told->decision);

	buf_init(&bytes, 4096);
	buf_init(&base64, 256);
	memset(digest.bytes, over->plan, DIGEST_LEN);
	assert_int_equal(approval_signed_bytes(&bytes, over->id, &digest, over->decision,
			     over->wall_us, over->reason),
	    0);
	assert_int_equal(key_sign(signature, seed, bytes.data, bytes.len), 0);
	assert_int_equal(str_base64(&base64, signature, sizeof(signature)), 0);
	json_object_set_new(params, "reason", json_string(told->reason));
	json_object_set_new(params, "approver",
	    json_pack("{s:s, s:I, s:s}", "key", approver.id, "time", (json_int_t)told->wall_us,
		"signature", buf_cstr(&base64)));
	buf_fini(&bytes);
	buf_fini(&base64);
	return params;
}

static int setup(void **state)
{
	uint8_t public_key[KEY_LEN];
	struct buf line = {0};
	struct strv lines = {.count = 1};
	const char *text;

	world_setup(state);
	buf_init(&line, 4096);
	assert_int_equal(key_public(public_key, seed), 0);
	assert_int_equal(approver_init(&approver, "alice@example", public_key), 0);
	assert_int_equal(approver_text(&line, &approver), 0);
	text = buf_cstr(&line);
	lines.items = &text;
	assert_int_equal(approver_replace(&world, &lines), 0);
	assert_int_equal(world.approver_count, 1);
	buf_fini(&line);
	return 0;
}

static int status_of(const char *outcome)
{
	json_t *result = reply_json(REPLY_RESULT);
	int equal = strcmp(meta_text(result, "outcome"), outcome) == 0;

	if (!equal)
		print_error("outcome is %s, not %s\n", meta_text(result, "outcome"), outcome);
	json_decref(result);
	return equal;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void test_other_uid_approves(void **state)
{
	struct call *call = waiting(1, 70, 3);
	char id[APPROVAL_ID_MAX];
	json_t *result;

	(void)state;
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(sent_records(RECORD_APPROVAL_REQUEST, NULL), 1);
	memcpy(id, call->answer.id, sizeof(id));
	assert_string_equal(world.approvals.first->prompt, "Run ls now?");
	assert_int_equal(decide(2, bare(id, 3, "approve")), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 1);
	end(call);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "by"), "approval");
	assert_string_equal(meta_text(result, "decision"), "allow");
	json_decref(result);
	/* once: the next identical call asks again */
	call = waiting(1, 71, 3);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_string_not_equal(call->answer.id, id);
	assert_int_equal(decide(2, bare(id, 3, "approve")), RESULT_CONFLICT);
	end(call);
}

/* Two keys are two people where their names say so; one person with a key and without it is not. */
static void test_a_quorum_is_of_people(void **state)
{
	struct call *call = waiting(1, 70, 3);
	struct approval *approval = world.approvals.first;
	struct approval_answer bare_yes = approval->answer, key_yes, other_key;
	struct err_note note;

	(void)state;
	approval->quorum = 3;
	snprintf(bare_yes.principal, sizeof(bare_yes.principal), "uid:1001");
	key_yes = other_key = bare_yes;
	snprintf(key_yes.key, sizeof(key_yes.key), "one");
	snprintf(other_key.key, sizeof(other_key.key), "two");
	snprintf(key_yes.name, sizeof(key_yes.name), "anna");
	snprintf(other_key.name, sizeof(other_key.name), "anna");
	assert_int_equal(approval_answer(&world, approval, APPROVAL_APPROVED, &bare_yes, &note),
	    APPROVAL_COUNTED);
	assert_int_equal(
	    approval_answer(&world, approval, APPROVAL_APPROVED, &bare_yes, &note), APPROVAL_TWICE);
	assert_int_equal(
	    approval_answer(&world, approval, APPROVAL_APPROVED, &key_yes, &note), APPROVAL_TWICE);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_string_equal(approval->answer.principal, "");
	/* the signed ones first: then the same principal without a key is no third */
	approval->yes_count = 0;
	assert_int_equal(approval_answer(&world, approval, APPROVAL_APPROVED, &key_yes, &note),
	    APPROVAL_COUNTED);
	assert_int_equal(approval_answer(&world, approval, APPROVAL_APPROVED, &other_key, &note),
	    APPROVAL_TWICE);
	snprintf(other_key.name, sizeof(other_key.name), "berta");
	assert_int_equal(approval_answer(&world, approval, APPROVAL_APPROVED, &other_key, &note),
	    APPROVAL_COUNTED);
	assert_int_equal(
	    approval_answer(&world, approval, APPROVAL_APPROVED, &bare_yes, &note), APPROVAL_TWICE);
	snprintf(bare_yes.principal, sizeof(bare_yes.principal), "uid:1003");
	assert_int_equal(approval_answer(&world, approval, APPROVAL_APPROVED, &bare_yes, &note),
	    APPROVAL_DECIDED);
	assert_int_equal(call->state, CALL_DECIDED);
	end(call);
}

/* Says yes as a key that these have made; NULL ends them. */
static enum approval_vote yes_of_key(const char *key, const char *maker, const char *his_maker)
{
	struct approval *approval = world.approvals.first;
	struct approval_answer answer = approval->answer;
	struct caller *caller = caller_new();
	struct err_note note;

	snprintf(answer.principal, sizeof(answer.principal), "%s", key);
	if (maker)
		assert_int_equal(caller_add_maker(caller, maker), 0);
	if (his_maker)
		assert_int_equal(caller_add_maker(caller, his_maker), 0);
	person_add_makers(&answer, caller);
	(void)caller_drop(caller);
	return approval_answer(&world, approval, APPROVAL_APPROVED, &answer, &note);
}

/* Whatever one person may have in his hands counts once: a key and who made it, its siblings. */
static void test_a_quorum_counts_makers(void **state)
{
	struct call *call = waiting(1, 70, 3);
	struct approval *approval = world.approvals.first;

	(void)state;
	approval->quorum = 16;
	assert_int_equal(yes_of_key("key:a", "uid:1001", NULL), APPROVAL_COUNTED);
	assert_int_equal(yes_of_key("uid:1001", NULL, NULL), APPROVAL_TWICE);
	assert_int_equal(yes_of_key("key:b", "key:a", "uid:1001"), APPROVAL_TWICE);
	assert_int_equal(yes_of_key("key:c", "uid:1001", NULL), APPROVAL_TWICE);
	assert_int_equal(yes_of_key("key:d", "uid:100", NULL), APPROVAL_COUNTED);
	/* the other way round, and at a remove */
	approval->yes_count = 0;
	assert_int_equal(yes_of_key("jwt:boss", NULL, NULL), APPROVAL_COUNTED);
	assert_int_equal(yes_of_key("key:b", "key:a", "jwt:boss"), APPROVAL_TWICE);
	/* the service key gives keys to several, and each of them is one */
	approval->yes_count = 0;
	assert_int_equal(yes_of_key("key:a", "service", NULL), APPROVAL_COUNTED);
	assert_int_equal(yes_of_key("key:b", "service", NULL), APPROVAL_COUNTED);
	assert_int_equal(yes_of_key("key:c", "key:b", "service"), APPROVAL_TWICE);
	assert_int_equal(yes_of_key("service", NULL, NULL), APPROVAL_TWICE);
	end(call);
}

/* A yes to whom nobody would believe any more is no yes: the question is over. */
static void test_a_question_ends_with_its_key(void **state)
{
	struct call *call = waiting(1, 70, 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	assert_int_equal(caller_set(&call->caller->credential, "key_1"), 0);
	call_step(call, CALL_ON_TIMEOUT); /* pending: the question stays */
	end(call);
	approval_void_of(&world, "key_2", "another");
	assert_non_null(approval_find(&world, id));
	approval_void_of(&world, "key_1", "his");
	assert_null(approval_find(&world, id));
	assert_int_equal(sent_records(RECORD_APPROVAL_EXPIRE, NULL), 1);
	assert_int_equal(decide(2, bare(id, 3, "approve")), RESULT_CONFLICT);
	assert_int_equal(caller_set(&peer_find(&world, 1)->caller->credential, ""), 0);
}

static void test_denied(void **state)
{
	struct call *call = waiting(1, 70, 3);
	json_t *result;

	(void)state;
	assert_int_equal(decide(2, json_pack("{s:s, s:s, s:s, s:s}", "id", call->answer.id, "plan",
				       plan_text(3), "decision", "deny", "reason", "no\x1b[2J!")),
	    0);
	assert_int_equal(call->state, CALL_DECLINED);
	end(call);
	result = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(result, "outcome"), "refused");
	assert_string_equal(meta_text(result, "decision"), "deny");
	assert_string_equal(meta_text(result, "by"), "approval");
	assert_non_null(strstr(content_text(result), "uid:1001 denied"));
	assert_non_null(strstr(content_text(result), "no\\x1b[2J!"));
	json_decref(result);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

static void test_same_uid_needs_a_signature(void **state)
{
	struct call *call = waiting(2, 70, 3); /* an operator asks */
	struct signing right = {call->answer.id, 3, "approve", clock_wall_us(), ""};
	struct signing over[6];

	(void)state;
	assert_int_equal(decide(2, bare(right.id, 3, "approve")), RESULT_FORBIDDEN);
	assert_int_equal(decide(2, bare(right.id, 3, "deny")), RESULT_FORBIDDEN);
	assert_int_equal(sent_records(RECORD_APPROVAL_REFUSED, NULL), 2);
	for (int i = 0; i < 6; i++)
		over[i] = right;
	over[0].id = "000000000000";
	over[1].plan = 4;
	over[2].decision = "deny";
	over[3].wall_us++;
	over[4].reason = "because";
	over[5].wall_us -= 1;
	for (int i = 0; i < 6; i++)
		assert_int_equal(decide(2, signed_answer(&right, &over[i])), RESULT_FORBIDDEN);
	assert_int_equal(sent_records(RECORD_APPROVAL_REFUSED, NULL), 8);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(decide(2, signed_answer(&right, &right)), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_string_equal(call->answer.key, approver.id);
	assert_string_equal(call->answer.name, "alice@example");
	end(call);
}

static void test_signature_time_and_key(void **state)
{
	struct call *call = waiting(2, 70, 3);
	struct signing right = {call->answer.id, 3, "approve", clock_wall_us(), "fine"};
	struct signing old = right, early = right;
	struct strv none = {0};
	json_t *params;

	(void)state;
	old.wall_us -= APPROVER_SKEW_US + 1;
	early.wall_us += APPROVER_SKEW_US + 1;
	assert_int_equal(decide(2, signed_answer(&old, &old)), RESULT_FORBIDDEN);
	assert_int_equal(decide(2, signed_answer(&early, &early)), RESULT_FORBIDDEN);
	params = signed_answer(&right, &right);
	json_object_set_new(json_object_get(params, "approver"), "signature", json_string("AAAA"));
	assert_int_equal(decide(2, params), -32602);
	params = signed_answer(&right, &right);
	json_object_set_new(
	    json_object_get(params, "approver"), "key", json_string("0123456789abcdef"));
	assert_int_equal(decide(2, params), RESULT_FORBIDDEN);
	/* A good signature does not make an approver of somebody without the role. */
	assert_int_equal(decide(1, signed_answer(&right, &right)), RESULT_FORBIDDEN);
	assert_int_equal(approver_replace(&world, &none), 0); /* the key is taken away */
	assert_int_equal(sent_records(RECORD_ADMIN_KEY, NULL), 2);
	assert_int_equal(decide(2, signed_answer(&right, &right)), RESULT_FORBIDDEN);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
}

static void test_roles(void **state)
{
	struct call *call = waiting(1, 70, 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	assert_int_equal(decide(3, bare(id, 3, "approve")), RESULT_FORBIDDEN); /* no permission */
	assert_int_equal(decide(4, bare(id, 3, "approve")), RESULT_FORBIDDEN); /* not this tool */
	assert_int_equal(decide(5, bare(id, 3, "approve")), RESULT_FORBIDDEN); /* nobody */
	assert_int_equal(decide(2, bare(id, 4, "approve")), RESULT_CONFLICT);  /* another plan */
	assert_int_equal(decide(2, bare("ffffffffffff", 3, "approve")), RESULT_NOT_FOUND);
	assert_int_equal(decide(2, bare(id, 3, "maybe")), -32602);
	assert_int_equal(decide(2, bare("", 3, "approve")), RESULT_NOT_FOUND);
	assert_int_equal(decide(2, json_object()), -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
}

static void test_double_answers(void **state)
{
	struct call *call = waiting(1, 70, 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	call_step(call, CALL_ON_TIMEOUT); /* held long enough: pending, nobody waits */
	end(call);
	assert_true(status_of("pending"));
	assert_int_equal(decide(2, bare(id, 3, "deny")), 0);
	assert_int_equal(decide(2, bare(id, 3, "approve")), RESULT_CONFLICT);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0);
	call = waiting(1, 71, 3);
	assert_int_equal(call->state, CALL_DECLINED); /* picks the no up */
	end(call);
	assert_true(status_of("refused"));
	assert_int_equal(decide(2, bare(id, 3, "approve")), RESULT_CONFLICT);
}

/* ---- time -------------------------------------------------------------------------------- */

static void test_held_then_picked_up(void **state)
{
	struct call *call = waiting(1, 70, 3), *other;
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	call_step(call, CALL_ON_TIMEOUT);
	end(call);
	assert_true(status_of("pending"));
	assert_int_equal(decide(2, bare(id, 3, "approve")), 0);
	other = waiting(3, 71, 3); /* another principal, by chance with the same digest */
	assert_int_equal(other->state, CALL_APPROVAL);
	call = waiting(1, 72, 4); /* the same principal, another plan */
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
	call = waiting(1, 73, 3);
	assert_int_equal(call->state, CALL_DECIDED);
	end(call);
	call = waiting(1, 74, 3); /* used up */
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
	end(other);
}

static void test_expiry(void **state)
{
	struct call *call = waiting(1, 70, 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	fake_now_us += 301ull * 1000000;
	assert_int_equal(decide(2, bare(id, 3, "approve")), RESULT_CONFLICT); /* too late */
	assert_int_equal(call->state, CALL_DECLINED);
	assert_int_equal(sent_records(RECORD_APPROVAL_EXPIRE, NULL), 1);
	end(call);
	call = waiting(1, 71, 3); /* told already; this one asks anew */
	assert_int_equal(call->state, CALL_APPROVAL);
	call_step(call, CALL_ON_TIMEOUT);
	end(call);
	fake_now_us += 301ull * 1000000;
	approval_sweep(&world);
	call = waiting(1, 72, 3);
	assert_int_equal(call->outcome, OUTCOME_EXPIRED); /* reported as expired, once */
	end(call);
	while (!status_of("expired"))
		;
	call = waiting(1, 73, 3);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
}

/* An answer nobody picks up dies, too. */
static void test_answer_expires(void **state)
{
	struct call *call = waiting(1, 70, 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	call_step(call, CALL_ON_TIMEOUT);
	end(call);
	assert_int_equal(decide(2, bare(id, 3, "approve")), 0);
	fake_now_us += 301ull * 1000000;
	call = waiting(1, 71, 3); /* before any sweep */
	assert_int_equal(call->state, CALL_APPROVAL);
	approval_sweep(&world);
	assert_int_equal(sent_records(RECORD_APPROVAL_EXPIRE, NULL), 1);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
}

static void test_cancel(void **state)
{
	struct call *first = waiting(1, 70, 3), *second = waiting(1, 71, 3);
	char id[APPROVAL_ID_MAX];

	(void)state;
	memcpy(id, first->answer.id, sizeof(id));
	assert_string_equal(second->answer.id, id); /* one question for identical calls */
	assert_int_equal(sent_records(RECORD_APPROVAL_REQUEST, NULL), 1);
	call_cancel(first);
	end(first);
	assert_int_equal(approval_pending(&world), 1); /* the other still waits */
	call_cancel(second);
	end(second);
	assert_int_equal(approval_pending(&world), 0);
	assert_int_equal(decide(2, bare(id, 3, "approve")), RESULT_CONFLICT);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

/* ---- many -------------------------------------------------------------------------------- */

/* One yes is one run: of three identical calls the oldest runs, the others ask again. */
static void test_one_yes_one_run(void **state)
{
	struct call *calls[3];
	char id[APPROVAL_ID_MAX];

	(void)state;
	for (int i = 0; i < 3; i++)
		calls[i] = waiting(1, 70 + i, 3);
	memcpy(id, calls[0]->answer.id, sizeof(id));
	assert_int_equal(approval_pending(&world), 1);
	assert_int_equal(decide(2, bare(id, 3, "approve")), 0);
	assert_int_equal(calls[0]->state, CALL_DECIDED);
	assert_int_equal(calls[1]->state, CALL_APPROVAL);
	assert_int_equal(calls[2]->state, CALL_APPROVAL);
	assert_string_not_equal(calls[1]->answer.id, id);
	assert_string_equal(calls[1]->answer.id, calls[2]->answer.id);
	assert_int_equal(approval_pending(&world), 1);
	assert_int_equal(decide(2, bare(calls[1]->answer.id, 3, "deny")), 0);
	assert_int_equal(calls[1]->state, CALL_DECLINED); /* a no is for all */
	assert_int_equal(calls[2]->state, CALL_DECLINED);
	for (int i = 0; i < 3; i++)
		end(calls[i]);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 1);
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, NULL), 3);
}

static void test_cap(void **state)
{
	struct call *call;

	(void)state;
	for (int i = 0; i < QUOTA_APPROVALS; i++) {
		call = waiting(1, 70 + i, (uint8_t)(i + 1));
		assert_int_equal(call->state, CALL_APPROVAL);
		call_step(call, CALL_ON_TIMEOUT);
		end(call);
	}
	call = waiting(1, 500, 200);
	assert_int_equal(call->outcome, OUTCOME_UNAVAILABLE);
	end(call);
	call = waiting(1, 501, 1); /* an identical one needs no new question */
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
	call = waiting(3, 502, 200); /* others have their own room */
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
}

/* Sends a request of this method; its reply, or NULL while it is held. */
static struct message *ask(uint64_t peer, enum request_method method, const char *params)
{
	struct message message = request_message(peer, 901, method);

	message.u.request.body.data = params;
	message.u.request.body.len = strlen(params);
	while (sent_next(&world.front, MESSAGE_REPLY))
		;
	assert_int_equal(methods_request(&world, &message), 0);
	return sent_next(&world.front, MESSAGE_REPLY);
}

/* How many questions this peer sees; -1: refused. */
static int seen_by(uint64_t peer)
{
	struct message *reply = ask(peer, REQUEST_APPROVALS_LIST, "{}");
	json_t *list;
	int count;

	assert_non_null(reply);
	if (reply->u.reply.kind == REPLY_ERROR)
		return -1;
	list = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	count = (int)json_array_size(json_object_get(list, "approvals"));
	json_decref(list);
	return count;
}

/* callgate/status counts as many for this peer, of questions and of calls that wait. */
static void status_counts(uint64_t peer, json_int_t count)
{
	struct message *reply = ask(peer, REQUEST_STATUS, "{}");
	json_t *status;

	assert_non_null(reply);
	assert_int_equal(reply->u.reply.kind, REPLY_RESULT);
	status = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(status, "approvals"), "pending")),
	    count);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(status, "calls"), "waiting")),
	    count);
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(status, "calls"), "running")), 0);
	/* these are no owners */
	assert_null(json_object_get(status, "pid"));
	assert_null(json_object_get(status, "audit"));
	assert_null(json_object_get(json_object_get(status, "policy"), "file"));
	assert_string_not_equal(
	    json_string_value(json_object_get(json_object_get(status, "policy"), "version")), "");
	json_decref(status);
}

static void test_list_and_watch(void **state)
{
	struct call *call = waiting(4, 70, 3), *other = waiting(1, 71, 4);
	char params[64];

	(void)state;
	status_counts(2, 2);
	status_counts(4, 1);
	assert_int_equal(seen_by(2), 2); /* approvals:read */
	assert_int_equal(seen_by(4), 1); /* its own */
	assert_int_equal(seen_by(5), -1);
	assert_int_equal(
	    ask(2, REQUEST_APPROVALS_WATCH, "{\"since\": -1}")->u.reply.kind, REPLY_ERROR);
	assert_int_equal(ask(2, REQUEST_APPROVALS_WATCH, "[]")->u.reply.kind, REPLY_ERROR);
	assert_int_equal(ask(2, REQUEST_APPROVALS_WATCH, "{}")->u.reply.kind, REPLY_RESULT);
	snprintf(params, sizeof(params), "{\"since\": %llu}",
	    (unsigned long long)world.approvals.revision);
	assert_null(ask(2, REQUEST_APPROVALS_WATCH, params)); /* nothing new: held */
	assert_non_null(world.watches);
	call_cancel(call);
	assert_null(world.watches); /* answered by the change */
	assert_non_null(sent_next(&world.front, MESSAGE_REPLY));
	end(call);
	assert_int_equal(seen_by(2), 1);
	snprintf(params, sizeof(params), "{\"since\": %llu}",
	    (unsigned long long)world.approvals.revision);
	for (int i = 0; i < QUOTA_WATCHES; i++)
		assert_null(ask(2, REQUEST_APPROVALS_WATCH, params));
	assert_int_equal(ask(2, REQUEST_APPROVALS_WATCH, params)->u.reply.kind, REPLY_ERROR);
	watch_cancel(&world, 2, 901);
	watch_drop_peer(&world, 2);
	assert_null(world.watches);
	world_turn();
	end(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_other_uid_approves),
	    TEST(test_a_quorum_is_of_people),
	    TEST(test_a_quorum_counts_makers),
	    TEST(test_a_question_ends_with_its_key),
	    TEST(test_denied),
	    TEST(test_same_uid_needs_a_signature),
	    TEST(test_signature_time_and_key),
	    TEST(test_roles),
	    TEST(test_double_answers),
	    TEST(test_held_then_picked_up),
	    TEST(test_expiry),
	    TEST(test_answer_expires),
	    TEST(test_cancel),
	    TEST(test_one_yes_one_run),
	    TEST(test_cap),
	    TEST(test_list_and_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
