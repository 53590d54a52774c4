/*
 * JSON of strangers: an object, under limits that are checked before anything is built.
 *
 * jansson builds some fifty bytes for each of the smallest values, so their number is counted
 * first. Members that stand twice, also through escapes, are refused; so are NUL in strings and
 * text behind the object. Floor 2: jansson; pure.
 */
#ifndef CALLGATE_IDENTITY_JSON_TEXT_H
#define CALLGATE_IDENTITY_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

struct json_limits {
	size_t bytes;
	size_t values; /* brackets opened and commas, roughly the values */
	size_t depth;  /* of brackets; 1: an object of plain values */
};

/* *ret is released by json_decref(). 0, -EMSGSIZE (over a limit) or -EBADMSG. */
int json_text_object(json_t **ret, const void *text, size_t len, const struct json_limits *limits);

#endif
