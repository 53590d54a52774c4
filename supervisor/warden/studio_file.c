#include "supervisor/warden/studio_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/workspace.h"
#include "policy/policy.h"

#define NEW_SUFFIX ".new"

static int complain(const struct studio_file *file, int fault, struct err_note *note)
{
	const char *advice = "";

	if (fault == -EROFS)
		advice = "; the daemon's unit may forbid it: ReadWritePaths= with its folder";
	else if (fault == -EACCES || fault == -EPERM)
		advice = "; the folder must be writable for the daemon's user, and the file his";
	return err_note(
	    note, fault, "%s: cannot be written: %s%s", file->path, strerror(-fault), advice);
}

static int sibling_name(const struct studio_file *file, const char *suffix, char ret[NAME_MAX + 1])
{
	int len = snprintf(ret, NAME_MAX + 1, "%s%s", file->name, suffix);

	return len < 0 || len > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int numbered_name(const struct studio_file *file, int number, char ret[NAME_MAX + 1])
{
	char suffix[8];

	snprintf(suffix, sizeof(suffix), ".%d", number);
	return sibling_name(file, suffix, ret);
}

int studio_file_read(struct studio_file *ret, const char *path, struct err_note *note)
{
	struct studio_file file = {.dir = -1};
	int cleanup_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *cleanup_free real = fd < 0 ? NULL : workspace_path_of(fd);
	char *slash;
	int fault = 0;

	if (fd < 0 || fstat(fd, &file.st) < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	if (!real || strlen(real) >= sizeof(file.path))
		return err_note(note, -ENOENT, "%s: moved while it was read; try again", path);
	memcpy(file.path, real, strlen(real) + 1);
	slash = strrchr(real, '/');
	slash[slash == real ? 1 : 0] = '\0';
	file.dir = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file.dir < 0)
		fault = -errno;
	if (!fault)
		fault = fd_read_all(fd, POLICY_FILE_MAX, &file.bytes, &file.len);
	if (!fault)
		fault = digest_of(&file.version, file.bytes, file.len);
	if (fault) {
		studio_file_fini(&file);
		return err_note_errno(note, err_note(note, fault, "%s", path));
	}
	*ret = file;
	ret->name = strrchr(ret->path, '/') + 1;
	return 0;
}

/* Is it still what was read? */
static int compare(const struct studio_file *file)
{
	int cleanup_fd fd =
	    openat(file->dir, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct digest now;
	uint64_t len;
	int fault;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? -ESTALE : -errno;
	fault = digest_of_fd(&now, fd, POLICY_FILE_MAX, &len);
	if (fault == -EFBIG)
		return -ESTALE;
	return fault ? fault : digest_equal(&now, &file->version) ? 0 : -ESTALE;
}

/* A new file of that name, on the disk, with the owner and the mode of the one that was read. */
static int write_like(
    const struct studio_file *file, const char *name, const void *bytes, size_t len)
{
	int cleanup_fd fd = -1;
	int fault;

	if (unlinkat(file->dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(file->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	fault = fd_write_all(fd, bytes, len);
	if (!fault && fchown(fd, file->st.st_uid, file->st.st_gid) < 0)
		fault = -errno;
	if (!fault && fchmod(fd, file->st.st_mode & 07777) < 0)
		fault = -errno;
	if (!fault && fsync(fd) < 0)
		fault = -errno;
	if (fault)
		(void)unlinkat(file->dir, name, 0); /* the first fault is the one to tell */
	return fault;
}

static int replace(const struct studio_file *file, const char *from, const char *to)
{
	if (renameat(file->dir, from, file->dir, to) < 0)
		return -errno;
	return fsync(file->dir) < 0 ? -errno : 0;
}

int studio_file_put(
    const struct studio_file *file, const void *bytes, size_t len, struct err_note *note)
{
	char old[NAME_MAX + 1], new[NAME_MAX + 1];
	int fault = numbered_name(file, 0, old);

	if (!fault)
		fault = sibling_name(file, NEW_SUFFIX, new);
	if (!fault)
		fault = write_like(file, old, file->bytes, file->len);
	if (!fault)
		fault = write_like(file, new, bytes, len);
	/* Last of all, so that nobody who edits by hand in the meantime loses his words. */
	if (!fault)
		fault = compare(file);
	if (!fault)
		fault = replace(file, new, file->name);
	if (!fault)
		return 0;
	(void)unlinkat(file->dir, new, 0);
	(void)unlinkat(file->dir, old, 0);
	if (fault == -ESTALE)
		return err_note(note, fault,
		    "%s: changed meanwhile; read it again and repeat the edit", file->path);
	return complain(file, fault, note);
}

int studio_file_keep(const struct studio_file *file)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];

	for (int number = STUDIO_KEPT; number > 0; number--) {
		int fault = numbered_name(file, number - 1, from);

		if (!fault)
			fault = numbered_name(file, number, to);
		if (fault)
			return fault;
		if (renameat(file->dir, from, file->dir, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return fsync(file->dir) < 0 ? -errno : 0;
}

int studio_file_restore(const struct studio_file *file, struct err_note *note)
{
	char old[NAME_MAX + 1];
	int fault = numbered_name(file, 0, old);

	if (!fault)
		fault = replace(file, old, file->name);
	return fault ? complain(file, fault, note) : 0;
}

void studio_file_fini(struct studio_file *file)
{
	cleanup_fd_(&file->dir);
	free(file->bytes);
	file->bytes = NULL;
}
