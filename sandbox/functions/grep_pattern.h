/*
 * The pattern of a search, compiled: the one dialect of grep.h, with bounds on what one line may
 * cost. No just-in-time compiler: a cell may forbid writable code, and the same search shall give
 * the same answer within any walls. Floor 1: base, PCRE2.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_GREP_PATTERN_H
#define CALLGATE_SANDBOX_FUNCTIONS_GREP_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/base/err.h"

#define GREP_PATTERN_MAX 4096 /* bytes */

enum grep_pattern_form {
	GREP_PATTERN_REGEX = 0,
	GREP_PATTERN_LITERAL = 1 << 0,
	GREP_PATTERN_CASELESS = 1 << 1,
};

enum grep_match {
	GREP_NO_MATCH = 0,
	GREP_MATCH,
	GREP_COSTLY, /* more work than one line is allowed: neither is known */
};

enum grep_encoding {
	GREP_BYTES = 0, /* may hold bytes that are not UTF-8 */
	GREP_UTF8,      /* checked by the caller */
};

struct grep_pattern; /* opaque: keeps PCRE2's header out of the others */

/* forms: of enum grep_pattern_form. 0, -EINVAL with a note, -ENOMEM. Freed by
 * grep_pattern_free(), which accepts NULL. */
int grep_pattern_new(
    struct grep_pattern **ret, const char *text, unsigned forms, struct err_note *note);
void grep_pattern_free(struct grep_pattern *pattern);
enum grep_match grep_pattern_match(
    struct grep_pattern *pattern, const char *line, size_t len, enum grep_encoding encoding);

#endif
