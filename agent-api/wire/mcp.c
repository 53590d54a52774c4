#include "agent-api/wire/mcp.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/value.h"

/* Newest first; the first is modern, the others begin with initialize. */
static const char *const VERSIONS[] = {
    MCP_VERSION_MODERN,
    MCP_VERSION_LEGACY,
    "2025-06-18",
    "2025-03-26",
    "2024-11-05",
};
#define VERSION_COUNT (sizeof(VERSIONS) / sizeof(VERSIONS[0]))

static const char INSTRUCTIONS[] =
    "Every tool call is judged by this machine's policy, may wait for a person's approval, and "
    "runs isolated. A refusal names the rule and says whether retrying helps. A call answered "
    "with outcome \"pending\" waits for a person: repeat the identical call later.";

/* ---- requests --------------------------------------------------------------------------- */

static int check_modern(const json_t *meta, struct rpc_error *ret_error)
{
	const json_t *version = json_object_get(meta, MCP_META_VERSION);
	const json_t *client = json_object_get(meta, MCP_META_CLIENT);

	if (!json_is_string(version))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"" MCP_META_VERSION "\"]: required, a string");
	if (strcmp(json_string_value(version), MCP_VERSION_MODERN) != 0)
		return rpc_refuse(
		    ret_error, RPC_UNSUPPORTED_VERSION, "Unsupported protocol version");
	if (!json_is_object(json_object_get(meta, MCP_META_CAPABILITIES)))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"" MCP_META_CAPABILITIES "\"]: required, an object");
	if (client && !json_is_object(client))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"" MCP_META_CLIENT "\"]: must be an object");
	return 0;
}

int mcp_check_request(
    const char *method, const json_t *params, enum mcp_era *ret_era, struct rpc_error *ret_error)
{
	const json_t *meta = json_object_get(params, "_meta");
	int r;

	if (meta && !json_is_object(meta))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS, "_meta: must be an object");
	if (!json_object_get(meta, MCP_META_VERSION) &&
	    !json_object_get(meta, MCP_META_CAPABILITIES) &&
	    strcmp(method, "server/discover") != 0) {
		*ret_era = MCP_LEGACY;
		return 0;
	}
	r = check_modern(meta, ret_error);
	if (r == 0)
		*ret_era = MCP_MODERN;
	return r;
}

int mcp_check_cursor(const json_t *params, struct rpc_error *ret_error)
{
	if (!json_object_get(params, "cursor"))
		return 0;
	return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
	    "cursor: unknown; the list has one page and gives no cursors");
}

/* ---- results ---------------------------------------------------------------------------- */

static json_t *server_info(void)
{
	return json_pack("{s:s, s:s, s:s}", "name", "callgate", "title",
	    "callgate, the gate between agents and the machine", "version", CALLGATE_VERSION);
}

static json_t *capabilities(void)
{
	return json_pack("{s:{s:b}}", "tools", "listChanged", 0);
}

static json_t *versions(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < VERSION_COUNT; i++) {
		if (json_array_append_new(list, json_string(VERSIONS[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int mcp_stamp(json_t *object, enum mcp_era era)
{
	json_t *meta = json_object_get(object, "_meta");

	if (era == MCP_LEGACY)
		return 0;
	if (json_object_set_new(object, "resultType", json_string("complete")) < 0)
		return -ENOMEM;
	if (!meta) {
		meta = json_object();
		if (json_object_set_new(object, "_meta", meta) < 0)
			return -ENOMEM;
	}
	return json_object_set_new(meta, MCP_META_SERVER, server_info()) < 0 ? -ENOMEM : 0;
}

int mcp_stamp_cacheable(json_t *object, enum mcp_era era)
{
	if (era == MCP_LEGACY)
		return 0;
	if (json_object_set_new(object, "ttlMs", json_integer(0)) < 0 ||
	    json_object_set_new(object, "cacheScope", json_string("private")) < 0)
		return -ENOMEM;
	return mcp_stamp(object, era);
}

static int write_owned(struct buf *out, json_t *object)
{
	int r = object ? value_write(out, object) : -ENOMEM;

	json_decref(object);
	return r;
}

/* The version of the handshake that is served when the client asks for this one. */
static const char *negotiate(const char *asked)
{
	for (size_t i = 1; i < VERSION_COUNT; i++) {
		if (strcmp(asked, VERSIONS[i]) == 0)
			return VERSIONS[i];
	}
	return MCP_VERSION_LEGACY;
}

int mcp_initialize(struct buf *out, const json_t *params, struct rpc_error *ret_error)
{
	const json_t *asked = json_object_get(params, "protocolVersion");

	if (!json_is_string(asked))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "protocolVersion: required, a string such as \"" MCP_VERSION_LEGACY "\"");
	return write_owned(
	    out, json_pack("{s:s, s:o, s:o, s:s}", "protocolVersion",
		     negotiate(json_string_value(asked)), "capabilities", capabilities(),
		     "serverInfo", server_info(), "instructions", INSTRUCTIONS));
}

int mcp_discover(struct buf *out)
{
	json_t *result = json_pack("{s:o, s:o, s:s}", "supportedVersions", versions(),
	    "capabilities", capabilities(), "instructions", INSTRUCTIONS);

	if (result && mcp_stamp_cacheable(result, MCP_MODERN) < 0) {
		json_decref(result);
		return -ENOMEM;
	}
	return write_owned(out, result);
}

int mcp_ping(struct buf *out)
{
	return buf_text(out, "{}");
}

/* ---- errors ----------------------------------------------------------------------------- */

int mcp_error_body(struct buf *out, const struct rpc_error *error, const json_t *params)
{
	const json_t *meta = json_object_get(params, "_meta");
	json_t *asked = json_object_get(meta, MCP_META_VERSION);
	json_t *body = json_pack("{s:i, s:o}", "code", error->code, "message",
	    value_text(error->note.text, strlen(error->note.text)));

	if (body && error->code == RPC_UNSUPPORTED_VERSION) {
		json_t *data =
		    json_pack("{s:o, s:O?}", "supported", versions(), "requested", asked);

		if (json_object_set_new(body, "data", data) < 0) {
			json_decref(body);
			return -ENOMEM;
		}
	}
	return write_owned(out, body);
}
