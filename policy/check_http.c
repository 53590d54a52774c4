#include "policy/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/order.h"

#define PATH_SHOWN_MAX 80

/* ---- who is judged ------------------------------------------------------------------------ */

/* A token is judged by who signed it, who issued it and for whom: all three or none. */
static int check_jwt(struct schema *schema, const struct policy_auth *auth)
{
	const struct {
		const char *path;
		const char *text;
		const struct policy_pos *pos;
	} keys[] = {
	    {"server.auth.jwks_url", auth->jwks_url, &auth->jwks_url_pos},
	    {"server.auth.issuer", auth->issuer, &auth->issuer_pos},
	    {"server.auth.audience", auth->audience, &auth->audience_pos},
	};
	size_t given = 0, last = 0;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].text[0]) {
			given++;
			last = i;
		}
	}
	if (!given || given == sizeof(keys) / sizeof(keys[0]))
		return 0;
	return schema_refuse_at(schema, *keys[last].pos, keys[last].path,
	    "is not enough to judge a token; give jwks_url, issuer and audience, or none of them");
}

static int check_auth(struct schema *schema, const struct policy *policy)
{
	const struct policy_auth *auth = &policy->http.auth;
	const struct policy_pos pos = auth->pos;

	if (auth->require_auth && !auth->enabled)
		return schema_refuse_at(schema, pos, "server.auth.require_auth",
		    "looks at no credential; write enabled: true beside it");
	if (auth->keep_keys_ms < auth->refresh_interval_ms)
		return schema_refuse_at(schema, auth->keep_keys_pos, "server.auth.keep_keys",
		    "is shorter than refresh_interval, so keys would be dropped before they are "
		    "fetched again; raise it");
	return check_jwt(schema, auth);
}

/* Matchers that nothing can meet: the row gives nobody anything, so it is only said. */
static void warn_matchers(struct schema *schema, const struct policy *policy, uint32_t index)
{
	const struct policy_principal *row = &policy->principals[index];
	const struct policy_http *http = &policy->http;
	char path[PATH_SHOWN_MAX];

	snprintf(path, sizeof(path), "principals[%u]", index);
	if (row->jwt_claim[0] && !(http->auth.enabled && http->auth.jwks_url[0]))
		schema_warn_at(schema, row->pos, path,
		    "jwt matches nobody while no token is judged; give server.auth enabled, "
		    "jwks_url, issuer and audience");
	if (row->cert_san[0] && !http->tls.client_ca[0])
		schema_warn_at(schema, row->pos, path,
		    "client_cert matches nobody while no certificate is judged; give "
		    "server.tls.client_ca");
	if (row->api_key[0] && !words_hold(&http->auth.api_keys, row->api_key))
		schema_warn_at(schema, row->pos, path,
		    "there is no static key '%.64s'; write \"${%.64s}\" under "
		    "server.auth.api_keys",
		    schema_shown(schema, row->api_key), schema_shown(schema, row->api_key));
}

/* Rights that are about people, which whoever shows nothing cannot be one of. */
#define NOT_ANONYMOUS                                                                              \
	(PERMISSION(APPROVALS_DECIDE) | PERMISSION(KEYS_MANAGE) | PERMISSION(TOKENS_ISSUE) |       \
	    PERMISSION(POLICY_EDIT) | PERMISSION(VAULT_USE) | PERMISSION(DAEMON_CONTROL))

static void warn_anonymous(struct schema *schema, const struct policy *policy, uint32_t index)
{
	const struct policy_principal *row = &policy->principals[index];
	char path[PATH_SHOWN_MAX];

	snprintf(path, sizeof(path), "principals[%u]", index);
	for (uint32_t i = 0; row->anonymous && i < row->roles.count; i++) {
		const struct policy_role *role = policy_find_role(policy, row->roles.items[i].text);

		if (role && role->permissions & NOT_ANONYMOUS)
			schema_warn_at(schema, row->pos, path,
			    "whoever shows nothing gets role '%.64s', with permissions to decide, "
			    "manage or edit; give him a role of his own",
			    role->name);
	}
}

/* ---- where it listens --------------------------------------------------------------------- */

