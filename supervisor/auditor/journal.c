#include "supervisor/auditor/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define SEGMENT_MODE 0600
#define BLOCK_BYTES  512 /* unit of st_blocks (stat(2)) */

static int is_no_space(int fault)
{
	return fault == -ENOSPC || fault == -EDQUOT;
}

static void note_full(struct err_note *note, const char *path, int fault)
{
	err_note(note, fault, "AUDIT_FULL %s: %s; free space there, then restart callgated", path,
	    strerror(-fault));
}

int journal_fail(struct journal *journal, const char *what, int fault)
{
	journal->state = JOURNAL_DEAD;
	if (is_no_space(fault))
		note_full(&journal->note, journal->path, fault);
	else
		err_note(&journal->note, fault,
		    "AUDIT_UNAVAILABLE %s: %s: %s; nothing runs until callgated is restarted", what,
		    journal->path, strerror(-fault));
	return fault;
}

static int journal_lost(struct journal *journal, const char *why)
{
	journal->state = JOURNAL_DEAD;
	return err_note(&journal->note, -EIO,
	    "AUDIT_LOST path=%s/%s: %s; restore it, then restart callgated", journal->path,
	    journal->segment.name, why);
}

/* ---- ballast ------------------------------------------------------------------------------- */

/* Real blocks, not a hole and not KEEP_SIZE: what is given up later must truly be ours now. */
static int ballast_write(int fd)
{
	static const char zeros[64 * 1024];

	for (size_t done = 0; done < JOURNAL_BALLAST_BYTES; done += sizeof(zeros)) {
		int r = fd_write_all(fd, zeros, sizeof(zeros));

		if (r < 0)
			return r;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Returns the descriptor or -errno. */
static int ballast_open(int dirfd)
{
	int cleanup_fd fd = openat(dirfd, JOURNAL_BALLAST_NAME,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, SEGMENT_MODE);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size != JOURNAL_BALLAST_BYTES ||
	    st.st_blocks * BLOCK_BYTES < JOURNAL_BALLAST_BYTES) {
		r = ballast_write(fd);
		if (r < 0)
			return r;
	}
	return take_fd(&fd);
}

/* After a write refused for space: room again, once. */
static int ballast_release(struct journal *journal)
{
	int cleanup_fd ballast = take_fd(&journal->ballast);

	if (ballast < 0)
		return -ENOSPC;
	if (ftruncate(journal->fd, (off_t)journal->bytes) < 0 || ftruncate(ballast, 0) < 0 ||
	    fsync(ballast) < 0)
		return -errno;
	journal->state = JOURNAL_FULL;
	note_full(&journal->note, journal->path, -ENOSPC);
	return 0;
}

/* ---- birth and death ----------------------------------------------------------------------- */

int journal_open(struct journal *ret, int dirfd, const char *path, struct err_note *note)
{
	/* Opened anew: what was passed may be O_PATH, which can be neither locked nor synced. */
	int cleanup_fd dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ballast;

	if (dir < 0)
		return err_note(note, -errno, "AUDIT_UNAVAILABLE %s: %s", path, strerror(errno));
	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		return err_note(note, -errno, "LOCKED %s: %s; another daemon writes this journal",
		    path, strerror(errno));
	ballast = ballast_open(dir);
	if (ballast < 0 && is_no_space(ballast)) {
		note_full(note, path, ballast);
		return ballast;
	}
	if (ballast < 0)
		return err_note(note, ballast, "AUDIT_UNAVAILABLE %s/%s: %s", path,
		    JOURNAL_BALLAST_NAME, strerror(-ballast));
	*ret = (struct journal){
	    .state = JOURNAL_OPEN,
	    .dirfd = take_fd(&dir),
	    .fd = -1,
	    .ballast = ballast,
	};
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	return 0;
}

/* Makes fd the open segment. */
static int adopt(struct journal *journal, int *fd, const struct segment *segment)
{
	struct stat st;

	if (fstat(*fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = take_fd(fd);
	journal->segment = *segment;
	journal->bytes = (uint64_t)st.st_size;
	journal->dev = st.st_dev;
	journal->ino = st.st_ino;
	return 0;
}

int journal_resume(struct journal *journal, const struct segment *segment, uint64_t bytes)
{
	int cleanup_fd fd = openat(journal->dirfd, segment->name,
	    O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = adopt(journal, &fd, segment);
	if (r < 0)
		return r;
	return journal->bytes == bytes ? 0 : -ESTALE;
}

int journal_begin(struct journal *journal, uint64_t first)
{
	struct segment segment = {.first = first};
	int cleanup_fd fd = -1;
	int r;

	segment_name(segment.name, first);
	fd = openat(journal->dirfd, segment.name,
	    O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, SEGMENT_MODE);
	if (fd < 0)
		return journal_fail(journal, "new segment", -errno);
	if (fsync(journal->dirfd) < 0)
		return journal_fail(journal, "sync of the directory", -errno);
	r = adopt(journal, &fd, &segment);
	return r < 0 ? journal_fail(journal, "new segment", r) : 0;
}

int journal_is_due(const struct journal *journal)
{
	return journal->bytes >= JOURNAL_SEGMENT_BYTES;
}

void journal_close(struct journal *journal)
{
	if (journal->state == JOURNAL_NONE)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->ballast >= 0)
		close(journal->ballast);
	close(journal->dirfd);
	*journal = (struct journal){.dirfd = -1, .fd = -1, .ballast = -1};
}

/* ---- appending ----------------------------------------------------------------------------- */

/* The name must still lead to our file, and nobody else may have written to it. */
static int check_identity(struct journal *journal)
{
	struct stat opened, named;

	if (fstat(journal->fd, &opened) < 0)
		return journal_fail(journal, "fstat", -errno);
	if (fstatat(journal->dirfd, journal->segment.name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return journal_lost(journal, strerror(errno));
	if (named.st_dev != journal->dev || named.st_ino != journal->ino || opened.st_nlink != 1)
		return journal_lost(journal, "replaced by another file");
	if ((uint64_t)opened.st_size != journal->bytes)
		return journal_lost(journal, "changed by another process");
	return 0;
}

static int write_batch(struct journal *journal, const void *bytes, size_t len)
{
	int r = fd_write_all(journal->fd, bytes, len);

	if (!is_no_space(r))
		return r;
	r = ballast_release(journal);
	if (r < 0)
		return r;
	return fd_write_all(journal->fd, bytes, len);
}

int journal_append(struct journal *journal, const void *bytes, size_t len)
{
	int r;

	if ((journal->state != JOURNAL_OPEN && journal->state != JOURNAL_FULL) || journal->fd < 0)
		return -EIO;
	r = check_identity(journal);
	if (r < 0)
		return r;
	r = write_batch(journal, bytes, len);
	if (r < 0)
		return journal_fail(journal, "write", r);
	if (fdatasync(journal->fd) < 0)
		return journal_fail(journal, "fdatasync", -errno);
	journal->bytes += len;
	return 0;
}
