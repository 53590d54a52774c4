/*
 * What a policy costs: reading it, the memory of what is compiled from it, its own tests, one
 * decision, and finding the rows for a value of 1 MiB, with 10, 1,000 and 10,000 rows of rules:.
 * One line for each kind of rows and number of them; the ratio says how flat it is. Times are of
 * the processor, medians of several rounds. With an argument, only the kinds whose name begins
 * with it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/freeze.h"
#include "policy/load.h"
#include "policy/prepare.h"
#include "policy/selftest.h"

#define ROUNDS   9
#define ROUND_US 10000 /* about how long a round lasts */
#define BATCH    8     /* decisions between two looks at the clock */
#define TESTS    200
#define LARGE    (1024 * 1024)

/* Each %u is the number of the row; value is what one row speaks of. */
struct shape {
	const char *name;
	const char *when;
	const char *value;
};
static const struct shape shapes[] = {
    {"exact", "branch: {const: \"topic-%u\"}", "topic-%u"},
    {"number", "count: {const: %u}", "topic-%u"},
    {"beginning", "branch: {pattern: \"^topic-%u/\"}", "topic-%u/x"},
    {"ending", "branch: {pattern: \"-%u$\"}", "topic-%u"},
    {"file ending", "branch: {pattern: '\\.env%u$'}", "etc/x.env%u"},
    {"middle", "branch: {pattern: \".*prod-%u-.*\"}", "a-prod-%u-b"},
    {"folder", "branch: {pattern: \"(^|/)secrets-%u/\"}", "x/secrets-%u/y"},
    {"after class", "branch: {pattern: \"^[a-z]+-%u-release\"}", "my-%u-release"},
    {"alternatives", "branch: {pattern: \"^(hot-%u|fix-%u)(/|$)\"}", "fix-%u"},
    {"either case", "branch: {pattern: \"[Pp][Rr]od-%u$\"}", "x-PRod-%u"},
    {"alike", "branch: {pattern: \"^refs/heads/.+-team-%u$\"}", "refs/heads/a-team-%u"},
    {"by another", "branch: {pattern: \"^[a-z]\"}, remote: {const: \"r-%u\"}", "topic-%u"},
    {"none, equal", "branch: {pattern: \"^[a-z]+$\"}", "topic-%u"},
    {"none, differ", "branch: {pattern: \"^[a-z]{1,%u}$\"}", "topic-%u"},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void fatal(const char *what, const struct err_note *note)
{
	fprintf(stderr, "bench_policy: %s: %s\n", what, note->text);
	exit(1);
}

/* Other programs of the machine do not count. */
static uint64_t spent_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* there always is one */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Numbers begin with 1, since {1,0} is no repetition. */
static void put_numbered(struct buf *out, const char *text, unsigned i)
{
	for (const char *at; (at = strstr(text, "%u")) != NULL; text = at + 2)
		buf_textf(out, "%.*s%u", (int)(at - text), text, i + 1);
	buf_text(out, text);
}

static void make_text(struct buf *out, const struct shape *shape, unsigned rules)
{
	buf_text(out, "version: 1\ntools:\n  push:\n    type: command\n"
		      "    parameters: {type: object, additionalProperties: false, required: "
		      "[branch],\n      properties: {branch: {type: string, maxLength: 100}, "
		      "remote: {type: string},\n        count: {type: integer}}}\n"
		      "    exec: {program: git, argv: [push, --, origin, \"{branch}\"]}\n"
		      "    rules:\n");
	for (unsigned i = 0; i < rules; i++) {
		buf_textf(out, "      - {id: r%u, decision: allow, when: {", i);
		put_numbered(out, shape->when, i);
		buf_text(out, "}}\n");
	}
	buf_text(out, "    tests:\n");
	for (unsigned i = 0; i < TESTS; i++)
		buf_textf(out, "      - {args: {branch: \"None at all %u\"}, expect: ask}\n", i);
}

/* ---- one decision -------------------------------------------------------------------------- */

struct bench {
	const struct policy *policy;
	const struct rulebook *book;
	const struct shape *shape;
	unsigned rules;
};

static json_t *make_arguments(const struct bench *bench, unsigned i)
{
	unsigned row = i * 7919u % bench->rules;
	json_t *arguments;
	struct buf value;
	char remote[32];

	buf_init(&value, 100);
	put_numbered(&value, bench->shape->value, row);
	snprintf(remote, sizeof(remote), "r-%u", row + 1);
	arguments = json_pack(
	    "{s:s, s:s, s:i}", "branch", buf_cstr(&value), "remote", remote, "count", row + 1);
	buf_fini(&value);
	return arguments;
}

static void decide(const struct bench *bench, unsigned i)
{
	const struct policy_tool *tool = policy_find_tool(bench->policy, "push");
	struct identity identity = {.result = IDENTITY_OK};
	struct prepared prepared = {.arguments = NULL};
	json_t *arguments = make_arguments(bench, i);
	struct judgement judgement;
	struct err_note note;

	if (policy_prepare(rulebook_tool(bench->book, tool), arguments, &prepared, &note))
		fatal("prepare", &note);
	if (policy_judge(&(struct question){.policy = bench->policy,
			     .book = bench->book,
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

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double decision_us(const struct bench *bench)
{
	double rounds[ROUNDS];
	unsigned i = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t before = spent_us(), now = before;
		unsigned first = i;

		while (now - before < ROUND_US) {
			for (unsigned end = i + BATCH; i < end; i++)
				decide(bench, i);
			now = spent_us();
		}
		rounds[round] = (double)(now - before) / (i - first);
	}
	qsort(rounds, ROUNDS, sizeof(*rounds), compare);
	return rounds[ROUNDS / 2];
}

/* Words that rows are made of, and nothing that one of them speaks of. */
static double large_ms(const struct bench *bench)
{
	static const char words[] = "topic-prod-team/secrets refs/heads x.env hot-release 0/1/2 ";
	char *text = calloc(1, LARGE + sizeof(words));
	double rounds[ROUNDS];
	json_t *arguments;

	for (size_t len = 0; text && len < LARGE; len += sizeof(words) - 1)
		memcpy(text + len, words, sizeof(words));
	arguments = json_pack("{s:s}", "branch", text ? text : "");
	free(text);
	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct policy_rule **found = NULL;
		uint64_t before = spent_us();
		uint32_t count;

		if (rulebook_match(bench->book,
			&(struct question){.policy = bench->policy,
			    .book = bench->book,
			    .tool = &bench->policy->tools[0],
			    .facts = arguments},
			&found, &count))
			exit(1);
		rounds[round] = (double)(spent_us() - before) / 1000;
		free(found);
	}
	json_decref(arguments);
	qsort(rounds, ROUNDS, sizeof(*rounds), compare);
	return rounds[ROUNDS / 2];
}

/* ---- one line ------------------------------------------------------------------------------ */

struct costs {
	double read_ms, book_ms, book_kib, test_us, decision_us, large_ms;
};

static void take_book(const struct policy *policy, struct rulebook **book, struct costs *costs)
{
	size_t held = mallinfo2().uordblks;
	uint64_t before = spent_us();
	struct err_note note = {""};

	if (rulebook_new(policy, book, &note))
		fatal("rulebook", &note);
	costs->book_ms = (double)(spent_us() - before) / 1000;
	costs->book_kib = (double)(mallinfo2().uordblks - held) / 1024;
}

static struct costs measure(const struct shape *shape, unsigned rules)
{
	struct bench bench = {.shape = shape, .rules = rules};
	struct err_note note = {""};
	struct rulebook *book = NULL;
	struct policy *policy = NULL;
	struct selftest tests;
	struct costs costs;
	struct buf text;
	uint64_t before;

	buf_init(&text, POLICY_FILE_MAX);
	make_text(&text, shape, rules);
	before = spent_us();
	if (policy_load(
		&(struct policy_source){
		    .file = "p.yaml", .text = (const char *)text.data, .len = text.len},
		&policy, NULL, &note))
		fatal("load", &note);
	costs.read_ms = (double)(spent_us() - before) / 1000;
	take_book(policy, &book, &costs);
	before = spent_us();
	if (policy_selftest(policy, book, &tests, NULL, &note))
		fatal("tests", &note);
	costs.test_us = (double)(spent_us() - before) / tests.run;
	bench.policy = policy;
	bench.book = book;
	costs.decision_us = decision_us(&bench);
	costs.large_ms = large_ms(&bench);
	rulebook_free(book);
	policy_free(policy);
	buf_fini(&text);
	return costs;
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = {10, 1000, 10000};

	printf("%-13s %6s %8s %8s %8s %8s %12s %6s %9s\n", "rows", "count", "read ms", "compile",
	    "KiB", "tests/s", "decision us", "ratio", "1 MiB ms");
	for (size_t shape = 0; shape < SHAPES; shape++) {
		double first = 0;

		if (argc > 1 && strncmp(shapes[shape].name, argv[1], strlen(argv[1])) != 0)
			continue;
		for (unsigned i = 0; i < 3; i++) {
			struct costs costs = measure(&shapes[shape], sizes[i]);

			first = i ? first : costs.decision_us;
			printf("%-13s %6u %8.1f %8.1f %8.0f %8.0f %12.2f %6.2f %9.2f\n",
			    shapes[shape].name, sizes[i], costs.read_ms, costs.book_ms,
			    costs.book_kib, 1e6 / costs.test_us, costs.decision_us,
			    costs.decision_us / first, costs.large_ms);
		}
	}
	return 0;
}
