#include "supervisor/warden/listen_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/handed.h"

#define HTTP_BACKLOG    1024
#define DEFAULT_ADDRESS "127.0.0.1"
#define PORT_MAX        65535

struct tcp_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} at;
	socklen_t len;
};

static int complain(const struct policy *policy, int fault, struct err_note *note, const char *what)
{
	const struct policy_pos pos = policy->http.port_pos;

	return pos.line ? err_note(note, fault, "%s:%u:%u: server.port: %s", policy->file, pos.line,
			      pos.column, what)
			: err_note(note, fault, "%s: server.listen: %s", policy->file, what);
}

static bool is_path(const struct policy_http *http)
{
	return http->listen && strchr(http->listen, '/');
}

static const char *address_text(const struct policy_http *http)
{
	return http->listen && http->listen[0] ? http->listen : DEFAULT_ADDRESS;
}

/* ---- TCP ------------------------------------------------------------------------------------ */

static int read_address(const struct policy *policy, struct tcp_address *ret, struct err_note *note)
{
	const char *text = address_text(&policy->http);
	char bare[INET6_ADDRSTRLEN] = "";
	struct tcp_address address = {.len = 0};
	struct err_note what;
	size_t len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']' && len - 2 < sizeof(bare))
		memcpy(bare, text + 1, len - 2);
	if (policy->http.port > PORT_MAX)
		return complain(policy, -EINVAL, note, "no such port; write 1 to 65535");
	if (!bare[0] && inet_pton(AF_INET, text, &address.at.v4.sin_addr) == 1) {
		address.at.v4.sin_family = AF_INET;
		address.at.v4.sin_port = htons((uint16_t)policy->http.port);
		address.len = sizeof(address.at.v4);
	} else if (inet_pton(AF_INET6, bare[0] ? bare : text, &address.at.v6.sin6_addr) == 1) {
		address.at.v6.sin6_family = AF_INET6;
		address.at.v6.sin6_port = htons((uint16_t)policy->http.port);
		address.len = sizeof(address.at.v6);
	} else {
		(void)err_note(&what, 0,
		    "%s is no address; write an IPv4 or IPv6 address in server.listen, or a path "
		    "with a slash",
		    text);
		return complain(policy, -EINVAL, note, what.text);
	}
	*ret = address;
	return 0;
}

static int explain(const struct policy *policy, int fault, struct err_note *note)
{
	const char *where = address_text(&policy->http);
	unsigned port = (unsigned)policy->http.port;
	struct err_note what;

	if (fault == -EADDRINUSE)
		(void)err_note(&what, 0,
		    "port %u of %s: another program listens there; end it (ss -ltnp 'sport = :%u' "
		    "names it) or give another port",
		    port, where, port);
	else if (fault == -EACCES)
		(void)err_note(&what, 0,
		    "port %u: uid %u may not take a port below 1024; give a higher one, start the "
		    "daemon as root, or let the service manager hand the socket over",
		    port, geteuid());
	else if (fault == -EADDRNOTAVAIL)
		(void)err_note(&what, 0,
		    "%s is no address of this machine; write one of those that `ip address` shows, "
		    "or 127.0.0.1",
		    where);
	else
		(void)err_note(&what, 0, "port %u of %s: %s", port, where, strerror(-fault));
	return complain(policy, fault, note, what.text);
}

