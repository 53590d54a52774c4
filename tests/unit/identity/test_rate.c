/* Limits over made-up time: buckets, the crowd, and the slow-down of failed sign-ins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/identity/attempts.h"
#include "supervisor/identity/rate.h"

#define SECOND 1000000ull
#define START  (1000 * SECOND)

static const uint8_t seed[KEY_LEN] = {7};
static const struct rate_limit limit = {.per_minute = 60, .burst = 5};

static bool take(struct ledger *ledger, const char *name, uint64_t now_us)
{
	uint32_t retry;
	bool may = rate_take(ledger, &limit, name, now_us, &retry);

	assert_true(may ? retry == 0 : retry >= 1);
	return may;
}

static unsigned take_many(struct ledger *ledger, const char *name, uint64_t now_us, unsigned times)
{
	unsigned passed = 0;

	while (times--)
		passed += take(ledger, name, now_us);
	return passed;
}

static void a_burst_then_the_rate(void **state)
{
	struct ledger *ledger = ledger_new(16, seed);
	uint32_t retry;

	(void)state;
	assert_int_equal(take_many(ledger, "a", START, 100), 5);
	assert_int_equal(take_many(ledger, "b", START, 100), 5);
	assert_false(rate_take(ledger, &limit, "a", START, &retry));
	assert_int_equal(retry, 1);
	assert_false(take(ledger, "a", START + SECOND - 1));
	assert_true(take(ledger, "a", START + SECOND));
	assert_false(take(ledger, "a", START + SECOND));
	assert_int_equal(take_many(ledger, "a", START + 4 * SECOND, 100), 3);
	assert_int_equal(take_many(ledger, "a", START + 3600 * SECOND, 100), 5);
	/* A minute of asking far too often gives the rate and the burst, no more. */
	unsigned passed = 0;

	for (uint64_t t = 0; t < 60 * SECOND; t += 10000)
		passed += take(ledger, "c", START + t);
	assert_in_range(passed, 60, 65);
	ledger_free(ledger);
}

static void retry_after_is_true(void **state)
{
	const struct rate_limit slow = {.per_minute = 2, .burst = 1};
	struct ledger *ledger = ledger_new(16, seed);
	uint32_t retry;

	(void)state;
	assert_true(rate_take(ledger, &slow, "a", START, &retry));
	assert_false(rate_take(ledger, &slow, "a", START, &retry));
	assert_int_equal(retry, 30);
	assert_false(rate_take(ledger, &slow, "a", START + 29 * SECOND + 1, &retry));
	assert_int_equal(retry, 1);
	assert_true(rate_take(ledger, &slow, "a", START + 30 * SECOND, &retry));
	ledger_free(ledger);
}

static void zero_lets_nothing_pass(void **state)
{
	struct ledger *ledger = ledger_new(1, seed);
	const struct rate_limit none[] = {{0, 0}, {0, 10}, {10, 0}};
	uint32_t retry;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_false(rate_take(ledger, &none[i], "a", START, &retry));
		assert_int_equal(retry, 60);
	}
	const struct rate_limit most = {.per_minute = UINT32_MAX, .burst = UINT32_MAX};

	assert_true(rate_take(ledger, &most, "a", START, &retry));
	ledger_free(ledger);
	assert_null(ledger_new(0, seed));
	assert_null(ledger_new(LEDGER_PLACES_MAX + 1, seed));
	ledger_free(NULL);
}

/* Whoever is limited brings a thousand names, and is still limited. */
static void many_names_do_not_push_one_out(void **state)
{
	struct ledger *ledger = ledger_new(64, seed);
	char name[16];
	bool crowd;

	(void)state;
	assert_int_equal(take_many(ledger, "attacker", START, 10), 5);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		(void)take(ledger, name, START);
	}
	assert_false(take(ledger, "attacker", START));
	(void)ledger_take(ledger, "attacker", START, &crowd);
	assert_false(crowd);
	assert_true(ledger_crowded(ledger) > 900);
	/* Who came before the flood does not notice it. */
	assert_int_equal(take_many(ledger, "n3", START, 10), 4);
	/* The crowd as a whole is limited, too: so many names' worth, no more. */
	assert_int_equal(take_many(ledger, "another", START, 200), 0);
	/* A second later there is some again, and when buckets are full, places. */
	assert_true(take(ledger, "another", START + SECOND));
	assert_true(take(ledger, "late", START + 10 * SECOND));
	(void)ledger_take(ledger, "late", START + 10 * SECOND, &crowd);
	assert_false(crowd);
	ledger_free(ledger);
}

static void the_crowd_is_as_much_as_some_names(void **state)
{
	struct ledger *ledger = ledger_new(1, seed);
	char name[16];
	unsigned passed = 0;

	(void)state;
	assert_int_equal(take_many(ledger, "first", START, 9), limit.burst);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		passed += take(ledger, name, START);
	}
	assert_int_equal(passed, RATE_CROWD * limit.burst);
	assert_int_equal(take_many(ledger, "more", START + SECOND, 1000), RATE_CROWD);
	ledger_free(ledger);
}

