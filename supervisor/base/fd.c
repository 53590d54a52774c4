#include "supervisor/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define ALL_SEALS        (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define MEMFD_NO_EXEC    8U /* MFD_NOEXEC_SEAL, Linux 6.3; younger than Debian 12's headers */
#define READ_STEP        (64 * 1024)
#define LINKS_FOLLOWED   40 /* as many as the kernel follows (path_resolution(7)) */
#define TEMPORARY_RANDOM 8

int fd_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int fd_move(int *fd, int number)
{
	if (*fd == number)
		return fcntl(number, F_SETFD, 0) < 0 ? -errno : 0;
	if (dup3(*fd, number, 0) < 0)
		return -errno;
	close(take_fd(fd));
	*fd = number;
	return 0;
}

int fd_close_from(unsigned first)
{
	return close_range(first, UINT_MAX, 0) < 0 ? -errno : 0;
}

/* ---- sealed memory -------------------------------------------------------------------------- */

int fd_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0 ? -errno : 0;
}

int fd_sealed(const char *name, const void *bytes, size_t len)
{
	int cleanup_fd fd = -1;
	int r;

	/* What is passed around is data: it shall not be runnable where the kernel can say so. */
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MEMFD_NO_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, bytes, len);
	if (r < 0)
		return r;
	r = fd_seal(fd);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return take_fd(&fd);
}

