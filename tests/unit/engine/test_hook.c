/* Questions on their way to channels: whom, when, how often, and what becomes of the answers. */
#include "tests/unit/engine/hook_rig.h"

#include "supervisor/engine/hooks/hook_book.h"

#define SECOND 1000000ull

static void test_a_question_goes_out_signed(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	const struct message *fetch = next_fetch();
	struct hook_message message = {.secret = SECRET};
	json_t *body, *data;

	(void)state;
	assert_non_null(fetch);
	assert_null(next_fetch()); /* one channel, one request */
	assert_string_equal(fetch->u.fetch.url, "https://ops.example/hook");
	assert_int_equal(fetch->u.fetch.method, FETCH_POST);
	message.id = fetch_header(fetch, "webhook-id");
	message.body = fetch->u.fetch.body.data;
	message.body_len = fetch->u.fetch.body.len;
	assert_int_equal(hook_verify_standard(&message, fetch_header(fetch, "webhook-timestamp"),
			     fetch_header(fetch, "webhook-signature"), clock_wall_us() / SECOND),
	    HOOK_GENUINE);
	body = fetch_json(fetch);
	assert_string_equal(text_at(body, "type"), "approval.requested");
	data = json_object_get(body, "data");
	assert_string_equal(text_at(data, "id"), call->answer.id);
	assert_string_equal(text_at(data, "command"), "ls");
	assert_string_equal(text_at(data, "principal"), "uid:1000");
	assert_int_equal(strlen(text_at(data, "nonce")), 32);
	assert_string_equal(
	    text_at(data, "answer_url"), "https://gate.example/v1/approvals/callback/ops");
	assert_non_null(json_object_get(data, "walls"));
	assert_non_null(json_object_get(data, "risk"));
	assert_non_null(json_object_get(data, "earlier"));
	json_decref(body);
	answer_fetch(fetch, 200, 0, "");
	assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), 1);
	assert_true(record_holds(newest_record(RECORD_APPROVAL_SENT), "ok"));
	assert_int_equal(hook_count(&world, HOOK_RESULT_OK), 1);
	assert_null(next_fetch());
	assert_nowhere(SECRET);
	drive_to_end(call->id);
}

static void test_at_once(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);

	(void)state;
	assert_int_equal(uv_timer_get_due_in(&world.hooks->timer), 0);
	assert_non_null(next_fetch());
	drive_to_end(call->id);
}

/* Two minutes each, while nobody answers. */
static void test_escalation(void **state)
{
	struct call *call = hook_waiting(70, "steps", LS, 3);
	const struct message *fetch;

	(void)state;
	assert_null(next_fetch()); /* the terminal is first */
	fake_now_us += 119 * SECOND;
	assert_null(next_fetch());
	fake_now_us += 1 * SECOND;
	fetch = next_fetch();
	assert_non_null(fetch);
	assert_string_equal(fetch->u.fetch.url, "https://ops.example/hook");
	answer_fetch(fetch, 200, 0, "");
	fake_now_us += 119 * SECOND;
	assert_null(next_fetch());
	fake_now_us += 1 * SECOND;
	fetch = next_fetch();
	assert_string_equal(fetch->u.fetch.url, "https://hub.example/hook");
	assert_non_null(strstr(fetch_header(fetch, "X-Hub-Signature-256"), "sha256="));
	drive_to_end(call->id);
	/* one that is answered goes no further */
	call = hook_waiting(71, "steps", LS, 4);
	assert_int_equal(
	    hook_request(2, REQUEST_APPROVALS_DECIDE,
		json_pack("{s:s, s:s, s:s}", "id", call->answer.id, "decision", "deny", "plan",
		    "sha256:0404040404040404040404040404040404040404040404040404"
		    "040404040404"),
		NULL),
	    0);
	fake_now_us += 300 * SECOND;
	assert_null(next_fetch());
	drive_to_end(call->id);
}

/* 1 s, 5 s, 30 s, each a fifth more or less; then no more when the question is over. */
static void test_backoff(void **state)
{
	static const uint64_t wait_s[] = {1, 5, 30, 120};
	struct call *call = hook_waiting(70, "one", LS, 3);
	const struct message *fetch = next_fetch();
	char id[64];

	(void)state;
	snprintf(id, sizeof(id), "%s", fetch_header(fetch, "webhook-id"));
	for (size_t i = 0; i < 4; i++) {
		answer_fetch(fetch, i % 2 ? 503 : 0, 0, "");
		fake_now_us += wait_s[i] * SECOND * 4 / 5 - SECOND / 100;
		assert_null(next_fetch());
		fake_now_us += wait_s[i] * SECOND * 2 / 5 + SECOND / 50;
		fetch = next_fetch();
		assert_non_null(fetch);
		/* it is the same message still */
		assert_string_equal(fetch_header(fetch, "webhook-id"), id);
	}
	assert_int_equal(hook_count(&world, HOOK_RESULT_RETRY), 4);
	assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), 0);
	answer_fetch(fetch, 500, 0, "");
	fake_now_us += 700 * SECOND;
	assert_null(next_fetch()); /* the next would be after its end */
	assert_true(record_holds(newest_record(RECORD_APPROVAL_SENT), "failed"));
	drive_to_end(call->id);
}

