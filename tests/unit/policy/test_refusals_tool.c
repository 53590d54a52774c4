/* Exactly what is said of each broken file of broken_tool.h. */
#include "tests/unit/policy/broken_tool.h"

static void test_tool(void **state)
{
	(void)state;
	check_broken(ROWS(broken_tool));
	check_broken_form(ROWS(broken_tool));
}

static void test_template(void **state)
{
	(void)state;
	check_broken(ROWS(broken_template));
	check_broken_form(ROWS(broken_template));
}

static void test_env(void **state)
{
	(void)state;
	check_broken(ROWS(broken_env));
	check_broken_form(ROWS(broken_env));
}

static void test_rules(void **state)
{
	(void)state;
	check_broken(ROWS(broken_rules));
	check_broken_form(ROWS(broken_rules));
}

static void test_approval(void **state)
{
	(void)state;
	check_broken(ROWS(broken_approval));
	check_broken_form(ROWS(broken_approval));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tool),
	    cmocka_unit_test(test_template),
	    cmocka_unit_test(test_env),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_approval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
