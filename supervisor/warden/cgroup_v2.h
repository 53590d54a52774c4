/* The v2 half of cgroup.c: making room in a delegated subtree, limits, kill, events. */
#ifndef CALLGATE_WARDEN_CGROUP_V2_H
#define CALLGATE_WARDEN_CGROUP_V2_H

#include "supervisor/warden/cgroup.h"

/* Does this folder offer the memory and pids controllers to its children? */
bool cgroup_v2_has_controllers(int dir);
/* Is it the root of the hierarchy, which may hold processes beside groups? */
bool cgroup_v2_is_root(int dir);
/* Moves the daemon and its children out of dir into a leaf, if nobody else is in dir. 0, -EBUSY:
 * strangers live there; -errno. */
int cgroup_v2_move_aside(int dir);
/* Lets children of dir have memory and pids. 0 or -errno. */
int cgroup_v2_enable(int dir);

int cgroup_v2_limit(const struct cgroup_leaf *leaf, const struct cell_limits *limits);
void cgroup_v2_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *usage);

#endif
