/* Keys and tokens: nothing is given by default, nothing wider than who gives it, nothing outside a
 * tenant; what ends ends at once; a record stands before each answer. */
#include "tests/unit/engine/visitors.h"

#include "supervisor/engine/access/redact.h"

static json_t *ask(const char *bearer, enum request_method method, const char *body, int *ret_code)
{
	const struct visited asked = {.bearer = bearer, .method = method, .body = body};
	const struct message_reply *reply;
	json_t *json;

	(void)visit(&asked);
	json = visit_reply(&reply);
	*ret_code = reply->kind == REPLY_RESULT
			? 200
			: (int)json_integer_value(json_object_get(json, "code"));
	return json;
}

static int code_of(const char *bearer, enum request_method method, const char *body)
{
	int code;

	json_decref(ask(bearer, method, body, &code));
	return code;
}

/* The text of a new key or token, the caller's; *ret_id (owned by him, too): its id. */
static char *made(const char *bearer, enum request_method method, const char *body, char **ret_id)
{
	int code;
	json_t *json = ask(bearer, method, body, &code);
	const char *text = json_string_value(
	    json_object_get(json, method == REQUEST_TOKENS_ISSUE ? "token" : "key"));
	char *copy;

	if (code != 200 || !text)
		fail_msg("%d %s", code, json_string_value(json_object_get(json, "message")));
	copy = strdup(text);
	if (ret_id)
		*ret_id = strdup(json_string_value(json_object_get(json, "id")));
	json_decref(json);
	return copy;
}

static char *key_with(const char *body, char **ret_id)
{
	return made(SERVICE_KEY, REQUEST_KEYS_CREATE, body, ret_id);
}

static int calls_as(const char *bearer, const char *space)
{
	const struct visited asked = {.bearer = bearer,
	    .tool = "bash",
	    .space = space,
	    .method = REQUEST_TOOLS_CALL,
	    .body = "{\"command\":\"ls\"}"};
	struct call *call;

	(void)visit(&asked);
	call = world.calls;
	if (!call)
		return -1;
	if (call->state == CALL_AUTHORIZED)
		return 1;
	drive_to_end(call->id);
	json_decref(visit_reply(NULL));
	return 0;
}

static void finish_calls(void)
{
	while (world.calls) {
		drive_to_end(world.calls->id);
		json_decref(visit_reply(NULL));
	}
}

static void test_nothing_by_default(void **state)
{
	char *id, *key = key_with("{}", &id), body[64];

	(void)state;
	assert_int_equal(strlen(key), API_KEY_LEN);
	assert_int_equal(code_of(key, REQUEST_WHOAMI, "{}"), 200);
	assert_int_equal(calls_as(key, ""), 0);
	assert_int_equal(code_of(key, REQUEST_METRICS, "{}"), 403);
	assert_int_equal(code_of(key, REQUEST_KEYS_LIST, "{}"), 403);
	assert_false(recorded_anywhere(key));
	assert_false(recorded_anywhere(key + 20));
	assert_true(recorded_anywhere(id));
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_REVOKE, body), 200);
	assert_int_equal(code_of(key, REQUEST_WHOAMI, "{}"), 401);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_ROTATE, body), 409);
	free(key);
	free(id);
}

static void test_scope_of_a_key(void **state)
{
	char *key = key_with("{\"roles\":[\"developer\"],\"tools\":[\"bash\"],\"namespaces\":["
			     "\"default\"],\"permissions\":[\"metrics:read\"]}",
	    NULL);
	char *narrow = key_with(
	    "{\"roles\":[\"operator\"],\"tools\":[\"other\"],\"namespaces\":[\"*\"]}", NULL);

	(void)state;
	assert_int_equal(calls_as(key, ""), 1);
	finish_calls();
	assert_int_equal(code_of(key, REQUEST_METRICS, "{}"), 200);
	assert_int_equal(
	    code_of(key, REQUEST_TOKENS_ISSUE, "{}"), 403); /* the role's, not the key's */
	assert_int_equal(calls_as(key, "a1"), 0);
	assert_int_equal(calls_as(narrow, ""), 0); /* the role has the tool, the key has not */
	free(key);
	free(narrow);
}

