/*
 * The descriptors a tool gets: 0, 1 and 2, 3 where it has a gate, and its working directory.
 */
#include "sandbox/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define TOOL_FDS 3
#define GATE_FD  3 /* the tool's, where it has one; else closed */
/* init's own, above the tool's; both close on exec. */
#define SOCK_FD 4
#define EXEC_FD 5
#define OUR_FDS 6
#define HIGH_FD 16 /* above all fixed numbers */

/* Walks down by descriptors, following no link: a link in the workspace, or one swapped in while
 * we look, could lead anywhere inside the cell's root. */
static int open_below(int from, const char *path)
{
	int cleanup_fd dir = fcntl(from, F_DUPFD_CLOEXEC, 0);
	char name[NAME_MAX + 1];

	if (dir < 0)
		return -errno;
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");
		int next;

		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		if (strcmp(name, "..") == 0)
			return -EINVAL;
		next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
	}
	return take_fd(&dir);
}

int stdio_cwd(struct entry *entry)
{
	const struct arm_request *arm = &entry->arm;
	size_t len = strlen(arm->workspace);
	int cleanup_fd root = -1;
	int cleanup_fd dir = -1;

	if (arm->mount_fd >= 0) {
		if (strncmp(arm->cwd, arm->workspace, len) != 0 ||
		    (arm->cwd[len] != '/' && arm->cwd[len] != '\0'))
			return -EINVAL;
		dir = open_below(arm->mount_fd, arm->cwd + len);
	} else {
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		dir = arm->cwd[0] == '/' ? open_below(root, arm->cwd) : -EINVAL;
	}
	if (dir < 0)
		return dir;
	return fchdir(dir) < 0 ? -errno : 0;
}

static int place(int from, int number, int flags)
{
	return dup3(from, number, flags) < 0 ? -errno : 0;
}

/* Out of the way first: what came over the socket may sit on any number. */
static int raise_fd(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	return high < 0 ? -errno : high;
}

static int place_all(struct entry *entry, const int from[OUR_FDS])
{
	int r = 0;

	for (int i = 0; r == 0 && i < OUR_FDS; i++) {
		if (i == GATE_FD && entry->arm.gate_fd < 0)
			(void)close(GATE_FD); /* free or not: nothing of ours may stay there */
		else
			r = from[i] < 0 ? from[i] : place(from[i], i, i < SOCK_FD ? 0 : O_CLOEXEC);
	}
	if (r < 0)
		return r;
	entry->sock = SOCK_FD;
	entry->arm.exec_fd = EXEC_FD;
	entry->arm.mount_fd = -1;
	for (int i = 0; i < TOOL_FDS; i++)
		entry->arm.stdio[i] = i;
	if (entry->arm.gate_fd >= 0)
		entry->arm.gate_fd = GATE_FD;
	return 0;
}

int stdio_place(struct entry *entry)
{
	struct arm_request *arm = &entry->arm;
	int from[OUR_FDS];

	if (arm->stdio[0] < 0)
		arm->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (arm->stdio[0] < 0)
		return -errno;
	for (int i = 0; i < TOOL_FDS; i++)
		from[i] = raise_fd(arm->stdio[i]);
	from[GATE_FD] = arm->gate_fd < 0 ? -1 : raise_fd(arm->gate_fd);
	from[SOCK_FD] = raise_fd(entry->sock);
	from[EXEC_FD] = raise_fd(arm->exec_fd);
	/* For the test of the test: one that close-on-exec would not stop. */
	if (wall_is_off(&entry->walls, LAYER_FDS) && fcntl(from[0], F_DUPFD, HIGH_FD) < 0)
		return -errno;
	return place_all(entry, from);
}

int stdio_close(struct entry *entry)
{
	(void)entry;
	return fd_close_from(OUR_FDS);
}
