#include "agent-api/wire/result.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"

#define META_CALL    "callgate/call"
#define META_EFFECTS "callgate/effects"

/* What the output of a tool may cost in JSON in one of its two places, content and
 * structuredContent; the rest of WIRE_RESULT_MAX is for everything else. */
#define OUTPUT_COST_MAX   (11 * 128 * 1024)
#define SENTENCE_COST_MAX (64 * 1024)

/* ---- text that has to fit --------------------------------------------------------------- */

/* Bytes one byte of clean text takes as JSON (what json_dumps() writes). */
static size_t byte_cost(uint8_t byte)
{
	if (byte == '"' || byte == '\\' || (byte >= '\b' && byte <= '\r' && byte != '\v'))
		return 2;
	return byte < 0x20 ? 6 : 1;
}

static size_t text_cost(const struct buf *text)
{
	size_t cost = 0;

	for (size_t i = 0; i < text->len; i++)
		cost += byte_cost(text->data[i]);
	return cost;
}

static int is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* The longest beginning that costs at most max and ends with a whole character. */
static size_t head_len(const struct buf *text, size_t max)
{
	size_t cost = 0, len = 0;

	while (len < text->len && cost + byte_cost(text->data[len]) <= max)
		cost += byte_cost(text->data[len++]);
	while (len > 0 && len < text->len && is_continuation(text->data[len]))
		len--;
	return len;
}

/* The same for the end. */
static size_t tail_len(const struct buf *text, size_t max)
{
	size_t cost = 0, len = 0;

	while (len < text->len && cost + byte_cost(text->data[text->len - len - 1]) <= max)
		cost += byte_cost(text->data[text->len - ++len]);
	while (len > 0 && is_continuation(text->data[text->len - len]))
		len--;
	return len;
}

/* Cuts clean text in the middle until it costs at most max. 1: cut, 0: it fitted, or a fault. */
static int cut_text(struct buf *text, size_t max)
{
	struct buf cleanup_with(buf_fini) shorter = {.limit = 0};
	size_t head, tail;

	if (text_cost(text) <= max)
		return 0;
	max -= 64; /* the marker */
	head = head_len(text, max / 2);
	tail = tail_len(text, max / 2);
	buf_init(&shorter, text->len + 64);
	buf_put(&shorter, text->data, head);
	buf_textf(&shorter, "\n[%zu bytes left out]\n", text->len - head - tail);
	if (buf_put(&shorter, text->data + text->len - tail, tail) < 0)
		return shorter.fault;
	buf_reset(text);
	if (buf_put(text, shorter.data, shorter.len) < 0)
		return text->fault;
	return 1;
}

/* stdout and stderr, clean and short enough. */
struct output {
	struct buf out;
	struct buf err;
	bool truncated;
};

static void output_fini(struct output *output)
{
	buf_fini(&output->out);
	buf_fini(&output->err);
}

static int output_init(struct output *output, const struct result_tool_call *result)
{
	size_t out_cost, err_max, cost;
	int r, s;

	buf_init(&output->out, 3 * result->out_len + 64);
	buf_init(&output->err, 3 * result->err_len + 64);
	output->truncated = result->truncated;
	r = value_clean(&output->out, result->out, result->out_len);
	if (r == 0)
		r = value_clean(&output->err, result->err, result->err_len);
	if (r < 0)
		return r;
	/* Each may use what the other leaves, and at least half. */
	out_cost = text_cost(&output->out);
	err_max =
	    OUTPUT_COST_MAX - (out_cost < OUTPUT_COST_MAX / 2 ? out_cost : OUTPUT_COST_MAX / 2);
	r = cut_text(&output->err, err_max);
	cost = text_cost(&output->err);
	s = cut_text(&output->out, OUTPUT_COST_MAX - cost);
	if (r < 0 || s < 0)
		return r < 0 ? r : s;
	output->truncated = output->truncated || r > 0 || s > 0;
	return 0;
}

/* ---- _meta["callgate/call"] ------------------------------------------------------------- */

