/* The eight levels, by name and in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent-api/wire/severity.h"

static void names(void **state)
{
	static const char *const NAMES[] = {
	    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};
	static const char *const OTHERS[] = {"", "Error", "warn", "none", "debug ", "emerg"};

	(void)state;
	assert_int_equal(SEVERITY_COUNT, 9);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(severity_from_name(NAMES[i]), i + 1);
		assert_string_equal(severity_name((enum severity)(i + 1)), NAMES[i]);
	}
	for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++)
		assert_int_equal(severity_from_name(OTHERS[i]), SEVERITY_NONE);
	assert_int_equal(severity_from_name(NULL), SEVERITY_NONE);
	assert_string_equal(severity_name(SEVERITY_NONE), "");
	assert_string_equal(severity_name(SEVERITY_COUNT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names)};

	return cmocka_run_group_tests_name("severity", tests, NULL, NULL);
}
