/* The window of used receipts: no position launches twice, none of unknown age launches. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/warden/receipts.h"

static struct receipts receipts;

static int fresh(void **state)
{
	(void)state;
	receipts = (struct receipts){.next = 0};
	return 0;
}

static void each_position_once(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 1000; n++)
		assert_int_equal(receipts_take(&receipts, n), 0);
	for (uint64_t n = 0; n < 1000; n++)
		assert_int_equal(receipts_take(&receipts, n), -EALREADY);
}

static void out_of_order_is_fine(void **state)
{
	(void)state;
	assert_int_equal(receipts_take(&receipts, 500), 0);
	assert_int_equal(receipts_take(&receipts, 3), 0);
	assert_int_equal(receipts_take(&receipts, 3), -EALREADY);
	assert_int_equal(receipts_take(&receipts, 499), 0);
	assert_int_equal(receipts_take(&receipts, 500), -EALREADY);
}

static void older_than_the_window_is_refused(void **state)
{
	(void)state;
	assert_int_equal(receipts_take(&receipts, RECEIPTS_WINDOW + 10), 0);
	assert_int_equal(receipts_take(&receipts, 10), -ESTALE);
	assert_int_equal(receipts_take(&receipts, 11), 0);
	assert_int_equal(receipts_take(&receipts, 0), -ESTALE);
}

static void a_slide_forgets_only_what_left(void **state)
{
	(void)state;
	assert_int_equal(receipts_take(&receipts, 5), 0);
	assert_int_equal(receipts_take(&receipts, RECEIPTS_WINDOW + 4), 0);
	assert_int_equal(receipts_take(&receipts, 5), -EALREADY);
	/* Position 5 + WINDOW shares its bit with 5 and was never taken. */
	assert_int_equal(receipts_take(&receipts, RECEIPTS_WINDOW + 5), 0);
	assert_int_equal(receipts_take(&receipts, 5), -ESTALE);
	assert_int_equal(receipts_take(&receipts, RECEIPTS_WINDOW + 5), -EALREADY);
}

static void a_huge_jump_clears_all(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 200; n++)
		assert_int_equal(receipts_take(&receipts, n), 0);
	assert_int_equal(receipts_take(&receipts, UINT64_C(1) << 60), 0);
	assert_int_equal(receipts_take(&receipts, (UINT64_C(1) << 60) - 1), 0);
	assert_int_equal(receipts_take(&receipts, 100), -ESTALE);
}

static void the_last_number_is_refused(void **state)
{
	(void)state;
	assert_int_equal(receipts_take(&receipts, UINT64_MAX), -ESTALE);
	assert_int_equal(receipts_take(&receipts, UINT64_MAX - 1), 0);
	assert_int_equal(receipts_take(&receipts, UINT64_MAX - 1), -EALREADY);
}

/* Against a plain list of everything that was taken. */
static void agrees_with_a_list(void **state)
{
	static unsigned char taken[300000];
	uint64_t highest = 0, seed = 7;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t n, r;
		int expected;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		r = seed >> 33;
		n = (uint64_t)i + r % 70000;
		if (n > highest && r % 50)
			n = highest > r % 70000 ? highest - r % 70000 : 0;
		expected = n < highest && highest + 1 - n > RECEIPTS_WINDOW ? -ESTALE
			   : taken[n]                                       ? -EALREADY
									    : 0;
		assert_int_equal(receipts_take(&receipts, n), expected);
		taken[n] |= expected == 0;
		highest = n > highest ? n : highest;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(each_position_once, fresh),
	    cmocka_unit_test_setup(out_of_order_is_fine, fresh),
	    cmocka_unit_test_setup(older_than_the_window_is_refused, fresh),
	    cmocka_unit_test_setup(a_slide_forgets_only_what_left, fresh),
	    cmocka_unit_test_setup(a_huge_jump_clears_all, fresh),
	    cmocka_unit_test_setup(the_last_number_is_refused, fresh),
	    cmocka_unit_test_setup(agrees_with_a_list, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
