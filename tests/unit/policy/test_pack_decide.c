/* What packs say of a whole call: commands within commands, here and on other machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"
#include "policy/voices_pack.h"
#include "supervisor/base/buf.h"
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

/* `front` and then `times` words of many commands each: a call that would cost a second and half a
 * gigabyte without a budget for the whole decision. */
static char *long_line(const char *front, const char *option, unsigned times)
{
	struct buf line;
	char *text;

	buf_init(&line, 256 * 1024);
	buf_text(&line, front);
	for (unsigned i = 0; i < times; i++) {
		buf_textf(&line, "%s'git", option);
		for (unsigned j = 1; j < 100; j++)
			buf_text(&line, ";git");
		buf_text(&line, "'");
	}
	text = strdup(buf_cstr(&line));
	buf_fini(&line);
	return text;
}

static char *many(const char *front, const char *word, unsigned times)
{
	size_t front_len = strlen(front), len = strlen(word);
	char *line = calloc(1, front_len + times * len + 1);

	assert_non_null(line);
	memcpy(line, front, front_len);
	for (unsigned i = 0; i < times; i++)
		memcpy(line + front_len + i * len, word, len);
	return line;
}

static void judge_long(const struct policy *policy, char *line, bool by_budget)
{
	const struct identity identity = {.result = IDENTITY_OK};
	struct command command;
	const struct question question = {.policy = policy,
	    .tool = policy_find_tool(policy, "open"),
	    .identity = &identity,
	    .command = &command};
	struct judgement judgement;

	assert_non_null(line);
	assert_int_equal(command_parse(&command, line, strlen(line)), 0);
	assert_int_equal(policy_judge(&question, &judgement), 0);
	assert_int_equal(judgement.result.decision, DECISION_DENY);
	assert_int_equal(judgement.result.kind, by_budget ? RULE_NOT_ANALYSABLE : RULE_PACK);
	if (by_budget)
		assert_non_null(strstr(judgement.result.why, "give them in several calls"));
	assert_in_range(judgement.voices->count, 1, 4 * VOICES_PACK_WORK);
	judgement_fini(&judgement);
	command_fini(&command);
	free(line);
}

static void a_decision_has_one_budget(void **state)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = policy_text, .len = sizeof(policy_text) - 1};
	struct policy *policy;
	struct err_note note = {""};

	(void)state;
	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s", note.text);
	judge_long(policy, long_line("git rebase", " -x ", 64), false);
	judge_long(policy, many("git log -", "p", 9999), false);
	judge_long(policy, many("git log", " -p", 2000), false);
	judge_long(policy, many("git log", " --wrong", 2000), false);
	judge_long(policy, long_line("true", "; ssh host ", 30), true);
	judge_long(policy, long_line("true", "; env -i ssh host ", 30), true);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packs_judge_calls),
	    cmocka_unit_test(a_decision_has_one_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
