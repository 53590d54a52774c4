/* What is proposed for a word that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/control/commands.h"
#include "supervisor/control/near.h"

#define OPTIONS "--config=FILE --state=DIR --all-seals -n=ANY -f"

static void test_near(void **state)
{
	static const struct {
		const char *given, *proposed;
	} rows[] = {
	    {"--confg", "--config"},
	    {"--ocnfig", "--config"},
	    {"--conf", "--config"}, /* its beginning */
	    {"--confg=callgate.yaml", "--config"},
	    {"--stat", "--state"},
	    {"--all-seal", "--all-seals"},
	    {"--nonsense", ""},
	    {"--", ""},
	    {"-x", ""},
	    {"", ""},
	    {"--a-word-that-is-longer-than-any-option-or-command-ever-was", ""},
	};
	char out[NEAR_WORD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(near_word(out, OPTIONS, rows[i].given), rows[i].proposed);
	assert_string_equal(near_word(out, "", "x"), "");
}

static void test_commands(void **state)
{
	char names[512], out[NEAR_WORD_MAX];

	(void)state;
	(void)commands_names(names, sizeof(names));
	assert_string_equal(near_word(out, names, "statsu"), "status");
	assert_string_equal(near_word(out, names, "pendign"), "pending");
	assert_string_equal(near_word(out, names, "frobnicate"), "");
	assert_string_equal(commands_of("verify")->name, "audit");
	assert_string_equal(commands_of("audit")->name, "audit");
	assert_null(commands_of("frobnicate"));
	assert_string_equal(commands_names(names, 8), "up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_near),
	    cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests_name("near", tests, NULL, NULL);
}
