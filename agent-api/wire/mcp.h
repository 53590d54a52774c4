/*
 * Everything of the Model Context Protocol that needs no decision: eras and versions, the
 * handshake, discovery, ping, what every request and every result must carry.
 *
 * Two eras live on one connection. Modern (2026-07-28) is stateless: a request whose
 * params._meta names a protocol version stands alone. Everything else is legacy (initialize,
 * 2025-11-25 and before), also where the client never said initialize: the socket is spoken to
 * by small programs too. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_MCP_H
#define CALLGATE_WIRE_MCP_H

#include <jansson.h>
#include <stdbool.h>

#include "agent-api/wire/rpc.h"
#include "supervisor/base/buf.h"

#define MCP_VERSION_MODERN    "2026-07-28"
#define MCP_VERSION_LEGACY    "2025-11-25" /* the newest with a handshake */

#define MCP_META_VERSION      "io.modelcontextprotocol/protocolVersion"
#define MCP_META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define MCP_META_CLIENT       "io.modelcontextprotocol/clientInfo"
#define MCP_META_SERVER       "io.modelcontextprotocol/serverInfo"

#define MCP_META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"
#define MCP_META_LOG_LEVEL    "io.modelcontextprotocol/logLevel"

/* Same numbers as enum request_era of link/message.h, which this floor may not include. */
enum mcp_era {
	MCP_LEGACY = 0,
	MCP_MODERN = 1,
};

/* In the order of time, so that "since" is a comparison. */
enum mcp_revision {
	MCP_REVISION_NONE = 0, /* no handshake yet */
	MCP_2024_11_05,
	MCP_2025_03_26, /* annotations, a progress message; batches, for this one only */
	MCP_2025_06_18, /* structuredContent, outputSchema, title, _meta of tools, elicitation */
	MCP_2025_11_25, /* mode of an elicitation */
	MCP_2026_07_28, /* the modern era */
};

/* The revision whose features a request may be answered with. negotiated: of the connection's
 * handshake; MCP_REVISION_NONE counts as the newest legacy. */
enum mcp_revision mcp_revision(enum mcp_era era, enum mcp_revision negotiated);
/* "2025-11-25", "" for MCP_REVISION_NONE. */
const char *mcp_revision_name(enum mcp_revision revision);
/* MCP_REVISION_NONE: not one of ours. */
enum mcp_revision mcp_revision_from_name(const char *name);

/* Which era serves this request, and whether its params carry what that era demands. params:
 * the object, or NULL. Modern are server/discover and whatever has MCP_META_VERSION or
 * MCP_META_CAPABILITIES in _meta. 0, or RPC_REFUSED with *ret_error. */
int mcp_check_request(
    const char *method, const json_t *params, enum mcp_era *ret_era, struct rpc_error *ret_error);

/* Whether these client capabilities, of initialize or of a modern request, let us ask the user by
 * a form. capabilities: anything, or NULL. */
bool mcp_can_elicit(const json_t *capabilities);

/* What a handshake agreed upon. */
struct mcp_session {
	enum mcp_revision revision;
	bool can_elicit;
};

/* Appends the result of initialize: the client's version if it is one of ours with a handshake,
 * else MCP_VERSION_LEGACY; *ret tells which. RPC_REFUSED: no protocolVersion in params. 0, buf's
 * fault, -ENOMEM. */
int mcp_initialize(
    struct buf *out, const json_t *params, struct mcp_session *ret, struct rpc_error *ret_error);
/* Appends the result of server/discover, of ping. 0, buf's fault, -ENOMEM. */
int mcp_discover(struct buf *out);
int mcp_ping(struct buf *out);

/* Appends the error object; params are those of the refused request (RPC_UNSUPPORTED_VERSION
 * repeats the version asked for; RPC_MISSING_CAPABILITY names elicitation, the only one that is
 * ever needed) or NULL. 0, buf's fault, -ENOMEM. */
int mcp_error_body(struct buf *out, const struct rpc_error *error, const json_t *params);

/* What every result of that revision must carry is added to object, which stays the caller's.
 * A resultType that is there already is kept. 0 or -ENOMEM. */
int mcp_stamp(json_t *object, enum mcp_revision revision);
/* The same for results that clients may cache: fresh for no time, for this client only. */
int mcp_stamp_cacheable(json_t *object, enum mcp_revision revision);

#endif
