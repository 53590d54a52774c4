/* What is read of the keys of typed and function tools, approvals, HTTP and tenants. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/load.h"
#include "tests/unit/policy/every_key.h"

static char *const environment[] = {
    "API_KEY_1=0123456789abcdef0123456789abcdef", "MOST=7", "B=secret", NULL};

static int load(
    const char *text, struct policy **ret_policy, struct buf *warnings, struct err_note *note)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = text, .len = strlen(text), .env = environment};

	return policy_load(&source, ret_policy, warnings, note);
}

static struct policy *loaded(const char *text)
{
	struct policy *policy = NULL;
	struct err_note note = {""};

	if (load(text, &policy, NULL, &note))
		fail_msg("%s", note.text);
	return policy;
}

static void element_is(const struct policy_element *element, enum element_kind kind,
    const char *text, const char *condition, bool dash)
{
	assert_int_equal(element->kind, kind);
	assert_string_equal(element->text, text);
	assert_string_equal(element->condition, condition);
	assert_int_equal(element->dash, dash);
	assert_true(element->pos.line > 0);
}

static void test_exec(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_tool *push = policy_find_tool(policy, "git_push");
	const struct policy_element *elements = push->exec.elements;

	(void)state;
	assert_true(tool_is_typed(push));
	assert_string_equal(push->exec.program, "git");
	assert_int_equal(push->exec.element_count, 9);
	element_is(&elements[0], ELEMENT_TEXT, "push", "", false);
	element_is(&elements[1], ELEMENT_TEXT, "--depth={depth}", "", false);
	element_is(&elements[2], ELEMENT_TEXT, "--force", "force", false);
	element_is(&elements[3], ELEMENT_TEXT, "-o", "note", false);
	element_is(&elements[4], ELEMENT_TEXT, "{note}", "note", true);
	element_is(&elements[5], ELEMENT_TEXT, "{{literal}}", "", false);
	element_is(&elements[6], ELEMENT_TEXT, "--", "", false);
	element_is(&elements[7], ELEMENT_TEXT, "{branch}", "", false);
	element_is(&elements[8], ELEMENT_EACH, "paths", "paths", true);
	assert_string_equal(push->parameters,
	    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"branch\"],"
	    "\"properties\":{\"branch\":{\"type\":\"string\",\"pattern\":\"^[a-z/${}]+$\","
	    "\"maxLength\":64},\"depth\":{\"type\":\"integer\",\"default\":1,\"maximum\":1.5},"
	    "\"paths\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":"
	    "\"workspace-path\"}},\"force\":{\"type\":\"boolean\"},\"note\":{\"type\":"
	    "\"string\"},\"text\":{\"type\":\"string\"}}}");
	assert_int_equal(push->stdin_rule, STDIN_RULE_PARAMETER);
	assert_string_equal(push->stdin_parameter, "text");
	assert_string_equal(
	    push->description, "Runs one program with the arguments that its policy fixes.");
	policy_free(policy);
}

static void test_env_is_sorted(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_tool *push = policy_find_tool(policy, "git_push");

	(void)state;
	assert_int_equal(push->env_count, 4);
	assert_string_equal(push->env[0].name, "EMPTY");
	assert_string_equal(push->env[0].text, "");
	assert_int_equal(push->env[0].source, ENV_LITERAL);
	assert_string_equal(push->env[1].name, "GIT_A");
	assert_string_equal(push->env[1].text, "${B}"); /* single quotes: no variable */
	assert_string_equal(push->env[2].name, "HTTPS_PROXY");
	assert_string_equal(push->env[2].text, "CORP_PROXY");
	assert_int_equal(push->env[2].source, ENV_VARIABLE);
	assert_string_equal(push->env[3].name, "LANG");
	policy_free(policy);
}

