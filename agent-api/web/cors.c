#include "agent-api/web/cors.h"

#include <string.h>

#include "agent-api/web/head_field.h"

#define EXPOSED "WWW-Authenticate, Retry-After, X-Request-Id, Mcp-Session-Id, MCP-Protocol-Version"

enum allowance {
	ALLOW_NOTHING = 0,
	ALLOW_ORIGIN,
	ALLOW_ANY,
};

static enum allowance judge(const struct site *site, struct http_text origin)
{
	const struct strv *listed = &site->said->cors_origins;

	if (!origin.at)
		return ALLOW_NOTHING;
	if (site_lists(listed, (struct http_text){"*", 1}))
		return ALLOW_ANY;
	/* Sandboxed pages of anybody call themselves "null". */
	if (origin.len == 0 || head_text_equals(origin, "null") || !site_lists(listed, origin))
		return ALLOW_NOTHING;
	return ALLOW_ORIGIN;
}

static void say_origin(struct reply *reply, const struct site *site, struct http_text origin)
{
	switch (judge(site, origin)) {
	case ALLOW_NOTHING: return;
	case ALLOW_ANY: reply_field(reply, "Access-Control-Allow-Origin", "*"); return;
	case ALLOW_ORIGIN:
		reply_field(
		    reply, "Access-Control-Allow-Origin", "%.*s", (int)origin.len, origin.at);
		reply_field(reply, "Access-Control-Allow-Credentials", "true");
		return;
	}
}

void cors_fields(struct reply *reply, const struct site *site, const struct http_head *head)
{
	struct http_text origin = head_field(head, "origin");

	if (site->said->cors_origins.count == 0)
		return;
	reply_field(reply, "Vary", "Origin");
	if (judge(site, origin) == ALLOW_NOTHING)
		return;
	say_origin(reply, site, origin);
	reply_field(reply, "Access-Control-Expose-Headers", EXPOSED);
}

/* ---- preflight -------------------------------------------------------------------------- */

bool cors_is_preflight(const struct http_head *head)
{
	return head->method == HTTP_METHOD_OPTIONS && head_field(head, "origin").at &&
	       head_field(head, "access-control-request-method").at;
}

static bool allows_method(const struct site *site, struct http_text method, const char *allowed)
{
	struct http_text list = {allowed, strlen(allowed)};
	struct http_text one;

	while (http_text_next(&list, &one)) {
		if (one.len == method.len && memcmp(one.at, method.at, one.len) == 0)
			return site_lists(&site->said->cors_methods, method);
	}
	return false;
}

/* Of all lines, for a list may come in several. */
static bool allows_headers(const struct site *site, const struct http_head *head)
{
	struct http_text list, one;
	size_t index = 0;

	while (http_head_next(head, "access-control-request-headers", &index, &list)) {
		while (http_text_next(&list, &one)) {
			if (!http_is_token(one) ||
			    !site_lists_any_case(&site->said->cors_headers, one))
				return false;
		}
	}
	return true;
}

static void say_list(struct reply *reply, const char *name, const struct strv *list)
{
	char text[1024];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < list->count; i++) {
		size_t len = strlen(list->items[i]);

		if (n + len + 3 > sizeof(text)) {
			reply->overfull = true;
			return;
		}
		if (n > 0) {
			memcpy(text + n, ", ", 2);
			n += 2;
		}
		memcpy(text + n, list->items[i], len + 1);
		n += len;
	}
	reply_field(reply, name, "%s", text);
}

void cors_preflight(
    struct reply *reply, const struct site *site, const struct http_head *head, const char *allowed)
{
	struct http_text origin = head_field(head, "origin");
	struct http_text method = head_field(head, "access-control-request-method");

	if (site->said->cors_origins.count > 0)
		reply_field(reply, "Vary",
		    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
	if (judge(site, origin) == ALLOW_NOTHING) {
		reply_error(reply, 403, "pages of this Origin may not call this server", NULL);
		return;
	}
	if (!allows_method(site, method, allowed) || !allows_headers(site, head)) {
		reply_error(reply, 403,
		    "this method or one of these headers is not allowed to pages of others", NULL);
		return;
	}
	reply->status = 204;
	say_origin(reply, site, origin);
	say_list(reply, "Access-Control-Allow-Methods", &site->said->cors_methods);
	say_list(reply, "Access-Control-Allow-Headers", &site->said->cors_headers);
	reply_field(
	    reply, "Access-Control-Max-Age", "%llu", (unsigned long long)site->said->cors_max_age);
}
