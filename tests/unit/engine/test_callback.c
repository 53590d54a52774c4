/* Answers by channels: authentic, fresh, once, of who may, to the right question. */
#include "tests/unit/engine/hook_rig.h"

/* ---- helpers -------------------------------------------------------------------------------- */

static char nonce[64];

/* Lets courier take the question; keeps the nonce it went out with. */
static void deliver(void)
{
	const struct message *fetch = next_fetch();
	json_t *body;

	assert_non_null(fetch);
	body = fetch_json(fetch);
	snprintf(nonce, sizeof(nonce), "%s", text_at(json_object_get(body, "data"), "nonce"));
	json_decref(body);
	answer_fetch(fetch, 200, 0, "");
}

static char *answer_text(const char *approval, const char *told_nonce, const char *decision)
{
	static char text[512];

	snprintf(text, sizeof(text),
	    "{\"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"%s\", "
	    "\"approver\": \"alice\"}",
	    approval, told_nonce, decision);
	return text;
}

static int callback(const char *channel, json_t *headers, const char *text)
{
	return hook_request(5, REQUEST_CALLBACK,
	    json_pack("{s:s, s:o, s:s}", "channel", channel, "headers", headers, "text", text),
	    NULL);
}

static uint64_t now_s(void)
{
	return clock_wall_us() / 1000000;
}

static json_t *standard_headers(const char *id, uint64_t time_s, const char *text)
{
	const struct hook_message message = {
	    .secret = SECRET, .id = id, .time_s = time_s, .body = text, .body_len = strlen(text)};
	struct buf signature = {0};
	char time[24];
	json_t *headers;

	buf_init(&signature, 128);
	snprintf(time, sizeof(time), "%" PRIu64, time_s);
	assert_int_equal(hook_sign_standard(&signature, &message), 0);
	headers = json_pack("{s:s, s:s, s:s}", "webhook-id", id, "webhook-timestamp", time,
	    "webhook-signature", buf_cstr(&signature));
	buf_fini(&signature);
	return headers;
}

static int standard(const char *id, const char *text)
{
	return callback("ops", standard_headers(id, now_s(), text), text);
}

static void end(struct call *call)
{
	if (call->state == CALL_APPROVAL)
		call_cancel(call);
	drive_to_end(call->id);
}

/* ---- Standard Webhooks ---------------------------------------------------------------------- */

static void test_a_signed_answer_decides(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	char id[APPROVAL_ID_MAX];
	const struct message *record;
	json_t *past = NULL;

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	deliver();
	assert_int_equal(standard("msg_1", answer_text(id, nonce, "approve")), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	record = newest_record(RECORD_APPROVAL_GRANT);
	assert_true(record_holds(record, "channel:ops"));
	assert_true(record_holds(record, "alice"));
	assert_true(record_holds(record, "channel"));
	end(call);
	/* afterwards: who decided, and how he proved it */
	assert_int_equal(
	    hook_request(2, REQUEST_APPROVALS_GET, json_pack("{s:s}", "id", id), &past), 0);
	assert_string_equal(text_at(past, "state"), "used");
	assert_string_equal(text_at(past, "by"), "channel:ops");
	assert_string_equal(text_at(past, "method"), "channel");
	json_decref(past);
}

static void test_replay(void **state)
{
	struct call *call = hook_waiting(70, "pair", LS, 3), *other;
	char text[512];

	(void)state;
	deliver();
	snprintf(text, sizeof(text), "%s", answer_text(call->answer.id, nonce, "approve"));
	assert_int_equal(standard("msg_1", text), 0); /* one of two */
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(standard("msg_1", text), -32602); /* the same again */
	assert_int_equal(standard("msg_2", text), -32602); /* signed anew: its nonce is used */
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 1);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
	/* the id of one message for another question */
	other = hook_waiting(71, "one", LS, 4);
	while (next_fetch())
		;
	assert_int_equal(
	    standard("msg_1", answer_text(other->answer.id, nonce, "approve")), -32602);
	assert_int_equal(other->state, CALL_APPROVAL);
	end(other);
}

