/* Who a caller is by what was shown: every matcher alone and together, what nobody has shown,
 * credentials that carry their own rights, and whoever shows nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/decide.h"
#include "policy/load.h"

static char *const environment[] = {
    "KEY_A=0123456789abcdef0123456789abcdef", "KEY_B=0123456789abcdef0123456789abcdeg", NULL};

static struct policy *loaded(const char *text)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = text, .len = strlen(text), .env = environment};
	struct policy *policy = NULL;
	struct err_note note = {""};

	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s", note.text);
	return policy;
}

/* Claims as a list of "claim=value". */
static bool has_claim(const void *claims, const char *claim, const char *value)
{
	const char *const *items = claims;
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%s=%s", claim, value);
	for (; *items; items++)
		if (!strcmp(*items, wanted))
			return true;
	return false;
}

static const char *const role_op[] = {"sub=x", "role=op", NULL};
static const char *const role_dev[] = {"role=dev", "op=role", NULL};
static const char *const sans[] = {"DNS:ci.corp", "URI:spiffe://corp/ci", "EMAIL:a@corp"};

static enum identity_result identify(
    const struct policy *policy, const struct shown *shown, struct identity *identity)
{
	const struct subject subject = {.shown = *shown, .agent = "", .space = ""};

	policy_identify(policy, &subject, identity);
	return identity->result;
}

/* Does a row of these matchers match? */
static bool matches(const char *matchers, const struct shown *shown)
{
	struct identity identity;
	struct policy *policy;
	char text[512];

	snprintf(text, sizeof(text),
	    "server: {auth: {api_keys: [\"${KEY_A}\", \"${KEY_B}\"]}}\n"
	    "roles: {r: {tools: [t]}}\n"
	    "principals: [{%s, roles: [r]}]\n"
	    "tools: {t: {type: command}}\n",
	    matchers);
	policy = loaded(text);
	(void)identify(policy, shown, &identity);
	assert_true((identity.result == IDENTITY_OK) == (identity.role_count == 1));
	policy_free(policy);
	return identity.result == IDENTITY_OK;
}

#define UID_0  "peer_uid: 0"
#define GID_0  "peer_gid: 0"
#define JWT    "jwt: {claim: role, value: op}"
#define CERT   "client_cert: {san: \"spiffe://corp/ci\"}"
#define KEY    "api_key: KEY_A"
#define ANYONE "anonymous: true"

/* Zero is a caller who has shown nothing, not root. */
static void test_nothing_shown(void **state)
{
	static const char *const rows[] = {UID_0, GID_0, UID_0 ", " GID_0, JWT, CERT, KEY, ANYONE,
	    UID_0 ", " JWT, GID_0 ", " CERT, CERT ", " KEY};
	const struct shown nothing = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (matches(rows[i], &nothing))
			fail_msg("%s matches nobody", rows[i]);
}

static void test_each_alone(void **state)
{
	const struct shown root = {.has_peer = true};
	const struct shown user = {.has_peer = true, .uid = 7, .gid = 8};
	const struct shown token = {.claims = role_op, .has = has_claim};
	const struct shown other_token = {.claims = role_dev, .has = has_claim};
	const struct shown mute_token = {.claims = role_op};
	const struct shown cert = {.sans = sans, .san_count = 3};
	const struct shown key = {.api_key = "KEY_A"};
	const struct shown other_key = {.api_key = "KEY_B"};
	const struct shown empty_key = {.api_key = ""};
	const struct shown anonymous = {.anonymous = true};

	(void)state;
	assert_true(matches(UID_0, &root));
	assert_true(matches(GID_0, &root));
	assert_false(matches(UID_0, &user));
	assert_true(matches("peer_uid: 7, peer_gid: 8", &user));
	assert_false(matches("peer_uid: 7, peer_gid: 7", &user));
	assert_true(matches(JWT, &token));
	assert_false(matches(JWT, &other_token));
	assert_false(matches(JWT, &mute_token));
	assert_true(matches(CERT, &cert));
	assert_true(matches(KEY, &key));
	assert_false(matches(KEY, &other_key));
	assert_false(matches(KEY, &empty_key));
	assert_true(matches(ANYONE, &anonymous));
	/* One proof does not stand for another. */
	assert_false(matches(UID_0, &key));
	assert_false(matches(KEY, &root));
	assert_false(matches(CERT, &token));
	assert_false(matches(JWT, &cert));
	assert_false(matches(ANYONE, &root));
	assert_false(matches(ANYONE, &key));
	assert_false(matches(UID_0, &anonymous));
}

