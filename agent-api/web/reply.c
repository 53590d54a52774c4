#include "agent-api/web/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/web/limits.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"

#define UNKNOWN_TOOL "Unknown tool: "

void reply_init(struct reply *reply, int status)
{
	reply->status = status;
	reply->type = REPLY_JSON;
	reply->field_count = 0;
	reply->text_len = 0;
	reply->overfull = false;
	buf_init(&reply->body, WEB_ANSWER_MAX);
}

void reply_fini(struct reply *reply)
{
	buf_fini(&reply->body);
	reply->field_count = 0;
}

void reply_field(struct reply *reply, const char *name, const char *format, ...)
{
	size_t room = sizeof(reply->text) - reply->text_len;
	char *value = reply->text + reply->text_len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(value, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room || reply->field_count == REPLY_FIELDS_MAX) {
		reply->overfull = true;
		return;
	}
	reply->text_len += (size_t)n + 1;
	reply->fields[reply->field_count++] = (struct http_field){name, value};
}

void reply_value(struct reply *reply, const json_t *value)
{
	buf_reset(&reply->body);
	if (!value || value_write(&reply->body, value) < 0)
		reply->overfull = true;
}

void reply_error(struct reply *reply, int status, const char *error, const json_t *details)
{
	json_t *body =
	    json_pack("{s:o, s:O?}", "error", value_text(error, strlen(error)), "details", details);

	reply->status = status;
	reply->type = REPLY_JSON;
	reply_value(reply, body);
	json_decref(body);
}

int reply_status_of(int code, const char *message)
{
	switch (code) {
	case RPC_PARSE_ERROR:
	case RPC_INVALID_REQUEST:
	case RPC_HEADER_MISMATCH:
	case RPC_MISSING_CAPABILITY:
	case RPC_UNSUPPORTED_VERSION: return 400;
	case RPC_INVALID_PARAMS:
		return strncmp(message, UNKNOWN_TOOL, strlen(UNKNOWN_TOOL)) == 0 ? 404 : 400;
	case RPC_METHOD_NOT_FOUND: return 404;
	case 401:
	case 403:
	case 404:
	case 409:
	case 413:
	case 429:
	case 503: return code;
	default: return 500;
	}
}

static int status_of_code(enum mcp_era era, int code)
{
	switch (code) {
	case 401:
	case 403:
	case 429:
	case 503: return code;
	case RPC_METHOD_NOT_FOUND: return era == MCP_MODERN ? 404 : 200;
	case RPC_HEADER_MISMATCH:
	case RPC_MISSING_CAPABILITY:
	case RPC_UNSUPPORTED_VERSION: return era == MCP_MODERN ? 400 : 200;
	default: return 200;
	}
}

int reply_status_of_mcp(enum mcp_era era, const struct message_reply *said)
{
	json_t *error = NULL;
	struct err_note note;
	int status;

	if (said->status >= 200)
		return said->status;
	if (said->kind == REPLY_RESULT ||
	    value_read(said->body.data, said->body.len, &error, &note) < 0)
		return 200;
	status = status_of_code(era, (int)json_integer_value(json_object_get(error, "code")));
	json_decref(error);
	return status;
}

static void error_from_engine(struct reply *reply, const struct message_reply *said)
{
	json_t *error = NULL;
	struct err_note note;
	const char *message;

	if (value_read(said->body.data, said->body.len, &error, &note) < 0) {
		reply_error(reply, 500, "the answer of the engine cannot be read", NULL);
		return;
	}
	message = json_string_value(json_object_get(error, "message"));
	if (!message)
		message = "refused";
	reply_error(reply,
	    reply_status_of((int)json_integer_value(json_object_get(error, "code")), message),
	    message, json_object_get(error, "data"));
	json_decref(error);
}

void reply_from_engine(struct reply *reply, const struct message_reply *said, int status)
{
	if (said->kind == REPLY_RESULT) {
		reply->status = status;
		reply->type = REPLY_JSON;
		buf_reset(&reply->body);
		buf_put(&reply->body, said->body.data, said->body.len);
	} else {
		error_from_engine(reply, said);
	}
	if (said->status >= 200)
		reply->status = said->status;
	if (said->retry_s > 0)
		reply_field(reply, "Retry-After", "%u", said->retry_s);
}

struct http_reply reply_http(const struct reply *reply)
{
	if (reply->overfull || reply->body.fault < 0)
		return (struct http_reply){.status = 500};
	return (struct http_reply){.status = reply->status,
	    .type = reply->body.len > 0 ? reply->type : NULL,
	    .fields = reply->fields,
	    .field_count = reply->field_count,
	    .body = reply->body.data,
	    .len = reply->body.len};
}
