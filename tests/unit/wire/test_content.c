/* What a tool prints that speaks MCP: every field judged, and told as a client can read it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/wire/content.h"
#include "agent-api/wire/limits.h"
#include "supervisor/base/cleanup.h"

#define ONE(item) "{\"content\":[" item "]}"

static int read_text(const char *text, struct content *content, struct err_note *note)
{
	return content_read(text, strlen(text), content, note);
}

static void every_type_is_taken_as_it_is(void **state)
{
	static const char ALL[] =
	    "{\"content\":["
	    "{\"type\":\"text\",\"text\":\"\",\"annotations\":{\"audience\":[\"user\"],"
	    "\"priority\":0.5,\"lastModified\":\"2025-01-12T15:00:58Z\"}},"
	    "{\"type\":\"image\",\"data\":\"AAEC\",\"mimeType\":\"image/png\"},"
	    "{\"type\":\"audio\",\"data\":\"AA==\",\"mimeType\":\"audio/wav\"},"
	    "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://a\",\"mimeType\":"
	    "\"text/plain; charset=utf-8\",\"text\":\"t\"}},"
	    "{\"type\":\"resource\",\"resource\":{\"uri\":\"test://b\",\"blob\":\"AAEC\"}},"
	    "{\"type\":\"resource_link\",\"uri\":\"file:///x\",\"name\":\"x\",\"title\":\"X\","
	    "\"description\":\"d\",\"mimeType\":\"text/x-c\",\"size\":12}],"
	    "\"structuredContent\":[1,{\"a\":null}],\"isError\":true}";
	struct content content;
	struct err_note note = {""};
	json_t *expected = json_loads(ALL, 0, NULL), *told;

	(void)state;
	if (read_text(ALL, &content, &note))
		fail_msg("%s", note.text);
	assert_true(content.is_error);
	assert_true(json_equal(content.structured, json_object_get(expected, "structuredContent")));
	told = content_for(&content, MCP_2026_07_28);
	assert_true(json_equal(told, json_object_get(expected, "content")));
	json_decref(told);
	content_fini(&content);
	content_fini(&content);
	json_decref(expected);
}

static const struct {
	const char *text, *note;
} BROKEN[] = {
    {"", "JSON"},
    {"hello", "JSON"},
    {"[]", "no JSON object"},
    {"{}", "content: is missing"},
    {"{\"content\":[],\"content\":[]}", "duplicate"},
    {"{\"content\":{}}", "content: is no list"},
    {"{\"content\":[],\"_meta\":{\"callgate/call\":{}}}", "_meta: is not known"},
    {"{\"content\":[],\"resultType\":\"input_required\"}", "resultType: is not known"},
    {"{\"content\":[],\"isError\":1}", "isError: is true or false"},
    {"{\"content\":[]} x", "JSON"},
    {"{\"content\":[1]}", "content[0].type"},
    {ONE("{}"), "content[0].type: choose"},
    {ONE("{\"type\":\"video\"}"), "content[0].type: choose"},
    {ONE("{\"type\":\"text\"}"), "content[0].text: is missing"},
    {ONE("{\"type\":\"text\",\"text\":1}"), "content[0].text: is no string"},
    {ONE("{\"type\":\"text\",\"text\":\"\\u0000\"}"), "NUL"},
    {ONE("{\"type\":\"text\",\"text\":\"\xFF\"}"), "unable to decode"},
    {ONE("{\"type\":\"text\",\"text\":\"\\ud800\"}"), "JSON"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"_meta\":{}}"), "content[0]._meta: is not known"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"data\":\"\"}"), "content[0].data: is not known"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"annotations\":[]}"),
	"content[0].annotations: is no object"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"audience\":[\"all\"]}}"),
	"content[0].annotations.audience"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"audience\":\"user\"}}"),
	"content[0].annotations.audience"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"priority\":1.5}}"),
	"content[0].annotations.priority"},
    {ONE("{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"x\":1}}"),
	"content[0].annotations.x: is not known"},
    {ONE("{\"type\":\"image\",\"mimeType\":\"image/png\"}"), "content[0].data: is missing"},
    {ONE("{\"type\":\"image\",\"data\":\"AAE\",\"mimeType\":\"image/png\"}"), "not base64"},
    {ONE("{\"type\":\"image\",\"data\":\"A-_C\",\"mimeType\":\"image/png\"}"), "not base64"},
    {ONE("{\"type\":\"image\",\"data\":\"AA==AA==\",\"mimeType\":\"image/png\"}"), "not base64"},
    {ONE("{\"type\":\"image\",\"data\":\"AA E\",\"mimeType\":\"image/png\"}"), "not base64"},
    {ONE("{\"type\":\"image\",\"data\":7,\"mimeType\":\"image/png\"}"), "not base64"},
    {ONE("{\"type\":\"image\",\"data\":\"AAEC\",\"mimeType\":\"text/html\"}"), "media type"},
    {ONE("{\"type\":\"image\",\"data\":\"AAEC\",\"mimeType\":\"image/\"}"), "media type"},
    {ONE("{\"type\":\"image\",\"data\":\"AAEC\",\"mimeType\":\"image/p ng\"}"), "media type"},
    {ONE("{\"type\":\"image\",\"data\":\"AAEC\",\"mimeType\":\"\"}"), "is empty"},
    {ONE("{\"type\":\"audio\",\"data\":\"AAEC\",\"mimeType\":\"image/png\"}"), "media type"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\"}}"), "either text or blob"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"\",\"blob\":\"\"}}"),
	"either text or blob"},
    {ONE("{\"type\":\"resource\",\"resource\":\"a:b\"}"), "content[0].resource: is no object"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"text\":\"\"}}"),
	"content[0].resource.uri: is missing"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"uri\":\"/etc/passwd\",\"text\":\"\"}}"),
	"no absolute URI"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b c\",\"text\":\"\"}}"),
	"no absolute URI"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"uri\":\":b\",\"text\":\"\"}}"), "no absolute URI"},
    {ONE("{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"\",\"_meta\":{}}}"),
	"content[0].resource._meta: is not known"},
    {ONE("{\"type\":\"resource_link\",\"uri\":\"a:b\"}"), "content[0].name: is missing"},
    {ONE("{\"type\":\"resource_link\",\"uri\":\"a:b\",\"name\":\"n\",\"size\":-1}"),
	"content[0].size"},
};

static void nothing_else_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(BROKEN) / sizeof(BROKEN[0]); i++) {
		struct content content;
		struct err_note note = {""};

		if (read_text(BROKEN[i].text, &content, &note) != -EINVAL)
			fail_msg("taken: %s", BROKEN[i].text);
		if (!strstr(note.text, BROKEN[i].note))
			fail_msg("%s: %s", BROKEN[i].text, note.text);
		assert_null(content.items);
		assert_null(content.structured);
	}
}

static void what_is_too_much_is_refused(void **state)
{
	struct buf cleanup_with(buf_fini) text;
	struct content content;
	struct err_note note = {""};

	(void)state;
	for (int items = CONTENT_ITEMS_MAX; items <= CONTENT_ITEMS_MAX + 1; items++) {
		buf_init(&text, WIRE_MESSAGE_MAX);
		buf_text(&text, "{\"content\":[");
		for (int i = 0; i < items; i++)
			buf_textf(&text, "%s{\"type\":\"text\",\"text\":\"\"}", i ? "," : "");
		buf_text(&text, "]}");
		assert_int_equal(content_read(text.data, text.len, &content, &note),
		    items <= CONTENT_ITEMS_MAX ? 0 : -EINVAL);
		content_fini(&content);
		buf_fini(&text);
	}
	buf_init(&text, WIRE_MESSAGE_MAX);
	buf_text(&text, "{\"structuredContent\":");
	for (int i = 0; i < WIRE_DEPTH_MAX; i++)
		buf_text(&text, "[");
	for (int i = 0; i < WIRE_DEPTH_MAX; i++)
		buf_text(&text, "]");
	buf_text(&text, "}");
	assert_int_equal(content_read(text.data, text.len, &content, &note), -EINVAL);
	assert_non_null(strstr(note.text, "nested deeper"));
}

/* The text of item i for that revision; static. */
static const char *told_text(const struct content *content, enum mcp_revision revision, size_t i)
{
	static char text[256];
	json_t *told = content_for(content, revision);
	const char *got = json_string_value(json_object_get(json_array_get(told, i), "text"));

	snprintf(text, sizeof(text), "%s", got ? got : "");
	json_decref(told);
	return text;
}

