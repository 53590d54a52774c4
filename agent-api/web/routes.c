#include "agent-api/web/routes.h"

#include <stdio.h>
#include <string.h>

#include "agent-api/web/cors.h"
#include "agent-api/web/mcp.h"
#include "agent-api/web/page.h"
#include "agent-api/web/rest.h"
#include "agent-api/web/web.h"
#include "agent-api/web/wellknown.h"
#include "agent-api/wire/limits.h"
#include "supervisor/base/cleanup.h"

static route_handler answer_health;

/* X(id, method, pattern, handler, request of engine, status of a result, body). The first row that
 * fits counts. openapi.yaml documents each. */
#define ROUTES(X)                                                                                  \
	X(HEALTH, GET, "/health", answer_health, NONE, 200, NONE)                                  \
	X(MCP, POST, "/mcp", mcp_take, NONE, 200, BYTES)                                           \
	X(TOOLS, GET, "/tools", rest_tools, TOOLS_LIST, 200, NONE)                                 \
	X(AGENTS, GET, "/agents", rest_forward, AGENTS_LIST, 200, NONE)                            \
	X(METRICS, GET, "/metrics", rest_metrics, METRICS, 200, NONE)                              \
	X(CALL, POST, "/v1/tools/{name}/call", rest_call, TOOLS_CALL, 200, JSON)                   \
	X(APPROVALS, GET, "/v1/approvals", rest_approvals, APPROVALS_LIST, 200, NONE)              \
	X(APPROVAL, GET, "/v1/approvals/{id}", rest_forward, APPROVALS_GET, 200, NONE)             \
	X(CALLBACK, POST, "/v1/approvals/callback/{channel}", rest_callback, CALLBACK, 200, BYTES) \
	X(DECISION, POST, "/v1/approvals/{id}/decision", rest_forward, APPROVALS_DECIDE, 200,      \
	    JSON)                                                                                  \
	X(EFFECTS, GET, "/v1/effects", rest_forward, EFFECTS_LIST, 200, NONE)                      \
	X(EFFECT, GET, "/v1/effects/{id}", rest_forward, EFFECTS_GET, 200, NONE)                   \
	X(CONTENTS, GET, "/v1/effects/{id}/contents", rest_contents, EFFECTS_LOOK, 200, NONE)      \
	X(COMMIT, POST, "/v1/effects/{id}/commit", rest_forward, EFFECTS_COMMIT, 200, JSON)        \
	X(UNDO, POST, "/v1/effects/{id}/undo", rest_forward, EFFECTS_UNDO, 200, JSON)              \
	X(DISCARD, POST, "/v1/effects/{id}/discard", rest_forward, EFFECTS_DISCARD, 200, JSON)     \
	X(KEYS, GET, "/v1/keys", rest_keys, KEYS_LIST, 200, NONE)                                  \
	X(KEY_CREATE, POST, "/v1/keys", rest_forward, KEYS_CREATE, 201, JSON)                      \
	X(KEY_ROTATE, POST, "/v1/keys/{id}/rotate", rest_forward, KEYS_ROTATE, 200, JSON)          \
	X(KEY_REVOKE, DELETE, "/v1/keys/{id}", rest_forward, KEYS_REVOKE, 200, NONE)               \
	X(TOKEN, POST, "/v1/tokens", rest_forward, TOKENS_ISSUE, 201, JSON)                        \
	X(WHOAMI, GET, "/v1/whoami", rest_forward, WHOAMI, 200, NONE)                              \
	X(CONFIG, GET, "/api/config", rest_config, CONFIG_READ, 200, NONE)                         \
	X(CONFIG_WRITE, POST, "/api/config", rest_config, CONFIG_WRITE, 200, JSON)                 \
	X(RESOURCE, GET, "/.well-known/oauth-protected-resource", wellknown_resource, NONE, 200,   \
	    NONE)                                                                                  \
	X(RESOURCE_MCP, GET, "/.well-known/oauth-protected-resource/mcp", wellknown_resource_mcp,  \
	    NONE, 200, NONE)                                                                       \
	X(CARD, GET, "/.well-known/agent-card.json", wellknown_card, NONE, 200, NONE)              \
	X(JWKS, GET, "/.well-known/jwks.json", rest_forward, TOKENS_KEYS, 200, NONE)               \
	X(PAGE, GET, "/", page_html, NONE, 200, NONE)                                              \
	X(PAGE_STYLE, GET, "/page.css", page_css, NONE, 200, NONE)                                 \
	X(PAGE_SCRIPT, GET, "/page.js", page_js, NONE, 200, NONE)

