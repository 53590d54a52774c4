/* Who comes by HTTP: every kind of credential, good and bad, alone and together; what each may
 * see; a credential on a Unix socket; and that none of them stands in any record. */
#include "tests/unit/engine/visitors.h"

static json_t *whoami(const struct visited *as)
{
	struct visited asked = *as;

	asked.method = REQUEST_WHOAMI;
	return visit_result(&asked);
}

static void assert_who(const struct visited *as, const char *principal, const char *proof)
{
	json_t *who = whoami(as);

	assert_string_equal(json_string_value(json_object_get(who, "principal")), principal);
	assert_string_equal(json_string_value(json_object_get(who, "proof")), proof);
	json_decref(who);
}

static int status_of(const struct visited *as, enum request_method method)
{
	struct visited asked = *as;

	asked.method = method;
	return visit_status(&asked);
}

static void test_nothing_shown(void **state)
{
	const struct visited nothing = {.method = REQUEST_WHOAMI};
	const struct message_reply *reply;
	json_t *json;

	(void)state;
	(void)visit(&nothing);
	json = visit_reply(&reply);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 401);
	assert_string_equal(reply->challenge, ""); /* RFC 6750: no error where nothing was shown */
	json_decref(json);
	assert_int_equal(status_of(&nothing, REQUEST_METRICS), 401);
	assert_int_equal(status_of(&nothing, REQUEST_APPROVALS_LIST), 401);
	assert_int_equal(status_of(&nothing, REQUEST_TOOLS_CALL), 401);
	assert_null(world.calls);
	assert_int_equal(status_of(&nothing, REQUEST_TOKENS_KEYS), 200);
}

static json_t *tools_of(const struct visited *as)
{
	struct visited asked = *as;
	json_t *names = json_array(), *list, *tool;
	size_t i;

	asked.method = REQUEST_TOOLS_LIST;
	list = visit_result(&asked);
	json_array_foreach(json_object_get(list, "tools"), i, tool)
	    json_array_append(names, json_object_get(tool, "name"));
	json_decref(list);
	return names;
}

static void assert_tools(const struct visited *as, const char *expected)
{
	json_t *names = tools_of(as);
	char *text = json_dumps(names, JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
	json_decref(names);
}

static void test_lists_without_a_credential(void **state)
{
	const struct visited lists = {.path = "/tools"}, mcp = {.path = "/mcp"};
	const struct visited wrong = {.path = "/tools", .bearer = "nonsense"};

	(void)state;
	assert_tools(&lists, "[\"bash\"]"); /* what is public, and nothing else */
	assert_int_equal(status_of(&lists, REQUEST_AGENTS_LIST), 200);
	assert_int_equal(status_of(&mcp, REQUEST_TOOLS_LIST), 401);
	assert_int_equal(status_of(&wrong, REQUEST_TOOLS_LIST), 401);
}

static void test_static_and_service_key(void **state)
{
	const struct visited key = {.bearer = STATIC_KEY}, header = {.api_key = STATIC_KEY};
	const struct visited twice = {.bearer = STATIC_KEY, .api_key = STATIC_KEY};
	const struct visited two = {.bearer = STATIC_KEY, .api_key = SERVICE_KEY};
	const struct visited service = {.bearer = SERVICE_KEY};

	(void)state;
	assert_who(&key, "api_key:API_KEY_1", "static-key");
	assert_who(&header, "api_key:API_KEY_1", "static-key");
	assert_who(&twice, "api_key:API_KEY_1", "static-key");
	assert_int_equal(status_of(&two, REQUEST_WHOAMI), 401);
	assert_who(&service, "service", "service-key");
	assert_int_equal(status_of(&service, REQUEST_KEYS_LIST), 200);
	assert_int_equal(status_of(&service, REQUEST_METRICS), 403);
	assert_int_equal(status_of(&key, REQUEST_KEYS_LIST), 403);
	guarded_keys("another-static-key-0123456789-0123456789", SERVICE_KEY);
	assert_int_equal(status_of(&key, REQUEST_WHOAMI), 401);
}

static void test_wrong_credentials(void **state)
{
	static const char *const wrong[] = {"x", "a.b.c", "....", "cg_live_short",
	    "cg_live_0123456789012345678901234567890123456789012", STATIC_KEY "x",
	    "eyJhbGciOiJub25lIn0.e30.", "tab\there", "\x01"};
	struct visited asked = {.method = REQUEST_WHOAMI};
	const struct message_reply *reply;
	char address[32];

	(void)state;
	courier_brings("k1", issuer_key);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *json;

		snprintf(address, sizeof(address), "192.0.2.%zu", i + 1);
		asked.address = address;
		asked.bearer = wrong[i];
		(void)visit(&asked);
		json = visit_reply(&reply);
		assert_int_equal(json_integer_value(json_object_get(json, "code")), 401);
		assert_non_null(strstr(reply->challenge, "error=\"invalid_token\""));
		json_decref(json);
		assert_false(strlen(wrong[i]) > 5 && recorded_anywhere(wrong[i]));
	}
	assert_int_equal(sent_records(RECORD_AUTH_FAIL, NULL), 9);
	asked.excluded = true; /* a path without a credential is not one with a wrong one */
	asked.address = "192.0.2.99";
	assert_int_equal(visit_status(&asked), 401);
}

