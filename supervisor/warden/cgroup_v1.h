/* The v1 half of cgroup.c: limits and counters of the memory, pids and cpuacct hierarchies. */
#ifndef CALLGATE_WARDEN_CGROUP_V1_H
#define CALLGATE_WARDEN_CGROUP_V1_H

#include "supervisor/warden/cgroup.h"

int cgroup_v1_limit(const struct cgroup_leaf *leaf, const struct cell_limits *limits);
void cgroup_v1_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *usage);

#endif
