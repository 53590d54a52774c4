/*
 * The framing of a chunked body, checked before the parser sees a byte of it: sizes are one to
 * sixteen hex digits, no extensions, CRLF after each, no trailer fields. What is refused here is
 * what nobody sends and what two programs in a row read differently. Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_CHUNK_H
#define CALLGATE_HTTP_CHUNK_H

#include "agent-api/http/guard.h"

enum http_chunk_state {
	HTTP_CHUNK_SIZE = 0,
	HTTP_CHUNK_SIZE_LF,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_DATA_CR,
	HTTP_CHUNK_DATA_LF,
	HTTP_CHUNK_LAST_CR, /* behind the chunk of size 0 */
	HTTP_CHUNK_LAST_LF,
	HTTP_CHUNK_DONE,
};

/* Zero: the beginning of a body. */
struct http_chunk {
	enum http_chunk_state state;
	uint8_t digits;
	uint64_t size;  /* of the chunk, then what is left of it */
	uint64_t total; /* bytes of data announced so far */
};

/* Goes over bytes; *ret_used is how many of them belong to the body. A body of more than max bytes
 * is refused at the size line that says so. 0: go on, or state is HTTP_CHUNK_DONE; else the
 * refusal's status, and the connection has lost its place. */
int http_chunk_scan(struct http_chunk *chunk, uint64_t max, struct http_text bytes,
    size_t *ret_used, struct http_refusal *ret_why);

#endif
