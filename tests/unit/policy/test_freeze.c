/* The frozen form: there and back, and what happens to bytes that were tampered with. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy/ask.h"
#include "policy/freeze.h"
#include "policy/load.h"
#include "tests/unit/policy/every_key.h"

static const char text[] =
    "server: {socket: {path: s, mode: \"0660\", group: g}, port: 8, tls: {cert: c, key: k}, "
    "rate_limiting: {enabled: true}}\n"
    "logger: {level: warn, format: json}\n"
    "audit: {directory: a}\n"
    "approvals: {channels: {ops: {type: github, url: \"https://o/\", secret_env: S}}}\n"
    "roles: {dev: {tools: [\"*\"], approve: [b], permissions: [audit:read]}, op: {}}\n"
    "principals:\n"
    "  - {peer_uid: 1, roles: [dev], agents: [coder], namespaces: [default]}\n"
    "  - {peer_gid: 2, roles: [op]}\n"
    "  - {jwt: {claim: c, value: v}, roles: [op]}\n"
    "  - {anonymous: true, roles: [op]}\n"
    "agents: {coder: {tools: [bash, b]}, other: {visibility: private}}\n"
    "namespaces: {default: {working_directory: w}, lab: {working_directory: l}}\n"
    "tenants: {acme: {namespaces: [lab], rate_limiting: {burst: 2}}}\n"
    "tools:\n"
    "  push:\n"
    "    type: command\n"
    "    parameters: {type: object, required: [b], properties: {b: {type: string}, t: {type: "
    "string}}}\n"
    "    exec: {program: git, argv: [push, {if: t, then: x}, \"{b}\"]}\n"
    "    stdin: \"{t}\"\n"
    "    env: {A: b, Z: {api_key_env: K}}\n"
    "    annotations: {title: Push, read_only: false}\n"
    "    approval: {quorum: 2, grants: [always], editable: [b], by_client: true}\n"
    "    rules: [{id: r, decision: ask, roles: [dev], reason: why, when: {b: {const: m}}}]\n"
    "  edit: {type: function, handler: text_editor}\n"
    "  bash:\n"
    "    type: command\n"
    "    description: some words\n"
    "    deny_by_default: true\n"
    "    allowed_commands: [ls, cat, /opt/x]\n"
    "    denied_commands: [sudo, /bin/rm]\n"
    "    require_approval: true\n"
    "    helpers: [/usr/lib/*]\n"
    "    sandbox: {memory: 64MiB, require: [userns, seccomp], workspace: ro, exec: true}\n"
    "  aside: {type: command, require_approval: effects, sandbox: {workspace: overlay}}\n"
    "  b: {type: command}\n";

static char *const environment[] = {"API_KEY_1=0123456789abcdef0123456789abcdef", NULL};

static struct policy *policy_of(const char *yaml)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = yaml, .len = strlen(yaml), .env = environment};
	struct policy *policy = NULL;
	struct err_note note = {""};

	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s", note.text);
	return policy;
}

static struct policy *policy_loaded(void)
{
	return policy_of(text);
}

static void frozen_of(struct buf *out, const char *yaml)
{
	struct policy *policy = policy_of(yaml);

	buf_init(out, POLICY_FROZEN_MAX);
	assert_int_equal(policy_freeze(out, policy), 0);
	policy_free(policy);
}

static void frozen(struct buf *out)
{
	frozen_of(out, text);
}

/* Walks all of a policy as its users do. */
static void use(const struct policy *policy)
{
	const struct subject subject = {
	    .shown = {.has_peer = true, .uid = 1, .gid = 2}, .agent = "coder", .space = ""};
	struct identity identity;
	struct command command;
	struct verdict verdict;
	struct buf out;

	buf_init(&out, 1 << 20);
	policy_identify(policy, &subject, &identity);
	assert_int_equal(command_parse(&command, "ls; /bin/rm x", 13), 0);
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		const struct policy_tool *tool = &policy->tools[i];

		ask_verdict(policy, tool, &command, &verdict);
		assert_true(verdict.decision >= DECISION_ALLOW);
		assert_true(verdict.decision <= DECISION_DENY);
		(void)ask_json(&out, policy, &identity, tool, &command);
		(void)ask_text(&out, policy, &identity, tool, &command);
		(void)policy_may_approve(&identity, tool->name);
		assert_ptr_equal(policy_find_tool(policy, tool->name), tool);
		assert_true(tool->max_execution_ms > 0);
		assert_true(tool->sandbox.workspace != WORKSPACE_NONE);
	}
	/* Freezing reads every byte that a pointer leads to. */
	buf_reset(&out);
	assert_int_equal(policy_freeze(&out, policy), 0);
	buf_fini(&out);
	command_fini(&command);
}

