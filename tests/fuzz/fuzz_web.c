/*
 * Who is admitted by the head of a request, which route it takes, what CORS says to it, and whether
 * the headers of MCP say what its body says: each judgement is made again here in the plainest way,
 * and nothing may be let through that this does not let through.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent-api/http/forwarded.h"
#include "agent-api/http/reader.h"
#include "agent-api/web/cors.h"
#include "agent-api/web/mcp_headers.h"
#include "agent-api/web/names.h"
#include "agent-api/web/routes.h"
#include "agent-api/web/visitor.h"
#include "agent-api/web/web.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* ---- the site --------------------------------------------------------------------------- */

static const char *names[] = {"gate.example"};
static const char *pages[] = {"https://page.example", "null"};
static const char *any_page[] = {"*"};
static const char *methods[] = {"GET", "POST"};
static const char *headers[] = {"Authorization", "Content-Type"};
static const char *excluded[] = {"/tools"};
static const struct http_network ours[2] = {{{4, {127}}, 8}, {{4, {10}}, 8}};
static const struct http_network callers[1] = {{{4, {10}}, 8}};

/* With two lists of addresses, one of them for what needs a credential. */
static const struct message_site settings = {.body_max = BODY_MAX,
    .auth = 1,
    .url = "https://public.example:8443",
    .issuer = "",
    .listen = "127.0.0.1",
    .hosts = {names, 1},
    .excluded_paths = {excluded, 1},
    .cors_methods = {methods, 2},
    .cors_headers = {headers, 2}};

/* ---- the oracle ------------------------------------------------------------------------- */

static int is_text(struct http_text text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

/* Without a port. */
static struct http_text host_of(struct http_text text)
{
	if (text.len > 0 && text.at[0] == '[') {
		const char *end = memchr(text.at, ']', text.len);

		require(end != NULL);
		return (struct http_text){text.at + 1, (size_t)(end - text.at) - 1};
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == ':')
			return (struct http_text){text.at, i};
	return text;
}

static void require_host(struct http_text text)
{
	struct http_text host = host_of(text);
	struct http_address address;

	require(http_address_parse(host, &address) == 0 || is_text(host, "localhost") ||
		is_text(host, "gate.example") || is_text(host, "public.example"));
}

/* Ours, or listed. The port is left to the units' tests. */
static void require_origin(const struct http_head *head, struct http_text origin, int all)
{
	size_t skip;

	if (all || is_text(origin, "https://page.example") || is_text(origin, "null") ||
	    is_text(origin, "https://public.example:8443"))
		return;
	skip = origin.len > 8 && memcmp(origin.at, "https://", 8) == 0 ? 8 : 7;
	require(origin.len > skip && (skip == 8 || memcmp(origin.at, "http://", 7) == 0));
	require(http_text_same(
	    host_of((struct http_text){origin.at + skip, origin.len - skip}), host_of(head->host)));
}

static void require_single(const struct http_head *head, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < head->count; i++)
		count += (size_t)is_text(http_line_name(head, i), name);
	require(count <= 1);
}

/* Spelled in the plainest way; the others are the units' business. */
static void require_query(struct http_text query)
{
	static const char *const secret[] = {"token=", "access_token=", "api_key=", "key="};

	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		size_t len = strlen(secret[i]);

		for (size_t at = 0; at + len <= query.len; at++)
			require(strncasecmp(query.at + at, secret[i], len) != 0 ||
				(at > 0 && query.at[at - 1] != '&'));
	}
}

static void require_admitted(const struct http_request *request, int is_health, int all)
{
	const struct http_head *head = request->head;
	const struct http_address *from = &request->client.address;
	struct http_text value;

	require(
	    from->family == 4 && (from->bytes[0] == 10 || (is_health && from->bytes[0] == 127)));
	require_single(head, "authorization");
	require_single(head, "origin");
	require_single(head, "mcp-method");
	require_query(head->query);
	if (is_health)
		return;
	require_host(head->host);
	if (http_head_find(head, "origin", &value) == HTTP_FOUND_ONE)
		require_origin(head, value, all);
}

