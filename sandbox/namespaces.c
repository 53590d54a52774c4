#include "sandbox/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

static const struct {
	const char *path;
	enum layer layer;
	int flag;
} kinds[6] = {
    {"/proc/self/ns/user", LAYER_USERNS, CLONE_NEWUSER},
    {"/proc/self/ns/mnt", LAYER_MNTNS, CLONE_NEWNS},
    {"/proc/self/ns/pid", LAYER_PIDNS, CLONE_NEWPID},
    {"/proc/self/ns/net", LAYER_NETNS, CLONE_NEWNET},
    {"/proc/self/ns/ipc", LAYER_IPCNS, CLONE_NEWIPC},
    {"/proc/self/ns/uts", LAYER_UTSNS, CLONE_NEWUTS},
};

int namespaces_flags(const struct walls *walls)
{
	int flags = 0;

	for (unsigned i = 0; i < 6; i++)
		if (!wall_is_off(walls, kinds[i].layer))
			flags |= kinds[i].flag;
	return flags;
}

int namespaces_record(ino_t ret_ns[6])
{
	for (unsigned i = 0; i < 6; i++) {
		struct stat st;

		if (stat(kinds[i].path, &st) < 0)
			return -errno;
		ret_ns[i] = st.st_ino;
	}
	return 0;
}

/* Compares with the zygote's: a namespace counts because it is another one, not because the
 * clone flag was given. */
int namespaces_verify(struct entry *entry)
{
	ino_t now[6];
	int r = namespaces_record(now);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < 6; i++) {
		if (wall_is_off(&entry->walls, kinds[i].layer))
			continue;
		if (now[i] == entry->outer_ns[i])
			return err_note(&entry->note, -ENOTSUP,
			    "%s is shared with the daemon; boot a kernel with this namespace",
			    layer_name(kinds[i].layer));
		entry->have.layers |= 1u << kinds[i].layer;
	}
	return 0;
}

static int write_map(const char *path, unsigned id)
{
	int cleanup_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	char line[64];
	int len = snprintf(line, sizeof(line), "%u %u 1\n", id, id);

	if (fd < 0)
		return -errno;
	return fd_write_all(fd, line, (size_t)len);
}

int namespaces_map(pid_t pid, uid_t uid, gid_t gid)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	r = write_map(path, gid);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	return write_map(path, uid);
}

/* An ordinary user maps himself. The files belong to root while the process is not dumpable. */
static int map_self(struct entry *entry)
{
	int r;

	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return -errno;
	r = write_map("/proc/self/gid_map", entry->gid);
	if (r == 0)
		r = write_map("/proc/self/uid_map", entry->uid);
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return r;
}

static int await_map(struct entry *entry)
{
	struct wire_message message = {.fd_count = 0};
	int r = wire_expect(entry->sock, WIRE_MAPPED, &message);

	wire_fini(&message);
	return r;
}

int namespaces_identity(struct entry *entry)
{
	bool own = !wall_is_off(&entry->walls, LAYER_USERNS);
	int r = 0;

	if (entry->host.root)
		r = await_map(entry);
	else if (own)
		r = map_self(entry);
	if (r < 0)
		return r;
	if (setresgid(entry->gid, entry->gid, entry->gid) < 0 ||
	    setresuid(entry->uid, entry->uid, entry->uid) < 0)
		return -errno;
	return 0;
}

int namespaces_hostname(struct entry *entry)
{
	(void)entry;
	return sethostname(CELL_HOSTNAME, strlen(CELL_HOSTNAME)) < 0 ? -errno : 0;
}

/* The limit belongs to the cell's own user namespace; without one it would be the host's. */
int namespaces_no_more(struct entry *entry)
{
	int cleanup_fd fd = -1;

	if (!(entry->have.layers & LAYER_BIT(USERNS)))
		return -ENOTSUP;
	if (walls_allow_nesting(&entry->walls))
		return 0;
	fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fd_write_all(fd, "0", 1);
}

int namespaces_cgroup(struct entry *entry)
{
	struct stat before, after;

	if (wall_is_off(&entry->walls, LAYER_PROC))
		return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
	if (stat("/proc/self/ns/cgroup", &before) < 0)
		return errno == ENOENT ? ENTER_ABSENT : -errno;
	if (unshare(CLONE_NEWCGROUP) < 0 || stat("/proc/self/ns/cgroup", &after) < 0)
		return -errno;
	return before.st_ino == after.st_ino ? -ENOTSUP : 0;
}
