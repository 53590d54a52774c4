#include "supervisor/warden/cgroup_v1.h"

#include <errno.h>

int cgroup_v1_limit(const struct cgroup_leaf *leaf, const struct cell_limits *limits)
{
	int memory = leaf->dir[CGROUP_TREE_MEMORY];
	int pids = leaf->dir[CGROUP_TREE_PIDS];
	int fault = 0;

	if (memory < 0 || pids < 0)
		return -ENOTSUP;
	if (limits->memory) {
		fault = cgroup_write_u64(memory, "memory.limit_in_bytes", limits->memory);
		if (fault)
			return fault;
		/* Memory and swap together, where the kernel counts swap at all. */
		fault = cgroup_write_u64(memory, "memory.memsw.limit_in_bytes", limits->memory);
		if (fault && fault != -ENOENT)
			return fault;
	}
	/* The cell's init is one of them; so the kernel counts a refusal here before the cell's
	 * RLIMIT_NPROC, which allows one more, refuses without a witness. */
	return limits->pids ? cgroup_write_u64(pids, "pids.max", limits->pids) : 0;
}

void cgroup_v1_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *usage)
{
	int memory = leaf->dir[CGROUP_TREE_MEMORY];
	uint64_t nanoseconds;

	/* What a file does not say stays 0, that is unknown. */
	(void)cgroup_read_u64(memory, "memory.max_usage_in_bytes", NULL, &usage->memory_peak);
	/* The count of kills came with Linux 4.13; before it only the state of being there. */
	if (cgroup_read_u64(memory, "memory.oom_control", "oom_kill", &usage->oom_kills))
		(void)cgroup_read_u64(memory, "memory.oom_control", "under_oom", &usage->oom_kills);
	(void)cgroup_read_u64(
	    leaf->dir[CGROUP_TREE_PIDS], "pids.events", "max", &usage->pids_refused);
	if (!cgroup_read_u64(leaf->dir[CGROUP_TREE_CPUACCT], "cpuacct.usage", NULL, &nanoseconds))
		usage->cpu_us = nanoseconds / 1000;
}
