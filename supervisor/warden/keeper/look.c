/* LOOK: the content of one path, before and after. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/keeper/jobs.h"
#include "supervisor/warden/keeper/side.h"

/* Bytes of a file or of a link's text; none where it is neither. -errno. */
static ssize_t read_side(int root, const char *path, char *out)
{
	const char *name;
	int cleanup_fd dir = side_parent(root, path, &name);
	int cleanup_fd fd = -1;
	struct stat st;
	size_t len = 0;

	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 0 : dir;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* A whiteout is a device, which could not even be opened. */
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return 0;
	fd = side_open(dir, name);
	if (fd == -ELOOP) {
		ssize_t link = readlinkat(dir, name, out, PATH_MAX);

		return link < 0 ? -errno : link;
	}
	if (fd < 0)
		return fd == -ENOENT || fd == -ESTALE || fd == -ENXIO ? 0 : fd;
	while (len < EFFECTS_LOOK_MAX) {
		ssize_t got = read(fd, out + len, EFFECTS_LOOK_MAX - len);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

void look_make(const struct commit_places *places, const char *path, struct job_result *ret)
{
	char *cleanup_free before = malloc(EFFECTS_LOOK_MAX);
	char *cleanup_free after = malloc(EFFECTS_LOOK_MAX);
	ssize_t was, is;

	ret->status = ANSWER_UNAVAILABLE;
	if (!before || !after) {
		(void)err_note(&ret->note, 0, "out of memory");
		return;
	}
	was = read_side(places->workspace, path, before);
	is = read_side(places->upper, path, after);
	if (was < 0 || is < 0) {
		(void)err_note_errno(
		    &ret->note, err_note(&ret->note, (int)(was < 0 ? was : is), "%s", path));
		return;
	}
	buf_put_u32(&ret->out, (uint32_t)was);
	buf_put_u32(&ret->out, (uint32_t)is);
	buf_put(&ret->out, before, (size_t)was);
	buf_put(&ret->out, after, (size_t)is);
	ret->status = ANSWER_OK;
}
