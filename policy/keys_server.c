#include "policy/keys.h"

#include <errno.h>
#include <string.h>

#include "policy/policy.h"

/* ---- the socket --------------------------------------------------------------------------- */

/* Four octal digits with the leading zero written: 660 and 432 are too easily the wrong base. */
static int read_mode(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	static const char advice[] =
	    "is not an octal mode; write four octal digits in quotes, such as \"0660\"";
	struct policy *policy = record;
	uint32_t mode = 0;
	const char *text;
	int fault;

	(void)key;
	if (node->kind == YAML_KIND_SCALAR && node->text[0] != '0' && node->text[0] != '$')
		return schema_refuse(schema, node, "'%.60s' %s", node->text, advice);
	fault = schema_text(schema, node, &text);
	if (fault)
		return fault;
	if (strlen(text) != 4 || text[0] != '0' || text[strspn(text, "01234567")])
		return schema_refuse(schema, node, "'%.60s' %s", node->text, advice);
	for (; *text; text++)
		mode = mode * 8 + (uint32_t)(*text - '0');
	if ((mode & 0600) != 0600 || mode & 0111)
		return schema_refuse(schema, node,
		    "'%.60s' is no mode for a socket; let the owner read and write, nobody execute",
		    node->text);
	policy->socket_mode = mode;
	return 0;
}

static const struct schema_key socket_keys[] = {
    {.name = "path",
	.about = "Where it is",
	.read = read_text,
	.place = PLACE(policy, socket_path),
	.pos_place = PLACE(policy, socket_pos),
	.max = PATH_BYTES_MAX},
    {.name = "mode",
	.read = read_mode,
	.about = "Its mode, four octal digits in quotes (\"0600\")",
	.form = "{\"type\":\"string\",\"pattern\":\"^0[0-7]{3}$|\\\\$\\\\{\"}"},
    {.name = "group",
	.read = read_text,
	.about = "Its group",
	.place = PLACE(policy, socket_group),
	.pos_place = PLACE(policy, socket_group_pos),
	.max = 255},
    KEY_END,
};

/* ---- auth --------------------------------------------------------------------------------- */

#define API_KEY_MIN 32

/* A key must come from a variable, and nothing of it may stay: the policy keeps the names. */
static int read_api_keys(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_words *words = place_of(record, key->place);
	struct policy_word *items;

	if (node->kind != YAML_KIND_SEQUENCE)
		return schema_refuse(schema, node, "is not a list; write [\"${API_KEY_1}\"]");
	items = arena_array(schema->arena, node->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		const char *value;
		size_t len;
		int fault;

		if (!schema_is_variable(item))
			return schema_refuse(schema, item,
			    "holds a key itself; write \"${NAME}\" and set NAME in the environment "
			    "or in .env");
		fault = schema_text(schema, item, &value);
		if (fault)
			return fault;
		if (strlen(value) < API_KEY_MIN)
			return schema_refuse_value(schema, item,
			    "is shorter than 32 characters; make one with openssl rand -hex 32");
		len = strlen(item->text) - 3; /* without ${ and } */
		items[item->index].text = arena_text(schema->arena, item->text + 2, len);
		items[item->index].pos = item->pos;
		if (!items[item->index].text)
			return -ENOMEM;
	}
	*words = (struct policy_words){items, node->count};
	return 0;
}

/* A list that means nothing when it is empty. */
static int read_algorithms(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind == YAML_KIND_SEQUENCE && !node->count)
		return schema_refuse(
		    schema, node, "accepts no token; name one, or remove the key for the default");
	return read_words(schema, node, key, record);
}

#define NETWORKS(name_, about_, member, judge_)                                                    \
	{                                                                                          \
		.name = (name_), .read = read_words, .about = (about_),                            \
		.place = PLACE(policy, http.member), .judge = (judge_), .max = 1024                \
	}

