#include "supervisor/warden/cgroup_v2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define DAEMON_LEAF "daemon"
#define PROCS_MAX   4096 /* bytes of cgroup.procs of a folder that is really ours */

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if ((at == text || at[-1] == ' ') && strchr(" \n", at[len]))
			return true;
	return false;
}

bool cgroup_v2_has_controllers(int dir)
{
	char text[512];

	return !cgroup_read(dir, "cgroup.controllers", text, sizeof(text)) &&
	       has_word(text, "memory") && has_word(text, "pids");
}

bool cgroup_v2_is_root(int dir)
{
	/* Every group but the root has this file. */
	return faccessat(dir, "cgroup.events", F_OK, 0) < 0 && errno == ENOENT;
}

/* We, or a child of ours. */
static bool is_ours(pid_t pid)
{
	int cleanup_fd fd = -1;
	char path[64], text[512];
	ssize_t len;
	const char *after;

	if (pid == getpid())
		return true;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return false;
	text[len] = '\0';
	/* "pid (name) state ppid": the name may hold anything, so from its last bracket. */
	after = strrchr(text, ')');
	return after && strlen(after) > 4 && strtol(after + 4, NULL, 10) == getpid();
}

int cgroup_v2_move_aside(int dir)
{
	int cleanup_fd leaf = -1;
	char procs[PROCS_MAX];
	char *line, *rest = procs;
	int fault = cgroup_read(dir, "cgroup.procs", procs, sizeof(procs));

	if (fault)
		return fault == -EFBIG ? -EBUSY : fault;
	for (const char *at = procs; *at; at += strcspn(at, "\n") + 1) {
		if (!is_ours((pid_t)strtol(at, NULL, 10)))
			return -EBUSY;
		if (!strchr(at, '\n'))
			break;
	}
	if (mkdirat(dir, DAEMON_LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	leaf = openat(dir, DAEMON_LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (leaf < 0)
		return -errno;
	while ((line = strsep(&rest, "\n"))) {
		fault = line[0] ? cgroup_write(leaf, "cgroup.procs", line) : 0;
		if (fault && fault != -ESRCH)
			return fault;
	}
	return 0;
}

int cgroup_v2_enable(int dir)
{
	return cgroup_write(dir, "cgroup.subtree_control", "+memory +pids");
}

/* A file that some kernels do not have. */
static int write_if_there(int dir, const char *name, const char *value)
{
	int fault = cgroup_write(dir, name, value);

	return fault == -ENOENT ? 0 : fault;
}

int cgroup_v2_limit(const struct cgroup_leaf *leaf, const struct cell_limits *limits)
{
	int dir = leaf->dir[CGROUP_TREE_V2];
	int fault = 0;

	if (dir < 0)
		return -ENOTSUP;
	if (limits->memory) {
		fault = cgroup_write_u64(dir, "memory.max", limits->memory);
		if (fault)
			return fault == -ENOENT ? -ENOTSUP : fault;
		fault = write_if_there(dir, "memory.swap.max", "0");
		/* A tree that lost one process to the limit is of no more use. */
		if (!fault)
			fault = write_if_there(dir, "memory.oom.group", "1");
		if (fault)
			return fault;
	}
	/* The cell's init is one of them; so the kernel counts a refusal here before the cell's
	 * RLIMIT_NPROC, which allows one more, refuses without a witness. */
	return limits->pids ? cgroup_write_u64(dir, "pids.max", limits->pids) : 0;
}

void cgroup_v2_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *usage)
{
	int dir = leaf->dir[CGROUP_TREE_V2];
	uint64_t populated;

	/* What a file does not say stays 0, that is unknown. */
	(void)cgroup_read_u64(dir, "memory.peak", NULL, &usage->memory_peak);
	(void)cgroup_read_u64(dir, "cpu.stat", "usage_usec", &usage->cpu_us);
	(void)cgroup_read_u64(dir, "memory.events", "oom_kill", &usage->oom_kills);
	(void)cgroup_read_u64(dir, "pids.events", "max", &usage->pids_refused);
	if (!cgroup_read_u64(dir, "cgroup.events", "populated", &populated))
		usage->populated = populated ? CGROUP_POPULATED : CGROUP_EMPTY;
}
