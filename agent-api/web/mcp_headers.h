/*
 * The headers of MCP over HTTP (2026-07-28, streamable HTTP) and whether they say what the body
 * says: a proxy may have decided by the one what the other then does. Values are compared to the
 * byte; =?base64?...?= stands for what a header cannot hold. Pure; floor 3.
 */
#ifndef CALLGATE_WEB_MCP_HEADERS_H
#define CALLGATE_WEB_MCP_HEADERS_H

#include "agent-api/http/head.h"
#include "agent-api/wire/mcp.h"
#include "agent-api/wire/rpc.h"

/* What a client takes as answer. */
struct mcp_accept {
	bool json;
	bool events;       /* by name or by a wildcard */
	bool events_named; /* asked for */
};

/* Without the header: everything, nothing of it named. */
struct mcp_accept mcp_accept_of(const struct http_head *head);

/* Which era and revision serve this request, from header and body together, and whether they agree.
 * 0; RPC_REFUSED with *ret_error, and *ret_era is whose refusal it is where that is known. */
int mcp_headers_judge(const struct http_head *head, const struct rpc_message *message,
    enum mcp_era *ret_era, enum mcp_revision *ret_revision, struct rpc_error *ret_error);

/* Sessions of the old era. Nothing is kept for one: its id says what the client can do, and makes
 * requests of one client known among those of others with the same credentials. */
#define MCP_SESSION_MAX 48

/* A new one. 0 or -errno. */
int mcp_session_make(char out[MCP_SESSION_MAX], bool can_elicit);
/* Whether value is one of ours; *ret_can_elicit as it was made. Anybody can write one: it is only
 * believed for what a client may say of itself. */
bool mcp_session_read(struct http_text value, bool *ret_can_elicit);

#endif