static json_t *string_or_null(const char *text)
{
	return text && text[0] ? value_text(text, strlen(text)) : json_null();
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

static json_t *exit_json(const struct result_call *call)
{
	switch (call->exit) {
	case RESULT_EXIT_NONE: return json_null();
	case RESULT_EXIT_CODE: return json_pack("{s:I}", "code", (json_int_t)call->exit_value);
	case RESULT_EXIT_SIGNAL: return json_pack("{s:I}", "signal", (json_int_t)call->exit_value);
	}
	return json_null();
}

static json_t *layers_json(const struct result_call *call)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < call->layer_count; i++) {
		const char *layer = call->layers[i];

		if (json_array_append_new(layers, value_text(layer, strlen(layer))) < 0) {
			json_decref(layers);
			return NULL;
		}
	}
	return layers;
}

static json_t *usage_json(const struct result_call *call)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "wall_us", number(call->wall_us), "cpu_us",
	    number(call->cpu_us), "memory_peak", number(call->memory_peak), "out_bytes",
	    number(call->out_bytes), "err_bytes", number(call->err_bytes));
}

static json_t *receipt_json(const struct result_call *call)
{
	if (!call->has_receipt)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "n", number(call->receipt_n), "leaf",
	    string_or_null(call->receipt_leaf), "size", number(call->receipt_size), "root",
	    string_or_null(call->receipt_root));
}

static json_t *plain_call_json(const struct result_call *call)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
	    string_or_null(call->id), "plan", string_or_null(call->plan), "decision",
	    string_or_null(call->decision), "by", string_or_null(call->by), "rule",
	    string_or_null(call->rule), "outcome", string_or_null(call->outcome), "exit",
	    exit_json(call), "layers", layers_json(call), "usage", usage_json(call), "receipt",
	    receipt_json(call));
}

static json_t *call_json(const struct result_call *call)
{
	json_t *told = plain_call_json(call);

	if (told && call->limit && call->limit[0])
		(void)json_object_set_new(told, "limit", json_string(call->limit));
	if (told && call->edited_by)
		(void)json_object_set_new(told, "edited",
		    json_pack("{s:s, s:s, s:O?}", "by", call->edited_by, "approval",
			call->edited_approval, "arguments", call->edited_arguments));
	return told;
}

/* ---- tools/call ------------------------------------------------------------------------- */

static void end_line(struct buf *text)
{
	if (text->len > 0 && text->data[text->len - 1] != '\n')
		buf_text(text, "\n");
}

/* What a model reads: output, errors under a heading, then what callgate says. */
static json_t *content_json(const struct output *output, const char *sentence)
{
	struct buf cleanup_with(buf_fini) said;
	struct buf cleanup_with(buf_fini) text = {.limit = 0};
	size_t len = sentence ? strlen(sentence) : 0;

	buf_init(&said, 3 * len + 64);
	if (value_clean(&said, sentence, len) < 0 || cut_text(&said, SENTENCE_COST_MAX) < 0)
		return NULL;
	buf_init(&text, output->out.len + output->err.len + said.len + 64);
	buf_put(&text, output->out.data, output->out.len);
	if (output->err.len > 0) {
		end_line(&text);
		buf_text(&text, "stderr:\n");
		buf_put(&text, output->err.data, output->err.len);
	}
	if (said.len > 0) {
		end_line(&text);
		buf_put(&text, said.data, said.len);
	}
	if (text.fault < 0)
		return NULL;
	return json_pack("[{s:s, s:o}]", "type", "text", "text",
	    json_stringn(text.len ? (const char *)text.data : "", text.len));
}

static json_t *buf_json(const struct buf *text)
{
	return json_stringn(text->len ? (const char *)text->data : "", text->len);
}

static json_t *structured_json(const struct output *output, const struct result_call *call)
{
	json_t *code = call->exit == RESULT_EXIT_CODE ? json_integer((json_int_t)call->exit_value)
						      : json_null();

	return json_pack("{s:o, s:o, s:o, s:b}", "stdout", buf_json(&output->out), "stderr",
	    buf_json(&output->err), "exit_code", code, "truncated", (int)output->truncated);
}

static int write_owned(struct buf *out, json_t *object)
{
	int r = object ? value_write(out, object) : -ENOMEM;

	json_decref(object);
	return r;
}

