/* Scopes only ever get narrower: by example, and by trying every short glob against every name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/identity/scope.h"

static void globs_within_globs(void **state)
{
	static const struct {
		const char *wide, *narrow;
		bool covers;
	} rows[] = {
	    {"*", "git_push", true},
	    {"*", "*", true},
	    {"*", "git_*", true},
	    {"git_*", "git_push", true},
	    {"git_*", "git_*", true},
	    {"git_*", "git_p*", true},
	    {"git_*", "*", false},
	    {"git_*", "g*", false},
	    {"git_push", "git_*", false},
	    {"git_push", "git_push", true},
	    {"git_push", "git_pull", false},
	    {"git_?", "git_a", true},
	    {"git_?", "git_?", true},
	    {"git_?", "git_*", false},
	    {"git_a", "git_?", false},
	    {"*_push", "git_push", true},
	    {"*_push", "*t_push", true},
	    {"*a*", "b*a*b", true},
	    {"*a*b*", "*b*a*", false},
	    {"**", "*", true},
	    {"*", "**", true},
	    {"", "", true},
	    {"*", "", true},
	    {"", "*", false},
	    {"a", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (scope_glob_covers(rows[i].wide, rows[i].narrow) != rows[i].covers)
			fail_msg("%s over %s", rows[i].wide, rows[i].narrow);
	}
}

/* Writes word number i of length len over letters. */
static void word(char *out, const char *letters, size_t len, unsigned i)
{
	size_t n = strlen(letters);

	for (size_t j = 0; j < len; j++, i /= (unsigned)n)
		out[j] = letters[i % n];
	out[len] = '\0';
}

static unsigned words(const char *letters, size_t len)
{
	unsigned count = 1;

	while (len--)
		count *= (unsigned)strlen(letters);
	return count;
}

/* Where narrow is said to be covered, no name up to five letters may escape wide. */
static void covering_is_never_wrong(void **state)
{
	static const char globs[] = "ab*?", names[] = "ab";
	char wide[8], narrow[8], name[8];
	unsigned covered = 0;

	(void)state;
	for (size_t w = 0; w <= 4; w++)
		for (unsigned i = 0; i < words(globs, w); i++)
			for (size_t n = 0; n <= 3; n++)
				for (unsigned j = 0; j < words(globs, n); j++) {
					word(wide, globs, w, i);
					word(narrow, globs, n, j);
					if (!scope_glob_covers(wide, narrow))
						continue;
					covered++;
					for (size_t l = 0; l <= 5; l++)
						for (unsigned k = 0; k < words(names, l); k++) {
							word(name, names, l, k);
							if (str_glob(narrow, name) &&
							    !str_glob(wide, name))
								fail_msg("%s over %s: %s", wide,
								    narrow, name);
						}
				}
	assert_true(covered > 1000);
}

static void fill(struct scope *scope, enum scope_kind kind, const char *words_text)
{
	char *copy = strdup(words_text), *save = NULL;

	for (char *at = strtok_r(copy, " ", &save); at; at = strtok_r(NULL, " ", &save))
		assert_int_equal(scope_add(scope, kind, at), 0);
	free(copy);
}

static void expect_list(const struct scope *scope, enum scope_kind kind, const char *wanted)
{
	char text[1024] = "";

	for (uint32_t i = 0; i < scope->lists[kind].count; i++) {
		size_t n = strlen(text);

		snprintf(
		    text + n, sizeof(text) - n, "%s%s", i ? " " : "", scope->lists[kind].items[i]);
	}
	assert_string_equal(text, wanted);
}

static void an_intersection_is_within_both(void **state)
{
	struct scope a = {0}, b = {0}, both, again;

	(void)state;
	fill(&a, SCOPE_TOOLS, "git_* bash rm");
	fill(&b, SCOPE_TOOLS, "git_push g* ba?h ls");
	fill(&a, SCOPE_AGENTS, "*");
	fill(&b, SCOPE_AGENTS, "coder");
	fill(&a, SCOPE_NAMESPACES, "default");
	fill(&a, SCOPE_ROLES, "developer operator");
	fill(&b, SCOPE_ROLES, "*");
	fill(&b, SCOPE_PERMISSIONS, "audit:read");
	assert_int_equal(scope_intersect(&both, &a, &b), 0);
	expect_list(&both, SCOPE_TOOLS, "git_* bash git_push");
	expect_list(&both, SCOPE_AGENTS, "coder");
	expect_list(&both, SCOPE_NAMESPACES, "");
	expect_list(&both, SCOPE_ROLES, "developer operator");
	expect_list(&both, SCOPE_PERMISSIONS, "");
	assert_true(scope_covers(&a, &both));
	assert_true(scope_covers(&b, &both));
	assert_false(scope_covers(&both, &a));
	assert_true(scope_has(&both, SCOPE_TOOLS, "git_pull"));
	assert_false(scope_has(&both, SCOPE_TOOLS, "rm"));
	assert_false(scope_has(&both, SCOPE_TOOLS, "ls"));
	assert_false(scope_is_idle(&both));
	assert_int_equal(scope_intersect(&again, &both, &a), 0);
	assert_true(scope_covers(&again, &both) && scope_covers(&both, &again));
	scope_fini(&again);
	scope_fini(&both);
	scope_fini(&a);
	assert_int_equal(scope_intersect(&both, &a, &b), 0);
	assert_true(scope_is_idle(&both));
	scope_fini(&b);
}

