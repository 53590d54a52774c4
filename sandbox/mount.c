/*
 * The workspace and single files: made ready as detached mounts in the warden, attached in the
 * cell. A cell could not open them itself: it has no path to the host any more.
 */
#include "sandbox/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/landlock.h"

#define HELPER_STACK 16384

/* ---- warden ---------------------------------------------------------------------------------- */

static _Noreturn int wait_to_be_killed(void *unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the warden die just now */
	for (;;)
		pause();
}

static int write_one_map(pid_t pid, const char *file, unsigned inside, unsigned outside)
{
	char path[64], line[64];
	int len = snprintf(line, sizeof(line), "%u %u 1\n", inside, outside);
	int cleanup_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd_write_all(fd, line, (size_t)len);
}

static int map_and_open(pid_t pid, const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *owner)
{
	unsigned id = host->cell_uid_first + cell->slot;
	char path[64];
	int fd, r = write_one_map(pid, "gid_map", owner->gid, id);

	if (r == 0)
		r = write_one_map(pid, "uid_map", owner->uid, id);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A user namespace that says "the owner on disk is the cell's uid". It needs a process to be
 * born in; that shares our memory (nothing is copied), does nothing, and is dead at once. */
static int idmap_namespace(
    const struct cell_host *host, const struct cell *cell, const struct cell_folder *owner)
{
	char stack[HELPER_STACK] __attribute__((aligned(16)));
	pid_t pid = clone(wait_to_be_killed, stack + sizeof(stack),
	    CLONE_VM | CLONE_FILES | CLONE_NEWUSER | SIGCHLD, NULL);
	int fd;

	if (pid < 0)
		return -errno;
	fd = map_and_open(pid, host, cell, owner);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

void cell_idmap_close(struct cell_idmap *idmap)
{
	cleanup_fd_(&idmap->fd);
}

/* Makes what is kept fit this folder. 0 or -errno, and then nothing is kept. */
static int renew_idmap(const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *folder, struct cell_idmap *idmap)
{
	int fd;

	if (idmap->fd >= 0 && idmap->uid == folder->uid && idmap->gid == folder->gid)
		return 0;
	cell_idmap_close(idmap);
	fd = idmap_namespace(host, cell, folder);
	if (fd < 0)
		return fd;
	*idmap = (struct cell_idmap){fd, folder->uid, folder->gid};
	return 0;
}

static uint64_t mode_attributes(enum cell_workspace mode)
{
	switch (mode) {
	case CELL_WORKSPACE_NONE:
	case CELL_WORKSPACE_RO: return MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
	case CELL_WORKSPACE_RW: return MOUNT_ATTR_NOEXEC;
	case CELL_WORKSPACE_EXEC: return 0;
	}
	return MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
}

static int detached(int fd, struct mount_attr *set)
{
	int cleanup_fd tree =
	    open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

	if (tree < 0)
		return -errno;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, set, sizeof(*set)) < 0)
		return -errno;
	return take_fd(&tree);
}

/* A detached mount of the folder or of a file in it, with these attributes and never with less than
 * nosuid and nodev; as root idmapped, so that the owner on disk is the cell's uid. */
static int owned(const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *folder, uint64_t attributes)
{
	struct mount_attr set = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | attributes};
	struct cell_idmap cleanup_with(cell_idmap_close) once = {.fd = -1};
	struct cell_idmap *idmap = folder->idmap ? folder->idmap : &once;

	if (host->root) {
		int fault = renew_idmap(host, cell, folder, idmap);

		if (fault)
			return fault;
		set.attr_set |= MOUNT_ATTR_IDMAP;
		set.userns_fd = (uint64_t)idmap->fd;
	}
	return detached(folder->fd, &set);
}

int cell_mount_workspace(const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *folder, enum cell_workspace mode, struct err_note *note)
{
	int fd = owned(host, cell, folder, mode_attributes(mode));

	if (fd >= 0)
		return fd;
	if (host->root && (fd == -EINVAL || fd == -EPERM))
		return err_note(note, -ENOTSUP,
		    "workspace: its file system, or one mounted below it, takes no idmapped mount; "
		    "move it to ext4, xfs or btrfs, or set sandbox.run_as: owner");
	(void)err_note(note, fd, "workspace: cannot make its mount");
	return err_note_errno(note, fd);
}

int cell_mount_script(const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *script, enum cell_workspace mode)
{
	return owned(host, cell, script, MOUNT_ATTR_RDONLY | mode_attributes(mode));
}

