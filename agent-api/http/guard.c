#include "agent-api/http/guard.h"

#include <string.h>

#define METHOD_MAX 32

static int refuse(struct http_refusal *why, int status, const char *reason)
{
	*why = (struct http_refusal){status, reason};
	return status;
}

/* ---- the scan --------------------------------------------------------------------------- */

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* CR was followed by LF: a line is whole. */
static int end_line(struct http_scan *scan, struct http_refusal *why)
{
	scan->cr = false;
	if (scan->column == 0 && scan->lines > 0) {
		scan->whole = true;
		return 0;
	}
	if (scan->column == 0) {
		if (scan->blank)
			return refuse(why, 400, "empty lines before the request");
		scan->blank = true;
		scan->total = 0;
		return 0;
	}
	scan->column = 0;
	if (++scan->lines > HTTP_LINES_MAX + 1)
		return refuse(why, 431, "more than 100 header lines");
	return 0;
}

static int scan_byte(struct http_scan *scan, char c, struct http_refusal *why)
{
	if (++scan->total > HTTP_HEAD_MAX)
		return refuse(why, 431, "the header is longer than 16 KiB");
	if (scan->cr)
		return c == '\n' ? end_line(scan, why)
				 : refuse(why, 400, "a carriage return within a line");
	if (c == '\r') {
		scan->cr = true;
		return 0;
	}
	if (c == '\n')
		return refuse(why, 400, "a line that ends without a carriage return");
	if (is_control(c))
		return refuse(why, 400, "a control byte in the header");
	if (scan->column == 0 && (c == ' ' || c == '\t'))
		return refuse(why, 400, "a header line that begins with a blank");
	if (++scan->column > HTTP_REQUEST_LINE_MAX && scan->lines == 0)
		return refuse(why, 414, "the request line is longer than 8 KiB");
	return 0;
}

int http_guard_scan(struct http_scan *scan, const char *bytes, size_t len, size_t *ret_used,
    struct http_refusal *ret_why)
{
	size_t at = 0;
	int r = 0;

	while (at < len && !scan->whole && r == 0)
		r = scan_byte(scan, bytes[at++], ret_why);
	*ret_used = at;
	return r;
}

bool http_guard_is_value(const char *text)
{
	for (; *text; text++) {
		if (is_control(*text))
			return false;
	}
	return true;
}

/* ---- the request line ------------------------------------------------------------------- */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* RFC 3986: pchar and '/', and percent signs with two hex digits behind them; in a query also '?'
 * and the brackets that browsers leave as they are. */
static bool is_uri(struct http_text text, bool query)
{
	const char *more = query ? "-._~!$&'()*+,;=:@/?[]" : "-._~!$&'()*+,;=:@/";

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '%') {
			if (i + 2 >= text.len || !is_hex(text.at[i + 1]) || !is_hex(text.at[i + 2]))
				return false;
			i += 2;
		} else if (!is_alnum(c) && (c == '\0' || !strchr(more, c))) {
			return false;
		}
	}
	return true;
}

static int take_path(struct http_head *head, struct http_text path, struct http_refusal *why)
{
	const char *mark = path.len ? memchr(path.at, '?', path.len) : NULL;

	if (mark) {
		head->query.at = mark + 1;
		head->query.len = path.len - (size_t)(mark + 1 - path.at);
		path.len = (size_t)(mark - path.at);
	}
	if (path.len == 0) /* of http://host only */
		path = (struct http_text){"/", 1};
	head->path = path;
	if (!is_uri(path, false) || (mark && !is_uri(head->query, true)))
		return refuse(why, 400, "a byte in the request target that is not allowed there");
	return 0;
}

/* scheme://host/path, as a client of a proxy writes it: the host must be the one of Host. */
static int take_absolute(struct http_head *head, struct http_refusal *why)
{
	struct http_text rest = head->target;
	size_t scheme = rest.len > 7 && http_text_is((struct http_text){rest.at, 7}, "http://") ? 7
			: rest.len > 8 && http_text_is((struct http_text){rest.at, 8}, "https://")
			    ? 8
			    : 0;
	size_t host = 0;

	if (scheme == 0)
		return refuse(why, 400, "a request target that is no path");
	rest.at += scheme;
	rest.len -= scheme;
	while (host < rest.len && rest.at[host] != '/' && rest.at[host] != '?')
		host++;
	if (!http_text_same((struct http_text){rest.at, host}, head->host))
		return refuse(why, 400, "a request target of another host than Host says");
	return take_path(head, (struct http_text){rest.at + host, rest.len - host}, why);
}