static void test_tenant_bounds_a_key(void **state)
{
	char *key = key_with("{\"tenant\":\"acme\",\"roles\":[\"developer\"],\"tools\":[\"*\"],"
			     "\"namespaces\":[\"*\"]}",
	    NULL);

	(void)state;
	assert_int_equal(calls_as(key, "a2"), 1);
	finish_calls();
	assert_int_equal(calls_as(key, "b1"), 0);
	assert_int_equal(calls_as(key, ""), 0); /* default is nobody's */
	pass_s(60);
	assert_int_equal(
	    code_of(SERVICE_KEY, REQUEST_KEYS_CREATE, "{\"tenant\":\"nosuch\"}"), -32602);
	free(key);
}

static void test_expiry_and_rotation(void **state)
{
	char body[128], *id, *key, *next;

	(void)state;
	snprintf(body, sizeof(body), "{\"expires_s\":%llu}", (unsigned long long)now_s() + 100);
	key = key_with(body, &id);
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	next = made(SERVICE_KEY, REQUEST_KEYS_ROTATE, body, NULL);
	assert_int_equal(code_of(key, REQUEST_WHOAMI, "{}"), 401);
	assert_int_equal(code_of(next, REQUEST_WHOAMI, "{}"), 200);
	pass_s(101);
	assert_int_equal(code_of(next, REQUEST_WHOAMI, "{}"), 401);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_CREATE, "{\"expires_s\":5}"), -32602);
	assert_int_equal(
	    code_of(SERVICE_KEY, REQUEST_KEYS_CREATE, "{\"expires_s\":\"9\"}"), -32602);
	assert_int_equal(
	    code_of(SERVICE_KEY, REQUEST_KEYS_CREATE, "{\"expires_s\":9007199254740993}"), -32602);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_CREATE, "{\"rolls\":[]}"), -32602);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_CREATE, "{\"roles\":\"x\"}"), -32602);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_REVOKE, "{\"id\":\"key_0\"}"), 404);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_REVOKE, "{}"), -32602);
	free(key);
	free(next);
	free(id);
}

static void test_keeper_gives_what_he_has(void **state)
{
	char *keeper = jwt_of(",\"scope\":\"x keys\"");
	char *foreign_id, *foreign = key_with("{\"tenant\":\"acme\"}", &foreign_id), body[64];
	char *wide_id, *wide = key_with("{\"roles\":[\"operator\"],\"tools\":[\"*\"]}", &wide_id);
	char *own;
	int code;
	json_t *list;

	(void)state;
	courier_brings("k1", issuer_key);
	own = made(keeper, REQUEST_KEYS_CREATE,
	    "{\"roles\":[\"keeper\"],\"tools\":[\"bash\"],\"namespaces\":[\"default\"],"
	    "\"permissions\":[\"tokens:issue\"],\"expires_s\":1700001500}",
	    NULL);
	assert_int_equal(code_of(own, REQUEST_WHOAMI, "{}"), 200);
	/* wider in any way is refused: role, tool, namespace, permission, time, tenant */
	assert_int_equal(code_of(keeper, REQUEST_KEYS_CREATE,
			     "{\"roles\":[\"operator\"],\"expires_s\":1700001500}"),
	    403);
	assert_int_equal(
	    code_of(keeper, REQUEST_KEYS_CREATE, "{\"tools\":[\"*\"],\"expires_s\":1700001500}"),
	    403);
	assert_int_equal(code_of(keeper, REQUEST_KEYS_CREATE,
			     "{\"namespaces\":[\"b1\"],\"expires_s\":1700001500}"),
	    403);
	assert_int_equal(code_of(keeper, REQUEST_KEYS_CREATE,
			     "{\"permissions\":[\"approvals:decide\"],\"expires_s\":1700001500}"),
	    403);
	assert_int_equal(code_of(keeper, REQUEST_KEYS_CREATE, "{}"), 403);
	assert_int_equal(
	    code_of(keeper, REQUEST_KEYS_CREATE, "{\"tenant\":\"acme\",\"expires_s\":1700001500}"),
	    403);
	/* he sees the keys of his own tenant, here those of none; a foreign one does not exist */
	list = ask(keeper, REQUEST_KEYS_LIST, "{}", &code);
	assert_int_equal(json_array_size(json_object_get(list, "keys")), 2);
	json_decref(list);
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", foreign_id);
	assert_int_equal(code_of(keeper, REQUEST_KEYS_REVOKE, body), 404);
	/* and does not come by a wider key by rotating it */
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", wide_id);
	assert_int_equal(code_of(keeper, REQUEST_KEYS_ROTATE, body), 403);
	assert_int_equal(code_of(wide, REQUEST_WHOAMI, "{}"), 200);
	list = ask(SERVICE_KEY, REQUEST_KEYS_LIST, "{}", &code);
	assert_int_equal(json_array_size(json_object_get(list, "keys")), 3);
	json_decref(list);
	free(keeper);
	free(foreign);
	free(foreign_id);
	free(wide);
	free(wide_id);
	free(own);
}