static const struct schema_key auth_keys[] = {
    {.name = "enabled",
	.read = read_bool,
	.about = "Credentials are looked at (false)",
	.place = PLACE(policy, http.auth.enabled)},
    {.name = "jwks_url",
	.read = read_text,
	.about = "Keys that tokens are signed with; with issuer and audience",
	.place = PLACE(policy, http.auth.jwks_url),
	.pos_place = PLACE(policy, http.auth.jwks_url_pos),
	.max = 2048,
	.judge = judge_url},
    {.name = "issuer",
	.read = read_text,
	.about = "The iss claim that a token must have",
	.place = PLACE(policy, http.auth.issuer),
	.pos_place = PLACE(policy, http.auth.issuer_pos),
	.max = 2048},
    {.name = "audience",
	.read = read_text,
	.about = "The audience that a token must have",
	.place = PLACE(policy, http.auth.audience),
	.pos_place = PLACE(policy, http.auth.audience_pos),
	.max = 1024},
    {.name = "audience_claim",
	.read = read_text,
	.about = "The claim that holds the audience (aud)",
	.place = PLACE(policy, http.auth.audience_claim),
	.max = 255},
    {.name = "require_auth",
	.read = read_bool,
	.about = "Requests without a credential are refused (as enabled)",
	.place = PLACE(policy, http.auth.require_auth),
	.given_place = PLACE(policy, http.auth.require_auth_given)},
    {.name = "refresh_interval",
	.read = read_duration,
	.about = "How often jwks_url is fetched, 10s to 7d (15m)",
	.place = PLACE(policy, http.auth.refresh_interval_ms),
	.min = 10 * 1000,
	.max = 7 * DAY_MS,
	.range = "10s to 7d"},
    {.name = "keep_keys",
	.read = read_duration,
	.about = "How old keys may get while jwks_url cannot be fetched, 10s to 30d (24h)",
	.place = PLACE(policy, http.auth.keep_keys_ms),
	.pos_place = PLACE(policy, http.auth.keep_keys_pos),
	.min = 10 * 1000,
	.max = 30 * DAY_MS,
	.range = "10s to 30d"},
    {.name = "algorithms",
	.read = read_algorithms,
	.about = "How tokens may be signed (RS256, PS256, ES256, EdDSA)",
	.place = PLACE(policy, http.auth.algorithms),
	.judge = judge_algorithm,
	.max = 16,
	.like = read_words,
	.pattern = "^([RPE]S(256|384|512)|EdDSA)$"},
    {.name = "excluded_paths",
	.read = read_words,
	.about = "Paths that need no credential",
	.place = PLACE(policy, http.auth.excluded_paths),
	.judge = judge_url_path,
	.max = 64},
    NETWORKS("ip_allowlist", "Networks that may come in, too", auth.ip_allowlist, judge_network),
    {.name = "api_keys",
	.read = read_api_keys,
	.about = "Static keys, each as \"${NAME}\", of 32 characters and more",
	.place = PLACE(policy, http.auth.api_keys),
	.form = "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/variable\"}}"},
    {.name = "service_key_env",
	.read = read_text,
	.about = "Name of the variable that holds the service key",
	.place = PLACE(policy, http.auth.service_key_env),
	.max = 128,
	.judge = judge_variable,
	.pattern = VARIABLE_PATTERN},
    KEY_END,
};

/* ---- the rest of HTTP --------------------------------------------------------------------- */

static const struct schema_key cors_keys[] = {
    {.name = "allowed_origins",
	.read = read_words,
	.about = "Origins whose pages may call",
	.place = PLACE(policy, http.cors.allowed_origins),
	.judge = judge_origin,
	.max = 256},
    {.name = "allowed_methods",
	.read = read_words,
	.about = "Methods they may use",
	.place = PLACE(policy, http.cors.allowed_methods),
	.judge = judge_method,
	.max = 16},
    {.name = "allowed_headers",
	.read = read_words,
	.about = "Headers they may send",
	.place = PLACE(policy, http.cors.allowed_headers),
	.judge = judge_header,
	.max = 64},
    {.name = "max_age",
	.read = read_count,
	.about = "Seconds a browser may keep the answer, 0 to 604800 (86400)",
	.place = PLACE(policy, http.cors.max_age),
	.max = 604800,
	.range = "0 to 604800"},
    KEY_END,
};

static const struct schema_key rate_keys[] = {
    {.name = "enabled",
	.read = read_bool,
	.about = "Requests are limited (false)",
	.place = PLACE(policy, http.rate.enabled)},
    {.name = "requests_per_minute",
	.read = read_count,
	.about = "Requests a minute, 1 to 1000000 (100)",
	.place = PLACE(policy, http.rate.requests_per_minute),
	.min = 1,
	.max = 1000000,
	.range = "1 to 1000000"},
    {.name = "burst",
	.read = read_count,
	.about = "Requests at once, 1 to 100000 (20)",
	.place = PLACE(policy, http.rate.burst),
	.min = 1,
	.max = 100000,
	.range = "1 to 100000"},
    {.name = "per_user",
	.read = read_bool,
	.about = "Counted for each user apart, not for all together (false)",
	.place = PLACE(policy, http.rate.per_user)},
    KEY_END,
};

static const struct schema_key studio_keys[] = {
    {.name = "enabled",
	.read = read_bool,
	.about = "The policy can be edited over HTTP (false)",
	.place = PLACE(policy, http.studio)},
    {.name = "roles",
	.read = read_words,
	.about = "Roles that may edit it",
	.place = PLACE(policy, http.studio_roles),
	.judge = judge_name,
	.max = 64,
	.pattern = NAME_PATTERN},
    KEY_END,
};