static void test_round_trip(void **state)
{
	struct buf first, second;
	struct policy *policy = NULL;

	(void)state;
	frozen(&first);
	assert_int_equal(policy_thaw(first.data, first.len, &policy), 0);
	use(policy);
	assert_string_equal(policy->file, "p.yaml");
	assert_int_equal(policy->socket_mode, 0660);
	assert_int_equal(policy_find_tool(policy, "bash")->denied_commands.items[0].pos.line, 30);
	assert_true(policy_find_tool(policy, "bash")->deny_by_default);
	assert_false(policy_find_tool(policy, "b")->deny_by_default);
	buf_init(&second, POLICY_FROZEN_MAX);
	assert_int_equal(policy_freeze(&second, policy), 0);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	policy_free(policy);
	buf_fini(&first);
	buf_fini(&second);
	policy_free(NULL);
}

/* Freezing what was thawed gives the same bytes, with every key there is. */
static void test_every_key(void **state)
{
	const struct policy_tool *push;
	struct policy *policy = NULL;
	struct buf first, second;

	(void)state;
	frozen_of(&first, every_key);
	assert_int_equal(policy_thaw(first.data, first.len, &policy), 0);
	use(policy);
	push = policy_find_tool(policy, "git_push");
	assert_string_equal(push->exec.elements[8].condition, "paths");
	assert_string_equal(push->env[3].name, "LANG");
	assert_int_equal(push->rules[1].when_count, 2);
	assert_int_equal(push->approval.grants, GRANT_ONCE | GRANT_ALWAYS);
	assert_int_equal(push->test_count, 0); /* tests are not frozen */
	assert_int_equal(policy->http.port, 8700);
	assert_string_equal(policy->http.auth.algorithms.items[1].text, "EdDSA");
	assert_int_equal(policy->http.auth.keep_keys_ms, 12 * 3600 * 1000);
	assert_string_equal(policy->http.auth.api_keys.items[0].text, "API_KEY_1");
	assert_string_equal(policy->http.tls.client_ca, "ca.pem");
	assert_true(policy->http.rate.per_user);
	assert_string_equal(policy->http.url, "https://gate.example:8443");
	assert_string_equal(policy->http.hosts.items[0].text, "gate.internal");
	assert_string_equal(policy->http.outgoing.networks.items[0].text, "10.0.0.0/8");
	assert_int_equal(policy->channel_count, 2);
	assert_int_equal(policy_find_channel(policy, "chat")->type, CHANNEL_SLACK);
	assert_string_equal(policy_find_channel(policy, "ops")->secret_env, "OPS_SECRET");
	assert_null(policy_find_channel(policy, "terminal"));
	assert_string_equal(push->approval.channels.items[1].text, "ops");
	assert_int_equal(push->approval.escalate_after_ms, 120000);
	assert_true(policy_find_tool(policy, "bash")->sandbox.callgate);
	assert_int_equal(policy_find_tool(policy, "edit")->handler, HANDLER_TEXT_EDITOR);
	assert_non_null(policy_find_pack(policy, "find"));
	assert_string_equal(policy_tenant_of(policy, "lab")->name, "globex");
	assert_true(policy->principals[4].anonymous);
	buf_init(&second, POLICY_FROZEN_MAX);
	assert_int_equal(policy_freeze(&second, policy), 0);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	policy_free(policy);
	buf_fini(&first);
	buf_fini(&second);
}

