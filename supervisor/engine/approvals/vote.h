/*
 * One answer to a question, whichever way it came (the socket, HTTP, a channel): judged, counted,
 * recorded. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_VOTE_H
#define CALLGATE_ENGINE_VOTE_H

#include <jansson.h>

#include "supervisor/engine/approvals/approver.h"

struct engine;

/* edited: arguments to approve in place of those asked about, or NULL; an object of parameters that
 * change, borrowed. 0 and *ret_told, a new object {id, state, ...} (NULL: out of memory); else a
 * code for the one who answers, RESULT_FORBIDDEN, RESULT_CONFLICT or RPC_INVALID_PARAMS, with note,
 * recorded. The approval may be gone afterwards. */
int vote_give(struct engine *engine, struct approval *approval, const struct approver_vote *vote,
    const json_t *edited, json_t **ret_told, struct err_note *note);

#endif
