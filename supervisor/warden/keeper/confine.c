/* What keeper and its children may still do. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/keeper/jobs.h"
#include "sandbox/landlock.h"
#include "sandbox/self.h"

#define BIT(cap) (1ULL << (cap))
/* The owner of what is written is who owns the folder, whoever we are. */
#define FILE_CAPS                                                                                  \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |     \
	    BIT(CAP_FSETID))
/* Mounts, and the attribute of an overlay that only its like may read. */
#define KEEPER_CAPS (FILE_CAPS | BIT(CAP_SYS_ADMIN))

struct rules {
	uint64_t fs, net, scoped;
};

/* Only less: what this process has not, it does not get. */
static int keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (capget(&header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(kept >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return capset(&header, data) < 0 ? -errno : 0;
}

int keeper_confine(void)
{
	int fault = keep_capabilities(KEEPER_CAPS);

	return fault ? fault : self_refuse_programs();
}

static uint64_t all_rights(uint32_t abi)
{
	unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;

	return (1ULL << bits) - 1;
}

static int allow(int ruleset, int folder, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = folder};

	if (folder < 0)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		   ? -errno
		   : 0;
}

static int restrict_files(const int read[2], const int write[2])
{
	uint32_t abi = landlock_abi();
	struct rules rules = {.fs = all_rights(abi), .net = 3, .scoped = 3};
	int cleanup_fd ruleset = -1;
	int fault = 0;

	if (abi == 0)
		return 0; /* the capabilities are gone all the same; walls are attested per call */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules,
	    abi >= 6   ? sizeof(rules)
	    : abi >= 4 ? 2 * sizeof(uint64_t)
		       : sizeof(uint64_t),
	    0);
	if (ruleset < 0)
		return -errno;
	for (unsigned i = 0; !fault && i < 2; i++)
		fault = allow(ruleset, read[i], LANDLOCK_FS_READ);
	for (unsigned i = 0; !fault && i < 2; i++)
		fault = allow(ruleset, write[i], rules.fs & (LANDLOCK_FS_READ | LANDLOCK_FS_WRITE));
	if (!fault && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		fault = -errno;
	return fault;
}

int job_confine(const int read[2], const int write[2])
{
	int fault = restrict_files(read, write);

	if (!fault)
		fault = self_refuse_powers();
	return fault ? fault : keep_capabilities(FILE_CAPS);
}
