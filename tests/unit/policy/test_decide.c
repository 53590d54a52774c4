/* Who may do what: tables of policy, subject, command and verdict. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/policy/ask.h"
#include "policy/load.h"

#define WHO(uid_, gid_, agent_, space_)                                                            \
	{                                                                                          \
		.shown = {.has_peer = true, .uid = (uid_), .gid = (gid_)}, .agent = (agent_),      \
		.space = (space_)                                                                  \
	}

static struct policy *policy_of(const char *text)
{
	const struct policy_source source = {.file = "p.yaml", .text = text, .len = strlen(text)};
	struct policy *policy = NULL;
	struct err_note note = {""};

	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s\n%s", note.text, text);
	return policy;
}

/* ---- decision ----------------------------------------------------------------------------- */

/* Rules of tool t, then defaults.decision. */
#define LISTED                                                                                     \
	"deny_by_default: true, allowed_commands: [ls, cat, /opt/x/tool], denied_commands: [rm]"
#define SHELL  "deny_by_default: true, allowed_commands: [ls, cat, sh], denied_commands: [rm]"
#define ASKS   LISTED ", require_approval: true"
#define OPEN   "denied_commands: [rm, /usr/bin/dd]"
#define PARTLY "allowed_commands: [ls]"
#define NOSH   "allowed_commands: [ls], denied_commands: [sh]"

struct verdict_row {
	const char *rules;
	const char *fallback;
	const char *text;
	enum decision decision;
	enum rule_kind kind;
	const char *word;
};