static void test_rules_and_tests(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_tool *push = policy_find_tool(policy, "git_push");
	const struct policy_tool *bash = policy_find_tool(policy, "bash");

	(void)state;
	assert_int_equal(push->rule_count, 2);
	assert_string_equal(push->rules[0].id, "main");
	assert_int_equal(push->rules[0].decision, DECISION_ASK);
	assert_string_equal(push->rules[0].reason, "main is protected");
	assert_int_equal(push->rules[0].roles.count, 0);
	assert_string_equal(push->rules[0].when[0].schema, "{\"const\":\"main\"}");
	assert_int_equal(push->rules[1].when_count, 2);
	assert_string_equal(push->rules[1].when[1].name, "depth");
	assert_string_equal(push->rules[1].roles.items[0].text, "developer");
	assert_string_equal(push->rules[1].reason, "");
	assert_int_equal(push->test_count, 2);
	assert_string_equal(push->tests[0].args, "{\"branch\":\"main\"}");
	assert_int_equal(push->tests[0].expect, DECISION_ASK);
	assert_true(push->tests[0].has_roles);
	assert_true(push->tests[1].expect_invalid);
	assert_int_equal(push->tests[1].expect, DECISION_NONE);
	assert_false(push->tests[1].has_roles);
	assert_string_equal(bash->tests[0].rule, "denied_commands");
	assert_int_equal(bash->packs.count, 1);
	assert_non_null(policy_find_pack(policy, "find"));
	assert_int_equal(policy->pack_count, 1);
	policy_free(policy);
}

static void test_function_and_hints(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_tool *edit = policy_find_tool(policy, "edit");
	const struct policy_tool *bash = policy_find_tool(policy, "bash");

	(void)state;
	assert_int_equal(edit->type, TOOL_FUNCTION);
	assert_int_equal(edit->handler, HANDLER_TEXT_EDITOR);
	assert_true(edit->description[0]);
	assert_string_equal(edit->parameters, "");
	assert_int_equal(edit->annotations.read_only, HINT_NONE);
	assert_int_equal(bash->annotations.read_only, HINT_NO);
	assert_int_equal(bash->annotations.destructive, HINT_YES);
	assert_int_equal(bash->annotations.idempotent, HINT_NO);
	assert_int_equal(bash->annotations.open_world, HINT_YES);
	assert_string_equal(bash->annotations.title, "Shell");
	assert_true(bash->multicall);
	assert_true(bash->sandbox.callgate);
	assert_int_equal(bash->output, TOOL_OUTPUT_CONTENT);
	assert_true(bash->elicit);
	assert_int_equal(bash->stdin_rule, STDIN_RULE_NO);
	assert_string_equal(bash->output_schema, "{\"type\":\"string\"}");
	policy_free(policy);
}

/* What a tool's block does not say is that of approvals:. */
static void test_approval_is_inherited(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_approval *push = &policy_find_tool(policy, "git_push")->approval;
	const struct policy_approval *bash = &policy_find_tool(policy, "bash")->approval;

	(void)state;
	assert_int_equal(policy->approval.quorum, 2);
	assert_int_equal(policy->approval.grants, GRANT_ONCE | GRANT_SESSION);
	assert_true(bash->given);
	assert_int_equal(bash->quorum, 3);
	assert_int_equal(bash->grants, GRANT_ONCE | GRANT_SESSION);
	assert_int_equal(bash->max_grant_ttl_ms, 3600 * 1000);
	assert_int_equal(bash->editable.count, 1);
	assert_true(bash->by_client);
	assert_true(bash->reason_required);
	assert_int_equal(push->quorum, 2);
	assert_int_equal(push->grants, GRANT_ONCE | GRANT_ALWAYS);
	assert_int_equal(push->editable.count, 0);
	assert_int_equal(push->max_grant_ttl_ms, 300 * 1000);
	assert_false(push->by_client);
	assert_false(push->reason_required);
	assert_false(policy_find_tool(policy, "edit")->approval.given);
	policy_free(policy);
}

