#include "policy/limits.h"

#define MIB (UINT64_C(1024) * 1024)

static void fill(uint64_t *value, uint64_t standard)
{
	if (!*value)
		*value = standard;
}

struct policy_sandbox policy_limits(const struct policy_sandbox *sandbox)
{
	struct policy_sandbox limits = *sandbox;

	fill(&limits.memory, 512 * MIB);
	fill(&limits.pids, 128);
	fill(&limits.output, MIB);
	fill(&limits.disk, 64 * MIB);
	fill(&limits.inodes, 4096);
	fill(&limits.file_size, 1024 * MIB);
	fill(&limits.files, 256);
	return limits;
}