static void test_not_authentic(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	char text[512];
	json_t *headers;

	(void)state;
	deliver();
	snprintf(text, sizeof(text), "%s", answer_text(call->answer.id, nonce, "approve"));
	assert_int_equal(callback("ops", json_object(), text), -32602);
	assert_int_equal(
	    callback("ops", standard_headers("msg_1", now_s() - 301, text), text), -32602);
	assert_int_equal(
	    callback("ops", standard_headers("msg_2", now_s() + 301, text), text), -32602);
	assert_int_equal(callback("ops", standard_headers("msg_3", now_s(), "{}"), text), -32602);
	headers = standard_headers("msg_4", now_s(), text);
	json_object_set_new(headers, "webhook-signature", json_string("v1,"));
	assert_int_equal(callback("ops", headers, text), -32602);
	headers = standard_headers("msg_5", now_s(), text);
	json_object_set_new(headers, "webhook-id", json_integer(5));
	assert_int_equal(callback("ops", headers, text), -32602);
	/* of a channel with the same secret, whose question it is not */
	assert_int_equal(callback("mute", standard_headers("msg_6", now_s(), text), text), -32602);
	assert_int_equal(
	    callback("nobody", standard_headers("msg_7", now_s(), text), text), RESULT_NOT_FOUND);
	assert_int_equal(
	    callback("terminal", standard_headers("msg_8", now_s(), text), text), RESULT_NOT_FOUND);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(sent_records(RECORD_APPROVAL_REFUSED, NULL), 7);
	/* a key that was never signed with was not used up */
	assert_int_equal(standard("msg_3", text), 0);
	end(call);
	assert_nowhere(nonce);
}

/* What we send ourselves, sent back to us, is no answer. */
static void test_reflection(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	const struct message *fetch = next_fetch();
	char *text = strndup(fetch->u.fetch.body.data, fetch->u.fetch.body.len);
	json_t *headers =
	    json_pack("{s:s, s:s, s:s}", "webhook-id", fetch_header(fetch, "webhook-id"),
		"webhook-timestamp", fetch_header(fetch, "webhook-timestamp"), "webhook-signature",
		fetch_header(fetch, "webhook-signature"));

	(void)state;
	assert_int_equal(callback("ops", headers, text), -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	free(text);
	end(call);
}

static void test_the_body(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3), *other;
	const char *id = call->answer.id;
	char text[512], other_nonce[64];
	int n = 0;

#define REFUSED(code, ...)                                                                         \
	do {                                                                                       \
		char name[16];                                                                     \
		snprintf(name, sizeof(name), "msg_%d", n++);                                       \
		snprintf(text, sizeof(text), __VA_ARGS__);                                         \
		assert_int_equal(standard(name, text), code);                                      \
		assert_int_equal(call->state, CALL_APPROVAL);                                      \
	} while (0)
	(void)state;
	deliver();
	snprintf(other_nonce, sizeof(other_nonce), "%s", nonce);
	other = hook_waiting(71, "one", LS, 4);
	deliver();
	/* another question's nonce, and none, and a piece of the right one */
	REFUSED(-32602, "%s", answer_text(id, nonce, "approve"));
	REFUSED(-32602, "%s", answer_text(id, "", "approve"));
	REFUSED(-32602, "%s", "");
	REFUSED(-32602, "%s", answer_text(id, "0", "approve"));
	end(other);
	REFUSED(-32602, "{\"approval\": \"%s\", \"nonce\": \"%.16s\", \"decision\": \"approve\"}",
	    id, other_nonce);
	REFUSED(-32602, "{\"approval\": \"%s\", \"nonce\": \"%s\"}", id, other_nonce);
	REFUSED(-32602, "%s", answer_text(id, other_nonce, "Approve"));
	REFUSED(-32602, "%s", answer_text(id, other_nonce, "yes"));
	REFUSED(RESULT_NOT_FOUND, "%s", answer_text("ffffffffffff", other_nonce, "approve"));
	/* what is not understood is not passed over */
	REFUSED(-32602,
	    "{\"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"approve\", "
	    "\"edited_arguments\": {\"command\": \"echo\"}}",
	    id, other_nonce);
	REFUSED(-32602,
	    "{\"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"deny\", \"decision\": "
	    "\"approve\"}",
	    id, other_nonce);
	REFUSED(-32602,
	    "{\"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"approve\", \"scope\": 1}",
	    id, other_nonce);
	/* more than the policy lets it stand for */
	REFUSED(RESULT_FORBIDDEN,
	    "{\"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"approve\", \"scope\": "
	    "\"always\"}",
	    id, other_nonce);
	REFUSED(-32602, "[]");
	REFUSED(-32602, "approval=%s&nonce=%s&decision=approve", id, other_nonce);
	/* and the right one, still */
	assert_int_equal(standard("msg_end", answer_text(id, other_nonce, "approve")), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	end(call);
#undef REFUSED
}

static void test_late_and_twice(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	char id[APPROVAL_ID_MAX], text[512];

	(void)state;
	memcpy(id, call->answer.id, sizeof(id));
	deliver();
	snprintf(text, sizeof(text), "%s", answer_text(id, nonce, "approve"));
	fake_now_us += 601ull * 1000000;
	assert_int_equal(standard("msg_1", text), RESULT_CONFLICT); /* it has expired */
	assert_int_equal(call->outcome, OUTCOME_EXPIRED);
	end(call);
	/* no first, then yes: the first counts */
	call = hook_waiting(71, "one", LS, 4);
	memcpy(id, call->answer.id, sizeof(id));
	while (next_fetch())
		;
	call_step(call, CALL_ON_TIMEOUT);
	drive_to_end(call->id);
	assert_int_equal(hook_request(2, REQUEST_APPROVALS_DECIDE,
			     json_pack("{s:s, s:s, s:s}", "id", id, "decision", "deny", "plan",
				 "sha256:0404040404040404040404040404040404040404040404040404"
				 "040404040404"),
			     NULL),
	    0);
	assert_int_equal(standard("msg_2", answer_text(id, nonce, "approve")), RESULT_CONFLICT);
	call = hook_waiting(72, "one", LS, 4);
	assert_int_equal(call->state, CALL_DECLINED);
	end(call);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0);
}

