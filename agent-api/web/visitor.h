/*
 * What one request shows of who sent it, for engine, which verifies all of it; and the digest by
 * which a later request is known to come with the same credentials. Copies of credentials are
 * wiped. Floor 3.
 */
#ifndef CALLGATE_WEB_VISITOR_H
#define CALLGATE_WEB_VISITOR_H

#include "agent-api/http/request.h"
#include "agent-api/web/site.h"
#include "supervisor/link/message.h"

#define VISITOR_ID_MAX 48

struct visitor {
	struct message message; /* MESSAGE_VISITOR; points into what is below and the request */
	char *text;             /* copies, NUL-terminated; owned */
	size_t used, size;
	char address[HTTP_ADDRESS_TEXT_MAX];
	const char *sans[HTTP_CERTIFICATE_NAMES_MAX];
};

/* What the caller says of it. */
struct visitor_facts {
	uint64_t peer;
	const char *request_id; /* these two outlive the visitor */
	const char *revision;   /* of MCP, or "" */
};

/* 0, -ENOMEM; released by visitor_fini() in each case. */
int visitor_init(struct visitor *visitor, const struct site *site,
    const struct http_request *request, const struct visitor_facts *facts);
void visitor_fini(struct visitor *visitor);

/* Whether the request shows anything that could be a credential. */
bool visitor_shows_something(const struct http_request *request);
/* Whether both come of one address (IPv6: one /64), or of one user of the socket. */
bool visitor_same_client(const struct http_request *a, const struct http_request *b);
/* Digest of all that is shown, and of session. 0 or -errno. */
int visitor_bond(const struct http_request *request, struct http_text session, struct digest *ret);

#endif
