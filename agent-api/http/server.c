#include "agent-api/http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-api/http/connection.h"
#include "agent-api/http/server_inside.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"

static void on_ready(uv_poll_t *poll, int status, int events);

void http_config_init(struct http_config *config)
{
	*config = (struct http_config){
	    .connections_max = 10000,
	    .held_max = 128 * 1024 * 1024,
	    .body_max = 1024 * 1024,
	    .ms =
		{
		    [HTTP_DEADLINE_HEAD] = 10 * 1000,
		    [HTTP_DEADLINE_BODY] = 30 * 1000,
		    [HTTP_DEADLINE_IDLE] = 75 * 1000,
		    [HTTP_DEADLINE_WRITE] = 60 * 1000,
		    [HTTP_DEADLINE_TICK] = 15 * 1000,
		    [HTTP_DEADLINE_LINGER] = 2 * 1000,
		},
	};
}

const char *http_server_date(struct http_server *server)
{
	uint64_t now = clock_wall_us() / 1000000;

	if (now != server->date_s)
		http_date(server->date, now);
	server->date_s = now;
	return server->date;
}

/* ---- accepting -------------------------------------------------------------------------- */

static void fail(struct http_server *server, const char *what, int fault)
{
	server->callbacks->failed(server->owner, what, fault);
}

static void on_pause_over(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	int r = server->listening ? uv_poll_start(&server->poll, UV_READABLE, on_ready) : 0;

	if (r < 0)
		fail(server, "listen again", r);
}

/* The backlog keeps who comes meanwhile. Without the pause the loop would spin on a socket that
 * is always ready and never accepts. */
static void pause_accepting(struct http_server *server)
{
	uv_poll_stop(&server->poll);
	(void)uv_timer_start(&server->pause, on_pause_over, HTTP_ACCEPT_PAUSE_MS, 0);
}

/* Who has been idle for longest makes room; if nobody is, who has waited longest with his first
 * request: honest clients send it at once, and a place must not be had by holding it. false: all
 * are at work. */
static bool make_room(struct http_server *server)
{
	struct http_deadline_node *node =
	    http_deadline_oldest(&server->deadlines, HTTP_DEADLINE_IDLE);

	if (!node)
		node = http_deadline_oldest(&server->deadlines, HTTP_DEADLINE_HEAD);
	if (!node)
		return false;
	http_connection_close(
	    (struct http_connection *)((char *)node - offsetof(struct http_connection, deadline)));
	return true;
}

/* A word and good-bye, as far as the socket takes it. Over TLS it cannot be said. */
static void turn_away(const struct http_server *server, int fd)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
				   "Content-Length: 0\r\nConnection: close\r\n\r\n";

	if (!server->tls)
		(void)!send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void who_is(int fd, const struct sockaddr *from, struct http_address *ret_peer,
    struct http_local *ret_local)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	http_address_of(ret_peer, from);
	*ret_local = (struct http_local){.known = false};
	if (ret_peer->family || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return;
	*ret_local = (struct http_local){true, cred.uid, cred.gid, cred.pid};
}

static void welcome(struct http_server *server, int fd, const struct sockaddr *from)
{
	struct http_address peer;
	struct http_local local;

	if (server->count >= server->config.connections_max && !make_room(server)) {
		turn_away(server, fd);
		return;
	}
	who_is(fd, from, &peer, &local);
	/* Without memory for it the client sees a closed connection; he may try again. */
	(void)http_connection_new(server, fd, &peer, &local);
}

/* Whether to try the next one. */
static bool accept_one(struct http_server *server)
{
	struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(from);
	int fd = accept4(server->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		welcome(server, fd, (const struct sockaddr *)&from);
		return server->listening;
	}
	switch (errno) {
	case EAGAIN: return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (!make_room(server))
			pause_accepting(server);
		return false;
	case EBADF:
	case EFAULT:
	case EINVAL:
	case ENOTSOCK: fail(server, "accept", -errno); return false;
	default: return true; /* the fault of one client, which is gone */
	}
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct http_server *server = poll->data;

	(void)events; /* only readable was asked for */
	if (status < 0) {
		fail(server, "listen", status);
		return;
	}
	for (int i = 0; i < HTTP_ACCEPTS && accept_one(server); i++)
		;
}