/* A channel without roles asks, and its answers do not count. */
static void test_roles_of_the_channel(void **state)
{
	struct call *call = hook_waiting(70, "mute_only", LS, 3);
	char text[512];

	(void)state;
	deliver();
	snprintf(text, sizeof(text), "%s", answer_text(call->answer.id, nonce, "approve"));
	assert_int_equal(
	    callback("mute", standard_headers("msg_1", now_s(), text), text), RESULT_FORBIDDEN);
	assert_int_equal(call->state, CALL_APPROVAL);
	/* and with no other way in, not even the operator's counts: it expires */
	assert_int_equal(
	    hook_request(2, REQUEST_APPROVALS_DECIDE,
		json_pack("{s:s, s:s, s:s}", "id", call->answer.id, "decision", "approve", "plan",
		    "sha256:0303030303030303030303030303030303030303030303030303"
		    "030303030303"),
		NULL),
	    RESULT_FORBIDDEN);
	fake_now_us += 601ull * 1000000;
	approval_sweep(&world);
	assert_int_equal(call->outcome, OUTCOME_EXPIRED);
	drive_to_end(call->id);
}

/* A channel is one person, and a person at the terminal another. */
static void test_quorum(void **state)
{
	struct call *call = hook_waiting(70, "pair", LS, 3);
	json_t *told = NULL, *votes;

	(void)state;
	deliver();
	assert_int_equal(standard("msg_1", answer_text(call->answer.id, nonce, "approve")), 0);
	assert_int_equal(hook_request(2, REQUEST_APPROVALS_GET,
			     json_pack("{s:s}", "id", call->answer.id), &told),
	    0);
	votes = json_object_get(told, "votes");
	assert_int_equal(json_array_size(votes), 1);
	assert_string_equal(text_at(json_array_get(votes, 0), "by"), "channel:ops");
	assert_string_equal(text_at(json_array_get(votes, 0), "claimed"), "alice");
	json_decref(told);
	/* the other channel's synchronous answer is the second person */
	answer_fetch(next_fetch(), 200, 0, "{\"approved\": true}");
	assert_int_equal(call->state, CALL_DECIDED);
	end(call);
}