/* Before 2026-07-28 it had to be an object. */
static json_t *structure_json(
    enum mcp_revision revision, const struct result_tool_call *result, const struct output *output)
{
	if (!result->has_output || revision < MCP_2025_06_18)
		return NULL;
	if (result->structure == RESULT_STRUCTURE_STREAMS)
		return structured_json(output, &result->call);
	if (result->structure == RESULT_STRUCTURE_VALUE &&
	    (json_is_object(result->value) || revision >= MCP_2026_07_28))
		return json_incref(result->value);
	return NULL;
}

int result_tools_call(
    struct buf *out, enum mcp_revision revision, const struct result_tool_call *result)
{
	struct output cleanup_with(output_fini) output = {.truncated = false};
	json_t *object, *structure;
	int r = output_init(&output, result);

	if (r < 0)
		return r;
	structure = structure_json(revision, result, &output);
	object = json_pack("{s:o, s:b, s:o*, s:{s:o, s:O*}}", "content",
	    result->content ? content_for(result->content, revision)
			    : content_json(&output, result->sentence),
	    "isError", (int)result->is_error, "structuredContent", structure, "_meta", META_CALL,
	    call_json(&result->call), META_EFFECTS, result->effects);
	if (object)
		r = mcp_stamp(object, revision);
	if (r == 0)
		return write_owned(out, object);
	json_decref(object);
	return r;
}

int result_input_required(struct buf *out, const char *key, json_t *params, const char *state,
    const struct result_call *call)
{
	json_t *object = json_pack("{s:s, s:{s:{s:s, s:o}}, s:s, s:{s:o}}", "resultType",
	    "input_required", "inputRequests", key, "method", FORM_METHOD, "params", params,
	    "requestState", state, "_meta", META_CALL, call_json(call));
	int r = object ? mcp_stamp(object, MCP_2026_07_28) : -ENOMEM;

	if (r == 0)
		return write_owned(out, object);
	json_decref(object);
	return r;
}

/* ---- tools/list and the rest ------------------------------------------------------------ */

const char *result_streams_schema(void)
{
	return "{\"type\":\"object\",\"properties\":{"
	       "\"stdout\":{\"type\":\"string\"},\"stderr\":{\"type\":\"string\"},"
	       "\"exit_code\":{\"type\":[\"integer\",\"null\"],\"description\":"
	       "\"null: killed by a signal, or never seen to end\"},"
	       "\"truncated\":{\"type\":\"boolean\",\"description\":"
	       "\"the program wrote more than is shown\"}},"
	       "\"required\":[\"stdout\",\"stderr\",\"exit_code\",\"truncated\"]}";
}

static bool is_given(const char *text)
{
	return text && text[0] != '\0';
}

