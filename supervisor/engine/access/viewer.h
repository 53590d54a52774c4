/*
 * Who may see what calls leave behind: approvals and grants belong to the namespace of their call.
 * For whom the policy does not let into that namespace they do not exist. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_VIEWER_H
#define CALLGATE_ENGINE_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

struct caller;
struct engine;

struct viewer {
	const struct engine *engine;
	const struct caller *caller;
};

/* Has this viewer any business with something of this namespace, principal and tool: a role that
 * reads or decides approvals there, or it is his own? */
bool viewer_sees(
    const struct viewer *viewer, const char *space, const char *principal, const char *tool);
/* Is he let into the namespace at all? */
bool viewer_enters(const struct viewer *viewer, const char *space);
/* May he decide approvals of this tool there? */
bool viewer_decides(const struct viewer *viewer, const char *space, const char *tool);

#endif
