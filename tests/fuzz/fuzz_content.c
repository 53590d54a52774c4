/* What a tool prints as MCP content, and the form that it shows: what is taken can be told to every
 * client, as JSON that a reader takes, and an answer that counts is one that the form asked for. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/content.h"
#include "agent-api/wire/inquiry.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes value. */
static void check_told(json_t *value)
{
	struct buf cleanup_with(buf_fini) text;

	assert(value);
	buf_init(&text, WIRE_RESULT_MAX);
	assert(value_write(&text, value) == 0);
	assert(!memchr(text.data, '\n', text.len) && str_is_utf8(text.data, text.len));
	json_decref(value);
}

static void check_content(const char *text, size_t len)
{
	struct content content;
	struct err_note note = {""};
	int r = content_read(text, len, &content, &note);

	if (r < 0) {
		assert(r == -EINVAL && note.text[0] && !content.items && !content.structured);
		return;
	}
	assert(json_array_size(content.items) <= CONTENT_ITEMS_MAX);
	for (int revision = MCP_2024_11_05; revision <= MCP_2026_07_28; revision++)
		check_told(content_for(&content, (enum mcp_revision)revision));
	content_fini(&content);
}

/* The same bytes as a form, with an answer beside it. */
static void check_inquiry(const char *text, size_t len)
{
	struct inquiry inquiry;
	struct err_note note = {""};
	json_t *params = NULL, *told;
	int r = value_read(text, len, &params, NULL);

	if (r == 0)
		r = inquiry_read(params, "tool", &inquiry, &note);
	if (r < 0) {
		json_decref(params);
		return;
	}
	check_told(inquiry_params(&inquiry, MCP_2025_06_18));
	check_told(inquiry_params(&inquiry, MCP_2026_07_28));
	told = inquiry_answer(&inquiry, json_object_get(params, "answer"));
	if (told) {
		assert(json_is_string(json_object_get(told, "action")));
		check_told(told);
	}
	inquiry_fini(&inquiry);
	json_decref(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_content((const char *)data, size);
	check_inquiry((const char *)data, size);
	return 0;
}
