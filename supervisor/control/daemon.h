/*
 * Where the daemon's program is, seen from the command beside it. Floor 4.
 */
#ifndef CALLGATE_CONTROL_DAEMON_H
#define CALLGATE_CONTROL_DAEMON_H

#include "supervisor/base/paths.h"

/* The same folder (a build), or ../sbin (after `make install`). 0 or -ENOENT. */
int daemon_find(char out[PATHS_MAX]);

#endif