static void check_http(const struct policy_http *http)
{
	assert_string_equal(http->listen, "::1");
	assert_int_equal(http->port, 8700);
	assert_int_equal(http->port_pos.line, 5);
	assert_int_equal(http->max_upload_bytes, 2 << 20);
	assert_int_equal(http->trusted_proxies.count, 2);
	assert_false(http_trusts_local(http));
	assert_int_equal(http->ip_allowlist.count, 2);
	assert_true(http->auth.enabled);
	assert_false(http->auth.require_auth);
	assert_string_equal(http->auth.audience_claim, "client_id");
	assert_int_equal(http->auth.refresh_interval_ms, 600000);
	assert_int_equal(http->auth.excluded_paths.count, 2);
	assert_string_equal(http->auth.api_keys.items[0].text, "API_KEY_1");
	assert_string_equal(http->auth.service_key_env, "SERVICE_KEY");
	assert_string_equal(http->cors.allowed_origins.items[0].text, "https://app.example");
	assert_int_equal(http->cors.max_age, 60);
	assert_int_equal(http->rate.requests_per_minute, 60);
	assert_int_equal(http->rate.burst, 5);
	assert_true(http->rate.per_user);
	assert_true(http->studio);
	assert_string_equal(http->tls.client_ca, "ca.pem");
	assert_true(http->tls.require_client_cert);
	assert_true(http->metrics);
	assert_string_equal(http->tracing_endpoint, "otel:4317");
}

static void test_http(void **state)
{
	struct policy *policy = loaded(every_key);

	(void)state;
	check_http(&policy->http);
	policy_free(policy);
	policy = loaded("server: {auth: {enabled: true}}");
	assert_true(policy->http.auth.require_auth);
	assert_string_equal(policy->http.listen, "127.0.0.1");
	assert_int_equal(policy->http.port, 0);
	assert_int_equal(policy->http.rate.requests_per_minute, 100);
	assert_int_equal(policy->http.cors.allowed_methods.count, 3);
	assert_int_equal(policy->http.auth.algorithms.count, 4);
	assert_int_equal(policy->http.auth.keep_keys_ms, 24 * 3600 * 1000);
	assert_string_equal(policy->http.studio_roles.items[0].text, "operator");
	assert_string_equal(policy->http.url, "");
	assert_false(http_serves(&policy->http));
	policy_free(policy);
	/* The default never drops keys before they are fetched again. */
	policy = loaded("server: {listen: run/h, auth: {refresh_interval: 7d}}");
	assert_int_equal(policy->http.auth.keep_keys_ms, 7 * 24 * 3600 * 1000);
	assert_true(http_serves(&policy->http));
	policy_free(policy);
}

static void test_principals_and_tenants(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_principal *rows = policy->principals;

	(void)state;
	assert_true(rows[0].has_uid && rows[0].has_gid);
	assert_string_equal(rows[1].jwt_claim, "role");
	assert_string_equal(rows[1].jwt_value, "operator");
	assert_false(rows[1].has_uid || rows[1].has_gid);
	assert_string_equal(rows[2].cert_san, "spiffe://corp/ci");
	assert_string_equal(rows[3].api_key, "API_KEY_1");
	assert_true(rows[4].anonymous);
	assert_int_equal(policy->tenant_count, 2);
	assert_string_equal(policy->tenants[0].name, "acme");
	assert_string_equal(policy_tenant_of(policy, "default")->name, "acme");
	assert_string_equal(policy_tenant_of(policy, "lab")->name, "globex");
	assert_null(policy_tenant_of(policy, "nope"));
	assert_int_equal(policy->tenants[0].rate.burst, 9);
	policy_free(policy);
}

static void warned(const char *text, const char *expected)
{
	struct policy *policy = NULL;
	struct err_note note = {""};
	struct buf warnings;

	buf_init(&warnings, 65536);
	if (load(text, &policy, &warnings, &note))
		fail_msg("%s", note.text);
	assert_string_equal(warnings.len ? buf_cstr(&warnings) : "", expected);
	policy_free(policy);
	buf_fini(&warnings);
}

