/* A client's line through everything of agent-api/wire that reads it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/notice.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "agent-api/wire/wishes.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is answered must be one line of JSON that the same reader accepts. */
static void check_answer(const struct buf *body, const char *id, enum rpc_answer answer)
{
	struct buf cleanup_with(buf_fini) line;
	json_t *value = NULL;

	buf_init(&line, 2 * WIRE_RESULT_MAX);
	assert(rpc_put_answer(&line, id, answer, body->data, body->len) == 0);
	assert(memchr(line.data, '\n', line.len) == line.data + line.len - 1);
	assert(str_is_utf8(line.data, line.len));
	value = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	assert(value);
	json_decref(value);
}

/* What is passed on must be what the other side can read, and what goes back is built from it. */
static void check_wishes(const struct wishes *wishes)
{
	const struct notice_progress progress = {
	    .token = wishes->progress, .progress = 1, .message = "x", .message_len = 1};
	struct buf cleanup_with(buf_fini) out;
	json_t *value;

	buf_init(&out, WIRE_RESULT_MAX);
	if (wishes->progress)
		assert(notice_progress(&out, MCP_2025_11_25, &progress) == 0);
	assert(wishes->log < SEVERITY_COUNT);
	if (wishes->retry) {
		assert(strlen(wishes->retry) <= WIRE_RETRY_MAX);
		value = json_loads(wishes->retry, 0, NULL);
		assert(json_is_string(json_object_get(value, "requestState")) ||
		       json_object_size(json_object_get(value, "inputResponses")) > 0);
		json_decref(value);
	}
}

/* The same bytes as what a client answers to a form, and as a batch. */
static void check_answers(const char *json, size_t len)
{
	const char *reason;
	struct rpc_error error;
	json_t *value = NULL;

	if (rpc_parse_batch(json, len, &value, &error) == 0) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			struct rpc_message message;

			assert(
			    rpc_read(json_incref(json_array_get(value, i)), &message, &error) >= 0);
			rpc_message_fini(&message);
		}
	}
	json_decref(value);
	value = json_loadb(json, len, JSON_DECODE_ANY, NULL);
	if (form_read(value, true, &reason) == FORM_APPROVE)
		assert(*reason);
	json_decref(value);
}

static void check_message(const struct rpc_message *message)
{
	struct buf cleanup_with(buf_fini) body;
	struct wishes cleanup_with(wishes_fini) wishes = {.progress = NULL};
	enum mcp_era era = MCP_LEGACY;
	struct mcp_session session;
	struct rpc_error error;
	int r = mcp_check_request(message->method, message->params, &era, &error);

	buf_init(&body, WIRE_RESULT_MAX);
	if (r == 0)
		r = wishes_read(&wishes, era, message->params, &error);
	if (r == 0)
		check_wishes(&wishes);
	if (r == 0)
		r = mcp_initialize(&body, message->params, &session, &error);
	if (r == 0) {
		check_answer(&body, message->id, RPC_ANSWER_RESULT);
		return;
	}
	assert(r == RPC_REFUSED);
	assert(mcp_error_body(&body, &error, message->params) == 0);
	check_answer(&body, message->id, RPC_ANSWER_ERROR);
}

static void check_line(const char *line, size_t len)
{
	struct buf cleanup_with(buf_fini) body;
	struct rpc_message message;
	struct rpc_error error;
	int r = rpc_parse(line, len, &message, &error);

	assert(r >= 0);
	buf_init(&body, WIRE_RESULT_MAX);
	if (r == 0) {
		check_message(&message);
	} else {
		assert(mcp_error_body(&body, &error, NULL) == 0);
		check_answer(&body, message.id, RPC_ANSWER_ERROR);
	}
	rpc_message_fini(&message);
}

static void check_args(const char *json, size_t len)
{
	struct call_args args;
	struct err_note note = {""};
	int r = call_args_decode(json, len, &args, &note);

	if (r == 0) {
		assert((args.form == CALL_FORM_COMMAND) != (args.argc > 0));
		assert(args.form != CALL_FORM_ARGV || args.argv[0][0] != '\0');
		assert(args.cwd[0] != '/');
		call_args_fini(&args);
	} else {
		assert(note.text[0] != '\0');
	}
}

/* The same bytes as output of a tool. */
static void check_output(const uint8_t *data, size_t size)
{
	struct buf cleanup_with(buf_fini) body;
	struct result_tool_call result = {.has_output = true,
	    .structure = RESULT_STRUCTURE_STREAMS,
	    .out = data,
	    .out_len = size,
	    .err = data,
	    .err_len = size / 2,
	    .sentence = "done"};

	buf_init(&body, WIRE_RESULT_MAX);
	assert(result_tools_call(&body, MCP_2026_07_28, &result) == 0);
	check_answer(&body, "1", RPC_ANSWER_RESULT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1); /* exact, so that reading past it is seen */

	assert(copy);
	if (size)
		memcpy(copy, data, size);
	check_line(copy, size);
	check_args(copy, size);
	check_answers(copy, size);
	check_output(data, size);
	free(copy);
	return 0;
}