static const struct verdict_row verdicts[] = {
    /* DESIGN 5.4: "in the example ls asks and curl is denied" */
    {ASKS, "ask", "ls", DECISION_ASK, RULE_REQUIRE_APPROVAL, ""},
    {ASKS, "ask", "curl x", DECISION_DENY, RULE_DENY_BY_DEFAULT, "curl"},
    {ASKS, "allow", "rm x", DECISION_DENY, RULE_DENIED_COMMAND, "rm"},
    {ASKS, "deny", "ls", DECISION_ASK, RULE_REQUIRE_APPROVAL, ""},
    {LISTED, "deny", "ls -l", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "ls"},
    {LISTED, "ask", "'l's -l", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "ls"},
    {LISTED, "allow", "lsx", DECISION_DENY, RULE_DENY_BY_DEFAULT, "lsx"},
    {LISTED, "allow", "LS", DECISION_DENY, RULE_DENY_BY_DEFAULT, "LS"},
    /* words with a slash */
    {LISTED, "ask", "/bin/ls", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "/bin/ls"},
    {LISTED, "ask", "/usr/bin/ls", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "/usr/bin/ls"},
    {LISTED, "ask", "/tmp/ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "/tmp/ls"},
    {LISTED, "ask", "/usr/bin/../bin/ls", DECISION_DENY, RULE_DENY_BY_DEFAULT,
	"/usr/bin/../bin/ls"},
    {LISTED, "ask", "/usr/bin//ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "/usr/bin//ls"},
    {LISTED, "ask", "//bin/ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "//bin/ls"},
    {LISTED, "ask", "/ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "/ls"},
    {LISTED, "ask", "./ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "./ls"},
    {LISTED, "ask", "bin/ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "bin/ls"},
    {LISTED, "ask", "/bin/ls/", DECISION_DENY, RULE_DENY_BY_DEFAULT, "/bin/ls/"},
    {LISTED, "ask", "/opt/x/tool", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "/opt/x/tool"},
    {LISTED, "ask", "tool", DECISION_DENY, RULE_DENY_BY_DEFAULT, "tool"},
    {LISTED, "ask", "/bin/tool", DECISION_DENY, RULE_DENY_BY_DEFAULT, "/bin/tool"},
    /* denied: by basename, on the strict side */
    {OPEN, "allow", "rm", DECISION_DENY, RULE_DENIED_COMMAND, "rm"},
    {OPEN, "allow", "/bin/rm", DECISION_DENY, RULE_DENIED_COMMAND, "/bin/rm"},
    {OPEN, "allow", "./x/rm", DECISION_DENY, RULE_DENIED_COMMAND, "./x/rm"},
    {OPEN, "allow", "dd", DECISION_DENY, RULE_DENIED_COMMAND, "dd"},
    {OPEN, "allow", "/opt/dd", DECISION_DENY, RULE_DENIED_COMMAND, "/opt/dd"},
    /* nothing speaks */
    {OPEN, "allow", "curl", DECISION_ALLOW, RULE_DEFAULT_DECISION, "curl"},
    {OPEN, "ask", "curl", DECISION_ASK, RULE_DEFAULT_DECISION, "curl"},
    {OPEN, "deny", "curl", DECISION_DENY, RULE_DEFAULT_DECISION, "curl"},
    {PARTLY, "ask", "curl", DECISION_ASK, RULE_DEFAULT_DECISION, "curl"},
    {PARTLY, "ask", "ls", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "ls"},
    /* shell strings */
    {LISTED, "allow", "ls | cat", DECISION_DENY, RULE_SHELL_NOT_ALLOWED, "sh"},
    {LISTED, "allow", "ls > f", DECISION_DENY, RULE_SHELL_NOT_ALLOWED, "sh"},
    {SHELL, "ask", "ls | cat", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "sh"},
    {SHELL, "ask", "ls > f", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "sh"},
    {SHELL, "ask", "ls; rm x", DECISION_DENY, RULE_DENIED_COMMAND, "rm"},
    {SHELL, "ask", "ls && curl", DECISION_DENY, RULE_DENY_BY_DEFAULT, "curl"},
    {SHELL, "ask", "ls && /bin/cat", DECISION_ALLOW, RULE_ALLOWED_COMMAND, "sh"},
    {PARTLY, "allow", "ls; ls", DECISION_DENY, RULE_SHELL_NOT_ALLOWED, "sh"},
    {NOSH, "allow", "ls; ls", DECISION_DENY, RULE_DENIED_COMMAND, "sh"},
    {OPEN, "allow", "ls; cat", DECISION_ALLOW, RULE_DEFAULT_DECISION, "ls"},
    {OPEN, "allow", "ls; rm", DECISION_DENY, RULE_DENIED_COMMAND, "rm"},
    {OPEN, "ask", "ls; cat", DECISION_ASK, RULE_DEFAULT_DECISION, "ls"},
    {"denied_commands: [sh]", "allow", "ls; cat", DECISION_DENY, RULE_DENIED_COMMAND, "sh"},
    {"allowed_commands: [ls, sh]", "ask", "ls; curl", DECISION_ASK, RULE_DEFAULT_DECISION, "curl"},
    {"allowed_commands: [ls, sh]", "deny", "ls; curl", DECISION_DENY, RULE_DEFAULT_DECISION,
	"curl"},
    /* not analysable */
    {LISTED, "allow", "ls $x", DECISION_DENY, RULE_SHELL_NOT_ALLOWED, "sh"},
    {LISTED, "allow", "if ls; then rm; fi", DECISION_DENY, RULE_SHELL_NOT_ALLOWED, "sh"},
    {SHELL, "allow", "ls $x", DECISION_ASK, RULE_NOT_ANALYSABLE, ""},
    {SHELL, "allow", "ls *.c", DECISION_ASK, RULE_NOT_ANALYSABLE, ""},
    {SHELL, "deny", "ls $x", DECISION_ASK, RULE_NOT_ANALYSABLE, ""},
    {SHELL, "allow", "rm -rf $HOME", DECISION_DENY, RULE_DENIED_COMMAND, "rm"},
    {SHELL, "allow", "curl $x", DECISION_DENY, RULE_DENY_BY_DEFAULT, "curl"},
    {OPEN, "allow", "ls $x", DECISION_ASK, RULE_NOT_ANALYSABLE, ""},
    {OPEN, "allow", "rm $x", DECISION_DENY, RULE_DENIED_COMMAND, "rm"},
    {OPEN, "deny", "A=1 ls", DECISION_DENY, RULE_DEFAULT_DECISION, ""},
    {PARTLY, "allow", "ls $x", DECISION_DENY, RULE_SHELL_NOT_ALLOWED, "sh"},
    {NOSH, "allow", "ls $x", DECISION_DENY, RULE_DENIED_COMMAND, "sh"},
    {"require_approval: true", "deny", "A=1 ls", DECISION_ASK, RULE_NOT_ANALYSABLE, ""},
    {"require_approval: true", "deny", "anything", DECISION_ASK, RULE_REQUIRE_APPROVAL, ""},
    {"require_approval: false", "allow", "anything", DECISION_ALLOW, RULE_DEFAULT_DECISION,
	"anything"},
    {"deny_by_default: true", "allow", "ls", DECISION_DENY, RULE_DENY_BY_DEFAULT, "ls"},
};

static struct policy *policy_with(const char *rules, const char *fallback)
{
	char text[512];

	snprintf(text, sizeof(text), "defaults: {decision: %s}\ntools:\n  t: {type: command, %s}\n",
	    fallback, rules);
	return policy_of(text);
}

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		const struct verdict_row *row = &verdicts[i];
		struct policy *policy = policy_with(row->rules, row->fallback);
		struct verdict verdict;
		struct command command;

		assert_int_equal(command_parse(&command, row->text, strlen(row->text)), 0);
		ask_verdict(policy, &policy->tools[0], &command, &verdict);
		if (verdict.decision != row->decision || verdict.kind != row->kind ||
		    strcmp(verdict.word, row->word))
			fail_msg("%s with {%s}, default %s: %s, kind %d, '%s'", row->text,
			    row->rules, row->fallback, decision_name(verdict.decision),
			    (int)verdict.kind, verdict.word);
		assert_non_null(verdict.why);
		command_fini(&command);
		policy_free(policy);
	}
}

/* Nothing analysed, nothing permitted. */
static void test_zero_command(void **state)
{
	struct policy *policy = policy_with("denied_commands: [x]", "allow");
	const struct command command = {.form = COMMAND_NONE};
	struct verdict verdict;

	(void)state;
	ask_verdict(policy, &policy->tools[0], &command, &verdict);
	assert_int_equal(verdict.decision, DECISION_DENY);
	policy_free(policy);
}

/* A word more in a string never makes it milder: not with any rules, not with any default. */
static void test_more_words_are_not_milder(void **state)
{
	static const char *const all_rules[] = {LISTED, SHELL, ASKS, OPEN, PARTLY, NOSH,
	    "allowed_commands: [sh]", "require_approval: true", "deny_by_default: true"};
	static const char *const fallbacks[] = {"allow", "ask", "deny"};
	static const char *const words[] = {"ls", "rm", "curl", "sh", "/bin/ls", "./ls", "dd"};

	(void)state;
	for (size_t r = 0; r < sizeof(all_rules) / sizeof(all_rules[0]) * 3; r++) {
		struct policy *policy = policy_with(all_rules[r / 3], fallbacks[r % 3]);

		for (size_t w = 0; w < 49; w++) {
			struct command one, two, unreadable;
			struct verdict first, second, third;
			char text[64];

			(void)snprintf(text, sizeof(text), "%s", words[w % 7]);
			assert_int_equal(command_parse(&one, text, strlen(text)), 0);
			(void)snprintf(text, sizeof(text), "%s; %s", words[w / 7], words[w % 7]);
			assert_int_equal(command_parse(&two, text, strlen(text)), 0);
			(void)snprintf(text, sizeof(text), "%s $x", words[w % 7]);
			assert_int_equal(command_parse(&unreadable, text, strlen(text)), 0);
			ask_verdict(policy, &policy->tools[0], &one, &first);
			ask_verdict(policy, &policy->tools[0], &two, &second);
			ask_verdict(policy, &policy->tools[0], &unreadable, &third);
			assert_true(second.decision >= first.decision);
			assert_true(third.decision >= first.decision);
			assert_true(third.decision >= DECISION_ASK);
			command_fini(&one);
			command_fini(&two);
			command_fini(&unreadable);
		}
		policy_free(policy);
	}
}

/* ---- identity ----------------------------------------------------------------------------- */

static const char people[] =
    "roles:\n"
    "  dev: {tools: [\"git_*\", bash], permissions: [audit:read]}\n"
    "  op: {tools: [\"*\"], approve: [\"ba*\"], permissions: [approvals:decide]}\n"
    "  talker: {approve: [\"*\"]}\n"
    "principals:\n"
    "  - {peer_uid: 1, roles: [dev], agents: [coder]}\n"
    "  - {peer_uid: 2, roles: [dev], agents: [coder, helper], namespaces: [default, lab]}\n"
    "  - {peer_uid: 2, roles: [op], agents: [helper], namespaces: [lab]}\n"
    "  - {peer_uid: 3, roles: [op]}\n"
    "  - {peer_gid: 9, roles: [dev]}\n"
    "  - {peer_uid: 4, peer_gid: 4, roles: [dev], agents: [coder]}\n"
    "  - {peer_uid: 5, agents: [coder]}\n"
    "  - {peer_uid: 6, roles: [talker], agents: [coder]}\n"
    "  - {peer_uid: 7, roles: [dev], agents: [hidden]}\n"
    "  - {peer_uid: 8, roles: [dev], agents: [coder], namespaces: []}\n"
    "agents:\n"
    "  coder: {visibility: internal, tools: [bash, git_push]}\n"
    "  helper: {tools: [bash, secret, grep]}\n"
    "  hidden: {visibility: private, tools: [bash]}\n"
    "namespaces:\n"
    "  default: {working_directory: w}\n"
    "  lab: {working_directory: l}\n"
    "tools:\n"
    "  bash: {type: command, visibility: internal}\n"
    "  git_push: {type: command}\n"
    "  grep: {type: command}\n"
    "  secret: {type: command, visibility: private}\n";

struct identity_row {
	struct subject subject;
	enum identity_result result;
	const char *roles;     /* joined by space */
	const char *reachable; /* tools, joined by space */
	bool approves_bash;
};

static const struct identity_row identities[] = {
    {WHO(1, 1, "coder", ""), IDENTITY_OK, "dev", "bash git_push", false},
    {WHO(1, 1, "", "default"), IDENTITY_OK, "dev", "bash git_push", false},
    {WHO(1, 1, "helper", ""), IDENTITY_UNKNOWN_AGENT, "dev", "", false},
    {WHO(1, 1, "nobody", ""), IDENTITY_UNKNOWN_AGENT, "dev", "", false},
    {WHO(1, 1, "coder", "lab"), IDENTITY_NO_NAMESPACE, "dev", "", false},
    {WHO(1, 1, "coder", "moon"), IDENTITY_NO_NAMESPACE, "dev", "", false},
    {WHO(2, 1, "", ""), IDENTITY_NAME_AN_AGENT, "dev op", "", true},
    {WHO(2, 1, "helper", "lab"), IDENTITY_OK, "dev op", "bash grep", true},
    {WHO(2, 1, "helper", ""), IDENTITY_OK, "dev", "bash", false},
    {WHO(2, 1, "coder", "lab"), IDENTITY_OK, "dev", "bash git_push", false},
    {WHO(3, 1, "coder", ""), IDENTITY_OK, "op", "bash git_push", true},
    {WHO(3, 1, "helper", ""), IDENTITY_OK, "op", "bash grep", true},
    {WHO(3, 1, "hidden", ""), IDENTITY_UNKNOWN_AGENT, "op", "", true},
    {WHO(3, 1, "", ""), IDENTITY_NAME_AN_AGENT, "op", "", true},
    {WHO(3, 9, "coder", ""), IDENTITY_OK, "op dev", "bash git_push", true},
    {WHO(99, 9, "coder", ""), IDENTITY_OK, "dev", "bash git_push", false},
    {WHO(99, 1, "coder", ""), IDENTITY_NO_ROLE, "", "", false},
    {WHO(0, 0, "", ""), IDENTITY_NO_ROLE, "", "", false},
    {WHO(4, 4, "", ""), IDENTITY_OK, "dev", "bash git_push", false},
    {WHO(4, 1, "", ""), IDENTITY_NO_ROLE, "", "", false},
    {WHO(1, 4, "", ""), IDENTITY_OK, "dev", "bash git_push", false},
    {WHO(5, 1, "coder", ""), IDENTITY_NO_ROLE, "", "", false},
    {WHO(6, 1, "coder", ""), IDENTITY_OK, "talker", "", false},
    {WHO(7, 1, "hidden", ""), IDENTITY_UNKNOWN_AGENT, "dev", "", false},
    {WHO(7, 1, "", ""), IDENTITY_NAME_AN_AGENT, "dev", "", false},
    {WHO(8, 1, "coder", ""), IDENTITY_NO_NAMESPACE, "dev", "", false},
};

static void put_name(char *out, size_t max, const char *name)
{
	size_t used = strlen(out);

	snprintf(out + used, max - used, "%s%s", used ? " " : "", name);
}

static void test_identities(void **state)
{
	struct policy *policy = policy_of(people);

	(void)state;
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		const struct identity_row *row = &identities[i];
		char roles[128] = "", tools[128] = "";
		struct identity identity;

		policy_identify(policy, &row->subject, &identity);
		for (uint32_t j = 0; j < identity.role_count; j++)
			put_name(roles, sizeof(roles), identity.roles[j]->name);
		for (uint32_t j = 0; j < policy->tool_count; j++) {
			if (policy_reachable(&identity, &policy->tools[j]))
				put_name(tools, sizeof(tools), policy->tools[j].name);
		}
		if (identity.result != row->result || strcmp(roles, row->roles) ||
		    strcmp(tools, row->reachable) ||
		    policy_may_approve(&identity, "bash") != row->approves_bash)
			fail_msg("row %zu: result %d, roles '%s', tools '%s'", i,
			    (int)identity.result, roles, tools);
		assert_false(policy_may_approve(&identity, "grep"));
		assert_int_equal(identity.result == IDENTITY_OK, identity.space != NULL);
		assert_false(policy_reachable(&identity, NULL));
	}
	policy_free(policy);
}

static void test_without_agents(void **state)
{
	struct policy *policy = policy_of("roles: {dev: {tools: [\"*\"]}}\n"
					  "principals: [{peer_uid: 1, roles: [dev]}]\n"
					  "tools: {bash: {type: command}}\n");
	const struct subject nameless = WHO(1, 1, "", ""), named = WHO(1, 1, "coder", "");
	const struct identity none = {.result = IDENTITY_NONE};
	struct identity identity;

	(void)state;
	policy_identify(policy, &nameless, &identity);
	assert_int_equal(identity.result, IDENTITY_OK);
	assert_null(identity.agent);
	assert_true(policy_reachable(&identity, &policy->tools[0]));
	policy_identify(policy, &named, &identity);
	assert_int_equal(identity.result, IDENTITY_UNKNOWN_AGENT);
	assert_false(policy_reachable(&identity, &policy->tools[0]));
	assert_false(policy_reachable(&none, &policy->tools[0]));
	assert_false(policy_may_approve(&none, "bash"));
	policy_free(policy);
	policy = policy_of("roles: {dev: {tools: [\"*\"]}}\nagents: {}\n"
			   "principals: [{peer_uid: 1, roles: [dev]}]\n");
	policy_identify(policy, &nameless, &identity);
	assert_int_equal(identity.result, IDENTITY_NAME_AN_AGENT);
	policy_free(policy);
}

/* ---- words -------------------------------------------------------------------------------- */

static void says(const char *text, const char *rule, const char *reason)
{
	struct policy *policy = policy_with(SHELL, "ask");
	struct verdict verdict;
	struct command command;
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(command_parse(&command, text, strlen(text)), 0);
	ask_verdict(policy, &policy->tools[0], &command, &verdict);
	assert_string_equal(verdict_rule(&out, policy, &verdict), rule);
	buf_reset(&out);
	assert_string_equal(verdict_reason(&out, policy, &policy->tools[0], &verdict), reason);
	buf_fini(&out);
	command_fini(&command);
	policy_free(policy);
}

static void test_words(void **state)
{
	(void)state;
	says("rm x", "p.yaml:3:96 denied_commands",
	    "'rm' is denied for tool t; retrying does not help, the policy would have to change");
	says("curl", "p.yaml:3:22 deny_by_default",
	    "'curl' is not among the allowed commands of tool t; retrying does not help, the "
	    "policy "
	    "would have to change");
	says("./a.out", "p.yaml:3:22 deny_by_default",
	    "'./a.out' is not among the allowed commands of tool t; retrying does not help, no "
	    "list names a relative path: an allowed program would have to start it");
	says("ls $x", "p.yaml:3:3 not_analysable",
	    "the command string cannot be judged word by word (an expansion); a human must approve "
	    "this exact call");
	says("'a\nb\\'", "p.yaml:3:22 deny_by_default",
	    "'a\\nb\\\\' is not among the allowed commands of tool t; retrying does not help, the "
	    "policy would have to change");
	says("ls", "p.yaml:3:64 allowed_commands", "'ls' is allowed for tool t");
}

static void test_long_word_is_cut(void **state)
{
	struct policy *policy = policy_with(LISTED, "ask");
	struct verdict verdict;
	struct command command;
	struct buf out;
	char text[1001];

	(void)state;
	memset(text, 'x', 1000);
	text[1000] = '\0';
	text[119] = '\xc3'; /* a character of two bytes across the cut */
	text[120] = '\xa4';
	buf_init(&out, 4096);
	assert_int_equal(command_parse(&command, text, 1000), 0);
	ask_verdict(policy, &policy->tools[0], &command, &verdict);
	assert_non_null(verdict_reason(&out, policy, &policy->tools[0], &verdict));
	assert_true(out.len < 300);
	assert_non_null(strstr(buf_cstr(&out), "xxx...' is not"));
	buf_fini(&out);
	command_fini(&command);
	policy_free(policy);
}

static void test_default_place(void **state)
{
	struct policy *policy = policy_of("tools: {t: {type: command}}");
	struct verdict verdict;
	struct command command;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(command_parse(&command, "ls", 2), 0);
	ask_verdict(policy, &policy->tools[0], &command, &verdict);
	assert_string_equal(verdict_rule(&out, policy, &verdict), "p.yaml defaults.decision");
	buf_fini(&out);
	command_fini(&command);
	policy_free(policy);
}

#define ASKS_OF(word)                                                                              \
	"{\"decision\":\"ask\",\"rule\":\"p.yaml defaults.decision\","                             \
	"\"reason\":\"no rule names '" word "' and the default is ask; "                           \
	"a human must approve this exact call\",\"word\":\"" word "\"}"

static void test_explain(void **state)
{
	struct policy *policy = policy_of(people);
	const struct subject good = WHO(3, 1, "coder", ""), bad = WHO(99, 1, "coder", "");
	struct identity identity;
	struct command command;
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	assert_int_equal(command_parse(&command, "ls 'a\"b'; rm", 12), 0);
	policy_identify(policy, &good, &identity);
	assert_int_equal(
	    ask_json(&out, policy, &identity, policy_find_tool(policy, "bash"), &command), 0);
	assert_string_equal(buf_cstr(&out),
	    "{\"reachable\":true,\"tool\":\"bash\",\"caller\":{\"roles\":[\"op\"],"
	    "\"agent\":\"coder\",\"namespace\":\"default\",\"identity\":\"ok\"},"
	    "\"schema\":{\"valid\":true},\"form\":\"shell\","
	    "\"rules\":[" ASKS_OF("ls") "," ASKS_OF("rm") "],\"result\":" ASKS_OF(
		"ls") ","
		      "\"walls\":{\"workspace\":\"rw\",\"exec\":false,\"network\":\"none\","
		      "\"run_as\":\"cell\",\"callgate\":false,\"allowlist\":\"open\","
		      "\"require\":\"default\"},"
		      "\"limits\":{\"max_execution_ms\":60000,\"memory\":536870912,\"pids\":128,"
		      "\"cpu_ms\":0,\"output\":1048576,\"disk\":67108864,\"inodes\":4096,"
		      "\"file_size\":1073741824,\"files\":256}}");
	buf_reset(&out);
	assert_int_equal(
	    ask_text(&out, policy, &identity, policy_find_tool(policy, "bash"), &command), 0);
	assert_string_equal(buf_cstr(&out),
	    "caller     ok; roles op; agent coder; namespace default\n"
	    "tool       bash: reachable (p.yaml:24:3)\n"
	    "schema     met\n"
	    "command    shell; words ls rm\n"
	    "ask        p.yaml defaults.decision: no rule names 'ls' and the default is ask\n"
	    "ask        p.yaml defaults.decision: no rule names 'rm' and the default is ask\n"
	    "result     ask; a human must approve this exact call\n"
	    "walls      workspace rw; network none; runs as a uid of its own; no gate; requires "
	    "the default\n"
	    "limits     time 60000 ms; memory 512 MiB; pids 128; output 1 MiB; disk 64 MiB; inodes "
	    "4096; file size 1024 MiB; files 256\n");
	/* An ordinary user's daemon has no other uid to give. */
	buf_reset(&out);
	assert_int_equal(policy_tell_text(&out,
			     &(struct question){.policy = policy,
				 .identity = &identity,
				 .tool = policy_find_tool(policy, "bash"),
				 .command = &command},
			     &(struct explanation){.invalid = "of that", .as_user = true}),
	    0);
	assert_non_null(strstr(buf_cstr(&out), "; runs as the daemon's user; "));
	buf_reset(&out);
	assert_int_equal(policy_tell_json(&out,
			     &(struct question){.policy = policy,
				 .identity = &identity,
				 .tool = policy_find_tool(policy, "bash"),
				 .command = &command},
			     &(struct explanation){.invalid = "of that", .as_user = true}),
	    0);
	assert_non_null(strstr(buf_cstr(&out), "\"run_as\":\"user\","));
	buf_reset(&out);
	assert_int_equal(ask_json(&out, policy, &identity, NULL, &command), 0);
	assert_non_null(strstr(buf_cstr(&out), "{\"reachable\":false,"));
	buf_reset(&out);
	policy_identify(policy, &bad, &identity);
	assert_int_equal(
	    ask_text(&out, policy, &identity, policy_find_tool(policy, "bash"), &command), 0);
	assert_non_null(strstr(buf_cstr(&out), "tool       unknown"));
	buf_fini(&out);
	command_fini(&command);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_zero_command),
	    cmocka_unit_test(test_more_words_are_not_milder),
	    cmocka_unit_test(test_identities),
	    cmocka_unit_test(test_without_agents),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_long_word_is_cut),
	    cmocka_unit_test(test_default_place),
	    cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
