#include "agent-api/web/wellknown.h"

#include <stdio.h>

#include "agent-api/web/web.h"
#include "agent-api/wire/mcp.h"
#include "supervisor/base/cleanup.h"

#define METADATA "/.well-known/oauth-protected-resource"

char *wellknown_url(
    char out[WELLKNOWN_URL_MAX], const struct site *site, const struct http_request *request)
{
	struct http_text host = request->head->host;
	struct http_text name, port;
	int n;

	if (*site->said->url)
		n = snprintf(out, WELLKNOWN_URL_MAX, "%s", site->said->url);
	else if (site_split_host(host, &name, &port))
		n = snprintf(out, WELLKNOWN_URL_MAX, "%s://%.*s",
		    request->client.https ? "https" : "http", (int)host.len, host.at);
	else
		n = -1;
	if (n < 0 || n >= WELLKNOWN_URL_MAX)
		out[0] = '\0';
	return out;
}

void wellknown_challenge(struct reply *reply, const struct site *site,
    const struct http_request *request, const char *challenge)
{
	char url[WELLKNOWN_URL_MAX];
	bool has_metadata = *site->said->issuer && *wellknown_url(url, site, request);

	if (has_metadata)
		reply_field(reply, "WWW-Authenticate",
		    "Bearer resource_metadata=\"%s" METADATA "\"%s%s", url, *challenge ? ", " : "",
		    challenge);
	else
		reply_field(
		    reply, "WWW-Authenticate", "Bearer%s%s", *challenge ? " " : "", challenge);
}

static void answer_value(struct web *web, struct http_request *request, json_t *value)
{
	struct reply cleanup_with(reply_fini) reply;

	reply_init(&reply, 200);
	reply_value(&reply, value);
	json_decref(value);
	web_answer(web, request, &reply);
}

/* RFC 9728. The resource is the address whose well-known one this is. */
static void answer_resource(struct web *web, struct http_request *request, const char *path)
{
	const struct site *site = web->site;
	char url[WELLKNOWN_URL_MAX], resource[WELLKNOWN_URL_MAX + 8];

	if (!*site->said->issuer || !*wellknown_url(url, site, request)) {
		web_answer_error(
		    web, request, 404, "this server takes no tokens of an authorization server");
		return;
	}
	(void)snprintf(resource, sizeof(resource), "%s%s", url, path); /* it fits */
	answer_value(web, request,
	    json_pack("{s:s, s:[s], s:[s], s:s}", "resource", resource, "authorization_servers",
		site->said->issuer, "bearer_methods_supported", "header", "resource_name",
		"callgate"));
}

void wellknown_resource(struct web *web, struct http_request *request,
    const struct http_match *match, const struct route *route)
{
	(void)match;
	(void)route;
	answer_resource(web, request, "");
}

void wellknown_resource_mcp(struct web *web, struct http_request *request,
    const struct http_match *match, const struct route *route)
{
	(void)match;
	(void)route;
	answer_resource(web, request, "/mcp");
}

/* How one proves who he is, as OpenAPI has it; {} where nobody has to. */
static json_t *security_schemes(const struct site *site)
{
	json_t *schemes = json_object();

	if (!site->said->auth)
		return schemes;
	(void)json_object_set_new(schemes, "apiKey",
	    json_pack("{s:s, s:s, s:s}", "type", "apiKey", "in", "header", "name", "X-API-Key"));
	(void)json_object_set_new(
	    schemes, "bearer", json_pack("{s:s, s:s}", "type", "http", "scheme", "bearer"));
	if (site->said->has_ca)
		(void)json_object_set_new(
		    schemes, "mutualTLS", json_pack("{s:s}", "type", "mutualTLS"));
	return schemes;
}

/* Which agents there are is told to those who may see them, by GET /agents. */
void wellknown_card(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	char url[WELLKNOWN_URL_MAX], mcp[WELLKNOWN_URL_MAX + 8];

	(void)match;
	(void)route;
	(void)wellknown_url(url, web->site, request);
	(void)snprintf(mcp, sizeof(mcp), "%s/mcp", url); /* it fits */
	answer_value(web, request,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:b, s:b}, s:[s], s:[s], s:[], s:o}", "name",
		"callgate", "description",
		"The gate between agents and this machine: every tool call is judged by policy, "
		"may wait for a person's approval, and runs isolated.",
		"url", mcp, "version", CALLGATE_VERSION, "preferredTransport", "MCP",
		"capabilities", "streaming", 1, "pushNotifications", 0, "defaultInputModes",
		"application/json", "defaultOutputModes", "application/json", "skills",
		"securitySchemes", security_schemes(web->site)));
}
