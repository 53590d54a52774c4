/* When keys are fetched and how long they count, over made-up time; and the calls of a token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "supervisor/identity/key_cache.h"
#include "supervisor/identity/uses.h"

#define SECOND 1000000ull
#define MINUTE (60 * SECOND)
#define START  (1000 * SECOND)
#define NOW    1800000000ull

static struct jwks *some_set(void)
{
	static const uint8_t seed[KEY_LEN] = {1};
	struct token_signer signer;
	struct jwks *set = NULL;
	struct buf text;

	assert_int_equal(token_signer_init(&signer, seed), 0);
	buf_init(&text, 4096);
	assert_int_equal(token_jwks(&text, &signer.public_key, 1), 0);
	assert_int_equal(jwks_parse(&set, buf_cstr(&text), text.len, NULL), 0);
	buf_fini(&text);
	return set;
}

static struct key_cache cache_of(void)
{
	return (struct key_cache){.interval_us = 15 * MINUTE, .keep_us = 60 * MINUTE};
}

static void keys_are_fetched_in_turn(void **state)
{
	struct key_cache cache = cache_of();

	(void)state;
	assert_null(key_cache_keys(&cache, START));
	assert_true(key_cache_ask(&cache, false, START));
	assert_false(key_cache_ask(&cache, false, START));
	assert_false(key_cache_ask(&cache, true, START + 30 * SECOND));
	key_cache_got(&cache, some_set(), START + 2 * SECOND);
	assert_non_null(key_cache_keys(&cache, START + 2 * SECOND));
	assert_int_equal(
	    key_cache_next_us(&cache, START + 3 * SECOND), START + 2 * SECOND + 15 * MINUTE);
	assert_false(key_cache_ask(&cache, false, START + 15 * MINUTE));
	assert_true(key_cache_ask(&cache, false, START + 2 * SECOND + 15 * MINUTE));
	key_cache_fini(&cache);
}

/* A stranger names a thousand keys that do not exist: the issuer is asked once a minute. */
static void made_up_names_cost_the_issuer_nothing(void **state)
{
	struct key_cache cache = cache_of();
	unsigned asked = 0;

	(void)state;
	assert_true(key_cache_ask(&cache, true, START));
	key_cache_got(&cache, some_set(), START);
	for (uint64_t t = 0; t < 10 * MINUTE; t += SECOND / 10) {
		if (!key_cache_ask(&cache, true, START + t))
			continue;
		asked++;
		if (asked % 2)
			key_cache_got(&cache, some_set(), START + t);
		else
			key_cache_failed(&cache);
	}
	/* one a minute, and after each of the failures once more in turn */
	assert_in_range(asked, 9, 20);
	key_cache_fini(&cache);
}

static void old_keys_stay_for_a_while_and_no_longer(void **state)
{
	struct key_cache cache = cache_of();
	unsigned asked = 0;

	(void)state;
	assert_true(key_cache_ask(&cache, false, START));
	key_cache_got(&cache, some_set(), START);
	for (uint64_t t = 15 * MINUTE; t < 60 * MINUTE; t += SECOND) {
		if (key_cache_ask(&cache, false, START + t)) {
			asked++;
			key_cache_failed(&cache);
		}
		assert_non_null(key_cache_keys(&cache, START + t));
	}
	assert_int_equal(asked, 45 * 6);
	assert_null(key_cache_keys(&cache, START + 60 * MINUTE));
	assert_true(key_cache_ask(&cache, false, START + 60 * MINUTE));
	key_cache_got(&cache, some_set(), START + 61 * MINUTE);
	assert_non_null(key_cache_keys(&cache, START + 61 * MINUTE));
	key_cache_fini(&cache);
}

static void an_answer_that_never_comes_is_a_failure(void **state)
{
	struct key_cache cache = cache_of();

	(void)state;
	assert_true(key_cache_ask(&cache, false, START));
	assert_false(key_cache_ask(&cache, false, START + KEY_CACHE_ANSWER_US - 1));
	assert_true(key_cache_ask(&cache, false, START + KEY_CACHE_ANSWER_US));
	key_cache_got(&cache, some_set(), START + 2 * MINUTE);
	key_cache_got(&cache, some_set(), START + 2 * MINUTE);
	assert_non_null(key_cache_keys(&cache, START + 2 * MINUTE));
	key_cache_fini(&cache);
}

/* ---- calls --------------------------------------------------------------------------------- */

static struct token token_of(unsigned number, uint64_t calls, uint64_t expires_s)
{
	struct token token = {.grant = {.max_calls = calls, .expires_s = expires_s}};

	snprintf(token.id, sizeof(token.id), "%022u", number);
	return token;
}

static void calls_are_counted(void **state)
{
	struct uses *uses = uses_new(100);
	struct token three = token_of(1, 3, NOW + 60),
		     free_of = token_of(2, TOKEN_NO_LIMIT, NOW + 60);
	struct token none = {.grant = {.max_calls = 3, .expires_s = NOW + 60}};
	uint64_t left;

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(uses_take(uses, &three, NOW, &left));
		assert_int_equal(left, 2 - i);
	}
	assert_false(uses_take(uses, &three, NOW, &left));
	assert_int_equal(left, 0);
	assert_false(uses_take(uses, &three, NOW + 59, &left));
	assert_false(uses_take(uses, &three, NOW + 60, &left));
	for (int i = 0; i < 1000; i++)
		assert_true(uses_take(uses, &free_of, NOW, &left));
	assert_int_equal(left, TOKEN_NO_LIMIT);
	assert_false(uses_take(uses, &free_of, NOW + 60, &left));
	assert_false(uses_take(uses, &none, NOW, &left));
	uses_free(uses);
}

/* Nobody's count is forgotten for others' sake; who finds no place is not served. */
static void a_full_table_serves_no_newcomer(void **state)
{
	struct uses *uses = uses_new(64);
	unsigned served = 0;
	uint64_t left;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct token token = token_of(i, 1, NOW + 60);

		served += uses_take(uses, &token, NOW, &left);
	}
	assert_in_range(served, 32, 64);
	for (unsigned i = 0; i < 1000; i++) {
		struct token token = token_of(i, 1, NOW + 60);

		assert_false(uses_take(uses, &token, NOW + 59, &left));
	}
	struct token late = token_of(5000, 1, NOW + 120);

	assert_true(uses_take(uses, &late, NOW + 60, &left));
	uses_free(uses);
	uses_free(NULL);
	assert_null(uses_new(0));
	assert_null(uses_new(USES_PLACES_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_fetched_in_turn),
	    cmocka_unit_test(made_up_names_cost_the_issuer_nothing),
	    cmocka_unit_test(old_keys_stay_for_a_while_and_no_longer),
	    cmocka_unit_test(an_answer_that_never_comes_is_a_failure),
	    cmocka_unit_test(calls_are_counted),
	    cmocka_unit_test(a_full_table_serves_no_newcomer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
