#include "supervisor/link/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define LINK_BURST 64 /* messages read in one turn of the loop, so that others get theirs */

/* A datagram that the socket did not take yet. */
struct link_queued {
	struct link_queued *next;
	size_t charge; /* its share of queued_bytes, its body's memory included */
	size_t len;
	size_t fd_count;
	int fds[MESSAGE_FDS + 1]; /* owned */
	uint8_t bytes[];
};

static void on_poll_ready(uv_poll_t *poll, int status, int events);

/* What passed may have been a secret: no copy of it stays behind. */
static void queued_free(struct link_queued *queued)
{
	explicit_bzero(queued->bytes, queued->len);
	for (size_t i = 0; i < queued->fd_count; i++)
		close(queued->fds[i]);
	free(queued);
}

static void queue_drop(struct link *link)
{
	while (link->head) {
		struct link_queued *next = link->head->next;

		queued_free(link->head);
		link->head = next;
	}
	link->tail = NULL;
	link->queued_bytes = 0;
}

/* Watches for what there is to do now: always reading, writing while something waits. */
static int link_watch(struct link *link)
{
	return uv_poll_start(
	    link->poll, UV_READABLE | (link->head ? UV_WRITABLE : 0), on_poll_ready);
}

int link_open(struct link *link, uv_loop_t *loop, int fd, const char *name, link_handler *handler,
    void *owner)
{
	int r = -ENOMEM;

	*link = (struct link){.fd = fd, .handler = handler, .owner = owner, .name = name};
	link->receive_buffer = malloc(MESSAGE_MAX);
	link->poll = malloc(sizeof(*link->poll)); /* lives until the loop has let go of it */
	if (link->receive_buffer && link->poll)
		r = uv_poll_init(loop, link->poll, fd);
	if (r < 0) {
		free(take_ptr(link->receive_buffer));
		free(take_ptr(link->poll));
		close(fd);
		return r;
	}
	buf_init(&link->scratch, MESSAGE_MAX);
	link->poll->data = link;
	link->open = 1;
	r = link_watch(link);
	if (r < 0)
		link_close(link);
	return r;
}

static void free_poll(uv_handle_t *poll)
{
	free(poll);
}

void link_close(struct link *link)
{
	if (!link->receive_buffer)
		return;
	link->open = 0;
	uv_close((uv_handle_t *)take_ptr(link->poll), free_poll);
	close(link->fd);
	link->fd = -1;
	queue_drop(link);
	buf_fini(&link->scratch);
	free(take_ptr(link->receive_buffer));
}

/* Nothing more can be said or heard; told once. */
static void link_lost(struct link *link, int fault)
{
	link->open = 0;
	(void)uv_poll_stop(link->poll); /* never fails on a started handle */
	queue_drop(link);
	link->handler(link, NULL, fault);
}

void link_hang_up(struct link *link)
{
	if (link->open)
		(void)shutdown(link->fd, SHUT_RDWR);
}

void link_end_writing(struct link *link)
{
	if (link->open)
		(void)shutdown(link->fd, SHUT_WR);
}

size_t link_backlog(const struct link *link)
{
	return link->queued_bytes;
}

/* ---- sending -------------------------------------------------------------------------------- */

static int peer_fault(int r)
{
	return r == -ECONNRESET || r == -ENOTCONN ? -EPIPE : r;
}

static bool must_wait(int r)
{
	return r == -EAGAIN || r == -EWOULDBLOCK || r == -ENOBUFS;
}

