#include "sandbox/object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define OBJECT_DEPTH_MAX 128

static int open_path(const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* /proc/self/fd/N: the one door from a descriptor to its path and to a second open. */
static void proc_name(char out[32], int fd)
{
	snprintf(out, 32, "/proc/self/fd/%d", fd);
}

int object_open(struct object *ret, const char *path)
{
	int cleanup_fd fd = open_path(path, 0, RESOLVE_NO_MAGICLINKS);
	char link[32];
	ssize_t len;

	if (fd < 0)
		return fd;
	if (fstat(fd, &ret->stat) < 0)
		return -errno;
	proc_name(link, fd);
	len = readlink(link, ret->path, sizeof(ret->path));
	if (len < 0)
		return -errno;
	if (len == sizeof(ret->path))
		return -ENAMETOOLONG;
	ret->path[len] = '\0';
	if (ret->path[0] != '/')
		return -ESTALE;
	ret->fd = take_fd(&fd);
	return 0;
}

bool object_is_absent(int fault)
{
	return fault == -ENOENT || fault == -ENOTDIR || fault == -EACCES || fault == -ELOOP ||
	       fault == -ENAMETOOLONG;
}

void object_fini(struct object *object)
{
	if (object->fd >= 0)
		close(object->fd);
	object->fd = -1;
}

int object_reopen(const struct object *object)
{
	char link[32];
	int fd;

	proc_name(link, object->fd);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

struct program_stamp object_stamp(const struct object *object)
{
	const struct stat *st = &object->stat;

	return (struct program_stamp){
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .mtime_ns = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec,
	    .ctime_ns = st->st_ctim.tv_sec * 1000000000LL + st->st_ctim.tv_nsec,
	};
}

const char *object_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* An owner may always give himself the write bit. For our own uid the kernel answers exactly
 * (groups, ACLs, capabilities); of another uid the groups are not known, so a group's write bit,
 * which also is the mask of an ACL, counts as his. */
bool object_may_write(int fd, const struct stat *st, uid_t uid)
{
	if (st->st_uid == uid)
		return true;
	if (uid == geteuid())
		return syscall(SYS_faccessat2, fd, "", W_OK, AT_EACCESS | AT_EMPTY_PATH) == 0;
	return (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* In a sticky directory only an entry's owner and the directory's owner may take it away. */
static bool may_replace(int dir_fd, const struct stat *dir, const struct stat *entry, uid_t uid)
{
	if (!object_may_write(dir_fd, dir, uid))
		return false;
	return !(dir->st_mode & S_ISVTX) || entry->st_uid == uid || dir->st_uid == uid;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The directory that holds the object now, which must still hold it under its own name. */
static int open_parent(const struct object *object, struct stat *ret_stat)
{
	const char *base = object_base(object->path);
	size_t len = (size_t)(base - object->path);
	int cleanup_fd fd = -1;
	char path[PATH_MAX];
	struct stat entry;

	memcpy(path, object->path, len);
	path[len] = '\0';
	fd = open_path(path, O_DIRECTORY, RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	if (fstatat(fd, base, &entry, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (!same_file(&entry, &object->stat))
		return -ESTALE;
	if (fstat(fd, ret_stat) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Takes dir. Its entry is judged in every directory up to the root. */
static int guard_upwards(
    const struct object *object, int dir, struct stat dir_stat, uid_t uid, struct err_note *note)
{
	int cleanup_fd here = dir;
	struct stat entry = object->stat;

	for (int depth = 0; depth < OBJECT_DEPTH_MAX; depth++) {
		struct stat above;
		int up;

		if (may_replace(here, &dir_stat, &entry, uid))
			return err_note(note, -EACCES,
			    "%s: user %u could replace it, %d director%s up; only root may",
			    object->path, (unsigned)uid, depth + 1, depth == 0 ? "y" : "ies");
		up = openat(here, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return -errno;
		close(here);
		here = up;
		if (fstat(up, &above) < 0)
			return -errno;
		if (same_file(&above, &dir_stat))
			return 0;
		entry = dir_stat;
		dir_stat = above;
	}
	return -ELOOP;
}

int object_guard(const struct object *object, uid_t uid, struct err_note *note)
{
	struct stat dir_stat;
	int dir;

	if (object_may_write(object->fd, &object->stat, uid))
		return err_note(note, -EACCES,
		    "%s: user %u could change it; make it root's and take the write bits away",
		    object->path, (unsigned)uid);
	dir = open_parent(object, &dir_stat);
	if (dir < 0)
		return dir;
	return guard_upwards(object, dir, dir_stat, uid, note);
}