static void test_revoked_while_it_waits(void **state)
{
	char *id,
	    *key = key_with("{\"roles\":[\"developer\"],\"tools\":[\"*\"],\"namespaces\":["
			    "\"*\"]}",
		&id),
	    body[64], call[CALL_ID_MAX];

	(void)state;
	assert_int_equal(calls_as(key, ""), 1);
	snprintf(call, sizeof(call), "%s", world.calls->id);
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_REVOKE, body), 200);
	records_are_written();
	assert_null(calls_find(&world, call));
	assert_int_equal(sent_count_of(MESSAGE_LAUNCH), 0);
	assert_true(record_holds(record_of(RECORD_CALL_OUTCOME), "revoked"));
	free(key);
	free(id);
}

static void test_rotation_ends_tokens(void **state)
{
	char *id, *key = key_with("{\"roles\":[\"developer\"],\"tools\":[\"*\"],\"namespaces\":["
				  "\"*\"],\"permissions\":[\"tokens:issue\"]}",
		      &id);
	static const char wish[] =
	    "{\"roles\":[\"developer\"],\"tools\":[\"bash\"],"
	    "\"namespaces\":[\"default\"],\"permissions\":[\"tokens:issue\"]}";
	char *token = made(key, REQUEST_TOKENS_ISSUE, wish, NULL), body[64];
	char *second = made(token, REQUEST_TOKENS_ISSUE, wish, NULL), *next, *fresh;

	(void)state;
	assert_int_equal(code_of(second, REQUEST_WHOAMI, "{}"), 200);
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	next = made(SERVICE_KEY, REQUEST_KEYS_ROTATE, body, NULL);
	/* whoever had the old secret may have issued these */
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 401);
	assert_int_equal(code_of(second, REQUEST_WHOAMI, "{}"), 401);
	/* in the same second */
	fresh = made(next, REQUEST_TOKENS_ISSUE, wish, NULL);
	assert_int_equal(code_of(fresh, REQUEST_WHOAMI, "{}"), 200);
	free(key);
	free(id);
	free(token);
	free(second);
	free(next);
	free(fresh);
}

static void test_a_static_key_ends_tokens(void **state)
{
	static const char wish[] = "{\"roles\":[\"developer\"],\"tools\":[\"bash\"],"
				   "\"namespaces\":[\"default\"]}";
	char *token = made(STATIC_KEY, REQUEST_TOKENS_ISSUE, wish, NULL);
	const struct message_policy none = {.static_keys = {.count = 0}};

	(void)state;
	guarded_keys(STATIC_KEY, SERVICE_KEY);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 200);
	guarded_keys("another-key-of-the-same-name-0123456789", SERVICE_KEY);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 401);
	guarded_keys(STATIC_KEY, SERVICE_KEY);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 200);
	assert_int_equal(auth_take_keys(&world, &none), 0);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 401);
	free(token);
}

