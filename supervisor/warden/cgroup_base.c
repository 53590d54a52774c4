#include "supervisor/warden/cgroup_base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define BASE_PREFIX "callgate-"
#define BASE_RANDOM 8 /* hex digits */
#define MAKE_TRIES  8
#define DIRECTORY   (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int cgroup_base_name(char ret_name[CGROUP_NAME_MAX])
{
	uint32_t chance;

	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return -errno;
	snprintf(ret_name, CGROUP_NAME_MAX, BASE_PREFIX "%d-%08x", (int)getpid(), chance);
	return 0;
}

/* Of the form above, and so not somebody's slice that only begins like it. */
static bool is_base_name(const char *name)
{
	size_t digits;

	if (strncmp(name, BASE_PREFIX, strlen(BASE_PREFIX)))
		return false;
	name += strlen(BASE_PREFIX);
	digits = strspn(name, "0123456789");
	if (!digits || name[digits] != '-')
		return false;
	name += digits + 1;
	return strspn(name, "0123456789abcdef") == BASE_RANDOM && !name[BASE_RANDOM];
}

static bool is_leaf_name(const char *name)
{
	return !strncmp(name, CGROUP_LEAF_PREFIX, strlen(CGROUP_LEAF_PREFIX));
}

bool cgroup_base_stands(int parent, const char *name, int dir)
{
	struct stat named, opened;

	return fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(dir, &opened) == 0 && named.st_dev == opened.st_dev &&
	       named.st_ino == opened.st_ino;
}

int cgroup_base_lock(int dir)
{
	return flock(dir, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int cgroup_base_make(int parent, const char *name, int *ret_dir)
{
	/* Between mkdir and lock another daemon may take it for a left one and remove it. It is
	 * closed to other users, so nobody else can make the lock wait. */
	for (int i = 0; i < MAKE_TRIES; i++) {
		int cleanup_fd dir = -1;

		if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		dir = openat(parent, name, DIRECTORY);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0 || flock(dir, LOCK_EX) < 0)
			return -errno;
		if (cgroup_base_stands(parent, name, dir)) {
			*ret_dir = take_fd(&dir);
			return 0;
		}
	}
	return -EBUSY;
}

/* rmdir takes only what is empty, and a locked base is a living daemon's. */
static void remove_base(int parent, const char *name)
{
	int cleanup_fd dir = openat(parent, name, DIRECTORY);

	if (dir < 0 || cgroup_base_lock(dir) || !cgroup_base_stands(parent, name, dir))
		return;
	cgroup_base_sweep_leaves(dir);
	(void)unlinkat(parent, name, AT_REMOVEDIR); /* in use: stays */
}

static void remove_leaf(int dir, const char *name)
{
	(void)unlinkat(dir, name, AT_REMOVEDIR); /* in use: stays */
}

static void sweep(int dir, bool (*is_ours)(const char *name), void (*away)(int dir, const char *))
{
	int copy = openat(dir, ".", DIRECTORY);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!list) {
		cleanup_fd_(&copy);
		return;
	}
	while ((entry = readdir(list)))
		if (is_ours(entry->d_name))
			away(dir, entry->d_name);
	closedir(list);
}

void cgroup_base_sweep(int parent)
{
	sweep(parent, is_base_name, remove_base);
}

void cgroup_base_sweep_leaves(int dir)
{
	sweep(dir, is_leaf_name, remove_leaf);
}
