/* Screens of a text: none is higher than the terminal, and together they are all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "supervisor/control/pager.h"

static void lines_and_wraps_count(void **state)
{
	(void)state;
	assert_int_equal(pager_screen("one\ntwo\nthree\n", 80, 2), strlen("one\ntwo\n"));
	assert_int_equal(pager_screen("one\n", 80, 2), strlen("one\n"));
	assert_int_equal(pager_screen("abcdefghij", 4, 2), 8);
	assert_int_equal(pager_screen("abcd\nefgh", 4, 1), 5);
	assert_int_equal(pager_screen("", 80, 24), 0);
	/* letters of two columns: two of them in a row of five */
	assert_int_equal(pager_screen("\u4e00\u4e00\u4e00", 5, 1), 6);
}

static void no_byte_is_left_out(void **state)
{
	size_t len = 65536, seen = 0, screens = 0;
	char *text = malloc(len + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	text[len] = '\0';
	while (seen < len) {
		size_t step = pager_screen(text + seen, 80, 22);

		assert_in_range(step, 1, 80 * 22);
		seen += step;
		screens++;
	}
	assert_int_equal(seen, len);
	assert_int_equal(screens, (65536 + 80 * 22 - 1) / (80 * 22));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_and_wraps_count),
	    cmocka_unit_test(no_byte_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