/* Never "*" and credentials together, and only the origin that asked. */
static void require_cors(const struct reply *reply, const struct http_head *head, int all)
{
	const char *origin = NULL;
	int credentials = 0;
	struct http_text value;

	for (size_t i = 0; i < reply->field_count; i++) {
		require(!strpbrk(reply->fields[i].value, "\r\n"));
		if (strcmp(reply->fields[i].name, "Access-Control-Allow-Origin") == 0)
			origin = reply->fields[i].value;
		credentials |=
		    strcmp(reply->fields[i].name, "Access-Control-Allow-Credentials") == 0;
	}
	if (!origin) {
		require(!credentials);
		return;
	}
	require(http_head_find(head, "origin", &value) == HTTP_FOUND_ONE);
	if (all)
		require(strcmp(origin, "*") == 0 && !credentials);
	else
		require(strcmp(origin, "https://page.example") == 0 && is_text(value, origin));
}

/* ---- what is tried ---------------------------------------------------------------------- */

static void try_cors(const struct web *web, const struct http_head *head, int all)
{
	struct reply cleanup_with(reply_fini) dressed;
	struct reply cleanup_with(reply_fini) preflight;

	reply_init(&dressed, 200);
	cors_fields(&dressed, web->site, head);
	require_cors(&dressed, head, all);
	reply_init(&preflight, 204);
	if (!cors_is_preflight(head))
		return;
	cors_preflight(&preflight, web->site, head, "GET, HEAD, OPTIONS");
	require_cors(&preflight, head, all);
	require(preflight.status == 403 || (preflight.status == 204 && preflight.field_count >= 4));
}

/* Every string that is shown ends where it should, and no byte is read beyond. */
static void try_visitor(const struct web *web, const struct http_request *request)
{
	const struct visitor_facts facts = {PEER_IS_HTTP | 1, "1", ""};
	struct visitor cleanup_with(visitor_fini) visitor = {.text = NULL};
	struct buf cleanup_with(buf_fini) bytes;
	int cleanup_fd body = -1;

	require(visitor_init(&visitor, web->site, request, &facts) == 0);
	require(visitor.used <= visitor.size);
	require(strlen(visitor.message.u.visitor.path) == request->head->path.len);
	require(!visitor.message.u.visitor.excluded ||
		strcmp(visitor.message.u.visitor.path, "/tools") == 0);
	buf_init(&bytes, MESSAGE_MAX);
	require(message_encode(&bytes, &visitor.message, &body) == 0);
}

static void try_head(struct web *web, const struct http_incoming *incoming, int all)
{
	struct http_request request = {.head = &incoming->head};
	struct http_trust trust = {.proxies = {ours, 1}};
	struct http_client peer = {.address = {4, {127, 0, 0, 1}}};
	struct http_refusal why = {0};
	struct http_match match;
	uint64_t body_max = BODY_MAX;
	size_t count;
	const struct http_route *rows = route_table(&count);
	int status, found;

	if (http_forwarded(&incoming->head, &trust, &peer, &request.client, &why))
		return;
	status = route_admit(web, &request, &body_max, &match, &why);
	require(status == 0 || (status >= 400 && why.status == status && why.reason));
	if (status)
		return;
	found = http_route_find(rows, count, &incoming->head, &match, &why);
	require_admitted(&request, found == 0 && is_text(incoming->head.path, "/health"), all);
	require(body_max <= BODY_MAX);
	require(found == 0 || (body_max == 0 && incoming->head.framing == HTTP_FRAMING_NONE));
	try_cors(web, &incoming->head, all);
	try_visitor(web, &request);
}

/* To the byte, or in the form for what a header cannot hold; which is only looked for here. */
static void require_said(const struct http_head *head, const char *name, const char *word)
{
	struct http_text value;

	require(http_head_find(head, name, &value) == HTTP_FOUND_ONE);
	require((value.len == strlen(word) && memcmp(value.at, word, value.len) == 0) ||
		(value.len > 11 && memcmp(value.at, "=?base64?", 9) == 0));
}

