#include "agent-api/wire/rpc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"

int rpc_refuse(struct rpc_error *ret_error, int code, const char *format, ...)
{
	char text[ERR_NOTE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* a long message is cut */
	va_end(args);
	ret_error->code = code;
	(void)err_note(&ret_error->note, 0, "%s", text); /* escapes what a stranger wrote */
	return RPC_REFUSED;
}

int rpc_id_text(const json_t *id, char **ret_text)
{
	char *text;

	if (!json_is_integer(id) && !json_is_string(id))
		return -EINVAL;
	if (json_is_string(id) && json_string_length(id) > WIRE_ID_MAX)
		return -EINVAL;
	text = json_dumps(id, JSON_ENCODE_ANY);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

/* The id, so that a refusal can be told to the one who asked. */
static int read_id(struct rpc_message *message, struct rpc_error *ret_error)
{
	const json_t *id = json_object_get(message->root, "id");
	char *text = NULL;
	int r;

	if (!id) {
		message->id = strdup("null");
		return message->id ? 0 : -ENOMEM;
	}
	r = rpc_id_text(id, &text);
	if (r == -ENOMEM)
		return r;
	message->id = r == 0 ? text : strdup("null");
	if (!message->id)
		return -ENOMEM;
	if (r < 0)
		return rpc_refuse(ret_error, RPC_INVALID_REQUEST,
		    "id: must be an integer or a string of at most %d bytes", WIRE_ID_MAX);
	return 0;
}

static bool is_answer(const json_t *root)
{
	return !json_object_get(root, "method") &&
	       (json_object_get(root, "result") || json_object_get(root, "error"));
}

static int read_kind(struct rpc_message *message, struct rpc_error *ret_error)
{
	const json_t *version = json_object_get(message->root, "jsonrpc");
	const json_t *method = json_object_get(message->root, "method");
	int has_answer =
	    json_object_get(message->root, "result") || json_object_get(message->root, "error");

	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return rpc_refuse(ret_error, RPC_INVALID_REQUEST, "jsonrpc: must be \"2.0\"");
	if (is_answer(message->root)) {
		message->kind = RPC_RESPONSE;
		message->method = "";
		return 0;
	}
	if (!json_is_string(method) || json_string_length(method) == 0 || has_answer)
		return rpc_refuse(ret_error, RPC_INVALID_REQUEST,
		    "method: a message has either a method name or a result or error");
	message->method = json_string_value(method);
	message->kind = json_object_get(message->root, "id") ? RPC_REQUEST : RPC_NOTIFICATION;
	return 0;
}

static int read_params(struct rpc_message *message, struct rpc_error *ret_error)
{
	const json_t *params = json_object_get(message->root, "params");

	if (params && !json_is_object(params))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS, "params: must be an object");
	message->params = params;
	return 0;
}

static int check(struct rpc_message *message, struct rpc_error *ret_error)
{
	int r;

	if (!json_is_object(message->root)) {
		message->id = strdup("null");
		if (!message->id)
			return -ENOMEM;
		return rpc_refuse(ret_error, RPC_INVALID_REQUEST,
		    json_is_array(message->root)
			? "batches are served to clients of MCP 2025-03-26 only; send one "
			  "message at a time"
			: "a message must be an object");
	}
	r = read_id(message, ret_error);
	if (r == RPC_REFUSED && is_answer(message->root))
		r = 0; /* an answer to nothing that we asked; answering it could go on for ever */
	if (r == 0)
		r = read_kind(message, ret_error);
	if (r == 0)
		r = read_params(message, ret_error);
	return r;
}

int rpc_read(json_t *root, struct rpc_message *ret, struct rpc_error *ret_error)
{
	struct rpc_message message = {.kind = RPC_NONE, .root = root};
	int r = check(&message, ret_error);

	if (r < 0) {
		rpc_message_fini(&message);
		return r;
	}
	if (r == RPC_REFUSED)
		message.kind = RPC_NONE;
	*ret = message;
	return r;
}

int rpc_parse(const char *line, size_t len, struct rpc_message *ret, struct rpc_error *ret_error)
{
	struct rpc_message message = {.kind = RPC_NONE};
	struct err_note note;
	json_t *root = NULL;
	int r = value_read(line, len, &root, &note);

	if (r == 0)
		return rpc_read(root, ret, ret_error);
	if (r != -EINVAL)
		return r;
	message.id = strdup("null");
	if (!message.id)
		return -ENOMEM;
	*ret = message;
	return rpc_refuse(ret_error, RPC_PARSE_ERROR, "%s", note.text);
}

int rpc_parse_batch(const char *line, size_t len, json_t **ret, struct rpc_error *ret_error)
{
	struct err_note note;
	json_t *array = NULL;
	int r = value_read(line, len, &array, &note);

	if (r == -EINVAL)
		return rpc_refuse(ret_error, RPC_PARSE_ERROR, "%s", note.text);
	if (r < 0)
		return r;
	if (json_array_size(array) == 0 || json_array_size(array) > WIRE_BATCH_MAX) {
		json_decref(array);
		return rpc_refuse(ret_error, RPC_INVALID_REQUEST, "a batch holds 1 to %d messages",
		    WIRE_BATCH_MAX);
	}
	*ret = array;
	return 0;
}

void rpc_message_fini(struct rpc_message *message)
{
	free(message->id);
	json_decref(message->root);
	*message = (struct rpc_message){.kind = RPC_NONE};
}

int rpc_put_answer(
    struct buf *out, const char *id, enum rpc_answer answer, const void *body, size_t len)
{
	buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	buf_text(out, id);
	buf_text(out, answer == RPC_ANSWER_RESULT ? ",\"result\":" : ",\"error\":");
	buf_put(out, body, len);
	return buf_text(out, "}\n");
}
