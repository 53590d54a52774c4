#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "policy/handlers.h"
#include "policy/json_schema.h"
#include "supervisor/base/err.h"

static struct json_schema *compile(const char *text)
{
	struct json_schema *schema = NULL;
	struct err_note note = {.text = ""};
	json_error_t error;
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!value)
		fail_msg("not JSON: %s at %d", error.text, error.position);
	if (json_schema_compile(value, &schema, &note) < 0)
		fail_msg("%s", note.text);
	json_decref(value);
	return schema;
}

static void handlers_are_found(void **state)
{
	(void)state;
	for (unsigned id = 1; handler_by_id(id); id++) {
		const struct handler *handler = handler_by_id(id);
		struct json_schema *schema = compile(handler->parameters);

		assert_ptr_equal(handler_find(handler->name), handler);
		assert_int_equal(handler_id(handler), id);
		assert_non_null(handler->program);
		assert_true(*handler->title && *handler->description);
		assert_false(handler->read_only && handler->destructive);
		json_schema_free(schema);
	}
	assert_null(handler_find("bash"));
	assert_null(handler_find(""));
	assert_null(handler_by_id(0));
	assert_null(handler_by_id(3));
	assert_int_equal(handler_id(NULL), 0);
}

/* ' stands for ". */
static void check(const char *name, const char *text, bool valid)
{
	struct json_schema *schema = compile(handler_find(name)->parameters);
	struct err_note note = {.text = ""};
	char *json = strdup(text);
	json_t *value;
	int r;

	for (char *at = json; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	value = json_loads(json, 0, NULL);
	assert_non_null(value);
	r = json_schema_check(schema, value, "arguments", &note);
	if ((r == 0) != valid)
		fail_msg("%s: %d %s", text, r, note.text);
	json_decref(value);
	free(json);
	json_schema_free(schema);
}

static void the_schema_alone_refuses_nonsense(void **state)
{
	static const struct {
		const char *tool, *arguments;
		bool valid;
	} rows[] = {
	    {"text_editor", "{'command': 'view', 'path': 'a'}", true},
	    {"text_editor", "{'command': 'view', 'path': '.', 'view_range': [1, -1]}", true},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'view_range': [0, 2]}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'view_range': [1, 0]}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'view_range': [1, -2]}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'view_range': [1]}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'view_range': [1, 2, 3]}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'view_range': ['1', 2]}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'file_text': 'x'}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'old_str': 'x'}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'insert_line': 1}", false},
	    {"text_editor", "{'command': 'view'}", false},
	    {"text_editor", "{'path': 'a'}", false},
	    {"text_editor", "{'command': 'delete', 'path': 'a'}", false},
	    {"text_editor", "{'command': 'view', 'path': ''}", false},
	    {"text_editor", "{'command': 'view', 'path': '/a'}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a/../../b'}", false},
	    {"text_editor", "{'command': 'view', 'path': 'a', 'color': true}", false},
	    {"text_editor", "{'command': 'create', 'path': 'a', 'file_text': ''}", true},
	    {"text_editor", "{'command': 'create', 'path': 'a'}", false},
	    {"text_editor", "{'command': 'create', 'path': 'a', 'file_text': null}", false},
	    {"text_editor",
		"{'command': 'create', 'path': 'a', 'file_text': '', 'view_range': [1, 2]}", false},
	    {"text_editor", "{'command': 'create', 'path': 'a', 'file_text': '', 'new_str': ''}",
		false},
	    {"text_editor", "{'command': 'str_replace', 'path': 'a', 'old_str': 'x'}", true},
	    {"text_editor",
		"{'command': 'str_replace', 'path': 'a', 'old_str': 'x', 'new_str': 'y'}", true},
	    {"text_editor", "{'command': 'str_replace', 'path': 'a', 'old_str': ''}", false},
	    {"text_editor", "{'command': 'str_replace', 'path': 'a', 'new_str': 'y'}", false},
	    {"text_editor",
		"{'command': 'str_replace', 'path': 'a', 'old_str': 'x', 'file_text': ''}", false},
	    {"text_editor",
		"{'command': 'insert', 'path': 'a', 'insert_line': 0, 'insert_text': 'x'}", true},
	    {"text_editor",
		"{'command': 'insert', 'path': 'a', 'insert_line': -1, 'insert_text': 'x'}", false},
	    {"text_editor",
		"{'command': 'insert', 'path': 'a', 'insert_line': 0.5, 'insert_text': 'x'}",
		false},
	    {"text_editor",
		"{'command': 'insert', 'path': 'a', 'insert_line': 0, 'insert_text': ''}", false},
	    {"text_editor", "{'command': 'insert', 'path': 'a', 'insert_text': 'x'}", false},
	    {"text_editor", "{'command': 'insert', 'path': 'a', 'insert_line': 0}", false},
	    {"text_editor",
		"{'command': 'insert', 'path': 'a', 'insert_line': 0, 'insert_text': 'x', "
		"'old_str': 'y'}",
		false},
	    {"text_editor", "{'command': 'undo', 'path': 'a'}", true},
	    {"text_editor", "{'command': 'undo', 'path': 'a', 'insert_text': 'x'}", false},
	    {"text_editor", "{'command': 'undo', 'path': 'a', 'file_text': 'x'}", false},
	    {"grep_search", "{'pattern': 'x'}", true},
	    {"grep_search",
		"{'pattern': 'x', 'path': 'a', 'glob': '*.c', 'ignore_case': true, 'literal': "
		"false, 'context': 10, 'max_results': 1000, 'output_mode': 'count'}",
		true},
	    {"grep_search", "{}", false},
	    {"grep_search", "{'pattern': ''}", false},
	    {"grep_search", "{'pattern': 'x', 'path': '../a'}", false},
	    {"grep_search", "{'pattern': 'x', 'context': 11}", false},
	    {"grep_search", "{'pattern': 'x', 'context': -1}", false},
	    {"grep_search", "{'pattern': 'x', 'max_results': 0}", false},
	    {"grep_search", "{'pattern': 'x', 'max_results': 1001}", false},
	    {"grep_search", "{'pattern': 'x', 'output_mode': 'lines'}", false},
	    {"grep_search", "{'pattern': 'x', 'ignore_case': 'yes'}", false},
	    {"grep_search", "{'pattern': 'x', 'multiline': true}", false},
	    {"grep_search", "{'pattern': 'x', 'glob': ''}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i].tool, rows[i].arguments, rows[i].valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(handlers_are_found),
	    cmocka_unit_test(the_schema_alone_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