static void test_a_reason_is_needed(void **state)
{
	struct call *call = hook_waiting(70, "why", LS, 3);
	char text[512];

	(void)state;
	deliver();
	assert_int_equal(
	    standard("msg_1", answer_text(call->answer.id, nonce, "approve")), RESULT_FORBIDDEN);
	snprintf(text, sizeof(text),
	    "{\"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"approve\", \"reason\": "
	    "\"it is\\u001b[2J fine\"}",
	    call->answer.id, nonce);
	assert_int_equal(standard("msg_2", text), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_string_equal(call->answer.reason, "it is\\x1b[2J fine");
	end(call);
}

/* ---- GitHub --------------------------------------------------------------------------------- */

static int github(const char *text)
{
	const struct hook_message message = {.secret = "It's a Secret to Everybody",
	    .id = "",
	    .body = text,
	    .body_len = strlen(text)};
	struct buf signature = {0};
	json_t *headers;

	buf_init(&signature, 128);
	assert_int_equal(hook_sign_github(&signature, &message), 0);
	headers = json_pack("{s:s}", "x-hub-signature-256", buf_cstr(&signature));
	buf_fini(&signature);
	return callback("hub", headers, text);
}

static const char *github_text(const char *approval, const char *id, uint64_t time_s)
{
	static char text[512];

	snprintf(text, sizeof(text),
	    "{\"id\": \"%s\", \"timestamp\": %" PRIu64
	    ", \"approval\": \"%s\", \"nonce\": \"%s\", \"decision\": \"approve\"}",
	    id, time_s, approval, nonce);
	return text;
}

static void test_github(void **state)
{
	struct call *call = hook_waiting(70, "hub_only", LS, 3);
	const char *approval = call->answer.id;
	char text[512];

	(void)state;
	deliver();
	/* id and time are nowhere else than in the body */
	assert_int_equal(github(answer_text(approval, nonce, "approve")), -32602);
	assert_int_equal(github(github_text(approval, "", now_s())), -32602);
	assert_int_equal(github(github_text(approval, "a.b", now_s())), -32602);
	assert_int_equal(github(github_text(approval, "a1", now_s() - 301)), -32602);
	snprintf(text, sizeof(text), "%s", github_text(approval, "a2", now_s()));
	assert_int_equal(callback("hub", json_object(), text), -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(github(text), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_int_equal(github(text), -32602);
	end(call);
}

/* ---- Slack ---------------------------------------------------------------------------------- */

static int slack(const char *text, uint64_t time_s)
{
	const struct hook_message message = {.secret = "8f742231b10e8888abcd99yyyzzz85a5",
	    .id = "",
	    .time_s = time_s,
	    .body = text,
	    .body_len = strlen(text)};
	struct buf signature = {0};
	char time[24];
	json_t *headers;

	buf_init(&signature, 128);
	snprintf(time, sizeof(time), "%" PRIu64, time_s);
	assert_int_equal(hook_sign_slack(&signature, &message), 0);
	headers = json_pack("{s:s, s:s}", "x-slack-signature", buf_cstr(&signature),
	    "x-slack-request-timestamp", time);
	buf_fini(&signature);
	return callback("chat", headers, text);
}

/* As a browser encodes a form. */
static void put_form(char *out, size_t max, const char *json)
{
	size_t len = (size_t)snprintf(out, max, "payload=");

	for (; *json && len + 4 < max; json++)
		len += (size_t)snprintf(out + len, max - len,
		    strchr("{}\",:\\ ", *json) ? "%%%02X" : "%c", (unsigned char)*json);
}

static void put_press(char *out, size_t max, const char *action, const char *value)
{
	json_t *press = json_pack("{s:s, s:{s:s, s:s}, s:[{s:s, s:s}], s:s}", "type",
	    "block_actions", "user", "id", "U123", "username", "alice", "actions", "action_id",
	    action, "value", value, "trigger_id", "not looked at");
	char *text = json_dumps(press, 0);

	put_form(out, max, text);
	free(text);
	json_decref(press);
}

static void test_slack(void **state)
{
	struct call *call = hook_waiting(70, "chat_only", LS, 3);
	const struct message *fetch = next_fetch();
	json_t *body = fetch_json(fetch), *blocks = json_object_get(body, "blocks"), *buttons;
	char form[4096], value[256];

	(void)state;
	assert_string_equal(fetch->u.fetch.url, "https://chat.example/T0/B0/x");
	buttons = json_object_get(json_array_get(blocks, json_array_size(blocks) - 1), "elements");
	assert_int_equal(json_array_size(buttons), 3); /* once, always, deny */
	snprintf(value, sizeof(value), "%s", text_at(json_array_get(buttons, 0), "value"));
	assert_string_equal(
	    text_at(json_array_get(buttons, 1), "action_id"), "callgate_approve_always");
	json_decref(body);
	answer_fetch(fetch, 200, 0, "ok");
	put_press(form, sizeof(form), "callgate_approve_session", value);
	assert_int_equal(slack(form, now_s()), RESULT_FORBIDDEN); /* not offered */
	put_press(form, sizeof(form), "other_button", value);
	assert_int_equal(slack(form, now_s()), -32602);
	put_press(form, sizeof(form), "callgate_approve_once", "{}");
	assert_int_equal(slack(form, now_s()), -32602);
	put_press(form, sizeof(form), "callgate_approve_once", value);
	assert_int_equal(slack(form, now_s() - 301), -32602);
	assert_int_equal(slack("payload=%7b%00", now_s()), -32602);
	assert_int_equal(slack("payload={}&payload={}", now_s()), -32602);
	assert_int_equal(slack(form + 8, now_s()), -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(slack(form, now_s()), 0);
	assert_int_equal(call->state, CALL_DECIDED);
	assert_string_equal(call->answer.claimed, "slack:U123 alice");
	assert_int_equal(slack(form, now_s()), -32602); /* replayed */
	end(call);
}

/* ---- ntfy, and plain JSON ------------------------------------------------------------------- */

static void test_ntfy(void **state)
{
	struct call *call = hook_waiting(70, "push_only", LS, 3);
	const struct message *fetch = next_fetch();
	json_t *body = fetch_json(fetch), *actions = json_object_get(body, "actions");
	char text[512];

	(void)state;
	assert_string_equal(fetch->u.fetch.url, "https://ntfy.example/team/");
	assert_string_equal(text_at(body, "topic"), "topic");
	assert_int_equal(json_array_size(actions), 3);
	assert_string_equal(text_at(json_array_get(actions, 0), "method"), "POST");
	assert_string_equal(text_at(json_array_get(actions, 0), "url"),
	    "https://gate.example/v1/approvals/callback/push");
	snprintf(text, sizeof(text), "%s", text_at(json_array_get(actions, 1), "body"));
	json_decref(body);
	answer_fetch(fetch, 200, 0, "{}");
	assert_int_equal(
	    callback("push", json_object(),
		answer_text(call->answer.id, "00112233445566778899aabbccddeeff", "approve")),
	    -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	assert_int_equal(callback("push", json_object(), text), 0); /* the button "Deny" */
	assert_int_equal(call->state, CALL_DECLINED);
	end(call);
}

/* Without a secret nothing that comes back by itself can be authentic. */
static void test_json_takes_no_callbacks(void **state)
{
	struct call *call = hook_waiting(70, "boss_only", LS, 3);

	(void)state;
	deliver();
	assert_int_equal(
	    callback("boss", json_object(), answer_text(call->answer.id, nonce, "approve")),
	    -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
}

/* ---- floods --------------------------------------------------------------------------------- */

static void test_a_flood_of_forgeries(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		assert_int_equal(callback("ops", json_object(), "{}"), -32602);
	assert_int_equal(sent_records(RECORD_APPROVAL_REFUSED, NULL), CALLBACK_RECORDS);
	fake_now_us += 60ull * 1000000;
	assert_int_equal(callback("ops", json_object(), "{}"), -32602);
	assert_int_equal(sent_records(RECORD_APPROVAL_REFUSED, NULL), CALLBACK_RECORDS + 2);
}

/* When no more ids can be remembered, nothing more is believed until they are old. */
static void test_more_ids_than_can_be_kept(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	char name[24];

	(void)state;
	deliver();
	for (int i = 0; i < CALLBACK_SEEN_MAX; i++) {
		snprintf(name, sizeof(name), "msg_%d", i);
		assert_int_equal(standard(name, "{}"), -32602);
	}
	assert_int_equal(
	    standard("msg_new", answer_text(call->answer.id, nonce, "approve")), -32602);
	assert_int_equal(call->state, CALL_APPROVAL);
	end(call);
	sent_forget();
	while (next_fetch()) /* the end of that question */
		;
	fake_now_us += CALLBACK_SEEN_MS * 1000ull;
	call = hook_waiting(71, "one", LS, 4);
	deliver();
	assert_int_equal(standard("msg_new", answer_text(call->answer.id, nonce, "approve")), 0);
	end(call);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, hook_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_signed_answer_decides),
	    TEST(test_replay),
	    TEST(test_not_authentic),
	    TEST(test_reflection),
	    TEST(test_the_body),
	    TEST(test_late_and_twice),
	    TEST(test_roles_of_the_channel),
	    TEST(test_quorum),
	    TEST(test_a_reason_is_needed),
	    TEST(test_github),
	    TEST(test_slack),
	    TEST(test_ntfy),
	    TEST(test_json_takes_no_callbacks),
	    TEST(test_a_flood_of_forgeries),
	    TEST(test_more_ids_than_can_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
