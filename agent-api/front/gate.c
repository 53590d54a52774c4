#include "agent-api/front/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "agent-api/front/connection.h"
#include "agent-api/front/front.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"

struct gate {
	uv_poll_t poll;
	struct front *front; /* borrowed */
	struct gate *next;
	int fd;
	uint32_t wrong; /* messages that brought no connection */
	char call[CALL_ID_MAX];
};

/* ---- birth and death -------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void gate_free(struct gate *gate)
{
	uv_close((uv_handle_t *)&gate->poll, on_closed);
	close(take_fd(&gate->fd));
}

static struct connection *find_connection(const struct front *front, const char *call)
{
	struct connection *connection = front->connections;

	while (connection && strcmp(connection->call, call) != 0)
		connection = connection->next;
	return connection;
}

/* Its tool is dead, or is not trusted with it any longer: its connections go with it. */
static void gate_end(struct gate *gate)
{
	struct front *front = gate->front;
	struct gate **at = &front->gates;
	struct connection *connection;

	while (*at != gate)
		at = &(*at)->next;
	*at = gate->next;
	while ((connection = find_connection(front, gate->call)))
		connection_close(connection);
	gate_free(gate);
}

void gate_close_all(struct front *front)
{
	while (front->gates) {
		struct gate *gate = front->gates;

		front->gates = gate->next;
		gate_free(gate);
	}
}

/* ---- what comes through ----------------------------------------------------------------- */

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

/* A stream of this machine that has another end. */
static int is_connection(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return option_of(fd, SO_DOMAIN) == AF_UNIX && option_of(fd, SO_TYPE) == SOCK_STREAM &&
	       option_of(fd, SO_ACCEPTCONN) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* As far as the socket takes it: this client gets no connection. */
static void turn_away(int fd, const char *why)
{
	struct buf cleanup_with(buf_fini) line;

	buf_init(&line, 1024);
	buf_textf(&line,
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":503,\"message\":\"%s\"}}\n", why);
	(void)!send(fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void welcome(struct gate *gate, int fd)
{
	int cleanup_fd owned = fd;
	struct message_peer who = {.call = gate->call};
	struct ucred cred = {.pid = 0};
	socklen_t len = sizeof(cred);
	const char *why;
	int r;

	if (!is_connection(fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		gate->wrong++;
		return;
	}
	why = front_refuses(gate->front);
	if (!why)
		why = budget_refuses(gate->front, &who);
	if (why) {
		turn_away(fd, why);
		return;
	}
	who.uid = cred.uid;
	who.gid = cred.gid;
	who.pid = (uint32_t)cred.pid;
	r = connection_new(gate->front, take_fd(&owned), &who);
	if (r < 0)
		log_warn("connection of call %s closed: %s", gate->call, strerror(-r));
}

/* One message: a byte and a descriptor. Returns whether to try for another. */
static int take_one(struct gate *gate)
{
	size_t count = 0;
	int fd = -1;
	char byte;
	ssize_t len = fd_receive(gate->fd, &byte, sizeof(byte), &fd, 1, &count);

	if (len == -EAGAIN)
		return 0;
	if (len == -EMSGSIZE) {
		gate->wrong++; /* more descriptors than one; all were closed */
		return 1;
	}
	if (len <= 0) {
		gate_end(gate);
		return 0;
	}
	if (count == 0)
		gate->wrong++;
	else
		welcome(gate, fd);
	return 1;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct gate *gate = poll->data;
	int more = 1;

	(void)events; /* only readable was asked for */
	if (status < 0) {
		gate_end(gate);
		return;
	}
	for (int i = 0; i < FRONT_ACCEPTS && more; i++) {
		more = take_one(gate);
		if (more && gate->wrong > FRONT_GATE_WRONG) {
			log_warn(
			    "call %s: its gate is closed, it sends no connections", gate->call);
			gate_end(gate);
			return;
		}
	}
}

static int open_gate(struct front *front, struct message *message)
{
	const char *call = message->u.gate.call;
	struct gate *gate = calloc(1, sizeof(*gate));
	int r;

	if (!gate)
		return -ENOMEM;
	gate->front = front;
	memcpy(gate->call, call, strlen(call) + 1);
	r = fd_set_nonblocking(message->fds[0]);
	if (r == 0)
		r = uv_poll_init(&front->loop, &gate->poll, message->fds[0]);
	if (r < 0) {
		free(gate);
		return r;
	}
	gate->poll.data = gate;
	gate->fd = message_take_fd(message, 0);
	gate->next = front->gates;
	front->gates = gate;
	r = uv_poll_start(&gate->poll, UV_READABLE, on_ready);
	if (r < 0)
		gate_end(gate);
	return r;
}

int gate_take(struct front *front, struct message *message)
{
	const char *call = message->u.gate.call;
	struct gate *gate = front->gates;
	uint32_t count = 0;

	if (!call[0] || strlen(call) >= CALL_ID_MAX)
		return -EBADMSG;
	for (; gate && strcmp(gate->call, call) != 0; gate = gate->next)
		count++;
	if (message->fd_count == 0) {
		if (gate)
			gate_end(gate);
		return 0;
	}
	if (gate)
		return -EBADMSG;
	return count < FRONT_GATES_MAX ? open_gate(front, message) : -EMFILE;
}
