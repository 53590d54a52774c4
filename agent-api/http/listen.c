#include "agent-api/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent-api/http/address.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define INHERITED_FIRST 3
#define INHERITED_MAX   64

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* ---- TCP -------------------------------------------------------------------------------- */

static socklen_t socket_address(
    struct sockaddr_storage *ret, const struct http_address *address, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (address->family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, address->bytes, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

int http_listen_tcp(const char *address, uint16_t port, struct err_note *note)
{
	int cleanup_fd fd = -1;
	struct sockaddr_storage where;
	struct http_address parsed;
	socklen_t len;
	int on = 1;

	if (http_address_parse((struct http_text){address, strlen(address)}, &parsed) < 0)
		return err_note(note, -EINVAL,
		    "listen: '%s' is no address; write an IPv4 or IPv6 address", address);
	len = socket_address(&where, &parsed, port);
	fd = new_socket(where.ss_family);
	if (fd < 0)
		return err_note_errno(note, err_note(note, fd, "listen: no socket"));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&where, len) < 0 || listen(fd, HTTP_BACKLOG) < 0)
		return err_note_errno(note,
		    err_note(note, -errno, "listen: cannot listen on %s port %u", address, port));
	return take_fd(&fd);
}

uint16_t http_listen_port(int fd)
{
	struct sockaddr_storage where = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(where);

	if (getsockname(fd, (struct sockaddr *)&where, &len) < 0)
		return 0;
	if (where.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&where)->sin_port);
	return where.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&where)->sin6_port) : 0;
}

/* ---- Unix ------------------------------------------------------------------------------- */

/* Removes a socket that is left over: there, and nobody listens. */
static int remove_stale(const struct sockaddr_un *where)
{
	int cleanup_fd fd = -1;
	struct stat st;

	if (lstat(where->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)where, sizeof(*where)) == 0 ||
	    errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(where->sun_path) < 0 ? -errno : 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *where, mode_t mode)
{
	mode_t before = umask(0177); /* for the moment until the mode is set */
	int r = bind(fd, (const struct sockaddr *)where, sizeof(*where)) < 0 ? -errno : 0;

	(void)umask(before);
	if (r < 0)
		return r;
	if (chmod(where->sun_path, mode) < 0 || listen(fd, HTTP_BACKLOG) < 0) {
		r = -errno;
		(void)unlink(where->sun_path); /* the first fault is the one to tell */
	}
	return r;
}

int http_listen_unix(const char *path, mode_t mode, struct err_note *note)
{
	int cleanup_fd fd = -1;
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) >= sizeof(where.sun_path))
		return err_note(note, -ENAMETOOLONG,
		    "listen: the path %s is too long for a socket (107 bytes); use a shorter one",
		    path);
	(void)snprintf(where.sun_path, sizeof(where.sun_path), "%s", path);
	fd = new_socket(AF_UNIX);
	r = fd < 0 ? fd : remove_stale(&where);
	if (r == 0)
		r = bind_and_listen(fd, &where, mode);
	if (r < 0)
		return err_note_errno(note, err_note(note, r, "listen: cannot listen on %s", path));
	return take_fd(&fd);
}

/* ---- inherited -------------------------------------------------------------------------- */

static int inherited_count(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	uint64_t number;

	if (!pid || str_u64(pid, UINT32_MAX, &number) < 0 || number != (uint64_t)getpid())
		return 0;
	return count && str_u64(count, INHERITED_MAX, &number) == 0 ? (int)number : 0;
}

static int socket_option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

int http_listen_inherited(unsigned index, struct err_note *note)
{
	int fd = INHERITED_FIRST + (int)index;
	int r;

	if (index >= (unsigned)inherited_count())
		return err_note(note, -ENOENT,
		    "listen: the service manager gave no socket %u; look at its .socket unit",
		    index);
	if (socket_option(fd, SO_ACCEPTCONN) != 1 || socket_option(fd, SO_TYPE) != SOCK_STREAM)
		return err_note(note, -EINVAL,
		    "listen: inherited descriptor %d is no listening stream socket; use "
		    "ListenStream= and Accept=no",
		    fd);
	r = fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : fd_set_nonblocking(fd);
	return r < 0 ? err_note_errno(note, err_note(note, r, "listen: inherited socket")) : fd;
}
