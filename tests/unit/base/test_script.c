/* Words with letters of several scripts are told; words of one, and whole texts of several, are
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "supervisor/base/script.h"

static const char *told(const char *text)
{
	static char out[512];
	struct script_mix mix = {0};
	struct buf line = {0};

	script_look(&mix, text, strlen(text));
	if (mix.count == 0)
		return "";
	buf_init(&line, sizeof(out) - 1);
	assert_int_equal(script_tell(&line, &mix), 0);
	strncpy(out, buf_cstr(&line), sizeof(out) - 1);
	buf_fini(&line);
	return out;
}

static void test_one_script(void **state)
{
	(void)state;
	assert_string_equal(told(""), "");
	assert_string_equal(told("git push origin main"), "");
	assert_string_equal(told("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"), "");
	/* a name and a word of another language beside it */
	assert_string_equal(told("README-\xd0\xbf\xd1\x80\xd0\xb8 a\xc3\xa9\xc5\x82z"), "");
	assert_string_equal(told("\xff\xfe\xd0"), ""); /* no UTF-8 */
}

static void test_several(void **state)
{
	(void)state;
	assert_string_equal(told("g\xd1\x96t push"),
	    "mixed scripts: U+0456 Cyrillic within a word: it is not the letter it looks like");
	assert_string_equal(told("\xd0\xb0pt \xce\xbfpen \xd0\xb0pt"),
	    "mixed scripts: U+0430 Cyrillic, U+03BF Greek within words: they are not the letters "
	    "they look like");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_script),
	    cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
