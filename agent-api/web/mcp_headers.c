#include "agent-api/web/mcp_headers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/web/head_field.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/digest.h"

/* ---- Accept ----------------------------------------------------------------------------- */

/* "q=0", "q=0.000": not acceptable. */
static bool is_zero(struct http_text parameters)
{
	const char *at = parameters.at;
	size_t left = parameters.len;

	while (left > 0) {
		const char *semicolon = memchr(at, ';', left);
		size_t len = semicolon ? (size_t)(semicolon - at) : left;
		struct http_text one = http_text_trim((struct http_text){at, len});

		if (one.len >= 3 && (one.at[0] | 0x20) == 'q' && one.at[1] == '=' &&
		    strspn(one.at + 2, "0.") >= one.len - 2)
			return true;
		len += semicolon != NULL;
		at += len;
		left -= len;
	}
	return false;
}

static void accept_one(struct mcp_accept *accept, struct http_text element)
{
	const char *semicolon = memchr(element.at, ';', element.len);
	struct http_text type = element, rest = {NULL, 0};

	if (semicolon) {
		type.len = (size_t)(semicolon - element.at);
		rest = (struct http_text){semicolon + 1, element.len - type.len - 1};
		type = http_text_trim(type);
	}
	if (is_zero(rest))
		return;
	if (http_text_is(type, "*/*")) {
		accept->json = true;
		accept->events = true;
	} else if (http_text_is(type, "application/json") || http_text_is(type, "application/*")) {
		accept->json = true;
	} else if (http_text_is(type, "text/event-stream")) {
		accept->events = true;
		accept->events_named = true;
	} else if (http_text_is(type, "text/*")) {
		accept->events = true;
	}
}

struct mcp_accept mcp_accept_of(const struct http_head *head)
{
	struct mcp_accept accept = {false, false, false};
	struct http_text list, one;
	size_t index = 0;
	bool said = false;

	while (http_head_next(head, "accept", &index, &list)) {
		said = true;
		while (http_text_next(&list, &one))
			accept_one(&accept, one);
	}
	return said ? accept : (struct mcp_accept){true, true, false};
}

/* ---- agreement -------------------------------------------------------------------------- */

#define BASE64_HEAD "=?base64?"
#define BASE64_TAIL "?="

/* Whether a header's value means these bytes. */
static bool means(struct http_text value, const char *bytes, size_t len)
{
	size_t around = strlen(BASE64_HEAD) + strlen(BASE64_TAIL);
	char *cleanup_free decoded = NULL;
	size_t decoded_len = 0;

	if (value.len < around || !head_text_begins(value, BASE64_HEAD) ||
	    memcmp(value.at + value.len - 2, BASE64_TAIL, 2) != 0)
		return value.len == len && memcmp(value.at, bytes, len) == 0;
	decoded = malloc(value.len);
	return decoded &&
	       str_unbase64(decoded, value.len, value.at + strlen(BASE64_HEAD), value.len - around,
		   &decoded_len) == 0 &&
	       decoded_len == len && memcmp(decoded, bytes, len) == 0;
}

static int mismatch(struct rpc_error *ret_error, const char *header, bool absent)
{
	return rpc_refuse(ret_error, RPC_HEADER_MISMATCH,
	    absent ? "Header mismatch: %s is required"
		   : "Header mismatch: %s does not say what the body says",
	    header);
}

static int agree(const struct http_head *head, const char *header, const char *bytes, size_t len,
    struct rpc_error *ret_error)
{
	struct http_text value = head_field(head, header);

	return value.at && means(value, bytes, len) ? 0 : mismatch(ret_error, header, !value.at);
}

/* What Mcp-Name repeats: the thing that a request is about. NULL: the method has none. */
static const char *name_key(const char *method)
{
	if (strcmp(method, "tools/call") == 0 || strcmp(method, "prompts/get") == 0)
		return "name";
	return strcmp(method, "resources/read") == 0 ? "uri" : NULL;
}

