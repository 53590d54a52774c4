/* Needles in a text, beside looking for each one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/needles.h"
#include "tests/unit/policy/random_pattern.h"

#define MANY     10000
#define TEXT_MAX 300

/* In a block of exactly its size, so that a sanitizer sees a read beyond. */
struct text {
	char *bytes;
	size_t len;
};

static struct text make_text(uint32_t *seed, uint32_t longest)
{
	static const char letters[] = {'a', '\0', '\xff'};
	struct text text = {.len = random_below(seed, longest + 1)};

	text.bytes = malloc(text.len ? text.len : 1);
	assert_non_null(text.bytes);
	for (size_t i = 0; i < text.len; i++)
		text.bytes[i] = letters[random_below(seed, sizeof(letters))];
	return text;
}

static bool is_in(const struct literal *literal, const struct text *text)
{
	if (!literal->len)
		return !text->len;
	for (size_t at = 0; at + literal->len <= text->len; at++)
		if (!memcmp(text->bytes + at, literal->text, literal->len) &&
		    (!literal->at_start || !at) &&
		    (!literal->at_end || at + literal->len == text->len))
			return true;
	return false;
}

#define NEEDLES 130

enum where {
	ANYWHERE,
	AT_AN_END, /* each of them: the middle of a text need not be looked at */
	AT_START,
	MIXED,
	WHERE_COUNT,
};

static struct literal make_needle(struct text *owner, uint32_t *seed, enum where where)
{
	static const uint32_t lengths[] = {1, 2, 3, 9, 20, 70};
	bool some = random_below(seed, 2), other = random_below(seed, 2);

	*owner = make_text(seed, lengths[random_below(seed, 6)]);
	return (struct literal){.text = owner->bytes,
	    .len = (uint32_t)owner->len,
	    .at_start = !owner->len || where == AT_START || (where != ANYWHERE && some),
	    .at_end = !owner->len || (where == AT_AN_END && (!some || other)) ||
		      (where == MIXED && other)};
}

static void check_texts(struct needles *needles, const struct literal *literals, uint32_t *seed)
{
	for (unsigned i = 0; i < 60; i++) {
		struct text text = make_text(seed, i % 2 ? 12 : TEXT_MAX);
		uint64_t rows[NEEDLES / 64 + 1] = {0};

		assert_int_equal(needles_find(needles, text.bytes, text.len, rows), 0);
		for (unsigned j = 0; j < NEEDLES; j++)
			assert_int_equal(rows[j / 64] >> (j % 64) & 1, is_in(&literals[j], &text));
		free(text.bytes);
	}
}

static void each_needle_is_found_where_it_is_and_only_there(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct needles *needles = needles_new(round % 3 ? NEEDLES : 0);
		struct literal literals[NEEDLES];
		struct text owners[NEEDLES];

		assert_non_null(needles);
		for (unsigned i = 0; i < NEEDLES; i++) {
			literals[i] =
			    make_needle(&owners[i], &seed, (enum where)(round % WHERE_COUNT));
			needles_note(needles, &literals[i]);
		}
		for (unsigned i = 0; i < NEEDLES; i++)
			assert_int_equal(needles_add(needles, &literals[i], i), 0);
		assert_int_equal(needles_seal(needles), 0);
		check_texts(needles, literals, &seed);
		needles_free(needles);
		for (unsigned i = 0; i < NEEDLES; i++)
			free(owners[i].bytes);
	}
}

static void nothing_is_found_among_none(void **state)
{
	struct needles *needles = needles_new(0);
	uint64_t rows = 0;

	(void)state;
	assert_int_equal(needles_seal(needles), 0);
	assert_int_equal(needles_find(needles, "text", 4, &rows), 0);
	assert_int_equal(needles_find(needles, "", 0, &rows), 0);
	assert_int_equal(rows, 0);
	needles_free(needles);
}

/* Each holds the same long text; what tells them apart is what they are entered under. */
static struct needles *make_many(char texts[MANY][48])
{
	struct needles *needles = needles_new(MANY);
	struct literal literal = {.text = ""};

	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < MANY; i++) {
			literal.len = (uint32_t)snprintf(
			    texts[i], 48, "refs/heads/team/number-%u-release", i);
			literal.text = texts[i];
			if (pass)
				assert_int_equal(needles_add(needles, &literal, i), 0);
			else
				needles_note(needles, &literal);
		}
	assert_true(needles_crowd(needles, &literal) < 200);
	assert_int_equal(needles_seal(needles), 0);
	return needles;
}

static double find_ms(const struct needles *needles, const char *text, size_t len, uint64_t *rows)
{
	clock_t before = clock();

	assert_int_equal(needles_find(needles, text, len, rows), 0);
	return (double)(clock() - before) * 1000 / CLOCKS_PER_SEC;
}

/* Bounds are ten times and more of what it takes on a slow machine. */
static void a_large_text_takes_milliseconds(void **state)
{
	static char texts[MANY][48];
	static uint64_t rows[MANY / 64 + 1];
	const size_t len = 1024 * 1024;
	struct needles *needles = make_many(texts);
	char *text = malloc(len);
	unsigned found = 0;

	(void)state;
	assert_true(needles_size(needles) < 4 * len);
	for (size_t at = 0; at < len; at++)
		text[at] = "refs/heads/team/number-"[at % 23];
	assert_true(find_ms(needles, text, len, rows) < 200);
	for (unsigned i = 0; i <= MANY / 64; i++)
		assert_int_equal(rows[i], 0);
	/* All that there are, some twice. */
	for (size_t at = 0, i = 0; at + 48 < len; i = (i + 1) % MANY)
		at += (size_t)snprintf(text + at, 48, "%s ", texts[i]);
	assert_true(find_ms(needles, text, len, rows) < 400);
	for (unsigned i = 0; i <= MANY / 64; i++)
		found += (unsigned)__builtin_popcountll(rows[i]);
	assert_int_equal(found, MANY);
	free(text);
	needles_free(needles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_needle_is_found_where_it_is_and_only_there),
	    cmocka_unit_test(nothing_is_found_among_none),
	    cmocka_unit_test(a_large_text_takes_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