int cell_mount_program(int fd)
{
	struct mount_attr set = {
	    .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

	return detached(fd, &set);
}

/* ---- cell ------------------------------------------------------------------------------------ */

/* May something be made in this directory? Only on what is private to the cell: never in a
 * workspace, which is the user's. */
static bool may_make(const struct entry *entry, int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 &&
	       (st.st_dev == entry->root_dev || st.st_dev == entry->scratch_dev);
}

/* A directory of ours that was missing. /var/tmp is a link to /tmp until a workspace lies there. */
static int make_directory(int dir, const char *name)
{
	struct stat st;

	if (mkdirat(dir, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode) || strcmp(name, "tmp") != 0)
		return 0; /* what is no directory shows when it is opened */
	return unlinkat(dir, name, 0) < 0 || mkdirat(dir, name, 0755) < 0 ? -errno : 0;
}

/* Goes down one name, without following a link. last: what the end may be. */
static int walk_down(const struct entry *entry, int *dir, const char *name, int flags)
{
	int next;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	if (may_make(entry, *dir)) {
		if (flags & O_DIRECTORY) {
			int r = make_directory(*dir, name);

			if (r < 0)
				return r;
		} else {
			next = openat(
			    *dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
			if (next >= 0)
				close(next);
			else if (errno != EEXIST)
				return -errno;
		}
	}
	next = openat(*dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);
	if (next < 0)
		return -errno;
	close(*dir);
	*dir = next;
	return 0;
}

/* The place for a mount; made where it is missing. flags: O_DIRECTORY for a directory. Returns
 * an O_PATH descriptor or -errno. */
static int walk_to(const struct entry *entry, const char *path, int flags)
{
	int cleanup_fd dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	if (path[0] != '/' || path[1] == '\0')
		return -EINVAL;
	while (*path) {
		size_t len;
		int r;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			break;
		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		r = walk_down(entry, &dir, name, *path ? O_DIRECTORY : flags);
		if (r < 0)
			return r;
	}
	return take_fd(&dir);
}

static int attach(const struct entry *entry, const char *path, int mount_fd)
{
	int cleanup_fd place = -1;
	struct stat st;

	if (fstat(mount_fd, &st) < 0)
		return -errno;
	place = walk_to(entry, path, S_ISDIR(st.st_mode) ? O_DIRECTORY : 0);
	if (place < 0)
		return place;
	if (move_mount(mount_fd, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
	    0)
		return -errno;
	return 0;
}

static int mount_workspace(struct entry *entry)
{
	struct arm_request *arm = &entry->arm;
	int r;

	if (arm->mode == CELL_WORKSPACE_NONE)
		return arm->mount_fd < 0 ? 0 : -EINVAL;
	if (arm->mount_fd < 0)
		return -EINVAL;
	r = attach(entry, arm->workspace, arm->mount_fd);
	if (r < 0)
		return err_note_errno(
		    &entry->note, err_note(&entry->note, r, "%s", arm->workspace));
	if (entry->ruleset < 0)
		return 0;
	return landlock_allow(
	    entry, arm->mount_fd, arm->landlock_workspace & landlock_workspace_access(arm->mode));
}

static bool lies_in(const char *folder, const char *path)
{
	size_t len = strlen(folder);

	return strncmp(folder, path, len) == 0 && path[len] == '/';
}

static int mount_bind(struct entry *entry, bool *in_workspace)
{
	struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
	int cleanup_fd fd = -1;
	const char *path;
	int r = wire_expect(entry->sock, WIRE_BIND, &message);

	if (r < 0)
		return r;
	path = reader_str(&message.body);
	fd = wire_take_fd(&message);
	if (fd < 0 || reader_end(&message.body) < 0)
		return -EBADMSG;
	if (!*in_workspace && lies_in(entry->arm.workspace, path)) {
		*in_workspace = true;
		r = mount_workspace(entry);
		if (r < 0)
			return r;
	}
	r = attach(entry, path, fd);
	return r < 0 ? err_note_errno(&entry->note, err_note(&entry->note, r, "%s", path)) : 0;
}

/* The workspace lies over the places of programs and below the script that is bound into it: were
 * a bind of /home attached after a workspace in /home, it would show that without its noexec. */
int mount_all(struct entry *entry)
{
	bool in_workspace = false;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < entry->arm.bind_count; i++)
		r = mount_bind(entry, &in_workspace);
	return r < 0 || in_workspace ? r : mount_workspace(entry);
}
