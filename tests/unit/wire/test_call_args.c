/* A command tool's arguments: good forms, and one exact word for each bad one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

static const struct {
	const char *json;
	const char *begins; /* of the note */
} BAD[] = {
    {"", "JSON: "},
    {"[]", "arguments: must be an object"},
    {"null", "arguments: must be an object"},
    {"{}", "arguments: give exactly one"},
    {"{\"stdin\":\"x\"}", "arguments: give exactly one"},
    {"{\"command\":\"ls\",\"argv\":[\"ls\"]}", "arguments: give exactly one"},
    {"{\"command\":\"ls\",\"command\":\"rm\"}", "JSON: duplicate"},
    {"{\"command\":\"ls\",\"env\":{}}", "env: unknown argument"},
    {"{\"command\":\"ls\",\"Cwd\":\"x\"}", "Cwd: unknown argument"},
    {"{\"command\":\"ls\",\"a\\nb\":1}", "a\\x0ab: unknown argument"},
    {"{\"command\":5}", "command: must be a string"},
    {"{\"command\":null}", "command: must be a string"},
    {"{\"command\":[\"ls\"]}", "command: must be a string"},
    {"{\"command\":\"\"}", "command: is empty"},
    {"{\"command\":\" \\t\\n\"}", "command: is empty"},
    {"{\"command\":\"a\\u0000b\"}", "JSON: a string holds NUL, at byte "},
    {"{\"argv\":[]}", "argv: must be an array"},
    {"{\"argv\":\"ls\"}", "argv: must be an array"},
    {"{\"argv\":{}}", "argv: must be an array"},
    {"{\"argv\":[\"\"]}", "argv[0]: the program's name is empty"},
    {"{\"argv\":[\"ls\",5]}", "argv[1]: must be a string"},
    {"{\"argv\":[\"ls\",\"-l\",null]}", "argv[2]: must be a string"},
    {"{\"argv\":[\"ls\",[\"x\"]]}", "argv[1]: must be a string"},
    {"{\"command\":\"ls\",\"stdin\":5}", "stdin: must be a string"},
    {"{\"command\":\"ls\",\"stdin\":null}", "stdin: must be a string"},
    {"{\"command\":\"ls\",\"cwd\":5}", "cwd: must be a string"},
    {"{\"command\":\"ls\",\"cwd\":\"/\"}", "cwd: is absolute"},
    {"{\"command\":\"ls\",\"cwd\":\"/etc\"}", "cwd: is absolute"},
    {"{\"command\":\"ls\",\"cwd\":\"..\"}", "cwd: \"..\""},
    {"{\"command\":\"ls\",\"cwd\":\"a/..\"}", "cwd: \"..\""},
    {"{\"command\":\"ls\",\"cwd\":\"a/../b\"}", "cwd: \"..\""},
    {"{\"command\":\"ls\",\"cwd\":\"../\"}", "cwd: \"..\""},
    {"{\"command\":\"ls\",\"cwd\":\"a//b\"}", "cwd: has an empty component"},
    {"{\"command\":\"ls\",\"cwd\":\"a//\"}", "cwd: has an empty component"},
};

static int decode(const char *json, struct call_args *ret, struct err_note *note)
{
	return call_args_decode(json, strlen(json), ret, note);
}

static void bad_arguments_get_an_exact_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct call_args args = {.argc = 99};
		struct err_note note = {""};

		if (decode(BAD[i].json, &args, &note) != -EINVAL)
			fail_msg("accepted: %s", BAD[i].json);
		if (strncmp(note.text, BAD[i].begins, strlen(BAD[i].begins)) != 0)
			fail_msg("%s: %s", BAD[i].json, note.text);
		assert_int_equal(args.argc, 99); /* untouched */
	}
}

/* Read already or not, the words are the same. */
static void what_is_read_already_is_judged_alike(void **state)
{
	struct err_note note = {""};
	json_t *good = json_pack("{s:s, s:s}", "command", "ls", "cwd", "a/b");
	size_t judged = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		json_t *object = NULL;

		if (value_read(BAD[i].json, strlen(BAD[i].json), &object, &note) != 0)
			continue;
		assert_int_equal(call_args_check(object, &note), -EINVAL);
		assert_memory_equal(note.text, BAD[i].begins, strlen(BAD[i].begins));
		json_decref(object);
		judged++;
	}
	assert_true(judged > 10);
	assert_int_equal(call_args_check(good, &note), 0);
	json_decref(good);
}

static void a_command_is_kept_as_it_is(void **state)
{
	struct call_args args;
	struct err_note note;

	(void)state;
	assert_int_equal(decode("{\"command\":\" ls -l \\\"a b\\\" \"}", &args, &note), 0);
	assert_int_equal(args.form, CALL_FORM_COMMAND);
	assert_string_equal(args.command, " ls -l \"a b\" ");
	assert_null(args.argv);
	assert_int_equal(args.has_stdin, 0);
	assert_int_equal(args.stdin_len, 0);
	assert_string_equal(args.cwd, "");
	call_args_fini(&args);
	call_args_fini(&args);
	assert_int_equal(args.form, CALL_FORM_NONE);
}

