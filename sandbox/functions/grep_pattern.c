#include "sandbox/functions/grep_pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "supervisor/base/cleanup.h"

/* Of one line. A pattern that backtracks without end meets the first after about 0.05 s. */
#define MATCH_LIMIT    1000000
#define DEPTH_LIMIT    100000
#define HEAP_LIMIT_KIB (64 * 1024)
#define ERROR_TEXT_MAX 160

struct grep_pattern {
	pcre2_code *strict; /* for lines that are known to be UTF-8 */
	pcre2_code *loose;  /* for any bytes; slower */
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static uint32_t options_of(unsigned forms)
{
	uint32_t options = PCRE2_UTF;

	if (forms & GREP_PATTERN_CASELESS)
		options |= PCRE2_CASELESS;
	if (forms & GREP_PATTERN_LITERAL)
		return options | PCRE2_LITERAL;
	/* \C would match half a character. */
	return options | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
}

static int compile(pcre2_code **ret, const char *text, uint32_t options, struct err_note *note)
{
	PCRE2_SIZE offset = 0;
	int error = 0;
	PCRE2_UCHAR why[ERROR_TEXT_MAX];

	*ret =
	    pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
	if (*ret)
		return 0;
	if (error == PCRE2_ERROR_NOMEMORY)
		return err_note(note, -ENOMEM, "pattern: out of memory");
	if (pcre2_get_error_message(error, why, sizeof(why)) < 0)
		why[0] = '\0';
	return err_note(note, -EINVAL,
	    "pattern: %s (at byte %zu); give PCRE2 syntax, or literal: true for plain text", why,
	    (size_t)offset);
}

int grep_pattern_new(
    struct grep_pattern **ret, const char *text, unsigned forms, struct err_note *note)
{
	struct grep_pattern *pattern;
	int r;

	if (!*text)
		return err_note(note, -EINVAL, "pattern: is empty; ^ matches every line");
	if (strlen(text) > GREP_PATTERN_MAX)
		return err_note(
		    note, -EINVAL, "pattern: is longer than %d bytes", GREP_PATTERN_MAX);
	if (strchr(text, '\n'))
		return err_note(
		    note, -EINVAL, "pattern: holds a line end, but lines are matched one by one");
	pattern = calloc(1, sizeof(*pattern));
	if (!pattern)
		return err_note(note, -ENOMEM, "pattern: out of memory");
	r = compile(&pattern->strict, text, options_of(forms), note);
	if (r == 0)
		r = compile(
		    &pattern->loose, text, options_of(forms) | PCRE2_MATCH_INVALID_UTF, note);
	if (r == 0) {
		pattern->data = pcre2_match_data_create(1, NULL);
		pattern->limits = pcre2_match_context_create(NULL);
		if (!pattern->data || !pattern->limits)
			r = err_note(note, -ENOMEM, "pattern: out of memory");
	}
	if (r < 0) {
		grep_pattern_free(pattern);
		return r;
	}
	pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KIB);
	*ret = pattern;
	return 0;
}

void grep_pattern_free(struct grep_pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_code_free(pattern->strict);
	pcre2_code_free(pattern->loose);
	pcre2_match_data_free(pattern->data);
	pcre2_match_context_free(pattern->limits);
	free(pattern);
}

enum grep_match grep_pattern_match(
    struct grep_pattern *pattern, const char *line, size_t len, enum grep_encoding encoding)
{
	bool strict = encoding == GREP_UTF8;
	int found = pcre2_match(strict ? pattern->strict : pattern->loose, (PCRE2_SPTR)line, len, 0,
	    strict ? PCRE2_NO_UTF_CHECK : 0, pattern->data, pattern->limits);

	if (found >= 0)
		return GREP_MATCH;
	return found == PCRE2_ERROR_NOMATCH ? GREP_NO_MATCH : GREP_COSTLY;
}
