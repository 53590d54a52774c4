/* Exactly what is said of each broken pack file: place, key, why, and what to do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/arena.h"
#include "policy/pack.h"
#include "policy/pack_keys.h"

struct broken_pack {
	const char *text;
	const char *message;
};

#define ROWS(array) (array), sizeof(array) / sizeof((array)[0])
#define HEAD        "pack: x\nversion: v\ndescription: d\nprograms: [x]\n"
#define RULE        HEAD "options: [-a --all, -b =]\nrules: [{"

static const struct broken_pack broken_whole[] = {
    {"", "p.yaml:1:1: policy: the file is empty; write a policy"},
    {"a list", "p.yaml:1:1: policy: is not a mapping; write key: value"},
    {"[pack, x]", "p.yaml:1:1: policy: is not a mapping; write key: value"},
    {"pack: x\n",
	"p.yaml:1:1: policy: lacks one of pack, version, description, programs; write it"},
    {"pack: x\nversion: v\ndescription: d\n",
	"p.yaml:1:1: policy: lacks one of pack, version, description, programs; write it"},
    {"version: v\ndescription: d\nprograms: [x]\n",
	"p.yaml:1:1: policy: lacks one of pack, version, description, programs; write it"},
    {"pack: x\npack: y\n", "p.yaml:2:1: pack: the key is given twice; keep one"},
    {"pack: [x]\n", "p.yaml:1:7: pack: is a list; write text"},
    {"pack: \"\"\n", "p.yaml:1:7: pack: is empty; write text or remove the key"},
    {"pakc: x\n", "p.yaml:1:1: pakc: unknown key; remove it, callgate.yaml(5) lists the keys"},
    {"pack: x\nprogramms: [x]\n", "p.yaml:2:1: programms: unknown key; did you mean programs?"},
    {"pack: x\nnonesuch: 1\n",
	"p.yaml:2:1: nonesuch: unknown key; remove it, callgate.yaml(5) lists the keys"},
    {"pack: x\n\tversion: v\n",
	"p.yaml:2:1: yaml: a tab stands where YAML wants blanks; indent with blanks"},
    {"pack: {x\n", "p.yaml:2:1: yaml: did not find expected ',' or '}' while p"
		   "arsing a flow mapping; correct the YAML at this place"},
    {"pack: &a x\nversion: *a\n",
	"p.yaml:1:7: policy: an anchor; anchors are not read, write the value out"},
    {HEAD "programs: [y]\n", "p.yaml:5:1: programs: the key is given twice; keep one"},
    {"pack: x\nversion: v\ndescription: d\nprograms: x\n",
	"p.yaml:4:11: programs: is not a list; write [one, two]"},
    {"pack: x\nversion: v\ndescription: d\nprograms: []\n",
	"p.yaml:1:1: policy: lacks one of pack, version, description, programs; write it"},
    {"pack: x\nversion: v\ndescription: d\nprograms: [\"\"]\n",
	"p.yaml:4:12: programs[0]: is empty; write text or remove the key"},
    {"pack: x\nversion: v\ndescription: d\nprograms: [[x]]\n",
	"p.yaml:4:12: programs[0]: is a list; write text"},
    {"pack: x\nversion: v\ndescription: d\nprograms: ['x[0-9]']\n",
	"p.yaml:4:12: programs: 'x[0-9]' has brackets, which would "
	"mean themselves; use * and ? only"},
    {HEAD "unknown_option: maybe\n", "p.yaml:5:17: unknown_option: 'maybe' is not one of its val"
				     "ues; choose from allow, ask, deny"},
    {HEAD "unknown_option: [ask]\n", "p.yaml:5:17: unknown_option: is a list; write text"},
    {HEAD "otherwise: Allow\n",
	"p.yaml:5:12: otherwise: 'Allow' is not one of its values; choose from allow, ask, deny"},
    {HEAD "otherwise: \"\"\n", "p.yaml:5:12: otherwise: is empty; write text or remove the key"},
};

static const struct broken_pack broken_reading[] = {
    {HEAD "reading: all\n", "p.yaml:5:10: reading: is not a mapping; write key: value"},
    {HEAD "reading: {abbreviate: yes}\n",
	"p.yaml:5:23: reading.abbreviate: 'yes' is not a truth value; write true or false"},
    {HEAD "reading: {abbreviate: 1}\n",
	"p.yaml:5:23: reading.abbreviate: '1' is not a truth value; write true or false"},
    {HEAD "reading: {abreviate: true}\n",
	"p.yaml:5:11: reading.abreviate: unknown key; did you mean abbreviate?"},
    {HEAD "reading: {permute: twice}\n",
	"p.yaml:5:20: reading.permute: 'twice' is not one of its va"
	"lues; choose from all, none, once"},
    {HEAD "reading: {subcommands: first}\n",
	"p.yaml:5:24: reading.subcommands: 'first' is not one of it"
	"s values; choose from split, anywhere"},
    {HEAD "reading: {assignments: all}\n",
	"p.yaml:5:24: reading.assignments: 'all' is not one of its "
	"values; choose from leading, anywhere"},
    {HEAD "reading: {scan: awk}\n",
	"p.yaml:5:17: reading.scan: 'awk' is not one of its values; choose from sed"},
};

static const struct broken_pack broken_options[] = {
    {HEAD "options: -a\n", "p.yaml:5:10: options: is not a list; write [-f --force, -o =]"},
    {HEAD "options: {-a: =}\n", "p.yaml:5:10: options: is not a list; write [-f --force, -o =]"},
    {HEAD "options: [[-a]]\n", "p.yaml:5:11: options[0]: is a list; write text"},
    {HEAD "options: [\"\"]\n", "p.yaml:5:11: options[0]: is empty; write text or remove the key"},
    {HEAD "options: [\"   \"]\n",
	"p.yaml:5:11: options[0]: names no option; write its names first"},
    {HEAD "options: [\"=\"]\n", "p.yaml:5:11: options[0]: names no option; write its names first"},
    {HEAD "options: [\"-a = -b\"]\n", "p.yaml:5:11: options[0]: is not an option; write its names"
				      ", then = =! =? =# =b =2 =; or =+"},
    {HEAD "options: [\"-a = =\"]\n", "p.yaml:5:11: options[0]: is not an option; write its names"
				     ", then = =! =? =# =b =2 =; or =+"},
    {HEAD "options: [\"-a --xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]\n",
	"p.yaml:5:11: options[0]: is not an option; write its names"
	", then = =! =? =# =b =2 =; or =+"},
    {HEAD "use: [s]\n", "p.yaml:5:7: use: 's' is no set; name one of sets"},
    {HEAD "use: s\n", "p.yaml:5:6: use: is not a list; write [one, two]"},
    {HEAD "sets: [s]\n", "p.yaml:5:7: sets: is not a mapping; write name: [options]"},
    {HEAD "sets: {s: -a}\n", "p.yaml:5:11: sets.s: is not a list; write [-f --force, -o =]"},
    {HEAD "sets: {s: [-a], s: [-b]}\n", "p.yaml:5:17: sets.s: the key is given twice; keep one"},
    {HEAD "sets: {s: [[\"-a\"]]}\nuse: [s]\n", "p.yaml:5:12: sets.s[0]: is a list; write text"},
    {HEAD "subcommands: {go: [-a]}\n",
	"p.yaml:5:14: subcommands: is not a list; write - {key: value}"},
    {HEAD "subcommands: [go]\n", "p.yaml:5:15: subcommands[0]: is not a mapping; write key: value"},
    {HEAD "subcommands: [{name: go}]\n",
	"p.yaml:5:16: subcommands[0].name: unknown key; did you mean names?"},
    {HEAD "subcommands: [{names: go}]\n",
	"p.yaml:5:23: subcommands[0].names: is not a list; write [one, two]"},
    {HEAD "subcommands: [{names: [go], use: [s]}]\n",
	"p.yaml:5:35: subcommands: 's' is no set; name one of sets"},
    {HEAD "subcommands: [{names: [go], options: -a}]\n",
	"p.yaml:5:38: subcommands[0].options: is not a list; write [-f --force, -o =]"},
    {HEAD "subcommands: [{options: [-a]}]\n",
	"p.yaml:5:15: subcommands[0]: has no name; write names: [name]"},
    {HEAD "options: [-a --all, -b --all =]\n",
	"p.yaml:5:21: options: '--all' is an option already; remove one"},
    {HEAD "sets: {s: [-a, -b -a]}\n",
	"p.yaml:5:16: options: '-a' is an option already; remove one"},
    {HEAD "subcommands: [{names: [], options: [-a]}]\n",
	"p.yaml:5:23: subcommands[0].names: is empty; fill it or remove the key"},
    {HEAD "subcommands: [{names: [go], options: [-a, -b, -a =]}]\n",
	"p.yaml:5:47: options: '-a' is an option already; remove one"},
};

static const struct broken_pack broken_rules[] = {
    {HEAD "rules: {id: r}\n", "p.yaml:5:8: rules: is not a list; write - {key: value}"},
    {HEAD "rules: [r]\n", "p.yaml:5:9: rules[0]: is not a mapping; write key: value"},
    {RULE "decision: ask, reason: w}]\n", "p.yaml:6:9: rules[0]: has no id; write id: name"},
    {RULE "id: r, reason: w}]\n", "p.yaml:6:9: rules[0]: has no decision; write decision: ask"},
    {RULE "id: r, decision: ask}]\n", "p.yaml:6:9: rules[0]: has no reason; write why, for people"},
    {RULE "id: r, decision: refuse, reason: w}]\n",
	"p.yaml:6:27: rules[0].decision: 'refuse' is not one of its"
	" values; choose from allow, ask, deny"},
    {RULE "id: r, id: s, decision: ask, reason: w}]\n",
	"p.yaml:6:17: rules[0].id: the key is given twice; keep one"},
    {RULE "id: \"\", decision: ask, reason: w}]\n",
	"p.yaml:6:14: rules[0].id: is empty; write text or remove the key"},
    {RULE "id: rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
	  "rrrrrrrrrrr, decision: ask, reason: w}]\n",
	"p.yaml:6:14: rules[0].id: is longer than 64 bytes; shorten it"},
    {RULE "id: r, option: -a, decision: ask, reason: w}]\n",
	"p.yaml:6:25: rules[0].option: is not a list; write [one, two]"},
    {RULE "id: r, option: [], decision: ask, reason: w}]\n",
	"p.yaml:6:25: rules[0].option: is empty; fill it or remove the key"},
    {RULE "id: r, option: [-c], decision: ask, reason: w}]\n",
	"p.yaml:6:26: rules: '-c' is no option; name one of the tables"},
    {RULE "id: r, option: [--no-all], decision: ask, reason: w}]\n",
	"p.yaml:6:26: rules: '--no-all' is no option; name one of the tables"},
    {RULE "id: r, missing: [--al], decision: ask, reason: w}]\n",
	"p.yaml:6:27: rules: '--al' is no option; name one of the tables"},
    {RULE "id: r, option: ['script:exec'], decision: ask, reason: w}]\n",
	"p.yaml:6:26: rules: 'script:exec' is no option; name one of the tables"},
    {RULE "id: r, option_value: [-b], decision: ask, reason: w}]\n",
	"p.yaml:6:31: rules[0].option_value: is not a mapping; write option: [globs]"},
    {RULE "id: r, option_value: {-b: x}, decision: ask, reason: w}]\n",
	"p.yaml:6:36: rules[0].option_value.-b: is not a list; write [one, two]"},
    {RULE "id: r, option_value: {-c: [x]}, decision: ask, reason: w}]\n",
	"p.yaml:6:32: rules: '-c' is no option; name one of the tables"},
    {RULE "id: r, option_value: {-b: ['a[bc]*']}, decision: ask, reason: w}]\n",
	"p.yaml:6:37: rules: 'a[bc]*' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, option_value_not: {-x: [x]}, decision: ask, reason: w}]\n",
	"p.yaml:6:36: rules: '-x' is no option; name one of the tables"},
    {RULE "id: r, option_value_not: {-b: ['[]']}, decision: ask, reason: w}]\n",
	"p.yaml:6:41: rules: '[]' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, subcommand: [go], decision: ask, reason: w}]\n",
	"p.yaml:6:30: rules: 'go' is no subcommand; name one of subcommands"},
    {RULE "id: r, operand: ['[!/]*'], decision: ask, reason: w}]\n",
	"p.yaml:6:27: rules: '[!/]*' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, operand_not: ['[a-z]'], decision: ask, reason: w}]\n",
	"p.yaml:6:31: rules: '[a-z]' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, first: ['x[y]'], decision: ask, reason: w}]\n",
	"p.yaml:6:25: rules: 'x[y]' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, first_not: ['x[y]'], decision: ask, reason: w}]\n",
	"p.yaml:6:29: rules: 'x[y]' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, assignment: ['[A-Z]*=*'], decision: ask, reason: w}]\n",
	"p.yaml:6:30: rules: '[A-Z]*=*' has brackets, which would m"
	"ean themselves; use * and ? only"},
    {RULE "id: r, program: ['*[0-9]'], decision: ask, reason: w}]\n",
	"p.yaml:6:27: rules: '*[0-9]' has brackets, which would mean themselves; use * and ? only"},
    {RULE "id: r, operands: [x], decision: ask, reason: w}]\n",
	"p.yaml:6:17: rules[0].operands: unknown key; did you mean operand?"},
    {RULE "id: r, no_operand: 1, decision: ask, reason: w}]\n",
	"p.yaml:6:29: rules[0].no_operand: '1' is not a truth value; write true or false"},
    {RULE "id: r, least_operands: 0, decision: ask, reason: w}]\n",
	"p.yaml:6:33: rules[0].least_operands: '0' is out of range; choose 1 to 100"},
    {RULE "id: r, least_operands: 101, decision: ask, reason: w}]\n",
	"p.yaml:6:33: rules[0].least_operands: '101' is out of range; choose 1 to 100"},
    {RULE "id: r, most_operands: many, decision: ask, reason: w}]\n",
	"p.yaml:6:32: rules[0].most_operands: 'many' is not a plain"
	" decimal number; write digits without quotes"},
    {RULE "id: r, decision: ask, reason: [w]}]\n",
	"p.yaml:6:40: rules[0].reason: is a list; write text"},
    {RULE "id: r, missing: [], decision: ask, reason: w}]\n",
	"p.yaml:6:26: rules[0].missing: is empty; fill it or remove the key"},
    {RULE "id: r, option_value: {}, decision: ask, reason: w}]\n",
	"p.yaml:6:31: rules[0].option_value: is empty; fill it or remove the key"},
    {RULE "id: r, option_value: {-b: []}, decision: ask, reason: w}]\n",
	"p.yaml:6:36: rules[0].option_value.-b: is empty; fill it or remove the key"},
    {RULE "id: r, first_not: [], decision: ask, reason: w}]\n",
	"p.yaml:6:28: rules[0].first_not: is empty; fill it or remove the key"},
    {HEAD "rules: [{id: r, decision: ask, reason: w}, {id: r, decision: ask, reason: w}]\n",
	"p.yaml:5:44: rules: 'r' is the id of an earlier rule; rename one"},
};

static const struct broken_pack broken_runs[] = {
    {HEAD "runs: [{form: words, operand: 1, subcommand: []}]\n",
	"p.yaml:5:46: runs[0].subcommand: is empty; fill it or remove the key"},
    {HEAD "runs: words\n", "p.yaml:5:7: runs: is not a list; write - {key: value}"},
    {HEAD "runs: [{operand: 1}]\n", "p.yaml:5:8: runs[0]: has no form; write form: words"},
    {HEAD "runs: [{form: words}]\n",
	"p.yaml:5:8: runs[0]: needs either option or operand; write where it stands"},
    {HEAD "options: [-a =]\nruns: [{form: words, operand: 1, option: [-a]}]\n",
	"p.yaml:6:8: runs[0]: needs either option or operand; write where it stands"},
    {HEAD "options: [-a =]\nruns: [{form: joined, option: [-a]}]\n",
	"p.yaml:6:8: runs[0]: joins operands only; write operand: 2"},
    {HEAD "runs: [{form: shel, operand: 1}]\n",
	"p.yaml:5:15: runs[0].form: 'shel' is not one of its values"
	"; choose from words, shell, program, joined"},
    {HEAD "runs: [{form: words, operand: 0}]\n",
	"p.yaml:5:31: runs[0].operand: '0' is out of range; choose 1 to 100"},
    {HEAD "runs: [{form: words, option: [-z]}]\n",
	"p.yaml:5:31: runs: '-z' is no option; name one of the tables"},
    {HEAD "runs: [{form: words, operand: 1, subcommand: [go]}]\n",
	"p.yaml:5:47: runs: 'go' is no subcommand; name one of subcommands"},
    {HEAD "runs: [{form: words, operand: 1, remote: far}]\n",
	"p.yaml:5:42: runs[0].remote: 'far' is not a truth value; write true or false"},
};

static const struct broken_pack broken_tests[] = {
    {HEAD "tests: x\n", "p.yaml:5:8: tests: is not a list; write - {key: value}"},
    {HEAD "tests: [{expect: ask}]\n",
	"p.yaml:5:9: tests[0]: needs either command or argv; write one"},
    {HEAD "tests: [{command: x}]\n", "p.yaml:5:9: tests[0]: expects nothing; write expect: ask"},
    {HEAD "tests: [{command: x, argv: [x], expect: ask}]\n",
	"p.yaml:5:9: tests[0]: needs either command or argv; write one"},
    {HEAD "tests: [{argv: [], expect: ask}]\n",
	"p.yaml:5:16: tests[0].argv: is not a list; write [program, argument]"},
    {HEAD "tests: [{argv: x, expect: ask}]\n",
	"p.yaml:5:16: tests[0].argv: is not a list; write [program, argument]"},
    {HEAD "tests: [{argv: [[x]], expect: ask}]\n",
	"p.yaml:5:17: tests[0].argv[0]: is not a word; write text"},
    {HEAD "tests: [{command: \"\", expect: ask}]\n",
	"p.yaml:5:19: tests[0].command: is empty; write text or remove the key"},
    {HEAD "tests: [{command: x, expect: no}]\n",
	"p.yaml:5:30: tests[0].expect: 'no' is not one of its value"
	"s; choose from allow, ask, deny"},
    {HEAD "tests: [{command: x, expect: ask, rules: r}]\n",
	"p.yaml:5:35: tests[0].rules: unknown key; did you mean rule?"},
};

static void check(const struct broken_pack *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct arena arena = {.chunks = NULL};
		struct policy_pack pack;
		struct err_note note = {""};
		unsigned line, column;
		int used = 0;

		if (pack_load_text(&pack, &arena, "p.yaml", rows[i].text, &note) != -EINVAL)
			fail_msg("taken: %s", rows[i].text);
		assert_string_equal(note.text, rows[i].message);
		assert_int_equal(
		    sscanf(rows[i].message, "p.yaml:%u:%u: %n", &line, &column, &used), 2);
		assert_true(line > 0 && column > 0 && used > 0);
		assert_non_null(strstr(rows[i].message + used, ": "));
		assert_true(strstr(rows[i].message, "; ") || strstr(rows[i].message, ", write "));
		arena_fini(&arena);
	}
}

static void refuses_whole(void **state)
{
	(void)state;
	check(ROWS(broken_whole));
}

static void refuses_reading(void **state)
{
	(void)state;
	check(ROWS(broken_reading));
}

static void refuses_options(void **state)
{
	(void)state;
	check(ROWS(broken_options));
}

static void refuses_rules(void **state)
{
	(void)state;
	check(ROWS(broken_rules));
}

static void refuses_runs(void **state)
{
	(void)state;
	check(ROWS(broken_runs));
}

static void refuses_tests(void **state)
{
	(void)state;
	check(ROWS(broken_tests));
}

/* A name is no pack, whatever it looks like. */
static void knows_its_packs(void **state)
{
	static const char *const names[] = {"", "Git", "git.yaml", "../git", "gi", "gitt"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct arena arena = {.chunks = NULL};
		struct policy_pack pack;
		struct err_note note = {""};
		char expected[400];

		assert_int_equal(pack_load(&pack, &arena, names[i], &note), -ENOENT);
		snprintf(expected, sizeof(expected),
		    "'%s' is not a pack; choose from curl, env, find, git, make, npm, npx, pip, "
		    "rg, rsync, sed, sort, ssh, tar, xargs",
		    names[i]);
		assert_string_equal(note.text, expected);
		arena_fini(&arena);
	}
}

