/*
 * One header field of a request, where more than one line of it would mean nothing. Pure; floor 3.
 */
#ifndef CALLGATE_WEB_HEAD_FIELD_H
#define CALLGATE_WEB_HEAD_FIELD_H

#include <string.h>

#include "agent-api/http/head.h"

/* The value; at is NULL where there is none (or more than one: admission refuses those). */
static inline struct http_text head_field(const struct http_head *head, const char *name)
{
	struct http_text value;

	if (http_head_find(head, name, &value) != HTTP_FOUND_ONE)
		return (struct http_text){NULL, 0};
	return value;
}

/* To the byte. */
static inline bool head_text_equals(struct http_text text, const char *word)
{
	return text.at && strlen(word) == text.len && memcmp(text.at, word, text.len) == 0;
}

static inline bool head_text_begins(struct http_text text, const char *word)
{
	return text.at && text.len >= strlen(word) && memcmp(text.at, word, strlen(word)) == 0;
}

#endif