/* A file as users of another supervisor have it: one warning for each thing that is not ours. */
static void test_foreign_file(void **state)
{
	(void)state;
	warned("version: \"2\"\n"
	       "llms:\n"
	       "  small: {provider: someone, api_key: \"${NOT_SET_HERE}\"}\n"
	       "document_stores: {wiki: {path: ./docs}}\n"
	       "server:\n"
	       "  port: 9090\n"
	       "  auth:\n"
	       "    enabled: true\n"
	       "    jwks_url: https://id.example/keys\n"
	       "    issuer: https://id.example/\n"
	       "    audience: house\n"
	       "    excluded_paths: [/health]\n"
	       "  cors: {allowed_origins: [\"https://desk.example\"]}\n"
	       "  rate_limiting: {enabled: true, requests_per_minute: 10, per_user: true}\n"
	       "  observability: {metrics: {enabled: true}, tracing: {enabled: true, endpoint: "
	       "\"collector:4317\"}}\n"
	       "tools:\n"
	       "  shell: {type: command, deny_by_default: true, allowed_commands: [make]}\n"
	       "  find_text: {type: function, handler: grep_search}\n"
	       "agents:\n"
	       "  desk: {visibility: public, llm: small, instruction: Be kind., tools: [web]}\n"
	       "  smith: {visibility: internal, llm: small, document_stores: [wiki], tools: "
	       "[shell, find_txt]}\n"
	       "logger: {level: info, format: json}\n",
	    "p.yaml:1:10: version: 2 is another supervisor's; read as callgate's version 1\n"
	    "p.yaml:2:1: llms: is not callgate's; ignored here and wherever it stands\n"
	    "p.yaml:4:1: document_stores: is not callgate's; ignored here and wherever it stands\n"
	    "p.yaml:20:30: agents.desk.llm: is not callgate's; ignored here and wherever it "
	    "stands\n"
	    "p.yaml:20:42: agents.desk.instruction: is not callgate's; ignored here and wherever "
	    "it stands\n"
	    /* a slip is told, a tool of that program is not */
	    "p.yaml:21:85: agents.smith.tools[1]: 'find_txt' matches no tool; did you mean "
	    "find_text?\n");
}

/* The whole of what such a file says in production: it loads, and means what it meant there. */
static const char production[] =
    "version: \"2\"\n"
    "llms: {main: {provider: p, model: m, api_key: \"${NOT_SET_HERE}\"}}\n"
    "tools:\n"
    "  bash:\n"
    "    type: command\n"
    "    working_directory: ./workspace\n"
    "    max_execution_time: 30s\n"
    "    deny_by_default: true\n"
    "    allowed_commands: [git, npm, python, pytest]\n"
    "    require_approval: true\n"
    "  text_editor: {type: function, handler: text_editor, require_approval: true}\n"
    "  grep_search: {type: function, handler: grep_search}\n"
    "agents:\n"
    "  open: {visibility: public, llm: main, tools: [search]}\n"
    "  staff: {visibility: internal, llm: main, tools: [search, grep_search, text_editor], "
    "document_stores: [wiki]}\n"
    "  admin: {visibility: internal, llm: main, tools: [bash, text_editor, grep_search]}\n"
    "server:\n"
    "  port: 8080\n"
    "  auth:\n"
    "    enabled: true\n"
    "    jwks_url: https://id.example/.well-known/jwks.json\n"
    "    issuer: https://id.example/\n"
    "    audience: house\n"
    "    require_auth: true\n"
    "    excluded_paths:\n"
    "      - /health\n"
    "      - /.well-known/agent-card.json\n"
    "  cors:\n"
    "    allowed_origins:\n"
    "      - https://desk.example\n"
    "  rate_limiting: {enabled: true, requests_per_minute: 100, per_user: true}\n"
    "  observability:\n"
    "    metrics:\n"
    "      enabled: true\n"
    "    tracing:\n"
    "      enabled: true\n"
    "      endpoint: collector:4317\n"
    "logger: {level: info, format: json}\n";

