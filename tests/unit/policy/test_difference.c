/* What an edit means: pairs of real policies, and what is said of each. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/difference.h"
#include "policy/load.h"
#include "tests/unit/policy/every_key.h"

static char *const environment[] = {"API_KEY_1=0123456789abcdef0123456789abcdef", NULL};

static struct policy *loaded(const char *text)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = text, .len = strlen(text), .env = environment};
	struct policy *policy = NULL;
	struct err_note note = {""};

	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s: %s", text, note.text);
	return policy;
}

static json_t *difference(const char *old, const char *edited)
{
	struct policy *before = loaded(old), *after = loaded(edited);
	json_t *root = NULL;

	assert_int_equal(policy_difference(before, after, &root), 0);
	policy_free(before);
	policy_free(after);
	return root;
}

static void put_list(struct buf *out, const json_t *root, const char *name)
{
	const json_t *list = json_object_get(root, name);
	const json_t *entry;
	size_t i;

	assert_true(json_is_array(list));
	json_array_foreach(list, i, entry)
	    buf_textf(out, "%s %s: %s\n", name, json_string_value(json_object_get(entry, "who")),
		json_string_value(json_object_get(entry, "what")));
}

/* All three lists as lines. */
static void says(const char *old, const char *edited, const char *expected)
{
	json_t *root = difference(old, edited);
	struct buf text;

	buf_init(&text, 1 << 20);
	put_list(&text, root, "gains");
	put_list(&text, root, "loses");
	put_list(&text, root, "changed");
	assert_string_equal(text.len ? buf_cstr(&text) : "", expected);
	buf_fini(&text);
	json_decref(root);
}

#define TOOLS                                                                                      \
	"tools: {bash: {type: command}, git_log: {type: command}, git_push: {type: command}}\n"

static void test_nothing(void **state)
{
	(void)state;
	says("version: 1", "version: 1", "");
	says(every_key, every_key, "");
	/* Order, comments, quotes and what server: says are nothing. */
	says("roles: {a: {tools: [x]}, b: {}}\n" TOOLS,
	    TOOLS "# c\nserver: {port: 1}\nroles: {b: {}, 'a': {tools: [\"x\"]}}\n", "");
}

static void test_roles(void **state)
{
	(void)state;
	says("roles: {dev: {tools: [\"git_*\"], permissions: [audit:read]}}\n" TOOLS,
	    "roles: {dev: {tools: [git_log, bash], approve: [bash], permissions: "
	    "[approvals:decide]}}\n" TOOLS,
	    "gains role dev: may approve calls of bash\n"
	    "gains role dev: may call bash\n"
	    "gains role dev: permission approvals:decide\n"
	    "loses role dev: may call git_push\n"
	    "loses role dev: permission audit:read\n");
	/* A new tool that an old glob reaches. */
	says(
	    "roles: {dev: {tools: [\"*\"]}}", "roles: {dev: {tools: [\"*\"]}}\nnamespaces: {}", "");
	says("roles: {dev: {tools: [b]}, op: {tools: [b]}}\ntools: {b: {type: command}}",
	    "roles: {dev: {tools: [b]}}\ntools: {b: {type: command}}",
	    "loses role op: may call b\n");
}

#define WHO(row)                                                                                   \
	"roles: {dev: {}, op: {}}\nagents: {a: {}, b: {}}\n"                                       \
	"namespaces: {default: {working_directory: w}, lab: {working_directory: l}}\n"             \
	"principals: [" row "]\n"

