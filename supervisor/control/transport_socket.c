/* The daemon's Unix socket: newline-delimited JSON-RPC, which is what transports bring anyway. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/control/gate_client.h"
#include "supervisor/control/transport.h"

#define READ_CHUNK (64 * 1024)

struct over_socket {
	struct transport transport; /* first */
	int fd;
};

static struct over_socket *mine(struct transport *transport)
{
	return (struct over_socket *)transport;
}

/* Both parts with one call where the socket has room: half a line wakes the daemon for nothing. */
static int socket_send(struct transport *transport, const char *text, size_t len)
{
	struct iovec parts[2] = {
	    {.iov_base = (void *)text, .iov_len = len}, {.iov_base = (void *)"\n", .iov_len = 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	while (parts[1].iov_len > 0) {
		ssize_t put = sendmsg(mine(transport)->fd, &message, MSG_NOSIGNAL);
		size_t first;

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno == ECONNRESET ? -EPIPE : -errno;
		first = (size_t)put < parts[0].iov_len ? (size_t)put : parts[0].iov_len;
		parts[0].iov_base = (char *)parts[0].iov_base + first;
		parts[0].iov_len -= first;
		parts[1].iov_len -= (size_t)put - first;
	}
	return 0;
}

static int socket_receive(struct transport *transport, struct buf *in)
{
	uint8_t chunk[READ_CHUNK];
	ssize_t got;

	do {
		got = read(mine(transport)->fd, chunk, sizeof(chunk));
	} while (got < 0 && errno == EINTR);
	return got > 0 && buf_put(in, chunk, (size_t)got) == 0 ? 0 : -EPIPE;
}

static int socket_wait(
    struct transport *transport, struct pollfd *others, unsigned count, int timeout_ms)
{
	struct pollfd polls[TRANSPORT_OTHERS_MAX + 1];

	if (count > TRANSPORT_OTHERS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++)
		polls[i] = others[i];
	polls[count] = (struct pollfd){.fd = mine(transport)->fd, .events = POLLIN};
	if (poll(polls, count + 1, timeout_ms) < 0)
		return -errno;
	for (unsigned i = 0; i < count; i++)
		others[i].revents = polls[i].revents;
	return polls[count].revents != 0;
}

static void socket_finish(struct transport *transport)
{
	(void)shutdown(mine(transport)->fd, SHUT_WR); /* gone already: the next read tells */
}

static void socket_close(struct transport *transport)
{
	close(mine(transport)->fd);
	free(transport);
}

/* A connected descriptor, or -errno. */
static int connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int cleanup_fd fd = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -errno;
	return take_fd(&fd);
}

int transport_open_socket(const char *path, struct transport **ret)
{
	static const struct transport_functions functions = {
	    .send = socket_send,
	    .receive = socket_receive,
	    .wait = socket_wait,
	    .finish = socket_finish,
	    .close = socket_close,
	};
	int gate = gate_number(path);
	int cleanup_fd fd = gate >= 0 ? gate_connect(gate) : connect_path(path);
	struct over_socket *made;

	if (fd < 0)
		return fd;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->transport.does = &functions;
	made->fd = take_fd(&fd);
	*ret = &made->transport;
	return 0;
}
