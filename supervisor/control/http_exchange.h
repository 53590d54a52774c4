/*
 * One POST to a gate's /mcp, from the message that goes out to the last answer that comes back:
 * plain JSON, or events until every request of it is answered. Used by transport_http.c, which owns
 * the libcurl multi handle. Floor 4: libcurl, jansson.
 */
#ifndef CALLGATE_CONTROL_HTTP_EXCHANGE_H
#define CALLGATE_CONTROL_HTTP_EXCHANGE_H

#include "supervisor/control/post.h"
#include "supervisor/control/sse.h"
#include "supervisor/control/transport.h"
#include "supervisor/control/web.h"

/* A message of the gate on its way to the command. */
struct http_line {
	struct http_line *next;
	char *text; /* owned; without a newline */
	size_t len;
};

/* What all exchanges of one transport share. */
struct http_shared {
	const struct remote *remote;
	const char *endpoint; /* URL/mcp */
	const char *token;    /* "" = none */
	char revision[32];    /* of MCP, as a handshake agreed; "" = there was none */
	char session[256];    /* Mcp-Session-Id that the handshake gave; "" = none */
	struct http_line *first, **last;
	struct transport_failure *failure; /* of the transport; the first one stays */
};

/* How the body of an answer is read. */
enum http_form {
	HTTP_FORM_UNKNOWN = 0,
	HTTP_FORM_NONE, /* bytes mean nothing: nothing was asked */
	HTTP_FORM_JSON,
	HTTP_FORM_EVENTS,
};

struct http_exchange {
	struct http_exchange *next;
	struct http_shared *shared;
	CURL *easy;
	struct curl_slist *headers;
	char *body; /* owned; what is sent */
	struct post post;
	int asks; /* it holds a request */
	enum http_form form;
	struct buf answer; /* JSON */
	struct sse events;
	size_t header_left; /* bytes */
	long retry_s;       /* Retry-After; 0 = not said */
	char broken[128];   /* why we stopped reading; "" = we did not */
	char error_text[CURL_ERROR_SIZE];
};

/* Appends a line to those that came; takes nothing. 0 or -ENOMEM. */
int http_deliver(struct http_shared *shared, const char *text, size_t len);

/* A transfer that is ready for curl_multi_add_handle(), owned by the caller. 0 or -ENOMEM. */
int http_exchange_new(
    struct http_shared *shared, const char *text, size_t len, struct http_exchange **ret);
/* The transfer has ended with code: what is left is read, and every request that is still
 * unanswered gets an error. */
void http_exchange_end(struct http_exchange *exchange, CURLcode code);
/* Does anybody wait for it? Events may go on behind the answers to everything that was asked. */
int http_exchange_is_due(const struct http_exchange *exchange);
/* Not while it is added to a multi handle. Accepts NULL. */
void http_exchange_free(struct http_exchange *exchange);

#endif
