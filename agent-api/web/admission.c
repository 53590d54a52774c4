#include "agent-api/web/admission.h"

#include <string.h>

#include "agent-api/web/head_field.h"

static int refuse(struct http_refusal *why, int status, const char *reason)
{
	*why = (struct http_refusal){status, reason};
	return status;
}

/* ---- the name we are called by ---------------------------------------------------------- */

bool admission_knows_host(const struct site *site, struct http_text host)
{
	struct http_text name, port;
	struct http_address address;

	if (!site_split_host(host, &name, &port))
		return false;
	return http_address_parse(name, &address) == 0 || http_text_is(name, "localhost") ||
	       site_lists_any_case(&site->said->hosts, name) ||
	       (site->url_host.len > 0 && http_text_same(name, site->url_host));
}

/* ---- the page it comes from ------------------------------------------------------------- */

/* Splits "https://host:port"; *ret_https. */
static bool split_origin(struct http_text origin, bool *ret_https, struct http_text *ret_authority)
{
	size_t skip = head_text_begins(origin, "https://")  ? 8
		      : head_text_begins(origin, "http://") ? 7
							    : 0;

	*ret_https = skip == 8;
	*ret_authority = (struct http_text){origin.at + skip, origin.len - skip};
	return skip > 0;
}

static bool same_port(struct http_text a, struct http_text b, bool https)
{
	struct http_text usual = {https ? "443" : "80", https ? 3 : 2};

	a = a.len ? a : usual;
	b = b.len ? b : usual;
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* Our own pages: the same host and port. Where we know that the client speaks TLS, a page that
 * came without it is another one; behind a proxy that is not trusted we do not know. */
static bool is_own_origin(const struct http_request *request, struct http_text origin)
{
	struct http_text authority, ours, ours_port, theirs, theirs_port;
	bool https;

	return split_origin(origin, &https, &authority) && (https || !request->client.https) &&
	       site_split_host(authority, &theirs, &theirs_port) &&
	       site_split_host(request->head->host, &ours, &ours_port) &&
	       http_text_same(ours, theirs) && same_port(ours_port, theirs_port, https);
}

bool admission_allows_origin(
    const struct site *site, const struct http_request *request, struct http_text origin)
{
	return is_own_origin(request, origin) || site_lists(&site->said->cors_origins, origin) ||
	       (*site->said->url && head_text_equals(origin, site->said->url)) ||
	       site_lists(&site->said->cors_origins, (struct http_text){"*", 1});
}

/* ---- the query -------------------------------------------------------------------------- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

#define FIELD_NAME_MAX 64

/* The name of one field, decoded, in lower case, without what some write between its words; long
 * ones are cut, which none of ours are. false: badly escaped. */
static bool field_name(struct http_text field, char name[FIELD_NAME_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < field.len && field.at[i] != '='; i++) {
		int c = (unsigned char)field.at[i];

		if (c == '%') {
			int high = i + 2 < field.len ? hex_value(field.at[i + 1]) : -1;
			int low = i + 2 < field.len ? hex_value(field.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		}
		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (n + 1 < FIELD_NAME_MAX && c != '_' && c != '-' && c != '.')
			name[n++] = (char)c;
	}
	name[n] = '\0';
	return true;
}

static bool is_secret_name(const char *name)
{
	static const char *const names[] = {
	    "accesstoken", "apikey", "xapikey", "token", "idtoken", "key", "authorization"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* Both separators that servers use: what another one on the way would take for a field. */
bool admission_allows_query(struct http_text query)
{
	char name[FIELD_NAME_MAX];

	while (query.len > 0) {
		size_t len = 0;

		while (len < query.len && query.at[len] != '&' && query.at[len] != ';')
			len++;
		if (!field_name((struct http_text){query.at, len}, name) || is_secret_name(name))
			return false;
		len += len < query.len;
		query.at += len;
		query.len -= len;
	}
	return true;
}

/* ---- the rest --------------------------------------------------------------------------- */

/* "application/json", and at most charset=utf-8 behind it. */
static bool is_json(struct http_text type)
{
	struct http_text name = type, rest = {NULL, 0};
	const char *semicolon = type.len ? memchr(type.at, ';', type.len) : NULL;

	if (semicolon) {
		name.len = (size_t)(semicolon - type.at);
		rest = http_text_trim((struct http_text){semicolon + 1, type.len - name.len - 1});
	}
	return http_text_is(http_text_trim(name), "application/json") &&
	       (rest.len == 0 || http_text_is(rest, "charset=utf-8") ||
		   http_text_is(rest, "charset=\"utf-8\""));
}

/* Fields that decide something: two of them are two opinions. */
static const char *const SINGLE[] = {"authorization", "x-api-key", "origin", "content-type",
    "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "callgate-agent",
    "callgate-namespace", "access-control-request-method"};

static bool has_doubles(const struct http_head *head)
{
	struct http_text value;

	for (size_t i = 0; i < sizeof(SINGLE) / sizeof(SINGLE[0]); i++) {
		if (http_head_find(head, SINGLE[i], &value) == HTTP_FOUND_MANY)
			return true;
	}
	return false;
}

static bool is_allowed_address(
    const struct http_networks *allowed, const struct http_address *address)
{
	return allowed->count == 0 || http_networks_have(allowed, address);
}

static int judge_page(
    const struct site *site, const struct http_request *request, struct http_refusal *ret_why)
{
	struct http_text origin = head_field(request->head, "origin");

	if (!admission_knows_host(site, request->head->host))
		return refuse(ret_why, 403,
		    "this Host is not a name of this server; server.hosts lists its names");
	if (origin.at && !admission_allows_origin(site, request, origin))
		return refuse(ret_why, 403, "pages of this Origin may not call this server");
	return 0;
}

int admission_judge(const struct site *site, const struct admission *route,
    const struct http_request *request, struct http_refusal *ret_why)
{
	const struct http_head *head = request->head;
	int r;

	if (!is_allowed_address(&site->allowed, &request->client.address) ||
	    (!route->open && !is_allowed_address(&site->auth_allowed, &request->client.address)))
		return refuse(ret_why, 403, "this address is not on the list of allowed ones");
	if (has_doubles(head))
		return refuse(ret_why, 400, "a header that may be there once is there twice");
	if (!admission_allows_query(head->query))
		return refuse(ret_why, 400,
		    "credentials are taken from the headers Authorization and X-API-Key, never "
		    "from the query");
	r = route->open ? 0 : judge_page(site, request, ret_why);
	if (r)
		return r;
	if (head->method == HTTP_METHOD_POST && !route->any_type &&
	    !is_json(head_field(head, "content-type")))
		return refuse(
		    ret_why, 415, "Content-Type must be application/json, in charset utf-8");
	/* Nothing is decoded here: whoever in front of us believes it judged another body. */
	if (head_field(head, "content-encoding").len > 0)
		return refuse(ret_why, 415, "a body must come without Content-Encoding");
	return 0;
}
