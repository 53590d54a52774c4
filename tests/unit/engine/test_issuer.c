/* The issuer's keys: fetched, late, never, rotated, old; requests that wait for them, bounded; and
 * no way in without them. */
#include "tests/unit/engine/visitors.h"

static int replies(void)
{
	int count = 0;

	for (size_t i = 0; i < sent_count; i++)
		count += sent[i].link == &world.http && sent[i].message.type == MESSAGE_REPLY;
	return count;
}

static uint64_t ask(const char *token)
{
	const struct visited asked = {.bearer = token, .method = REQUEST_WHOAMI};

	return visit(&asked);
}

/* The code of the reply that must be there. */
static int answer_code(void)
{
	const struct message_reply *reply;
	json_t *json = visit_reply(&reply);
	int code = reply->kind == REPLY_RESULT
		       ? 200
		       : (int)json_integer_value(json_object_get(json, "code"));

	json_decref(json);
	return code;
}

static void test_waits_for_the_first_keys(void **state)
{
	char *token = jwt_of("");

	(void)state;
	ask(token);
	assert_int_equal(replies(), 0);
	assert_int_equal(world.auth->held_count, 1);
	courier_brings("k1", issuer_key);
	assert_int_equal(world.auth->held_count, 0);
	assert_int_equal(answer_code(), 200);
	free(token);
}

static void test_keys_never_come(void **state)
{
	char *token = jwt_of("");
	const struct message_reply *reply;
	json_t *json;

	(void)state;
	ask(token);
	courier_brings("k1", NULL);
	json = visit_reply(&reply);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 503);
	assert_int_equal(reply->retry_s, 10);
	json_decref(json);
	ask(token); /* nothing is asked again so soon, and nobody waits */
	assert_int_equal(answer_code(), 503);
	assert_null(sent_next(&world.courier, MESSAGE_FETCH));
	assert_int_equal(world.auth->held_count, 0);
	free(token);
}

static void test_no_courier(void **state)
{
	char *token = jwt_of("");

	(void)state;
	courier_brings("k1", NULL);
	world.courier.name = NULL;
	pass_s(120);
	ask(token);
	assert_int_equal(answer_code(), 503);
	world.courier.name = "link to courier";
	issuer_wake(&world.auth->issuer);
	courier_brings("k1", issuer_key);
	ask(token);
	assert_int_equal(answer_code(), 200);
	free(token);
}

static void test_rotation(void **state)
{
	EVP_PKEY *next = maker_key(JWK_ED25519);
	char *old = jwt_of(""), *fresh = jwt_by(next, "k2", "");

	(void)state;
	courier_brings("k1", issuer_key);
	pass_s(61);
	ask(fresh); /* one refresh out of turn */
	assert_int_equal(world.auth->held_count, 1);
	courier_brings("k2", next);
	assert_int_equal(answer_code(), 200);
	ask(old); /* its key is gone from the set */
	assert_int_equal(answer_code(), 401);
	assert_null(sent_next(&world.courier, MESSAGE_FETCH)); /* a minute apart at most */
	pass_s(61);
	ask(old);
	courier_brings("k2", next);
	assert_int_equal(answer_code(), 401);
	free(old);
	free(fresh);
	EVP_PKEY_free(next);
}

static void test_made_up_keys_cost_little(void **state)
{
	EVP_PKEY *other = maker_key(JWK_ED25519);

	(void)state;
	courier_brings("k1", issuer_key);
	pass_s(61);
	for (int i = 0; i < 4; i++) {
		char kid[16], *token;

		snprintf(kid, sizeof(kid), "made-up-%d", i);
		token = jwt_by(other, kid, "");
		ask(token);
		free(token);
	}
	assert_int_equal(sent_count_of(MESSAGE_FETCH), 2);
	courier_brings("k1", issuer_key);
	for (int i = 0; i < 4; i++)
		assert_int_equal(answer_code(), 401);
	EVP_PKEY_free(other);
}

static void test_old_keys_have_a_limit(void **state)
{
	char *token;

	(void)state;
	courier_brings("k1", issuer_key);
	pass_s(15 * 60 + 1);
	issuer_wake(&world.auth->issuer);
	courier_brings("k1", NULL); /* the old ones stay */
	token = jwt_of("");
	ask(token);
	assert_int_equal(answer_code(), 200);
	free(token);
	pass_s(24 * 3600);
	token = jwt_of("");
	ask(token); /* too old: they are none; it waits for newer ones, which do not come */
	courier_brings("k1", NULL);
	assert_int_equal(answer_code(), 503);
	free(token);
}