#define TLS_FILE(name_, about_, member)                                                            \
	{                                                                                          \
		.name = (name_), .read = read_text, .about = (about_),                             \
		.place = PLACE(policy, http.tls.member), .max = PATH_BYTES_MAX                     \
	}

static const struct schema_key tls_keys[] = {
    TLS_FILE("cert", "The server's certificate chain, PEM", cert),
    TLS_FILE("key", "Its private key, PEM", key),
    TLS_FILE("client_ca", "Authorities of client certificates, PEM", client_ca),
    {.name = "require_client_cert",
	.read = read_bool,
	.about = "Clients without a certificate are refused (false)",
	.place = PLACE(policy, http.tls.require_client_cert)},
    KEY_END,
};

static const struct schema_key metrics_keys[] = {
    {.name = "enabled",
	.read = read_bool,
	.about = "GET /metrics answers (false)",
	.place = PLACE(policy, http.metrics)},
    KEY_END,
};

static const struct schema_key tracing_keys[] = {
    {.name = "enabled",
	.read = read_bool,
	.about = "Traces are sent (false)",
	.place = PLACE(policy, http.tracing)},
    {.name = "endpoint",
	.read = read_text,
	.about = "Where to: host:port of an OTLP collector",
	.place = PLACE(policy, http.tracing_endpoint),
	.max = 255,
	.judge = judge_endpoint},
    KEY_END,
};

static const struct schema_key observability_keys[] = {
    {.name = "metrics", .read = read_section, .about = "Numbers to fetch", .keys = metrics_keys},
    {.name = "tracing", .read = read_section, .about = "Traces to send", .keys = tracing_keys},
    KEY_END,
};

#define SECTION(name_, about_, keys_)                                                              \
	{                                                                                          \
		.name = (name_), .read = read_section, .about = (about_), .keys = (keys_)          \
	}

static const struct schema_key outgoing_keys[] = {
    NETWORKS("networks", "Private networks that may be reached", outgoing.networks, judge_network),
    {.name = "ca",
	.read = read_text,
	.about = "Authorities beside the system's, PEM",
	.place = PLACE(policy, http.outgoing.ca),
	.pos_place = PLACE(policy, http.outgoing.ca_pos),
	.max = PATH_BYTES_MAX},
    KEY_END,
};

const struct schema_key server_keys[] = {
    SECTION("socket", "The Unix socket", socket_keys),
    {.name = "listen",
	.read = read_text,
	.about = "Address of HTTP, or the path of a Unix socket (127.0.0.1)",
	.place = PLACE(policy, http.listen),
	.pos_place = PLACE(policy, http.listen_pos),
	.max = PATH_BYTES_MAX,
	.judge = judge_listen},
    {.name = "port",
	.read = read_count,
	.about = "Port of HTTP, 1 to 65535; absent: no HTTP",
	.place = PLACE(policy, http.port),
	.pos_place = PLACE(policy, http.port_pos),
	.min = 1,
	.max = 65535,
	.range = "1 to 65535"},
    {.name = "max_upload_bytes",
	.read = read_size,
	.about = "Of one request, 1KiB to 1GiB (1MiB)",
	.place = PLACE(policy, http.max_upload_bytes),
	.min = KIB,
	.max = GIB,
	.range = "1KiB to 1GiB"},
    NETWORKS("trusted_proxies",
	"Networks whose X-Forwarded-For counts, and unix: who comes by listen's path",
	trusted_proxies, judge_proxy),
    NETWORKS("ip_allowlist", "Networks that may come in; absent: any", ip_allowlist, judge_network),
    {.name = "auth",
	.read = read_section,
	.about = "How HTTP requests are authenticated",
	.pos_place = PLACE(policy, http.auth.pos),
	.given_place = PLACE(policy, http.auth.given),
	.keys = auth_keys},
    SECTION("cors", "Which web pages may call", cors_keys),
    {.name = "rate_limiting",
	.read = read_section,
	.about = "How many requests HTTP takes",
	.given_place = PLACE(policy, http.rate.given),
	.keys = rate_keys},
    SECTION("studio", "Editing the policy over HTTP", studio_keys),
    {.name = "tls",
	.read = read_section,
	.about = "HTTPS",
	.pos_place = PLACE(policy, http.tls.pos),
	.given_place = PLACE(policy, http.tls.given),
	.keys = tls_keys},
    SECTION("observability", "Metrics and traces", observability_keys),
    {.name = "url",
	.read = read_text,
	.about = "Its public address, as https://gate.example",
	.place = PLACE(policy, http.url),
	.max = 512,
	.judge = judge_site_url},
    {.name = "hosts",
	.read = read_words,
	.about = "Names it answers to, beside that of url",
	.place = PLACE(policy, http.hosts),
	.judge = judge_host,
	.max = 64},
    SECTION("outgoing", "Where callgate may go itself", outgoing_keys),
    KEY_END,
};
