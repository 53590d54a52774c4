#include "supervisor/auditor/newest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

int newest_open(struct newest *ret, int keydir)
{
	int cleanup_fd fd = openat(
	    keydir, NEWEST_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret = (struct newest){.fd = take_fd(&fd)};
	return 0;
}

int newest_read(
    const struct newest *newest, const uint8_t public_key[KEY_LEN], struct checkpoint *ret)
{
	char note[NOTE_MAX] = "";
	ssize_t len = pread(newest->fd, note, sizeof(note) - 1, 0);
	char *newline = len > 0 ? memchr(note, '\n', (size_t)len) : NULL;
	char origin[NOTE_ORIGIN_MAX];
	struct note_key key;

	if (len < 0)
		return -errno;
	if (!newline || newline - note >= NOTE_ORIGIN_MAX)
		return 0;
	/* The name may be any: the key is what must agree. */
	memcpy(origin, note, (size_t)(newline - note));
	origin[newline - note] = '\0';
	return note_key_init(&key, origin, public_key) == 0 &&
	       note_open(ret, &key, note, (size_t)len) == 0;
}

static int put(int fd, const char *note)
{
	size_t len = strlen(note);
	ssize_t n = pwrite(fd, note, len, 0);

	if (n < 0 || ftruncate(fd, n) < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int newest_write(struct newest *newest, uint64_t size, const char *note)
{
	if (newest->fd < 0)
		return 0;
	newest->fault = put(newest->fd, note);
	if (newest->fault == 0)
		newest->size = size;
	return newest->fault;
}

void newest_close(struct newest *newest)
{
	if (newest->fd >= 0)
		close(newest->fd);
	*newest = (struct newest){.fd = -1};
}