/* A path of this machine is as near as the loopback. */
static bool listens_near(const char *listen)
{
	static const unsigned char one[16] = {[15] = 1};
	static const unsigned char mapped[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
	unsigned char address[16];

	if (strchr(listen, '/'))
		return true;
	if (inet_pton(AF_INET, listen, address) == 1)
		return address[0] == 127;
	return inet_pton(AF_INET6, listen, address) == 1 &&
	       (!memcmp(address, one, sizeof(one)) || !memcmp(address, mapped, sizeof(mapped)));
}

static bool trusts_network(const struct policy_http *http)
{
	for (uint32_t i = 0; i < http->trusted_proxies.count; i++) {
		if (!http_is_local_proxy(http->trusted_proxies.items[i].text))
			return true;
	}
	return false;
}

static int check_listen(struct schema *schema, const struct policy_http *http)
{
	const struct policy_auth *auth = &http->auth;

	if (strchr(http->listen, '/') && http->port)
		return schema_refuse_at(schema, http->port_pos, "server.port",
		    "belongs to an address, and listen is a path; remove one of them");
	if (!http_serves(http) || listens_near(http->listen))
		return 0;
	if (!auth->enabled && !auth->require_auth_given)
		return schema_refuse_at(schema, http->listen_pos, "server.listen",
		    "lets in everybody who reaches this address, since no credential is looked at; "
		    "write server.auth.enabled: true, or server.auth.require_auth: false if that "
		    "is meant");
	if (!http->tls.cert[0] && !trusts_network(http))
		schema_warn_at(schema, http->listen_pos, "server.listen",
		    "credentials cross the network in the clear; give server.tls, or name the "
		    "proxy that does TLS under server.trusted_proxies");
	if (!http->rate.given)
		schema_warn_at(schema, http->listen_pos, "server.listen",
		    "nothing bounds the requests of one address; give server.rate_limiting");
	return 0;
}

static int check_tls(struct schema *schema, const struct policy_tls *tls)
{
	if (!tls->cert[0] != !tls->key[0])
		return schema_refuse_at(
		    schema, tls->pos, "server.tls", "is half a certificate; give cert and key");
	if (tls->client_ca[0] && !tls->cert[0])
		return schema_refuse_at(schema, tls->pos, "server.tls.client_ca",
		    "judges nobody without cert and key; give them");
	if (tls->require_client_cert && !tls->client_ca[0])
		return schema_refuse_at(schema, tls->pos, "server.tls.require_client_cert",
		    "can judge no certificate; give client_ca");
	return 0;
}

static int check_studio(struct schema *schema, const struct policy *policy)
{
	const struct policy_words *roles = &policy->http.studio_roles;
	const struct policy_pos start = {1, 1};

	for (uint32_t i = 0; i < roles->count; i++) {
		bool said = roles->items[i].pos.line > 0;

		/* The default is looked for only where it counts. */
		if (!said && !policy->http.studio)
			continue;
		if (!policy_find_role(policy, roles->items[i].text))
			return schema_refuse_at(schema, said ? roles->items[i].pos : start,
			    "server.studio.roles",
			    "there is no role '%.64s'; define it under roles: or remove it",
			    said ? schema_shown(schema, roles->items[i].text)
				 : roles->items[i].text);
	}
	return 0;
}

static void warn_http(struct schema *schema, const struct policy_http *http)
{
	const struct policy_words *origins = &http->cors.allowed_origins;

	for (uint32_t i = 0; i < origins->count; i++) {
		if (!strcmp(origins->items[i].text, "*"))
			schema_warn_at(schema, origins->items[i].pos, "server.cors.allowed_origins",
			    "* lets the pages of every site call; name the origins");
	}
	if (http_trusts_local(http) && !strchr(http->listen, '/'))
		schema_warn_at(schema, http->trusted_proxies.items[0].pos, "server.trusted_proxies",
		    "unix is whoever comes by a Unix path, and listen is none; remove it, or write "
		    "listen: ./http.sock");
	if (!http_trusts_local(http) && strchr(http->listen, '/') && http->ip_allowlist.count > 0)
		schema_warn_at(schema, http->ip_allowlist.items[0].pos, "server.ip_allowlist",
		    "who comes by a Unix socket has no address and is in no list, so everybody is "
		    "refused; remove it, and let the socket's mode and group say who may come, or "
		    "write server.trusted_proxies: [unix] where only a proxy comes by it");
}

/* What a variable opens here, beside the place that names it; NULL: nothing. A key of the gate, or
 * what a channel's answers are known by, is of no good use to a tool or to another channel. */
static const char *secret_of(const struct policy *policy, const char *name, bool is_channel)
{
	const struct policy_auth *auth = &policy->http.auth;

	if (!name || !name[0])
		return NULL;
	if (auth->service_key_env && !strcmp(auth->service_key_env, name))
		return "the service key";
	for (uint32_t i = 0; i < auth->api_keys.count; i++) {
		if (!strcmp(auth->api_keys.items[i].text, name))
			return "an API key of this gate";
	}
	for (uint32_t i = 0; i < policy->channel_count && !is_channel; i++) {
		if (!strcmp(policy->channels[i].secret_env, name))
			return "the secret of a channel";
	}
	return NULL;
}

static int refuse_secret(
    struct schema *schema, struct policy_pos pos, const char *path, const char *what)
{
	return schema_refuse_at(schema, pos, path,
	    "names %s, which nobody else may have; give it a variable of its own", what);
}

static int check_variables(struct schema *schema, const struct policy *policy)
{
	char path[320];
	const char *what;

	for (uint32_t i = 0; i < policy->channel_count; i++) {
		const struct policy_channel *channel = &policy->channels[i];

		what = secret_of(policy, channel->secret_env, true);
		if (!what)
			what = secret_of(policy, channel->url_env, true);
		(void)snprintf(path, sizeof(path), "approvals.channels.%.64s", channel->name);
		if (what)
			return refuse_secret(schema, channel->pos, path, what);
	}
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		const struct policy_tool *tool = &policy->tools[i];

		for (uint32_t j = 0; j < tool->env_count; j++) {
			what = tool->env[j].source == ENV_VARIABLE
				   ? secret_of(policy, tool->env[j].text, false)
				   : NULL;
			(void)snprintf(path, sizeof(path), "tools.%.64s.env.%.64s", tool->name,
			    tool->env[j].name);
			if (what)
				return refuse_secret(schema, tool->env[j].pos, path, what);
		}
	}
	return 0;
}

int http_check(struct schema *schema, const struct policy *policy)
{
	int fault = check_auth(schema, policy);

	if (!fault)
		fault = check_variables(schema, policy);

	if (!fault)
		fault = check_tls(schema, &policy->http.tls);
	if (!fault)
		fault = check_studio(schema, policy);
	if (!fault)
		fault = check_listen(schema, &policy->http);
	if (fault)
		return fault;
	warn_http(schema, &policy->http);
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		warn_matchers(schema, policy, i);
		warn_anonymous(schema, policy, i);
	}
	return 0;
}
