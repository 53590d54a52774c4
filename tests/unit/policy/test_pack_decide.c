/* What packs say of a whole call: commands within commands, here and on other machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"
#include "tests/unit/policy/ask.h"

#define ALL_PACKS "packs: [env, find, git, npx, sed, ssh, xargs]"

static const char policy_text[] =
    "version: 1\n"
    "tools:\n"
    "  listed: {type: command, allowed_commands: [env, find, git, ls, npx, sed, ssh,\n"
    "    xargs],\n"
    "    denied_commands: [rm], deny_by_default: true, " ALL_PACKS "}\n"
    "  open: {type: command, denied_commands: [rm], " ALL_PACKS "}\n";

struct row {
	const char *tool, *line;
	enum decision decision;
	enum rule_kind kind;
	const char *id; /* of the pack's rule, or of what else spoke */
};

static const struct row rows[] = {
    /* A remote command is asked about whatever it is, and allowed by nothing. */
    {"listed", "ssh host", DECISION_ASK, RULE_PACK, "connection"},
    {"listed", "ssh host ls", DECISION_ASK, RULE_PACK, "remote_command"},
    {"listed", "ssh host nothing-known", DECISION_ASK, RULE_PACK, "remote_command"},
    {"listed", "ssh host 'ls; git status'", DECISION_ASK, RULE_PACK, "remote_shell"},
    {"open", "ssh host 'echo $HOME'", DECISION_ASK, RULE_PACK, "remote_shell"},
    {"listed", "ssh host env uptime", DECISION_ASK, RULE_PACK, "remote_command"},
    {"listed", "ssh host env env rm", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"open", "ssh host ''", DECISION_ASK, RULE_PACK, "remote_command"},
    /* What is denied here is denied there, in one word or in many. */
    {"listed", "ssh host rm x", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"listed", "ssh host 'rm x'", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"open", "ssh host 'ls && /bin/rm x'", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"open", "ssh host ls ';' rm x", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"open", "ssh host 'rm $x'", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"open", "ssh host \"r'm' x\"", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"listed", "ssh host 'cd x && git push --force'", DECISION_DENY, RULE_PACK, "forced_push"},
    {"listed", "ssh host env LD_PRELOAD=x ls", DECISION_DENY, RULE_PACK, "code"},
    {"listed", "ssh host ssh -oProxyCommand=id x", DECISION_DENY, RULE_PACK, "setting"},
    {"listed", "xargs ssh host 'rm x'", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"listed", "find . -exec ssh host 'rm x' ';'", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    /* A command within a command of this machine is a command like any other. */
    {"listed", "find . -exec ls ';'", DECISION_ALLOW, RULE_ALLOWED_COMMAND, ""},
    {"listed", "find . -exec rm ';'", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"listed", "find . -exec cat ';'", DECISION_DENY, RULE_DENY_BY_DEFAULT, ""},
    /* A name that is found may be a script or a value that nobody has seen: s/a/b/e. */
    {"listed", "find . -exec sed -n p {} ';'", DECISION_ALLOW, RULE_ALLOWED_COMMAND, ""},
    {"listed", "find . -exec sed -n -e p {} +", DECISION_ALLOW, RULE_ALLOWED_COMMAND, ""},
    {"listed", "find s -exec sed {} x ';'", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "find s -exec sed -e {} x ';'", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "find s -exec env sed -n {} x ';'", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "find . -exec env LANG={} ls ';'", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "find . -exec env {} ls ';'", DECISION_DENY, RULE_PACK, "found_program"},
    {"listed", "find . -exec git -C {} log ';'", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "find . -exec git log {} ';'", DECISION_ALLOW, RULE_ALLOWED_COMMAND, ""},
    {"listed", "xargs env git log", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "env LANG=C env ls", DECISION_ALLOW, RULE_ALLOWED_COMMAND, ""},
    {"listed", "env env env rm", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"listed", "xargs git log", DECISION_ASK, RULE_PACK, "open_ended"},
    {"listed", "npx --no-install rm x", DECISION_DENY, RULE_DENIED_COMMAND, ""},
    {"listed", "npx tsc", DECISION_DENY, RULE_PACK, "fetched"},
};

static void check_row(const struct policy *policy, const struct row *row)
{
	struct command command;
	struct verdict verdict;

	assert_int_equal(command_parse(&command, row->line, strlen(row->line)), 0);
	ask_verdict(policy, policy_find_tool(policy, row->tool), &command, &verdict);
	if (verdict.decision != row->decision)
		fail_msg("%s: %s by %s", row->line, decision_name(verdict.decision), verdict.id);
	if (row->decision == DECISION_ALLOW)
		verdict.kind = RULE_ALLOWED_COMMAND; /* among equals the first one is told */
	else
		assert_string_equal(verdict.id, row->id);
	if (verdict.kind != row->kind)
		fail_msg("%s: kind %d", row->line, (int)verdict.kind);
	command_fini(&command);
}

static void packs_judge_calls(void **state)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = policy_text, .len = sizeof(policy_text) - 1};
	struct policy *policy;
	struct err_note note = {""};

	(void)state;
	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s", note.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(policy, &rows[i]);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packs_judge_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