/* Judged after the header lines: the absolute form needs Host. */
static int take_target(struct http_head *head, struct http_refusal *why)
{
	if (head->target.at[0] == '/')
		return take_path(head, head->target, why);
	if (http_text_is(head->target, "*")) {
		head->path = head->target;
		return head->method == HTTP_METHOD_OPTIONS
			   ? 0
			   : refuse(why, 400, "a request target of * is for OPTIONS only");
	}
	return take_absolute(head, why);
}

static int take_version(struct http_head *head, struct http_text version, struct http_refusal *why)
{
	if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[5] < '0' ||
	    version.at[5] > '9' || version.at[6] != '.' || version.at[7] < '0' ||
	    version.at[7] > '9')
		return refuse(why, 400, "a request line without a version of HTTP at its end");
	if (version.at[5] != '1' || version.at[7] > '1')
		return refuse(why, 505, "a version of HTTP other than 1.0 and 1.1");
	head->minor = (uint8_t)(version.at[7] - '0');
	head->close = head->minor == 0;
	return 0;
}

static int take_request_line(
    struct http_head *head, struct http_text line, struct http_refusal *why)
{
	const char *space = memchr(line.at, ' ', line.len);
	struct http_text method = {line.at, space ? (size_t)(space - line.at) : 0};
	const char *rest = line.at + method.len + 1;
	size_t left = space ? line.len - method.len - 1 : 0;
	const char *second = left ? memchr(rest, ' ', left) : NULL;
	int r;

	if (!second || second == rest || method.len > METHOD_MAX || !http_is_token(method))
		return refuse(why, 400, "a request line that is not METHOD TARGET VERSION");
	head->target = (struct http_text){rest, (size_t)(second - rest)};
	r = take_version(head, (struct http_text){second + 1, left - head->target.len - 1}, why);
	if (r)
		return r;
	head->method = http_method_of(method);
	if (head->method == HTTP_METHOD_NONE)
		return refuse(why, 501, "a method that is not served here");
	return 0;
}

/* ---- header lines that mean something for the framing ----------------------------------- */

static bool is_name_byte(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* name[:port] or [address]:port; no user, no path. */
static bool is_host(struct http_text host)
{
	size_t at = 0;
	size_t port;

	if (host.len > 0 && host.at[0] == '[') {
		at = 1;
		while (at < host.len &&
		       (is_hex(host.at[at]) || host.at[at] == ':' || host.at[at] == '.'))
			at++;
		if (at < 3 || at >= host.len || host.at[at++] != ']')
			return false;
	} else {
		while (at < host.len && is_name_byte(host.at[at]))
			at++;
		if (at == 0)
			return false;
	}
	if (at == host.len)
		return true;
	port = host.len - at - 1;
	if (host.at[at++] != ':' || port < 1 || port > 5)
		return false;
	while (at < host.len && host.at[at] >= '0' && host.at[at] <= '9')
		at++;
	return at == host.len;
}

static int take_host(struct http_head *head, struct http_text value, struct http_refusal *why)
{
	if (!is_host(value))
		return refuse(why, 400, "a Host that is no host");
	head->host = value;
	return 0;
}

static int take_length(struct http_head *head, struct http_text value, struct http_refusal *why)
{
	if (head->framing == HTTP_FRAMING_CHUNKED)
		return refuse(why, 400, "both Content-Length and Transfer-Encoding");
	if (value.len == 0 || value.len > 18)
		return refuse(why, 400, "a Content-Length that is no number");
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return refuse(why, 400, "a Content-Length that is no number");
		head->length = head->length * 10 + (uint64_t)(value.at[i] - '0');
	}
	head->framing = HTTP_FRAMING_LENGTH;
	return 0;
}

/* RFC 9112, 6.1 and 6.3: an unknown coding in front of chunked is 501; where chunked is not the
 * last, nobody knows the end. */
static int take_coding(struct http_head *head, struct http_text value, struct http_refusal *why)
{
	struct http_text element;
	bool chunked = false;
	size_t count = 0;

	if (head->framing == HTTP_FRAMING_LENGTH)
		return refuse(why, 400, "both Content-Length and Transfer-Encoding");
	if (head->minor == 0)
		return refuse(why, 400, "Transfer-Encoding in HTTP/1.0");
	head->framing = HTTP_FRAMING_CHUNKED;
	if (http_text_is(value, "chunked"))
		return 0;
	while (http_text_next(&value, &element)) {
		if (chunked)
			return refuse(why, 400, "a Transfer-Encoding behind chunked");
		chunked = http_text_is(element, "chunked");
		count++;
	}
	if (!chunked || count < 2)
		return refuse(why, 400, "a Transfer-Encoding that is not chunked");
	return refuse(why, 501, "a Transfer-Encoding other than chunked alone");
}

