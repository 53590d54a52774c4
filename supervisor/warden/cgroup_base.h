/*
 * The folder of our own in a hierarchy, in which leaves are made. Whoever made it holds a flock
 * on it for life, so a folder that can be locked is nobody's: that holds across pid namespaces
 * and for a folder that is still empty. Used by cgroup.c.
 */
#ifndef CALLGATE_WARDEN_CGROUP_BASE_H
#define CALLGATE_WARDEN_CGROUP_BASE_H

#include <stdbool.h>

#include "supervisor/warden/cgroup.h"

/* "callgate-<pid>-<8 hex>": the pid for people, the rest for chance. 0 or -errno. */
int cgroup_base_name(char ret_name[CGROUP_NAME_MAX]);
/* Makes it, locks it and opens it: 0 and the caller's descriptor, which holds the lock; -errno. */
int cgroup_base_make(int parent, const char *name, int *ret_dir);
/* Locks a folder that was there before us. 0; -EWOULDBLOCK: another daemon's; -errno. */
int cgroup_base_lock(int dir);
/* Is what dir opened still what the name means? */
bool cgroup_base_stands(int parent, const char *name, int dir);
/* Removes what daemons that are gone left in parent; what is in use stays. */
void cgroup_base_sweep(int parent);
/* The same for the leaves in a folder that we have locked. */
void cgroup_base_sweep_leaves(int dir);

#endif
