/* What a good policy is remarked upon for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy/load.h"
#include "policy/remarks.h"

#define SOMEBODY                                                                                   \
	"roles: {r: {tools: [\"*\"]}, h: {approve: [good, \"b*\"]},"                               \
	" d: {permissions: [approvals:decide]}}\n"                                                 \
	"principals: [{peer_uid: 7, roles: [r]}, {peer_uid: 8, roles: [h, d]}]\n"

static void remarked(const char *text, const char *expected)
{
	struct policy_source source = {.file = "p.yaml", .text = text, .len = strlen(text)};
	struct err_note note = {""};
	struct policy *policy;
	struct buf out;

	buf_init(&out, 65536);
	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s", note.text);
	policy_remarks(policy, &out);
	if (!expected[0] ? out.len : !strstr(buf_cstr(&out), expected))
		fail_msg("\"%s\" is not \"%s\"", out.len ? buf_cstr(&out) : "", expected);
	policy_free(policy);
	buf_fini(&out);
}

static void nobody_may_do_anything(void **state)
{
	(void)state;
	remarked("tools: {}\n", "p.yaml:1:1: principals: there are none, so nobody may");
	remarked("roles: {r: {permissions: [audit:read]}}\nprincipals: [{peer_uid: 7, roles: [r]}]",
	    "p.yaml:2:14: principals: no role of theirs has tools");
	remarked(SOMEBODY, "");
}

static void everything_runs(void **state)
{
	(void)state;
	remarked(SOMEBODY "tools:\n  bash: {type: command}\n",
	    "p.yaml:4:3: tools.bash: without deny_by_default every program");
	remarked(SOMEBODY "tools: {bash: {type: command, deny_by_default: true,"
			  " allowed_commands: [ls]}, t: {type: command, exec: {program: ls},"
			  " rules: [{id: all, decision: allow}]}, f: {type: function,"
			  " handler: text_editor}}\n",
	    "");
}

#define ASKING(how) "tools: {x: {type: command, " how "}}\n"
#define LIST        "deny_by_default: true, allowed_commands: [ls]"
#define UNANSWERED  "can ask, and nobody may answer"

static void nobody_may_answer(void **state)
{
	(void)state;
	remarked(SOMEBODY ASKING(LIST ", require_approval: true"),
	    "p.yaml:3:9: tools.x: require_approval " UNANSWERED);
	remarked(
	    SOMEBODY ASKING(LIST ", rules: [{id: a, when: {command: {const: ls}}, decision: ask}]"),
	    "tools.x: one of its rules " UNANSWERED);
	remarked(SOMEBODY ASKING("deny_by_default: true, allowed_commands: [git], packs: [git]"),
	    "tools.x: one of its packs " UNANSWERED);
	remarked(SOMEBODY ASKING("exec: {program: ls}"), "tools.x: defaults.decision " UNANSWERED);
	remarked(SOMEBODY "defaults: {decision: deny}\n" ASKING("exec: {program: ls}"), "");
	remarked(SOMEBODY ASKING(LIST), "");
	/* Somebody may: by the tool's name, by a glob, or the client asks its own user. */
	remarked(SOMEBODY "tools: {good: {type: command, " LIST ", require_approval: true},"
			  " bash: {type: command, " LIST ", require_approval: true}}\n",
	    "");
	remarked(SOMEBODY ASKING(LIST ", require_approval: true, approval: {by_client: true}"), "");
}

/* A role that may approve and is nobody's answers nothing, and neither does half of it. */
static void half_a_right_is_none(void **state)
{
	(void)state;
	remarked(
	    "roles: {r: {tools: [\"*\"]}, h: {approve: [x], permissions: [approvals:decide]}}\n"
	    "principals: [{peer_uid: 7, roles: [r]}]\n" ASKING(LIST ", require_approval: true"),
	    UNANSWERED);
	remarked(
	    "roles: {r: {tools: [\"*\"], approve: [x]}}\n"
	    "principals: [{peer_uid: 7, roles: [r]}]\n" ASKING(LIST ", require_approval: true"),
	    UNANSWERED);
}

#define HOOK(roles) "approvals: {channels: {ops: {type: ntfy, url_env: U, roles: [" roles "]}}}\n"

/* Whoever stands behind a web hook is somebody, for the tools that ask there. */
static void a_channel_may_answer(void **state)
{
	static const char asking[] =
	    "tools: {bash: {type: command, " LIST ", require_approval: true}}\n";
	static const char elsewhere[] =
	    "tools: {bash: {type: command, " LIST ", require_approval: true,"
	    " approval: {channels: [terminal]}}}\n";
	char text[1024];
	const struct {
		const char *channel, *tools, *expected;
	} rows[] = {
	    {HOOK("h, d"), asking, ""},
	    {HOOK("h"), asking, UNANSWERED},
	    {HOOK(""), asking, UNANSWERED},
	    {HOOK("h, d"), elsewhere, UNANSWERED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
		    "roles: {r: {tools: [\"*\"]}, h: {approve: [\"b*\"]}, d: {permissions: "
		    "[approvals:decide]}}\nprincipals: [{peer_uid: 7, roles: [r]}]\n%s%s",
		    rows[i].channel, rows[i].tools);
		remarked(text, rows[i].expected);
	}
}

/* A channel with roles is somebody, where the tool lists it; people are, where it lists the
 * terminal. */
static void channels_are_somebody(void **state)
{
#define CHANNEL(roles)                                                                             \
	"approvals: {channels: {ops: {type: json, url: \"https://a.example/\"" roles "}}}\n"       \
	"roles: {r: {tools: [\"*\"]}, h: {approve: [x], permissions: [approvals:decide]}}\n"
#define ROWS "principals: [{peer_uid: 7, roles: [r]}]\n"
#define ASKS ASKING(LIST ", require_approval: true")
	(void)state;
	remarked(CHANNEL("") ROWS ASKS, UNANSWERED);
	remarked(CHANNEL(", roles: [r]") ROWS ASKS, UNANSWERED);
	remarked(CHANNEL(", roles: [h]") ROWS ASKS, "");
	remarked(CHANNEL(", roles: [h]")
		     ROWS ASKING(LIST ", require_approval: true, approval: {channels: [terminal]}"),
	    UNANSWERED);
	remarked(CHANNEL("") "principals: [{peer_uid: 7, roles: [r, h]}]\n" ASKING(
		     LIST ", require_approval: true, approval: {channels: [ops]}"),
	    UNANSWERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_may_do_anything),
	    cmocka_unit_test(everything_runs),
	    cmocka_unit_test(nobody_may_answer),
	    cmocka_unit_test(half_a_right_is_none),
	    cmocka_unit_test(a_channel_may_answer),
	    cmocka_unit_test(channels_are_somebody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
