#include "sandbox/functions/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "supervisor/base/cleanup.h"

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define AT_TOP_NAME  "."

struct walk {
	int top;             /* borrowed */
	int dir;             /* owned: where we are */
	char done[PATH_MAX]; /* dir's path from the top, without links */
	char rest[PATH_MAX]; /* still to be walked */
	const char *asked;   /* for the note */
	enum place_parents parents;
	bool private; /* met a name that nobody may reach */
	struct err_note *note;
};

static void walk_fini(struct walk *walk)
{
	cleanup_fd_(&walk->dir);
}

static int refuse(const struct walk *walk, int fault)
{
	const char *why = NULL;

	if (walk->private)
		why = PLACE_PRIVATE
		    " is callgate's own folder; it cannot be viewed, changed or searched";
	else if (fault == -ENOENT)
		why = "no such file or folder; view the folder above it";
	else if (fault == -ENOTDIR)
		why = "a part of the path is not a folder; view the folder above it";
	else if (fault == -ELOOP)
		why = "a part of the path is a symbolic link; name the place that it leads to";
	if (why)
		return err_note(walk->note, fault, PLACE_SHOWN ": %s", walk->asked, why);
	(void)err_note(walk->note, fault, PLACE_SHOWN, walk->asked);
	return err_note_errno(walk->note, fault);
}

int place_check(const char *path, struct err_note *note)
{
	if (!*path)
		return err_note(note, -EINVAL, "path: is empty; \".\" is the working directory");
	if (*path == '/')
		return err_note(
		    note, -EINVAL, "path: is absolute; give it relative to the working directory");
	if (strlen(path) >= PATH_MAX)
		return err_note(note, -EINVAL, "path: is longer than %d bytes", PATH_MAX - 1);
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");

		if (len == 2 && at[0] == '.' && at[1] == '.')
			return err_note(note, -EINVAL,
			    "path: holds \"..\"; give it relative to the working directory");
		at += len;
		at += strspn(at, "/");
	}
	return 0;
}

bool place_is_private(const char *name)
{
	return strcasecmp(name, PLACE_PRIVATE) == 0;
}

/* ---- the steps ------------------------------------------------------------------------------ */

/* Cuts the first component off the rest; "" when none is left. */
static int take(struct walk *walk, char name[NAME_MAX + 1])
{
	size_t skip = strspn(walk->rest, "/");
	size_t len = strcspn(walk->rest + skip, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, walk->rest + skip, len);
	name[len] = '\0';
	memmove(walk->rest, walk->rest + skip + len, strlen(walk->rest + skip + len) + 1);
	return 0;
}

