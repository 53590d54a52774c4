#include "agent-api/web/rest.h"

#include <errno.h>
#include <string.h>

#include "agent-api/web/exchange.h"
#include "agent-api/web/head_field.h"
#include "agent-api/web/names.h"
#include "agent-api/web/web.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define QUERY_VALUE_MAX 512

/* One request on its way. */
struct rest {
	struct web *web;
	struct http_request *request;
	const struct http_match *match;
	const struct route *route;
	json_t *params; /* owned */
	enum exchange_form form;
	const char *type;
	struct names names;
	const char *tool;
};

static void rest_init(struct rest *rest, struct web *web, struct http_request *request,
    const struct http_match *match, const struct route *route)
{
	*rest = (struct rest){.web = web,
	    .request = request,
	    .match = match,
	    .route = route,
	    .form = EXCHANGE_ROUTE,
	    .tool = ""};
}

static void rest_fini(struct rest *rest)
{
	json_decref(rest->params);
}

/* ---- reading; each answers the request itself where it returns false -------------------- */

static bool refuse(const struct rest *rest, int status, const char *why)
{
	web_answer_error(rest->web, rest->request, status, why);
	return false;
}

static bool read_body(struct rest *rest)
{
	const struct http_request *request = rest->request;
	struct err_note note;
	int r;

	if (rest->route->body != ROUTE_BODY_JSON || request->body_len == 0) {
		rest->params = json_object();
		return rest->params || refuse(rest, 503, "no memory for the request");
	}
	r = value_read(request->body, request->body_len, &rest->params, &note);
	if (r == -EINVAL)
		return refuse(rest, 400, note.text);
	if (r < 0)
		return refuse(rest, 503, "no memory for the request");
	return json_is_object(rest->params) ||
	       refuse(rest, 400, "the body must be one JSON object");
}

/* A field that the body has, too, must mean the same. */
static bool add_text(struct rest *rest, const char *key, const char *value)
{
	const json_t *there = json_object_get(rest->params, key);

	if (there && (!json_is_string(there) || strcmp(json_string_value(there), value) != 0))
		return refuse(rest, 400, "the path and the body name different things");
	return json_object_set_new(rest->params, key, json_string(value)) == 0 ||
	       refuse(rest, 503, "no memory for the request");
}

static bool add_path(struct rest *rest)
{
	for (size_t i = 0; i < rest->match->count; i++) {
		const struct http_parameter *at = &rest->match->parameters[i];
		char key[32];
		size_t len = strcspn(at->name, "}");

		if (len >= sizeof(key))
			return refuse(rest, 500, "a route with too long a name");
		memcpy(key, at->name, len);
		key[len] = '\0';
		if (!add_text(rest, key, at->value))
			return false;
	}
	return true;
}

/* One field of the query, "" where it is not there. */
static bool read_query(const struct rest *rest, const char *name, char value[QUERY_VALUE_MAX])
{
	int r = http_query_value(rest->request->head->query, name, value, QUERY_VALUE_MAX);

	value[0] = r == 0 ? value[0] : '\0';
	return r == 0 || r == -ENOENT ||
	       refuse(rest, 400, "the query is badly escaped, too long, or says a field twice");
}

static bool add_query(struct rest *rest, const char *name)
{
	char value[QUERY_VALUE_MAX];

	if (!read_query(rest, name, value))
		return false;
	return !value[0] || add_text(rest, name, value);
}

/* The agent and the namespace: by header, or in the body. */
static bool read_names(struct rest *rest, json_t *body)
{
	struct err_note note;
	const json_t *agent = json_object_get(body, "agent");
	const json_t *space = json_object_get(body, "namespace");

	if ((agent && !json_is_string(agent)) || (space && !json_is_string(space)))
		return refuse(rest, 400, "agent and namespace: must be strings");
	if (names_read(&rest->names, rest->request->head, json_string_value(agent),
		json_string_value(space), &note) < 0)
		return refuse(rest, 400, note.text);
	return true;
}

/* ---- sending ---------------------------------------------------------------------------- */

static void send_body(struct rest *rest, uint16_t request, const json_t *body)
{
	struct buf cleanup_with(buf_fini) text;
	struct exchange_order order = {.form = rest->form,
	    .status = rest->route->status,
	    .type = rest->type,
	    .lasting = request == REQUEST_TOOLS_CALL || request == REQUEST_APPROVALS_WATCH};

	buf_init(&text, MESSAGE_BODY_MAX);
	if (value_write(&text, body) < 0) {
		(void)refuse(rest, 503, "no memory for the request");
		return;
	}
	order.say = (struct message_request){.method = request,
	    .era = ERA_LEGACY,
	    .tool = rest->tool,
	    .agent = rest->names.agent,
	    .space = rest->names.space,
	    .progress = "",
	    .retry = "",
	    .body = {text.data, text.len}};
	exchange_begin(rest->web, rest->request, &order);
}

static void send_params(struct rest *rest)
{
	send_body(rest, rest->route->request, rest->params);
}

void rest_forward(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;

	rest_init(&rest, web, request, match, route);
	if (read_body(&rest) && add_path(&rest) && read_names(&rest, NULL))
		send_params(&rest);
}

void rest_tools(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;

	rest_init(&rest, web, request, match, route);
	if (read_body(&rest) && add_query(&rest, "cursor") && read_names(&rest, NULL))
		send_params(&rest);
}

void rest_keys(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;

	rest_init(&rest, web, request, match, route);
	if (read_body(&rest) && add_query(&rest, "tenant") && add_query(&rest, "after"))
		send_params(&rest);
}

