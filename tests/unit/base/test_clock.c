#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "supervisor/base/clock.h"

static void stamp_known_moments(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
	    {0, "1970-01-01T00:00:00.000000Z"},
	    {951782400000000, "2000-02-29T00:00:00.000000Z"},
	    {1795413000000001, "2026-11-23T05:50:00.000001Z"},
	    {4107542399999999, "2100-02-28T23:59:59.999999Z"},
	    {4107542400000000, "2100-03-01T00:00:00.000000Z"}, /* no leap year */
	    {253402300799999999, "9999-12-31T23:59:59.999999Z"},
	};
	char out[CLOCK_STAMP_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t back;

		assert_ptr_equal(clock_stamp(out, cases[i].us), out);
		assert_string_equal(out, cases[i].text);
		assert_int_equal(clock_unstamp(out, &back), 0);
		assert_true(back == cases[i].us);
	}
	assert_non_null(clock_stamp(out, UINT64_MAX));
	assert_true(strlen(out) < CLOCK_STAMP_MAX);
}

/* Our own calendar against libc's, some 90 days apart over 400 years. */
static void stamp_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t t = 0; t < 12622780800; t += 7776001) {
		char out[CLOCK_STAMP_MAX], want[CLOCK_STAMP_MAX];
		time_t seconds = (time_t)t;
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		assert_string_equal(clock_stamp(out, (uint64_t)t * 1000000), want);
	}
}

static void unstamp_fraction_is_optional(void **state)
{
	uint64_t us;

	(void)state;
	assert_int_equal(clock_unstamp("1970-01-01T00:00:01Z", &us), 0);
	assert_true(us == 1000000);
	assert_int_equal(clock_unstamp("1970-01-01T00:00:01.5Z", &us), 0);
	assert_true(us == 1500000);
}

static void unstamp_refuses(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-11-23", "2026-11-23T05:50:00",
	    "2026-11-23 05:50:00Z", "2026-11-23T05:50:00z", "2026-11-23T05:50:00+00:00",
	    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
	    "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z",
	    "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z",
	    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00ZZ",
	    "-026-01-01T00:00:00Z", "2026-1-01T00:00:00Z", " 2026-01-01T00:00:00Z"};
	uint64_t us = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(clock_unstamp(bad[i], &us), -EINVAL);
	assert_true(us == 42);
}

static void clocks_run(void **state)
{
	uint64_t before = clock_monotonic_us();

	(void)state;
	assert_true(clock_monotonic_us() >= before);
	assert_true(clock_wall_us() > 1700000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stamp_known_moments),
	    cmocka_unit_test(stamp_agrees_with_libc),
	    cmocka_unit_test(unstamp_fraction_is_optional),
	    cmocka_unit_test(unstamp_refuses),
	    cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