static void try_message(const struct http_head *head, const struct rpc_message *message)
{
	const json_t *meta = json_object_get(message->params, "_meta");
	const json_t *tool = json_object_get(message->params, "name");
	enum mcp_era era = MCP_LEGACY;
	enum mcp_revision revision = MCP_REVISION_NONE;
	struct rpc_error error = {.code = 0};
	struct http_text value;
	int r = mcp_headers_judge(head, message, &era, &revision, &error);

	require(r == 0 || (r == RPC_REFUSED && error.code < 0));
	if (r)
		return;
	require((era == MCP_MODERN) == (revision == MCP_2026_07_28));
	if (era == MCP_LEGACY) {
		require(!json_object_get(meta, MCP_META_VERSION));
		require(http_head_find(head, "mcp-protocol-version", &value) == HTTP_FOUND_NONE
			    ? revision == MCP_2025_03_26
			    : is_text(value, mcp_revision_name(revision)));
		return;
	}
	require_said(head, "mcp-protocol-version",
	    json_string_value(json_object_get(meta, MCP_META_VERSION)));
	require_said(head, "mcp-method", message->method);
	if (strcmp(message->method, "tools/call") == 0 && json_is_string(tool) &&
	    json_string_length(tool) == strlen(json_string_value(tool)))
		require_said(head, "mcp-name", json_string_value(tool));
}

static void try_body(const struct http_incoming *incoming)
{
	struct rpc_message message = {.kind = RPC_NONE};
	struct rpc_error error;
	struct names said;
	struct err_note note;
	struct http_text value;
	bool can_elicit;
	int r;

	(void)mcp_accept_of(&incoming->head); /* must not crash */
	if (http_head_find(&incoming->head, "mcp-session-id", &value) == HTTP_FOUND_ONE &&
	    mcp_session_read(value, &can_elicit))
		require(value.len < MCP_SESSION_MAX);
	if (names_read(&said, &incoming->head, "coder", NULL, &note) == 0)
		require(
		    strcmp(said.agent, "coder") == 0 && (!*said.space || str_is_name(said.space)));
	/* What admission lets through has each of these once. */
	for (size_t i = 0; i < 2; i++)
		if (http_head_find(&incoming->head, i ? "mcp-method" : "mcp-protocol-version",
			&value) == HTTP_FOUND_MANY)
			return;
	r = rpc_parse(incoming->body.len ? (const char *)incoming->body.data : "",
	    incoming->body.len, &message, &error);
	if (r == 0 && message.kind == RPC_REQUEST)
		try_message(&incoming->head, &message);
	if (r >= 0)
		rpc_message_fini(&message);
}

static void try_incoming(struct http_incoming *incoming)
{
	static struct web web; /* large; only its site is looked at */
	struct message_site said = settings;
	struct site site = {.said = &said, .allowed = {ours, 2}, .auth_allowed = {callers, 1}};

	(void)site_split_host((struct http_text){settings.url + 8, strlen(settings.url) - 8},
	    &site.url_host, &(struct http_text){NULL, 0});
	web.site = &site;
	for (int all = 0; all < 2; all++) {
		said.cors_origins = all ? (struct strv){any_page, 1} : (struct strv){pages, 2};
		try_head(&web, incoming, all);
	}
	try_body(incoming);
	http_incoming_free(incoming);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reader reader;
	int more = 1;

	http_reader_init(&reader, BODY_MAX);
	while (more && size > 0) {
		size_t used = 0;

		switch (http_reader_feed(&reader, data, size, &used)) {
		case HTTP_READ_HEAD: break;
		case HTTP_READ_WHOLE: try_incoming(http_reader_take(&reader)); break;
		case HTTP_READ_MORE:
		case HTTP_READ_REFUSED: more = 0; break;
		}
		data += used;
		size -= used;
	}
	http_reader_fini(&reader);
	return 0;
}
