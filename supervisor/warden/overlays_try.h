/*
 * Whether overlays can be made here, over the workspaces that the policy names: tried by a child
 * before a call needs one. Used by start.c, at the start and for --check. Blocks as long as the
 * child takes, a few milliseconds a workspace.
 */
#ifndef CALLGATE_WARDEN_OVERLAYS_TRY_H
#define CALLGATE_WARDEN_OVERLAYS_TRY_H

#include <stdbool.h>

#include "supervisor/base/buf.h"
#include "supervisor/warden/tools.h"

/* A line for each tool whose calls will be refused, with what to do. set_up: this process is what
 * cell_setup() makes of it; else the child does that first. */
void overlays_try(const struct tools *tools, bool set_up, struct buf *warnings);

#endif
