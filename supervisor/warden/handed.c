#include "supervisor/warden/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define FIRST_FD  3 /* SD_LISTEN_FDS_START */
#define COUNT_MAX 2

enum place { PLACE_NONE = 0, PLACE_RPC, PLACE_HTTP };

/* AF_UNIX, AF_INET or AF_INET6 of a listening stream socket; AF_UNSPEC of anything else. */
static int family_of(int fd)
{
	int listening = 0, type = 0, domain = AF_UNSPEC;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return AF_UNSPEC;
	return domain == AF_UNIX || domain == AF_INET || domain == AF_INET6 ? domain : AF_UNSPEC;
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && !memcmp(word, name, len);
}

static enum place place_of(int family, const char *name, size_t len)
{
	if (family == AF_UNSPEC)
		return PLACE_NONE;
	if (is_word(name, len, "rpc"))
		return family == AF_UNIX ? PLACE_RPC : PLACE_NONE;
	if (is_word(name, len, "http"))
		return PLACE_HTTP;
	return family == AF_UNIX ? PLACE_RPC : PLACE_HTTP;
}

static int take_one(
    struct handed *handed, int fd, const char *name, size_t len, struct err_note *note)
{
	enum place place = place_of(family_of(fd), name, len);
	int *slot = place == PLACE_RPC ? &handed->rpc : &handed->http;

	if (place == PLACE_NONE)
		return err_note(note, -EINVAL,
		    "descriptor %d: the service manager's socket is not a listening stream socket "
		    "for \"%.*s\"; \"rpc\" wants ListenStream= with a path, \"http\" one with a "
		    "path or an address",
		    fd, (int)len, name);
	if (*slot >= 0)
		return err_note(note, -EINVAL,
		    "descriptor %d: the service manager's socket is not the only one for %s; name "
		    "them by FileDescriptorName=rpc and FileDescriptorName=http",
		    fd, place == PLACE_RPC ? "JSON-RPC" : "HTTP");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fd_set_nonblocking(fd) < 0)
		return err_note_errno(note, err_note(note, -errno, "descriptor %d", fd));
	*slot = fd;
	return 0;
}

int handed_find(struct handed *ret, struct err_note *note)
{
	const char *pid = getenv("LISTEN_PID"), *text = getenv("LISTEN_FDS");
	const char *name = getenv("LISTEN_FDNAMES");
	struct handed handed = {.rpc = -1, .http = -1};
	uint64_t number, count;
	int fault = 0;

	*ret = handed;
	if (!pid || !text || str_u64(pid, INT32_MAX, &number) || (pid_t)number != getpid())
		return 0;
	if (str_u64(text, INT32_MAX, &count) || count > COUNT_MAX)
		return err_note(note, -EINVAL,
		    "LISTEN_FDS=%s: the service manager's socket is not one of at most two, one "
		    "for JSON-RPC and one for HTTP",
		    text);
	for (int i = 0; i < (int)count && !fault; i++) {
		size_t len = name ? strcspn(name, ":") : 0;

		fault = take_one(&handed, FIRST_FD + i, name ? name : "", len, note);
		name = name && name[len] ? name + len + 1 : NULL;
	}
	if (!fault)
		*ret = handed;
	return fault;
}
