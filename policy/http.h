/*
 * What server: says of HTTP: read and checked with the rest of the file, used by the HTTP front.
 * Not part of the frozen form: no process of this version listens. Zero: not said. Floor 1.
 */
#ifndef CALLGATE_POLICY_HTTP_H
#define CALLGATE_POLICY_HTTP_H

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
	uint64_t refresh_interval_ms;       /* 15 min */
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

struct policy_http {
	const char *listen; /* an address; default 127.0.0.1 */
	uint64_t port;      /* 0 = no HTTP */
	struct policy_pos port_pos;
	uint64_t max_upload_bytes;           /* 1 MiB */
	struct policy_words trusted_proxies; /* CIDR */
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
};

#endif