static void nothing_gives_nothing(void **state)
{
	struct scope nothing = {0}, all = {0}, both;

	(void)state;
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++)
		assert_false(scope_has(&nothing, (enum scope_kind)kind, "x"));
	assert_true(scope_is_idle(&nothing));
	assert_int_equal(scope_add_all(&all), 0);
	assert_int_equal(scope_intersect(&both, &all, &nothing), 0);
	assert_true(scope_is_idle(&both));
	assert_true(scope_has(&all, SCOPE_PERMISSIONS, "keys:manage"));
	scope_fini(&all);
}

static void lists_are_bounded(void **state)
{
	struct scope a = {0}, b = {0}, both;
	static const char *const wrong[] = {
	    "", "a b", "a/b", "a\n", "\xc3\xa9", "a,b", "[a]", "a'", "\\*"};
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(scope_add(&a, SCOPE_TOOLS, wrong[i]), -EINVAL);
	memset(name, 'a', sizeof(name));
	name[SCOPE_TEXT_MAX + 1] = '\0';
	assert_int_equal(scope_add(&a, SCOPE_TOOLS, name), -EINVAL);
	name[SCOPE_TEXT_MAX] = '\0';
	assert_int_equal(scope_add(&a, SCOPE_TOOLS, name), 0);
	for (int i = 1; i < SCOPE_ITEMS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(scope_add(&a, SCOPE_TOOLS, name), 0);
		assert_int_equal(scope_add(&a, SCOPE_TOOLS, name), 0);
		snprintf(name, sizeof(name), "t%d*", i);
		assert_int_equal(scope_add(&b, SCOPE_TOOLS, name), 0);
	}
	assert_int_equal(scope_add(&a, SCOPE_TOOLS, "one-more"), -E2BIG);
	assert_int_equal(scope_add(&b, SCOPE_TOOLS, "*"), 0);
	assert_int_equal(scope_intersect(&both, &a, &b), 0);
	assert_int_equal(both.lists[SCOPE_TOOLS].count, SCOPE_ITEMS_MAX);
	scope_fini(&both);
	scope_fini(&a);
	fill(&a, SCOPE_TOOLS, "*1 *2 *3 t1* t2* t3* t4* t5* t6* t7* t8* t9*");
	assert_int_equal(scope_intersect(&both, &a, &b), -E2BIG);
	scope_fini(&both);
	scope_fini(&a);
	scope_fini(&b);
}

static void json_goes_both_ways(void **state)
{
	static const struct {
		const char *text;
		int fault;
	} rows[] = {
	    {"{\"tools\":\"*\"}", -EBADMSG},
	    {"{\"tools\":null}", -EBADMSG},
	    {"{\"tools\":{}}", -EBADMSG},
	    {"{\"tools\":[1]}", -EBADMSG},
	    {"{\"tools\":[[\"a\"]]}", -EBADMSG},
	    {"{\"tools\":[\"\"]}", -EBADMSG},
	    {"{\"roles\":[\"a b\"]}", -EBADMSG},
	    {"{\"tools\":[]}", 0},
	    {"{\"other\":1}", 0},
	    {"{}", 0},
	};
	struct scope scope = {0}, back;
	json_t *object = json_object();

	(void)state;
	fill(&scope, SCOPE_TOOLS, "git_* ls");
	fill(&scope, SCOPE_PERMISSIONS, "audit:read");
	assert_int_equal(scope_to_json(&scope, object), 0);
	assert_int_equal(json_object_size(object), SCOPE_KIND_COUNT);
	assert_int_equal(scope_from_json(&back, object), 0);
	expect_list(&back, SCOPE_TOOLS, "git_* ls");
	expect_list(&back, SCOPE_PERMISSIONS, "audit:read");
	scope_fini(&back);
	scope_fini(&scope);
	json_decref(object);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		object = json_loads(rows[i].text, 0, NULL);
		assert_int_equal(scope_from_json(&back, object), rows[i].fault);
		scope_fini(&back);
		json_decref(object);
	}
	assert_int_equal(scope_kind_by_name("roles"), SCOPE_ROLES);
	assert_int_equal(scope_kind_by_name("Roles"), SCOPE_KIND_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(globs_within_globs),
	    cmocka_unit_test(covering_is_never_wrong),
	    cmocka_unit_test(an_intersection_is_within_both),
	    cmocka_unit_test(nothing_gives_nothing),
	    cmocka_unit_test(lists_are_bounded),
	    cmocka_unit_test(json_goes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
