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

#include "agent-api/wire/rpc.h"
#include "supervisor/base/buf.h"

#define MCP_VERSION_MODERN    "2026-07-28"
#define MCP_VERSION_LEGACY    "2025-11-25" /* the newest with a handshake */

#define MCP_META_VERSION      "io.modelcontextprotocol/protocolVersion"
#define MCP_META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define MCP_META_CLIENT       "io.modelcontextprotocol/clientInfo"
#define MCP_META_SERVER       "io.modelcontextprotocol/serverInfo"

/* Same numbers as enum request_era of link/message.h, which this floor may not include. */
enum mcp_era {
	MCP_LEGACY = 0,
	MCP_MODERN = 1,
};

/* Which era serves this request, and whether its params carry what that era demands. params:
 * the object, or NULL. Modern are server/discover and whatever has MCP_META_VERSION or
 * MCP_META_CAPABILITIES in _meta. 0, or RPC_REFUSED with *ret_error. */
int mcp_check_request(
    const char *method, const json_t *params, enum mcp_era *ret_era, struct rpc_error *ret_error);

/* The lists of this server have one page, so no cursor is one that it gave. params: object or
 * NULL. 0 or RPC_REFUSED. */
int mcp_check_cursor(const json_t *params, struct rpc_error *ret_error);

/* Appends the result of initialize: the client's version if it is one of ours with a handshake,
 * else MCP_VERSION_LEGACY. RPC_REFUSED: no protocolVersion in params. 0, buf's fault, -ENOMEM. */
int mcp_initialize(struct buf *out, const json_t *params, struct rpc_error *ret_error);
/* Appends the result of server/discover, of ping. 0, buf's fault, -ENOMEM. */
int mcp_discover(struct buf *out);
int mcp_ping(struct buf *out);

/* Appends the error object; params are those of the refused request (RPC_UNSUPPORTED_VERSION
 * repeats the version asked for) or NULL. 0, buf's fault, -ENOMEM. */
int mcp_error_body(struct buf *out, const struct rpc_error *error, const json_t *params);

/* What every result of that era must carry is added to object, which stays the caller's.
 * 0 or -ENOMEM. */
int mcp_stamp(json_t *object, enum mcp_era era);
/* The same for results that clients may cache: fresh for no time, for this client only. */
int mcp_stamp_cacheable(json_t *object, enum mcp_era era);

#endif