static int take_trailer(struct http_head *head, struct http_text value, struct http_refusal *why)
{
	(void)head;
	(void)value; /* no trailer is taken, whatever it is called */
	return refuse(why, 400, "trailers are not taken");
}

static int take_expect(struct http_head *head, struct http_text value, struct http_refusal *why)
{
	if (!http_text_is(value, "100-continue"))
		return refuse(why, 417, "an expectation other than 100-continue");
	head->expects_continue = head->minor > 0;
	return 0;
}

static int take_connection(struct http_head *head, struct http_text value, struct http_refusal *why)
{
	(void)why;
	if (http_text_has_token(value, "close"))
		head->close = true;
	return 0;
}

static const struct row {
	const char *name;
	bool once; /* a second line refuses the request */
	int (*take)(struct http_head *head, struct http_text value, struct http_refusal *why);
} rows[] = {
    {"host", true, take_host},
    {"content-length", true, take_length},
    {"transfer-encoding", true, take_coding},
    {"trailer", true, take_trailer},
    {"expect", true, take_expect},
    {"connection", false, take_connection},
    {"authorization", true, NULL},
    {"content-type", true, NULL},
    {"content-encoding", true, NULL},
    {"origin", true, NULL},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int take_known(
    struct http_head *head, size_t index, uint32_t *seen, struct http_refusal *why)
{
	struct http_text name = http_line_name(head, index);

	for (size_t i = 0; i < ROWS; i++) {
		if (!http_text_is(name, rows[i].name))
			continue;
		if (rows[i].once && (*seen & (1u << i)))
			return refuse(why, 400, "a header line twice that may be there once");
		*seen |= 1u << i;
		return rows[i].take ? rows[i].take(head, http_line_value(head, index), why) : 0;
	}
	return 0;
}

static int take_line(
    struct http_head *head, struct http_text line, uint32_t *seen, struct http_refusal *why)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct http_text name = {line.at, colon ? (size_t)(colon - line.at) : 0};
	struct http_text value;

	if (!http_is_token(name)) /* a blank before the colon is no token, either */
		return refuse(why, 400, "a header line that is not NAME: VALUE");
	if (head->count >= HTTP_LINES_MAX)
		return refuse(why, 431, "more than 100 header lines");
	value = http_text_trim((struct http_text){colon + 1, line.len - name.len - 1});
	head->lines[head->count] = (struct http_line){
	    .name = (uint16_t)(name.at - head->block),
	    .name_len = (uint16_t)name.len,
	    .value = (uint16_t)(value.at - head->block),
	    .value_len = (uint16_t)value.len,
	};
	return take_known(head, head->count++, seen, why);
}

/* The next line without its CRLF; false: there is none. */
static bool next_line(struct http_text *rest, struct http_text *ret_line)
{
	const char *end = rest->len ? memchr(rest->at, '\r', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->at) : 0;

	if (!end || len + 1 >= rest->len || end[1] != '\n')
		return false;
	*ret_line = (struct http_text){rest->at, len};
	rest->at += len + 2;
	rest->len -= len + 2;
	return true;
}

int http_guard_judge(
    const char *block, size_t len, struct http_head *ret_head, struct http_refusal *ret_why)
{
	struct http_head *head = ret_head;
	struct http_text rest = {block, len};
	struct http_text line;
	uint32_t seen = 0;
	int r;

	*head = (struct http_head){.block = block, .len = len};
	if (len > HTTP_HEAD_MAX)
		return refuse(ret_why, 431, "the header is longer than 16 KiB");
	if (!next_line(&rest, &line))
		return refuse(ret_why, 400, "no request line");
	r = take_request_line(head, line, ret_why);
	while (r == 0 && next_line(&rest, &line) && line.len > 0)
		r = take_line(head, line, &seen, ret_why);
	if (r)
		return r;
	if (rest.len > 0 || line.len > 0)
		return refuse(ret_why, 400, "a header without its end");
	if (head->host.len == 0)
		return refuse(ret_why, 400, "no Host");
	return take_target(head, ret_why);
}
