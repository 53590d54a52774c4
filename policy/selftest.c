#include "policy/selftest.h"

#include <errno.h>
#include <string.h>

#include "policy/prepare.h"
#include "policy/verdict.h"
#include "supervisor/base/cleanup.h"

struct trial {
	const struct policy *policy;
	const struct rulebook *book;
	const struct policy_tool *tool;
	const struct policy_test *test;
	struct buf *got; /* what came instead, in words; empty: as expected */
};

static void take_role(struct identity *identity, const struct policy_role *role)
{
	if (role && identity->role_count < IDENTITY_ROLES_MAX)
		identity->roles[identity->role_count++] = role;
}

/* Whom the row asks as. Reachability is not what it tests: agent and namespace stay open. */
static void find_identity(const struct trial *trial, struct identity *ret)
{
	const struct policy *policy = trial->policy;

	*ret = (struct identity){.result = IDENTITY_OK};
	for (uint32_t i = 0; trial->test->has_roles && i < trial->test->roles.count; i++)
		take_role(ret, policy_find_role(policy, trial->test->roles.items[i].text));
	for (uint32_t i = 0; !trial->test->has_roles && i < policy->role_count; i++)
		take_role(ret, &policy->roles[i]);
}

static void expect(const struct trial *trial, const struct verdict *verdict)
{
	const struct policy_test *test = trial->test;

	if (!test->expect_invalid && verdict->decision == test->expect &&
	    (!test->rule[0] || !strcmp(test->rule, verdict_rule_name(verdict))))
		return;
	if (test->expect_invalid)
		buf_text(trial->got, "expected invalid arguments");
	else
		buf_textf(trial->got, "expected %s", decision_name(test->expect));
	if (test->rule[0])
		buf_textf(trial->got, " by rule %s", test->rule);
	buf_textf(trial->got, ", got %s by ", decision_name(verdict->decision));
	(void)verdict_rule(trial->got, trial->policy, verdict);
}

static int judge(const struct trial *trial, const struct prepared *prepared)
{
	struct identity identity;
	const struct question question = {
	    .policy = trial->policy,
	    .book = trial->book,
	    .tool = trial->tool,
	    .identity = &identity,
	    .command = &prepared->command,
	    .facts = prepared->facts,
	    .spent = prepared->spent,
	};
	struct judgement judgement;
	int fault;

	find_identity(trial, &identity);
	fault = policy_judge(&question, &judgement);
	if (!fault)
		expect(trial, &judgement.result);
	judgement_fini(&judgement);
	return fault;
}

static int run(const struct trial *trial)
{
	json_t *arguments = json_loads(trial->test->args, 0, NULL);
	struct prepared cleanup_with(prepared_fini) prepared = {.arguments = NULL};
	struct err_note why = {""};
	int result;

	if (!arguments)
		return -ENOMEM;
	result =
	    policy_prepare(rulebook_tool(trial->book, trial->tool), arguments, &prepared, &why);
	json_decref(arguments);
	if (result == 0)
		return judge(trial, &prepared);
	if (result == PREPARE_INVALID && !trial->test->expect_invalid)
		buf_textf(trial->got, "expected %s, but the arguments are not valid: %s",
		    decision_name(trial->test->expect), why.text);
	return result < 0 ? result : 0;
}

static void tell(
    const struct trial *trial, struct selftest *count, struct buf *report, struct err_note *note)
{
	const struct policy_pos *pos = &trial->test->pos;
	struct err_note line;

	(void)err_note(&line, 0, "%s:%u:%u: tools.%s.tests: %s", trial->policy->file, pos->line,
	    pos->column, trial->tool->name, buf_cstr(trial->got));
	if (!count->failed++)
		*note = line;
	if (report)
		buf_textf(report, "%s\n", line.text);
}

int policy_selftest(const struct policy *policy, const struct rulebook *book, struct selftest *ret,
    struct buf *report, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) got;

	buf_init(&got, 4096);
	*ret = (struct selftest){.run = 0};
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		for (uint32_t j = 0; j < policy->tools[i].test_count; j++) {
			const struct trial trial = {
			    policy, book, &policy->tools[i], &policy->tools[i].tests[j], &got};
			int fault;

			buf_reset(&got);
			fault = run(&trial);
			if (fault)
				return fault;
			ret->run++;
			if (got.len || got.fault)
				tell(&trial, ret, report, note);
		}
	}
	return ret->failed ? SELFTEST_FAILED : 0;
}
