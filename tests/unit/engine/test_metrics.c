/* /metrics in both forms: names, sums that agree, bounds; and the
 * studio's door, which only asks the warden. */
#include "tests/unit/engine/visitors.h"

static char *page(const char *format, const char *type)
{
	char body[64];
	const struct visited asked = {
	    .bearer = STATIC_KEY, .method = REQUEST_METRICS, .body = body};
	json_t *json;
	char *text;

	snprintf(body, sizeof(body), "{\"format\":\"%s\"}", format);
	json = visit_result(&asked);
	assert_non_null(strstr(json_string_value(json_object_get(json, "type")), type));
	text = strdup(json_string_value(json_object_get(json, "text")));
	json_decref(json);
	return text;
}

static void call_once(const char *tool, const char *command)
{
	char body[128];
	const struct visited asked = {
	    .bearer = STATIC_KEY, .tool = tool, .method = REQUEST_TOOLS_CALL, .body = body};

	snprintf(body, sizeof(body), "{\"command\":\"%s\"}", command);
	(void)visit(&asked);
	fake_now_us += 150000;
	drive_to_end(world.calls->id);
	json_decref(visit_reply(NULL));
}

static void test_openmetrics(void **state)
{
	char *text;

	(void)state;
	call_once("bash", "ls");
	call_once("bash", "ls");
	call_once("bash", "rm x");
	call_once("no-such-tool", "ls");
	call_once("another\\\"\\n", "ls");
	text = page("openmetrics", "application/openmetrics-text; version=1.0.0");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_non_null(strstr(text, "# TYPE callgate_tool_calls counter\n"));
	assert_non_null(strstr(text, "callgate_tool_calls_total{tool=\"bash\",decision=\"allow\","
				     "outcome=\"completed\"} 2\n"));
	assert_non_null(strstr(text, "callgate_tool_calls_total{tool=\"bash\",decision=\"deny\","
				     "outcome=\"refused\"} 1\n"));
	assert_non_null(strstr(text, "callgate_tool_calls_total{tool=\"unknown\",decision=\"deny\","
				     "outcome=\"refused\"} 2\n"));
	assert_null(strstr(text, "no-such-tool"));
	assert_non_null(strstr(
	    text, "callgate_tool_call_duration_seconds_bucket{tool=\"bash\",le=\"0.1\"} 0\n"));
	assert_non_null(strstr(
	    text, "callgate_tool_call_duration_seconds_bucket{tool=\"bash\",le=\"0.2\"} 3\n"));
	assert_non_null(strstr(
	    text, "callgate_tool_call_duration_seconds_bucket{tool=\"bash\",le=\"+Inf\"} 3\n"));
	assert_non_null(
	    strstr(text, "callgate_tool_call_duration_seconds_sum{tool=\"bash\"} 0.45"));
	assert_non_null(
	    strstr(text, "callgate_auth_total{proof=\"static-key\",verdict=\"ok\"} 6\n"));
	assert_non_null(strstr(text, "callgate_approvals_pending 0\n"));
	assert_non_null(strstr(text, "callgate_audit_records_total"));
	assert_non_null(strstr(text, "callgate_build_info{version=\"" CALLGATE_VERSION "\"} 1\n"));
	free(text);
}

static void test_prometheus(void **state)
{
	char *text;

	(void)state;
	world.http_counts.health = 7;
	metrics_delivery(&world, "ok");
	metrics_approval(&world, "ops", "approve", 2500000);
	text = page("prometheus", "text/plain; version=0.0.4");
	assert_null(strstr(text, "# EOF"));
	assert_non_null(strstr(text, "# TYPE callgate_auth_total counter\n"));
	assert_non_null(strstr(text, "callgate_http_requests_total{kind=\"health\"} 7\n"));
	assert_non_null(strstr(text, "callgate_webhook_deliveries_total{result=\"ok\"} 1\n"));
	assert_non_null(
	    strstr(text, "callgate_approvals_total{channel=\"ops\",decision=\"approve\"} 1\n"));
	assert_non_null(strstr(text, "callgate_approval_wait_seconds_bucket{le=\"5.0\"} 1\n"));
	assert_non_null(strstr(text, "callgate_approval_wait_seconds_sum 2.500000\n"));
	free(text);
}

static void test_bounded(void **state)
{
	char name[64];
	char *text;

	(void)state;
	for (int i = 0; i < 3 * METRICS_SERIES; i++) {
		snprintf(name, sizeof(name), "result-%d", i);
		metrics_delivery(&world, name);
	}
	text = page("openmetrics", "openmetrics");
	assert_non_null(strstr(text, "callgate_webhook_deliveries_total{other=\"true\"} 4"));
	assert_true(strlen(text) < 1024 * 1024);
	free(text);
}

static void test_refused(void **state)
{
	const struct visited bad = {
	    .bearer = STATIC_KEY, .method = REQUEST_METRICS, .body = "{\"format\":\"xml\"}"};
	const struct visited asked = {.bearer = STATIC_KEY, .method = REQUEST_METRICS};
	static const char on[] = "metrics: {enabled: true}";
	const char *at = strstr(guarded_policy, on);
	char text[sizeof(guarded_policy) + 8];

	(void)state;
	assert_int_equal(visit_status(&bad), -32602);
	snprintf(text, sizeof(text), "%.*smetrics: {enabled: false}%s", (int)(at - guarded_policy),
	    guarded_policy, at + strlen(on));
	guarded_use(text);
	assert_int_equal(visit_status(&asked), 404);
}

