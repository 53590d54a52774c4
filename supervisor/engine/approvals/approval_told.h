/*
 * All that an approver is shown of a question, as one JSON object: what list, watch and GET answer
 * with, and what web hooks are made of (hook_form.h). What belongs to the call is gathered when it
 * asks, since a question outlives its call. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_APPROVAL_TOLD_H
#define CALLGATE_ENGINE_APPROVAL_TOLD_H

#include <jansson.h>

#include "supervisor/engine/approvals/approval.h"

struct call;
struct engine;

/* Of a planned call: argv, arguments, cwd, program, host, walls and limits, annotations, what may
 * be edited. A new object; NULL: out of memory. *ret_bytes: about as long as its JSON. */
json_t *approval_facts(const struct call *call, size_t *ret_bytes);
/* The whole question now. A new object; NULL: out of memory. */
json_t *approval_json(const struct engine *engine, const struct approval *approval);
/* About as many bytes of JSON. */
size_t approval_size(const struct approval *approval);
/* A copy of value with every text, names of members too, escaped for people (str_escape). NULL: out
 * of memory. */
json_t *approval_escaped(const json_t *value);

#endif
