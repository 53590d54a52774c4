/* What a pattern cannot do without: a table, and patterns and texts by the thousand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/json_schema_regex.h"
#include "policy/json_schema_value.h"
#include "policy/literals.h"
#include "supervisor/base/buf.h"
#include "tests/unit/policy/random_pattern.h"

/* Sets are parted by " & ", literals by "|"; ^ and $ are the ends. */
static void show(struct buf *out, const struct literals *literals)
{
	for (uint32_t i = 0; i < literals->count; i++) {
		const struct literal_set *set = &literals->sets[i];

		for (uint32_t j = 0; j < set->count; j++)
			buf_textf(out, "%s%s%.*s%s",
			    j   ? "|"
			    : i ? " & "
				: "",
			    set->items[j].at_start ? "^" : "", (int)set->items[j].len,
			    set->items[j].text, set->items[j].at_end ? "$" : "");
	}
}

static const struct {
	const char *pattern, *literals;
} rows[] = {
    {"", ""},
    {"prod", "prod"},
    {".*prod.*", "prod"},
    {"^prod$", "^prod$"},
    {"^$", "^$"},
    {"^", ""},
    {"^.*$", ""},
    {"^[a-z]+$", ""},
    {"^feature/", "^feature/"},
    {"(^|/)secrets/", "^secrets/|/secrets/"},
    {"\\.env$", ".env$"},
    {"[a-z]+-release", "-release"},
    {"^[a-z]+-release$", "-release$"},
    {"^(main|master)$", "^main$|^master$"},
    {"^(main|release/.*)$", "main|release/"},
    {"^main$|^release/.*", "^main$|^release/"},
    {"main|.*", ""},
    {"prod|", ""},
    {"(prod)?", ""},
    {"(prod)*x", "x"},
    {"(prod)+", "prod"},
    {"(prod){0}", ""},
    {"(prod){0,1}y", "y|prody"},
    {"(ab){2}c", "ababc"},
    {"(ab){2,}c", "abab & c"},
    {"(ab){9}", "abababababababab"},
    {"abc?d", "abd|abcd"},
    {"abc*d", "ab & d"},
    {"abc+d", "abc & d"},
    {"abc+?d", "abc & d"},
    {"[Pp]rod", "Prod|prod"},
    {"[^p]rod", "rod"},
    {"[a-c]x", "ax|bx|cx"},
    {"[a-e]x", "x"},
    {"[xa-z]y", "y"},
    {"[a-zx]y", "y"},
    {"[a-d]y", "ay|by|cy|dy"},
    {"[a-dx]y", "y"},
    {"[]x", "x"},
    {"\\dx\\w", "x"},
    {"\\bprod\\b", "prod"},
    {"x\\Bprod", "xprod"},
    {"(?=.*prod).*team", "prod & team"},
    {"(?!.*prod).*team", "team"},
    {"(?<=prod)x", "prod & x"},
    {"(?<!prod)x", "x"},
    {"(?:a|b)(?:c|d)", "ac|ad|bc|bd"},
    {"(?<name>prod)x", "prodx"},
    {"a^b", "ab"},
    {"a$b", "ab"},
    {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
    {"\\u00e9\\u{1f600}\\x41", "\xc3\xa9\xf0\x9f\x98\x80"
			       "A"},
    {"\xc3\xa9?x", "x|\xc3\xa9x"},
    {"\\p{L}x", "x"},
    {"a.b.c.d.e.f.g.h.longest", "longest & b & c & d & e & f & g & h"},
    {"(", ""},
    {"\\1", ""},
};

static void a_pattern_needs_its_literals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = {NULL};
		struct literals literals;
		const char *text;
		struct buf shown;

		buf_init(&shown, 4096);
		assert_int_equal(literals_of_pattern(
				     &arena, rows[i].pattern, strlen(rows[i].pattern), &literals),
		    0);
		show(&shown, &literals);
		text = buf_cstr(&shown);
		if (strcmp(text, rows[i].literals))
			fail_msg("%s: '%s', not '%s'", rows[i].pattern, text, rows[i].literals);
		buf_fini(&shown);
		arena_fini(&arena);
	}
}

/* What grows with each further part must stop too: this one asks for 2^300 texts. */
static void a_large_pattern_stays_small(void **state)
{
	struct arena arena = {NULL};
	struct literals literals;
	char pattern[4001] = "";

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		strcat(pattern, "(ab|c)?[de]");
	assert_int_equal(literals_of_pattern(&arena, pattern, strlen(pattern), &literals), 0);
	for (uint32_t i = 0; i < literals.count; i++)
		assert_true(literals.sets[i].count <= 256);
	memset(pattern, 'x', 4000);
	assert_int_equal(literals_of_pattern(&arena, pattern, 4000, &literals), 0);
	assert_int_equal(literals.count, LITERAL_SETS_MAX);
	arena_fini(&arena);
}

static bool holds(const struct literal_set *set, const char *text, size_t len)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const struct literal *item = &set->items[i];

		for (size_t at = 0; at + item->len <= len; at++)
			if (!memcmp(text + at, item->text, item->len) && (!item->at_start || !at) &&
			    (!item->at_end || at + item->len == len))
				return true;
	}
	return false;
}

#define PATTERNS 6000
#define TEXTS    40

static unsigned check_texts(const char *pattern, struct json_regex *regex, uint32_t *seed)
{
	struct arena arena = {NULL};
	struct json_regex_run *run = NULL;
	struct literals literals;
	unsigned matched = 0;
	char texts[TEXTS][RANDOM_TEXT_MAX];

	assert_int_equal(literals_of_pattern(&arena, pattern, strlen(pattern), &literals), 0);
	for (unsigned i = 0; i < TEXTS; i++) {
		struct json_budget budget = {100000};

		random_text(texts[i], i % 2 ? pattern : NULL, seed);
		if (json_regex_match(regex, texts[i], strlen(texts[i]), &budget, &run) !=
		    JSON_MATCH_YES)
			continue;
		matched += literals.count > 0;
		for (uint32_t j = 0; j < literals.count; j++)
			if (!holds(&literals.sets[j], texts[i], strlen(texts[i])))
				fail_msg("%s matches '%s', and set %u is not in it", pattern,
				    texts[i], j);
	}
	json_regex_run_free(run);
	arena_fini(&arena);
	return matched;
}

static void no_text_matches_without_its_literals(void **state)
{
	uint32_t seed = 1;
	unsigned matched = 0;

	(void)state;
	for (unsigned i = 0; i < PATTERNS; i++) {
		char pattern[RANDOM_PATTERN_MAX], why[JSON_REGEX_WHY_MAX];
		struct json_regex *regex = NULL;

		random_pattern(pattern, &seed);
		if (json_regex_new(&regex, pattern, strlen(pattern), why))
			continue; /* a lookbehind without a fixed length, say */
		matched += check_texts(pattern, regex, &seed);
		json_regex_free(regex);
	}
	/* Else it would have tested nothing. */
	assert_true(matched > PATTERNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pattern_needs_its_literals),
	    cmocka_unit_test(a_large_pattern_stays_small),
	    cmocka_unit_test(no_text_matches_without_its_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
