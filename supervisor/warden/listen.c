#include "supervisor/warden/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"
#include "supervisor/base/str.h"

#define BACKLOG        128
#define HANDED_OVER_FD 3 /* SD_LISTEN_FDS_START */

int listen_path(const struct policy *policy, const char *folder, char ret_path[PATHS_MAX],
    struct err_note *note)
{
	int fault = policy->socket_path[0] ? paths_join(ret_path, folder, policy->socket_path)
					   : paths_socket(ret_path);

	if (fault)
		return err_note(note, fault, "no place for the socket: %s",
		    fault == -ENOENT ? "HOME is not set; give server.socket.path"
				     : "the path is too long");
	if (strlen(ret_path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_note(note, -ENAMETOOLONG,
		    "%s: longer than the %zu bytes a socket's path may have; use a shorter one",
		    ret_path, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	return 0;
}

/* The service manager's socket: exactly one, listening, of the stream kind. -ENOENT: none. */
static int take_handed_over(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int listening = 0, domain = 0;
	socklen_t len = sizeof(int);
	uint64_t number;

	if (!pid || !count || str_u64(pid, INT32_MAX, &number) || (pid_t)number != getpid())
		return -ENOENT;
	if (str_u64(count, 1, &number) || number != 1)
		return -EINVAL;
	if (getsockopt(HANDED_OVER_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 ||
	    getsockopt(HANDED_OVER_FD, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -errno;
	if (!listening || domain != AF_UNIX)
		return -EINVAL;
	return fcntl(HANDED_OVER_FD, F_SETFD, FD_CLOEXEC) < 0 ? -errno : HANDED_OVER_FD;
}

static int make_folder(const char *path, struct err_note *note)
{
	char folder[PATHS_MAX];
	int fd;

	memcpy(folder, path, strlen(path) + 1);
	*strrchr(folder, '/') = '\0';
	fd = fd_make_dirs(folder[0] ? folder : "/", 0700);
	if (fd < 0)
		return err_note_errno(note, err_note(note, fd, "%s", folder));
	close(fd);
	return 0;
}

/* A socket of ours that nobody answers on is taken away; anything else stays and is a fault. */
static int remove_stale(const struct sockaddr_un *address, struct err_note *note)
{
	const char *path = address->sun_path;
	int cleanup_fd probe = -1;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : err_note_errno(note, err_note(note, -errno, "%s", path));
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return err_note(
		    note, -EEXIST, "%s: is there and is not a socket of ours; move it away", path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return err_note_errno(note, err_note(note, -errno, "socket"));
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno != ECONNREFUSED)
		return err_note(note, -EADDRINUSE,
		    "%s: another daemon answers there; stop it or give another server.socket.path",
		    path);
	return unlink(path) < 0 ? err_note_errno(note, err_note(note, -errno, "%s", path)) : 0;
}

/* Nobody but us may connect until mode and group are what the policy says. */
static int bind_private(int fd, const struct sockaddr_un *address, struct err_note *note)
{
	mode_t before = umask(0177);
	int fault = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(before);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s", address->sun_path));
	return 0;
}

static int open_up(const struct policy *policy, const char *path, struct err_note *note)
{
	const struct group *group;

	if (policy->socket_group[0]) {
		group = getgrnam(policy->socket_group);
		if (!group)
			return err_note(note, -ENOENT,
			    "%s:%u:%u: server.socket.group %s: no such group", policy->file,
			    policy->socket_pos.line, policy->socket_pos.column,
			    policy->socket_group);
		if (lchown(path, (uid_t)-1, group->gr_gid) < 0)
			return err_note_errno(
			    note, err_note(note, -errno, "%s: cannot be given to group %s", path,
				      policy->socket_group));
	}
	if (chmod(path, policy->socket_mode & 0777) < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	return 0;
}

/* May those whom the socket's mode lets in walk through this folder to it? */
static bool lets_through(const struct stat *folder, const struct stat *sock)
{
	if (folder->st_mode & S_IXOTH)
		return true;
	return !(sock->st_mode & S_IWOTH) && folder->st_gid == sock->st_gid &&
	       (folder->st_mode & S_IXGRP);
}

/* A socket that is open in a folder that is not: what the policy gives nobody can use. */
static void warn_if_closed(const char *path, const struct stat *sock)
{
	char folder[PATHS_MAX];
	struct stat st;
	char *end;

	if (!(sock->st_mode & (S_IWGRP | S_IWOTH)))
		return;
	memcpy(folder, path, strlen(path) + 1);
	while ((end = strrchr(folder, '/')) && end > folder) {
		*end = '\0';
		if (stat(folder, &st) < 0 || lets_through(&st, sock))
			continue;
		log_warn("%s: closed to others, so only its owner can reach the socket although "
			 "server.socket opens it; chmod a+x the folder, or give it the socket's "
			 "group and chmod g+x",
		    folder);
		return;
	}
}

static int open_own(
    const struct policy *policy, const char *path, struct listener *listener, struct err_note *note)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int cleanup_fd fd = -1;
	struct stat st;
	int fault = make_folder(path, note);

	if (fault)
		return fault;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fault = remove_stale(&address, note);
	if (fault)
		return fault;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_note_errno(note, err_note(note, -errno, "socket"));
	fault = bind_private(fd, &address, note);
	if (fault)
		return fault;
	fault = open_up(policy, path, note);
	if (!fault && (lstat(path, &st) < 0 || listen(fd, BACKLOG) < 0))
		fault = err_note_errno(note, err_note(note, -errno, "%s", path));
	if (fault) {
		(void)unlink(path); /* the first fault is the one to tell */
		return fault;
	}
	warn_if_closed(path, &st);
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	listener->fd = take_fd(&fd);
	return 0;
}

int listen_open(
    const struct policy *policy, const char *path, struct listener *ret, struct err_note *note)
{
	struct listener listener = {.fd = take_handed_over()};
	int fault;

	memcpy(listener.path, path, strlen(path) + 1);
	if (listener.fd >= 0) {
		listener.handed_over = true;
		*ret = listener;
		return 0;
	}
	if (listener.fd != -ENOENT)
		return err_note_errno(note,
		    err_note(note, listener.fd,
			"the service manager's socket is not one listening Unix stream socket"));
	listener.fd = -1;
	fault = open_own(policy, path, &listener, note);
	if (fault)
		return fault;
	*ret = listener;
	return 0;
}

void listen_close(struct listener *listener)
{
	struct stat st;

	if (listener->fd < 0)
		return;
	if (!listener->handed_over && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		(void)unlink(listener->path); /* a leftover socket is replaced at the next start */
	cleanup_fd_(&listener->fd);
}
