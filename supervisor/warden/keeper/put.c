#include "supervisor/warden/keeper/put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/side.h"

#define STEP 65536

int put_copy(int from, int to, const struct effect_side *side)
{
	struct digest_stream *stream = digest_stream_new();
	char *cleanup_free step = malloc(STEP);
	struct digest digest;
	uint64_t left = side->size;
	ssize_t len = 1;
	int fault = stream && step ? 0 : -ENOMEM;

	while (!fault && len > 0) {
		len = read(from, step, STEP);
		if (len < 0)
			fault = -errno;
		else if ((uint64_t)len > left)
			fault = -ESTALE;
		else if (len > 0)
			fault = fd_write_all(to, step, (size_t)len);
		if (!fault && len > 0)
			fault = digest_stream_add(stream, step, (size_t)len);
		left -= fault ? 0 : (uint64_t)len;
	}
	if (!fault)
		fault = digest_stream_end(stream, &digest);
	if (!fault && (left || !digest_equal(&digest, &side->digest)))
		fault = -ESTALE;
	if (stream)
		digest_stream_free(stream);
	return fault;
}

/* Owner first: a change of owner clears bits of the mode. */
static int dress(int fd, const struct put *put)
{
	if (geteuid() == 0 && fchown(fd, put->uid, put->gid) < 0)
		return -errno;
	return fchmod(fd, put->side->mode) < 0 ? -errno : 0;
}

static int make_file(int dir, const struct put *put)
{
	int cleanup_fd fd =
	    openat(dir, put->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int fault;

	if (fd < 0)
		return -errno;
	fault = put_copy(put->source, fd, put->side);
	if (!fault)
		fault = dress(fd, put);
	if (!fault && fsync(fd) < 0)
		fault = -errno;
	if (fault)
		(void)unlinkat(dir, put->temporary, 0);
	return fault;
}

static int make_link(int dir, const struct put *put)
{
	if (symlinkat(put->target, dir, put->temporary) < 0)
		return -errno;
	if (geteuid() == 0 &&
	    fchownat(dir, put->temporary, put->uid, put->gid, AT_SYMLINK_NOFOLLOW) < 0) {
		int fault = -errno;

		(void)unlinkat(dir, put->temporary, 0);
		return fault;
	}
	return 0;
}

static int make_folder(int dir, const char *name, const struct put *put)
{
	int cleanup_fd fd = -1;

	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	fd = side_folder(dir, name);
	return fd < 0 ? fd : dress(fd, put);
}

int put_object(int dir, const char *name, const struct put *put)
{
	int fault;

	if (put->side->type == EFFECT_DIRECTORY)
		return make_folder(dir, name, put);
	fault = put->side->type == EFFECT_FILE ? make_file(dir, put) : make_link(dir, put);
	if (fault)
		return fault;
	/* Over a folder rename(2) fails by itself. */
	if (renameat2(dir, put->temporary, dir, name, put->over ? 0 : RENAME_NOREPLACE) < 0) {
		fault = -errno;
		(void)unlinkat(dir, put->temporary, 0);
	}
	return fault;
}

int put_mode(int dir, const char *name, const struct effect_side *side)
{
	int cleanup_fd fd =
	    side->type == EFFECT_DIRECTORY ? side_folder(dir, name) : side_open(dir, name);

	if (fd < 0)
		return fd;
	return fchmod(fd, side->mode) < 0 ? -errno : 0;
}

int put_sync(int dir)
{
	int cleanup_fd fd = side_folder(dir, ".");

	return fd < 0 ? fd : fsync(fd) < 0 ? -errno : 0;
}
