/*
 * What the owner of a server sees: requests, and the ways to answer one.
 *
 * A request is the owner's from take() until exactly one of these: http_answer(),
 * http_stream_end() or http_request_abandon() was called, a function of the stream said that it is
 * over, or gone(HTTP_GONE_ENTIRELY) returned. From then on the pointer is not valid. None of the
 * functions here calls back into the owner. Answers may come at any time, in any order between
 * connections; each connection has one request at a time.
 */
#ifndef CALLGATE_HTTP_REQUEST_H
#define CALLGATE_HTTP_REQUEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent-api/http/answer.h"
#include "agent-api/http/certificate.h"
#include "agent-api/http/forwarded.h"
#include "agent-api/http/head.h"

/* On a Unix socket: who the kernel says it is. */
struct http_local {
	bool known;
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

struct http_request {
	uint64_t serial;              /* unlike any other of this server; never 0 */
	const struct http_head *head; /* borrowed, as long as the request is valid */
	const void *body;             /* the same */
	size_t body_len;
	struct http_client client;                  /* behind trusted proxies */
	struct http_address peer;                   /* the other end of the socket */
	struct http_local local;                    /* of a Unix socket */
	const struct http_certificate *certificate; /* the client's, verified; NULL: none */
	void *data;                                 /* the owner's */
};

enum http_gone {
	HTTP_GONE_ENTIRELY = 0, /* no answer can be delivered; the request ends with this call */
	HTTP_GONE_HALF,         /* the client has sent its last byte, and may or may not still read:
				   most that do this have hung up. The owner may answer, or abandon
				   the request (later, not within this call) */
};

/* Answers whole. 0; -EPIPE: the client is gone; -EINVAL: the reply holds what must not be in a
 * header, and the client got a 500 instead. The request is over in each case. */
int http_answer(struct http_request *request, const struct http_reply *reply);

/* Begins a stream. events: it is text/event-stream, and gets a comment whenever nothing was said
 * for a while. 0: go on with http_stream_put(); 1: it was HEAD, all is said and the request is
 * over; negative: over, as http_answer() has it. */
int http_stream_begin(struct http_request *request, const struct http_reply *reply, bool events);
/* 0; -EPIPE: the client is gone or does not read, the request is over. */
int http_stream_put(struct http_request *request, const void *bytes, size_t len);
/* The same for one event; -EINVAL: a line end in its name or id, nothing was sent. */
int http_stream_event(struct http_request *request, const struct http_event *event);
void http_stream_end(struct http_request *request);
/* Bytes that the client has not read yet. Above HTTP_OUTPUT_MAX the next put ends it. */
size_t http_stream_queued(const struct http_request *request);

/* No (further) answer: the connection is cut. */
void http_request_abandon(struct http_request *request);

#endif