/* The version of a policy is the digest of these bytes: loading twice must give the same. */
static void test_same_bytes(void **state)
{
	struct buf first, second;

	(void)state;
	frozen(&first);
	frozen(&second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	buf_fini(&first);
	buf_fini(&second);
}

static void test_truncated(void **state)
{
	struct buf bytes;

	(void)state;
	frozen(&bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct policy *policy = NULL;
		/* A copy of just that size, so that the sanitizer sees a read too far. */
		uint8_t *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, bytes.data, len);
		assert_int_equal(policy_thaw(copy, len, &policy), -EBADMSG);
		assert_null(policy);
		free(copy);
	}
	assert_int_equal(buf_put_u8(&bytes, 0), 0);
	{
		struct policy *policy = NULL;

		assert_int_equal(policy_thaw(bytes.data, bytes.len, &policy), -EBADMSG);
	}
	buf_fini(&bytes);
}

static unsigned thaw_and_use(const struct buf *bytes)
{
	struct policy *policy = NULL;
	int fault = policy_thaw(bytes->data, bytes->len, &policy);

	if (fault) {
		assert_true(fault == -EBADMSG || fault == -ENOMEM);
		assert_null(policy);
		return 0;
	}
	use(policy);
	policy_free(policy);
	return 1;
}

static void test_each_byte_flipped(void **state)
{
	static const uint8_t masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
	unsigned accepted = 0, refused = 0;
	struct buf bytes;

	(void)state;
	frozen(&bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		for (size_t j = 0; j < sizeof(masks); j++) {
			bytes.data[i] ^= masks[j];
			if (thaw_and_use(&bytes))
				accepted++;
			else
				refused++;
			bytes.data[i] ^= masks[j];
		}
	}
	/* Letters and numbers may change into others; structure may not. */
	assert_true(refused > bytes.len);
	assert_true(accepted > 0);
	buf_fini(&bytes);
}

static void test_random_bytes(void **state)
{
	uint32_t seed = 42;
	struct buf bytes;

	(void)state;
	frozen(&bytes);
	for (int round = 0; round < 20000; round++) {
		struct buf copy;
		int changes;

		buf_init(&copy, POLICY_FROZEN_MAX);
		assert_int_equal(buf_put(&copy, bytes.data, bytes.len), 0);
		seed = seed * 1664525u + 1013904223u;
		changes = 1 + (int)(seed >> 28);
		for (int i = 0; i < changes; i++) {
			seed = seed * 1664525u + 1013904223u;
			copy.data[8 + (seed >> 8) % (copy.len - 8)] = (uint8_t)(seed >> 3);
		}
		(void)thaw_and_use(&copy);
		buf_fini(&copy);
	}
	buf_fini(&bytes);
}

/* A field out of its bounds, an order or a whole that the lookups rely on: refused. */
static void refuse_changed(void (*change)(struct policy *policy))
{
	struct policy *policy = policy_loaded(), *thawed = NULL;
	struct buf bytes;

	change(policy);
	buf_init(&bytes, POLICY_FROZEN_MAX);
	assert_int_equal(policy_freeze(&bytes, policy), 0);
	assert_int_equal(policy_thaw(bytes.data, bytes.len, &thawed), -EBADMSG);
	assert_null(thawed);
	buf_fini(&bytes);
	policy_free(policy);
}

static struct policy_tool *tool_of(struct policy *policy, const char *name)
{
	return (struct policy_tool *)policy_find_tool(policy, name);
}

