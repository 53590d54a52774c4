/*
 * Bytes become one request at a time. The head is collected and judged (guard.h), then the parser
 * llhttp gets exactly these bytes and must read the same out of them; where the two disagree the
 * request is refused. The body follows through the checks of its own framing (chunk.h).
 *
 * After a whole request nothing more is taken until it has been handed over: bytes of the next
 * one stay with the caller while the first is being answered. An idle reader holds no memory.
 * Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_READER_H
#define CALLGATE_HTTP_READER_H

#include "agent-api/http/guard.h"
#include "supervisor/base/buf.h"

/* One request as it came in. */
struct http_incoming {
	struct buf block; /* the bytes of the head */
	struct http_head head;
	struct buf body; /* decoded */
};

enum http_progress {
	HTTP_READ_MORE = 0, /* all bytes taken, no end yet */
	HTTP_READ_HEAD,     /* the head is there: reader->incoming->head; go on with what is left */
	HTTP_READ_WHOLE,    /* the request is there: take it */
	HTTP_READ_REFUSED,  /* reader->refusal says why; this connection has lost its place */
};

enum http_reader_phase {
	HTTP_READER_IDLE = 0, /* not one byte of the next request */
	HTTP_READER_HEAD,
	HTTP_READER_BODY,
	HTTP_READER_WHOLE,
	HTTP_READER_REFUSED,
};

struct http_reader {
	enum http_reader_phase phase;   /* written by reader.c only */
	struct http_incoming *incoming; /* owned; NULL while idle */
	uint64_t body_max;              /* bytes; may be set anew after HTTP_READ_HEAD */
	struct http_refusal refusal;
};

/* Allocates nothing. */
void http_reader_init(struct http_reader *reader, uint64_t body_max);
/* Accepts a zeroed or finished one. */
void http_reader_fini(struct http_reader *reader);

/* Takes bytes; *ret_used is how many. After HTTP_READ_HEAD the caller looks at the head, may
 * lower or raise body_max, and calls again with the rest (also when the rest is empty): a
 * Content-Length above body_max is refused there, before any byte of the body is looked at.
 * A body of chunks is refused at the chunk that is too much. */
enum http_progress http_reader_feed(
    struct http_reader *reader, const void *bytes, size_t len, size_t *ret_used);

/* After HTTP_READ_WHOLE: the request, owned by the caller; the reader is idle again. */
struct http_incoming *http_reader_take(struct http_reader *reader);
void http_incoming_free(struct http_incoming *incoming); /* accepts NULL */

/* Bytes of memory that reader and request hold, for budgets. */
size_t http_reader_held(const struct http_reader *reader);
size_t http_incoming_held(const struct http_incoming *incoming);

#endif
