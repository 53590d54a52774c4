#include "agent-api/http/forwarded.h"

#include <string.h>

/* What one header says: a hop each, in the order of the bytes. */
struct hops {
	struct http_text address[HTTP_HOPS_MAX];
	struct http_text scheme[HTTP_HOPS_MAX]; /* len 0: not said */
	size_t count;
};

static int refuse(struct http_refusal *why, const char *reason)
{
	*why = (struct http_refusal){400, reason};
	return 400;
}

/* ---- addresses with what may hang on them ----------------------------------------------- */

static bool is_port(struct http_text text)
{
	if (text.len < 1 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	}
	return true;
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80 */
static bool read_address(struct http_text text, struct http_address *ret)
{
	const char *end = text.len ? memchr(text.at, ']', text.len) : NULL;
	const char *colon = text.len ? memchr(text.at, ':', text.len) : NULL;
	struct http_text port = {NULL, 0};
	bool has_port = false;

	if (text.len > 0 && text.at[0] == '[') {
		size_t inside = end ? (size_t)(end - text.at) : 0;

		if (!end)
			return false;
		has_port = text.len > inside + 1;
		if (has_port && text.at[inside + 1] != ':')
			return false;
		if (has_port)
			port = (struct http_text){end + 2, text.len - inside - 2};
		text = (struct http_text){text.at + 1, inside - 1};
		if (http_address_parse(text, ret) < 0 || !memchr(text.at, ':', text.len))
			return false;
		return !has_port || is_port(port);
	}
	if (colon && !memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - text.at))) {
		port = (struct http_text){colon + 1, text.len - (size_t)(colon + 1 - text.at)};
		text.len = (size_t)(colon - text.at);
		if (!is_port(port))
			return false;
	}
	return http_address_parse(text, ret) == 0;
}

/* ---- X-Forwarded-For, X-Forwarded-Proto ------------------------------------------------- */

static bool split(
    const struct http_head *head, const char *name, struct http_text *list, size_t *count)
{
	struct http_text value;
	size_t index = 0;

	while (http_head_next(head, name, &index, &value)) {
		while (http_text_next(&value, &list[*count])) {
			if (++*count >= HTTP_HOPS_MAX)
				return false;
		}
	}
	return true;
}

/* The scheme belongs to the hop at the same place where there is one each; else the last one said
 * holds for all: it is of the proxy nearest to us. */
static int read_x(const struct http_head *head, struct hops *hops, struct http_refusal *why)
{
	struct http_text schemes[HTTP_HOPS_MAX];
	size_t count = 0;

	if (!split(head, "x-forwarded-for", hops->address, &hops->count) ||
	    !split(head, "x-forwarded-proto", schemes, &count))
		return refuse(why, "too many addresses in X-Forwarded-For");
	for (size_t i = 0; i < hops->count && count > 0; i++)
		hops->scheme[i] = count == hops->count ? schemes[i] : schemes[count - 1];
	if (hops->count == 0 && count > 0)
		hops->scheme[0] = schemes[count - 1];
	return 0;
}

/* ---- Forwarded -------------------------------------------------------------------------- */

/* A token or "quoted"; a quoted string with a backslash holds no address. */
static bool take_value(struct http_text *rest, struct http_text *ret)
{
	size_t len = 0;

	if (rest->len > 0 && rest->at[0] == '"') {
		const char *end = memchr(rest->at + 1, '"', rest->len - 1);

		if (!end)
			return false;
		len = (size_t)(end - rest->at) - 1;
		*ret = (struct http_text){rest->at + 1, len};
		len += 2;
		if (memchr(ret->at, '\\', ret->len))
			return false;
	} else {
		while (len < rest->len && !memchr(",; \t\"", rest->at[len], 5))
			len++;
		*ret = (struct http_text){rest->at, len};
		if (!http_is_token(*ret))
			return false;
	}
	rest->at += len;
	rest->len -= len;
	return true;
}

/* name=value; for, proto and what else there is. */
static bool take_pair(struct http_text *rest, struct hops *hops)
{
	const char *equals = memchr(rest->at, '=', rest->len);
	struct http_text name = {rest->at, equals ? (size_t)(equals - rest->at) : 0};
	struct http_text value;
	struct http_text *field = NULL;

	if (!http_is_token(name))
		return false;
	rest->at += name.len + 1;
	rest->len -= name.len + 1;
	if (!take_value(rest, &value))
		return false;
	if (http_text_is(name, "for"))
		field = &hops->address[hops->count];
	else if (http_text_is(name, "proto"))
		field = &hops->scheme[hops->count];
	if (!field)
		return true;
	if (field->len > 0 || value.len == 0) /* said twice */
		return false;
	*field = value;
	return true;
}

static bool take_element(struct http_text *rest, struct hops *hops)
{
	for (;;) {
		*rest = http_text_trim(*rest);
		if (!take_pair(rest, hops))
			return false;
		*rest = http_text_trim(*rest);
		if (rest->len == 0)
			return true;
		if (rest->at[0] != ';' && rest->at[0] != ',')
			return false;
		rest->at++;
		rest->len--;
		if (rest->at[-1] == ',')
			return true;
	}
}

static int read_standard(const struct http_head *head, struct hops *hops, struct http_refusal *why)
{
	struct http_text rest;
	size_t index = 0;

	while (http_head_next(head, "forwarded", &index, &rest)) {
		while (rest.len > 0) {
			if (hops->count + 1 >= HTTP_HOPS_MAX || !take_element(&rest, hops))
				return refuse(why, "a Forwarded header that cannot be read");
			hops->count++;
		}
	}
	return 0;
}

/* ---- the walk --------------------------------------------------------------------------- */

static bool is_trusted(const struct http_trust *trust, const struct http_address *address)
{
	return address->family ? http_networks_have(&trust->proxies, address) : trust->local;
}

static int take_scheme(
    struct http_client *client, struct http_text scheme, struct http_refusal *why)
{
	if (scheme.len == 0)
		return 0;
	client->https = http_text_is(scheme, "https");
	return client->https || http_text_is(scheme, "http")
		   ? 0
		   : refuse(why, "a forwarded scheme that is neither http nor https");
}

static int walk(const struct hops *hops, const struct http_trust *trust, struct http_client *client,
    struct http_refusal *why)
{
	size_t left = hops->count;
	int r = 0;

	if (left == 0)
		return take_scheme(client, hops->scheme[0], why);
	while (r == 0 && left > 0 && is_trusted(trust, &client->address)) {
		if (!read_address(hops->address[--left], &client->address))
			return refuse(why, "a forwarded address that is none");
		r = take_scheme(client, hops->scheme[left], why);
	}
	return r;
}

int http_forwarded(const struct http_head *head, const struct http_trust *trust,
    const struct http_client *peer, struct http_client *ret, struct http_refusal *ret_why)
{
	struct hops by_x = {.count = 0};
	struct hops by_standard = {.count = 0};
	struct http_client other;
	int r;

	*ret = *peer;
	if (!is_trusted(trust, &peer->address))
		return 0;
	ret->proxied = true;
	other = *ret;
	r = read_x(head, &by_x, ret_why);
	if (r == 0)
		r = read_standard(head, &by_standard, ret_why);
	if (r == 0)
		r = walk(&by_x, trust, ret, ret_why);
	if (r == 0)
		r = walk(&by_standard, trust, &other, ret_why);
	if (r || by_standard.count == 0)
		return r;
	if (by_x.count == 0)
		*ret = other;
	else if (!http_address_same(&ret->address, &other.address))
		r = refuse(ret_why, "X-Forwarded-For and Forwarded name different clients");
	return r;
}