static void test_production_file(void **state)
{
	struct policy *policy = loaded(production);
	const struct policy_http *http = &policy->http;

	(void)state;
	assert_true(http_serves(http));
	assert_string_equal(http->listen, "127.0.0.1");
	assert_true(http->auth.enabled && http->auth.require_auth);
	assert_string_equal(http->auth.audience, "house");
	assert_int_equal(http->auth.excluded_paths.count, 2);
	assert_true(http->rate.enabled && http->rate.per_user && http->metrics && http->tracing);
	assert_string_equal(http->tracing_endpoint, "collector:4317");
	assert_int_equal(policy->tool_count, 3);
	assert_true(policy_find_tool(policy, "bash")->require_approval);
	assert_int_equal(policy_find_agent(policy, "open")->visibility, VISIBILITY_PUBLIC);
	policy_free(policy);
}

static void test_warnings(void **state)
{
	(void)state;
	warned("server: {cors: {allowed_origins: [\"*\"]}}",
	    "p.yaml:1:35: server.cors.allowed_origins: * lets the pages of every site call; name "
	    "the origins\n");
	warned("tools: {t: {type: command, exec: {program: /bin/dash, argv: [-c, x]}}}",
	    "p.yaml:1:28: tools.t.exec.program: 'dash' is a shell, which may read a parameter as "
	    "a command; name the program itself\n");
}

#define ROLE "roles: {r: {}, op: {permissions: [approvals:decide]}}\n"

/* Rows that nobody can match, and rights that should have a name to them. */
static void test_warnings_of_rows(void **state)
{
	(void)state;
	warned(ROLE "principals:\n"
		    "  - {jwt: {claim: a, value: b}, roles: [r]}\n"
		    "  - {client_cert: {san: x}, roles: [r]}\n"
		    "  - {api_key: A, roles: [r]}\n"
		    "  - {anonymous: true, roles: [op]}\n",
	    "p.yaml:3:5: principals[0]: jwt matches nobody while no token is judged; give "
	    "server.auth enabled, jwks_url, issuer and audience\n"
	    "p.yaml:4:5: principals[1]: client_cert matches nobody while no certificate is judged; "
	    "give server.tls.client_ca\n"
	    "p.yaml:5:5: principals[2]: there is no static key 'A'; write \"${A}\" under "
	    "server.auth.api_keys\n"
	    "p.yaml:6:5: principals[3]: whoever shows nothing gets role 'op', with permissions to "
	    "decide, manage or edit; give him a role of his own\n");
	warned(ROLE
	    "server: {auth: {enabled: true, jwks_url: \"https://a/\", issuer: i, audience: a, "
	    "api_keys: [\"${API_KEY_1}\"]}, tls: {cert: c, key: k, client_ca: ca}}\n"
	    "principals:\n"
	    "  - {jwt: {claim: a, value: b}, client_cert: {san: x}, api_key: API_KEY_1, "
	    "roles: [op]}\n",
	    "");
}

#define IN_THE_CLEAR                                                                               \
	"p.yaml:1:10: server.listen: credentials cross the network in the clear; give "            \
	"server.tls, or name the proxy that does TLS under server.trusted_proxies\n"
#define UNBOUNDED                                                                                  \
	"p.yaml:1:10: server.listen: nothing bounds the requests of one address; give "            \
	"server.rate_limiting\n"

