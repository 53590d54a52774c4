#include "supervisor/warden/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/paths.h"

#define DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)
#define UP_MAX    PATHS_MAX /* more steps upwards than a path can have components */

int workspace_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

char *workspace_path_of(int fd)
{
	char link[64], real[PATHS_MAX];
	struct stat st;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, real, sizeof(real));
	if (len <= 0 || len >= PATHS_MAX || real[0] != '/')
		return NULL;
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return NULL;
	return strndup(real, (size_t)len);
}

bool workspace_is_below(const char *base, const char *path)
{
	size_t len = strlen(base);

	if (len == 1)
		return path[0] == '/';
	return !strncmp(base, path, len) && (path[len] == '/' || path[len] == '\0');
}

static bool has_dotdot(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
			return true;
	return false;
}

/* Opens what the file says, without a link at its end; a path without ".." must also stay below
 * the directory it starts from. */
static int open_written(int dirfd, const char *path)
{
	uint64_t resolve = RESOLVE_NO_MAGICLINKS;

	if (!path[0])
		path = ".";
	if (path[0] != '/' && !has_dotdot(path))
		resolve |= RESOLVE_BENEATH;
	return workspace_openat2(dirfd, path, DIRECTORY | O_NOFOLLOW, resolve);
}

/* Is fd the directory (dev, ino), or somewhere below it? */
static int lies_below(int fd, uint64_t dev, uint64_t ino)
{
	int cleanup_fd here = openat(fd, ".", DIRECTORY);
	struct stat st, above;

	if (here < 0 || fstat(here, &st) < 0)
		return -errno;
	for (int step = 0; step < UP_MAX; step++) {
		int up;

		if (st.st_dev == dev && st.st_ino == ino)
			return 1;
		up = openat(here, "..", DIRECTORY);
		if (up < 0)
			return -errno;
		close(here);
		here = up;
		if (fstat(here, &above) < 0)
			return -errno;
		if (above.st_dev == st.st_dev && above.st_ino == st.st_ino)
			return 0;
		st = above;
	}
	return -ELOOP;
}

