/*
 * Cross-origin requests of browsers (the Fetch standard): off unless origins are listed. A listed
 * origin is echoed to the byte; "*" stands for every page and never comes with credentials. What
 * is not listed gets no header, which is how a browser is told no. Pure; floor 3.
 */
#ifndef CALLGATE_WEB_CORS_H
#define CALLGATE_WEB_CORS_H

#include "agent-api/http/head.h"
#include "agent-api/web/reply.h"
#include "agent-api/web/site.h"

/* What an answer to this request says about its Origin. */
void cors_fields(struct reply *reply, const struct site *site, const struct http_head *head);

/* Whether it is a preflight: OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_is_preflight(const struct http_head *head);
/* Its answer: 204, or 403 where origin, method or headers are not allowed. allowed: methods of
 * the path, as in Allow. */
void cors_preflight(struct reply *reply, const struct site *site, const struct http_head *head,
    const char *allowed);

#endif