/* What is safe on the loopback is said where the network begins. */
static void test_warnings_of_listeners(void **state)
{
	static const char *const near[] = {
	    "127.0.0.1", "127.9.9.9", "\"::1\"", "\"::ffff:127.0.0.1\"", "\"::ffff:7f00:1\""};
	static const char *const far[] = {
	    "0.0.0.0", "\"::\"", "10.0.0.1", "\"::ffff:128.0.0.1\"", "\"::2\"", "\"::127.0.0.1\""};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		snprintf(text, sizeof(text), "server: {listen: %s, port: 80}", near[i]);
		warned(text, "");
	}
	warned("server: {listen: ./h}", "");
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		snprintf(text, sizeof(text),
		    "server: {listen: %s, port: 80, auth: {require_auth: false}}", far[i]);
		warned(text, IN_THE_CLEAR UNBOUNDED);
	}
	warned("server: {listen: 0.0.0.0, port: 80, auth: {enabled: true}, tls: {cert: c, key: k}, "
	       "rate_limiting: {enabled: false}}",
	    "");
	warned("server: {listen: 0.0.0.0, port: 80, auth: {enabled: true}, trusted_proxies: "
	       "[10.0.0.1]}",
	    UNBOUNDED);
	warned("server: {listen: 0.0.0.0}", ""); /* nothing listens */
	/* A proxy without an address does not come by the network. */
	warned("server: {listen: ./h, trusted_proxies: [unix, 10.0.0.1], "
	       "ip_allowlist: [10.0.0.2]}",
	    "");
	warned("server: {listen: 0.0.0.0, port: 80, auth: {enabled: true}, trusted_proxies: "
	       "[unix]}",
	    IN_THE_CLEAR UNBOUNDED
	    "p.yaml:1:78: server.trusted_proxies: unix is whoever comes by a Unix path, and listen "
	    "is none; remove it, or write listen: ./http.sock\n");
	warned("server: {listen: ./h, ip_allowlist: [10.0.0.2]}",
	    "p.yaml:1:38: server.ip_allowlist: who comes by a Unix socket has no address and is "
	    "in no list, so everybody is refused; remove it, and let the socket's mode and group "
	    "say who may come, or write server.trusted_proxies: [unix] where only a proxy comes "
	    "by it\n");
}

static void test_channels(void **state)
{
	struct policy *policy = loaded(every_key);
	const struct policy_words *order = &policy->approval.channels;

	(void)state;
	/* As written, the terminal first; rows are by name. */
	assert_int_equal(order->count, 3);
	assert_string_equal(order->items[0].text, "terminal");
	assert_string_equal(order->items[1].text, "ops");
	assert_string_equal(order->items[2].text, "chat");
	assert_string_equal(policy->channels[0].name, "chat");
	assert_string_equal(policy->channels[0].url_env, "CHAT_URL");
	assert_string_equal(policy->channels[1].url, "https://ops.example/hook");
	assert_string_equal(policy->channels[1].roles.items[0].text, "operator");
	order = &policy_find_tool(policy, "bash")->approval.channels;
	assert_int_equal(order->count, 2);
	assert_string_equal(order->items[0].text, "ops");
	assert_int_equal(policy_find_tool(policy, "bash")->approval.escalate_after_ms, 30000);
	order = &policy_find_tool(policy, "git_push")->approval.channels;
	assert_int_equal(order->count, 3); /* inherited */
	policy_free(policy);
	policy = loaded("approvals: {channels: {a: {type: json, url_env: A}}, escalate_after: 1m}\n"
			"tools: {t: {type: command, approval: {escalate_after: 0s}},\n"
			"  u: {type: command, approval: {channels: [terminal]}}}");
	assert_int_equal(policy_find_tool(policy, "t")->approval.escalate_after_ms, 0);
	assert_int_equal(policy_find_tool(policy, "u")->approval.channels.count, 1);
	policy_free(policy);
	warned("approvals: {timeout: 2m, escalate_after: 1m, channels: {a: {type: slack, url: "
	       "\"https://a/\", secret_env: S}, b: {type: json, url_env: B}}}",
	    "p.yaml:1:57: approvals.channels.a: who has a Slack hook's URL can write there; set it "
	    "in the environment and write url_env: NAME\n"
	    "p.yaml:1:26: approvals.escalate_after: the last channel is never asked, since the "
	    "question expires before; raise approvals.timeout\n");
}