static void test_what_is_not_tried_again(void **state)
{
	static const struct {
		uint16_t http;
		bool again;
		const char *result;
	} rows[] = {{301, false, "failed"}, {400, false, "failed"}, {401, false, "failed"},
	    {404, false, "failed"}, {408, true, ""}, {409, true, ""}, {410, false, "gone"},
	    {425, true, ""}, {429, true, ""}, {500, true, ""}, {204, false, "ok"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call *call = hook_waiting(70 + i, "one", LS, (uint8_t)(i + 1));
		const struct message *fetch = next_fetch();

		assert_non_null(fetch);
		answer_fetch(fetch, rows[i].http, 0, "");
		fake_now_us += 2 * SECOND;
		fetch = next_fetch();
		if ((fetch != NULL) != rows[i].again)
			fail_msg("HTTP %u: again is %d", rows[i].http, fetch != NULL);
		if (!rows[i].again)
			assert_true(
			    record_holds(newest_record(RECORD_APPROVAL_SENT), rows[i].result));
		call_cancel(call);
		drive_to_end(call->id);
		if (fetch)
			answer_fetch(fetch, 200, 0, "");
		while ((fetch = next_fetch())) /* its end, where it was told */
			answer_fetch(fetch, 200, 0, "");
		fake_now_us += 61 * SECOND;
	}
}

static void test_retry_after(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	const struct message *fetch = next_fetch();

	(void)state;
	answer_fetch(fetch, 429, 90, "");
	fake_now_us += 89 * SECOND;
	assert_null(next_fetch());
	fake_now_us += 1 * SECOND;
	assert_non_null(next_fetch());
	drive_to_end(call->id);
}

/* Without courier nothing goes out, nothing is allowed, and the question waits for others. */
static void test_no_courier(void **state)
{
	struct call *call;
	json_t *told;

	(void)state;
	send_fault = 0;
	call = hook_waiting(70, "boss_only", LS, 3);
	answer_fetch(next_fetch(), 0, 0, "");
	assert_int_equal(call->state, CALL_APPROVAL);
	fake_now_us += 601 * SECOND;
	approval_sweep(&world);
	assert_int_equal(call->outcome, OUTCOME_EXPIRED);
	drive_to_end(call->id);
	told = reply_json(REPLY_RESULT);
	assert_string_equal(meta_text(told, "outcome"), "expired");
	json_decref(told);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
}

/* A secret that is not set: nothing goes out unsigned. */
static void test_missing_secret(void **state)
{
	const struct strv none = {0};
	struct call *call;

	(void)state;
	assert_int_equal(hook_secrets_replace(&world, &none), 0);
	call = hook_waiting(70, "one", LS, 3);
	assert_null(next_fetch());
	assert_true(record_holds(newest_record(RECORD_APPROVAL_SENT), "secret_env is not set"));
	drive_to_end(call->id);
	call = hook_waiting(71, "chat_only", LS, 3);
	assert_null(next_fetch());
	drive_to_end(call->id);
}

/* ---- the answer on the request itself ------------------------------------------------------- */

static void sync_answer(const char *tool, const char *body, bool runs)
{
	static uint8_t plan;
	struct call *call = hook_waiting(70, tool, LS, ++plan);
	const struct message *fetch = next_fetch();
	json_t *sent_body = fetch_json(fetch);

	assert_string_equal(text_at(sent_body, "tool_name"), tool);
	assert_string_equal(text_at(json_object_get(sent_body, "parameters"), "command"), "ls");
	json_decref(sent_body);
	answer_fetch(fetch, 200, 0, body);
	if ((call->state == CALL_DECIDED) != runs)
		fail_msg("%s answered %s: %s", tool, body, call_state_name(call->state));
	if (call->state == CALL_APPROVAL)
		call_cancel(call);
	drive_to_end(call->id);
	while ((fetch = next_fetch()))
		answer_fetch(fetch, 200, 0, "{\"approved\": true}");
}

static void test_a_synchronous_answer(void **state)
{
	(void)state;
	sync_answer("boss_only", "{\"approved\": true, \"approver\": \"b\\u0007oss\"}", true);
	assert_true(record_holds(newest_record(RECORD_APPROVAL_GRANT), "channel:boss"));
	assert_true(record_holds(newest_record(RECORD_APPROVAL_GRANT), "b\\x07oss"));
	sync_answer("boss_only", "{\"approved\": false}", false);
	assert_int_equal(sent_records(RECORD_APPROVAL_DENY, NULL), 1);
	sync_answer("boss_only", "{\"approved\": \"true\"}", false);
	sync_answer("boss_only", "{\"approved\": 1}", false);
	sync_answer("boss_only", "{\"approved\": true, \"approved\": true}", false);
	sync_answer("boss_only", "{\"approved\": true} x", false);
	sync_answer("boss_only", "[true]", false);
	sync_answer("boss_only", "", false);
	/* any program at that address could have said so */
	sync_answer("local_only", "{\"approved\": true}", false);
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 1);
}

