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
#include "supervisor/warden/handed.h"

#define BACKLOG       128
#define NGROUPS_SHOWN 65536 /* NGROUPS_MAX of Linux */

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

/* ---- what can be said before anything is made ----------------------------------------------- */

static int complain(
    const struct listen_wish *wish, int fault, struct err_note *note, const char *what)
{
	return wish->pos.line ? err_note(note, fault, "%s:%u:%u: %s %s: %s", wish->policy->file,
				    wish->pos.line, wish->pos.column, wish->key, wish->path, what)
			      : err_note(note, fault, "%s: the socket %s: %s", wish->policy->file,
				    wish->path, what);
}

static int complain_group(
    const struct policy *policy, int fault, struct err_note *note, const char *what)
{
	const struct policy_pos pos = policy->socket_group_pos;

	return err_note(note, fault, "%s:%u:%u: server.socket.group %s: %s", policy->file, pos.line,
	    pos.column, policy->socket_group, what);
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
		(void)err_note(&what, 0, "no such group; make it (groupadd %s) or name another",
		    policy->socket_group);
		return complain_group(policy, -ENOENT, note, what.text);
	}
	if (!is_member(group->gr_gid)) {
		(void)err_note(&what, 0,
		    "uid %u is no member of it and so cannot give it the socket; name a group of "
		    "that user, or start the daemon as root",
		    geteuid());
		return complain_group(policy, -EPERM, note, what.text);
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
static int check_folder(const struct listen_wish *wish, struct err_note *note)
{
	char folder[PATHS_MAX];
	struct err_note what;
	struct stat st;

	folder_of(wish->path, folder);
	while (stat(folder, &st) < 0 && errno == ENOENT && folder[1])
		folder_of(folder, folder);
	if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
	    faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	(void)err_note(&what, 0,
	    "uid %u cannot make anything in %s; give a path in a folder of that user, or start the "
	    "daemon as root",
	    geteuid(), folder);
	return complain(wish, -EACCES, note, what.text);
}

static bool is_ours(const struct stat *st)
{
	return S_ISSOCK(st->st_mode) && st->st_uid == geteuid();
}

int listen_check_own(const struct listen_wish *wish, struct err_note *note)
{
	struct stat st;
	gid_t gid;
	int fault = find_group(wish->policy, &gid, note);

	if (!fault)
		fault = check_folder(wish, note);
	if (fault || lstat(wish->path, &st) < 0 || is_ours(&st))
		return fault;
	return complain(wish, -EEXIST, note, "is there and is not a socket of ours; move it away");
}

static struct listen_wish rpc_wish(const struct policy *policy, const char *path)
{
	return (struct listen_wish){
	    .policy = policy, .key = "server.socket.path", .pos = policy->socket_pos, .path = path};
}

int listen_check(const struct policy *policy, const char *path, struct err_note *note)
{
	const struct listen_wish wish = rpc_wish(policy, path);
	struct handed handed;
	int fault = handed_find(&handed, note);

	if (fault || handed.rpc >= 0)
		return fault; /* made by the service manager, as it was told */
	return listen_check_own(&wish, note);
}

bool listen_is_answered(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int cleanup_fd probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (probe < 0 || strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(probe, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	       errno == EAGAIN; /* its backlog is full */
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
static int remove_stale(
    const struct listen_wish *wish, const struct sockaddr_un *address, struct err_note *note)
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
		    "%s: another daemon answers there; stop it or give another %s", path,
		    wish->key);
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

int listen_open_own(
    const struct listen_wish *wish, struct listener *listener, struct err_note *note)
{
	const struct policy *policy = wish->policy;
	const char *path = wish->path;
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
	fault = remove_stale(wish, &address, note);
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
	const struct listen_wish wish = rpc_wish(policy, path);
	struct listener listener = {.fd = -1};
	struct handed handed;
	int fault = handed_find(&handed, note);

	if (fault)
		return fault;
	memcpy(listener.path, path, strlen(path) + 1);
	if (handed.rpc >= 0) {
		listener.fd = handed.rpc;
		listener.handed_over = true;
	} else {
		fault = listen_open_own(&wish, &listener, note);
	}
	if (!fault)
		*ret = listener;
	return fault;
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