int fd_map_sealed(int fd, size_t max, const void **ret_bytes, size_t *ret_len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *bytes;

	if (seals < 0 && errno != EINVAL)
		return -errno;
	if (seals < 0 || (seals & ALL_SEALS) != ALL_SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	if (st.st_size == 0) {
		*ret_bytes = "";
		*ret_len = 0;
		return 0;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	*ret_bytes = bytes;
	*ret_len = (size_t)st.st_size;
	return 0;
}

void fd_unmap(const void *bytes, size_t len)
{
	if (bytes && len > 0)
		munmap((void *)bytes, len);
}

/* ---- whole files ---------------------------------------------------------------------------- */

/* Reads until the end or until `room` is full. Returns the bytes read or -errno. */
static ssize_t read_up_to(int fd, char *out, size_t room)
{
	size_t used = 0;

	while (used < room) {
		ssize_t n = pread(fd, out + used, room - used, (off_t)used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

int fd_read_all(int fd, size_t max, char **ret_bytes, size_t *ret_len)
{
	char cleanup_free *bytes = NULL;
	struct stat st;
	size_t room;
	ssize_t len;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max || max > SSIZE_MAX - 1)
		return -EFBIG;
	/* A file of /proc says size 0, and any file may have grown since: one byte above what is
	 * allowed tells the difference between a full buffer and the end. */
	room = st.st_size > 0 ? (size_t)st.st_size : (max < READ_STEP ? max : READ_STEP);
	for (;;) {
		free(take_ptr(bytes));
		bytes = malloc(room + 1);
		if (!bytes)
			return -ENOMEM;
		len = read_up_to(fd, bytes, room + 1);
		if (len < 0)
			return (int)len;
		if ((size_t)len <= room)
			break;
		if (room == max)
			return -EFBIG;
		room = room > max / 2 ? max : room * 2;
	}
	bytes[len] = '\0';
	*ret_bytes = take_ptr(bytes);
	*ret_len = (size_t)len;
	return 0;
}

int fd_write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The descriptor may be O_PATH, which cannot be synced itself. */
static int sync_directory(int dirfd)
{
	int cleanup_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int temporary_name(char out[NAME_MAX + 1], const char *name)
{
	uint8_t random[TEMPORARY_RANDOM];
	char hex[2 * TEMPORARY_RANDOM + 1];
	int len;

	if (!*name || strchr(name, '/'))
		return -EINVAL;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	str_hex(hex, random, sizeof(random));
	len = snprintf(out, NAME_MAX + 1, ".%s.%s", name, hex);
	return len < 0 || len > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int write_synced(int fd, mode_t mode, const void *bytes, size_t len)
{
	int r = fd_write_all(fd, bytes, len);

	if (r < 0)
		return r;
	/* open(2) was subject to the umask. */
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int fd_write_file_at(int dirfd, const char *name, mode_t mode, const void *bytes, size_t len)
{
	char temporary[NAME_MAX + 1];
	int cleanup_fd fd = -1;
	int r = temporary_name(temporary, name);

	if (r < 0)
		return r;
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = write_synced(fd, mode, bytes, len);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, temporary, 0); /* the first fault is the one to tell */
		return r;
	}
	return sync_directory(dirfd);
}

/* ---- directories ---------------------------------------------------------------------------- */

/* What is still to be walked. A symbolic link's target is put in front. */
struct walk {
	char rest[PATH_MAX];
	unsigned links;
};

/* Cuts the first component off walk->rest into name; 0 components left gives "". */
static int walk_take(struct walk *walk, char name[NAME_MAX + 1])
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

/* link: an O_PATH descriptor of a symbolic link, already opened, so that what is judged is what
 * is read. The walk goes on in *dir, or from the root for an absolute target. */
static int walk_link(struct walk *walk, int *dir, int link, const struct stat *st)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t len;
	int root;

	if ((st->st_uid != 0 && st->st_uid != geteuid()) || ++walk->links > LINKS_FOLLOWED)
		return -ELOOP;
	len = readlinkat(link, "", target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	if ((size_t)len + 1 + strlen(walk->rest) >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(joined, target, (size_t)len);
	joined[len] = '/';
	memcpy(joined + len + 1, walk->rest, strlen(walk->rest) + 1);
	memcpy(walk->rest, joined, (size_t)len + 1 + strlen(joined + len + 1) + 1);
	if (target[0] != '/')
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	close(*dir);
	*dir = root;
	return 0;
}

/* One component: *dir becomes what `name` is in it, made where it is missing. */
static int walk_step(struct walk *walk, int *dir, const char *name, mode_t mode)
{
	int cleanup_fd next = openat(*dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (next < 0 && errno == ENOENT) {
		if (mkdirat(*dir, name, mode) < 0 && errno != EEXIST)
			return -errno;
		next = openat(*dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (next < 0 || fstat(next, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return walk_link(walk, dir, next, &st);
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	close(*dir);
	*dir = take_fd(&next);
	return 0;
}

int fd_make_dirs(const char *path, mode_t mode)
{
	char name[NAME_MAX + 1];
	int cleanup_fd dir = -1;
	struct walk walk = {.links = 0};
	size_t len = strlen(path);
	int r;

	if (len == 0)
		return -ENOENT;
	if (len >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	memcpy(walk.rest, path, len + 1);
	dir = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	for (;;) {
		r = walk_take(&walk, name);
		if (r < 0)
			return r;
		if (!*name)
			return take_fd(&dir);
		r = walk_step(&walk, &dir, name, mode);
		if (r < 0)
			return r;
	}
}

/* ---- passing -------------------------------------------------------------------------------- */

union fd_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
};

int fd_pair(int ret_pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair) < 0 ? -errno : 0;
}

int fd_send(int sock, const void *bytes, size_t len, const int *fds, size_t fd_count)
{
	struct iovec part = {.iov_base = (void *)bytes, .iov_len = len};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	union fd_control control;
	ssize_t sent;

	/* An empty message could not be told from the peer's end. */
	if (len == 0 || fd_count > FD_PASS_MAX)
		return -EINVAL;
	if (fd_count > 0) {
		struct cmsghdr *part_header;

		memset(&control, 0, sizeof(control));
		header.msg_control = control.space;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		part_header = CMSG_FIRSTHDR(&header);
		part_header->cmsg_level = SOL_SOCKET;
		part_header->cmsg_type = SCM_RIGHTS;
		part_header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(part_header), fds, sizeof(int) * fd_count);
	}
	do
		sent = sendmsg(sock, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EMSGSIZE;
}

/* Moves the descriptors of one control part into fds; those above max are closed, and counted. */
static size_t collect_fds(const struct cmsghdr *part, int *fds, size_t max, size_t have)
{
	size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++, have++) {
		int fd;

		memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
		if (have < max)
			fds[have] = fd;
		else
			close(fd);
	}
	return have;
}

ssize_t fd_receive(
    int sock, void *bytes, size_t max, int *ret_fds, size_t fd_max, size_t *ret_fd_count)
{
	struct iovec part = {.iov_base = bytes, .iov_len = max};
	union fd_control control;
	struct msghdr header = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof(control.space),
	};
	size_t count = 0;
	ssize_t len;

	do
		len = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			count = collect_fds(c, ret_fds, fd_max, count);
	}
	if (count > fd_max || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (size_t i = 0; i < count && i < fd_max; i++)
			close(ret_fds[i]);
		return -EMSGSIZE;
	}
	*ret_fd_count = count;
	return len;
}

int fd_allow(uint64_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur >= count)
		return 0;
	limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}
