/*
 * PCRE2 under a budget. The interpreter only: just-in-time code needs executable memory, which the
 * daemon's roles may not have, and would save little of the microsecond that a usual check of three
 * arguments takes. What a match costs is counted in callouts, which PCRE2 makes
 * before each item of the pattern, and in the bytes passed between two of them; so a pattern that
 * backtracks without end stops at the same point on every machine.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/json_schema_regex.h"

#include <errno.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/json_schema_value.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define TRANSLATED_MAX  (1024 * 1024)
#define HEAP_MAX_KIB    8192 /* filling it costs as much as all steps do */
#define DEPTH_MAX       250000
#define MATCH_MAX       50000000
#define CALLOUTS_A_STEP 4
#define STEPS_A_MATCH   2 /* whatever comes of it */
#define BYTES_A_CALLOUT 16
#define BYTES_A_CHECK   256  /* of looking whether they are UTF-8 */
#define BYTES_A_SEARCH  4096 /* of looking for a first character */

struct json_regex {
	struct json_regex *next; /* owned */
	pcre2_code *code;        /* owned */
	size_t size;
	char text[]; /* the pattern as written */
};

struct json_regex_run {
	pcre2_match_context *context; /* owned */
	pcre2_match_data *data;       /* owned */
	struct json_budget *budget;   /* borrowed during a match */
	size_t position;              /* of the callout before */
	uint64_t spent;               /* callouts not yet taken from the budget */
	const char *known;            /* text of known_len bytes that PCRE2 found to be UTF-8 */
	size_t known_len;
};

static int say_pcre2(char why[JSON_REGEX_WHY_MAX], int code, size_t offset)
{
	PCRE2_UCHAR words[96] = "";

	if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	(void)pcre2_get_error_message(code, words, sizeof(words)); /* cut is as good */
	snprintf(
	    why, JSON_REGEX_WHY_MAX, "%s (byte %zu as translated)", (const char *)words, offset);
	return -EINVAL;
}

int json_regex_new(
    struct json_regex **list, const char *pattern, size_t len, char why[JSON_REGEX_WHY_MAX])
{
	const uint32_t options =
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
	struct buf cleanup_with(buf_fini) translated;
	struct json_regex cleanup_free *regex = NULL;
	PCRE2_SIZE offset = 0;
	int code = 0, r;

	buf_init(&translated, TRANSLATED_MAX);
	r = json_regex_translate(&translated, pattern, len, why);
	if (r < 0)
		return r;
	regex = calloc(1, sizeof(*regex) + len + 1);
	if (!regex)
		return -ENOMEM;
	memcpy(regex->text, pattern, len);
	regex->code = pcre2_compile(translated.len ? translated.data : (PCRE2_SPTR) "",
	    translated.len, options, &code, &offset, NULL);
	if (!regex->code)
		return say_pcre2(why, code, offset);
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &regex->size); /* cannot fail */
	regex->next = *list;
	*list = take_ptr(regex);
	return 0;
}

void json_regex_free(struct json_regex *list)
{
	while (list) {
		struct json_regex *next = list->next;

		pcre2_code_free(list->code);
		free(list);
		list = next;
	}
}

const char *json_regex_text(const struct json_regex *regex)
{
	return regex->text;
}

size_t json_regex_size(const struct json_regex *regex)
{
	return regex->size;
}

static int on_callout(pcre2_callout_block *block, void *data)
{
	struct json_regex_run *run = data;
	size_t position = block->current_position;
	size_t passed =
	    position > run->position ? position - run->position : run->position - position;

	run->position = position;
	run->spent += 1 + passed / BYTES_A_CALLOUT;
	if (run->spent < CALLOUTS_A_STEP)
		return 0;
	if (!json_budget_spend(run->budget, run->spent / CALLOUTS_A_STEP))
		return PCRE2_ERROR_CALLOUT;
	run->spent %= CALLOUTS_A_STEP;
	return 0;
}

static struct json_regex_run *run_new(void)
{
	struct json_regex_run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->context = pcre2_match_context_create(NULL);
	run->data = pcre2_match_data_create(1, NULL);
	if (!run->context || !run->data) {
		json_regex_run_free(run);
		return NULL;
	}
	/* Each returns 0 always. */
	(void)pcre2_set_callout(run->context, on_callout, run);
	(void)pcre2_set_heap_limit(run->context, HEAP_MAX_KIB);
	(void)pcre2_set_depth_limit(run->context, DEPTH_MAX);
	(void)pcre2_set_match_limit(run->context, MATCH_MAX);
	return run;
}

void json_regex_run_free(struct json_regex_run *run)
{
	if (!run)
		return;
	pcre2_match_data_free(run->data);
	pcre2_match_context_free(run->context);
	free(run);
}

int json_regex_match(const struct json_regex *regex, const char *text, size_t len,
    struct json_budget *budget, struct json_regex_run **run)
{
	uint32_t options = 0;
	uint64_t steps = STEPS_A_MATCH + len / BYTES_A_SEARCH;
	int r;

	if (!*run)
		*run = run_new();
	if (!*run)
		return -ENOMEM;
	(*run)->budget = budget;
	(*run)->position = 0;
	(*run)->spent = 0;
	if ((*run)->known == text && (*run)->known_len == len)
		options |= PCRE2_NO_UTF_CHECK;
	else
		steps += len / BYTES_A_CHECK;
	if (!json_budget_spend(budget, steps))
		return JSON_MATCH_TOO_MUCH;
	r = pcre2_match(
	    regex->code, (PCRE2_SPTR)text, len, 0, options, (*run)->data, (*run)->context);
	if (r >= 0 || r == PCRE2_ERROR_NOMATCH) {
		(*run)->known = text;
		(*run)->known_len = len;
	}
	if (r >= 0)
		return JSON_MATCH_YES;
	if (r == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	if (r == PCRE2_ERROR_NOMATCH)
		return JSON_MATCH_NO;
	budget->steps = 0; /* whichever bound it was: the next one would cost as much again */
	return JSON_MATCH_TOO_MUCH;
}
