/* The command line of callgated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <getopt.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/warden/options.h"

#define ARGS_MAX 16

static enum options_wish parse(
    const char *const *args, struct options *options, struct err_note *note)
{
	char *argv[ARGS_MAX + 2] = {(char *)"callgated"};
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	optind = 0; /* from the start again */
	note->text[0] = '\0';
	return options_parse(options, argc, argv, note);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL}, &options, &note)

static void test_plain(void **state)
{
	struct options options;
	struct err_note note;

	(void)state;
	assert_int_equal(PARSE("--config", "a.yaml"), OPTIONS_RUN);
	assert_string_equal(options.config, "a.yaml");
	assert_null(options.state);
	assert_null(options.overrides.jwks_url);
	assert_null(options.overrides.studio_roles);
	assert_false(options.overrides.no_auth_required);
	assert_false(options.overrides.studio);
	assert_int_equal(PARSE("--config=a.yaml", "--state", "s", "--check"), OPTIONS_CHECK);
	assert_string_equal(options.state, "s");
	assert_int_equal(PARSE("--help"), OPTIONS_HELP);
	assert_int_equal(PARSE("--version"), OPTIONS_VERSION);
}

static void test_overrides(void **state)
{
	struct options options;
	struct err_note note;

	(void)state;
	assert_int_equal(
	    PARSE("--config", "a", "--auth-jwks-url", "https://a/", "--auth-issuer", "i",
		"--auth-audience=b", "--no-auth-required", "--studio", "--studio-roles", "x,y"),
	    OPTIONS_RUN);
	assert_string_equal(options.overrides.jwks_url, "https://a/");
	assert_string_equal(options.overrides.issuer, "i");
	assert_string_equal(options.overrides.audience, "b");
	assert_string_equal(options.overrides.studio_roles, "x,y");
	assert_true(options.overrides.no_auth_required);
	assert_true(options.overrides.studio);
	assert_int_equal(PARSE("--config", "a", "--check", "--studio"), OPTIONS_CHECK);
	assert_true(options.overrides.studio);
	assert_false(options.overrides.no_auth_required);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *part;
	} rows[] = {
	    {{"--check"}, "no policy file"},
	    {{"--config", ""}, "no policy file"},
	    {{"--config"}, "a value is missing"},
	    {{"--config", "a", "b"}, "takes no such argument"},
	    {{"--config", "a", "--wat"}, "no such option"},
	    {{"--config", "a", "--studio=yes"}, "no such option"},
	    {{"--config", "a", "--auth-jwks-url", "https://a/"}, "--auth-issuer is missing"},
	    {{"--config", "a", "--auth-issuer", "i", "--auth-audience", "b"},
		"--auth-jwks-url is missing"},
	    {{"--config", "a", "--auth-jwks-url", "https://a/", "--auth-issuer", "i"},
		"--auth-audience is missing"},
	    {{"--config", "a", "--auth-jwks-url", "", "--auth-issuer", "", "--auth-audience", ""},
		"--auth-jwks-url is missing or empty"},
	    {{"--config", "a", "--auth-jwks-url", "https://a/", "--auth-issuer", "",
		 "--auth-audience", "b"},
		"--auth-issuer is missing or empty"},
	    {{"--config", "a", "--studio-roles", ""}, "--studio-roles is empty"},
	    {{"--config", "a", "--auth-issuer"}, "a value is missing"},
	};
	struct options options;
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].args, &options, &note), OPTIONS_WRONG);
		if (!strstr(note.text, rows[i].part) || !strstr(note.text, "; "))
			fail_msg("%zu: %s", i, note.text);
	}
}

/* What --help prints tells every option there is. */
static void test_help(void **state)
{
	static const char *const names[] = {"--config", "--state", "--check", "--auth-jwks-url",
	    "--auth-issuer", "--auth-audience", "--no-auth-required", "--studio", "--studio-roles",
	    "--help", "--version"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(options_help(), names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_overrides),
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