static void test_second_request_stays_refused(void **state)
{
	const struct visited wrong = {
	    .bearer = "nonsense", .method = REQUEST_WHOAMI, .excluded = true};
	struct message request;
	uint64_t peer = visit(&wrong);
	json_t *json = visit_reply(NULL);

	(void)state;
	json_decref(json);
	request = request_message(peer, ++last_serial, REQUEST_WHOAMI);
	request.u.request.body.data = "{}";
	request.u.request.body.len = 2;
	assert_int_equal(methods_request(&world, &request), 0);
	json = visit_reply(NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 401);
	json_decref(json);
}

static void test_jwt(void **state)
{
	char *good = jwt_of(",\"role\":\"developer\""), *roleless = jwt_of("");
	char *control = jwt_of(",\"sub\":\"x\""); /* a member twice */
	char *hidden = maker_token("{\"alg\":\"EdDSA\",\"kid\":\"k1\"}",
	    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
	    "\",\"sub\":\"a\\u202eb\",\"exp\":99999999999}",
	    issuer_key, JWS_EDDSA);
	struct visited as = {.bearer = good, .path = "/mcp"};

	(void)state;
	courier_brings("k1", issuer_key);
	assert_who(&as, "jwt:alice", "jwt");
	assert_tools(&as, "[\"bash\"]");
	assert_int_equal(status_of(&as, REQUEST_METRICS), 200);
	assert_int_equal(status_of(&as, REQUEST_APPROVALS_LIST), 403);
	as.bearer = roleless;
	assert_tools(&as, "[]");
	assert_int_equal(status_of(&as, REQUEST_METRICS), 403);
	as.bearer = control;
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 401);
	as.bearer = hidden;
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 401);
	pass_s(700);
	as.bearer = good;
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 401); /* expired */
	assert_false(recorded_anywhere(good));
	free(good);
	free(roleless);
	free(control);
	free(hidden);
}

static void test_certificate(void **state)
{
	char *both = jwt_of(",\"role\":\"both\"");
	char *bound = jwt_of(",\"role\":\"developer\",\"cnf\":{\"x5t#S256\":"
			     "\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\"}");
	struct visited as = {.san = "URI:spiffe://corp/ci", .path = "/mcp"};

	(void)state;
	courier_brings("k1", issuer_key);
	assert_who(&as, "cert:URI:spiffe://corp/ci", "certificate");
	assert_tools(&as, "[\"bash\"]");
	as.bearer = both; /* a row that needs both, and one that needs the certificate alone */
	assert_who(&as, "jwt:alice", "jwt");
	assert_tools(&as, "[\"bash\",\"inner\"]");
	as.bearer = bound;
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 200);
	as.san = NULL;
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 401); /* bound to the certificate */
	as.bearer = both;
	assert_tools(&as, "[]");
	as.bearer = "nonsense";
	as.san = "URI:spiffe://corp/ci";
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 401); /* the bearer wins */
	as.bearer = NULL;
	as.san = "URI:\x1b[2Jx";
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 401);
	free(both);
	free(bound);
}

