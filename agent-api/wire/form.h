/*
 * The form by which a client may ask its user for an approval (MCP elicitation): what it shows,
 * and what came back. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_FORM_H
#define CALLGATE_WIRE_FORM_H

#include <jansson.h>
#include <stdbool.h>

#include "agent-api/wire/mcp.h"

/* Name of the one question in inputRequests and inputResponses. */
#define FORM_KEY        "approval"
#define FORM_METHOD     "elicitation/create"
#define FORM_REASON_MAX 400 /* bytes */

struct form {
	const char *message; /* what would run, whole; UTF-8 */
	bool reason_required;
};

/* params of elicitation/create, the caller's; NULL: no memory, or the message is no UTF-8. */
json_t *form_params(const struct form *form, enum mcp_revision revision);

/* Zero is no answer: dismissed, an error, or not what the form asked for. */
enum form_answer {
	FORM_UNANSWERED = 0,
	FORM_APPROVE,
	FORM_DENY,
};

/* result: of the client, or NULL. *ret_reason: borrowed from result, "" if none was given. */
enum form_answer form_read(const json_t *result, bool reason_required, const char **ret_reason);

#endif
