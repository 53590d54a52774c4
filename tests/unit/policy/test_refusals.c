/* Exactly what is said of each broken file of broken_file.h. */
#include "tests/unit/policy/broken_file.h"

static void test_broken(void **state)
{
	(void)state;
	check_broken(ROWS(broken_file));
}

static void test_broken_form(void **state)
{
	(void)state;
	check_broken_form(ROWS(broken_file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_broken_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