/* Of which path is in the query. */
void rest_contents(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;

	rest_init(&rest, web, request, match, route);
	if (read_body(&rest) && add_path(&rest) && add_query(&rest, "path"))
		send_params(&rest);
}

static bool has_only_call_fields(const struct rest *rest)
{
	const char *key;
	json_t *value;

	json_object_foreach(rest->params, key, value)
	{
		if (strcmp(key, "arguments") != 0 && strcmp(key, "agent") != 0 &&
		    strcmp(key, "namespace") != 0)
			return refuse(rest, 400,
			    "the body has fields besides arguments, agent and namespace");
	}
	return true;
}

void rest_call(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;
	json_t *arguments;
	json_t *none;

	rest_init(&rest, web, request, match, route);
	rest.tool = http_match_value(match, "name");
	if (!read_body(&rest) || !has_only_call_fields(&rest) || !read_names(&rest, rest.params))
		return;
	arguments = json_object_get(rest.params, "arguments");
	if (arguments && !json_is_object(arguments)) {
		(void)refuse(&rest, 400, "arguments: must be an object");
		return;
	}
	if (strlen(rest.tool) > WIRE_TOOL_MAX) {
		(void)refuse(&rest, 404, "no tool has so long a name");
		return;
	}
	none = json_object();
	send_body(&rest, route->request, arguments ? arguments : none);
	json_decref(none);
}

/* With ?since=REVISION: when there is something newer, or after a while. */
void rest_approvals(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;
	char since[QUERY_VALUE_MAX];
	uint64_t revision;

	rest_init(&rest, web, request, match, route);
	if (!read_body(&rest) || !read_query(&rest, "since", since) || !read_names(&rest, NULL))
		return;
	if (!since[0]) {
		send_params(&rest);
		return;
	}
	if (str_u64(since, INT64_MAX, &revision) < 0) {
		(void)refuse(&rest, 400, "since: must be the revision of a list");
		return;
	}
	(void)json_object_set_new(rest.params, "since", json_integer((json_int_t)revision));
	send_body(&rest, REQUEST_APPROVALS_WATCH, rest.params);
}

/* ---- the answer of a channel ------------------------------------------------------------ */

/* What signatures are made of; everything else of the head stays here. */
static bool is_signing_header(struct http_text name)
{
	return http_text_is(name, "x-hub-signature-256") || http_text_is(name, "x-hub-delivery") ||
	       http_text_is(name, "x-github-delivery") || http_text_is(name, "content-type") ||
	       (name.len > 8 && http_text_is((struct http_text){name.at, 8}, "webhook-")) ||
	       (name.len > 8 && http_text_is((struct http_text){name.at, 8}, "x-slack-"));
}

static void lower_case(struct http_text name, char *out)
{
	for (size_t i = 0; i < name.len; i++)
		out[i] =
		    name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] + 32) : name.at[i];
	out[name.len] = '\0';
}

#define SIGNING_NAME_MAX 64

static bool read_signing_headers(struct rest *rest, json_t *headers)
{
	const struct http_head *head = rest->request->head;

	for (size_t i = 0; i < head->count; i++) {
		struct http_text name = http_line_name(head, i);
		struct http_text value = http_line_value(head, i);
		char key[SIGNING_NAME_MAX];

		if (!is_signing_header(name) || name.len >= sizeof(key))
			continue;
		lower_case(name, key);
		if (json_object_get(headers, key))
			return refuse(rest, 400, "a header of the signature is there twice");
		if (json_object_set_new(headers, key, json_stringn(value.at, value.len)) < 0)
			return refuse(rest, 400, "a header of the signature is no UTF-8");
	}
	return true;
}

void rest_callback(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;
	json_t *headers = json_object();
	const char *body = request->body;

	rest_init(&rest, web, request, match, route);
	rest.params = json_pack("{s:O}", "headers", headers);
	/* The signature is over these bytes, so they must arrive as they are. */
	if (request->body_len > 0 &&
	    (memchr(body, '\0', request->body_len) || !str_is_utf8(body, request->body_len))) {
		(void)refuse(&rest, 400, "the body is no text in UTF-8");
	} else if (!rest.params ||
		   json_object_set_new(rest.params, "text",
		       json_stringn(request->body_len ? body : "", request->body_len)) < 0) {
		(void)refuse(&rest, 503, "no memory for the request");
	} else if (read_signing_headers(&rest, headers) && add_path(&rest)) {
		send_params(&rest);
	}
	json_decref(headers);
}

/* ---- what may be switched off ----------------------------------------------------------- */

/* Both formats are text; the newer one only to those who ask for it. */
void rest_metrics(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	struct rest cleanup_with(rest_fini) rest;
	struct http_text accept = head_field(request->head, "accept");
	struct http_text one;
	bool open = false;

	rest_init(&rest, web, request, match, route);
	if (!web->site->said->metrics) {
		(void)refuse(&rest, 404, "metrics are off; server.observability turns them on");
		return;
	}
	while (http_text_next(&accept, &one))
		open |= one.len >= 28 && http_text_is((struct http_text){one.at, 28},
					     "application/openmetrics-text");
	rest.form = EXCHANGE_METRICS;
	rest.type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			 : "text/plain; version=0.0.4; charset=utf-8";
	if (!read_body(&rest) || !add_text(&rest, "format", open ? "openmetrics" : "prometheus"))
		return;
	web_report(web);
	send_params(&rest);
}

void rest_config(struct web *web, struct http_request *request, const struct http_match *match,
    const struct route *route)
{
	if (web->site->said->studio)
		rest_forward(web, request, match, route);
	else
		web_answer_error(web, request, 404, "the studio is off; server.studio turns it on");
}
