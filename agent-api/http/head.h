/*
 * The head of one request, as the guard (guard.h) has read it: the method, where to, and the
 * header lines. Everything points into the block of bytes that came in, nothing is decoded or
 * copied; values may hold bytes above 0x7f, never a control byte but the tab. Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_HEAD_H
#define CALLGATE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX         16384 /* bytes of a head, its last empty line included */
#define HTTP_LINES_MAX        100   /* header lines */
#define HTTP_REQUEST_LINE_MAX 8192  /* bytes of method, target and version */

enum http_method {
	HTTP_METHOD_NONE = 0,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_PATCH,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_COUNT,
};

/* How the end of the body is known. */
enum http_framing {
	HTTP_FRAMING_NONE = 0, /* there is no body */
	HTTP_FRAMING_LENGTH,
	HTTP_FRAMING_CHUNKED,
};

/* Bytes of somebody else; not NUL-terminated. */
struct http_text {
	const char *at;
	size_t len;
};

/* Offsets in the block. */
struct http_line {
	uint16_t name;
	uint16_t name_len;
	uint16_t value;
	uint16_t value_len;
};

struct http_head {
	const char *block; /* borrowed from whoever holds the bytes */
	size_t len;
	enum http_method method;
	enum http_framing framing;
	uint8_t minor;         /* HTTP/1.minor: 0 or 1 */
	bool close;            /* the client wants no further answer here, or cannot have one */
	bool expects_continue; /* waits for "100 Continue" before it sends the body */
	uint64_t length;       /* of the body, with HTTP_FRAMING_LENGTH */
	struct http_text target;
	struct http_text path;  /* of the target, still percent-encoded; "*" for OPTIONS * */
	struct http_text query; /* after the '?'; at is NULL where there is none */
	struct http_text host;  /* the one Host line */
	uint16_t count;
	struct http_line lines[HTTP_LINES_MAX];
};

enum http_found {
	HTTP_FOUND_NONE = 0,
	HTTP_FOUND_ONE,
	HTTP_FOUND_MANY, /* more than one line of that name: which of them is meant nobody knows */
};

/* The value of a header by its name, in any case. *ret_value is set for HTTP_FOUND_ONE only, and
 * is empty otherwise. */
enum http_found http_head_find(
    const struct http_head *head, const char *name, struct http_text *ret_value);
/* The next line of that name from *index on, which moves behind it: for headers that may come more
 * than once. false: there is none. *index begins at 0. */
bool http_head_next(
    const struct http_head *head, const char *name, size_t *index, struct http_text *ret_value);

struct http_text http_line_name(const struct http_head *head, size_t index);
struct http_text http_line_value(const struct http_head *head, size_t index);

/* Whether a comma list (as of Connection) has this token, in any case. */
bool http_text_has_token(struct http_text list, const char *token);
/* The next element of a comma list, without blanks around it; empty ones are skipped. false: the
 * list is at its end. *list becomes the rest. Knows no quoted strings. */
bool http_text_next(struct http_text *list, struct http_text *ret_element);
/* Equal in any case of ASCII letters. */
bool http_text_is(struct http_text text, const char *word);
bool http_text_same(struct http_text a, struct http_text b);
struct http_text http_text_trim(struct http_text text); /* spaces and tabs at both ends */

/* "GET"; "" for HTTP_METHOD_NONE. */
const char *http_method_name(enum http_method method);
/* HTTP_METHOD_NONE: not one that is served. Case matters. */
enum http_method http_method_of(struct http_text name);

/* What a token (RFC 9110, 5.6.2) may hold. */
bool http_is_token(struct http_text text);

#endif