/* Whose rights come from rows of the policy gives away what those rows give. */
static void test_other_rows_end_tokens(void **state)
{
	static const char wish[] = "{\"roles\":[\"developer\"],\"tools\":[\"bash\"],"
				   "\"namespaces\":[\"default\"]}";
	char *token = made(STATIC_KEY, REQUEST_TOKENS_ISSUE, wish, NULL);
	struct policy_principal *row = world.rules->policy->principals;

	(void)state;
	auth_take_policy(&world); /* the same */
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 200);
	row->gid++;
	auth_take_policy(&world);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 401);
	row->gid--;
	auth_take_policy(&world);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 200);
	free(token);
}

static void test_a_key_for_an_id(void **state)
{
	char *key = key_with("{}", NULL), path[128], body[128];
	const char *const forms[] = {
	    "/v1/keys/%s", "/v1/keys/%s/rotate", "/v1/approvals/%s", "/%s/x"};
	const struct visited asked = {
	    .bearer = SERVICE_KEY, .path = path, .method = REQUEST_KEYS_REVOKE, .body = body};

	(void)state;
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", key);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(path, sizeof(path), "%.32s", forms[i]);
		*strstr(path, "%s") = '\0';
		strcat(path, key);
		strcat(path, strstr(forms[i], "%s") + 2);
		(void)visit(&asked);
		json_decref(visit_reply(NULL));
		assert_false(recorded_anywhere(key));
	}
	snprintf(path, sizeof(path), "/v1/keys/" STATIC_KEY);
	(void)visit(&asked);
	json_decref(visit_reply(NULL));
	assert_false(recorded_anywhere(STATIC_KEY));
	assert_true(recorded_anywhere("/v1/keys/****"));
	free(key);
}

static void test_no_record_no_key(void **state)
{
	const struct visited asked = {
	    .bearer = SERVICE_KEY, .method = REQUEST_KEYS_CREATE, .body = "{}"};
	struct message *record;
	json_t *json, *list;
	int code;

	(void)state;
	(void)visit(&asked);
	assert_null(sent_next(&world.http, MESSAGE_REPLY)); /* not before it is on disk */
	record = record_of(RECORD_ADMIN_KEY);
	assert_non_null(record);
	for (size_t i = 0; i < sent_count; i++)
		if (&sent[i].message == record)
			sent[i].seen = 1;
	answer_record(record->serial, ANSWER_UNAVAILABLE, 0);
	json = visit_reply(NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 503);
	json_decref(json);
	list = ask(SERVICE_KEY, REQUEST_KEYS_LIST, "{}", &code);
	assert_true(json_is_string(
	    json_object_get(json_array_get(json_object_get(list, "keys"), 0), "revoked")));
	json_decref(list);
}

/* ---- tokens ------------------------------------------------------------------------------- */

static void test_token_is_narrower(void **state)
{
	char *token = made(STATIC_KEY, REQUEST_TOKENS_ISSUE,
	    "{\"roles\":[\"*\"],\"tools\":[\"*\"],\"namespaces\":[\"*\"],\"max_calls\":2}", NULL);
	int code;
	json_t *who;

	(void)state;
	who = ask(token, REQUEST_WHOAMI, "{}", &code);
	assert_string_equal(
	    json_string_value(json_object_get(who, "principal")), "api_key:API_KEY_1");
	assert_string_equal(json_string_value(json_object_get(who, "proof")), "token");
	json_decref(who);
	assert_int_equal(code_of(token, REQUEST_METRICS, "{}"), 403); /* was not asked for */
	assert_int_equal(calls_as(token, ""), 1);
	finish_calls();
	assert_int_equal(calls_as(token, "b1"), 0); /* counts, too */
	assert_int_equal(calls_as(token, ""), 0);   /* used up */
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 200);
	assert_false(recorded_anywhere(token));
	assert_int_equal(sent_records(RECORD_ADMIN_TOKEN, NULL), 1);
	pass_s(3601);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 401);
	free(token);
}

