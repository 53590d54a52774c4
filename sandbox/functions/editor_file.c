#include "sandbox/functions/editor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "sandbox/functions/editor.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define TEMPORARY_RANDOM 8
#define TEMPORARY_MAX    (sizeof(".callgate-.tmp") + 2 * TEMPORARY_RANDOM)
#define NEW_FILE_MODE    0666 /* less the umask */
#define MODE_KEPT        0777 /* nobody makes set-id files here */

static int refuse(const struct place *place, int fault, struct err_note *note)
{
	const char *why = NULL;

	if (fault == -EBUSY)
		why = "changed meanwhile by something else; nothing was written; view it again";
	else if (fault == -EISDIR)
		why = "is a folder; name a file in it";
	else if (fault == -EMEDIUMTYPE)
		why = "is neither a file nor a folder; only those can be opened";
	else if (fault == -EFBIG)
		why = "is larger than 8 MiB; too large for this tool";
	else if (fault == -EACCES || fault == -EPERM)
		why = "no permission; see the modes of the file and its folder";
	else if (fault == -EROFS)
		why = "this working directory is read-only; nothing can be changed in it";
	else if (fault == -ENOSPC || fault == -EDQUOT)
		why = "no space is left on the disk; nothing was written";
	if (why)
		return err_note(note, fault, PLACE_SHOWN ": %s", place->path, why);
	(void)err_note(note, fault, PLACE_SHOWN, place->path);
	return err_note_errno(note, fault);
}

static int read_found(struct editor_file *file)
{
	struct stat *st = &file->place.st;
	int cleanup_fd fd = -1;

	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode))
		return -EMEDIUMTYPE;
	fd = place_open_file(file->place.dir, file->place.name, st);
	if (fd == -EINVAL)
		return -EMEDIUMTYPE;
	if (fd < 0)
		return fd;
	file->exists = true;
	return fd_read_all(fd, EDITOR_FILE_MAX, &file->bytes, &file->len);
}

int editor_file_read(struct editor_file *ret, int top, const char *path, enum place_parents parents,
    struct err_note *note)
{
	int r;

	*ret = (struct editor_file){.place = {.dir = -1}};
	r = place_find(&ret->place, top, path, parents, note);
	if (r != PLACE_FOUND)
		return r;
	r = read_found(ret);
	return r < 0 ? refuse(&ret->place, r, note) : PLACE_FOUND;
}

void editor_file_fini(struct editor_file *file)
{
	place_fini(&file->place);
	free(take_ptr(file->bytes));
}

/* ---- putting another in its place ----------------------------------------------------------- */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Is the name still what was read? 0, -EBUSY, -errno. */
static int still_the_same(const struct editor_file *file)
{
	const struct stat *was = &file->place.st;
	struct stat now;

	if (fstatat(file->place.dir, file->place.name, &now, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return -errno;
		return file->exists ? -EBUSY : 0;
	}
	if (!file->exists || now.st_dev != was->st_dev || now.st_ino != was->st_ino ||
	    now.st_mode != was->st_mode || now.st_size != was->st_size ||
	    !same_time(&now.st_mtim, &was->st_mtim) || !same_time(&now.st_ctim, &was->st_ctim))
		return -EBUSY;
	return 0;
}

static int make_temporary(int dir, char name[TEMPORARY_MAX])
{
	uint8_t random[TEMPORARY_RANDOM];
	char hex[2 * TEMPORARY_RANDOM + 1];
	int fd;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	str_hex(hex, random, sizeof(random));
	snprintf(name, TEMPORARY_MAX, ".callgate-%s.tmp", hex);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, NEW_FILE_MODE);
	return fd < 0 ? -errno : fd;
}

/* A new file keeps the mode that the umask gave it. */
static int take_over_mode(int fd, const struct editor_file *file)
{
	const struct stat *was = &file->place.st;
	struct stat now;

	if (!file->exists)
		return 0;
	if (fstat(fd, &now) < 0)
		return -errno;
	/* Only a privileged process may give files away; another keeps what it can. */
	if ((now.st_uid != was->st_uid || now.st_gid != was->st_gid) &&
	    fchown(fd, was->st_uid, was->st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return -errno;
	return fchmod(fd, was->st_mode & MODE_KEPT) < 0 ? -errno : 0;
}

static int sync_folder(int dir)
{
	int cleanup_fd fd = place_open_folder(dir, ".");

	if (fd < 0)
		return fd;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Over an existing file by rename; a new name must not have come meanwhile, and a link, unlike a
 * rename, never replaces. */
static int put_in_place(const struct editor_file *file, const char *temporary)
{
	int dir = file->place.dir;
	int r = still_the_same(file);

	if (r < 0)
		return r;
	if (file->exists)
		return renameat(dir, temporary, dir, file->place.name) < 0 ? -errno : 0;
	if (renameat2(dir, temporary, dir, file->place.name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return -EBUSY;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(dir, temporary, dir, file->place.name, 0) < 0)
		return errno == EEXIST ? -EBUSY : -errno;
	return unlinkat(dir, temporary, 0) < 0 ? -errno : 0;
}

static int write_checked(const struct editor_file *file, const void *bytes, size_t len)
{
	char temporary[TEMPORARY_MAX];
	int cleanup_fd fd = -1;
	int r = still_the_same(file);

	if (r < 0)
		return r;
	/* A rename needs no right on the file itself, but a read-only file is meant to stay. */
	if (file->exists && faccessat(file->place.dir, file->place.name, W_OK, AT_EACCESS) < 0)
		return -errno;
	fd = make_temporary(file->place.dir, temporary);
	if (fd < 0)
		return fd;
	r = fd_write_all(fd, bytes, len);
	if (r == 0)
		r = take_over_mode(fd, file);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = put_in_place(file, temporary);
	if (r < 0) {
		(void)unlinkat(
		    file->place.dir, temporary, 0); /* the first fault is the one to tell */
		return r;
	}
	return 0;
}

int editor_file_write(
    const struct editor_file *file, const void *bytes, size_t len, struct err_note *note)
{
	int r = len > EDITOR_FILE_MAX ? -EFBIG : write_checked(file, bytes, len);

	if (r == -EFBIG)
		return err_note(note, r,
		    PLACE_SHOWN ": would be larger than 8 MiB or than this tool may write; "
				"nothing was written",
		    file->place.path);
	if (r < 0)
		return refuse(&file->place, r, note);
	(void)sync_folder(file->place.dir); /* the text is in place; only its name may be late */
	return 0;
}

int editor_file_remove(const struct editor_file *file, struct err_note *note)
{
	int r = still_the_same(file);

	if (r == 0 && unlinkat(file->place.dir, file->place.name, 0) < 0)
		r = -errno;
	if (r < 0)
		return refuse(&file->place, r, note);
	(void)sync_folder(file->place.dir);
	return 0;
}