static int agree_modern(
    const struct http_head *head, const struct rpc_message *message, struct rpc_error *ret_error)
{
	const char *key = name_key(message->method);
	const json_t *name = key ? json_object_get(message->params, key) : NULL;
	int r = agree(head, "Mcp-Method", message->method, strlen(message->method), ret_error);

	if (r == 0 && json_is_string(name))
		r = agree(
		    head, "Mcp-Name", json_string_value(name), json_string_length(name), ret_error);
	return r;
}

/* ---- era -------------------------------------------------------------------------------- */

static int refuse_version(struct rpc_error *ret_error)
{
	return rpc_refuse(ret_error, RPC_UNSUPPORTED_VERSION, "Unsupported protocol version");
}

/* A value in a header that may be any revision's name. */
static enum mcp_revision revision_of(struct http_text value)
{
	char name[16];

	if (value.len >= sizeof(name))
		return MCP_REVISION_NONE;
	if (value.len > 0)
		memcpy(name, value.at, value.len);
	name[value.len] = '\0';
	return *name ? mcp_revision_from_name(name) : MCP_REVISION_NONE;
}

static int judge_modern(const struct http_head *head, const struct rpc_message *message,
    enum mcp_era *ret_era, struct rpc_error *ret_error)
{
	const json_t *version =
	    json_object_get(json_object_get(message->params, "_meta"), MCP_META_VERSION);
	enum mcp_era era = MCP_LEGACY;
	int r = 0;

	*ret_era = MCP_MODERN; /* of a refusal, too */
	if (json_is_string(version))
		r = agree(head, "MCP-Protocol-Version", json_string_value(version),
		    json_string_length(version), ret_error);
	if (r == 0)
		r = mcp_check_request(message->method, message->params, &era, ret_error);
	if (r == 0 && era != MCP_MODERN)
		r = rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"" MCP_META_VERSION "\"]: required, a string");
	return r == 0 ? agree_modern(head, message, ret_error) : r;
}

int mcp_headers_judge(const struct http_head *head, const struct rpc_message *message,
    enum mcp_era *ret_era, enum mcp_revision *ret_revision, struct rpc_error *ret_error)
{
	struct http_text said = head_field(head, "mcp-protocol-version");
	enum mcp_revision revision = revision_of(said);
	const json_t *meta = json_object_get(message->params, "_meta");
	int r;

	if (revision == MCP_2026_07_28 || json_object_get(meta, MCP_META_VERSION) ||
	    json_object_get(meta, MCP_META_CAPABILITIES) ||
	    strcmp(message->method, "server/discover") == 0) {
		*ret_revision = MCP_2026_07_28;
		return judge_modern(head, message, ret_era, ret_error);
	}
	if (said.at && revision == MCP_REVISION_NONE)
		return refuse_version(ret_error);
	r = mcp_check_request(message->method, message->params, ret_era, ret_error);
	*ret_revision = said.at ? revision : MCP_2025_03_26; /* as the specification has it */
	return r;
}

/* ---- sessions --------------------------------------------------------------------------- */

#define SESSION_HEAD  "cg1-"
#define SESSION_BYTES 16
#define SESSION_LEN   (strlen(SESSION_HEAD) + 2 + 2 * SESSION_BYTES)

int mcp_session_make(char out[MCP_SESSION_MAX], bool can_elicit)
{
	uint8_t bytes[SESSION_BYTES];
	char hex[2 * SESSION_BYTES + 1];
	int r = key_random(bytes, sizeof(bytes));

	if (r < 0)
		return r;
	str_hex(hex, bytes, sizeof(bytes));
	(void)snprintf(out, MCP_SESSION_MAX, SESSION_HEAD "%c-%s", can_elicit ? 'e' : 'n', hex);
	return 0;
}

bool mcp_session_read(struct http_text value, bool *ret_can_elicit)
{
	const char *at = value.at;
	size_t head = strlen(SESSION_HEAD);

	if (value.len != SESSION_LEN || !head_text_begins(value, SESSION_HEAD) ||
	    (at[head] != 'e' && at[head] != 'n') || at[head + 1] != '-')
		return false;
	for (size_t i = head + 2; i < value.len; i++) {
		if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
			return false;
	}
	*ret_can_elicit = at[head] == 'e';
	return true;
}
