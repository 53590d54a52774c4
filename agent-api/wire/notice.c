#include "agent-api/wire/notice.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/value.h"

/* Takes params; NULL: no memory. */
static int put(struct buf *out, const char *method, json_t *params)
{
	json_t *object =
	    json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
	int r = object ? value_write(out, object) : -ENOMEM;

	json_decref(object);
	return r;
}

static json_t *parsed(const char *json)
{
	return json_loads(json, JSON_DECODE_ANY, NULL);
}

/* Whole numbers up to here are doubles, each of them. */
#define WHOLE_MAX 9007199254740992.0

static json_t *number(double value)
{
	if (value >= -WHOLE_MAX && value <= WHOLE_MAX && value == (double)(json_int_t)value)
		return json_integer((json_int_t)value);
	return json_real(value);
}

int notice_progress(
    struct buf *out, enum mcp_revision revision, const struct notice_progress *progress)
{
	json_t *params = json_pack("{s:o, s:o, s:o*}", "progressToken", parsed(progress->token),
	    "progress", number(progress->progress), "total",
	    progress->total ? number(*progress->total) : NULL);

	if (params && revision >= MCP_2025_03_26 && progress->message_len > 0 &&
	    json_object_set_new(
		params, "message", value_text(progress->message, progress->message_len)) < 0) {
		json_decref(params);
		return -ENOMEM;
	}
	return put(out, "notifications/progress", params);
}

int notice_message(struct buf *out, enum severity level, const char *logger, const json_t *data)
{
	return put(out, "notifications/message",
	    json_pack(
		"{s:s, s:s, s:O}", "level", severity_name(level), "logger", logger, "data", data));
}

static json_t *stream_meta(const char *subscription)
{
	return json_pack("{s:o}", MCP_META_SUBSCRIPTION, parsed(subscription));
}

int notice_tools_changed(struct buf *out, const char *subscription)
{
	if (!subscription)
		return buf_text(out, "{\"jsonrpc\":\"2.0\",\"method\":"
				     "\"notifications/tools/list_changed\"}");
	return put(out, "notifications/tools/list_changed",
	    json_pack("{s:o}", "_meta", stream_meta(subscription)));
}

int notice_acknowledged(struct buf *out, const char *subscription, int tools)
{
	json_t *honoured = tools ? json_pack("{s:b}", "toolsListChanged", 1) : json_object();

	return put(out, "notifications/subscriptions/acknowledged",
	    json_pack("{s:o, s:o}", "notifications", honoured, "_meta", stream_meta(subscription)));
}

int notice_stream_result(struct buf *out, const char *subscription)
{
	json_t *result = json_pack("{s:o}", "_meta", stream_meta(subscription));
	int r = result ? mcp_stamp(result, MCP_2026_07_28) : -ENOMEM;

	if (r == 0)
		r = value_write(out, result);
	json_decref(result);
	return r;
}

int notice_request(struct buf *out, const char *id, const char *method, json_t *params)
{
	int r;

	buf_text(out, NOTICE_REQUEST_HEAD);
	buf_text(out, id);
	buf_text(out, "\",\"method\":\"");
	buf_text(out, method);
	buf_text(out, "\",\"params\":");
	r = params ? value_write(out, params) : -ENOMEM;
	json_decref(params);
	return r == 0 ? buf_text(out, "}") : r;
}

int notice_cancelled(struct buf *out, const char *id, const char *reason)
{
	return put(out, "notifications/cancelled",
	    json_pack("{s:s, s:s}", "requestId", id, "reason", reason));
}