/* ---- the studio --------------------------------------------------------------------------- */

static json_t *studio(const char *claims, enum request_method method, const char *body,
    enum answer_status status, const char *note, int *ret_code)
{
	char *token = jwt_of(claims);
	const struct visited asked = {.bearer = token, .method = method, .body = body};
	const struct message_reply *reply;
	struct message *control, answer;
	json_t *json;

	(void)visit(&asked);
	free(token);
	control = sent_next(&world.warden, MESSAGE_CONTROL);
	if (control) {
		message_init(&answer, MESSAGE_CONTROLLED);
		answer.serial = control->serial;
		answer.u.controlled.status = status;
		answer.u.controlled.note = note;
		answer.u.controlled.body.data = "{\"version\":\"v\"}";
		answer.u.controlled.body.len = 15;
		assert_int_equal(methods_controlled(&world, &answer), 0);
	}
	json = visit_reply(&reply);
	*ret_code = reply->kind == REPLY_RESULT
			? 200
			: (int)json_integer_value(json_object_get(json, "code"));
	return json;
}

static int studio_code(
    const char *claims, enum request_method method, const char *body, const char *note)
{
	int code;

	json_decref(studio(
	    claims, method, body, note ? ANSWER_REFUSED : ANSWER_OK, note ? note : "", &code));
	return code;
}

static void test_studio(void **state)
{
	static const char operator[] = ",\"role\":\"operator\"",
			  developer[] = ",\"role\":\"developer\"";
	json_t *json;
	int code;

	(void)state;
	courier_brings("k1", issuer_key);
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_READ, "{}", NULL), 200);
	assert_int_equal(studio_code(developer, REQUEST_CONFIG_READ, "{}", NULL), 403);
	assert_int_equal(
	    studio_code(developer, REQUEST_CONFIG_WRITE, "{\"config\":\"version: 1\"}", NULL), 403);
	assert_int_equal(
	    studio_code(operator, REQUEST_CONFIG_WRITE, "{\"config\":\"version: 1\"}", NULL), 200);
	assert_int_equal(sent_records(RECORD_ADMIN_CONFIG, NULL), 2);
	assert_true(record_holds(record_of(RECORD_ADMIN_CONFIG), "sha256:"));
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_WRITE, "{}", NULL), -32602);
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_WRITE,
			     "{\"config\":\"x\",\"version\":\"0\"}", NULL),
	    -32602);
	json = studio(operator, REQUEST_CONFIG_WRITE, "{\"config\":{\"server\":{}}}", ANSWER_OK, "",
	    &code);
	assert_int_equal(code, 403);
	assert_string_equal(json_string_value(json_object_get(json, "message")),
	    "Security: server configuration is immutable via studio API");
	json_decref(json);
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_WRITE, "{\"server\":{}}", NULL), 403);
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_WRITE, "{\"config\":\"server: {}\"}",
			     "f.yaml:1:1: server: Security: server configuration is immutable via "
			     "studio API; remove the section"),
	    403);
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_WRITE, "{\"config\":\"x\"}",
			     "the policy changed meanwhile; read it again"),
	    409);
	assert_int_equal(studio_code(operator, REQUEST_CONFIG_WRITE, "{\"config\":\"x\"}",
			     "f.yaml:3:1: tools: what"),
	    -32602);
}

/* One at a time; who comes meanwhile is told by whom, and may come again. */
static void test_studio_is_taken(void **state)
{
	static const char edit[] = "{\"config\":\"x\"}";
	char *token = jwt_of(",\"role\":\"operator\"");
	const struct visited first = {
	    .bearer = token, .method = REQUEST_CONFIG_WRITE, .body = edit};
	const struct message_reply *reply;
	struct message answer;
	json_t *json;

	(void)state;
	courier_brings("k1", issuer_key);
	(void)visit(&first);
	message_init(&answer, MESSAGE_CONTROLLED);
	answer.serial = sent_next(&world.warden, MESSAGE_CONTROL)->serial;
	(void)visit(&first);
	json = visit_reply(&reply);
	assert_null(sent_next(&world.warden, MESSAGE_CONTROL));
	assert_int_equal(json_integer_value(json_object_get(json, "code")), 409);
	assert_non_null(strstr(json_string_value(json_object_get(json, "message")),
	    "the policy is being written by jwt:"));
	json_decref(json);
	answer.u.controlled.status = ANSWER_REFUSED;
	answer.u.controlled.note = "f.yaml:1:1: no";
	assert_int_equal(methods_controlled(&world, &answer), 0);
	json_decref(visit_reply(&reply));
	(void)visit(&first);
	assert_non_null(sent_next(&world.warden, MESSAGE_CONTROL));
	free(token);
}

int main(void)
{
#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guarded_setup, guarded_teardown)
	const struct CMUnitTest tests[] = {
	    GUARDED(test_openmetrics),
	    GUARDED(test_prometheus),
	    GUARDED(test_bounded),
	    GUARDED(test_refused),
	    GUARDED(test_studio),
	    GUARDED(test_studio_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
