#include "supervisor/warden/keeper/side.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

static int open_strictly(int dir, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = STRICT};
	long fd;

	do
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : (int)fd;
}

int side_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char folder[EFFECTS_PATH_MAX + 1];
	size_t len = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = '\0';
	return open_strictly(root, len ? folder : ".", O_PATH | O_DIRECTORY);
}

int side_folder(int dir, const char *name)
{
	return open_strictly(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

int side_open(int dir, const char *name)
{
	int cleanup_fd fd = open_strictly(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(&fd) : -ESTALE;
}

static int read_file(int dir, const char *name, struct effect_side *side, const struct stat *st)
{
	int cleanup_fd fd = side_open(dir, name);
	struct stat opened;

	if (fd < 0)
		return fd;
	if (fstat(fd, &opened) < 0)
		return -errno;
	if (opened.st_ino != st->st_ino || opened.st_dev != st->st_dev)
		return -ESTALE;
	return digest_of_fd(&side->digest, fd, SIDE_FILE_MAX, &side->size);
}

static int read_link(int dir, const char *name, struct effect_side *side, char *target)
{
	char own[PATH_MAX];
	char *text = target ? target : own;
	ssize_t len = readlinkat(dir, name, text, PATH_MAX);

	if (len < 0)
		return -errno;
	if (len == 0 || len >= PATH_MAX)
		return -ENAMETOOLONG;
	text[len] = '\0';
	return digest_of(&side->digest, text, (size_t)len);
}

int side_read(int dir, const char *name, struct effect_side *ret, struct stat *ret_st, char *target)
{
	struct stat own, *st = ret_st ? ret_st : &own;

	*ret = (struct effect_side){.type = EFFECT_TYPE_NONE};
	if (target)
		target[0] = '\0';
	if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	ret->mode = st->st_mode & 07777;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG: ret->type = EFFECT_FILE; return read_file(dir, name, ret, st);
	case S_IFDIR: ret->type = EFFECT_DIRECTORY; return 0;
	case S_IFLNK:
		ret->type = EFFECT_LINK;
		ret->mode = 0;
		return read_link(dir, name, ret, target);
	default: ret->type = EFFECT_SPECIAL; return 0;
	}
}

bool side_equal(const struct effect_side *a, const struct effect_side *b)
{
	return a->type == b->type && a->mode == b->mode && a->size == b->size &&
	       digest_equal(&a->digest, &b->digest);
}