/* Where unknown options are allowed and there are many, unknown words to come are still asked. */
static void open_ended_is_never_allowed(void **state)
{
	static const char *const argv[] = {"x", "-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8",
	    "-9", "-a", "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-i"};
	struct arena arena = {.chunks = NULL};
	struct policy_pack pack;
	struct pack_reading reading;
	struct pack_verdict verdict;
	struct err_note note = {""};

	(void)state;
	assert_int_equal(pack_load_text(&pack, &arena, "p.yaml",
			     HEAD "unknown_option: allow\notherwise: allow\n", &note),
	    0);
	assert_int_equal(pack_read(&pack, argv, sizeof(argv) / sizeof(argv[0]), &reading), 0);
	pack_decide(&pack, &reading, &verdict);
	assert_int_equal(verdict.decision, DECISION_ALLOW);
	pack_reading_open(&reading);
	pack_decide(&pack, &reading, &verdict);
	assert_int_equal(verdict.decision, DECISION_ASK);
	assert_string_equal(verdict.id, "open_ended");
	pack_reading_fini(&reading);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_whole),
	    cmocka_unit_test(refuses_reading),
	    cmocka_unit_test(refuses_options),
	    cmocka_unit_test(refuses_rules),
	    cmocka_unit_test(refuses_runs),
	    cmocka_unit_test(refuses_tests),
	    cmocka_unit_test(knows_its_packs),
	    cmocka_unit_test(open_ended_is_never_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