static void an_argv_is_kept_element_by_element(void **state)
{
	struct call_args args;
	struct err_note note;

	(void)state;
	assert_int_equal(decode("{\"argv\":[\"printf\",\"\",\"a b;|\"],\"stdin\":\"\","
				"\"cwd\":\"sub/...\"}",
			     &args, &note),
	    0);
	assert_int_equal(args.form, CALL_FORM_ARGV);
	assert_string_equal(args.command, "");
	assert_int_equal(args.argc, 3);
	assert_string_equal(args.argv[1], "");
	assert_string_equal(args.argv[2], "a b;|");
	assert_null(args.argv[3]);
	assert_int_equal(args.has_stdin, 1);
	assert_string_equal(args.stdin_bytes, "");
	assert_string_equal(args.cwd, "sub/...");
	call_args_fini(&args);
}

static void a_slash_at_the_end_of_cwd_is_fine(void **state)
{
	static const char *const FINE[] = {"a/", "a/b/", ".", "./a", "..a", "a.."};

	(void)state;
	for (size_t i = 0; i < sizeof(FINE) / sizeof(FINE[0]); i++) {
		json_t *object = json_pack("{s:s, s:s}", "command", "ls", "cwd", FINE[i]);
		char *text = json_dumps(object, 0);
		struct call_args args;
		struct err_note note;

		if (decode(text, &args, &note) != 0)
			fail_msg("%s: %s", FINE[i], note.text);
		call_args_fini(&args);
		free(text);
		json_decref(object);
	}
}

static int decode_argv(size_t count, size_t each)
{
	json_t *argv = json_array();
	json_t *object = json_pack("{s:o}", "argv", argv);
	char *item = malloc(each + 1);
	struct call_args args = {.form = CALL_FORM_NONE};
	struct err_note note;
	char *text;
	int r;

	memset(item, 'x', each);
	item[each] = '\0';
	for (size_t i = 0; i < count; i++)
		json_array_append_new(argv, json_string(item));
	text = json_dumps(object, JSON_COMPACT);
	r = decode(text, &args, &note);
	call_args_fini(&args);
	free(text);
	free(item);
	json_decref(object);
	return r;
}

static int decode_command(size_t len)
{
	struct buf cleanup_with(buf_fini) text;
	struct call_args args = {.form = CALL_FORM_NONE};
	struct err_note note;
	int r;

	buf_init(&text, WIRE_MESSAGE_MAX);
	buf_text(&text, "{\"command\":\"");
	for (size_t i = 0; i < len; i++)
		buf_text(&text, "x");
	buf_text(&text, "\"}");
	r = decode(buf_cstr(&text), &args, &note);
	call_args_fini(&args);
	return r;
}

static void the_limits_are_exact(void **state)
{
	(void)state;
	assert_int_equal(decode_argv(WIRE_ARGV_MAX, 1), 0);
	assert_int_equal(decode_argv(WIRE_ARGV_MAX + 1, 1), -EINVAL);
	assert_int_equal(decode_argv(1, WIRE_ARGV_BYTES_MAX - WIRE_ARGV_EACH), 0);
	assert_int_equal(decode_argv(1, WIRE_ARGV_BYTES_MAX - WIRE_ARGV_EACH + 1), -EINVAL);
	assert_int_equal(decode_argv(1024, WIRE_ARGV_BYTES_MAX / 1024 - WIRE_ARGV_EACH), 0);
	assert_int_equal(
	    decode_argv(1024, WIRE_ARGV_BYTES_MAX / 1024 - WIRE_ARGV_EACH + 1), -EINVAL);
	assert_int_equal(decode_command(WIRE_COMMAND_MAX), 0);
	assert_int_equal(decode_command(WIRE_COMMAND_MAX + 1), -EINVAL);
	assert_int_equal(decode_command(900000), -EINVAL);
}

static void an_empty_argv_from_elsewhere_is_refused(void **state)
{
	static const char *const EMPTY[] = {"", NULL};
	struct err_note note;

	(void)state;
	assert_int_equal(call_args_check_argv(EMPTY, 0, &note), -EINVAL);
	assert_int_equal(call_args_check_argv(EMPTY, 1, &note), -EINVAL);
}

static void the_schema_says_the_same(void **state)
{
	json_t *schema = NULL;

	(void)state;
	assert_int_equal(
	    value_read(call_args_schema(), strlen(call_args_schema()), &schema, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
	assert_int_equal(json_object_size(json_object_get(schema, "properties")), 4);
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_arguments_get_an_exact_word),
	    cmocka_unit_test(what_is_read_already_is_judged_alike),
	    cmocka_unit_test(a_command_is_kept_as_it_is),
	    cmocka_unit_test(an_argv_is_kept_element_by_element),
	    cmocka_unit_test(a_slash_at_the_end_of_cwd_is_fine),
	    cmocka_unit_test(the_limits_are_exact),
	    cmocka_unit_test(an_empty_argv_from_elsewhere_is_refused),
	    cmocka_unit_test(the_schema_says_the_same),
	};

	return cmocka_run_group_tests_name("call_args", tests, NULL, NULL);
}