static void old_clients_are_told_in_words(void **state)
{
	struct content content;
	struct err_note note;

	(void)state;
	assert_int_equal(read_text(ONE("{\"type\":\"audio\",\"data\":\"AA==\",\"mimeType\":"
				       "\"audio/wav\"},{\"type\":\"resource_link\",\"uri\":"
				       "\"a:b\",\"name\":\"n\"}"),
			     &content, &note),
	    0);
	assert_string_equal(told_text(&content, MCP_2024_11_05, 0),
	    "[audio: not for this revision of the protocol]");
	assert_string_equal(told_text(&content, MCP_2025_03_26, 0), "");
	assert_string_equal(told_text(&content, MCP_2025_03_26, 1),
	    "[resource_link a:b: not for this revision of the protocol]");
	assert_string_equal(told_text(&content, MCP_2025_06_18, 1), "");
	content_fini(&content);
}

static void structure_alone_is_told_as_text(void **state)
{
	struct content content;
	struct err_note note;

	(void)state;
	assert_int_equal(
	    read_text("{\"structuredContent\":{\"a\":\"\xC3\xA4\"}}", &content, &note), 0);
	assert_string_equal(told_text(&content, MCP_2024_11_05, 0), "{\"a\":\"\xC3\xA4\"}");
	content_fini(&content);
	assert_int_equal(read_text("{\"structuredContent\":null,\"content\":[{\"type\":\"text\","
				   "\"text\":\"mine\"}]}",
			     &content, &note),
	    0);
	assert_string_equal(told_text(&content, MCP_2026_07_28, 0), "mine");
	content_fini(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_is_taken_as_it_is),
	    cmocka_unit_test(nothing_else_is_taken),
	    cmocka_unit_test(what_is_too_much_is_refused),
	    cmocka_unit_test(old_clients_are_told_in_words),
	    cmocka_unit_test(structure_alone_is_told_as_text),
	};

	return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