static const char open_policy[] =
    "server:\n  port: 8700\n%s"
    "roles:\n  guest: {tools: [bash, inner], permissions: [metrics:read]}\n"
    "  developer: {tools: [bash, inner]}\n"
    "principals:\n  - {anonymous: true, roles: [guest]}\n"
    "  - {peer_uid: 1000, roles: [developer]}\n"
    "namespaces: {default: {working_directory: ./w}}\n"
    "tools:\n  bash: {type: command, working_directory: ., allowed_commands: [ls]}\n"
    "  inner: {type: command, visibility: internal, working_directory: ., allowed_commands: "
    "[ls]}\n";

static void use_open(const char *auth)
{
	char text[4096];

	snprintf(text, sizeof(text), open_policy, auth);
	guarded_use(text);
}

static void test_authentication_off(void **state)
{
	const struct visited mcp = {.path = "/mcp"}, local = {.path = "/mcp", .local = true};

	(void)state;
	use_open("");
	assert_who(&mcp, "anonymous", "anonymous");
	assert_tools(&mcp, "[\"bash\"]"); /* internal needs authentication, whatever the role */
	assert_who(&local, "uid:1000", "peer");
	assert_tools(&local, "[\"bash\",\"inner\"]");
	assert_int_equal(status_of(&mcp, REQUEST_KEYS_LIST), 403);
}

static void test_not_required(void **state)
{
	const struct visited mcp = {.path = "/mcp"}, wrong = {.path = "/mcp", .bearer = "nonsense"};
	struct visited local = {.path = "/mcp", .local = true};

	(void)state;
	use_open("  auth: {enabled: true, require_auth: false}\n");
	assert_who(&mcp, "anonymous", "anonymous");
	assert_who(&local, "uid:1000", "peer"); /* a row names him */
	local.uid = 33;
	assert_who(&local, "anonymous", "anonymous"); /* a proxy's uid is nobody's proof */
	guarded_use(guarded_policy);
	assert_int_equal(status_of(&local, REQUEST_WHOAMI), 401);
	local.uid = 1000;
	assert_who(&local, "uid:1000", "peer");
	local.bearer = "nonsense";
	assert_int_equal(status_of(&local, REQUEST_WHOAMI), 401);
	use_open("  auth: {enabled: true, require_auth: false}\n");
	assert_int_equal(status_of(&wrong, REQUEST_TOOLS_LIST), 401);
	assert_int_equal(status_of(&mcp, REQUEST_KEYS_LIST), 401); /* he may sign in */
}

static void test_namespaces(void **state)
{
	char *token = jwt_of(",\"role\":\"developer\"");
	struct visited as = {.bearer = token, .space = "b1", .path = "/mcp"};

	(void)state;
	courier_brings("k1", issuer_key);
	assert_int_equal(status_of(&as, REQUEST_TOOLS_LIST), 403);
	assert_int_equal(status_of(&as, REQUEST_WHOAMI), 403);
	as.space = "nosuch";
	assert_int_equal(status_of(&as, REQUEST_TOOLS_LIST), 403);
	as.space = "default";
	assert_int_equal(status_of(&as, REQUEST_TOOLS_LIST), 200);
	free(token);
}

static void test_call_in_foreign_namespace(void **state)
{
	const struct visited asked = {.bearer = STATIC_KEY,
	    .space = "b1",
	    .tool = "bash",
	    .method = REQUEST_TOOLS_CALL,
	    .body = "{\"command\":\"ls\"}"};
	const struct message_reply *reply;
	json_t *json;

	(void)state;
	(void)visit(&asked);
	assert_non_null(world.calls);
	drive_to_end(world.calls->id);
	json = visit_reply(&reply);
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 403);
	assert_string_equal(meta_text(json, "outcome"), "refused");
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, NULL), 1);
	json_decref(json);
}

static void test_call_is_recorded(void **state)
{
	const struct visited asked = {.bearer = STATIC_KEY,
	    .tool = "bash",
	    .path = "/v1/tools/bash/call",
	    .method = REQUEST_TOOLS_CALL,
	    .body = "{\"command\":\"ls\"}"};
	struct message *outcome;

	(void)state;
	(void)visit(&asked);
	drive_to_end(world.calls->id);
	json_decref(visit_reply(NULL));
	outcome = record_of(RECORD_CALL_OUTCOME);
	assert_non_null(outcome);
	assert_true(record_holds(outcome, "req-1"));
	assert_true(record_holds(outcome, "/v1/tools/bash/call"));
	assert_true(record_holds(outcome, "static-key"));
	assert_true(record_holds(outcome, "API_KEY_1"));
	assert_false(recorded_anywhere(STATIC_KEY));
	assert_int_equal(sent_records(RECORD_AUTH_OK, NULL), 1);
}

