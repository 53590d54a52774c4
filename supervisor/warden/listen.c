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
#define NGROUPS_SHOWN  65536 /* NGROUPS_MAX of Linux */
#define HANDED_OVER_FD 3     /* SD_LISTEN_FDS_START */

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

/* ---- what can be said before anything is made ----------------------------------------------- */

static int complain(const struct policy *policy, struct policy_pos pos, int fault,
    struct err_note *note, const char *what)
{
	return pos.line ? err_note(note, fault, "%s:%u:%u: server.socket%s", policy->file, pos.line,
			      pos.column, what)
			: err_note(note, fault, "%s: the socket%s", policy->file, what);
}

static bool is_member(gid_t gid)
{
	gid_t groups[NGROUPS_SHOWN];
	int count = getgroups(NGROUPS_SHOWN, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return getegid() == gid || geteuid() == 0;
}

/* *ret_gid: (gid_t)-1 where the policy names no group. */
static int find_group(const struct policy *policy, gid_t *ret_gid, struct err_note *note)
{
	const struct group *group;
	struct err_note what;

	*ret_gid = (gid_t)-1;
	if (!policy->socket_group[0])
		return 0;
	group = getgrnam(policy->socket_group);
	if (!group) {
		(void)err_note(&what, 0,
		    ".group %s: no such group; make it (groupadd %s) or name another",
		    policy->socket_group, policy->socket_group);
		return complain(policy, policy->socket_group_pos, -ENOENT, note, what.text);
	}
	if (!is_member(group->gr_gid)) {
		(void)err_note(&what, 0,
		    ".group %s: uid %u is no member of it and so cannot give it the socket; name "
		    "a group of that user, or start the daemon as root",
		    policy->socket_group, geteuid());
		return complain(policy, policy->socket_group_pos, -EPERM, note, what.text);
	}
	*ret_gid = group->gr_gid;
	return 0;
}

static void folder_of(const char *path, char ret_folder[PATHS_MAX])
{
	memcpy(ret_folder, path, strlen(path) + 1);
	strrchr(ret_folder, '/')[ret_folder[0] == '/' && strrchr(ret_folder, '/') == ret_folder] =
	    '\0';
}

/* The socket's folder, or the nearest one above it that is there. */
static int check_folder(const struct policy *policy, const char *path, struct err_note *note)
{
	char folder[PATHS_MAX];
	struct err_note what;
	struct stat st;

	folder_of(path, folder);
	while (stat(folder, &st) < 0 && errno == ENOENT && folder[1])
		folder_of(folder, folder);
	if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
	    faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	(void)err_note(&what, 0,
	    ".path %s: uid %u cannot make anything in %s; give a path in a folder of that user, or "
	    "start the daemon as root",
	    path, geteuid(), folder);
	return complain(policy, policy->socket_pos, -EACCES, note, what.text);
}

static bool is_ours(const struct stat *st)
{
	return S_ISSOCK(st->st_mode) && st->st_uid == geteuid();
}

int listen_check(const struct policy *policy, const char *path, struct err_note *note)
{
	struct err_note what;
	struct stat st;
	gid_t gid;
	int fault;

	if (take_handed_over() != -ENOENT)
		return 0; /* made by the service manager, as it was told */
	fault = find_group(policy, &gid, note);
	if (!fault)
		fault = check_folder(policy, path, note);
	if (fault || lstat(path, &st) < 0 || is_ours(&st))
		return fault;
	(void)err_note(
	    &what, 0, ".path %s: is there and is not a socket of ours; move it away", path);
	return complain(policy, policy->socket_pos, -EEXIST, note, what.text);
}

/* ---- making it ------------------------------------------------------------------------------ */

/* Whom the socket lets in can walk through the folder that was made for it. */
static int open_folder(const struct policy *policy, int fd, gid_t gid)
{
	mode_t mode = policy->socket_mode & 006 ? 0711 : policy->socket_mode & 060 ? 0710 : 0700;

	if (mode == 0700)
		return 0;
	if (gid != (gid_t)-1 && fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	return fchmodat(fd, ".", mode, 0) < 0 ? -errno : 0;
}

static int make_folder(
    const struct policy *policy, const char *path, gid_t gid, struct err_note *note)
{
	char folder[PATHS_MAX];
	struct stat st;
	bool is_new;
	int fd, fault;

	folder_of(path, folder);
	is_new = lstat(folder, &st) < 0 && errno == ENOENT;
	fd = fd_make_dirs(folder, 0700);
	if (fd < 0)
		return err_note_errno(note, err_note(note, fd, "%s", folder));
	fault = is_new ? open_folder(policy, fd, gid) : 0;
	close(fd);
	return fault ? err_note_errno(note, err_note(note, fault, "%s", folder)) : 0;
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
	if (!is_ours(&st))
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

static int open_up(const struct policy *policy, const char *path, gid_t gid, struct err_note *note)
{
	if (gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) < 0)
		return err_note_errno(
		    note, err_note(note, -errno, "%s: cannot be given to group %s", path,
			      policy->socket_group));
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
	gid_t gid;
	int fault = find_group(policy, &gid, note);

	if (!fault)
		fault = make_folder(policy, path, gid, note);
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
	fault = open_up(policy, path, gid, note);
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
