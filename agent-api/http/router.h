/*
 * Which route a request means: a const table of {method, pattern, id}. A pattern is a path whose
 * parts are literal or {name}. Literal parts match to the byte; a {name} takes one part, which is
 * decoded strictly: no escaped slash, no control byte, no "." or "..", valid UTF-8. There is one
 * spelling of each path, so that what is permitted by route cannot be reached beside it.
 * Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_ROUTER_H
#define CALLGATE_HTTP_ROUTER_H

#include "agent-api/http/guard.h"

#define HTTP_ROUTE_PARAMETERS_MAX 4
#define HTTP_ROUTE_PATH_MAX       1024 /* bytes of a path; longer ones are 414 */
#define HTTP_ALLOW_MAX            64

struct http_route {
	enum http_method method;
	const char *pattern;
	int id; /* above 0 */
};

struct http_parameter {
	const char *name; /* in the pattern, up to its '}' */
	const char *value;
};

struct http_match {
	int id; /* 0: none */
	struct http_parameter parameters[HTTP_ROUTE_PARAMETERS_MAX];
	size_t count;
	char allow[HTTP_ALLOW_MAX]; /* with 405: what Allow says */
	char decoded[HTTP_ROUTE_PATH_MAX + HTTP_ROUTE_PARAMETERS_MAX]; /* values live here */
};

/* The first row that fits. HEAD is served by a row of GET. 0, or 400 (a path that is not written
 * as paths are), 404, 405 (ret_match->allow), 414. */
int http_route_find(const struct http_route *rows, size_t count, const struct http_head *head,
    struct http_match *ret_match, struct http_refusal *ret_why);
/* The value of {name}; NULL: the pattern has none of that name. */
const char *http_match_value(const struct http_match *match, const char *name);

/* Decodes one value of a query, "a=b&c=d", by its name: the same strictness, '+' is a space. 0,
 * -ENOENT, -EINVAL (badly escaped, said twice, or control bytes), -ENOBUFS. */
int http_query_value(struct http_text query, const char *name, char *out, size_t max);

#endif
