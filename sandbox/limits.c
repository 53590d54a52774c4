#include "sandbox/enter.h"

#include <errno.h>
#include <sys/resource.h>

#include "sandbox/self.h"

/* Soft and hard alike. Never above what the daemon itself may have. */
static int set_limit(unsigned resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return -errno;
	if (value < limit.rlim_max)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

/* A missing figure leaves what the daemon has. */
static int set_if(unsigned resource, uint64_t value)
{
	return value ? set_limit(resource, value) : 0;
}

/* NPROC counts in the cell's own user namespace and so binds the tree; one more for init, which
 * carries these limits too. */
int limits_set(struct entry *entry)
{
	const struct cell_limits *limits = &entry->arm.limits;
	int r = self_no_core();

	if (r == 0)
		r = set_limit(RLIMIT_RTPRIO, 0);
	if (r == 0)
		r = set_if(RLIMIT_FSIZE, limits->file_size);
	if (r == 0)
		r = set_if(RLIMIT_NOFILE, limits->files);
	if (r == 0)
		r = set_if(RLIMIT_NPROC, limits->pids ? limits->pids + 1 : 0);
	if (r < 0)
		return r;
	entry->have.limits_by_cgroup = limits->by_cgroup;
	entry->have.memory_watched = !limits->by_cgroup && limits->memory;
	return 0;
}

/* Hard a second above soft, so that SIGXCPU comes first. */
static int set_cpu(uint64_t cpu_ms)
{
	rlim_t seconds = (rlim_t)(cpu_ms / 1000 + (cpu_ms % 1000 != 0));
	struct rlimit limit;

	if (cpu_ms == 0)
		return 0;
	if (getrlimit(RLIMIT_CPU, &limit) < 0)
		return -errno;
	if (seconds + 1 < limit.rlim_max)
		limit.rlim_max = seconds + 1;
	limit.rlim_cur = seconds < limit.rlim_max ? seconds : limit.rlim_max;
	return setrlimit(RLIMIT_CPU, &limit) < 0 ? -errno : 0;
}

/* Those that init must not carry, for it has to outlive the tool and report. DATA, not AS: node
 * and others reserve address space by the terabyte. */
int limits_of_tool(const struct entry *entry)
{
	int r = set_cpu(entry->arm.limits.cpu_ms);

	if (r == 0 && entry->have.memory_watched)
		r = set_limit(RLIMIT_DATA, entry->arm.limits.memory);
	return r;
}
