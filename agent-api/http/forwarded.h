/*
 * Who the client is behind proxies. What X-Forwarded-For, X-Forwarded-Proto and Forwarded
 * (RFC 7239) say counts only where it was said by a trusted proxy: from right to left, hop by hop,
 * until an address that is not trusted. What is left of that address anybody may have written.
 * Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_FORWARDED_H
#define CALLGATE_HTTP_FORWARDED_H

#include "agent-api/http/address.h"
#include "agent-api/http/guard.h"

#define HTTP_HOPS_MAX 32

struct http_client {
	struct http_address address;
	bool https;   /* the client speaks TLS, with us or with the proxy nearest to him we trust */
	bool proxied; /* a trusted proxy stands between */
};

struct http_trust {
	struct http_networks proxies;
	bool local; /* a peer without an address (a Unix socket) is a trusted proxy, too */
};

/* peer: who is on the other end of the socket, and whether that is TLS. Headers of a peer that is
 * not trusted are not looked at. Headers of a trusted one must make sense, and where both kinds
 * are there they must mean the same client; else 400: the alternative is to take the proxy for
 * the client, which may be let in where the client is not. 0, or the refusal's status. */
int http_forwarded(const struct http_head *head, const struct http_trust *trust,
    const struct http_client *peer, struct http_client *ret, struct http_refusal *ret_why);

#endif
