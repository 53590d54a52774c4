/*
 * The routes: one const table of what is served, by whom, and as which request of engine. What has
 * no row is 404. Engine knows which permission each request needs; nothing here grants any.
 * Floor 3.
 */
#ifndef CALLGATE_WEB_ROUTES_H
#define CALLGATE_WEB_ROUTES_H

#include "agent-api/http/request.h"
#include "agent-api/http/router.h"
#include "agent-api/web/admission.h"

struct web;
struct route;

typedef void route_handler(struct web *web, struct http_request *request,
    const struct http_match *match, const struct route *route);

/* What a body may be. */
enum route_body {
	ROUTE_BODY_NONE = 0,
	ROUTE_BODY_JSON,  /* one object; empty: {} */
	ROUTE_BODY_BYTES, /* read by its handler */
};

struct route {
	route_handler *handler;
	uint16_t request; /* enum request_method; REQUEST_NONE: answered here */
	int status;       /* of a result */
	enum route_body body;
};

/* For the server. route_admit() judges a head, and sets how large its body may be; route_take()
 * answers or forwards a request. */
int route_admit(const struct web *web, const struct http_request *request, uint64_t *body_max,
    struct http_match *ret_match, struct http_refusal *ret_why);
void route_take(struct web *web, struct http_request *request);

/* The table, for those who compare it with the document. */
const struct http_route *route_table(size_t *ret_count);
/* Row i of it, from 0. */
const struct route *route_row(size_t index);

#endif