/* Every matcher that a row has must be met. */
static void test_together(void **state)
{
	const struct shown all = {.has_peer = true,
	    .claims = role_op,
	    .has = has_claim,
	    .sans = sans,
	    .san_count = 3,
	    .api_key = "KEY_A"};
	static const char row[] = UID_0 ", " GID_0 ", " JWT ", " CERT ", " KEY;
	struct shown lacking;

	(void)state;
	assert_true(matches(row, &all));
	assert_true(matches(UID_0 ", " JWT, &all));
	lacking = all;
	lacking.has_peer = false;
	assert_false(matches(row, &lacking));
	assert_false(matches(UID_0 ", " JWT, &lacking));
	lacking = all;
	lacking.gid = 1;
	assert_false(matches(row, &lacking));
	lacking = all;
	lacking.claims = NULL;
	assert_false(matches(row, &lacking));
	assert_false(matches(UID_0 ", " JWT, &lacking));
	lacking = all;
	lacking.san_count = 1;
	assert_false(matches(row, &lacking));
	lacking = all;
	lacking.api_key = NULL;
	assert_false(matches(row, &lacking));
}

/* A name of one kind cannot pass for that of another, nor a part of it for the whole. */
static void test_san_kinds(void **state)
{
	static const char *const hosts[] = {"DNS:spiffe://corp/ci", "EMAIL:spiffe://corp/ci",
	    "spiffe://corp/ci", "URI:spiffe://corp/ci2", "URI:spiffe://corp/c", "URI:"};
	static const char *const other[] = {
	    "URI:ci.corp", "DNS:a@corp", "URI:a@corp", "DNS:x.ci.corp", "DNS:urn:a:b"};
	static const char *const urn[] = {"URI:urn:a:b"};
	const struct shown shown = {.sans = sans, .san_count = 3};
	const struct shown as_hosts = {.sans = hosts, .san_count = 6};
	const struct shown as_other = {.sans = other, .san_count = 5};
	const struct shown as_urn = {.sans = urn, .san_count = 1};

	(void)state;
	assert_true(matches("client_cert: {san: ci.corp}", &shown));
	assert_true(matches("client_cert: {san: a@corp}", &shown));
	assert_true(matches(CERT, &shown));
	assert_false(matches(CERT, &as_hosts));
	assert_false(matches("client_cert: {san: ci.corp}", &as_other));
	assert_false(matches("client_cert: {san: a@corp}", &as_other));
	assert_false(matches("client_cert: {san: \"urn:a:b\"}", &as_other));
	assert_true(matches("client_cert: {san: \"urn:a:b\"}", &as_urn));
}

static const char house[] =
    "server: {auth: {enabled: true, require_auth: false}}\n"
    "roles:\n"
    "  dev: {tools: [\"*\"], permissions: [audit:read, metrics:read]}\n"
    "  op: {tools: [\"*\"], approve: [\"*\"], permissions: [approvals:read, approvals:decide]}\n"
    "principals:\n"
    "  - {peer_uid: 0, roles: [dev, op], namespaces: [default, lab]}\n"
    "  - {anonymous: true, roles: [dev], namespaces: [default]}\n"
    "agents:\n"
    "  open: {tools: [pub, inn, priv]}\n"
    "  inner: {visibility: internal, tools: [pub, inn, priv]}\n"
    "  hidden: {visibility: private, tools: [pub, inn, priv]}\n"
    "namespaces: {default: {working_directory: w}, lab: {working_directory: l}}\n"
    "tools:\n"
    "  pub: {type: command}\n"
    "  inn: {type: command, visibility: internal}\n"
    "  priv: {type: command, visibility: private}\n";

static enum identity_result as(const struct policy *policy, const struct shown *shown,
    const char *agent, const char *space, struct identity *identity)
{
	const struct subject subject = {.shown = *shown, .agent = agent, .space = space};

	policy_identify(policy, &subject, identity);
	return identity->result;
}

static bool reaches(const struct policy *policy, const struct identity *identity, const char *tool)
{
	return policy_reachable(identity, policy_find_tool(policy, tool));
}

#define GLOBS(...)                                                                                 \
	(struct shown_globs)                                                                       \
	{                                                                                          \
		(const char *const[]){__VA_ARGS__},                                                \
		    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)              \
	}

/* What a credential of our own carries stands in place of all rows, and only narrows roles. */
static void test_own_narrows(void **state)
{
	struct policy *policy = loaded(house);
	const struct shown_own own = {.roles = GLOBS("dev"),
	    .tools = GLOBS("i*"),
	    .agents = GLOBS("inner"),
	    .namespaces = GLOBS("lab"),
	    .permissions = PERMISSION(AUDIT_READ) | PERMISSION(KEYS_MANAGE)};
	/* As root he would have all; the key does not add to that. */
	const struct shown shown = {.has_peer = true, .own = &own};
	struct identity identity;

	(void)state;
	assert_int_equal(as(policy, &shown, "inner", "lab", &identity), IDENTITY_OK);
	assert_int_equal(identity.role_count, 1);
	assert_string_equal(identity.roles[0]->name, "dev");
	assert_int_equal(identity.permissions, PERMISSION(AUDIT_READ));
	assert_true(reaches(policy, &identity, "inn"));
	assert_false(reaches(policy, &identity, "pub"));
	assert_false(reaches(policy, &identity, "priv"));
	assert_int_equal(as(policy, &shown, "", "lab", &identity), IDENTITY_OK); /* the only one */
	assert_string_equal(identity.agent->name, "inner");
	assert_int_equal(as(policy, &shown, "open", "lab", &identity), IDENTITY_UNKNOWN_AGENT);
	assert_int_equal(as(policy, &shown, "hidden", "lab", &identity), IDENTITY_UNKNOWN_AGENT);
	assert_int_equal(as(policy, &shown, "inner", "", &identity), IDENTITY_NO_NAMESPACE);
	assert_int_equal(as(policy, &shown, "inner", "default", &identity), IDENTITY_NO_NAMESPACE);
	policy_free(policy);
}

