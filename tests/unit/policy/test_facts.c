/* What rules see of a call: one form of what can be said in several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/facts.h"
#include "policy/load.h"
#include "policy/prepare.h"

static void paths_have_one_form(void **state)
{
	static const char *const rows[][2] = {
	    {"a", "a"},
	    {"./a", "a"},
	    {".//secret/x", "secret/x"},
	    {"a//b///c", "a/b/c"},
	    {"a/./b/.", "a/b"},
	    {"a/b/", "a/b"},
	    {".", "."},
	    {"./", "."},
	    {"././/.", "."},
	    {"", "."},
	    {".env", ".env"},
	    {"./.env", ".env"},
	    {"...", "..."},
	    {"a/../b", "a/../b"},
	    {"..", ".."},
	    {"/etc//passwd", "/etc//passwd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s", rows[i][0]);
		facts_plain_path(path);
		assert_string_equal(path, rows[i][1]);
	}
}

static const char policy_text[] =
    "roles: {r: {tools: [\"*\"]}}\n"
    "principals: [{peer_uid: 1, roles: [r]}]\n"
    "namespaces: {default: {working_directory: w}}\n"
    "tools:\n"
    "  run:\n"
    "    type: command\n"
    "    allowed_commands: [echo, sh]\n"
    "    rules:\n"
    "      - {id: word, when: {argv: {contains: {const: --force}}}, decision: deny}\n"
    "      - {id: line, when: {command: {pattern: secret}}, decision: deny}\n"
    "      - {id: where, when: {cwd: {const: proj}}, decision: deny}\n"
    "      - {id: input, when: {stdin: {pattern: DROP}}, decision: deny}\n"
    "      - {id: safe, when: {argv: {contains: {const: ok}}}, decision: allow}\n"
    "  typed:\n"
    "    type: command\n"
    "    parameters: {type: object, properties: {p: {type: string, format: workspace-path},\n"
    "      l: {type: array, items: {type: string, format: workspace-path}}}}\n"
    "    exec: {program: echo, argv: [--, {if: p, then: \"{p}\"}]}\n"
    "    rules:\n"
    "      - {id: env, when: {p: {const: .env}}, decision: deny}\n"
    "      - {id: list, when: {l: {contains: {pattern: \"^secret/\"}}}, decision: deny}\n"
    "      - {id: rest, decision: allow}\n";

static const struct {
	const char *tool, *arguments;
	bool streams;
	enum decision decision;
} questions[] = {
    {"run", "{\"argv\": [\"echo\", \"--force\"]}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo --force\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo --for''ce\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo --forced\"}", false, DECISION_ALLOW},
    {"run", "{\"command\": \"echo secret\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo sec\\\"\\\"ret\"}", false, DECISION_DENY},
    {"run", "{\"argv\": [\"echo\", \"secret\"]}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo ok\"}", false, DECISION_ALLOW},
    /* nobody knows the words that a shell finds: what denies by them speaks, what allows not */
    {"run", "{\"command\": \"echo ok | echo ok\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo a\", \"cwd\": \"proj\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo a\", \"cwd\": \"./proj/\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo a\", \"cwd\": \"proj2\"}", false, DECISION_ALLOW},
    {"run", "{\"command\": \"echo a\", \"stdin\": \"DROP TABLE\"}", false, DECISION_DENY},
    {"run", "{\"command\": \"echo a\", \"stdin\": \"SELECT\"}", false, DECISION_ALLOW},
    {"run", "{\"command\": \"echo a\"}", true, DECISION_DENY},
    {"typed", "{\"p\": \".env\"}", false, DECISION_DENY},
    {"typed", "{\"p\": \"./.env\"}", false, DECISION_DENY},
    {"typed", "{\"p\": \".//.env\"}", false, DECISION_DENY},
    {"typed", "{\"p\": \"x.env\"}", false, DECISION_ALLOW},
    {"typed", "{\"l\": [\"a\", \"./secret/x\"]}", false, DECISION_DENY},
    {"typed", "{\"l\": [\"a\", \"secrets/x\"]}", true, DECISION_ALLOW},
};

static enum decision decide(const struct policy *policy, const struct rulebook *book, size_t i)
{
	const struct policy_tool *tool = policy_find_tool(policy, questions[i].tool);
	json_t *arguments = json_loads(questions[i].arguments, 0, NULL);
	struct prepared prepared;
	struct judgement judgement;
	struct err_note note = {""};
	enum decision decision;

	if (policy_prepare(rulebook_tool(book, tool), arguments, &prepared, &note))
		fail_msg("%s: %s", questions[i].arguments, note.text);
	assert_int_equal(policy_judge(&(struct question){.policy = policy,
					  .book = book,
					  .tool = tool,
					  .command = &prepared.command,
					  .facts = prepared.facts,
					  .stdin_streams = questions[i].streams},
			     &judgement),
	    0);
	decision = judgement.result.decision;
	judgement_fini(&judgement);
	prepared_fini(&prepared);
	json_decref(arguments);
	return decision;
}

static void one_form_is_judged(void **state)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = policy_text, .len = strlen(policy_text)};
	struct policy *policy = NULL;
	struct rulebook *book = NULL;
	struct err_note note = {""};

	(void)state;
	if (policy_load(&source, &policy, NULL, &note) || rulebook_new(policy, &book, &note))
		fail_msg("%s", note.text);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		enum decision got = decide(policy, book, i);

		if (got != questions[i].decision)
			fail_msg("%s%s: %d", questions[i].arguments,
			    questions[i].streams ? " (streams)" : "", (int)got);
	}
	rulebook_free(book);
	policy_free(policy);
}

/* The tool gets what was judged. */
static void the_plain_path_is_what_the_tool_gets(void **state)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = policy_text, .len = strlen(policy_text)};
	json_t *arguments = json_pack("{s:s}", "p", "./a//b/");
	struct policy *policy = NULL;
	struct rulebook *book = NULL;
	struct prepared prepared;
	struct err_note note = {""};

	(void)state;
	if (policy_load(&source, &policy, NULL, &note) || rulebook_new(policy, &book, &note))
		fail_msg("%s", note.text);
	assert_int_equal(policy_prepare(rulebook_tool(book, policy_find_tool(policy, "typed")),
			     arguments, &prepared, &note),
	    0);
	assert_string_equal(prepared.command.argv[2], "a/b");
	assert_int_equal(prepared.path_count, 1);
	assert_string_equal(prepared.paths[0], "a/b");
	prepared_fini(&prepared);
	json_decref(arguments);
	rulebook_free(book);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_have_one_form),
	    cmocka_unit_test(one_form_is_judged),
	    cmocka_unit_test(the_plain_path_is_what_the_tool_gets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