/* Connections inherit these from the socket that listens. A Unix socket has none of them. */
static void set_options(int fd)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, 60},
	    {IPPROTO_TCP, TCP_KEEPINTVL, 15},
	    {IPPROTO_TCP, TCP_KEEPCNT, 4},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
		    sizeof(options[i].value));
}

/* ---- life ------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	http_server_handle_closed(handle->data);
}

/* Connections are gone: the handles of the server itself follow, and the last of them ends it. */
static void close_own(struct http_server *server)
{
	if (server->ended)
		return;
	server->ended = true;
	http_deadlines_close(&server->deadlines, on_closed);
	server->deadlines.timer.data = server;
	uv_close((uv_handle_t *)&server->pause, on_closed);
	uv_close((uv_handle_t *)&server->drain, on_closed);
}

void http_server_handle_closed(struct http_server *server)
{
	server->handles--;
	if (server->draining && server->count == 0)
		close_own(server);
	if (server->handles > 0)
		return;
	http_tls_unref(server->tls);
	server->tls = NULL;
	free(server->scratch);
	server->scratch = NULL;
	if (server->callbacks->ended)
		server->callbacks->ended(server->owner);
}

int http_server_init(struct http_server *server, uv_loop_t *loop, const struct http_config *config,
    const struct http_callbacks *callbacks, void *owner)
{
	int r;

	*server = (struct http_server){
	    .loop = loop,
	    .config = *config,
	    .callbacks = callbacks,
	    .owner = owner,
	    .fd = -1,
	    .handles = 3,
	};
	server->scratch = malloc(HTTP_READ);
	if (!server->scratch)
		return -ENOMEM;
	r = http_deadlines_init(&server->deadlines, loop, http_connection_expired);
	if (r == 0)
		r = uv_timer_init(loop, &server->pause);
	if (r == 0)
		r = uv_timer_init(loop, &server->drain);
	memcpy(server->deadlines.ms, config->ms, sizeof(config->ms));
	server->pause.data = server;
	server->drain.data = server;
	if (r < 0)
		free(take_ptr(server->scratch));
	return r;
}

int http_server_listen(struct http_server *server, int fd, struct http_tls *tls)
{
	int r = fd_set_nonblocking(fd);

	if (r == 0)
		r = uv_poll_init(server->loop, &server->poll, fd);
	if (r < 0)
		return r;
	set_options(fd);
	server->poll.data = server;
	server->fd = fd;
	server->handles++;
	server->listening = true;
	server->tls = tls ? http_tls_ref(tls) : NULL;
	return uv_poll_start(&server->poll, UV_READABLE, on_ready);
}

int http_server_set_tls(struct http_server *server, struct http_tls *tls)
{
	if (!server->tls || !tls)
		return -EINVAL;
	http_tls_unref(server->tls);
	server->tls = http_tls_ref(tls);
	return 0;
}

static void stop_listening(struct http_server *server)
{
	if (!server->listening)
		return;
	server->listening = false;
	uv_timer_stop(&server->pause);
	uv_close((uv_handle_t *)&server->poll, on_closed);
	close(server->fd);
	server->fd = -1;
}

static void on_drained(uv_timer_t *timer)
{
	http_server_close(timer->data);
}

void http_server_drain(struct http_server *server, uint64_t ms)
{
	struct http_connection *next;

	if (server->draining)
		return;
	server->draining = true;
	stop_listening(server);
	for (struct http_connection *at = server->connections; at; at = next) {
		next = at->next;
		if (http_connection_is_idle(at))
			http_connection_close(at);
	}
	(void)uv_timer_start(&server->drain, on_drained, ms, 0);
	if (server->count == 0)
		close_own(server);
}

void http_server_close(struct http_server *server)
{
	server->draining = true;
	stop_listening(server);
	while (server->connections)
		http_connection_close(server->connections);
	close_own(server);
}