static json_t *annotations_json(const struct result_tool *tool)
{
	const struct result_annotations *hints = &tool->annotations;
	json_t *object = json_pack("{s:b, s:b, s:b, s:b}", "readOnlyHint", (int)hints->read_only,
	    "destructiveHint", (int)hints->destructive, "idempotentHint", (int)hints->idempotent,
	    "openWorldHint", (int)hints->open_world);

	if (object && is_given(tool->title) &&
	    json_object_set_new(object, "title", value_text(tool->title, strlen(tool->title))) <
		0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* 0; -EINVAL: no JSON object; -ENOMEM. */
static int read_schema(const char *text, json_t **ret)
{
	json_t *schema = NULL;
	int r = value_read(text, strlen(text), &schema, NULL);

	if (r == 0 && !json_is_object(schema)) {
		json_decref(schema);
		r = -EINVAL;
	}
	if (r == 0)
		*ret = schema;
	return r;
}

/* Arguments are an object, and MCP wants that said. */
static int set_input_schema(json_t *object, const struct result_tool *tool)
{
	json_t *schema = NULL;
	int r = read_schema(tool->input_schema ? tool->input_schema : call_args_schema(), &schema);

	if (r < 0)
		return r;
	if (!json_object_get(schema, "type") &&
	    json_object_set_new(schema, "type", json_string("object")) < 0)
		r = -ENOMEM;
	if (r == 0 && json_object_set(object, "inputSchema", schema) < 0)
		r = -ENOMEM;
	json_decref(schema);
	return r;
}

/* Before 2026-07-28 only objects could be described. */
static int set_output_schema(
    json_t *object, enum mcp_revision revision, const struct result_tool *tool)
{
	const char *text = tool->output_schema ? tool->output_schema : result_streams_schema();
	json_t *schema = NULL;
	const char *type;
	int r;

	if (revision < MCP_2025_06_18 || (tool->prints_content && !tool->output_schema))
		return 0;
	r = read_schema(text, &schema);
	if (r < 0)
		return r;
	type = json_string_value(json_object_get(schema, "type"));
	if ((revision >= MCP_2026_07_28 || (type && strcmp(type, "object") == 0)) &&
	    json_object_set(object, "outputSchema", schema) < 0)
		r = -ENOMEM;
	json_decref(schema);
	return r;
}

static int set_extras(json_t *object, enum mcp_revision revision, const struct result_tool *tool)
{
	if (revision >= MCP_2025_03_26 &&
	    json_object_set_new(object, "annotations", annotations_json(tool)) < 0)
		return -ENOMEM;
	if (revision < MCP_2025_06_18)
		return 0;
	if (is_given(tool->title) &&
	    json_object_set_new(object, "title", value_text(tool->title, strlen(tool->title))) < 0)
		return -ENOMEM;
	if (json_object_set_new(object, "_meta",
		json_pack("{s:{s:s, s:I, s:b}}", "callgate/tool", "type",
		    tool->type ? tool->type : "command", "timeout_ms", (json_int_t)tool->timeout_ms,
		    "approval", (int)tool->asks)) < 0)
		return -ENOMEM;
	return 0;
}

static int append_tool(json_t *list, enum mcp_revision revision, const struct result_tool *tool)
{
	json_t *object = json_pack("{s:o, s:o}", "name", value_text(tool->name, strlen(tool->name)),
	    "description", value_text(tool->description, strlen(tool->description)));
	int r = object ? set_input_schema(object, tool) : -ENOMEM;

	if (r == 0)
		r = set_output_schema(object, revision, tool);
	if (r == 0)
		r = set_extras(object, revision, tool);
	if (r == 0)
		return json_array_append_new(list, object) < 0 ? -ENOMEM : 0;
	json_decref(object);
	return r;
}

int result_tools_list(struct buf *out, enum mcp_revision revision, const struct result_tools *page)
{
	json_t *list = json_array();
	json_t *object = json_pack("{s:O, s:s*}", "tools", list, "nextCursor", page->next_cursor);
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < page->count && r == 0; i++)
		r = append_tool(list, revision, &page->tools[i]);
	if (r == 0)
		r = mcp_stamp_cacheable(object, revision);
	json_decref(list);
	if (r == 0)
		return write_owned(out, object);
	json_decref(object);
	return r;
}

int result_object(struct buf *out, enum mcp_revision revision, json_t *object)
{
	json_t *copy = json_deep_copy(object);
	int r = copy ? mcp_stamp(copy, revision) : -ENOMEM;

	if (r == 0)
		return write_owned(out, copy);
	json_decref(copy);
	return r;
}

int result_error(struct buf *out, int code, const char *message, const struct result_call *call)
{
	json_t *object =
	    json_pack("{s:i, s:o}", "code", code, "message", value_text(message, strlen(message)));

	if (object && call &&
	    json_object_set_new(object, "data", json_pack("{s:o}", META_CALL, call_json(call))) <
		0) {
		json_decref(object);
		return -ENOMEM;
	}
	return write_owned(out, object);
}

int result_unknown_tool(struct buf *out, const char *tool, const struct result_call *call)
{
	struct buf cleanup_with(buf_fini) message;

	buf_init(&message, strlen(tool) + 64);
	buf_textf(&message, "Unknown tool: %s", tool);
	if (message.fault < 0)
		return message.fault;
	return result_error(out, RPC_INVALID_PARAMS, buf_cstr(&message), call);
}
