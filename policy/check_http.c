#include "policy/check.h"

#include <errno.h>
#include <string.h>

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
	return check_jwt(schema, auth);
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

	for (uint32_t i = 0; i < roles->count; i++) {
		if (!policy_find_role(policy, roles->items[i].text))
			return schema_refuse_at(schema, roles->items[i].pos, "server.studio.roles",
			    "there is no role '%.64s'; define it under roles: or remove it",
			    schema_shown(schema, roles->items[i].text));
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
}

int http_check(struct schema *schema, const struct policy *policy)
{
	int fault = check_auth(schema, policy);

	if (!fault)
		fault = check_tls(schema, &policy->http.tls);
	if (!fault)
		fault = check_studio(schema, policy);
	if (!fault)
		warn_http(schema, &policy->http);
	return fault;
}
