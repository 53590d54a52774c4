/* One element, one argument: whatever the value holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/template.h"

#define TEXT(text_)                                                                                \
	{                                                                                          \
		.kind = ELEMENT_TEXT, .text = (text_), .condition = ""                             \
	}
#define DASH(text_)                                                                                \
	{                                                                                          \
		.kind = ELEMENT_TEXT, .text = (text_), .condition = "", .dash = true               \
	}
#define IF(p_, text_)                                                                              \
	{                                                                                          \
		.kind = ELEMENT_TEXT, .text = (text_), .condition = (p_)                           \
	}
#define EACH(p_)                                                                                   \
	{                                                                                          \
		.kind = ELEMENT_EACH, .text = (p_), .condition = ""                                \
	}
#define LIST(...)                                                                                  \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define REFUSED(why_) NULL, why_

struct row {
	struct policy_element elements[6];
	const char *arguments;
	const char *argv; /* joined by |; NULL: refused */
	const char *why;  /* what the note must hold */
};

/* clang-format off */
static const struct row rows[] = {
	{LIST(TEXT("push"), TEXT("--"), TEXT("{b}")), "{\"b\":\"main\"}", "git|push|--|main", NULL},
	/* nothing splits, nothing expands */
	{LIST(TEXT("{b}")), "{\"b\":\"a b; rm -rf $HOME `id` * \\\\ \\\"\"}", 
	    "git|a b; rm -rf $HOME `id` * \\ \"", NULL},
	{LIST(TEXT("{b}")), "{\"b\":\"\"}", "git|", NULL},
	{LIST(TEXT("{b}")), "{\"b\":\"{c}\",\"c\":\"x\"}", "git|{c}", NULL},
	{LIST(TEXT("--depth={n}")), "{\"n\":3}", "git|--depth=3", NULL},
	{LIST(TEXT("--depth={n}")), "{\"n\":\"-3\"}", "git|--depth=-3", NULL},
	{LIST(TEXT("{a}:{b}")), "{\"a\":\"x\",\"b\":\"-y\"}", "git|x:-y", NULL},
	{LIST(TEXT("{{b}}")), "{}", "git|{b}", NULL},
	{LIST(TEXT("{{{b}}}")), "{\"b\":\"-x\"}", "git|{-x}", NULL},
	{LIST(TEXT("{n}")), "{\"n\":true}", "git|true", NULL},
	{LIST(TEXT("{n}")), "{\"n\":1.5}", "git|1.5", NULL},
	/* options are the policy's to write */
	{LIST(TEXT("{b}")), "{\"b\":\"--force\"}", REFUSED("starts with -")},
	{LIST(TEXT("{b}")), "{\"b\":\"-\"}", REFUSED("starts with -")},
	{LIST(TEXT("{n}")), "{\"n\":-1}", REFUSED("starts with -")},
	{LIST(TEXT("{a}{b}")), "{\"a\":\"\",\"b\":\"-x\"}", REFUSED("starts with -")},
	{LIST(TEXT("{b}"), TEXT("--")), "{\"b\":\"-x\"}", REFUSED("starts with -")},
	{LIST(TEXT("--"), TEXT("{b}")), "{\"b\":\"-x\"}", "git|--|-x", NULL},
	{LIST(TEXT("{b}"), TEXT("{c}")), "{\"b\":\"--\",\"c\":\"-x\"}", REFUSED("starts with -")},
	{LIST(DASH("{b}"), TEXT("{c}")), "{\"b\":\"--\",\"c\":\"-x\"}", REFUSED("starts with -")},
	{LIST(DASH("{n}")), "{\"n\":-1}", "git|-1", NULL},
	{LIST(IF("e", "--"), TEXT("{b}")), "{\"b\":\"-x\"}", REFUSED("starts with -")},
	{LIST(IF("e", "--"), TEXT("{b}")), "{\"b\":\"-x\",\"e\":true}", "git|--|-x", NULL},
	/* conditions */
	{LIST(IF("f", "-f"), TEXT("x")), "{}", "git|x", NULL},
	{LIST(IF("f", "-f"), TEXT("x")), "{\"f\":false}", "git|x", NULL},
	{LIST(IF("f", "-f"), TEXT("x")), "{\"f\":null}", "git|x", NULL},
	{LIST(IF("f", "-f"), TEXT("x")), "{\"f\":true}", "git|-f|x", NULL},
	{LIST(IF("f", "-f"), TEXT("x")), "{\"f\":0}", "git|-f|x", NULL},
	{LIST(IF("f", "-m"), IF("f", "{f}")), "{\"f\":\"hello\"}", "git|-m|hello", NULL},
	/* lists */
	{LIST(TEXT("add"), TEXT("--"), EACH("p")), "{\"p\":[\"a\",\"-b\",\"\"]}",
	    "git|add|--|a|-b|", NULL},
	{LIST(EACH("p")), "{\"p\":[]}", "git", NULL},
	{LIST(EACH("p")), "{\"p\":[\"a\",\"-b\"]}", REFUSED("starts with -")},
	{LIST(EACH("p")), "{\"p\":\"a\"}", REFUSED("is no list")},
	{LIST(EACH("p")), "{}", REFUSED("is no list")},
	{LIST(EACH("p")), "{\"p\":[[1]]}", REFUSED("no text or number")},
	/* what cannot be an argument */
	{LIST(TEXT("{b}")), "{}", REFUSED("is missing")},
	{LIST(TEXT("{b}")), "{\"b\":null}", REFUSED("is missing")},
	{LIST(TEXT("{b}")), "{\"b\":{}}", REFUSED("no text or number")},
	{LIST(TEXT("{b}")), "{\"b\":[\"x\"]}", REFUSED("no text or number")},
	{LIST(TEXT("{b}")), "{\"b\":\"a\\u0000b\"}", REFUSED("NUL")},
};
/* clang-format on */

