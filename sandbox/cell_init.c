/*
 * The cell after GO: pid 1 of its namespace. Starts the one tool, reaps whatever comes to it,
 * and when the tool has ended leaves nobody behind: its report says ECHILD or is not sent.
 */
#include "sandbox/enter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define WATCH_NS     (25 * 1000 * 1000)
#define WATCH_CPU_NS (100 * 1000 * 1000)
#define STATUS_SIZE  4096

struct tree {
	pid_t tool;
	int status; /* of the tool, once ended */
	bool ended;
	enum cell_reached reached;
	uint64_t watched; /* largest sum seen, bytes */
};

/* ---- start ----------------------------------------------------------------------------------- */

/* In the tool's process, which still shares our memory: system calls only. Returns an errno. */
static int become_tool(const struct entry *entry)
{
	const struct arm_request *arm = &entry->arm;
	sigset_t none;
	int r;

	sigemptyset(&none);
	if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return errno;
	r = limits_of_tool(entry);
	if (r < 0)
		return -r;
	execveat(arm->exec_fd, "", arm->argv, arm->envp, AT_EMPTY_PATH);
	return errno;
}

/* vfork: nothing is copied, and when it returns the exec has either happened or left its errno
 * in memory we share; a pipe would say no more. */
static __attribute__((noinline)) pid_t start_tool(const struct entry *entry, volatile int *error)
{
	pid_t pid = vfork();

	if (pid == 0) {
		*error = become_tool(entry);
		_exit(127);
	}
	if (pid < 0)
		*error = errno;
	return pid;
}

/* The pipes and the gate are the tool's: held here, their end would never be seen. */
static void let_go(struct entry *entry)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (entry->arm.gate_fd >= 0)
		close(entry->arm.gate_fd);
	close(entry->arm.exec_fd);
	entry->arm.gate_fd = entry->arm.exec_fd = -1;
}

/* ---- memory of the tree, where no cgroup counts it ------------------------------------------- */

/* The figure behind `key` in kB, as bytes. */
static uint64_t status_kb(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

static ssize_t read_small(int dir, const char *name, char out[STATUS_SIZE])
{
	int cleanup_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, out, STATUS_SIZE - 1);

	if (len >= 0)
		out[len] = '\0';
	return len;
}

/* Anonymous and shared pages of one process; file pages are the host's cache. */
static uint64_t process_memory(int proc, const char *pid)
{
	char name[32], text[STATUS_SIZE];

	(void)snprintf(name, sizeof(name), "%.16s/status", pid);
	if (read_small(proc, name, text) < 0)
		return 0;
	return status_kb(text, "\nRssAnon:") + status_kb(text, "\nRssShmem:");
}

/* System V segments outlive their attachment; the kernel counts them for the whole namespace. */
static uint64_t segment_memory(void)
{
	struct shm_info info = {.shm_rss = 0};

	if (shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info) < 0)
		return 0;
	return (uint64_t)info.shm_rss * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t tree_memory(void)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	uint64_t sum = 0;

	if (!dir)
		return UINT64_MAX; /* what cannot be watched is over its limit */
	sum = segment_memory();
	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    strcmp(entry->d_name, "1") != 0)
			sum += process_memory(dirfd(dir), entry->d_name);
	closedir(dir);
	return sum;
}

/* -1 means this cell only where we are its pid 1; it always is, but a mistake there would reach
 * every process of the uid. */
static void kill_tree(const struct tree *tree)
{
	(void)kill(getpid() == 1 ? -1 : tree->tool, SIGKILL); /* ESRCH: nobody left */
}

static void watch(struct tree *tree, uint64_t limit)
{
	uint64_t sum = tree_memory();

	if (sum > tree->watched)
		tree->watched = sum;
	if (sum <= limit)
		return;
	tree->reached = CELL_REACHED_MEMORY;
	kill_tree(tree);
}

/* ---- CPU time of the tree: RLIMIT_CPU binds one process ------------------------- */

static uint64_t rusage_us(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Ticks of one process and of the children that it has reaped. The name, which is its own to
 * choose, ends at the last bracket. */
static uint64_t process_ticks(int proc, const char *pid)
{
	unsigned long long sum = 0, part[4];
	char name[32], text[STATUS_SIZE];
	const char *at;

	(void)snprintf(name, sizeof(name), "%.16s/stat", pid);
	if (read_small(proc, name, text) < 0 || !(at = strrchr(text, ')')))
		return 0;
	if (sscanf(at + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %llu %llu",
		&part[0], &part[1], &part[2], &part[3]) == 4)
		sum = part[0] + part[1] + part[2] + part[3];
	return sum;
}

static uint64_t tree_cpu_us(void)
{
	uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK), ticks = 0;
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	struct rusage usage;

	if (!dir)
		return UINT64_MAX;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    strcmp(entry->d_name, "1") != 0)
			ticks += process_ticks(dirfd(dir), entry->d_name);
	closedir(dir);
	memset(&usage, 0, sizeof(usage));
	getrusage(RUSAGE_CHILDREN, &usage);
	return ticks * tick_us + rusage_us(&usage);
}

