/*
 * What server: says of HTTP: how the HTTP front serves, how engine authenticates, where courier may
 * go. Zero: not said. Floor 1.
 */
#ifndef CALLGATE_POLICY_HTTP_H
#define CALLGATE_POLICY_HTTP_H

#include <string.h>

#include "policy/types.h"

struct policy_auth {
	bool given;
	struct policy_pos pos;
	bool enabled;
	const char *jwks_url; /* "" = no JWT; else issuer and audience are there, too */
	struct policy_pos jwks_url_pos;
	const char *issuer;
	struct policy_pos issuer_pos;
	const char *audience;
	struct policy_pos audience_pos;
	const char *audience_claim; /* "aud" */
	bool require_auth;          /* default: as enabled */
	bool require_auth_given;
	struct policy_words algorithms; /* RS256 PS256 ES256 EdDSA, if none are said */
	uint64_t refresh_interval_ms;   /* 15 min */
	uint64_t keep_keys_ms;          /* how old keys may get when fetching fails; 24 h */
	struct policy_pos keep_keys_pos;
	struct policy_words excluded_paths; /* need no credential */
	struct policy_words ip_allowlist;   /* as server.ip_allowlist; both must hold */
	struct policy_words api_keys;       /* names of variables, never their values */
	const char *service_key_env;        /* name of a variable; "" = none */
};

struct policy_cors {
	struct policy_words allowed_origins; /* "*", or scheme://host[:port] */
	struct policy_words allowed_methods;
	struct policy_words allowed_headers;
	uint64_t max_age; /* seconds; 86400 */
};

struct policy_rate {
	bool given;
	bool enabled;
	uint64_t requests_per_minute; /* 100 */
	uint64_t burst;               /* 20 */
	bool per_user;
};

struct policy_tls {
	bool given;
	struct policy_pos pos;
	const char *cert; /* files, relative to the policy's folder; "" = none */
	const char *key;
	const char *client_ca;
	bool require_client_cert;
};

/* Where courier may go beside public addresses. */
struct policy_outgoing {
	struct policy_words networks; /* private ones, CIDR */
	const char *ca;               /* file of CA certificates; "" = the system's only */
	struct policy_pos ca_pos;
};

struct policy_http {
	const char *listen; /* an address, or the path of a Unix socket; default 127.0.0.1 */
	struct policy_pos listen_pos;
	uint64_t port; /* 0 = no HTTP, unless listen is a path */
	struct policy_pos port_pos;
	uint64_t max_upload_bytes;           /* 1 MiB */
	struct policy_words trusted_proxies; /* CIDR, or http_is_local_proxy() */
	struct policy_words ip_allowlist;    /* CIDR; none: any */
	struct policy_auth auth;
	struct policy_cors cors;
	struct policy_rate rate;
	bool studio;
	struct policy_words studio_roles; /* "operator" if none are said */
	struct policy_tls tls;
	bool metrics;
	bool tracing;
	const char *tracing_endpoint; /* host:port; "" = none */
	const char *url;              /* its public address, no slash at the end; "" = none */
	struct policy_words hosts;    /* names it answers to, beside that of url */
	struct policy_outgoing outgoing;
};

/* The word of trusted_proxies for whoever comes by a Unix path, who has no address. */
static inline bool http_is_local_proxy(const char *text)
{
	return strcmp(text, "unix") == 0;
}

static inline bool http_trusts_local(const struct policy_http *http)
{
	for (uint32_t i = 0; i < http->trusted_proxies.count; i++) {
		if (http_is_local_proxy(http->trusted_proxies.items[i].text))
			return true;
	}
	return false;
}

/* Is there an HTTP listener at all? */
static inline bool http_serves(const struct policy_http *http)
{
	return http->port != 0 || (http->listen && strchr(http->listen, '/'));
}

#endif
