/*
 * Patterns of ECMA-262, translated for PCRE2 and run under a budget. Private to
 * policy/json_schema*.c. Floor 1: base, PCRE2.
 */
#ifndef CALLGATE_POLICY_JSON_SCHEMA_REGEX_H
#define CALLGATE_POLICY_JSON_SCHEMA_REGEX_H

#include <stddef.h>

struct buf;
struct json_budget;
struct json_regex;
struct json_regex_run;

#define JSON_REGEX_WHY_MAX 160

/* Appends to out what PCRE2 must compile to match as ECMA-262 would match pattern. 0, or -EINVAL
 * with why ("reason; what to do") and the byte where understanding ended, or out's fault. */
int json_regex_translate(
    struct buf *out, const char *pattern, size_t len, char why[JSON_REGEX_WHY_MAX]);

/* 0; -EINVAL with why; -ENOMEM. *ret is put before *list, which owns it. */
int json_regex_new(
    struct json_regex **list, const char *pattern, size_t len, char why[JSON_REGEX_WHY_MAX]);
/* Frees a list; accepts NULL. */
void json_regex_free(struct json_regex *list);
/* The pattern as written, for notes; lives as long as the regex. */
const char *json_regex_text(const struct json_regex *regex);
/* Bytes of memory it holds. */
size_t json_regex_size(const struct json_regex *regex);

enum json_match {
	JSON_MATCH_NO = 0,
	JSON_MATCH_YES,
	JSON_MATCH_TOO_MUCH,
};

/* Does the pattern match anywhere in text? An enum json_match or -ENOMEM. *run is made when it is
 * needed, serves any number of patterns, and is freed by json_regex_run_free(). Until then text
 * must stay as it is: that it is UTF-8 is looked at once. */
int json_regex_match(const struct json_regex *regex, const char *text, size_t len,
    struct json_budget *budget, struct json_regex_run **run);
void json_regex_run_free(struct json_regex_run *run);

#endif