static int queue_fds(struct link_queued *queued, const int *fds, size_t fd_count)
{
	for (; queued->fd_count < fd_count; queued->fd_count++) {
		int fd = fcntl(fds[queued->fd_count], F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		queued->fds[queued->fd_count] = fd;
	}
	return 0;
}

/* Appends the datagram in scratch to the queue. body_len: bytes held by a body descriptor. */
static int queue_append(struct link *link, const int *fds, size_t fd_count, size_t body_len)
{
	size_t len = link->scratch.len;
	size_t charge = sizeof(struct link_queued) + len + body_len;
	struct link_queued *queued;
	int r;

	if (charge > LINK_QUEUE_MAX - link->queued_bytes)
		return -ENOBUFS;
	queued = malloc(sizeof(*queued) + len);
	if (!queued)
		return -ENOMEM;
	*queued = (struct link_queued){.charge = charge, .len = len};
	memcpy(queued->bytes, link->scratch.data, len);
	r = queue_fds(queued, fds, fd_count);
	if (r < 0) {
		queued_free(queued);
		return r;
	}
	if (link->tail)
		link->tail->next = queued;
	else
		link->head = queued;
	link->tail = queued;
	link->queued_bytes += charge;
	return link_watch(link);
}

static int send_or_queue(struct link *link, const int *fds, size_t fd_count, size_t body_len)
{
	/* Behind a queue everything waits: order is part of the promise. */
	if (!link->head) {
		int r = fd_send(link->fd, link->scratch.data, link->scratch.len, fds, fd_count);

		if (!must_wait(r))
			return peer_fault(r);
	}
	return queue_append(link, fds, fd_count, body_len);
}

/* Bytes in the body's memfd, for the charge; what cannot be told is charged as the largest. */
static size_t body_charge(int body_fd)
{
	off_t len = lseek(body_fd, 0, SEEK_END);

	return len >= 0 ? (size_t)len : MESSAGE_BODY_MAX;
}

int link_send(struct link *link, struct message *message)
{
	int cleanup_fd body_fd = -1;
	int fds[MESSAGE_FDS + 1];
	size_t fd_count = message->fd_count;
	int r;

	if (!link->open)
		return -EPIPE;
	if (message->serial == 0 && message->type < 128 && message->type % 2 == 0)
		message->serial = ++link->next_serial;
	buf_reset(&link->scratch);
	r = message_encode(&link->scratch, message, &body_fd);
	if (r == 0) {
		memcpy(fds, message->fds, fd_count * sizeof(int));
		if (body_fd >= 0)
			fds[fd_count++] = body_fd;
		r = send_or_queue(link, fds, fd_count, body_fd >= 0 ? body_charge(body_fd) : 0);
	}
	if (link->scratch.len > 0)
		explicit_bzero(link->scratch.data, link->scratch.len);
	return r;
}

/* Sends what waits, as far as the socket takes it. 0 or -errno. */
static int queue_flush(struct link *link)
{
	while (link->head) {
		struct link_queued *first = link->head;
		int r = fd_send(link->fd, first->bytes, first->len, first->fds, first->fd_count);

		if (must_wait(r))
			return 0;
		if (r < 0)
			return peer_fault(r);
		link->head = first->next;
		if (!link->head)
			link->tail = NULL;
		link->queued_bytes -= first->charge;
		queued_free(first);
	}
	return link_watch(link);
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* A peer that left without reading everything leaves an error, which stands in front of what it
 * said and is told once: so the second answer counts. */
static ssize_t receive_bytes(struct link *link, int fds[MESSAGE_FDS + 1], size_t *ret_fd_count)
{
	ssize_t len = -ECONNRESET;

	for (int i = 0; i < 2 && len == -ECONNRESET; i++)
		len = fd_receive(link->fd, link->receive_buffer, MESSAGE_MAX, fds, MESSAGE_FDS + 1,
		    ret_fd_count);
	return len;
}

/* Reads and handles one message. 1: handled; 0: nothing there; -errno: told to the handler, who
 * may have closed the link. */
static int receive_one(struct link *link)
{
	int fds[MESSAGE_FDS + 1];
	struct message message;
	size_t fd_count;
	ssize_t len = receive_bytes(link, fds, &fd_count);
	int r = (int)len;

	if (len == -EAGAIN || len == -EWOULDBLOCK)
		return 0;
	if (len == 0)
		r = -EPIPE;
	else if (len > 0)
		r = message_decode(&message, link->receive_buffer, (size_t)len, fds, fd_count);
	if (len > 0)
		explicit_bzero(link->receive_buffer, (size_t)len);
	if (r < 0) {
		r = r == -EMSGSIZE ? -EBADMSG : peer_fault(r);
		link_lost(link, r);
		return r;
	}
	link->handler(link, &message, 0);
	message_fini(&message);
	return 1;
}

int link_drain(struct link *link)
{
	int handled = 0;

	while (link->open) {
		int r = receive_one(link);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		handled++;
	}
	return handled;
}

/* libuv reports an error of the socket as a status, and has stopped watching then. */
static void on_poll_error(struct link *link, int status)
{
	(void)link_drain(link); /* what the peer said before it left; its end is told from there */
	if (link->open)
		link_lost(link, status);
}

static void on_poll_ready(uv_poll_t *poll, int status, int events)
{
	struct link *link = poll->data;
	int r = 0;

	if (status < 0) {
		on_poll_error(link, status);
		return;
	}
	if (events & UV_WRITABLE)
		r = queue_flush(link);
	/* A peer that is gone is found by reading, after all that it said. */
	if (r < 0 && r != -EPIPE) {
		link_lost(link, r);
		return;
	}
	for (int i = 0; i < LINK_BURST && link->open; i++) {
		if (receive_one(link) <= 0)
			break;
	}
}