static void watch_cpu(struct tree *tree, uint64_t limit_ms)
{
	if (tree_cpu_us() < limit_ms * 1000)
		return;
	tree->reached = CELL_REACHED_CPU;
	kill_tree(tree);
}

/* ---- room in /tmp and in an overlay ---------------------------------------------------------- */

/* The kernel counts no refusals here: what can be seen is that nothing is left. */
static enum cell_reached look_at_room(const struct statfs *room, const struct cell_limits *limits)
{
	if (limits->tmp_bytes && room->f_bfree == 0)
		return CELL_REACHED_DISK;
	if (limits->tmp_inodes && room->f_ffree == 0)
		return CELL_REACHED_INODES;
	return CELL_REACHED_NONE;
}

/* An overlay tells the room of what is above, which has the same two limits; what any other
 * workspace tells is the host's disk. */
static void look_for_room(struct tree *tree, const struct arm_request *arm)
{
	struct statfs room;

	if (tree->reached == CELL_REACHED_NONE && statfs("/tmp", &room) == 0)
		tree->reached = look_at_room(&room, &arm->limits);
	if (tree->reached == CELL_REACHED_NONE && arm->mode != CELL_WORKSPACE_NONE &&
	    statfs(arm->workspace, &room) == 0 && room.f_type == OVERLAYFS_SUPER_MAGIC)
		tree->reached = look_at_room(&room, &arm->limits);
}

/* ---- end ------------------------------------------------------------------------------------- */

/* Takes one ended child. False: none is left in the whole namespace. */
static bool reap(struct tree *tree, int flags, pid_t *ret_pid)
{
	int status;
	pid_t pid = waitpid(-1, &status, flags);

	*ret_pid = pid;
	if (pid < 0)
		return errno != ECHILD;
	if (pid == tree->tool) {
		tree->status = status;
		tree->ended = true;
	}
	return true;
}

static void await_tool(struct tree *tree, const struct entry *entry)
{
	const struct cell_limits *limits = &entry->arm.limits;
	bool memory = entry->have.memory_watched, watched = memory || limits->cpu_ms;
	const struct timespec pause = {.tv_nsec = memory ? WATCH_NS : WATCH_CPU_NS};
	sigset_t child;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (!tree->ended) {
		if (!reap(tree, watched ? WNOHANG : 0, &pid))
			return;
		if (!watched || pid > 0)
			continue;
		if (memory)
			watch(tree, limits->memory);
		if (limits->cpu_ms && tree->reached == CELL_REACHED_NONE)
			watch_cpu(tree, limits->cpu_ms);
		if (!tree->ended)
			sigtimedwait(&child, NULL, &pause);
	}
}

/* Orphans have come to us; they are killed, and waited for until the kernel says there are none. */
static void empty_tree(struct tree *tree)
{
	pid_t pid;

	while (reap(tree, WNOHANG, &pid)) {
		if (pid > 0)
			continue;
		kill_tree(tree);
		if (!reap(tree, 0, &pid))
			return;
	}
}

static void report_exit(const struct entry *entry, const struct tree *tree)
{
	struct rusage usage;
	struct buf out;
	uint64_t cpu_us, peak;

	memset(&usage, 0, sizeof(usage));
	getrusage(RUSAGE_CHILDREN, &usage);
	cpu_us = rusage_us(&usage);
	peak = (uint64_t)usage.ru_maxrss * 1024;
	wire_begin(&out, WIRE_EXITED);
	(void)buf_put_u8(&out, WIFSIGNALED(tree->status));
	(void)buf_put_u32(&out, (uint32_t)(WIFSIGNALED(tree->status) ? WTERMSIG(tree->status)
								     : WEXITSTATUS(tree->status)));
	(void)buf_put_u64(&out, cpu_us);
	(void)buf_put_u64(&out, tree->watched > peak ? tree->watched : peak);
	(void)buf_put_u8(&out, (uint8_t)tree->reached);
	(void)wire_send(entry->sock, &out, NULL, 0); /* else the pidfd is the proof */
}

_Noreturn void cell_init_run(struct entry *entry)
{
	struct tree tree = {.tool = -1};
	volatile int error = 0;
	sigset_t child;
	struct buf out;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	tree.tool = start_tool(entry, &error);
	let_go(entry);
	if (error)
		enter_fail_exec(entry, error);
	wire_begin(&out, WIRE_STARTED);
	(void)wire_send(entry->sock, &out, NULL, 0);
	await_tool(&tree, entry);
	look_for_room(&tree, &entry->arm);
	empty_tree(&tree);
	report_exit(entry, &tree);
	_exit(0);
}