/* The table against a plain one, by many names in many orders. */
static void the_table_keeps_its_names_apart(void **state)
{
	enum { NAMES = 300 };
	struct ledger *ledger = ledger_new(NAMES, seed);
	unsigned used[NAMES] = {0};
	uint32_t random = 12345;
	char name[16];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		unsigned at;

		random = random * 1103515245 + 12345;
		at = (random >> 8) % NAMES;
		snprintf(name, sizeof(name), "n%u", at);
		assert_int_equal(take(ledger, name, START), used[at] < limit.burst);
		if (used[at] < limit.burst)
			used[at]++;
	}
	assert_int_equal(ledger_crowded(ledger), 0);
	/* All may be given away now, and are, one after another. */
	for (int i = 0; i < 2 * NAMES; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		assert_true(take(ledger, name, START + 3600 * SECOND + (uint64_t)i * 10 * SECOND));
	}
	assert_int_equal(ledger_crowded(ledger), 0);
	ledger_free(ledger);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void addresses_have_one_name(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
	    {"127.0.0.1", "ip:7f000001"},
	    {"::ffff:127.0.0.1", "ip:7f000001"},
	    {"::FFFF:7f00:1", "ip:7f000001"},
	    {"2001:db8::1", "ip:20010db800000000"},
	    {"2001:db8::ffff:ffff:ffff:ffff", "ip:20010db800000000"},
	    {"2001:db8:0:1::1", "ip:20010db800000001"},
	    {"fe80::1%eth0", "ip:fe80000000000000"},
	    {"fe80::1%a-very-long-name-of-an-interface-indeed", "ip:fe80000000000000"},
	    {"::1", "ip:0000000000000000"},
	};
	static const char *const wrong[] = {"", "localhost", "127.0.0.1:80", "[::1]", "1.2.3",
	    "1.2.3.4.5", "0x7f.1", "127.0.0.1 ", "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19"};
	char name[LEDGER_ADDRESS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ledger_address(name, rows[i].text), 0);
		assert_string_equal(name, rows[i].name);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ledger_address(name, wrong[i]), -EINVAL);
}

/* ---- failed sign-ins ------------------------------------------------------------------------ */

static uint32_t pause_after(struct ledger *ledger, const char *name, uint64_t now_us)
{
	uint32_t retry;
	bool may = attempts_may(ledger, name, now_us, &retry);

	assert_int_equal(may, retry == 0);
	return retry;
}

static void pauses_double(void **state)
{
	static const uint32_t pauses[] = {
	    0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
	struct ledger *ledger = ledger_new(16, seed);

	(void)state;
	assert_int_equal(pause_after(ledger, "a", START), 0);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		attempts_failed(ledger, "a", START);
		assert_int_equal(pause_after(ledger, "a", START), pauses[i]);
	}
	assert_int_equal(pause_after(ledger, "b", START), 0);
	assert_int_equal(pause_after(ledger, "a", START + 299 * SECOND), 1);
	assert_int_equal(pause_after(ledger, "a", START + 300 * SECOND), 0);
	/* Five minutes have forgiven five of seventeen: the next counts as the thirteenth. */
	attempts_failed(ledger, "a", START + 300 * SECOND);
	assert_int_equal(pause_after(ledger, "a", START + 300 * SECOND), 128);
	/* After a day nothing is left. */
	for (int i = 0; i < 5; i++)
		attempts_failed(ledger, "a", START + 86400 * SECOND);
	assert_int_equal(pause_after(ledger, "a", START + 86400 * SECOND), 0);
	ledger_free(ledger);
}

/* How many guesses an hour of trying as fast as allowed gives. */
static void an_hour_gives_few_guesses(void **state)
{
	struct ledger *ledger = ledger_new(16, seed);
	unsigned guesses = 0;

	(void)state;
	for (uint64_t t = 0; t < 3600 * SECOND; t += SECOND / 4) {
		if (pause_after(ledger, "a", START + t))
			continue;
		attempts_failed(ledger, "a", START + t);
		guesses++;
	}
	assert_in_range(guesses, 10, 80);
	ledger_free(ledger);
}

static void a_flood_of_failures_is_bounded(void **state)
{
	struct ledger *ledger = ledger_new(32, seed);
	char name[16];

	(void)state;
	for (int i = 0; i < 10; i++)
		attempts_failed(ledger, "attacker", START);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		attempts_failed(ledger, name, START);
	}
	assert_int_equal(pause_after(ledger, "attacker", START), 16);
	/* Newcomers wait with the crowd, and not for long. */
	assert_int_equal(pause_after(ledger, "newcomer", START), ATTEMPTS_CROWD_S);
	assert_int_equal(pause_after(ledger, "newcomer", START + ATTEMPTS_CROWD_S * SECOND), 0);
	ledger_free(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_burst_then_the_rate),
	    cmocka_unit_test(retry_after_is_true),
	    cmocka_unit_test(zero_lets_nothing_pass),
	    cmocka_unit_test(many_names_do_not_push_one_out),
	    cmocka_unit_test(the_crowd_is_as_much_as_some_names),
	    cmocka_unit_test(the_table_keeps_its_names_apart),
	    cmocka_unit_test(addresses_have_one_name),
	    cmocka_unit_test(pauses_double),
	    cmocka_unit_test(an_hour_gives_few_guesses),
	    cmocka_unit_test(a_flood_of_failures_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