static void test_principals(void **state)
{
	(void)state;
	says(WHO("{peer_uid: 1, roles: [dev]}"),
	    WHO("{peer_uid: 1, roles: [dev, op], namespaces: [lab]}"),
	    "gains principal peer_uid 1: role dev as any agent in namespace lab\n"
	    "gains principal peer_uid 1: role op as any agent in namespace lab\n"
	    "loses principal peer_uid 1: role dev as any agent in namespace default\n");
	/* Another matcher is another person. */
	says(WHO("{peer_uid: 1, roles: [dev]}"),
	    WHO("{peer_uid: 1, jwt: {claim: c, value: v}, roles: [dev]}"),
	    "gains principal peer_uid 1 and jwt c = v: role dev as any agent in namespace default\n"
	    "loses principal peer_uid 1: role dev as any agent in namespace default\n");
	/* Fewer agents are no gain, more are. */
	says(WHO("{api_key: K, roles: [dev]}"), WHO("{api_key: K, roles: [dev], agents: [a]}"),
	    "loses principal api_key K: role dev as any agent in namespace default\n");
	says(WHO("{api_key: K, roles: [dev], agents: [a]}"), WHO("{api_key: K, roles: [dev]}"),
	    "gains principal api_key K: role dev as any agent in namespace default\n");
	/* Roles do not change places between two rows of the same person unseen. */
	says(WHO("{peer_gid: 2, roles: [dev], namespaces: [lab]}, {peer_gid: 2, roles: [op]}"),
	    WHO("{peer_gid: 2, roles: [op], namespaces: [lab]}, {peer_gid: 2, roles: [dev]}"),
	    "gains principal peer_gid 2: role dev as any agent in namespace default\n"
	    "gains principal peer_gid 2: role op as any agent in namespace lab\n"
	    "loses principal peer_gid 2: role dev as any agent in namespace lab\n"
	    "loses principal peer_gid 2: role op as any agent in namespace default\n");
	says(WHO("{client_cert: {san: x}, roles: [dev]}"), WHO("{anonymous: true, roles: [dev]}"),
	    "gains principal anonymous: role dev as any agent in namespace default\n"
	    "loses principal client_cert x: role dev as any agent in namespace default\n");
}

static void test_commands(void **state)
{
	(void)state;
	says("tools: {t: {type: command, deny_by_default: true, require_approval: true, "
	     "allowed_commands: [ls, cat], denied_commands: [rm]}}",
	    "tools: {t: {type: command, allowed_commands: [ls, curl], denied_commands: [dd]}}",
	    "gains tool t: no longer asks a human about every call\n"
	    "gains tool t: no longer denies commands that it does not list\n"
	    "gains tool t: no longer denies rm\n"
	    "gains tool t: runs curl\n"
	    "loses tool t: now denies dd\n"
	    "loses tool t: runs cat\n");
}

static void test_effects(void **state)
{
	(void)state;
	says("tools: {t: {type: command, sandbox: {workspace: overlay}}}",
	    "tools: {t: {type: command, require_approval: effects, sandbox: {workspace: overlay}}}",
	    "loses tool t: now asks a human about what every call changed\n");
}

#define RULES(rows)                                                                                \
	"tools: {t: {type: command, exec: {program: git, argv: [\"{b}\"]}, parameters: {type: "    \
	"object, required: [b], properties: {b: {type: string}}}, rules: [" rows "]}}"

static void test_rules(void **state)
{
	(void)state;
	says(RULES("{id: a, decision: deny, when: {b: {const: x}}}, {id: b, decision: allow}"),
	    RULES("{id: a, decision: ask, when: {b: {const: x}}}, {id: c, decision: allow, reason: "
		  "why}"),
	    "gains tool t: rule c: allow (why)\n"
	    "loses tool t: rule b: allow\n"
	    "changed tool t: rule a: deny, when b {\"const\":\"x\"} -> ask, when b "
	    "{\"const\":\"x\"}\n");
	says(RULES("{id: a, decision: deny}"), RULES(""), "gains tool t: no longer rule a: deny\n");
	says(RULES(""), RULES("{id: a, decision: deny}"), "loses tool t: now rule a: deny\n");
}

static void test_visibility(void **state)
{
	(void)state;
	says("tools: {t: {type: command}}", "tools: {t: {type: command, visibility: private}}",
	    "loses whoever is authenticated: sees tool t\n"
	    "loses whoever shows nothing: sees tool t\n"
	    "changed tool t: visibility: public -> private\n");
	says("agents: {a: {visibility: internal, tools: [x]}}", "agents: {a: {tools: [x, y]}}",
	    "gains agent a: may call y\n"
	    "gains whoever shows nothing: sees agent a\n");
	says("version: 1", "agents: {}", "loses everybody: now acts as an agent of the file\n");
}

