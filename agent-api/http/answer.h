/*
 * The bytes of an answer: status line, header fields, a body of known length, or a stream in
 * chunks, and the events of text/event-stream. What a field may hold is checked here, so that no
 * caller can put a line of his own, or somebody else's, into a header. Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_ANSWER_H
#define CALLGATE_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"

#define HTTP_DATE_MAX 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL */

struct http_field {
	const char *name;
	const char *value;
};

struct http_reply {
	int status;                      /* 200 to 599; 0 is no answer and is refused */
	const char *type;                /* Content-Type; NULL: none */
	const struct http_field *fields; /* borrowed; not those that this file writes itself */
	size_t field_count;
	const void *body; /* of a stream: not used */
	size_t len;
};

/* What the connection and the request say about the form of an answer. */
struct http_manner {
	const char *date; /* http_date() */
	bool head_only;   /* the request was HEAD: everything but the body */
	bool close;       /* this answer is the last one here */
	bool old;         /* the request was HTTP/1.0, which knows no chunks */
};

struct http_event {
	const char *name;  /* NULL: none */
	const char *id;    /* NULL: none */
	const char *data;  /* lines become data lines of their own; any line end */
	size_t len;        /* of data */
	uint32_t retry_ms; /* 0: not said */
};

/* Appends a whole answer. 0; -EINVAL: a field or the status is not allowed, nothing was added;
 * or the fault of out. */
int http_answer_put(
    struct buf *out, const struct http_reply *reply, const struct http_manner *manner);
/* Appends the head of a stream: chunked, or up to the end of the connection for an old client
 * (then manner->close must be set, or -EINVAL). */
int http_answer_put_stream(
    struct buf *out, const struct http_reply *reply, const struct http_manner *manner);
/* Appends bytes of a stream. chunked: as a chunk of their own; no bytes, no chunk. */
int http_answer_put_bytes(struct buf *out, const void *bytes, size_t len, bool chunked);
/* Appends what ends a chunked stream. */
int http_answer_put_end(struct buf *out);

/* Appends an event. -EINVAL: a line end in name or id. */
int http_event_put(struct buf *out, const struct http_event *event);
/* A comment, which clients ignore and proxies count as life. */
#define HTTP_EVENT_COMMENT ":\n\n"

/* "Not Found"; "Unknown" for those that have no row. */
const char *http_reason(int status);
/* IMF-fixdate of seconds since 1970, in no locale. Returns out. */
char *http_date(char out[HTTP_DATE_MAX], uint64_t seconds);

#endif
