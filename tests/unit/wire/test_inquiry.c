/* A tool's form: what it may ask, that it looks like the tool's, and which answers count. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/inquiry.h"

#define ASK(schema)  "{\"message\":\"m\",\"requestedSchema\":" schema "}"
#define FIELD(field) ASK("{\"type\":\"object\",\"properties\":{\"a\":" field "}}")

static const char EVERYTHING[] =
    "{\"message\":\"Two\\nlines\",\"name\":\"key.1\",\"requestedSchema\":{\"type\":\"object\","
    "\"properties\":{"
    "\"text\":{\"type\":\"string\",\"title\":\"T\",\"description\":\"D\",\"minLength\":1,"
    "\"maxLength\":3,\"format\":\"email\",\"default\":\"a\"},"
    "\"whole\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"default\":3},"
    "\"number\":{\"type\":\"number\",\"default\":95.5},"
    "\"truth\":{\"type\":\"boolean\",\"default\":true},"
    "\"one\":{\"type\":\"string\",\"enum\":[\"x\",\"y\"],\"enumNames\":[\"X\",\"Y\"]},"
    "\"named\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"v\",\"title\":\"V\"}]},"
    "\"some\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,\"items\":{\"type\":\"string\","
    "\"enum\":[\"x\",\"y\",\"z\"]}},"
    "\"many\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":\"v\",\"title\":\"V\"}]}}},"
    "\"required\":[\"text\"]}}";

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	if (!json)
		fail_msg("not JSON: %s", text);
	return json;
}

static void every_field_is_shown_as_the_tools(void **state)
{
	json_t *params = parse(EVERYTHING), *shown;
	struct inquiry inquiry;
	struct err_note note = {""};
	const char *message;

	(void)state;
	if (inquiry_read(params, "poll", &inquiry, &note))
		fail_msg("%s", note.text);
	assert_string_equal(inquiry.key, "key.1");
	shown = inquiry_params(&inquiry, MCP_2025_06_18);
	message = json_string_value(json_object_get(shown, "message"));
	assert_ptr_equal(
	    strstr(message, "The running tool \"poll\" asks you this, not callgate"), message);
	assert_non_null(strstr(message, "\n\nTwo\nlines"));
	assert_true(json_equal(
	    json_object_get(shown, "requestedSchema"), json_object_get(params, "requestedSchema")));
	assert_null(json_object_get(shown, "mode"));
	json_decref(shown);
	shown = inquiry_params(&inquiry, MCP_2026_07_28);
	assert_string_equal(json_string_value(json_object_get(shown, "mode")), "form");
	json_decref(shown);
	inquiry_fini(&inquiry);
	inquiry_fini(&inquiry);
	json_decref(params);
}

static const char *const BROKEN[] = {
    "{}",
    "{\"requestedSchema\":{}}",
    "{\"message\":\"\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":"
    "\"boolean\"}}}}",
    "{\"message\":\"\\u001b[2J\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
    "{\"type\":\"boolean\"}}}}",
    "{\"message\":\"\\u009b\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
    "{\"type\":\"boolean\"}}}}",
    "{\"message\":\"go \\u202eon\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
    "{\"type\":\"boolean\"}}}}",
    "{\"message\":\"go\\u200b\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
    "{\"type\":\"boolean\"}}}}",
    "{\"message\":\"\\u2028\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
    "{\"type\":\"boolean\"}}}}",
    "{\"message\":\"m\",\"name\":\"\",\"requestedSchema\":{\"type\":\"object\",\"properties\":"
    "{\"a\":{\"type\":\"boolean\"}}}}",
    "{\"message\":\"m\",\"name\":\"a b\",\"requestedSchema\":{\"type\":\"object\","
    "\"properties\":{\"a\":{\"type\":\"boolean\"}}}}",
    "{\"message\":\"m\",\"name\":\"approval\",\"requestedSchema\":{\"type\":\"object\","
    "\"properties\":{\"a\":{\"type\":\"boolean\"}}}}",
    "{\"message\":\"m\",\"name\":1,\"requestedSchema\":{\"type\":\"object\",\"properties\":"
    "{\"a\":{\"type\":\"boolean\"}}}}",
    ASK("1"),
    ASK("{\"type\":\"object\"}"),
    ASK("{\"type\":\"object\",\"properties\":{}}"),
    ASK("{\"type\":\"object\",\"properties\":[]}"),
    ASK("{\"type\":\"string\",\"properties\":{\"a\":{\"type\":\"boolean\"}}}"),
    ASK("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"title\":\"t\"}"),
    ASK("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"required\":[\"b\"]}"),
    ASK("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"required\":{}}"),
    ASK("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"required\":[1]}"),
    ASK("{\"type\":\"object\",\"properties\":{\"a b\":{\"type\":\"boolean\"}}}"),
    FIELD("1"),
    FIELD("{}"),
    FIELD("{\"type\":[\"string\",\"null\"]}"),
    FIELD("{\"type\":\"object\",\"properties\":{}}"),
    FIELD("{\"type\":\"string\",\"format\":\"password\"}"),
    FIELD("{\"type\":\"string\",\"pattern\":\"(a+)+\"}"),
    FIELD("{\"type\":\"string\",\"title\":\"a\\nb\"}"),
    FIELD("{\"type\":\"string\",\"title\":\"\\u001b\"}"),
    FIELD("{\"type\":\"string\",\"title\":\"a\\u2066b\"}"),
    FIELD("{\"type\":\"string\",\"default\":1}"),
    FIELD("{\"type\":\"string\",\"minLength\":-1}"),
    FIELD("{\"type\":\"string\",\"enum\":[]}"),
    FIELD("{\"type\":\"string\",\"enum\":[1]}"),
    FIELD("{\"type\":\"string\",\"enum\":[\"a\"],\"oneOf\":[{\"const\":\"a\",\"title\":\"A\"}]}"),
    FIELD("{\"type\":\"string\",\"enum\":[\"a\"],\"default\":\"b\"}"),
    FIELD("{\"type\":\"string\",\"oneOf\":[{\"const\":\"a\"}]}"),
    FIELD("{\"type\":\"string\",\"oneOf\":[{\"const\":\"a\",\"title\":\"A\",\"x\":1}]}"),
    FIELD("{\"type\":\"integer\",\"default\":1.5}"),
    FIELD("{\"type\":\"integer\",\"minLength\":1}"),
    FIELD("{\"type\":\"boolean\",\"default\":\"true\"}"),
    FIELD("{\"type\":\"boolean\",\"$ref\":\"#\"}"),
    FIELD("{\"type\":\"array\"}"),
    FIELD("{\"type\":\"array\",\"items\":{}}"),
    FIELD("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"),
    FIELD("{\"type\":\"array\",\"items\":{\"enum\":[\"a\"],\"anyOf\":[{\"const\":\"a\",\"title\":"
	  "\"A\"}]}}"),
    FIELD("{\"type\":\"array\",\"items\":{\"enum\":[\"a\"]},\"default\":[\"b\"]}"),
};

static void what_no_form_can_show_is_refused(void **state)
{
	char text[INQUIRY_MESSAGE_MAX + 256];
	struct inquiry inquiry;
	struct err_note note;
	json_t *params;

	(void)state;
	for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
		params = parse(BROKEN[i]);
		if (inquiry_read(params, "t", &inquiry, &note) != -EINVAL)
			fail_msg("taken: %s", BROKEN[i]);
		assert_true(note.text[0] != '\0');
		assert_null(inquiry.message);
		json_decref(params);
	}
	snprintf(text, sizeof(text),
	    "{\"message\":\"%0*d\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
	    "{\"type\":\"boolean\"}}}}",
	    INQUIRY_MESSAGE_MAX + 1, 0);
	params = parse(text);
	assert_int_equal(inquiry_read(params, "t", &inquiry, &note), -EINVAL);
	json_decref(params);
}

#define ACCEPT(content) "{\"action\":\"accept\",\"content\":" content "}"

static void only_what_was_asked_for_is_an_answer(void **state)
{
	static const struct {
		const char *result, *told; /* NULL: no answer */
	} ROWS[] = {
	    {ACCEPT("{\"text\":\"a\"}"), ACCEPT("{\"text\":\"a\"}")},
	    {ACCEPT(
		 "{\"text\":\"\xC3\xA4\xC3\xB6\xC3\xBC\",\"whole\":9,\"number\":1,\"truth\":false,"
		 "\"one\":\"y\",\"named\":\"v\",\"some\":[\"x\",\"z\"],\"many\":[]}"),
		ACCEPT("{\"text\":\"\xC3\xA4\xC3\xB6\xC3\xBC\",\"whole\":9,\"number\":1,\"truth\":"
		       "false,\"one\":\"y\",\"named\":\"v\",\"some\":[\"x\",\"z\"],\"many\":[]}")},
	    {"{\"action\":\"decline\"}", "{\"action\":\"decline\"}"},
	    {"{\"action\":\"decline\",\"content\":{\"text\":\"x\"}}", "{\"action\":\"decline\"}"},
	    {"{\"action\":\"cancel\"}", "{\"action\":\"cancel\"}"},
	    {"{\"action\":\"accept\"}", NULL},
	    {"{\"action\":\"approve\",\"content\":{\"text\":\"a\"}}", NULL},
	    {"{}", NULL},
	    {"{\"action\":1}", NULL},
	    {ACCEPT("{}"), NULL},
	    {ACCEPT("[]"), NULL},
	    {ACCEPT("{\"text\":\"\"}"), NULL},
	    {ACCEPT("{\"text\":\"abcd\"}"), NULL},
	    {ACCEPT("{\"text\":1}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"more\":1}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"whole\":0}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"whole\":10}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"whole\":1.5}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"whole\":\"1\"}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"truth\":1}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"one\":\"X\"}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"named\":\"V\"}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"some\":[]}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"some\":[\"x\",\"y\",\"z\"]}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"some\":[\"w\"]}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"some\":\"x\"}"), NULL},
	    {ACCEPT("{\"text\":\"a\",\"many\":[1]}"), NULL},
	};
	json_t *params = parse(EVERYTHING);
	struct inquiry inquiry;

	(void)state;
	assert_int_equal(inquiry_read(params, "t", &inquiry, NULL), 0);
	assert_null(inquiry_answer(&inquiry, NULL));
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		json_t *result = parse(ROWS[i].result);
		json_t *told = inquiry_answer(&inquiry, result);
		json_t *expected = ROWS[i].told ? parse(ROWS[i].told) : NULL;

		if (!told != !expected || (told && !json_equal(told, expected)))
			fail_msg("%s", ROWS[i].result);
		json_decref(told);
		json_decref(expected);
		json_decref(result);
	}
	inquiry_fini(&inquiry);
	json_decref(params);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_field_is_shown_as_the_tools),
	    cmocka_unit_test(what_no_form_can_show_is_refused),
	    cmocka_unit_test(only_what_was_asked_for_is_an_answer),
	};

	return cmocka_run_group_tests_name("inquiry", tests, NULL, NULL);
}
