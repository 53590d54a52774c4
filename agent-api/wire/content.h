/*
 * What a tool prints that speaks MCP itself (policy key `output: content`): one JSON object
 * {content, structuredContent, isError}, and nothing in it that the protocol does not know. The
 * program is a stranger: each field of each item is judged, no _meta is taken over, and what
 * comes out is only what was judged. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_CONTENT_H
#define CALLGATE_WIRE_CONTENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent-api/wire/mcp.h"
#include "supervisor/base/err.h"

#define CONTENT_ITEMS_MAX 256
#define CONTENT_URI_MAX   2048 /* bytes of a URI, a name, a title or a media type */

struct content {
	json_t *items;      /* array; owned */
	json_t *structured; /* any value; owned; NULL: none */
	bool is_error;
};

/* 0: *ret is for content_fini(); -EINVAL with note, as in "content[2].data: is not base64";
 * -ENOMEM. Otherwise *ret is empty. */
int content_read(const void *text, size_t len, struct content *ret, struct err_note *note);
/* Accepts a zeroed one. */
void content_fini(struct content *content);

/* The items as a client of this revision can read them, a new array: an item of a type that is
 * younger is told in words; structured content without any item is told as its JSON. NULL: no
 * memory. */
json_t *content_for(const struct content *content, enum mcp_revision revision);

#endif