static void no_decision(struct policy *policy)
{
	policy->default_decision = DECISION_NONE;
}
static void decision_four(struct policy *policy)
{
	policy->default_decision = (enum decision)4;
}
static void no_visibility(struct policy *policy)
{
	policy->tools[0].visibility = VISIBILITY_NONE;
}
static void no_type(struct policy *policy)
{
	policy->tools[0].type = TOOL_NONE;
}
static void no_time(struct policy *policy)
{
	policy->tools[0].max_execution_ms = 0;
}
static void no_workspace(struct policy *policy)
{
	policy->tools[1].sandbox.workspace = WORKSPACE_NONE;
}
static void no_matcher(struct policy *policy)
{
	policy->principals[0].has_uid = false;
}
static void uid_minus_one(struct policy *policy)
{
	policy->principals[0].uid = UINT32_MAX;
}
static void unknown_permission(struct policy *policy)
{
	policy->roles[0].permissions = 1u << PERMISSION_BIT_COUNT;
}
static void tools_unsorted(struct policy *policy)
{
	policy->tools[0].name = "zzz";
}
static void tools_same(struct policy *policy)
{
	policy->tools[0].name = policy->tools[1].name;
}
static void denied_unsorted(struct policy *policy)
{
	((struct policy_word *)tool_of(policy, "bash")->denied_commands.items)[0].text = "zzz";
}
static void no_namespace(struct policy *policy)
{
	policy->namespace_count = 0;
}
static void no_path(struct policy *policy)
{
	policy->path.count = 0;
}
static void agents_unsaid(struct policy *policy)
{
	policy->has_agents = false;
}
static void wild_mode(struct policy *policy)
{
	policy->socket_mode = 010000;
}
static void escape_in_text(struct policy *policy)
{
	policy->tools[0].description = "\033[2J";
}
static void bad_tool_name(struct policy *policy)
{
	policy->tools[0].name = "a b";
}
static void function_without_handler(struct policy *policy)
{
	tool_of(policy, "edit")->handler = HANDLER_NONE;
}
static void handler_three(struct policy *policy)
{
	tool_of(policy, "edit")->handler = (enum tool_handler)3;
}
static void command_with_handler(struct policy *policy)
{
	tool_of(policy, "b")->handler = HANDLER_GREP_SEARCH;
}
static void function_with_program(struct policy *policy)
{
	tool_of(policy, "edit")->exec.program = "git";
}
static void function_with_gate(struct policy *policy)
{
	tool_of(policy, "edit")->sandbox.callgate = true;
}
static void typed_without_schema(struct policy *policy)
{
	tool_of(policy, "push")->parameters = "";
}
static void elements_without_program(struct policy *policy)
{
	tool_of(policy, "push")->exec.program = "";
}
static void element_none(struct policy *policy)
{
	tool_of(policy, "push")->exec.elements[0].kind = ELEMENT_NONE;
}
static void stdin_without_name(struct policy *policy)
{
	tool_of(policy, "push")->stdin_parameter = "";
}
static void stdin_name_without_rule(struct policy *policy)
{
	tool_of(policy, "push")->stdin_rule = STDIN_RULE_YES;
}
static void env_unsorted(struct policy *policy)
{
	tool_of(policy, "push")->env[0].name = "ZZ";
}
static void env_ld_preload(struct policy *policy)
{
	tool_of(policy, "push")->env[0].name = "LD_PRELOAD";
}
static void env_path(struct policy *policy)
{
	tool_of(policy, "push")->env[0].name = "PATH";
}
static void env_no_source(struct policy *policy)
{
	tool_of(policy, "push")->env[0].source = ENV_NONE;
}
static void rule_undecided(struct policy *policy)
{
	tool_of(policy, "push")->rules[0].decision = DECISION_NONE;
}
static void rule_without_id(struct policy *policy)
{
	tool_of(policy, "push")->rules[0].id = "";
}
static void grants_eight(struct policy *policy)
{
	tool_of(policy, "push")->approval.grants = 8;
}
static void quorum_many(struct policy *policy)
{
	tool_of(policy, "push")->approval.quorum = 17;
}
static void hint_three(struct policy *policy)
{
	tool_of(policy, "push")->annotations.read_only = (enum hint)3;
}
static void pack_unknown(struct policy *policy)
{
	static const struct policy_word word = {"nowhere", {1, 1}};

	tool_of(policy, "b")->packs = (struct policy_words){&word, 1};
}
static void tenant_bad_name(struct policy *policy)
{
	policy->tenants[0].name = "a b";
}
static void jwt_without_value(struct policy *policy)
{
	policy->principals[2].jwt_value = "";
}
static void anonymous_and_uid(struct policy *policy)
{
	policy->principals[3].has_uid = true;
}
static void port_too_high(struct policy *policy)
{
	policy->http.port = 65536;
}
static void path_and_port(struct policy *policy)
{
	policy->http.listen = "run/http.sock";
}
static void listens_nowhere(struct policy *policy)
{
	policy->http.listen = "";
}
static void half_a_certificate(struct policy *policy)
{
	policy->http.tls.key = "";
}
static void client_cert_without_ca(struct policy *policy)
{
	policy->http.tls.require_client_cert = true;
}
static void jwks_alone(struct policy *policy)
{
	policy->http.auth.jwks_url = "https://a/";
}
static void required_not_looked_at(struct policy *policy)
{
	policy->http.auth.require_auth = true;
}
static void no_algorithm(struct policy *policy)
{
	policy->http.auth.algorithms.count = 0;
}
static void keys_kept_too_short(struct policy *policy)
{
	policy->http.auth.keep_keys_ms = policy->http.auth.refresh_interval_ms - 1;
}
static void rate_of_nothing(struct policy *policy)
{
	policy->http.rate.requests_per_minute = 0;
}
static void upload_of_nothing(struct policy *policy)
{
	policy->http.max_upload_bytes = 0;
}
static void channel_without_type(struct policy *policy)
{
	policy->channels[0].type = CHANNEL_NONE;
}
static void channel_six(struct policy *policy)
{
	policy->channels[0].type = CHANNEL_TYPE_COUNT;
}
static void channel_unsigned(struct policy *policy)
{
	policy->channels[0].secret_env = "";
}
static void channel_nowhere(struct policy *policy)
{
	policy->channels[0].url = "";
}
static void channel_twice_somewhere(struct policy *policy)
{
	policy->channels[0].url_env = "U";
}
static void channel_is_terminal(struct policy *policy)
{
	policy->channels[0].name = "terminal";
}
static void channel_unknown(struct policy *policy)
{
	policy->channels[0].name = "other";
}
static void anonymous_and_key(struct policy *policy)
{
	policy->principals[3].api_key = "K";
}