#define ID_(id, method, pattern, handler, request, status, body) ROUTE_##id,
#define PATH_(id, method, pattern, handler, request, status, body)                                 \
	{HTTP_METHOD_##method, pattern, ROUTE_##id},
#define ROW_(id, method, pattern, handler, request, status, body)                                  \
	[ROUTE_##id] = {handler, REQUEST_##request, status, ROUTE_BODY_##body},

enum route_id { ROUTE_NONE = 0, ROUTES(ID_) };

static const struct http_route PATHS[] = {ROUTES(PATH_)};
static const struct route ROWS[] = {ROUTES(ROW_)};
#define PATH_COUNT (sizeof(PATHS) / sizeof(PATHS[0]))

const struct http_route *route_table(size_t *ret_count)
{
	*ret_count = PATH_COUNT;
	return PATHS;
}

const struct route *route_row(size_t index)
{
	return &ROWS[PATHS[index].id];
}

/* ---- admission -------------------------------------------------------------------------- */

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t body_max_of(const struct web *web, int id)
{
	uint64_t site_max = web->site->said->body_max;

	if (id == ROUTE_CALLBACK)
		return at_most(site_max, WEB_CALLBACK_MAX);
	return ROWS[id].body == ROUTE_BODY_NONE ? 0 : at_most(site_max, WIRE_MESSAGE_MAX);
}

/* What is not served is refused here where it brings a body, which nobody will read; without one
 * it can be answered in good order, and the connection goes on. */
int route_admit(const struct web *web, const struct http_request *request, uint64_t *body_max,
    struct http_match *ret_match, struct http_refusal *ret_why)
{
	struct http_refusal unknown = {0};
	int status = http_route_find(PATHS, PATH_COUNT, request->head, ret_match, &unknown);
	const struct admission admission = {.open = ret_match->id == ROUTE_HEALTH,
	    .any_type = status || ret_match->id == ROUTE_CALLBACK};
	int r = admission_judge(web->site, &admission, request, ret_why);

	if (r)
		return r;
	*body_max = status ? 0 : body_max_of(web, ret_match->id);
	if (status && request->head->framing != HTTP_FRAMING_NONE) {
		*ret_why = unknown;
		return status;
	}
	return 0;
}

/* ---- taking ----------------------------------------------------------------------------- */

static void answer_preflight(
    struct web *web, struct http_request *request, const struct http_match *match)
{
	struct reply cleanup_with(reply_fini) reply;

	reply_init(&reply, 204);
	cors_preflight(&reply, web->site, request->head, match->allow);
	web->counts.answered++;
	/* Not dressed: the preflight says all of CORS itself. */
	(void)http_answer(
	    request, &(struct http_reply){.status = reply.overfull ? 500 : reply.status,
			 .type = reply.body.len > 0 ? reply.type : NULL,
			 .fields = reply.fields,
			 .field_count = reply.overfull ? 0 : reply.field_count,
			 .body = reply.body.data,
			 .len = reply.body.len});
}

static void answer_unrouted(struct web *web, struct http_request *request,
    const struct http_match *match, const struct http_refusal *why)
{
	struct reply cleanup_with(reply_fini) reply;

	reply_init(&reply, why->status);
	reply_error(&reply, why->status, why->reason, NULL);
	if (why->status == 405)
		reply_field(&reply, "Allow", "%s", match->allow);
	web_answer(web, request, &reply);
}

/* What a preflight promises to pages of others, which read an answer only where it says so. */
static void health_for_pages(
    struct web *web, struct http_request *request, int status, const char *body)
{
	struct reply cleanup_with(reply_fini) reply;
	struct http_reply http;

	reply_init(&reply, status);
	buf_put(&reply.body, body, strlen(body));
	web_dress(web, request, &reply);
	http = reply_http(&reply);
	(void)http_answer(request, &http);
}

/* Monitors ask this ten times a second: nothing is made for it. */
static void answer_health(struct web *web, struct http_request *request,
    const struct http_match *match, const struct route *route)
{
	static const char ok[] = "{\"status\":\"ok\",\"version\":\"" CALLGATE_VERSION "\"}";
	static const char draining[] =
	    "{\"status\":\"draining\",\"version\":\"" CALLGATE_VERSION "\"}";
	static const struct http_field fields[] = {{"Cache-Control", "no-store"}};
	bool serves = web->phase == WEB_SERVING;

	(void)match;
	(void)route;
	web->counts.health++;
	if (web->site->said->cors_origins.count > 0) {
		health_for_pages(web, request, serves ? 200 : 503, serves ? ok : draining);
		return;
	}
	(void)http_answer(request, &(struct http_reply){.status = serves ? 200 : 503,
				       .type = REPLY_JSON,
				       .fields = fields,
				       .field_count = 1,
				       .body = serves ? ok : draining,
				       .len = (serves ? sizeof(ok) : sizeof(draining)) - 1});
}

void route_take(struct web *web, struct http_request *request)
{
	struct http_match match;
	struct http_refusal why = {0};
	int status = http_route_find(PATHS, PATH_COUNT, request->head, &match, &why);

	if (status == 405 && cors_is_preflight(request->head))
		answer_preflight(web, request, &match);
	else if (status)
		answer_unrouted(web, request, &match, &why);
	else
		ROWS[match.id].handler(web, request, &match, &ROWS[match.id]);
}
