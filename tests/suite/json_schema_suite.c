/*
 * Runs files of the JSON Schema Test Suite: json_schema_suite OUTSIDE FILE...
 *
 * OUTSIDE names, separated by blanks, the keywords that a schema may be refused for; "$ref:remote"
 * is a $ref that does not begin with "#" or names an anchor, "FILE/keyword" counts in one file
 * only. A schema refused for anything else, and every answer that is not the suite's, is a
 * difference. Prints each difference, the keywords outside with their groups, and one line of sums.
 */
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "policy/json_schema.h"
#include "supervisor/base/err.h"

#define KEYWORDS_MAX 100

struct tally {
	char name[64];
	unsigned groups, tests;
};

struct suite {
	const char *outside;
	char file[64];
	struct tally tallies[KEYWORDS_MAX];
	unsigned tally_count;
	unsigned agree, outside_tests, outside_groups, differ;
};

static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

/* The keyword at the end of the place that a refusal begins with. */
static void refused_keyword(const struct err_note *note, char *out, size_t max)
{
	size_t len = strcspn(note->text, ":");
	const char *last = memrchr(note->text, '.', len);
	const char *target = strstr(note->text, ": \"");

	last = last ? last + 1 : note->text;
	snprintf(out, max, "%.*s", (int)(len - (size_t)(last - note->text)), last);
	out[strcspn(out, "[")] = '\0';
	if (!strcmp(out, "$ref") && target && strncmp(target, ": \"#/", 5) &&
	    strncmp(target, ": \"#\"", 5))
		snprintf(out, max, "$ref:remote");
}

static void count_outside(struct suite *suite, const char *keyword, size_t tests)
{
	struct tally *tally = suite->tallies;
	unsigned i = 0;

	while (i < suite->tally_count && strcmp(tally[i].name, keyword))
		i++;
	if (i == KEYWORDS_MAX)
		exit(2);
	if (i == suite->tally_count) {
		snprintf(tally[i].name, sizeof(tally[i].name), "%s", keyword);
		suite->tally_count++;
	}
	tally[i].groups++;
	tally[i].tests += (unsigned)tests;
	suite->outside_groups++;
	suite->outside_tests += (unsigned)tests;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void run_test(
    struct suite *suite, const struct json_schema *schema, const json_t *group, const json_t *test)
{
	struct err_note note = {""};
	int r = json_schema_check(schema, json_object_get(test, "data"), "data", &note);
	bool valid = json_is_true(json_object_get(test, "valid"));

	if (r == (valid ? JSON_SCHEMA_VALID : JSON_SCHEMA_INVALID)) {
		suite->agree++;
		return;
	}
	suite->differ++;
	printf("%s: %s: %s: wanted %s, got %d: %s\n", suite->file, text_of(group, "description"),
	    text_of(test, "description"), valid ? "valid" : "invalid", r, note.text);
}

static void run_group(struct suite *suite, const json_t *group)
{
	const json_t *tests = json_object_get(group, "tests");
	struct json_schema *schema = NULL;
	struct err_note note = {""};
	char keyword[64], in_file[130];
	int r = json_schema_compile(json_object_get(group, "schema"), &schema, &note);

	if (r == 0) {
		for (size_t i = 0; i < json_array_size(tests); i++)
			run_test(suite, schema, group, json_array_get(tests, i));
		json_schema_free(schema);
		return;
	}
	refused_keyword(&note, keyword, sizeof(keyword));
	snprintf(in_file, sizeof(in_file), "%s/%s", suite->file, keyword);
	if (is_listed(suite->outside, keyword) || is_listed(suite->outside, in_file)) {
		count_outside(suite, keyword, json_array_size(tests));
		return;
	}
	suite->differ += (unsigned)json_array_size(tests);
	printf("%s: %s: refused: %s\n", suite->file, text_of(group, "description"), note.text);
}

static void run_file(struct suite *suite, const char *path)
{
	char copy[4096];
	json_error_t error;
	json_t *groups = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	/* Integers beyond 64 bits, which no request may hold: as the nearest double. */
	if (!groups)
		groups = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(suite->file, sizeof(suite->file), "%s", basename(copy));
	suite->file[strcspn(suite->file, ".")] = '\0';
	if (!json_is_array(groups)) {
		printf("%s: not a list of groups: %s\n", path, error.text);
		suite->differ++;
	}
	for (size_t i = 0; i < json_array_size(groups); i++)
		run_group(suite, json_array_get(groups, i));
	json_decref(groups);
}

int main(int argc, char **argv)
{
	static struct suite suite;

	if (argc < 3)
		return 2;
	suite.outside = argv[1];
	for (int i = 2; i < argc; i++)
		run_file(&suite, argv[i]);
	for (unsigned i = 0; i < suite.tally_count; i++)
		printf("outside: %-24s %3u groups, %3u tests\n", suite.tallies[i].name,
		    suite.tallies[i].groups, suite.tallies[i].tests);
	printf("schema suite: %u agree, %u outside the subset, %u differ\n", suite.agree,
	    suite.outside_tests, suite.differ);
	return suite.differ || !suite.agree ? 1 : 0;
}
