#include "sandbox/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>

#include <cmocka.h>

static void a_folder_holds_what_is_below(void **state)
{
	struct places places = {.names = {.count = 0}};
	const char *const *list;

	(void)state;
	assert_int_equal(places_add(&places, "/opt/a/bin"), 0);
	assert_int_equal(places_add(&places, "/opt/a/bin"), 0);
	assert_int_equal(places_add(&places, "/opt/a/bin/sub"), 0);
	assert_int_equal(places_add(&places, "/opt/a/binary"), 0);
	list = places_list(&places);
	assert_string_equal(list[0], "/opt/a/bin");
	assert_string_equal(list[1], "/opt/a/binary");
	assert_null(list[2]);
	assert_int_equal(places_add(&places, "/opt/a"), 0);
	list = places_list(&places);
	assert_string_equal(list[0], "/opt/a");
	assert_null(list[1]);
	places_fini(&places);
}

static void too_many_become_their_top(void **state)
{
	struct places places = {.names = {.count = 0}};
	char path[64];

	(void)state;
	assert_int_equal(places_add(&places, "/home/me/bin"), 0);
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		snprintf(path, sizeof(path), "/nix/store/%u/lib", i);
		assert_int_equal(places_add(&places, path), 0);
	}
	assert_string_equal(places_list(&places)[0], "/home");
	assert_string_equal(places_list(&places)[1], "/nix");
	assert_null(places_list(&places)[2]);
	places_fini(&places);
}

static void nothing_is_an_empty_list(void **state)
{
	struct places places = {.names = {.count = 0}};

	(void)state;
	assert_null(places_list(&places)[0]);
	places_fini(&places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_folder_holds_what_is_below),
	    cmocka_unit_test(too_many_become_their_top),
	    cmocka_unit_test(nothing_is_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
