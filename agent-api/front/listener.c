#include "agent-api/front/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-api/front/connection.h"
#include "agent-api/front/front.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct front *front = timer->data;
	int r = uv_poll_start(&front->listener.poll, UV_READABLE, on_ready);

	if (r < 0)
		front_fail(front, "listen again", r);
}

/* The backlog keeps who comes meanwhile. Without the pause the loop would spin on a socket that
 * is always ready and never accepts. */
static void pause_accepting(struct front *front)
{
	uv_poll_stop(&front->listener.poll);
	(void)uv_timer_start(&front->listener.pause, on_pause_over, FRONT_ACCEPT_PAUSE_MS, 0);
}

/* One line and good-bye, as far as the socket takes it: this client has no connection yet. */
static void turn_away(int fd, const char *why)
{
	struct buf cleanup_with(buf_fini) line;

	buf_init(&line, 1024);
	buf_textf(&line,
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":503,\"message\":\"%s\"}}\n", why);
	(void)!write(fd, line.data, line.len);
}

static void welcome(struct front *front, int fd)
{
	int cleanup_fd owned = fd;
	struct message_peer who = {.peer = 0};
	struct ucred cred;
	socklen_t len = sizeof(cred);
	const char *why = front_refuses(front);
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		log_warn(
		    "connection closed: the kernel does not say whose it is: %s", strerror(errno));
		return;
	}
	who.uid = cred.uid;
	who.gid = cred.gid;
	who.pid = (uint32_t)cred.pid;
	if (!why)
		why = budget_refuses(front, &who);
	if (why) {
		turn_away(fd, why);
		return;
	}
	r = connection_new(front, take_fd(&owned), &who);
	if (r < 0)
		log_warn("connection closed: %s", strerror(-r));
}

/* Whether to try the next one. */
static int accept_one(struct front *front)
{
	int fd = accept4(front->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		welcome(front, fd);
		return front->phase == FRONT_SERVING;
	}
	switch (errno) {
	case EINTR:
	case ECONNABORTED: return 1;
	case EAGAIN: return 0;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_warn("accepting pauses: %s", strerror(errno));
		pause_accepting(front);
		return 0;
	default: front_fail(front, "accept", -errno); return 0;
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct front *front = poll->data;

	(void)events; /* only readable was asked for */
	if (status < 0) {
		front_fail(front, "listen", status);
		return;
	}
	for (int i = 0; i < FRONT_ACCEPTS && accept_one(front); i++)
		;
}

int listener_open(struct listener *listener, struct front *front, int fd)
{
	int r = fd_set_nonblocking(fd);

	if (r < 0)
		return r;
	listener->fd = fd;
	r = uv_timer_init(&front->loop, &listener->pause);
	if (r == 0)
		r = uv_poll_init(&front->loop, &listener->poll, fd);
	if (r < 0)
		return r;
	listener->pause.data = front;
	listener->poll.data = front;
	return uv_poll_start(&listener->poll, UV_READABLE, on_ready);
}

void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	uv_close((uv_handle_t *)&listener->pause, NULL);
	uv_close((uv_handle_t *)&listener->poll, NULL);
	close(take_fd(&listener->fd));
}
