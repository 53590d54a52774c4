/*
 * What a tool does to the world, as its callers and approvers are told. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_ANNOTATIONS_H
#define CALLGATE_ENGINE_ANNOTATIONS_H

#include "agent-api/wire/result.h"
#include "policy/tool.h"

/* What the policy says of the tool, else the author of its function, else caution: not read-only,
 * destructive, not idempotent, open to the world (the defaults of MCP's ToolAnnotations). */
struct result_annotations annotations_of(const struct policy_tool *tool);

#endif
