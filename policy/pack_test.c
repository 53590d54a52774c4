#include "policy/pack.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lexer.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

struct trial {
	const struct policy_pack *pack;
	const struct pack_test *test;
	struct buf *failures;
	bool failed;
};

__attribute__((format(printf, 2, 3))) static void fail(struct trial *trial, const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	buf_textf(trial->failures, "%s:%u:%u: tests: %s: %s\n", trial->pack->file,
	    trial->test->pos.line, trial->test->pos.column,
	    trial->test->command ? trial->test->command : trial->test->argv.items[0].text, why);
	trial->failed = true;
}

/* "rm -f {}" of an inner command line; a shell text is itself. */
static const char *inner_words(const struct pack_inner *inner, struct buf *out)
{
	if (inner->form == PACK_FORM_SHELL)
		return inner->text;
	buf_reset(out);
	for (uint32_t i = 0; i < inner->argc; i++)
		buf_textf(out, "%s%s", i ? " " : "", inner->argv[i]);
	return buf_cstr(out);
}

static void judge_inner(struct trial *trial, const struct pack_reading *reading)
{
	const struct policy_words *wanted = &trial->test->inner;
	struct buf cleanup_with(buf_fini) words = {0};

	buf_init(&words, 64 * 1024);
	if (wanted->count != reading->inner_count) {
		if (wanted->count || reading->inner_count)
			fail(trial, "%u inner command lines, %u expected", reading->inner_count,
			    wanted->count);
		return;
	}
	for (uint32_t i = 0; i < wanted->count; i++) {
		const char *text = inner_words(&reading->inner[i], &words);

		if (!text || strcmp(text, wanted->items[i].text))
			fail(trial, "inner command line is '%s'", text ? text : "");
	}
}

static int run_test(struct trial *trial, const char *const *argv, uint32_t argc)
{
	const struct pack_test *test = trial->test;
	struct pack_reading cleanup_with(pack_reading_fini) reading = {NULL};
	struct pack_verdict verdict;
	int fault = pack_read(trial->pack, argv, argc, &reading);

	if (fault)
		return fault;
	if (!pack_applies(trial->pack, argv[0]))
		fail(trial, "not the pack's program");
	pack_decide(trial->pack, &reading, &verdict);
	if (verdict.decision != test->expect)
		fail(trial, "%s by %s, about '%s'", decision_name(verdict.decision), verdict.id,
		    verdict.subject);
	else if (*test->rule && strcmp(test->rule, verdict.id))
		fail(trial, "by %s, about '%s'", verdict.id, verdict.subject);
	judge_inner(trial, &reading);
	return 0;
}

static int run_words(struct trial *trial)
{
	const struct policy_words *words = &trial->test->argv;
	const char **cleanup_free argv = calloc(words->count + 1, sizeof(*argv));

	if (!argv)
		return -ENOMEM;
	for (uint32_t i = 0; i < words->count; i++)
		argv[i] = words->items[i].text;
	return run_test(trial, argv, words->count);
}

static int run_line(struct trial *trial)
{
	struct command cleanup_with(command_fini) command = {0};
	int fault = command_parse(&command, trial->test->command, strlen(trial->test->command));

	if (fault == -ENOMEM)
		return fault;
	if (!fault && command.form == COMMAND_SIMPLE)
		return run_test(trial, command.argv, command.argc);
	fail(trial, "not one simple command (%s)", command.why ? command.why : "operators");
	return 0;
}

int pack_test(const struct policy_pack *pack, struct buf *failures)
{
	bool failed = false;

	for (uint32_t i = 0; i < pack->test_count; i++) {
		struct trial trial = {pack, &pack->tests[i], failures, false};
		int fault = trial.test->command ? run_line(&trial) : run_words(&trial);

		if (fault)
			return fault;
		failed = failed || trial.failed;
	}
	return failed ? -EINVAL : 0;
}
