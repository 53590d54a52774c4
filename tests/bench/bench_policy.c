/*
 * What a policy costs: reading it, its own tests, and one decision, with 10, 1,000 and 10,000 rows
 * of
 * rules:. Three shapes of rows: exact values, beginnings (^topic-17/), and patterns that no index
 * helps with. One line each; the ratio says how flat it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/freeze.h"
#include "policy/load.h"
#include "policy/prepare.h"
#include "policy/selftest.h"
#include "supervisor/base/clock.h"

#define DECISIONS 20000
#define SLOWLY    200 /* decisions where every row is looked at */
#define TESTS     200

enum shape {
	SHAPE_EXACT,
	SHAPE_BEGINNING,
	SHAPE_PATTERN,
	SHAPE_COUNT,
};
static const char *const shape_names[] = {"exact", "beginning", "any pattern"};

static void fatal(const char *what, const struct err_note *note)
{
	fprintf(stderr, "bench_policy: %s: %s\n", what, note->text);
	exit(1);
}

static void put_row(struct buf *out, enum shape shape, unsigned i)
{
	buf_textf(out, "      - {id: r%u, decision: allow, when: {branch: ", i);
	switch (shape) {
	case SHAPE_EXACT: buf_textf(out, "{const: \"topic-%u\"}}}\n", i); return;
	case SHAPE_BEGINNING: buf_textf(out, "{pattern: \"^topic-%u/\"}}}\n", i); return;
	case SHAPE_PATTERN:
	case SHAPE_COUNT: buf_textf(out, "{pattern: \"-%u$\"}}}\n", i); return;
	}
}

static void make_text(struct buf *out, enum shape shape, unsigned rules)
{
	buf_text(out, "version: 1\ntools:\n  push:\n    type: command\n"
		      "    parameters: {type: object, additionalProperties: false, required: "
		      "[branch],\n      properties: {branch: {type: string, maxLength: 100}}}\n"
		      "    exec: {program: git, argv: [push, --, origin, \"{branch}\"]}\n"
		      "    rules:\n");
	for (unsigned i = 0; i < rules; i++)
		put_row(out, shape, i);
	buf_text(out, "    tests:\n");
	for (unsigned i = 0; i < TESTS; i++)
		buf_textf(out, "      - {args: {branch: \"none-at-all-%u.x\"}, expect: ask}\n", i);
}

struct costs {
	double read_ms, test_us, decision_us;
};

static double decide(
    const struct policy *policy, const struct rulebook *book, unsigned rules, unsigned count)
{
	const struct policy_tool *tool = policy_find_tool(policy, "push");
	struct identity identity = {.result = IDENTITY_OK};
	uint64_t before = clock_monotonic_us();

	for (unsigned i = 0; i < count; i++) {
		struct prepared prepared = {.arguments = NULL};
		struct judgement judgement;
		struct err_note note;
		char branch[64];
		json_t *arguments;

		snprintf(branch, sizeof(branch), "topic-%u", i % rules);
		arguments = json_pack("{s:s}", "branch", branch);
		if (policy_prepare(rulebook_tool(book, tool), arguments, &prepared, &note))
			fatal("prepare", &note);
		if (policy_judge(&(struct question){.policy = policy,
				     .book = book,
				     .tool = tool,
				     .identity = &identity,
				     .command = &prepared.command,
				     .facts = prepared.facts},
			&judgement))
			exit(1);
		judgement_fini(&judgement);
		prepared_fini(&prepared);
		json_decref(arguments);
	}
	return (double)(clock_monotonic_us() - before) / count;
}

static struct costs measure(enum shape shape, unsigned rules)
{
	struct err_note note = {""};
	struct rulebook *book = NULL;
	struct policy *policy = NULL;
	struct selftest tests;
	struct costs costs;
	struct buf text;
	uint64_t before;

	buf_init(&text, POLICY_FILE_MAX);
	make_text(&text, shape, rules);
	before = clock_monotonic_us();
	if (policy_load(
		&(struct policy_source){
		    .file = "p.yaml", .text = (const char *)text.data, .len = text.len},
		&policy, NULL, &note))
		fatal("load", &note);
	if (rulebook_new(policy, &book, &note))
		fatal("rulebook", &note);
	costs.read_ms = (double)(clock_monotonic_us() - before) / 1000;
	before = clock_monotonic_us();
	if (policy_selftest(policy, book, &tests, NULL, &note))
		fatal("tests", &note);
	costs.test_us = (double)(clock_monotonic_us() - before) / tests.run;
	costs.decision_us =
	    decide(policy, book, rules, shape == SHAPE_PATTERN ? SLOWLY : DECISIONS);
	rulebook_free(book);
	policy_free(policy);
	buf_fini(&text);
	return costs;
}

int main(void)
{
	static const unsigned sizes[] = {10, 1000, 10000};

	printf("%-12s %7s %12s %14s %13s %8s\n", "rows", "count", "read ms", "tests/s",
	    "decision us", "ratio");
	for (enum shape shape = SHAPE_EXACT; shape < SHAPE_COUNT; shape++) {
		double first = 0;

		for (unsigned i = 0; i < 3; i++) {
			struct costs costs = measure(shape, sizes[i]);

			first = i ? first : costs.decision_us;
			printf("%-12s %7u %12.1f %14.0f %13.2f %8.2f\n", shape_names[shape],
			    sizes[i], costs.read_ms, 1e6 / costs.test_us, costs.decision_us,
			    costs.decision_us / first);
		}
	}
	return 0;
}
