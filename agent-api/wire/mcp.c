#include "agent-api/wire/mcp.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/value.h"

/* The last is modern, the others begin with initialize. */
static const char *const VERSIONS[] = {
    [MCP_REVISION_NONE] = "",
    [MCP_2024_11_05] = "2024-11-05",
    [MCP_2025_03_26] = "2025-03-26",
    [MCP_2025_06_18] = "2025-06-18",
    [MCP_2025_11_25] = MCP_VERSION_LEGACY,
    [MCP_2026_07_28] = MCP_VERSION_MODERN,
};
#define VERSION_COUNT (sizeof(VERSIONS) / sizeof(VERSIONS[0]))

static const char INSTRUCTIONS[] =
    "Every tool call is judged by this machine's policy, may wait for a person's approval, and "
    "runs isolated. A refusal names the rule and says whether retrying helps. A call answered "
    "with outcome \"pending\" waits for a person: repeat the identical call later.";

enum mcp_revision mcp_revision(enum mcp_era era, enum mcp_revision negotiated)
{
	if (era == MCP_MODERN)
		return MCP_2026_07_28;
	return negotiated == MCP_REVISION_NONE ? MCP_2025_11_25 : negotiated;
}

const char *mcp_revision_name(enum mcp_revision revision)
{
	return (size_t)revision < VERSION_COUNT ? VERSIONS[revision] : "";
}

enum mcp_revision mcp_revision_from_name(const char *name)
{
	size_t i = VERSION_COUNT - 1;

	while (i > MCP_REVISION_NONE && strcmp(name, VERSIONS[i]) != 0)
		i--;
	return (enum mcp_revision)i;
}

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

/* Forms are what an elicitation without modes means; "url" alone is none. */
bool mcp_can_elicit(const json_t *capabilities)
{
	const json_t *elicitation = json_object_get(capabilities, "elicitation");

	return json_is_object(elicitation) &&
	       (json_object_size(elicitation) == 0 || json_object_get(elicitation, "form"));
}

/* ---- results ---------------------------------------------------------------------------- */

static json_t *server_info(enum mcp_revision revision)
{
	json_t *info = json_pack("{s:s, s:s}", "name", "callgate", "version", CALLGATE_VERSION);

	if (info && revision >= MCP_2025_06_18 &&
	    json_object_set_new(info, "title",
		json_string("callgate, the gate between agents and the machine")) < 0) {
		json_decref(info);
		return NULL;
	}
	return info;
}

static json_t *capabilities(void)
{
	return json_pack("{s:{s:b}, s:{}}", "tools", "listChanged", 1, "logging");
}

/* Newest first. */
static json_t *versions(void)
{
	json_t *list = json_array();

	for (size_t i = VERSION_COUNT - 1; i > MCP_REVISION_NONE; i--) {
		if (json_array_append_new(list, json_string(VERSIONS[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int mcp_stamp(json_t *object, enum mcp_revision revision)
{
	json_t *meta = json_object_get(object, "_meta");

	if (revision < MCP_2026_07_28)
		return 0;
	if (!json_object_get(object, "resultType") &&
	    json_object_set_new(object, "resultType", json_string("complete")) < 0)
		return -ENOMEM;
	if (!meta) {
		meta = json_object();
		if (json_object_set_new(object, "_meta", meta) < 0)
			return -ENOMEM;
	}
	return json_object_set_new(meta, MCP_META_SERVER, server_info(revision)) < 0 ? -ENOMEM : 0;
}

int mcp_stamp_cacheable(json_t *object, enum mcp_revision revision)
{
	if (revision < MCP_2026_07_28)
		return 0;
	if (json_object_set_new(object, "ttlMs", json_integer(0)) < 0 ||
	    json_object_set_new(object, "cacheScope", json_string("private")) < 0)
		return -ENOMEM;
	return mcp_stamp(object, revision);
}

static int write_owned(struct buf *out, json_t *object)
{
	int r = object ? value_write(out, object) : -ENOMEM;

	json_decref(object);
	return r;
}

/* The revision with a handshake that is served when the client asks for this one. */
static enum mcp_revision negotiate(const char *asked)
{
	enum mcp_revision revision = mcp_revision_from_name(asked);

	return revision == MCP_REVISION_NONE || revision == MCP_2026_07_28 ? MCP_2025_11_25
									   : revision;
}

int mcp_initialize(
    struct buf *out, const json_t *params, struct mcp_session *ret, struct rpc_error *ret_error)
{
	const json_t *asked = json_object_get(params, "protocolVersion");
	struct mcp_session session;
	int r;

	if (!json_is_string(asked))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "protocolVersion: required, a string such as \"" MCP_VERSION_LEGACY "\"");
	session.revision = negotiate(json_string_value(asked));
	session.can_elicit = session.revision >= MCP_2025_06_18 &&
			     mcp_can_elicit(json_object_get(params, "capabilities"));
	r = write_owned(
	    out, json_pack("{s:s, s:o, s:o, s:s}", "protocolVersion",
		     mcp_revision_name(session.revision), "capabilities", capabilities(),
		     "serverInfo", server_info(session.revision), "instructions", INSTRUCTIONS));
	if (r == 0)
		*ret = session;
	return r;
}

int mcp_discover(struct buf *out)
{
	json_t *result = json_pack("{s:o, s:o, s:s}", "supportedVersions", versions(),
	    "capabilities", capabilities(), "instructions", INSTRUCTIONS);

	if (result && mcp_stamp_cacheable(result, MCP_2026_07_28) < 0) {
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

/* What a machine needs to do better; NULL where the message says all. */
static json_t *error_data(const struct rpc_error *error, const json_t *params)
{
	json_t *asked = json_object_get(json_object_get(params, "_meta"), MCP_META_VERSION);

	if (error->code == RPC_UNSUPPORTED_VERSION)
		return json_pack("{s:o, s:O?}", "supported", versions(), "requested", asked);
	if (error->code == RPC_MISSING_CAPABILITY)
		return json_pack("{s:{s:{s:{}}}}", "requiredCapabilities", "elicitation", "form");
	return NULL;
}

int mcp_error_body(struct buf *out, const struct rpc_error *error, const json_t *params)
{
	json_t *body = json_pack("{s:i, s:o}", "code", error->code, "message",
	    value_text(error->note.text, strlen(error->note.text)));
	json_t *data = error_data(error, params);

	if (body && data && json_object_set(body, "data", data) < 0) {
		json_decref(body);
		body = NULL;
	}
	json_decref(data);
	return write_owned(out, body);
}
