/* Exactly what is said of each broken file of broken_server.h. */
#include "tests/unit/policy/broken_server.h"

static void test_http(void **state)
{
	(void)state;
	check_broken(ROWS(broken_http));
	check_broken_form(ROWS(broken_http));
}

static void test_principals(void **state)
{
	(void)state;
	check_broken(ROWS(broken_principals));
	check_broken_form(ROWS(broken_principals));
}

static void test_tenants(void **state)
{
	(void)state;
	check_broken(ROWS(broken_tenants));
	check_broken_form(ROWS(broken_tenants));
}

static void test_approvals(void **state)
{
	(void)state;
	check_broken(ROWS(broken_approvals));
	check_broken_form(ROWS(broken_approvals));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http),
	    cmocka_unit_test(test_principals),
	    cmocka_unit_test(test_tenants),
	    cmocka_unit_test(test_approvals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