static uint32_t count_of(const struct row *row)
{
	uint32_t count = 0;

	while (count < 6 && row->elements[count].kind != ELEMENT_NONE)
		count++;
	return count;
}

static void join(char *out, size_t size, const struct command *command)
{
	out[0] = '\0';
	for (uint32_t i = 0; i < command->argc; i++)
		snprintf(
		    out + strlen(out), size - strlen(out), "%s%s", i ? "|" : "", command->argv[i]);
}

static void one_element_one_argument(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct policy_exec exec = {.program = "git",
		    .elements = (struct policy_element *)row->elements,
		    .element_count = count_of(row)};
		json_t *arguments = json_loads(row->arguments, JSON_ALLOW_NUL, NULL);
		struct command command = {.form = COMMAND_NONE};
		struct err_note note = {""};
		char argv[256];
		int result = template_fill(&exec, arguments, &command, &note);

		if (row->argv) {
			assert_int_equal(result, 0);
			assert_int_equal(command.form, COMMAND_SIMPLE);
			join(argv, sizeof(argv), &command);
			assert_string_equal(argv, row->argv);
		} else if (result != TEMPLATE_REFUSED || !strstr(note.text, row->why)) {
			fail_msg("%s: %d, %s", row->arguments, result, note.text);
		}
		command_fini(&command);
		json_decref(arguments);
	}
}

static void more_than_a_command_holds_is_refused(void **state)
{
	struct policy_element element = TEXT("{b}");
	const struct policy_exec exec = {
	    .program = "git", .elements = &element, .element_count = 1};
	char *large = test_malloc(COMMAND_BYTES_MAX + 1);
	struct command command = {.form = COMMAND_NONE};
	struct err_note note;
	json_t *arguments;

	(void)state;
	memset(large, 'a', COMMAND_BYTES_MAX);
	large[COMMAND_BYTES_MAX] = '\0';
	arguments = json_pack("{s:s}", "b", large);
	assert_int_equal(template_fill(&exec, arguments, &command, &note), TEMPLATE_REFUSED);
	json_decref(arguments);
	test_free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_element_one_argument),
	    cmocka_unit_test(more_than_a_command_holds_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