/* A bound socket, not yet listening; or -errno with note. */
static int bind_tcp(const struct policy *policy, struct err_note *note)
{
	int cleanup_fd fd = -1;
	struct tcp_address address;
	int on = 1, off = 0;
	int fault = read_address(policy, &address, note);

	if (fault)
		return fault;
	fd = socket(address.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return explain(policy, -errno, note);
	/* "::" means both families, whatever this machine's default is. */
	if (address.at.any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return explain(policy, -errno, note);
	if (bind(fd, &address.at.any, address.len) < 0)
		return explain(policy, -errno, note);
	return take_fd(&fd);
}

static int open_tcp(const struct policy *policy, struct listener *listener, struct err_note *note)
{
	int cleanup_fd fd = bind_tcp(policy, note);

	if (fd < 0)
		return fd;
	if (listen(fd, HTTP_BACKLOG) < 0)
		return explain(policy, -errno, note);
	listener->fd = take_fd(&fd);
	return 0;
}

/* ---- both ----------------------------------------------------------------------------------- */

static int make_wish(const struct policy *policy, const char *folder, char path[PATHS_MAX],
    struct listen_wish *ret, struct err_note *note)
{
	if (paths_join(path, folder, policy->http.listen) ||
	    strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return complain(policy, -ENAMETOOLONG, note,
		    "the path of the socket is longer than the 107 bytes that it may have; use a "
		    "shorter one");
	*ret = (struct listen_wish){
	    .policy = policy, .key = "server.listen", .pos = policy->http.port_pos, .path = path};
	return 0;
}

/* 0 and the socket that was handed over, or -1; or -EINVAL with note. */
static int find_handed(const struct policy *policy, int *ret_fd, struct err_note *note)
{
	struct handed handed;
	int fault = handed_find(&handed, note);

	*ret_fd = fault ? -1 : handed.http;
	if (fault || handed.http < 0 || http_serves(&policy->http))
		return fault;
	return err_note(note, -EINVAL,
	    "%s: the service manager hands over a socket for HTTP (descriptor %d), but the policy "
	    "serves none; give server.port, or stop and disable the socket unit",
	    policy->file, handed.http);
}

int listen_http_check(
    const struct policy *policy, const char *folder, bool running, struct err_note *note)
{
	int cleanup_fd fd = -1;
	char path[PATHS_MAX];
	struct listen_wish wish;
	int handed;
	int fault = find_handed(policy, &handed, note);

	if (fault || handed >= 0 || !http_serves(&policy->http))
		return fault;
	if (is_path(&policy->http)) {
		fault = make_wish(policy, folder, path, &wish, note);
		return fault ? fault : listen_check_own(&wish, note);
	}
	fd = bind_tcp(policy, note);
	if (fd == -EADDRINUSE && running) {
		note->text[0] = '\0';
		return 0;
	}
	return fd < 0 ? fd : 0;
}

int listen_http_open(
    const struct policy *policy, const char *folder, struct listener *ret, struct err_note *note)
{
	struct listener listener = {.fd = -1};
	struct listen_wish wish;
	char path[PATHS_MAX];
	int handed;
	int fault = find_handed(policy, &handed, note);

	if (!fault && handed >= 0) {
		listener.fd = handed;
		listener.handed_over = true;
	} else if (!fault && http_serves(&policy->http) && is_path(&policy->http)) {
		fault = make_wish(policy, folder, path, &wish, note);
		if (!fault) {
			memcpy(listener.path, path, sizeof(path));
			fault = listen_open_own(&wish, &listener, note);
		}
	} else if (!fault && http_serves(&policy->http)) {
		fault = open_tcp(policy, &listener, note);
	}
	if (!fault)
		*ret = listener;
	return fault;
}

/* "" where it cannot be told. */
static unsigned name_of(const struct listener *listener, char ret[LISTEN_NAME_MAX])
{
	struct tcp_address address = {.len = sizeof(address.at)};
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address.at;

	ret[0] = '\0';
	if (listener->fd < 0 || getsockname(listener->fd, &address.at.any, &address.len) < 0)
		return 0;
	if (address.at.any.sa_family == AF_UNIX) {
		snprintf(
		    ret, LISTEN_NAME_MAX, "%.*s", (int)sizeof(local->sun_path), local->sun_path);
		return 0;
	}
	if (address.at.any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &address.at.v4.sin_addr, ret, LISTEN_NAME_MAX);
		return ntohs(address.at.v4.sin_port);
	}
	(void)inet_ntop(AF_INET6, &address.at.v6.sin6_addr, ret, LISTEN_NAME_MAX);
	return ntohs(address.at.v6.sin6_port);
}

void listen_http_address(const struct listener *listener, char ret[LISTEN_NAME_MAX])
{
	(void)name_of(listener, ret);
}

void listen_http_name(const struct listener *listener, char ret[LISTEN_NAME_MAX])
{
	char address[LISTEN_NAME_MAX];
	unsigned port = name_of(listener, address);

	if (port)
		snprintf(ret, LISTEN_NAME_MAX, strchr(address, ':') ? "[%.4000s]:%u" : "%.4000s:%u",
		    address, port);
	else
		snprintf(ret, LISTEN_NAME_MAX, "%s", address);
}