/* Only plain JSON answers so: of others it is a receipt. */
static void test_others_answer_by_callback_only(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);

	(void)state;
	answer_fetch(next_fetch(), 200, 0, "{\"approved\": true}");
	assert_int_equal(call->state, CALL_APPROVAL);
	drive_to_end(call->id);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void test_channels_hear_of_the_end(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);
	const struct message *fetch = next_fetch();
	json_t *body;

	(void)state;
	answer_fetch(fetch, 200, 0, "");
	call_cancel(call);
	drive_to_end(call->id);
	fetch = next_fetch();
	assert_non_null(fetch);
	body = fetch_json(fetch);
	assert_string_equal(text_at(body, "type"), "approval.expired");
	assert_string_equal(text_at(json_object_get(body, "data"), "state"), "cancelled");
	assert_string_equal(text_at(json_object_get(body, "data"), "nonce"), "");
	json_decref(body);
	answer_fetch(fetch, 500, 0, "");
	for (int i = 0; i < HOOK_AFTER_ATTEMPTS - 1; i++) { /* not for ever */
		fake_now_us += 40 * SECOND;
		fetch = next_fetch();
		assert_non_null(fetch);
		answer_fetch(fetch, 500, 0, "");
	}
	fake_now_us += 900 * SECOND;
	assert_null(next_fetch());
	/* whoever was not told hears nothing */
	call = hook_waiting(71, "steps", LS, 4);
	call_cancel(call);
	drive_to_end(call->id);
	assert_null(next_fetch());
}

/* The question ends while it is on its way: what comes then changes nothing. */
static void test_ended_in_flight(void **state)
{
	struct call *call = hook_waiting(70, "boss_only", LS, 3);
	const struct message *fetch = next_fetch(), *after;

	(void)state;
	call_cancel(call);
	drive_to_end(call->id);
	after = next_fetch();
	assert_non_null(after);
	answer_fetch(fetch, 200, 0, "{\"approved\": true}");
	answer_fetch(after, 200, 0, "{\"approved\": true}");
	assert_null(next_fetch());
	assert_int_equal(sent_records(RECORD_APPROVAL_GRANT, NULL), 0);
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
	assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), 1);
	assert_true(record_holds(newest_record(RECORD_APPROVAL_SENT), "over"));
	/* and with the whole world: nothing of it is left behind */
	call = hook_waiting(71, "boss_only", LS, 4);
	assert_non_null(next_fetch());
	drive_to_end(call->id);
}

/* A channel may decide, or another human, before its answer to the question is here: what became
 * of the sending is recorded nonetheless, once. */
static void test_decided_before_it_was_taken(void **state)
{
	static const struct {
		uint16_t http;
		const char *result;
		enum hook_result counted;
	} rows[] = {{204, "ok", HOOK_RESULT_OK}, {503, "over", HOOK_RESULT_OVER},
	    {0, "over", HOOK_RESULT_OVER}, {404, "failed", HOOK_RESULT_FAILED}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call *call = hook_waiting(70 + i, "one", LS, (uint8_t)(i + 1));
		const struct message *fetch = next_fetch(), *after;
		uint64_t before = hook_count(&world, rows[i].counted);

		call_cancel(call);
		drive_to_end(call->id);
		after = next_fetch();
		assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), i);
		answer_fetch(fetch, rows[i].http, 0, "");
		assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), i + 1);
		assert_true(record_holds(newest_record(RECORD_APPROVAL_SENT), rows[i].result));
		assert_int_equal(hook_count(&world, rows[i].counted), before + 1);
		answer_fetch(after, 200, 0, ""); /* approval.expired: not recorded */
		assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), i + 1);
		assert_null(next_fetch());
	}
}

/* It was to be tried again. */
static void test_decided_before_the_next_attempt(void **state)
{
	struct call *call = hook_waiting(70, "one", LS, 3);

	(void)state;
	answer_fetch(next_fetch(), 503, 0, "");
	assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), 0);
	call_cancel(call);
	drive_to_end(call->id);
	assert_int_equal(sent_records(RECORD_APPROVAL_SENT, NULL), 1);
	assert_true(record_holds(newest_record(RECORD_APPROVAL_SENT), "over"));
	assert_null(next_fetch());
}