static bool is_last(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static int append(char path[PATH_MAX], const char *name)
{
	size_t len = strlen(path), more = strlen(name);

	if (len + 1 + more >= PATH_MAX)
		return -ENAMETOOLONG;
	if (len > 0)
		path[len++] = '/';
	memcpy(path + len, name, more + 1);
	return 0;
}

static int descend(struct walk *walk, const char *name)
{
	int next = openat(walk->dir, name, FOLDER_FLAGS);
	int r;

	if (next < 0)
		return -errno;
	close(walk->dir);
	walk->dir = next;
	r = append(walk->done, name);
	return r;
}

/* Walks to a path that was walked before. By name from the top and not by "..": a folder that was
 * moved away meanwhile has another folder above it. */
static int walk_again(struct walk *walk, const char *path)
{
	char steps[PATH_MAX], *save = NULL;
	int dir = openat(walk->top, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	if (walk->dir >= 0)
		close(walk->dir);
	walk->dir = dir;
	walk->done[0] = '\0';
	snprintf(steps, sizeof(steps), "%s", path);
	for (char *name = strtok_r(steps, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int r = descend(walk, name);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Splits the last component off a path that holds at least one. */
static const char *split_last(char path[PATH_MAX])
{
	char *slash = strrchr(path, '/');

	if (!slash) {
		memmove(path + 1, path, strlen(path) + 1);
		path[0] = '\0';
		return path + 1;
	}
	*slash = '\0';
	return slash + 1;
}

static int finish(struct walk *walk, struct place *ret, const char *name, int result)
{
	int r;

	memcpy(ret->path, walk->done, strlen(walk->done) + 1);
	r = append(ret->path, name);
	if (r < 0)
		return r;
	memcpy(ret->name, name, strlen(name) + 1);
	ret->dir = take_fd(&walk->dir);
	return result;
}

#define GO_ON 2 /* of one_step(): not there yet */

/* name is none of "", "." and "..". PLACE_FOUND, PLACE_ABSENT, GO_ON or a fault. */
static int one_step(struct walk *walk, struct place *ret, const char *name)
{
	bool last = is_last(walk), folder = last && walk->rest[0] == '/';
	int r;

	if (place_is_private(name)) {
		walk->private = true;
		return -EPERM;
	}
	if (fstatat(walk->dir, name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return -errno;
		memset(&ret->st, 0, sizeof(ret->st));
		if (last && !folder)
			return finish(walk, ret, name, PLACE_ABSENT);
		if (walk->parents != PLACE_PARENTS_MAKE || last)
			return -ENOENT;
		if (mkdirat(walk->dir, name, 0777) < 0 && errno != EEXIST)
			return -errno;
		r = descend(walk, name);
		return r < 0 ? r : GO_ON;
	}
	if (S_ISLNK(ret->st.st_mode))
		return -ELOOP;
	if (!S_ISDIR(ret->st.st_mode) && (folder || !last))
		return -ENOTDIR;
	if (last)
		return finish(walk, ret, name, PLACE_FOUND);
	r = descend(walk, name);
	return r < 0 ? r : GO_ON;
}

/* The path ended in a dot: the place is where we are. */
static int ended_here(struct walk *walk, struct place *ret)
{
	char above[PATH_MAX + 1];
	const char *name;
	int r;

	if (!walk->done[0]) {
		memcpy(ret->name, AT_TOP_NAME, sizeof(AT_TOP_NAME));
		ret->path[0] = '\0';
		if (fstatat(walk->top, ".", &ret->st, 0) < 0)
			return -errno;
		ret->dir = take_fd(&walk->dir);
		return PLACE_FOUND;
	}
	memcpy(above, walk->done, strlen(walk->done) + 1);
	name = split_last(above);
	r = walk_again(walk, above);
	if (r < 0)
		return r;
	if (fstatat(walk->dir, name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(ret->st.st_mode) ? finish(walk, ret, name, PLACE_FOUND) : -ENOTDIR;
}

static int walk_all(struct walk *walk, struct place *ret)
{
	char name[NAME_MAX + 1];
	int r = walk_again(walk, "");

	while (r >= 0) {
		r = take(walk, name);
		if (r < 0)
			return r;
		if (!*name)
			return ended_here(walk, ret);
		if (strcmp(name, ".") == 0)
			continue;
		r = one_step(walk, ret, name);
		if (r != GO_ON)
			return r;
	}
	return r;
}

int place_find(
    struct place *ret, int top, const char *path, enum place_parents parents, struct err_note *note)
{
	struct walk cleanup_with(walk_fini) walk = {
	    .top = top,
	    .dir = -1,
	    .asked = path,
	    .parents = parents,
	    .note = note,
	};
	int r = place_check(path, note);

	ret->dir = -1;
	if (r < 0)
		return r;
	memcpy(walk.rest, path, strlen(path) + 1);
	r = walk_all(&walk, ret);
	return r < 0 ? refuse(&walk, r) : r;
}

void place_fini(struct place *place)
{
	cleanup_fd_(&place->dir);
}

/* ---- opening -------------------------------------------------------------------------------- */

int place_open_file(int dir, const char *name, struct stat *ret_st)
{
	int cleanup_fd fd = -1;

	/* Looked at first: to open a device may already do something. */
	if (fstatat(dir, name, ret_st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	return S_ISREG(ret_st->st_mode) ? take_fd(&fd) : -EINVAL;
}

int place_open_folder(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