static int open_tool_directory(int folder, int root, const char *path)
{
	int cleanup_fd fd = -1;
	struct stat st;

	if (!path[0])
		return openat(root, ".", DIRECTORY);
	if (path[0] == '/')
		return open_written(folder, path);
	if (fstat(root, &st) < 0)
		return -errno;
	fd = open_written(folder, path);
	if (fd >= 0 && lies_below(fd, st.st_dev, st.st_ino) == 1)
		return take_fd(&fd);
	return workspace_openat2(
	    root, path, DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

/* What a complaint is about. */
struct named {
	const char *at;      /* "file:line:column: tool T: namespace N:" */
	const char *written; /* as the policy has it */
	char whole[PATHS_MAX];
};

/* The path that was tried: written, below the directory that it starts from. */
static void name_whole(struct named *named, const char *base, const char *written)
{
	const char *rest = written;

	named->written = written;
	while (rest[0] == '.' && rest[1] == '/')
		rest += 2;
	if (!strcmp(rest, "."))
		rest = "";
	if (rest[0] == '/' || !base)
		snprintf(named->whole, sizeof(named->whole), "%s", rest);
	else
		snprintf(named->whole, sizeof(named->whole), "%s%s%s", base,
		    rest[0] && base[1] ? "/" : "", rest);
}

/* The words for a failed opening. */
static int explain(const struct named *named, int fault, struct err_note *note)
{
	const char *why = strerror(-fault), *remedy = "";

	switch (fault) {
	case -ENOENT:
		why = "does not exist";
		remedy = "; create it";
		break;
	case -ENOTDIR:
	case -ELOOP:
		why = "no directory, or a link";
		remedy = "; name the directory itself";
		break;
	case -EXDEV:
		why = "leads out of its place";
		remedy = "; write the real absolute path";
		break;
	case -EACCES:
	case -EPERM: remedy = "; let the daemon's user enter it and every folder above it"; break;
	default: break;
	}
	return err_note(note, fault, "%s working_directory %s: %s: %s%s", named->at, named->written,
	    named->whole, why, remedy);
}

/* Places that every cell has for itself. */
static const char *const own_places[] = {
    "/usr", "/etc", "/proc", "/sys", "/dev", "/bin", "/sbin", "/lib", "/lib64"};

static int judge_place(const char *at, const char *path, struct err_note *note)
{
	bool taken = !strcmp(path, "/") || !strcmp(path, "/tmp");

	for (size_t i = 0; i < sizeof(own_places) / sizeof(*own_places); i++)
		taken = taken || workspace_is_below(own_places[i], path);
	if (taken)
		return err_note(note, -EINVAL,
		    "%s working_directory %s: every sandbox has its own there; use another one", at,
		    path);
	return 0;
}

static int fill(int *fd, const struct named *named, struct workspace *ret, struct err_note *note)
{
	char *cleanup_free path = workspace_path_of(*fd);
	struct stat st;
	int fault;

	if (!path || fstat(*fd, &st) < 0)
		return explain(named, -ENOENT, note);
	fault = judge_place(named->at, path, note);
	if (fault)
		return fault;
	*ret = (struct workspace){
	    .path = take_ptr(path),
	    .fd = take_fd(fd),
	    .dev = st.st_dev,
	    .ino = st.st_ino,
	    .uid = st.st_uid,
	    .gid = st.st_gid,
	};
	return 0;
}

int workspace_open(const struct config *config, const struct policy_tool *tool,
    const struct policy_namespace *space, struct workspace *ret, struct err_note *note)
{
	int cleanup_fd folder = open(config->folder, DIRECTORY);
	int cleanup_fd root = -1, fd = -1;
	char *cleanup_free base = NULL;
	struct policy_pos pos = space->working_directory_pos;
	char at[ERR_NOTE_MAX / 2];
	struct named named = {.at = at};

	if (folder < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", config->folder));
	if (!pos.line)
		pos = tool->pos;
	snprintf(at, sizeof(at), "%s:%u:%u: namespace %s:", config->file, pos.line, pos.column,
	    space->name);
	name_whole(
	    &named, config->folder, space->working_directory[0] ? space->working_directory : ".");
	root = open_written(folder, space->working_directory);
	if (root < 0)
		return explain(&named, root, note);
	if (tool->working_directory[0]) {
		pos = tool->working_directory_pos;
		snprintf(at, sizeof(at), "%s:%u:%u: tool %s: namespace %s:", config->file, pos.line,
		    pos.column, tool->name, space->name);
		base = workspace_path_of(root);
		name_whole(&named, base, tool->working_directory);
	}
	fd = open_tool_directory(folder, root, tool->working_directory);
	if (fd < 0)
		return explain(&named, fd, note);
	return fill(&fd, &named, ret, note);
}

int workspace_hold(struct workspace *workspace, struct holdings *holdings)
{
	int fault = held_place(holdings, take_fd(&workspace->fd), &workspace->held);

	if (!fault)
		workspace->fd = held_fd(workspace->held);
	return fault;
}

void workspace_close(struct workspace *workspace)
{
	if (workspace->held)
		workspace->fd = -1; /* its last holder closes it */
	held_drop(take_ptr(workspace->held));
	cleanup_fd_(&workspace->fd);
	cleanup_free_(&workspace->path);
}

int workspace_holds(const struct workspace *workspace, const char *path)
{
	char above[PATHS_MAX];
	int cleanup_fd fd = -1;

	if (path[0] != '/' || strlen(path) >= sizeof(above))
		return -EINVAL;
	memcpy(above, path, strlen(path) + 1);
	while ((fd = open(above[0] ? above : "/", DIRECTORY)) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		if (!above[0])
			return -ENOENT;
		*strrchr(above, '/') = '\0';
	}
	return lies_below(fd, workspace->dev, workspace->ino);
}