static void test_token_of_split_rights(void **state)
{
	char *split = jwt_of(",\"role\":\"split\"");
	char *token;
	int code;
	json_t *json;

	(void)state;
	courier_brings("k1", issuer_key);
	/* developer in default, operator in a1: a token for both has neither */
	assert_int_equal(code_of(split, REQUEST_TOKENS_ISSUE,
			     "{\"roles\":[\"*\"],\"tools\":[\"*\"],\"namespaces\":[\"default\","
			     "\"a1\"]}"),
	    403);
	json = ask(split, REQUEST_TOKENS_ISSUE,
	    "{\"roles\":[\"*\"],\"tools\":[\"*\"],\"namespaces\":[\"default\"]}", &code);
	assert_int_equal(code, 200);
	json_decref(json);
	/* which is what leaving the namespaces out means for him */
	assert_int_equal(
	    code_of(split, REQUEST_TOKENS_ISSUE, "{\"roles\":[\"*\"],\"tools\":[\"*\"]}"), 403);
	token = made(split, REQUEST_TOKENS_ISSUE,
	    "{\"roles\":[\"*\"],\"permissions\":[\"tokens:issue\"],\"tools\":[\"*\"],"
	    "\"namespaces\":[\"default\"],\"ttl_s\":60}",
	    NULL);
	json = ask(token, REQUEST_TOKENS_ISSUE,
	    "{\"roles\":[\"*\"],\"tools\":[\"*\"],\"namespaces\":[\"*\"],\"ttl_s\":86400}", &code);
	assert_int_equal(code, 200); /* from a token a token, no wider and no longer */
	assert_string_equal(
	    json_string_value(
		json_array_get(json_object_get(json_object_get(json, "granted"), "namespaces"), 0)),
	    "default");
	json_decref(json);
	free(split);
	free(token);
}

/* Of the answer's list: its only item, "" of an empty list, NULL of several. */
static const char *only_granted(const json_t *answer, const char *list)
{
	const json_t *items = json_object_get(json_object_get(answer, "granted"), list);

	if (json_array_size(items) > 1)
		return NULL;
	return json_array_size(items) ? json_string_value(json_array_get(items, 0)) : "";
}

static void test_token_of_what_is_not_named(void **state)
{
	static const char named[] = "{\"roles\":[\"developer\"],\"tools\":[\"bash\"]}";
	static const char nowhere[] = "{\"roles\":[\"developer\"],\"tools\":[\"bash\"],"
				      "\"namespaces\":[]}";
	static const char *const refused[] = {"{}", "{\"roles\":[\"developer\"]}",
	    "{\"tools\":[\"bash\"]}", "{\"roles\":[],\"tools\":[\"bash\"]}",
	    "{\"roles\":[\"developer\"],\"tools\":[],\"permissions\":[]}",
	    "{\"tools\":[\"bash\"],\"permissions\":[\"metrics:read\"]}",
	    "{\"roles\":[\"developer\"],\"tools\":[\"bash\"],\"agents\":null}"};
	char *key = key_with("{\"roles\":[\"developer\"],\"tools\":[\"bash\"],\"namespaces\":["
			     "\"a1\"],\"permissions\":[\"tokens:issue\"]}",
	    NULL);
	char *token = made(key, REQUEST_TOKENS_ISSUE, named, NULL);
	int code;
	json_t *answer;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(code_of(STATIC_KEY, REQUEST_TOKENS_ISSUE, refused[i]), -32602);
	assert_int_equal(calls_as(token, "a1"), 1); /* the namespace is the issuer's own */
	finish_calls();
	assert_int_equal(calls_as(token, ""), 0); /* and no other */
	answer = ask(key, REQUEST_TOKENS_ISSUE, named, &code);
	assert_string_equal(only_granted(answer, "namespaces"), "a1");
	assert_string_equal(only_granted(answer, "roles"), "developer");
	assert_string_equal(only_granted(answer, "tools"), "bash");
	assert_string_equal(only_granted(answer, "permissions"), "");
	json_decref(answer);
	answer = ask(key, REQUEST_TOKENS_ISSUE, nowhere, &code);
	assert_int_equal(code, 200); /* an empty list is a list */
	assert_string_equal(only_granted(answer, "namespaces"), "");
	json_decref(answer);
	answer = ask(STATIC_KEY, REQUEST_TOKENS_ISSUE,
	    "{\"roles\":[\"developer\"],\"permissions\":[\"metrics:read\"]}", &code);
	assert_int_equal(code, 200); /* a token needs no tool */
	assert_string_equal(only_granted(answer, "tools"), "");
	json_decref(answer);
	free(key);
	free(token);
}

