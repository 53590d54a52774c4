/*
 * The framing guard: what may be the head of a request at all. It stands in front of the parser,
 * so that one answer to "where does this request end" exists, here and at every proxy on the way.
 *
 * Two steps. The scan goes over the bytes as they come and finds the end of the head; it refuses
 * control bytes, lines that do not end in CRLF, lines that begin with a blank, and what is too
 * long, at the first wrong byte and therefore always in the same way, however the bytes were cut.
 * The judgement reads the whole head: exactly one Host, names that are tokens, one way of framing
 * (Content-Length or "chunked", each at most once), no trailers, HTTP/1.0 and 1.1 only, a target
 * that is a path. Whatever is not understood is refused. Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_GUARD_H
#define CALLGATE_HTTP_GUARD_H

#include "agent-api/http/head.h"

/* An answer instead of a request; reason is a literal. status 0: nothing was refused. */
struct http_refusal {
	int status; /* 400 408 411 413 414 417 431 501 503 505 */
	const char *reason;
};

/* Zero: the beginning. */
struct http_scan {
	uint32_t total;  /* bytes of the head so far */
	uint32_t column; /* of them in this line */
	uint16_t lines;  /* whole lines, the request line included */
	bool cr;         /* the last byte was a CR */
	bool blank;      /* an empty line in front of the request was skipped */
	bool whole;
};

/* Goes over bytes; *ret_used is how many of them belong to the head. 0: more are wanted, or
 * scan->whole is set; else the refusal's status, and the scan is not to be used again.
 * One empty line before the request is skipped, as RFC 9112 (2.2) asks: then scan->blank, and the
 * block is what comes behind these two bytes. */
int http_guard_scan(struct http_scan *scan, const char *bytes, size_t len, size_t *ret_used,
    struct http_refusal *ret_why);

/* Reads a whole head (as the scan found it, its empty last line included) into *ret_head, which
 * points into block. 0, or the refusal's status. */
int http_guard_judge(
    const char *block, size_t len, struct http_head *ret_head, struct http_refusal *ret_why);

/* The same rules for one value of a header that we write ourselves: no byte below 0x20 but the
 * tab, no DEL. */
bool http_guard_is_value(const char *text);

#endif