static void test_wait_is_bounded(void **state)
{
	char *token = jwt_of("");

	(void)state;
	for (int i = 0; i < HELD_MAX; i++)
		ask(token);
	assert_int_equal(world.auth->held_count, HELD_MAX);
	ask(token);
	assert_int_equal(answer_code(), 503);
	pass_s(HELD_MS / 1000 + 1);
	held_resume(&world);
	assert_int_equal(replies(), HELD_MAX + 1);
	assert_int_equal(answer_code(), 503);
	free(token);
}

static void test_who_waits_may_leave(void **state)
{
	char *token = jwt_of("");
	struct message message;
	struct message *reply;
	uint64_t first = ask(token), second = ask(token);

	(void)state;
	message_init(&message, MESSAGE_PEER_GONE);
	message.u.peer_gone.peer = first;
	assert_int_equal(peer_gone(&world, &message), 0);
	assert_int_equal(world.auth->held_count, 1);
	message_init(&message, MESSAGE_CANCEL);
	message.u.cancel.peer = second;
	message.u.cancel.request = last_serial;
	assert_int_equal(peer_cancel(&world, &message), 0);
	assert_int_equal(world.auth->held_count, 0);
	reply = sent_next(&world.http, MESSAGE_REPLY);
	assert_int_equal(reply->u.reply.kind, REPLY_SILENT);
	courier_brings("k1", issuer_key);
	assert_int_equal(replies(), 1);
	free(token);
}

static void test_another_issuer_starts_anew(void **state)
{
	char *token = jwt_of(""), text[sizeof(guarded_policy) + 64], *at;

	(void)state;
	courier_brings("k1", issuer_key);
	ask(token);
	assert_int_equal(answer_code(), 200);
	memcpy(text, guarded_policy, sizeof(guarded_policy));
	at = strstr(text, "https://idp.example/jwks");
	memcpy(at, "https://idp.example/next", 24);
	guarded_use(text);
	ask(token); /* the keys of the other URL count no more */
	assert_int_equal(world.auth->held_count, 1);
	courier_brings("k9", issuer_key);
	assert_int_equal(answer_code(), 401);
	free(token);
}

static void test_drain_answers_who_waits(void **state)
{
	char *token = jwt_of("");

	(void)state;
	ask(token);
	world.draining = 1;
	held_resume(&world);
	assert_int_equal(answer_code(), 503);
	world.draining = 0;
	free(token);
}

static void test_hostile_documents(void **state)
{
	static const char *const documents[] = {"", "[]", "{\"keys\":[]}", "{\"keys\":{}}",
	    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"k1\"}]}", "\xff\xfe"};
	char *token = jwt_of("");

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct message *asked = sent_next(&world.courier, MESSAGE_FETCH);
		struct message answer;

		assert_non_null(asked);
		message_init(&answer, MESSAGE_FETCHED);
		answer.serial = asked->serial;
		answer.u.fetched.status = ANSWER_OK;
		answer.u.fetched.http = 200;
		answer.u.fetched.note = "";
		answer.u.fetched.body.data = documents[i];
		answer.u.fetched.body.len = strlen(documents[i]);
		assert_int_equal(fetch_answered(&world, &answer), 0);
		ask(token);
		assert_int_equal(answer_code(), 503);
		pass_s(11);
		issuer_wake(&world.auth->issuer);
	}
	free(token);
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guarded_setup, guarded_teardown)
	const struct CMUnitTest tests[] = {
	    GUARDED(test_waits_for_the_first_keys),
	    GUARDED(test_keys_never_come),
	    GUARDED(test_no_courier),
	    GUARDED(test_rotation),
	    GUARDED(test_made_up_keys_cost_little),
	    GUARDED(test_old_keys_have_a_limit),
	    GUARDED(test_wait_is_bounded),
	    GUARDED(test_who_waits_may_leave),
	    GUARDED(test_another_issuer_starts_anew),
	    GUARDED(test_drain_answers_who_waits),
	    GUARDED(test_hostile_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
