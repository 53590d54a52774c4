/* The approval form: what it shows in each revision, and which answers count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/form.h"

static void the_form_is_flat(void **state)
{
	const struct form form = {.message = "Run 'rm -r x'?\nplan ..."};
	json_t *params = form_params(&form, MCP_2025_06_18);
	const json_t *schema = json_object_get(params, "requestedSchema");
	const json_t *properties = json_object_get(schema, "properties");
	const char *key;
	json_t *property;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(params, "message")), form.message);
	assert_null(json_object_get(params, "mode")); /* came later */
	assert_string_equal(json_string_value(json_object_get(schema, "type")), "object");
	assert_int_equal(json_array_size(json_object_get(schema, "required")), 1);
	assert_int_equal(json_object_size(properties), 2);
	json_object_foreach((json_t *)properties, key, property)
	    assert_string_equal(json_string_value(json_object_get(property, "type")), "string");
	json_decref(params);
}

static void a_demanded_reason_is_part_of_the_form(void **state)
{
	const struct form form = {.message = "m", .reason_required = true};
	json_t *params = form_params(&form, MCP_2025_11_25);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(params, "mode")), "form");
	assert_int_equal(json_array_size(json_object_get(
			     json_object_get(params, "requestedSchema"), "required")),
	    2);
	json_decref(params);
}

#define ACCEPT(content) "{\"action\":\"accept\",\"content\":{" content "}}"

static const struct {
	const char *json;
	bool reason_required;
	enum form_answer answer;
	const char *reason;
} ROWS[] = {
    {ACCEPT("\"decision\":\"approve\""), false, FORM_APPROVE, ""},
    {ACCEPT("\"decision\":\"approve\",\"reason\":\"ok\",\"more\":1"), false, FORM_APPROVE, "ok"},
    {ACCEPT("\"decision\":\"approve\",\"reason\":\"ok\""), true, FORM_APPROVE, "ok"},
    {ACCEPT("\"decision\":\"approve\""), true, FORM_UNANSWERED, ""},
    {ACCEPT("\"decision\":\"approve\",\"reason\":\"\""), true, FORM_UNANSWERED, ""},
    {ACCEPT("\"decision\":\"approve\",\"reason\":\"  \""), true, FORM_UNANSWERED, "  "},
    {ACCEPT("\"decision\":\"deny\""), true, FORM_DENY, ""},
    {ACCEPT("\"decision\":\"deny\",\"reason\":\"no\""), false, FORM_DENY, "no"},
    {ACCEPT("\"decision\":\"yes\""), false, FORM_UNANSWERED, ""},
    {ACCEPT("\"decision\":\"Approve\""), false, FORM_UNANSWERED, ""},
    {ACCEPT("\"decision\":true"), false, FORM_UNANSWERED, ""},
    {ACCEPT("\"decision\":\"approve\",\"reason\":5"), false, FORM_UNANSWERED, ""},
    {ACCEPT(""), false, FORM_UNANSWERED, ""},
    {"{\"action\":\"accept\"}", false, FORM_UNANSWERED, ""},
    {"{\"action\":\"accept\",\"content\":[]}", false, FORM_UNANSWERED, ""},
    {"{\"action\":\"decline\"}", false, FORM_DENY, ""},
    {"{\"action\":\"decline\",\"content\":{\"decision\":\"approve\"}}", false, FORM_DENY, ""},
    {"{\"action\":\"cancel\"}", false, FORM_UNANSWERED, ""},
    {"{\"action\":\"cancel\",\"content\":{\"decision\":\"approve\"}}", false, FORM_UNANSWERED, ""},
    {"{\"content\":{\"decision\":\"approve\"}}", false, FORM_UNANSWERED, ""},
    {"{\"decision\":\"approve\"}", false, FORM_UNANSWERED, ""},
    {"{}", false, FORM_UNANSWERED, ""},
    {"[]", false, FORM_UNANSWERED, ""},
    {"\"accept\"", false, FORM_UNANSWERED, ""},
};

static void only_a_clear_answer_counts(void **state)
{
	const char *reason = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *json = json_loads(ROWS[i].json, JSON_DECODE_ANY, NULL);

		assert_non_null(json);
		if (form_read(json, ROWS[i].reason_required, &reason) != ROWS[i].answer)
			fail_msg("%s", ROWS[i].json);
		assert_string_equal(reason, ROWS[i].reason);
		json_decref(json);
	}
	assert_int_equal(form_read(NULL, false, &reason), FORM_UNANSWERED);
}

static void a_long_reason_is_no_answer(void **state)
{
	char long_reason[FORM_REASON_MAX + 2];
	const char *reason;

	(void)state;
	for (size_t len = FORM_REASON_MAX; len <= FORM_REASON_MAX + 1; len++) {
		json_t *json;

		memset(long_reason, 'x', len);
		long_reason[len] = '\0';
		json = json_pack("{s:s, s:{s:s, s:s}}", "action", "accept", "content", "decision",
		    "approve", "reason", long_reason);
		assert_int_equal(form_read(json, false, &reason),
		    len > FORM_REASON_MAX ? FORM_UNANSWERED : FORM_APPROVE);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_form_is_flat),
	    cmocka_unit_test(a_demanded_reason_is_part_of_the_form),
	    cmocka_unit_test(only_a_clear_answer_counts),
	    cmocka_unit_test(a_long_reason_is_no_answer),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