/* Scalars of JSON are YAML 1.2's; a variable may be a number where it is plain. */
static void test_json_values(void **state)
{
	static const char expected[] =
	    "{\"a\":[1,-5,0,1.5,1e+05,1e+30,0.1],\"b\":[true,false,null,null],\"c\":[\"yes\","
	    "\"1\",\"true\",\"a\\\"b\\\\c\\u000ad\\u0009\"],\"d\":{},\"e\":[],\"f\":7,\"g\":\"7\","
	    "\"h\":\"${MOST}\"}";
	struct policy *policy = loaded("tools:\n"
				       "  t:\n"
				       "    type: command\n"
				       "    tests:\n"
				       "      - expect: invalid\n"
				       "        args:\n"
				       "          a: [1, -5, -0, 1.50, 1e5, 1e30, .1]\n"
				       "          b: [true, False, null, ~]\n"
				       "          c: [yes, \"1\", 'true', \"a\\\"b\\\\c\\nd\\t\"]\n"
				       "          d: {}\n"
				       "          e: []\n"
				       "          f: ${MOST}\n"
				       "          g: \"${MOST}\"\n"
				       "          h: '${MOST}'\n");

	(void)state;
	assert_string_equal(policy->tools[0].tests[0].args, expected);
	policy_free(policy);
}

static void put_rules(struct buf *text, unsigned count)
{
	buf_text(text, "tools:\n  t:\n    type: command\n    exec: {program: x, argv: [\"{p}\"]}\n"
		       "    parameters: {type: object, required: [p], properties: {p: {type: "
		       "string}}}\n    rules:\n");
	for (unsigned i = 0; i < count; i++)
		buf_textf(text,
		    "      - {id: r%u, when: {p: {pattern: \"^topic/%u-[a-z]+$\"}}, decision: "
		    "ask, reason: number %u}\n",
		    i, i, i);
}

/* Ten thousand rules load in a second or less; the bound allows for a busy machine. */
static void test_many_rules(void **state)
{
	struct timespec from, to;
	struct policy *policy;
	struct buf text;
	double seconds;

	(void)state;
	buf_init(&text, POLICY_FILE_MAX);
	put_rules(&text, 10000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	policy = loaded(buf_cstr(&text));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	print_message("# 10000 rules, %zu bytes: %.3f s of CPU\n", text.len, seconds);
	assert_int_equal(policy->tools[0].rule_count, 10000);
	assert_true(seconds < 10);
	policy_free(policy);
	buf_fini(&text);
}

/* The bound is that of the file, not of each tool. */
static void test_rules_of_all_tools(void **state)
{
	struct policy *policy = NULL;
	struct err_note note = {""};
	struct buf text;

	(void)state;
	buf_init(&text, POLICY_FILE_MAX);
	buf_text(&text, "tools:\n");
	for (unsigned tool = 0; tool < 3; tool++) {
		buf_textf(&text, "  t%u:\n    type: command\n    rules:\n", tool);
		for (unsigned i = 0; i < 7000; i++)
			buf_textf(&text, "    - {id: r%u, decision: ask}\n", i);
	}
	assert_int_equal(load(buf_cstr(&text), &policy, NULL, &note), -EINVAL);
	assert_string_equal(note.text, "p.yaml:20011:7: tools.t2.rules[6000]: is beyond the 20000 "
				       "rules a file may have; merge some");
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exec),
	    cmocka_unit_test(test_env_is_sorted),
	    cmocka_unit_test(test_rules_and_tests),
	    cmocka_unit_test(test_function_and_hints),
	    cmocka_unit_test(test_approval_is_inherited),
	    cmocka_unit_test(test_http),
	    cmocka_unit_test(test_principals_and_tenants),
	    cmocka_unit_test(test_foreign_file),
	    cmocka_unit_test(test_production_file),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_warnings_of_rows),
	    cmocka_unit_test(test_warnings_of_listeners),
	    cmocka_unit_test(test_channels),
	    cmocka_unit_test(test_json_values),
	    cmocka_unit_test(test_many_rules),
	    cmocka_unit_test(test_rules_of_all_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
