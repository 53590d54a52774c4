/*
 * A form of a running tool for its caller's user (callgate/elicit): what a tool may put there,
 * what the client is shown, and which answers count. Flat, short, and marked as the tool's: it
 * shall never look like a question of callgate. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_INQUIRY_H
#define CALLGATE_WIRE_INQUIRY_H

#include <jansson.h>

#include "agent-api/wire/mcp.h"
#include "supervisor/base/err.h"

#define INQUIRY_MESSAGE_MAX 2048 /* bytes */
#define INQUIRY_TEXT_MAX    512  /* bytes of a title, a description, a value */
#define INQUIRY_FIELDS_MAX  16
#define INQUIRY_VALUES_MAX  64 /* of one choice */

/* What a tool asks. Zeroed: nothing. */
struct inquiry {
	/* Of inputRequests and inputResponses: what the tool calls the form, so that a client
	 * that knows the tool can answer ahead. Never FORM_KEY. Borrowed from the params, or a
	 * literal. */
	const char *key;
	json_t *message;   /* string; owned */
	json_t *requested; /* the schema, as the tool gave it; owned */
};

/* params: {message, requestedSchema, name?}. tool: its name, which the message begins with. 0:
 * *ret is for inquiry_fini(); -EINVAL with note; -ENOMEM. */
int inquiry_read(
    const json_t *params, const char *tool, struct inquiry *ret, struct err_note *note);
/* Accepts a zeroed one. */
void inquiry_fini(struct inquiry *inquiry);

/* params of elicitation/create, the caller's; NULL: no memory. */
json_t *inquiry_params(const struct inquiry *inquiry, enum mcp_revision revision);

/* What the tool is told of a client's result ({action, content?}), the caller's; NULL: it is no
 * answer to this form: another shape, a field that was not asked for or is not what was asked. */
json_t *inquiry_answer(const struct inquiry *inquiry, const json_t *result);

#endif