static void test_token_ends_with_its_key(void **state)
{
	char *id,
	    *key = key_with("{\"roles\":[\"developer\"],\"tools\":[\"bash\"],\"namespaces\":["
			    "\"default\"],\"permissions\":[\"tokens:issue\"]}",
		&id),
	    body[64];
	char *token = made(key, REQUEST_TOKENS_ISSUE,
	    "{\"roles\":[\"developer\"],\"tools\":[\"bash\"],\"namespaces\":[\"default\"]}", NULL);

	(void)state;
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 200);
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	assert_int_equal(code_of(SERVICE_KEY, REQUEST_KEYS_REVOKE, body), 200);
	assert_int_equal(code_of(token, REQUEST_WHOAMI, "{}"), 401);
	free(key);
	free(id);
	free(token);
}

static void test_bad_wishes(void **state)
{
	static const char *const bodies[] = {"{\"max_calls\":0}", "{\"max_calls\":-1}",
	    "{\"max_calls\":1.5}", "{\"ttl_s\":0}", "{\"ttl_s\":86401}", "{\"ttl_s\":\"1h\"}",
	    "{\"tools\":[1]}", "{\"tools\":[\"a b\"]}", "{\"x\":1}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(code_of(STATIC_KEY, REQUEST_TOKENS_ISSUE, bodies[i]), -32602);
	assert_int_equal(
	    code_of(SERVICE_KEY, REQUEST_TOKENS_ISSUE, "{\"roles\":[\"*\"],\"tools\":[\"*\"]}"),
	    403);
}

/* The caller whom a credential makes, with one hold. */
static struct caller *caller_by(const char *key)
{
	const struct credentials shown = {.api_key = key};
	struct authenticated told;

	authenticate(world.auth, world.rules->policy, &shown, &told);
	assert_int_equal(told.verdict, CREDENTIAL_OK);
	return told.caller;
}

/* A key made by a key is of all who made one of them, but not of who made a sibling's. */
static void test_makers_are_traced(void **state)
{
	char rights[256], *keeper = jwt_of(",\"scope\":\"keys\""), *text[4], *id, body[64];
	struct caller *by[4];

	(void)state;
	snprintf(rights, sizeof(rights),
	    "{\"roles\":[\"keeper\"],\"tools\":[\"bash\"],\"namespaces\":[\"default\"],"
	    "\"permissions\":[\"keys:manage\"],\"expires_s\":%llu}",
	    (unsigned long long)now_s() + 500);
	courier_brings("k1", issuer_key);
	text[0] = made(keeper, REQUEST_KEYS_CREATE, rights, &id);
	text[1] = made(text[0], REQUEST_KEYS_CREATE, rights, NULL);
	text[2] = made(text[1], REQUEST_KEYS_CREATE, rights, NULL);
	text[3] = made(keeper, REQUEST_KEYS_CREATE, rights, NULL);
	for (size_t i = 0; i < 4; i++)
		by[i] = caller_by(text[i]);
	assert_true(caller_same(by[0], by[1]));
	assert_true(caller_same(by[2], by[0]));
	assert_true(caller_same(by[1], by[2]));
	assert_false(caller_same(by[3], by[0]));
	assert_false(caller_same(by[2], by[3]));
	assert_string_equal(by[2]->makers[2], by[0]->makers[0]);
	/* nor does anybody come by a key that he has not made */
	snprintf(body, sizeof(body), "{\"id\":\"%s\"}", id);
	assert_int_equal(code_of(text[3], REQUEST_KEYS_ROTATE, body), 403);
	assert_int_equal(code_of(text[1], REQUEST_KEYS_ROTATE, body), 403);
	assert_int_equal(code_of(keeper, REQUEST_KEYS_ROTATE, body), 200);
	for (size_t i = 0; i < 4; i++) {
		(void)caller_drop(by[i]);
		free(text[i]);
	}
	free(keeper);
	free(id);
}

/* A credential in a place for names is repeated nowhere. */
static void test_a_key_for_a_name(void **state)
{
	static const char jwt[] = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
	char *key =
	    key_with("{\"roles\":[\"developer\"],\"tools\":[\"*\"],\"namespaces\":[\"*\"]}", NULL);
	const char *const names[] = {key, jwt, STATIC_KEY, SERVICE_KEY};
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct visited asked = {.bearer = STATIC_KEY,
		    .tool = names[i],
		    .path = path,
		    .method = REQUEST_TOOLS_CALL,
		    .body = "{}"};
		char *said;
		json_t *json;

		snprintf(path, sizeof(path), "/v1/tools/%s/call", names[i]);
		(void)visit(&asked);
		records_are_written();
		json = visit_reply(NULL);
		said = json_dumps(json, 0);
		assert_null(strstr(said, names[i]));
		assert_non_null(strstr(said, REDACTED));
		assert_false(recorded_anywhere(names[i]));
		assert_true(recorded_anywhere(REDACTED));
		free(said);
		json_decref(json);
		assert_string_equal(redact_path(&world, path), "/" REDACTED);
	}
	assert_string_equal(redact_name(&world, "cg_live_"), "cg_live_");
	assert_string_equal(redact_name(&world, "eyJust.a.name"), "eyJust.a.name");
	assert_string_equal(redact_name(&world, "bash"), "bash");
	assert_string_equal(redact_path(&world, "/v1/tools/bash/call"), "/v1/tools/bash/call");
	free(key);
}