static void test_only_its_namespaces(void **state)
{
	struct call *call = hook_waiting(70, "away_only", LS, 3);

	(void)state;
	assert_null(next_fetch());
	drive_to_end(call->id);
}

/* ---- floods --------------------------------------------------------------------------------- */

static void test_flood(void **state)
{
	const struct message *fetch;
	uint32_t questions = 0, digests = 0;

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		struct call *call = hook_waiting(100 + i, "one", LS, (uint8_t)(i + 1));

		call_step(call, CALL_ON_TIMEOUT); /* nobody waits, the question does */
		drive_to_end(call->id);
	}
	while ((fetch = next_fetch())) {
		json_t *body = fetch_json(fetch);

		questions += !strcmp(text_at(body, "type"), "approval.requested");
		digests += !strcmp(text_at(body, "type"), "approval.digest");
		json_decref(body);
		answer_fetch(fetch, 200, 0, "");
	}
	assert_int_equal(questions, HOOK_RATE);
	assert_int_equal(digests, 1);
	assert_int_equal(hook_count(&world, HOOK_RESULT_HELD), 20);
	fake_now_us += 60 * SECOND;
	questions = 0;
	while ((fetch = next_fetch())) { /* none is lost */
		questions++;
		answer_fetch(fetch, 200, 0, "");
	}
	assert_int_equal(questions, 20);
}

static void ask_many(uint64_t first, const char *tool)
{
	for (uint32_t i = 0; i < 20; i++) {
		struct call *call = hook_waiting(first + i, tool, LS, (uint8_t)(first + i));

		call_step(call, CALL_ON_TIMEOUT);
		drive_to_end(call->id);
	}
}

static uint32_t count_fetches(const char *url, const struct message **ret_last)
{
	const struct message *fetch;
	uint32_t count = 0;

	while ((fetch = next_fetch())) {
		assert_string_equal(fetch->u.fetch.url, url);
		*ret_last = fetch;
		count++;
	}
	return count;
}

/* Slow channels leave room for the others, each for the other slow one, too. */
static void test_slow_channels(void **state)
{
	const struct message *last = NULL;
	struct call *call;

	(void)state;
	ask_many(100, "boss_only");
	assert_int_equal(count_fetches("https://boss.example/ask", &last), HOOK_SLOW_MAX / 2);
	ask_many(130, "local_only");
	assert_int_equal(count_fetches("http://127.0.0.1:9/ask", &last), HOOK_SLOW_MAX / 2);
	call = hook_waiting(200, "one", LS, 99);
	assert_non_null(next_fetch());
	drive_to_end(call->id);
	answer_fetch(last, 200, 0, "");
	assert_int_equal(count_fetches("http://127.0.0.1:9/ask", &last), 1);
}

/* Nor does one that is quick elsewhere and hangs today. */
static void test_hanging_channels(void **state)
{
	const struct message *last = NULL;
	struct call *call;

	(void)state;
	ask_many(100, "hub_only");
	assert_int_equal(
	    count_fetches("https://hub.example/hook", &last), HOOK_SHARE_MIN); /* of 8 */
	call = hook_waiting(200, "one", LS, 99);
	assert_non_null(next_fetch());
	drive_to_end(call->id);
}

/* A question that has ended elsewhere is taken back from who still holds it. */
static void test_taken_back(void **state)
{
	struct call *call = hook_waiting(70, "boss_only", LS, 1);
	const struct message *asked = next_fetch(), *told;

	(void)state;
	assert_non_null(asked);
	call_cancel(call);
	drive_to_end(call->id);
	told = sent_next(&world.courier, MESSAGE_FORGET);
	assert_non_null(told);
	assert_int_equal(told->u.forget.fetch, asked->serial);
	/* One that takes its message as others do hears the end only after it. */
	call = hook_waiting(71, "one", LS, 2);
	assert_non_null(next_fetch());
	call_cancel(call);
	drive_to_end(call->id);
	assert_null(sent_next(&world.courier, MESSAGE_FORGET));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, hook_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_question_goes_out_signed),
	    TEST(test_at_once),
	    TEST(test_escalation),
	    TEST(test_backoff),
	    TEST(test_what_is_not_tried_again),
	    TEST(test_retry_after),
	    TEST(test_no_courier),
	    TEST(test_missing_secret),
	    TEST(test_a_synchronous_answer),
	    TEST(test_others_answer_by_callback_only),
	    TEST(test_channels_hear_of_the_end),
	    TEST(test_ended_in_flight),
	    TEST(test_decided_before_it_was_taken),
	    TEST(test_decided_before_the_next_attempt),
	    TEST(test_only_its_namespaces),
	    TEST(test_flood),
	    TEST(test_slow_channels),
	    TEST(test_hanging_channels),
	    TEST(test_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
