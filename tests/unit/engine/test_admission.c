/* Who may come in now: rates by address, principal, key and tenant; pauses after failed sign-ins;
 * what is recorded of both. */
#include "tests/unit/engine/visitors.h"

#include <endian.h>

static void use_rates(const char *rates)
{
	static char text[sizeof(guarded_policy) + 256];
	const char *rest = strstr(guarded_policy, "  auth:");

	snprintf(text, sizeof(text), "%.*s  rate_limiting: %s\n%s", (int)(rest - guarded_policy),
	    guarded_policy, rates, rest);
	guarded_use(text);
}

static const struct message_reply *last_reply;

static int status_of(const struct visited *asked)
{
	json_t *json;
	int code;

	(void)visit(asked);
	json = visit_reply(&last_reply);
	code = last_reply->kind == REPLY_RESULT
		   ? 200
		   : (int)json_integer_value(json_object_get(json, "code"));
	json_decref(json);
	return code;
}

static void test_by_address(void **state)
{
	const struct visited one = {.path = "/tools", .method = REQUEST_TOOLS_LIST};
	const struct visited other = {
	    .path = "/tools", .method = REQUEST_TOOLS_LIST, .address = "198.51.100.1"};
	const struct visited near = {
	    .path = "/tools", .method = REQUEST_TOOLS_LIST, .address = "2001:db8::1"};
	const struct visited nearer = {
	    .path = "/tools", .method = REQUEST_TOOLS_LIST, .address = "2001:db8::ffff:2"};

	(void)state;
	use_rates("{enabled: true, requests_per_minute: 60, burst: 3}");
	for (int i = 0; i < 3; i++)
		assert_int_equal(status_of(&one), 200);
	assert_int_equal(status_of(&one), 429);
	assert_int_equal(last_reply->retry_s, 1);
	assert_int_equal(status_of(&other), 200);
	pass_s(1);
	assert_int_equal(status_of(&one), 200);
	for (int i = 0; i < 3; i++)
		assert_int_equal(status_of(&near), 200);
	assert_int_equal(status_of(&nearer), 429); /* one network, one bucket */
}

static void test_off_is_off(void **state)
{
	const struct visited one = {.path = "/tools", .method = REQUEST_TOOLS_LIST};

	(void)state;
	use_rates("{enabled: false, requests_per_minute: 1, burst: 1}");
	for (int i = 0; i < 50; i++)
		assert_int_equal(status_of(&one), 200);
}

static void test_by_principal(void **state)
{
	struct visited key = {.bearer = STATIC_KEY, .method = REQUEST_WHOAMI};
	struct visited service = {.bearer = SERVICE_KEY, .method = REQUEST_WHOAMI};
	char address[32];

	(void)state;
	use_rates("{enabled: true, requests_per_minute: 60, burst: 2, per_user: true}");
	for (int i = 0; i < 2; i++) { /* from everywhere, it is one */
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		key.address = address;
		assert_int_equal(status_of(&key), 200);
	}
	assert_int_equal(status_of(&key), 429);
	service.address = address; /* others behind the same address do not notice */
	assert_int_equal(status_of(&service), 200);
}

static void test_by_tenant(void **state)
{
	const char *const body = "{\"tenant\":\"acme\",\"label\":\"x\",\"roles\":[\"developer\"],"
				 "\"tools\":[\"*\"],\"namespaces\":[\"*\"]}";
	const struct visited make = {
	    .bearer = SERVICE_KEY, .method = REQUEST_KEYS_CREATE, .body = body};
	char *keys[2];
	struct visited as = {.method = REQUEST_WHOAMI};
	int limited = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_t *made = visit_result(&make);

		keys[i] = strdup(json_string_value(json_object_get(made, "key")));
		json_decref(made);
	}
	for (int i = 0; i < 4; i++) { /* two keys of one tenant: its burst is 3 */
		as.bearer = keys[i % 2];
		limited += status_of(&as) == 429;
	}
	assert_int_equal(limited, 1);
	free(keys[0]);
	free(keys[1]);
}

static void test_pauses(void **state)
{
	struct visited wrong = {.bearer = "wrong", .method = REQUEST_WHOAMI};
	struct visited good = {.bearer = STATIC_KEY, .method = REQUEST_WHOAMI};
	struct visited open = {.path = "/tools", .method = REQUEST_TOOLS_LIST};
	json_t *json;
	char *said;

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(status_of(&wrong), 401);
	(void)visit(&wrong);
	json = visit_reply(&last_reply);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 429);
	assert_int_equal(last_reply->retry_s, 1);
	said = strdup(json_string_value(json_object_get(json, "message")));
	json_decref(json);
	(void)visit(&good); /* a good one looks the same */
	json = visit_reply(NULL);
	assert_string_equal(json_string_value(json_object_get(json, "message")), said);
	json_decref(json);
	free(said);
	assert_int_equal(status_of(&open), 200); /* who shows nothing is not judged */
	wrong.address = "198.51.100.7";
	assert_int_equal(status_of(&wrong), 401); /* nor is another address */
	pass_s(2);
	assert_int_equal(status_of(&good), 200);
}

static void test_expired_is_no_guess(void **state)
{
	char *token = jwt_of("");
	const struct visited as = {.bearer = token, .method = REQUEST_WHOAMI};

	(void)state;
	courier_brings("k1", issuer_key);
	pass_s(700);
	for (int i = 0; i < 20; i++)
		assert_int_equal(status_of(&as), 401);
	free(token);
}

