/*
 * POST /mcp: MCP's streamable HTTP in both eras. One JSON-RPC message a request; the answer is
 * JSON, or a stream of events that ends with it. No sessions are kept and no streams resumed.
 * Floor 3.
 */
#ifndef CALLGATE_WEB_MCP_H
#define CALLGATE_WEB_MCP_H

#include "agent-api/web/routes.h"

route_handler mcp_take;

#endif
