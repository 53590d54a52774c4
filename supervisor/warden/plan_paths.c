/*
 * Arguments that are paths of the workspace. The policy and the approver judge the path as it is
 * written, so it must be the one way there: a link on it is refused, with the name that is meant.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/plan.h"

static int look(int cwd, const char *path, uint64_t flags)
{
	return workspace_openat2(
	    cwd, path, O_PATH | O_CLOEXEC | flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Where a path with a link on it leads, below the folder cwd; heap, NULL: out of it, or nowhere. */
static char *target_of(int cwd, const char *path)
{
	int cleanup_fd fd = workspace_openat2(
	    cwd, path, O_PATH | O_CLOEXEC, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	char *cleanup_free above = fd < 0 ? NULL : workspace_path_of(cwd);
	char *cleanup_free whole = above ? workspace_path_of(fd) : NULL;

	if (!whole || !workspace_is_below(above, whole))
		return NULL;
	return strdup(strcmp(above, whole) ? whole + strlen(above) + 1 : ".");
}

static int refuse(int cwd, const char *path, int fault, struct err_note *note)
{
	char *cleanup_free target = fault == -ELOOP ? target_of(cwd, path) : NULL;

	if (target)
		return err_note(note, PLAN_REFUSED,
		    "path %s: leads through a symbolic link; name %s", path, target);
	if (fault == -EXDEV || fault == -ELOOP)
		return err_note(note, PLAN_REFUSED,
		    "path %s: leaves the working directory, or a link on it leads nowhere", path);
	return err_note(note, PLAN_REFUSED, "path %s: %s", path, strerror(-fault));
}

static bool is_dotted(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Cuts the last component off; returns it. What is left may be empty. */
static char *cut(char *path)
{
	char *end = path + strlen(path), *slash;

	while (end > path && end[-1] == '/')
		*--end = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return path;
	*slash = '\0';
	return slash + 1;
}

/* A name that is not there yet, in a folder that is, or in folders that would have to be made. A
 * link that leads nowhere is no such name: what is made through it may lie elsewhere. */
static int check_absent(int cwd, const char *path, struct err_note *note)
{
	char *cleanup_free copy = strdup(path);

	if (!copy)
		return err_note(note, -ENOMEM, "out of memory");
	for (;;) {
		char *name = cut(copy);
		const char *parent = name == copy ? "." : copy;
		int cleanup_fd above = -1, fd = -1;

		if (is_dotted(name))
			return refuse(cwd, path, -EXDEV, note);
		above = look(cwd, parent, O_DIRECTORY);
		if (above == -ENOENT && name != copy)
			continue;
		if (above < 0)
			return refuse(cwd, path, above, note);
		fd = look(above, name, O_NOFOLLOW);
		return fd == -ENOENT ? 0 : refuse(cwd, path, fd < 0 ? fd : -ENOENT, note);
	}
}

int plan_paths_check(const struct plan_input *input, int cwd, struct err_note *note)
{
	for (uint32_t i = 0; i < input->paths.count; i++) {
		const char *path = input->paths.items[i];
		int cleanup_fd fd = path[0] ? look(cwd, path, 0) : -EINVAL;
		int fault = 0;

		if (fd == -ENOENT)
			fault = check_absent(cwd, path, note);
		else if (fd < 0)
			fault = refuse(cwd, path, fd, note);
		if (fault)
			return fault;
	}
	return 0;
}