static void test_bounds(void **state)
{
	static void (*const changes[])(struct policy *) = {no_decision, decision_four,
	    no_visibility, no_type, no_time, no_workspace, no_matcher, uid_minus_one,
	    unknown_permission, tools_unsorted, tools_same, denied_unsorted, no_namespace, no_path,
	    agents_unsaid, wild_mode, escape_in_text, bad_tool_name, function_without_handler,
	    handler_three, command_with_handler, function_with_program, function_with_gate,
	    typed_without_schema, elements_without_program, element_none, stdin_without_name,
	    stdin_name_without_rule, env_unsorted, env_ld_preload, env_path, env_no_source,
	    rule_undecided, rule_without_id, grants_eight, quorum_many, hint_three, pack_unknown,
	    tenant_bad_name, jwt_without_value, anonymous_and_uid, anonymous_and_key, port_too_high,
	    path_and_port, listens_nowhere, half_a_certificate, client_cert_without_ca, jwks_alone,
	    required_not_looked_at, no_algorithm, keys_kept_too_short, rate_of_nothing,
	    upload_of_nothing, channel_without_type, channel_six, channel_unsigned, channel_nowhere,
	    channel_twice_somewhere, channel_is_terminal, channel_unknown};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		refuse_changed(changes[i]);
}

static void test_limit(void **state)
{
	struct policy *policy = policy_loaded();
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 100);
	assert_int_equal(policy_freeze(&bytes, policy), -ENOBUFS);
	buf_fini(&bytes);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_every_key),
	    cmocka_unit_test(test_same_bytes),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_each_byte_flipped),
	    cmocka_unit_test(test_random_bytes),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
