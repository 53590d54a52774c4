/*
 * Who may speak to this server at all, told from the head of a request alone, before any of its
 * body is read: the client's address, the name it knows us by (DNS rebinding), the page it comes
 * from, the type of what it sends (what a foreign page may send without asking is refused), and no
 * credentials in the query. What is admitted is not authenticated. Pure; floor 3.
 */
#ifndef CALLGATE_WEB_ADMISSION_H
#define CALLGATE_WEB_ADMISSION_H

#include "agent-api/http/request.h"
#include "agent-api/web/site.h"

/* What the route asks for. */
struct admission {
	bool open;     /* /health: from every page, under every name, for every address of auth's */
	bool any_type; /* the body is not JSON */
};

/* 0; else the status, and *ret_why is the answer. */
int admission_judge(const struct site *site, const struct admission *route,
    const struct http_request *request, struct http_refusal *ret_why);

/* Its parts, for tests and for CORS. */

/* Whether a Host is an address, localhost, or a name of ours. */
bool admission_knows_host(const struct site *site, struct http_text host);
/* Whether a page of that origin may call us: ours, or one that is listed. */
bool admission_allows_origin(
    const struct site *site, const struct http_request *request, struct http_text origin);
/* false: it has a field that holds a credential, or cannot be read. */
bool admission_allows_query(struct http_text query);

#endif