static void test_settings(void **state)
{
	(void)state;
	says("tools: {t: {type: command, sandbox: {memory: 64MiB}, env: {A: b}}}\ndefaults: "
	     "{decision: deny}",
	    "tools: {t: {type: command, sandbox: {memory: 128MiB, exec: true}, env: {A: "
	    "{api_key_env: K}, B: \"\"}, max_execution_time: 1s}}\ndefaults: {decision: allow}",
	    "gains tool t: runs programs of the workspace\n"
	    "changed everybody: defaults.decision: deny -> allow\n"
	    "changed tool t: env.A: 'b' -> variable K\n"
	    "changed tool t: env.B: (not there) -> ''\n"
	    "changed tool t: max_execution_time (ms): 60000 -> 1000\n"
	    "changed tool t: sandbox.memory: 67108864 -> 134217728\n");
	says("approvals: {quorum: 2, reason_required: true, channels: {o: {type: json, url_env: "
	     "A}}}",
	    "approvals: {by_client: true, channels: {o: {type: ntfy, url_env: B, roles: [r]}}}\n"
	    "roles: {r: {}}",
	    "gains channel o: answers with role r\n"
	    "gains everybody: lets the client ask its own user\n"
	    "gains everybody: no longer wants a reason for an approval\n"
	    "changed channel o: type: json -> ntfy\n"
	    "changed channel o: url_env: A -> B\n"
	    "changed everybody: approval.quorum: 2 -> 1\n");
	says("namespaces: {default: {working_directory: a}, lab: {working_directory: l}}\ntenants: "
	     "{t: {namespaces: [default]}}",
	    "namespaces: {default: {working_directory: b}, lab: {working_directory: l}}\ntenants: "
	    "{t: {namespaces: [lab], rate_limiting: {burst: 3}}}",
	    "gains tenant t: has namespace lab\n"
	    "loses tenant t: has namespace default\n"
	    "changed namespace default: working_directory: a -> b\n"
	    "changed tenant t: rate_limiting.burst: 0 -> 3\n");
}

/* A change behind the part that is shown is a change. */
static void test_long_values(void **state)
{
	char old[1024], edited[1024], text[512];
	json_t *root;
	const char *what;

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2);
	text[400] = '\0';
	snprintf(old, sizeof(old), "tools: {t: {type: command, description: \"%sx\"}}", text);
	snprintf(edited, sizeof(edited), "tools: {t: {type: command, description: \"%sy\"}}", text);
	root = difference(old, edited);
	assert_int_equal(json_array_size(json_object_get(root, "changed")), 1);
	what = json_string_value(
	    json_object_get(json_array_get(json_object_get(root, "changed"), 0), "what"));
	assert_non_null(strstr(what, "\xc3\xa9 ..."));
	json_decref(root);
}

static void put_tools(struct buf *text, unsigned count)
{
	buf_text(text, "roles: {r: {tools: [\"*\"]}}\ntools: {");
	for (unsigned i = 0; i < count; i++)
		buf_textf(text, "t%u: {type: function, handler: text_editor}, ", i);
	buf_text(text, "}\n");
}

/* The list ends, and says how much is missing. */
static void test_many(void **state)
{
	json_t *root, *gains;
	struct buf text;

	(void)state;
	buf_init(&text, POLICY_FILE_MAX);
	put_tools(&text, 1024);
	root = difference("version: 1", buf_cstr(&text));
	gains = json_object_get(root, "gains");
	assert_int_equal(json_array_size(gains), DIFFERENCE_ENTRIES_MAX + 1);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(gains, DIFFERENCE_ENTRIES_MAX), "what")),
	    "and 2072 more");
	json_decref(root);
	buf_fini(&text);
}

static void put_big(struct buf *text)
{
	buf_text(text, "roles: {");
	for (unsigned i = 0; i < 64; i++)
		buf_textf(text, "r%u: {}, ", i);
	buf_text(text, "}\nnamespaces: {");
	for (unsigned i = 0; i < 1024; i++)
		buf_textf(text, "n%u: {working_directory: w}, ", i);
	buf_text(text, "}\nprincipals:\n");
	for (unsigned row = 0; row < 8; row++) {
		buf_textf(text, "- {peer_uid: %u, roles: [", row);
		for (unsigned i = 0; i < 64; i++)
			buf_textf(text, "r%u, ", i);
		buf_text(text, "], namespaces: [");
		for (unsigned i = 0; i < 1024; i++)
			buf_textf(text, "n%u, ", i);
		buf_text(text, "]}\n");
	}
}

/* More than can be compared is said so, not cut in silence. */
static void test_too_many(void **state)
{
	struct policy *small = loaded("version: 1"), *big;
	json_t *root = NULL;
	struct buf text;

	(void)state;
	buf_init(&text, POLICY_FILE_MAX);
	put_big(&text);
	big = loaded(buf_cstr(&text));
	assert_int_equal(policy_difference(small, big, &root), -E2BIG);
	assert_int_equal(policy_difference(big, small, &root), -E2BIG);
	assert_null(root);
	policy_free(small);
	policy_free(big);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_roles),
	    cmocka_unit_test(test_principals),
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_effects),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_visibility),
	    cmocka_unit_test(test_settings),
	    cmocka_unit_test(test_long_values),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
