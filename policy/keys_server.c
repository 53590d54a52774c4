#include "policy/keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

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

/* ---- addresses ---------------------------------------------------------------------------- */

static const char *judge_address(const char *text)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
		return NULL;
	return "is not an address; write one such as 127.0.0.1 or ::1";
}

/* True when bits of the address beyond the prefix are set. */
static bool has_host_bits(const unsigned char *address, unsigned bytes, unsigned prefix)
{
	for (unsigned i = prefix; i < bytes * 8; i++) {
		if (address[i / 8] & (0x80u >> (i % 8)))
			return true;
	}
	return false;
}

/* An address, or a network as ADDRESS/PREFIX. */
static const char *judge_network(const char *text)
{
	static const char why[] = "is not a network; write one such as 10.0.0.0/8 or fd00::/8";
	unsigned char address[16];
	uint64_t prefix = 0;
	char plain[64];
	size_t len = strcspn(text, "/");
	unsigned bytes;

	if (len >= sizeof(plain))
		return why;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET, plain, address) == 1)
		bytes = 4;
	else if (inet_pton(AF_INET6, plain, address) == 1)
		bytes = 16;
	else
		return why;
	if (!text[len])
		return NULL;
	if (str_u64(text + len + 1, bytes * 8, &prefix) || (text[len + 1] == '0' && text[len + 2]))
		return why;
	return has_host_bits(address, bytes, (unsigned)prefix)
		   ? "has bits set beyond its prefix; write the network's first address"
		   : NULL;
}

/* The length of HOST at the start of text; 0: there is none. */
static size_t name_len(const char *text)
{
	static const char fit[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t len;

	if (text[0] == '[') {
		len = strspn(text + 1, "0123456789abcdefABCDEF:.");
		return len && text[len + 1] == ']' ? len + 2 : 0;
	}
	return text[0] == '.' || text[0] == '-' ? 0 : strspn(text, fit);
}

/* The length of :PORT at the start of text; 0: there is none. */
static size_t port_len(const char *text)
{
	size_t digits = text[0] == ':' ? strspn(text + 1, "0123456789") : 0;
	char port[8];
	uint64_t value;

	if (!digits || digits >= sizeof(port))
		return 0;
	memcpy(port, text + 1, digits);
	port[digits] = '\0';
	return str_u64(port, 65535, &value) || !value ? 0 : digits + 1;
}

/* The length of HOST[:PORT]; 0: there is none. */
static size_t host_len(const char *text)
{
	size_t len = name_len(text);

	return len ? len + port_len(text + len) : 0;
}

static bool is_loopback(const char *host, size_t len)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t name = strlen(names[i]);

		if (len >= name && !strncmp(host, names[i], name) &&
		    (len == name || host[name] == ':'))
			return true;
	}
	return false;
}

/* Keys that are fetched in the clear can be replaced on the way; only this machine may do so. */
static const char *judge_url(const char *text)
{
	const char *host = strstr(text, "://");
	size_t len;

	if (!host || text[strcspn(text, " \t\n#@\\")])
		return "is not a URL; write https://host/path without blanks, @ and #";
	host += 3;
	len = host_len(host);
	if (!len || (host[len] && host[len] != '/'))
		return "is not a URL; write https://host/path without blanks, @ and #";
	if (!strncmp(text, "https://", 8))
		return NULL;
	return !strncmp(text, "http://", 7) && is_loopback(host, len)
		   ? NULL
		   : "is not fetched safely; write https:// (http:// only for localhost)";
}

static const char *judge_endpoint(const char *text)
{
	size_t name = name_len(text);
	size_t port = name ? port_len(text + name) : 0;

	return port && !text[name + port] ? NULL
					  : "is not host:port; write one such as localhost:4318";
}

static const char *judge_origin(const char *text)
{
	static const char why[] =
	    "is not an origin; write scheme://host[:port] without a path, or *";
	const char *host = strstr(text, "://");
	size_t len;

	if (!strcmp(text, "*"))
		return NULL;
	if (strncmp(text, "https://", 8) && strncmp(text, "http://", 7))
		return why;
	len = host_len(host + 3);
	return len && !host[3 + len] ? NULL : why;
}

static const char *judge_method(const char *text)
{
	static const char *const methods[] = {
	    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!strcmp(text, methods[i]))
			return NULL;
	}
	return "is not a method of HTTP; choose from GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
}

/* A token of RFC 9110. */
static const char *judge_header(const char *text)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "!#$%&'+-.^_`|~";

	return text[strspn(text, fit)] ? "is not a header's name; use letters, digits and -" : NULL;
}

static const char *judge_url_path(const char *text)
{
	if (text[0] != '/' || text[strcspn(text, " \t\n?#*%\\")] || text_climbs(text) ||
	    strstr(text, "//"))
		return "is not a plain path; write one such as /health, matched whole";
	return NULL;
}

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

#define NETWORKS(name_, about_, member)                                                            \
	{                                                                                          \
		.name = (name_), .read = read_words, .about = (about_),                            \
		.place = PLACE(policy, http.member), .judge = judge_network, .max = 1024           \
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
    {.name = "excluded_paths",
	.read = read_words,
	.about = "Paths that need no credential",
	.place = PLACE(policy, http.auth.excluded_paths),
	.judge = judge_url_path,
	.max = 64},
    NETWORKS("ip_allowlist", "Networks that may come in, too", auth.ip_allowlist),
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

const struct schema_key server_keys[] = {
    SECTION("socket", "The Unix socket", socket_keys),
    {.name = "listen",
	.read = read_text,
	.about = "Address of HTTP (127.0.0.1)",
	.place = PLACE(policy, http.listen),
	.max = 64,
	.judge = judge_address},
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
    NETWORKS("trusted_proxies", "Networks whose X-Forwarded-For counts", trusted_proxies),
    NETWORKS("ip_allowlist", "Networks that may come in; absent: any", ip_allowlist),
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
    KEY_END,
};
