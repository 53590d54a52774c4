/* key=value words to JSON arguments, and taking options out of argv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/control/arguments.h"

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\"},"
    "\"n\":{\"type\":\"number\"},\"b\":{\"type\":\"boolean\"},\"a\":{\"type\":\"array\"},"
    "\"o\":{\"type\":\"object\"},\"m\":{\"type\":[\"string\",\"integer\",\"null\"]},"
    "\"k\":{\"type\":[\"boolean\",\"null\"]},\"any\":{}}}";

/* The arguments as compact sorted JSON, or "error". */
static char *parse(const char *word, const char *second)
{
	char *words[2] = {(char *)word, (char *)second};
	json_t *schema = json_loads(schema_text, 0, NULL), *arguments = NULL;
	char *text = NULL;

	if (arguments_parse(NULL, schema, second ? 2 : 1, words, &arguments) == 0)
		text = json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(arguments);
	json_decref(schema);
	return text ? text : strdup("error");
}

static void check(const char *word, const char *second, const char *expected)
{
	char *got = parse(word, second);

	assert_string_equal(got, expected);
	free(got);
}

static void test_typed_by_schema(void **state)
{
	(void)state;
	check("s=5", NULL, "{\"s\":\"5\"}");
	check("s=", NULL, "{\"s\":\"\"}");
	check("s=a=b", NULL, "{\"s\":\"a=b\"}");
	check("i=5", NULL, "{\"i\":5}");
	check("n=1.5", NULL, "{\"n\":1.5}");
	check("b=true", NULL, "{\"b\":true}");
	check("unknown=5", NULL, "{\"unknown\":\"5\"}");
	check("i=5", "s=x", "{\"i\":5,\"s\":\"x\"}");
	check("a=[1,\"x\"]", NULL, "{\"a\":[1,\"x\"]}");
	check("o={\"p\":1}", NULL, "{\"o\":{\"p\":1}}");
	check("any=5", NULL, "{\"any\":\"5\"}");
	/* of several types, a string last */
	check("m=5", NULL, "{\"m\":5}");
	check("m=null", NULL, "{\"m\":null}");
	check("m=5x", NULL, "{\"m\":\"5x\"}");
	check("k=false", NULL, "{\"k\":false}");
}

static void test_refused(void **state)
{
	(void)state;
	check("i=x", NULL, "error");
	check("i=5.5", NULL, "error");
	check("b=yes", NULL, "error");
	check("a=1", NULL, "error");
	check("a=[1", NULL, "error");
	check("o=[1]", NULL, "error");
	check("k=yes", NULL, "error");
	check("novalue", NULL, "error");
	check("=x", NULL, "error");
	check("s=\xff", NULL, "error");
	check("s=1", "s=2", "error");
	check("s:={\"a\":1,\"a\":2}", NULL, "error");
	check("s:=", NULL, "error");
}

static void test_literal(void **state)
{
	(void)state;
	check("a:=[1,\"x\"]", NULL, "{\"a\":[1,\"x\"]}");
	check("i:=\"text\"", NULL, "{\"i\":\"text\"}"); /* the daemon judges, not the command */
	check("s:=null", NULL, "{\"s\":null}");
}

/* A schema that takes no other names knows better than a string. */
static void test_closed_schema(void **state)
{
	json_t *schema = json_loads("{\"properties\":{\"path\":{\"type\":\"string\"},"
				    "\"view\":{}},\"additionalProperties\":false}",
	    0, NULL);
	char *wrong[] = {(char *)"pth=x"}, *literal[] = {(char *)"pth:=1"},
	     *right[] = {(char *)"path=x"};
	json_t *arguments = NULL;

	(void)state;
	assert_int_equal(arguments_parse(NULL, schema, 1, wrong, &arguments), COMMAND_USAGE);
	assert_int_equal(arguments_parse(NULL, schema, 1, literal, &arguments), COMMAND_USAGE);
	assert_int_equal(arguments_parse(NULL, schema, 1, right, &arguments), 0);
	json_decref(arguments);
	json_decref(schema);
}

static void test_options(void **state)
{
	char *argv[] = {"call", "--json", "{}", "tool", "--agent=a", "--", "--json", NULL};
	int argc = 7;

	(void)state;
	assert_string_equal(command_take_option(&argc, argv, "--json"), "{}");
	assert_string_equal(command_take_option(&argc, argv, "--agent"), "a");
	assert_null(command_take_option(&argc, argv, "--json")); /* behind -- it is a word */
	assert_int_equal(argc, 4);
	assert_string_equal(argv[1], "tool");
	assert_null(argv[4]);
	assert_int_equal(command_no_options(argc, argv), 0);
	argv[1] = "--unknown";
	assert_int_equal(command_no_options(argc, argv), COMMAND_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_typed_by_schema),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_literal),
	    cmocka_unit_test(test_closed_schema),
	    cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