/* The number behind "count", as records are on the link: eight bytes, the lowest first. */
static int64_t count_of(const struct message *record)
{
	const struct bytes *body = &record->u.record.body;
	const char *at = memmem(body->data, body->len, "count", 5);
	int64_t count;

	assert_non_null(at);
	memcpy(&count, at + sizeof("count"), sizeof(count));
	return (int64_t)le64toh((uint64_t)count);
}

static void test_failures_are_summed_up(void **state)
{
	struct visited wrong = {.bearer = "guess-1", .method = REQUEST_WHOAMI};
	char address[32];

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)status_of(&wrong);
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 1); /* one a second and address */
	assert_true(record_holds(record_of(RECORD_AUTH_FAIL), "no-such-key"));
	assert_true(record_holds(record_of(RECORD_AUTH_FAIL), "192.0.2.7"));
	for (int i = 0; i < 600; i++) { /* more addresses than are told apart */
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 250, i % 250);
		wrong.address = address;
		(void)status_of(&wrong);
		if (i % 100 == 0)
			sent_forget();
	}
	sent_forget();
	admission_flush(&world);
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 1); /* of all that were not told */
	assert_int_equal(count_of(record_of(RECORD_AUTH_FAIL)), 604 - ADMISSION_TOLD);
	assert_int_equal(sent_records(RECORD_HTTP_SUMMARY, NULL), 1);
	assert_true(record_holds(record_of(RECORD_HTTP_SUMMARY), "failed"));
	assert_false(recorded_anywhere("guess-1"));
	sent_forget();
	admission_flush(&world);
	assert_int_equal(sent_count, 0); /* nothing new, nothing said */
}

/* However many networks they come from: so many records a minute, and one with the rest. */
static void test_a_flood_is_bounded(void **state)
{
	struct visited wrong = {.bearer = "guess", .method = REQUEST_WHOAMI};
	char address[48];
	int told = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(address, sizeof(address), "2001:db8:0:%x::%x", i, i);
		wrong.address = address;
		assert_int_equal(status_of(&wrong), 401);
		if (i % 40 == 39) {
			told += sent_records(RECORD_AUTH_FAIL, NULL);
			sent_forget();
			pass_s(1);
		}
	}
	assert_int_equal(told, ADMISSION_TOLD); /* in fifty seconds */
	admission_flush(&world);
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 1);
	assert_int_equal(count_of(record_of(RECORD_AUTH_FAIL)), 2000 - ADMISSION_TOLD);
	assert_false(record_holds(record_of(RECORD_AUTH_FAIL), "address"));
	/* a /64 is one, whatever it calls itself */
	sent_forget();
	pass_s(60);
	for (int i = 0; i < 5; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:1::%x", i);
		wrong.address = address;
		(void)status_of(&wrong);
	}
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 1);
}

static void test_welcome_is_told_once(void **state)
{
	struct visited as = {.bearer = STATIC_KEY, .method = REQUEST_WHOAMI};

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(status_of(&as), 200);
	assert_int_equal(sent_records(RECORD_AUTH_OK, NULL), 1);
	as.address = "198.51.100.9";
	assert_int_equal(status_of(&as), 200);
	assert_int_equal(sent_records(RECORD_AUTH_OK, NULL), 2);
	pass_s(601);
	assert_int_equal(status_of(&as), 200);
	assert_int_equal(sent_records(RECORD_AUTH_OK, NULL), 3);
}

static void test_requests_are_recorded(void **state)
{
	const struct visited list = {
	    .bearer = SERVICE_KEY, .method = REQUEST_KEYS_LIST, .path = "/v1/keys"};
	const struct visited who = {.bearer = SERVICE_KEY, .method = REQUEST_WHOAMI};
	const struct visited metrics = {.bearer = STATIC_KEY, .method = REQUEST_METRICS};
	const struct visited denied = {
	    .bearer = STATIC_KEY, .method = REQUEST_APPROVALS_LIST, .path = "/v1/approvals"};

	(void)state;
	assert_int_equal(status_of(&list), 200);
	assert_int_equal(sent_records(RECORD_HTTP_REQUEST, NULL), 1);
	assert_true(record_holds(record_of(RECORD_HTTP_REQUEST), "/v1/keys"));
	assert_int_equal(status_of(&who), 200);
	assert_int_equal(status_of(&metrics), 200);
	assert_int_equal(sent_records(RECORD_HTTP_REQUEST, NULL), 1);
	assert_int_equal(status_of(&denied), 403);
	assert_int_equal(sent_records(RECORD_HTTP_REQUEST, NULL), 2);
	assert_string_equal(
	    last_reply->challenge, "error=\"insufficient_scope\", scope=\"approvals:read\"");
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guarded_setup, guarded_teardown)
	const struct CMUnitTest tests[] = {
	    GUARDED(test_by_address),
	    GUARDED(test_off_is_off),
	    GUARDED(test_by_principal),
	    GUARDED(test_by_tenant),
	    GUARDED(test_pauses),
	    GUARDED(test_expired_is_no_guess),
	    GUARDED(test_failures_are_summed_up),
	    GUARDED(test_a_flood_is_bounded),
	    GUARDED(test_welcome_is_told_once),
	    GUARDED(test_requests_are_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
