#include "agent-api/http/router.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/str.h"

static int refuse(struct http_refusal *why, int status, const char *reason)
{
	*why = (struct http_refusal){status, reason};
	return status;
}

/* ---- decoding --------------------------------------------------------------------------- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Percent-decodes text into out and ends it with NUL. Returns the length; -EINVAL: an escape that
 * is none, a control byte, or bytes that are no UTF-8; -ENOBUFS. */
static ptrdiff_t decode(struct http_text text, bool plus, char *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int c = (unsigned char)text.at[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_value(text.at[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_value(text.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = high << 4 | low;
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
		if (n + 1 >= max)
			return -ENOBUFS;
		out[n++] = (char)c;
	}
	if (max == 0)
		return -ENOBUFS;
	out[n] = '\0';
	return str_is_utf8(out, n) ? (ptrdiff_t)n : -EINVAL;
}

/* One part of a path: also no slash of either kind, and neither "." nor "..". */
static ptrdiff_t decode_part(struct http_text part, char *out, size_t max)
{
	ptrdiff_t n = decode(part, false, out, max);

	if (n < 0)
		return n;
	if (strpbrk(out, "/\\") || strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
		return -EINVAL;
	return n;
}

/* ---- parts ------------------------------------------------------------------------------ */

/* The next part of "/a/b": without its slash. false: the end. */
static bool next_part(struct http_text *rest, struct http_text *ret)
{
	const char *end;
	size_t len;

	if (rest->len == 0 || rest->at[0] != '/')
		return false;
	end = rest->len > 1 ? memchr(rest->at + 1, '/', rest->len - 1) : NULL;
	len = end ? (size_t)(end - rest->at) - 1 : rest->len - 1;
	*ret = (struct http_text){rest->at + 1, len};
	rest->at += len + 1;
	rest->len -= len + 1;
	return true;
}

/* Every part of the path is written as parts are, whether a row takes it or not. */
static int judge(struct http_text path, struct http_match *match, struct http_refusal *why)
{
	struct http_text rest = path;
	struct http_text part;

	if (path.len > HTTP_ROUTE_PATH_MAX)
		return refuse(why, 414, "the path is longer than 1 KiB");
	if (path.len == 0 || path.at[0] != '/')
		return refuse(why, 400, "a path that does not begin with a slash");
	if (path.len == 1)
		return 0;
	while (next_part(&rest, &part)) {
		if (part.len == 0)
			return refuse(why, 400, "a path with an empty part");
		if (decode_part(part, match->decoded, sizeof(match->decoded)) < 0)
			return refuse(why, 400, "a path with a part that is not allowed");
	}
	return 0;
}

static bool is_same(struct http_text a, struct http_text b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* Whether the path fits the pattern; the parameters are left in match. */
static bool fits(const char *pattern, struct http_text path, struct http_match *match)
{
	struct http_text wanted = {pattern, strlen(pattern)};
	struct http_text part;
	struct http_text row;
	size_t used = 0;

	match->count = 0;
	while (next_part(&wanted, &row)) {
		ptrdiff_t n;

		if (!next_part(&path, &part))
			return false;
		if (row.len == 0 || row.at[0] != '{') {
			if (!is_same(row, part))
				return false;
			continue;
		}
		if (part.len == 0 || match->count == HTTP_ROUTE_PARAMETERS_MAX)
			return false;
		n = decode_part(part, match->decoded + used, sizeof(match->decoded) - used);
		if (n < 0)
			return false;
		match->parameters[match->count++] =
		    (struct http_parameter){row.at + 1, match->decoded + used};
		used += (size_t)n + 1;
	}
	return path.len == 0;
}

/* ---- the table -------------------------------------------------------------------------- */

static void add_allowed(struct http_match *match, enum http_method method)
{
	size_t len = strlen(match->allow);
	const char *more = method == HTTP_METHOD_GET ? "GET, HEAD" : http_method_name(method);

	if (len + strlen(more) + 3 <= sizeof(match->allow)) /* each method once: it fits */
		(void)snprintf(
		    match->allow + len, sizeof(match->allow) - len, "%s%s", len ? ", " : "", more);
}

int http_route_find(const struct http_route *rows, size_t count, const struct http_head *head,
    struct http_match *ret_match, struct http_refusal *ret_why)
{
	struct http_match *match = ret_match;
	enum http_method method = head->method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : head->method;
	uint32_t seen = 0;
	int r;

	match->id = 0;
	match->count = 0;
	match->allow[0] = '\0';
	r = judge(head->path, match, ret_why);
	if (r)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!fits(rows[i].pattern, head->path, match))
			continue;
		if (rows[i].method == method) {
			match->id = rows[i].id;
			return 0;
		}
		if (!(seen & 1u << rows[i].method))
			add_allowed(match, rows[i].method);
		seen |= 1u << rows[i].method;
	}
	match->count = 0;
	return seen ? refuse(ret_why, 405, "this path does not take that method")
		    : refuse(ret_why, 404, "no such path");
}

const char *http_match_value(const struct http_match *match, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < match->count; i++) {
		const char *row = match->parameters[i].name;

		if (strncmp(row, name, len) == 0 && row[len] == '}')
			return match->parameters[i].value;
	}
	return NULL;
}

int http_query_value(struct http_text query, const char *name, char *out, size_t max)
{
	size_t name_len = strlen(name);
	bool found = false;

	while (query.len > 0) {
		const char *end = memchr(query.at, '&', query.len);
		size_t len = end ? (size_t)(end - query.at) : query.len;
		ptrdiff_t n;

		if (len >= name_len && memcmp(query.at, name, name_len) == 0 &&
		    (len == name_len || query.at[name_len] == '=')) {
			size_t skip = name_len + (len > name_len);

			if (found)
				return -EINVAL;
			n = decode((struct http_text){query.at + skip, len - skip}, true, out, max);
			if (n < 0)
				return (int)n;
			found = true;
		}
		query.at += len + (end != NULL);
		query.len -= len + (end != NULL);
	}
	return found ? 0 : -ENOENT;
}
