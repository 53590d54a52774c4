/* The rows of tests: by which rule a call is decided, named as the manual names it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"
#include "policy/selftest.h"

static void run(const char *text, struct selftest *ret, struct buf *report)
{
	const struct policy_source source = {.file = "p.yaml", .text = text, .len = strlen(text)};
	struct policy *policy = NULL;
	struct rulebook *book = NULL;
	struct err_note note = {""};

	if (policy_load(&source, &policy, NULL, &note) || rulebook_new(policy, &book, &note))
		fail_msg("%s", note.text);
	assert_true(policy_selftest(policy, book, ret, report, &note) >= 0);
	rulebook_free(book);
	policy_free(policy);
}

static void every_rule_has_the_name_of_the_manual(void **state)
{
	static const char text[] =
	    "version: 1\n"
	    "tools:\n"
	    "  listed:\n"
	    "    {type: command, deny_by_default: true, allowed_commands: [ls, git],\n"
	    "    packs: [git], denied_commands: [rm], tests: [\n"
	    "    {args: {command: ls}, expect: allow, rule: allowed_commands},\n"
	    "    {args: {command: rm x}, expect: deny, rule: denied_commands},\n"
	    "    {args: {command: id}, expect: deny, rule: deny_by_default},\n"
	    "    {args: {command: ls | ls}, expect: deny, rule: shell_not_allowed},\n"
	    "    {args: {command: git commit}, expect: ask, rule: changes},\n"
	    "    {args: {command: git push --force}, expect: deny, rule: forced_push},\n"
	    "    {args: {command: git status --zzz}, expect: ask, rule: unknown_option}]}\n"
	    "  shell: {type: command, allowed_commands: [sh, ls], tests: [\n"
	    "    {args: {command: ls *}, expect: ask, rule: not_analysable},\n"
	    "    {args: {command: id}, expect: ask, rule: defaults.decision}]}\n"
	    "  asks: {type: command, require_approval: true, allowed_commands: [ls], tests: [\n"
	    "    {args: {command: ls}, expect: ask, rule: require_approval}]}\n"
	    "  edit: {type: function, handler: text_editor, tests: [\n"
	    "    {args: {command: view, path: x}, expect: allow, rule: function}]}\n";
	struct selftest count;
	struct buf report;

	(void)state;
	buf_init(&report, 4096);
	run(text, &count, &report);
	assert_string_equal(buf_cstr(&report), "");
	assert_int_equal(count.run, 11);
	buf_fini(&report);
}

static void another_rule_fails_the_test(void **state)
{
	static const char text[] =
	    "version: 1\n"
	    "tools:\n"
	    "  t: {type: command, deny_by_default: true, allowed_commands: [ls], tests: [\n"
	    "    {args: {command: id}, expect: deny, rule: denied_commands}]}\n";
	struct selftest count;
	struct buf report;

	(void)state;
	buf_init(&report, 4096);
	run(text, &count, &report);
	assert_int_equal(count.failed, 1);
	assert_string_equal(buf_cstr(&report),
	    "p.yaml:4:5: tools.t.tests: expected deny by rule denied_commands, got deny by "
	    "p.yaml:3:22 deny_by_default\n");
	buf_fini(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_rule_has_the_name_of_the_manual),
	    cmocka_unit_test(another_rule_fails_the_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
