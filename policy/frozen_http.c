#include "policy/frozen.h"

#include "policy/order.h"
#include "policy/policy.h"

#define UPLOAD_MAX (1024ull * 1024 * 1024)
#define RATE_MAX   1000000
#define AGE_MAX    604800

static const struct field auth_fields[] = {
    F(BOOL, policy_auth, given),
    F(POS, policy_auth, pos),
    F(BOOL, policy_auth, enabled),
    F(STR, policy_auth, jwks_url),
    F(POS, policy_auth, jwks_url_pos),
    F(STR, policy_auth, issuer),
    F(POS, policy_auth, issuer_pos),
    F(STR, policy_auth, audience),
    F(POS, policy_auth, audience_pos),
    F(STR, policy_auth, audience_claim),
    F(BOOL, policy_auth, require_auth),
    F(BOOL, policy_auth, require_auth_given),
    F_WORDS(policy_auth, algorithms, NONE),
    F_U64(policy_auth, refresh_interval_ms, 1000, DURATION_MAX_MS),
    F_U64(policy_auth, keep_keys_ms, 1000, DURATION_MAX_MS),
    F(POS, policy_auth, keep_keys_pos),
    F_WORDS(policy_auth, excluded_paths, NONE),
    F_WORDS(policy_auth, ip_allowlist, NONE),
    F_WORDS(policy_auth, api_keys, NONE),
    F(STR, policy_auth, service_key_env),
};

/* Half a judge of tokens is none, and who looks at nothing can require nothing. */
static bool auth_fits(const void *record)
{
	const struct policy_auth *auth = record;

	if (!auth->jwks_url[0] != !auth->issuer[0] || !auth->jwks_url[0] != !auth->audience[0])
		return false;
	return (auth->enabled || !auth->require_auth) && auth->audience_claim[0] &&
	       auth->algorithms.count && auth->keep_keys_ms >= auth->refresh_interval_ms;
}
static SHAPE_JUDGED(auth_shape, policy_auth, auth_fields, auth_fits);

static const struct field cors_fields[] = {
    F_WORDS(policy_cors, allowed_origins, NONE),
    F_WORDS(policy_cors, allowed_methods, NONE),
    F_WORDS(policy_cors, allowed_headers, NONE),
    F_U64(policy_cors, max_age, 0, AGE_MAX),
};
static SHAPE(cors_shape, policy_cors, cors_fields);

static const struct field rate_fields[] = {
    F(BOOL, policy_rate, given),
    F(BOOL, policy_rate, enabled),
    F_U64(policy_rate, requests_per_minute, 0, RATE_MAX),
    F_U64(policy_rate, burst, 0, RATE_MAX),
    F(BOOL, policy_rate, per_user),
};
SHAPE(rate_shape, policy_rate, rate_fields);

static const struct field tls_fields[] = {
    F(BOOL, policy_tls, given),
    F(POS, policy_tls, pos),
    F(STR, policy_tls, cert),
    F(STR, policy_tls, key),
    F(STR, policy_tls, client_ca),
    F(BOOL, policy_tls, require_client_cert),
};

static bool tls_fits(const void *record)
{
	const struct policy_tls *tls = record;

	return !tls->cert[0] == !tls->key[0] && (tls->cert[0] || !tls->client_ca[0]) &&
	       (tls->client_ca[0] || !tls->require_client_cert);
}
static SHAPE_JUDGED(tls_shape, policy_tls, tls_fields, tls_fits);

static const struct field outgoing_fields[] = {
    F_WORDS(policy_outgoing, networks, NONE),
    F(STR, policy_outgoing, ca),
    F(POS, policy_outgoing, ca_pos),
};
static SHAPE(outgoing_shape, policy_outgoing, outgoing_fields);

static const struct field http_fields[] = {
    F(STR, policy_http, listen),
    F(POS, policy_http, listen_pos),
    F_U64(policy_http, port, 0, 65535),
    F(POS, policy_http, port_pos),
    F_U64(policy_http, max_upload_bytes, 1, UPLOAD_MAX),
    F_WORDS(policy_http, trusted_proxies, NONE),
    F_WORDS(policy_http, ip_allowlist, NONE),
    F_RECORD(policy_http, auth, auth_shape),
    F_RECORD(policy_http, cors, cors_shape),
    F_RECORD(policy_http, rate, rate_shape),
    F(BOOL, policy_http, studio),
    F_WORDS(policy_http, studio_roles, NONE),
    F_RECORD(policy_http, tls, tls_shape),
    F(BOOL, policy_http, metrics),
    F(BOOL, policy_http, tracing),
    F(STR, policy_http, tracing_endpoint),
    F(STR, policy_http, url),
    F_WORDS(policy_http, hosts, NONE),
    F_RECORD(policy_http, outgoing, outgoing_shape),
};

static bool http_fits(const void *record)
{
	const struct policy_http *http = record;

	if (!http->listen[0] ||
	    (http->rate.enabled && !(http->rate.requests_per_minute && http->rate.burst)))
		return false;
	return !strchr(http->listen, '/') || !http->port;
}
SHAPE_JUDGED(http_shape, policy_http, http_fields, http_fits);
