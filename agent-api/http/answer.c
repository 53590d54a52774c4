#include "agent-api/http/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/http/guard.h"
#include "supervisor/base/clock.h"

static const struct row {
	int status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

/* Fields that say where an answer ends and what becomes of the connection are written here. */
static const char *const ours[] = {"connection", "content-length", "content-type", "date",
    "keep-alive", "trailer", "transfer-encoding", "upgrade"};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Unknown";
}

/* Without gmtime_r(3), which may open /etc/localtime on first use. */
char *http_date(char out[HTTP_DATE_MAX], uint64_t seconds)
{
	static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char stamp[CLOCK_STAMP_MAX]; /* 1994-11-06T08:49:37.000000Z */
	int month;

	clock_stamp(stamp, seconds * 1000000);
	month = (stamp[5] - '0') * 10 + stamp[6] - '0';
	(void)snprintf(out, HTTP_DATE_MAX, "%s, %.2s %s %.4s %.8s GMT", days[seconds / 86400 % 7],
	    stamp + 8, months[(month - 1) % 12], stamp, stamp + 11);
	return out;
}

/* ---- head ------------------------------------------------------------------------------- */

static bool may_write(const struct http_field *field)
{
	struct http_text name = {field->name, strlen(field->name)};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (http_text_is(name, ours[i]))
			return false;
	}
	return http_is_token(name) && http_guard_is_value(field->value);
}

static bool is_allowed(const struct http_reply *reply)
{
	if (reply->status < 200 || reply->status > 599)
		return false;
	if (reply->type && !http_guard_is_value(reply->type))
		return false;
	for (size_t i = 0; i < reply->field_count; i++) {
		if (!may_write(&reply->fields[i]))
			return false;
	}
	return true;
}

static void put_line(struct buf *out, const char *name, const char *value)
{
	buf_text(out, name);
	buf_text(out, ": ");
	buf_text(out, value);
	buf_text(out, "\r\n");
}

static void put_head(
    struct buf *out, const struct http_reply *reply, const struct http_manner *manner)
{
	buf_textf(out, "HTTP/1.1 %d %s\r\n", reply->status, http_reason(reply->status));
	if (manner->date)
		put_line(out, "Date", manner->date);
	if (reply->type)
		put_line(out, "Content-Type", reply->type);
	for (size_t i = 0; i < reply->field_count; i++)
		put_line(out, reply->fields[i].name, reply->fields[i].value);
	if (manner->close)
		put_line(out, "Connection", "close");
}

/* 204 and 304 have no body and say no length. */
static bool is_bodyless(int status)
{
	return status == 204 || status == 304;
}

int http_answer_put(
    struct buf *out, const struct http_reply *reply, const struct http_manner *manner)
{
	if (!is_allowed(reply) || (is_bodyless(reply->status) && reply->len > 0))
		return -EINVAL;
	put_head(out, reply, manner);
	if (!is_bodyless(reply->status))
		buf_textf(out, "Content-Length: %zu\r\n", reply->len);
	buf_text(out, "\r\n");
	if (!manner->head_only)
		buf_put(out, reply->body, reply->len);
	return out->fault;
}

int http_answer_put_stream(
    struct buf *out, const struct http_reply *reply, const struct http_manner *manner)
{
	if (!is_allowed(reply) || is_bodyless(reply->status) || (manner->old && !manner->close))
		return -EINVAL;
	put_head(out, reply, manner);
	if (!manner->old)
		put_line(out, "Transfer-Encoding", "chunked");
	return buf_text(out, "\r\n");
}

int http_answer_put_bytes(struct buf *out, const void *bytes, size_t len, bool chunked)
{
	if (len == 0)
		return out->fault;
	if (!chunked)
		return buf_put(out, bytes, len);
	buf_textf(out, "%zx\r\n", len);
	buf_put(out, bytes, len);
	return buf_text(out, "\r\n");
}

int http_answer_put_end(struct buf *out)
{
	return buf_text(out, "0\r\n\r\n");
}

/* ---- events ----------------------------------------------------------------------------- */

static bool is_line(const char *text)
{
	return !text || !strpbrk(text, "\r\n");
}

/* Bytes up to the next line end. */
static size_t line_len(const char *data, size_t len)
{
	size_t at = 0;

	while (at < len && data[at] != '\n' && data[at] != '\r')
		at++;
	return at;
}

int http_event_put(struct buf *out, const struct http_event *event)
{
	const char *data = event->data;
	size_t left = event->len;

	if (!is_line(event->name) || !is_line(event->id))
		return -EINVAL;
	if (event->name)
		buf_textf(out, "event: %s\n", event->name);
	if (event->id)
		buf_textf(out, "id: %s\n", event->id);
	if (event->retry_ms)
		buf_textf(out, "retry: %u\n", event->retry_ms);
	for (;;) {
		size_t len = line_len(data, left);

		buf_text(out, "data: ");
		buf_put(out, data, len);
		buf_text(out, "\n");
		if (len == left)
			break;
		len += data[len] == '\r' && len + 1 < left && data[len + 1] == '\n' ? 2 : 1;
		data += len;
		left -= len;
	}
	return buf_text(out, "\n");
}