static void test_maker_is_the_same_person(void **state)
{
	struct caller *maker = caller_of_uid(1000, 1000), *key = caller_new(),
		      *other = caller_new();

	(void)state;
	snprintf(key->principal, sizeof(key->principal), "key:key_1");
	snprintf(other->principal, sizeof(other->principal), "key:key_2");
	assert_int_equal(caller_add_maker(key, "uid:1000"), 0);
	assert_int_equal(caller_add_maker(other, "service"), 0);
	assert_true(caller_same(maker, key));
	assert_true(caller_same(key, maker));
	assert_false(caller_same(key, other));
	assert_false(caller_same(maker, other));
	(void)caller_drop(maker);
	(void)caller_drop(key);
	(void)caller_drop(other);
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guarded_setup, guarded_teardown)
	const struct CMUnitTest tests[] = {
	    GUARDED(test_nothing_by_default),
	    GUARDED(test_scope_of_a_key),
	    GUARDED(test_tenant_bounds_a_key),
	    GUARDED(test_expiry_and_rotation),
	    GUARDED(test_keeper_gives_what_he_has),
	    GUARDED(test_revoked_while_it_waits),
	    GUARDED(test_rotation_ends_tokens),
	    GUARDED(test_a_static_key_ends_tokens),
	    GUARDED(test_other_rows_end_tokens),
	    GUARDED(test_a_key_for_an_id),
	    GUARDED(test_no_record_no_key),
	    GUARDED(test_token_is_narrower),
	    GUARDED(test_token_of_split_rights),
	    GUARDED(test_token_of_what_is_not_named),
	    GUARDED(test_token_ends_with_its_key),
	    GUARDED(test_bad_wishes),
	    GUARDED(test_makers_are_traced),
	    GUARDED(test_maker_is_the_same_person),
	    GUARDED(test_a_key_for_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
