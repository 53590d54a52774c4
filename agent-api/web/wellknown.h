/*
 * What this server says of itself to everybody: its public address, the metadata of RFC 9728, the
 * agent card, and the challenge of a 401. Nothing in it depends on who asks. Floor 3.
 */
#ifndef CALLGATE_WEB_WELLKNOWN_H
#define CALLGATE_WEB_WELLKNOWN_H

#include "agent-api/web/reply.h"
#include "agent-api/web/routes.h"
#include "agent-api/web/site.h"

#define WELLKNOWN_URL_MAX 512

/* server.url; where it is not said, the address by which the request called us, which admission
 * has judged. Returns out; "" where there is none. */
char *wellknown_url(
    char out[WELLKNOWN_URL_MAX], const struct site *site, const struct http_request *request);
/* WWW-Authenticate. challenge: what stands behind the metadata's address; "" = nothing. */
void wellknown_challenge(struct reply *reply, const struct site *site,
    const struct http_request *request, const char *challenge);

route_handler wellknown_resource, wellknown_resource_mcp, wellknown_card;

#endif