static void test_hidden_is_unknown(void **state)
{
	struct visited asked = {.bearer = STATIC_KEY,
	    .method = REQUEST_TOOLS_CALL,
	    .tool = "secret",
	    .body = "{\"command\":\"ls\"}"};
	char *texts[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_t *json;

		(void)visit(&asked);
		drive_to_end(world.calls->id);
		json = visit_reply(NULL);
		assert_int_equal(json_integer_value(json_object_get(json, "code")), -32602);
		texts[i] = strdup(json_string_value(json_object_get(json, "message")));
		json_decref(json);
		asked.tool = "absent";
	}
	assert_string_equal(texts[0], "Unknown tool: secret");
	assert_string_equal(texts[1], "Unknown tool: absent");
	free(texts[0]);
	free(texts[1]);
}

/* ---- a credential on a Unix socket -------------------------------------------------------- */

static int socket_status(uint64_t peer, const char *credential, char principal[64])
{
	struct message request = request_message(peer, ++last_serial, REQUEST_WHOAMI);
	struct message *reply;
	json_t *json;
	const char *name;
	int code;

	request.u.request.credential = credential;
	request.u.request.body.data = "{}";
	request.u.request.body.len = 2;
	assert_int_equal(methods_request(&world, &request), 0);
	records_are_written();
	reply = sent_next(&world.front, MESSAGE_REPLY);
	assert_non_null(reply);
	json = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	name = json_string_value(json_object_get(json, "principal"));
	code = name ? 200 : (int)json_integer_value(json_object_get(json, "code"));
	snprintf(principal, 64, "%s", name ? name : "");
	json_decref(json);
	return code;
}

static void test_credential_on_a_socket(void **state)
{
	char who[64];

	(void)state;
	assert_int_equal(socket_status(1, "", who), 200);
	assert_string_equal(who, "uid:1000");
	assert_int_equal(socket_status(1, STATIC_KEY, who), 200);
	assert_string_equal(who, "api_key:API_KEY_1");
	assert_int_equal(socket_status(1, "wrong", who), 401); /* never the kernel's word instead */
	assert_int_equal(socket_status(1, "", who), 200);      /* that request alone */
	assert_string_equal(who, "uid:1000");
}

static void test_without_authentication_at_hand(void **state)
{
	const struct visited nothing = {.method = REQUEST_WHOAMI};

	(void)state;
	auth_free(&world);
	assert_int_equal(visit_status(&nothing), 503);
}

static void test_loss_of_a_peer(void **state)
{
	const struct visited asked = {.bearer = STATIC_KEY, .method = REQUEST_WHOAMI};
	struct message gone;
	uint64_t peer = visit(&asked);

	(void)state;
	json_decref(visit_reply(NULL));
	message_init(&gone, MESSAGE_PEER_GONE);
	gone.u.peer_gone.peer = peer;
	assert_int_equal(peer_gone(&world, &gone), 0);
	assert_null(peer_find(&world, peer));
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guarded_setup, guarded_teardown)
	const struct CMUnitTest tests[] = {
	    GUARDED(test_nothing_shown),
	    GUARDED(test_lists_without_a_credential),
	    GUARDED(test_static_and_service_key),
	    GUARDED(test_wrong_credentials),
	    GUARDED(test_second_request_stays_refused),
	    GUARDED(test_jwt),
	    GUARDED(test_certificate),
	    GUARDED(test_authentication_off),
	    GUARDED(test_not_required),
	    GUARDED(test_namespaces),
	    GUARDED(test_call_in_foreign_namespace),
	    GUARDED(test_call_is_recorded),
	    GUARDED(test_hidden_is_unknown),
	    GUARDED(test_credential_on_a_socket),
	    GUARDED(test_without_authentication_at_hand),
	    GUARDED(test_loss_of_a_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