static void test_own_of_nothing(void **state)
{
	struct policy *policy = loaded(house);
	const struct shown_own none = {0};
	const struct shown_own unknown = {.roles = GLOBS("gone"),
	    .tools = GLOBS("*"),
	    .agents = GLOBS("*"),
	    .namespaces = GLOBS("*")};
	const struct shown as_none = {.has_peer = true, .own = &none};
	const struct shown as_unknown = {.has_peer = true, .own = &unknown};
	struct identity identity;

	(void)state;
	assert_int_equal(as(policy, &as_none, "open", "", &identity), IDENTITY_NO_ROLE);
	assert_int_equal(identity.permissions, 0);
	assert_int_equal(as(policy, &as_unknown, "open", "", &identity), IDENTITY_NO_ROLE);
	assert_false(reaches(policy, &identity, "pub"));
	policy_free(policy);
}

/* The service key has its rights besides, without a role, and calls nothing with them. */
static void test_own_besides(void **state)
{
	struct policy *policy = loaded(house);
	const struct shown_own service = {.besides = PERMISSION(KEYS_MANAGE)};
	const struct shown_own mixed = {.roles = GLOBS("op"),
	    .tools = GLOBS("pub"),
	    .agents = GLOBS("*"),
	    .namespaces = GLOBS("default"),
	    .permissions = PERMISSION(APPROVALS_DECIDE),
	    .besides = PERMISSION(TOKENS_ISSUE)};
	const struct shown as_service = {.own = &service};
	const struct shown as_mixed = {.own = &mixed};
	const struct subject subject = {.shown = as_service, .agent = "", .space = ""};
	struct identity identity;

	(void)state;
	assert_int_not_equal(as(policy, &as_service, "", "", &identity), IDENTITY_OK);
	assert_int_equal(identity.permissions, PERMISSION(KEYS_MANAGE));
	assert_int_equal(identity.role_count, 0);
	assert_false(reaches(policy, &identity, "pub"));
	policy_identify_space(policy, &subject, "default", &identity);
	assert_int_equal(identity.result, IDENTITY_NO_NAMESPACE);
	assert_int_equal(identity.permissions, 0);
	assert_int_equal(as(policy, &as_mixed, "open", "", &identity), IDENTITY_OK);
	assert_int_equal(
	    identity.permissions, PERMISSION(APPROVALS_DECIDE) | PERMISSION(TOKENS_ISSUE));
	assert_true(policy_may_approve(&identity, "pub"));
	assert_false(policy_may_approve(&identity, "inn"));
	policy_free(policy);
}

/* Whoever shows nothing sees what is public and nothing else. */
static void test_anonymous(void **state)
{
	struct policy *policy = loaded(house);
	const struct shown anonymous = {.anonymous = true};
	const struct shown root = {.has_peer = true};
	struct identity identity;

	(void)state;
	assert_int_equal(as(policy, &anonymous, "open", "", &identity), IDENTITY_OK);
	assert_true(reaches(policy, &identity, "pub"));
	assert_false(reaches(policy, &identity, "inn"));
	assert_false(reaches(policy, &identity, "priv"));
	assert_int_equal(as(policy, &anonymous, "inner", "", &identity), IDENTITY_UNKNOWN_AGENT);
	assert_int_equal(as(policy, &anonymous, "hidden", "", &identity), IDENTITY_UNKNOWN_AGENT);
	assert_int_equal(as(policy, &anonymous, "", "", &identity), IDENTITY_OK);
	assert_string_equal(identity.agent->name, "open"); /* the only one for him */
	assert_int_equal(as(policy, &anonymous, "open", "lab", &identity), IDENTITY_NO_NAMESPACE);
	assert_int_equal(as(policy, &root, "inner", "lab", &identity), IDENTITY_OK);
	assert_true(reaches(policy, &identity, "inn"));
	assert_false(reaches(policy, &identity, "priv"));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_shown),
	    cmocka_unit_test(test_each_alone),
	    cmocka_unit_test(test_together),
	    cmocka_unit_test(test_san_kinds),
	    cmocka_unit_test(test_own_narrows),
	    cmocka_unit_test(test_own_of_nothing),
	    cmocka_unit_test(test_own_besides),
	    cmocka_unit_test(test_anonymous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
