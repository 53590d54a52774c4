#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/link/link.h"

/* Two links on one loop, and what the handlers saw. */
struct fixture {
	uv_loop_t loop;
	struct link left, right;
	unsigned left_count, right_count;
	uint64_t last_serial;
	enum message_type last_type;
	size_t last_body;
	int fault; /* what a handler was told with NULL */
	unsigned fault_count;
	int taken_fd;         /* first descriptor of the last message */
	int close_on_message; /* the handler closes its own link */
	int answer;           /* the right side answers PLAN with PLANNED */
};

static void on_left(struct link *link, struct message *message, int fault)
{
	struct fixture *f = link->owner;

	if (!message) {
		f->fault = fault;
		f->fault_count++;
		return;
	}
	f->left_count++;
	f->last_serial = message->serial;
	f->last_type = message->type;
}

static void on_right(struct link *link, struct message *message, int fault)
{
	struct fixture *f = link->owner;
	struct message reply;

	if (!message) {
		f->fault = fault;
		f->fault_count++;
		return;
	}
	f->right_count++;
	f->last_serial = message->serial;
	f->last_type = message->type;
	if (message->type == MESSAGE_NOTIFY)
		f->last_body = message->u.notify.body.len;
	if (message->fd_count > 0)
		f->taken_fd = message_take_fd(message, 0);
	if (f->answer && message->type == MESSAGE_PLAN) {
		message_init(&reply, MESSAGE_PLANNED);
		reply.serial = message->serial;
		reply.u.planned.status = ANSWER_REFUSED;
		assert_int_equal(link_send(link, &reply), 0);
	}
	if (f->close_on_message)
		link_close(link);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	f->taken_fd = -1;
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(link_open(&f->left, &f->loop, pair[0], "left", on_left, f), 0);
	assert_int_equal(link_open(&f->right, &f->loop, pair[1], "right", on_right, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	link_close(&f->left);
	link_close(&f->left);
	link_close(&f->right);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0); /* nothing is left on it */
	free(f);
	return 0;
}

/* Turns until nothing moves any more. */
static void settle(struct fixture *f)
{
	for (int i = 0; i < 300; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void send_body(struct link *link, size_t len, int want)
{
	struct message message;
	char *body = calloc(1, len + 1);

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.body = (struct bytes){body, len};
	assert_int_equal(link_send(link, &message), want);
	free(body);
}

static void request_and_answer(void **state)
{
	struct fixture *f = *state;
	struct message message;

	f->answer = 1;
	for (uint64_t serial = 1; serial <= 3; serial++) {
		message_init(&message, MESSAGE_PLAN);
		assert_int_equal(link_send(&f->left, &message), 0);
		assert_int_equal(message.serial, serial);
		settle(f);
		assert_int_equal(f->last_type, MESSAGE_PLANNED);
		assert_int_equal(f->last_serial, serial);
	}
	assert_int_equal(f->left_count, 3);
	assert_int_equal(f->right_count, 3);
}

static void answers_and_notices_get_no_serial(void **state)
{
	struct fixture *f = *state;
	struct message message;

	message_init(&message, MESSAGE_PLANNED);
	assert_int_equal(link_send(&f->left, &message), -EINVAL);
	message_init(&message, MESSAGE_DRAIN);
	assert_int_equal(link_send(&f->left, &message), 0);
	assert_int_equal(message.serial, 0);
	settle(f);
	assert_int_equal(f->last_type, MESSAGE_DRAIN);
}

static void descriptors_arrive(void **state)
{
	struct fixture *f = *state;
	struct message message;
	int pipe_fds[2];
	char byte;

	assert_int_equal(pipe(pipe_fds), 0);
	message_init(&message, MESSAGE_POLICY);
	message.fds[0] = pipe_fds[1];
	message.fd_count = 1;
	assert_int_equal(link_send(&f->left, &message), 0);
	close(pipe_fds[1]); /* stayed ours */
	settle(f);
	assert_true(f->taken_fd >= 0);
	assert_int_equal(write(f->taken_fd, "y", 1), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	close(f->taken_fd);
	close(pipe_fds[0]);
}

static void long_bodies_arrive(void **state)
{
	struct fixture *f = *state;

	send_body(&f->left, MESSAGE_BODY_MAX, 0);
	settle(f);
	assert_int_equal(f->last_body, MESSAGE_BODY_MAX);
	send_body(&f->left, MESSAGE_BODY_MAX + 1, -EMSGSIZE);
	send_body(&f->left, 5, 0); /* the link is none the worse */
	settle(f);
	assert_int_equal(f->last_body, 5);
}

/* More than the socket takes: nothing is lost, order and descriptors included. */
static void queue_keeps_order_and_descriptors(void **state)
{
	struct fixture *f = *state;
	struct message message;
	unsigned sent = 0;
	int pipe_fds[2];

	while (link_backlog(&f->left) < 1024 * 1024) {
		send_body(&f->left, 1000 + sent, 0);
		sent++;
	}
	assert_true(sent > 50);
	/* The socket has room again, but the queue goes first. */
	assert_true(link_drain(&f->right) > 0);
	assert_int_equal(pipe(pipe_fds), 0);
	message_init(&message, MESSAGE_POLICY);
	message.fds[0] = pipe_fds[1];
	message.fd_count = 1;
	assert_int_equal(link_send(&f->left, &message), 0);
	close(pipe_fds[1]); /* the queue has its own */
	for (unsigned i = 0; i < sent; i++) {
		while (f->right_count <= i)
			uv_run(&f->loop, UV_RUN_ONCE);
	}
	settle(f);
	assert_int_equal(f->right_count, sent + 1);
	assert_int_equal(f->last_body, 1000 + sent - 1);
	assert_int_equal(f->last_type, MESSAGE_POLICY);
	assert_int_equal(write(f->taken_fd, "y", 1), 1);
	assert_int_equal(link_backlog(&f->left), 0);
	close(f->taken_fd);
	close(pipe_fds[0]);
}

static void queue_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct message message;
	char body[30000] = "";
	int r = 0;

	for (int i = 0; i < 10000 && r == 0; i++) {
		message_init(&message, MESSAGE_NOTIFY);
		message.u.notify.body = (struct bytes){body, sizeof(body)};
		r = link_send(&f->left, &message);
		assert_true(link_backlog(&f->left) <= LINK_QUEUE_MAX);
	}
	assert_int_equal(r, -ENOBUFS);
}

/* A body outside the datagram counts as well. */
static void queued_bodies_are_charged(void **state)
{
	struct fixture *f = *state;

	while (link_backlog(&f->left) == 0)
		send_body(&f->left, 30000, 0);
	send_body(&f->left, MESSAGE_BODY_MAX - 100000, 0);
	assert_true(link_backlog(&f->left) > MESSAGE_BODY_MAX - 100000);
	send_body(&f->left, MESSAGE_BODY_MAX - 100000, 0);
	send_body(&f->left, MESSAGE_BODY_MAX, -ENOBUFS);
}

static void peer_gone_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct message message;

	send_body(&f->left, 10, 0);
	link_close(&f->left);
	settle(f);
	assert_int_equal(f->right_count, 1); /* what it said before is heard */
	assert_int_equal(f->fault, -EPIPE);
	assert_int_equal(f->fault_count, 1);
	assert_false(uv_is_active((uv_handle_t *)f->right.poll)); /* or the loop would spin */
	message_init(&message, MESSAGE_DRAIN);
	assert_int_equal(link_send(&f->right, &message), -EPIPE);
	assert_int_equal(link_send(&f->left, &message), -EPIPE);
	assert_int_equal(link_drain(&f->right), 0);
}

static void choking_peer_is_hung_up_on(void **state)
{
	struct fixture *f = *state;

	while (link_backlog(&f->left) < 500000)
		send_body(&f->left, 30000, 0);
	link_hang_up(&f->left);
	assert_int_equal(f->fault_count, 0); /* not from within */
	settle(f);
	assert_true(f->fault_count >= 1);
	assert_int_equal(link_backlog(&f->left), 0);
}

static void link_opens_again_at_once(void **state)
{
	struct fixture *f = *state;
	int pair[2];

	link_close(&f->left);
	link_close(&f->right);
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(link_open(&f->left, &f->loop, pair[0], "left", on_left, f), 0);
	assert_int_equal(link_open(&f->right, &f->loop, pair[1], "right", on_right, f), 0);
	send_body(&f->left, 10, 0);
	settle(f);
	assert_int_equal(f->right_count, 1);
	assert_int_equal(f->fault_count, 0);
}

static void peer_gone_with_a_full_queue(void **state)
{
	struct fixture *f = *state;

	while (link_backlog(&f->left) < 500000)
		send_body(&f->left, 30000, 0);
	link_close(&f->right);
	settle(f);
	assert_int_equal(f->fault, -EPIPE);
	assert_int_equal(f->fault_count, 1);
	assert_int_equal(link_backlog(&f->left), 0);
}

/* A peer that dies with unread messages leaves an error on the socket; its last words count. */
static void last_words_are_heard_over_the_error(void **state)
{
	struct fixture *f = *state;

	send_body(&f->right, 10, 0); /* never read */
	for (int i = 0; i < 3; i++)
		send_body(&f->left, 10, 0);
	link_close(&f->left);
	settle(f);
	assert_int_equal(f->right_count, 3);
	assert_int_equal(f->fault, -EPIPE);
	assert_int_equal(f->fault_count, 1);
}

static void nonsense_is_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fd_send(f->left.fd, "nonsense", 8, NULL, 0), 0);
	send_body(&f->left, 10, 0);
	settle(f);
	assert_int_equal(f->fault, -EBADMSG);
	assert_int_equal(f->fault_count, 1);
	assert_int_equal(f->right_count, 0); /* after nonsense nothing is believed */
}

static void too_long_or_too_many_is_nonsense(void **state)
{
	struct fixture *f = *state;
	static char bytes[MESSAGE_MAX + 1];
	int many[MESSAGE_FDS + 2] = {0};

	assert_int_equal(fd_send(f->left.fd, bytes, sizeof(bytes), NULL, 0), 0);
	settle(f);
	assert_int_equal(f->fault, -EBADMSG);
	f->fault = 0;
	assert_int_equal(fd_send(f->right.fd, "x", 1, many, MESSAGE_FDS + 2), 0);
	settle(f);
	assert_int_equal(f->fault, -EBADMSG);
	assert_int_equal(f->fault_count, 2);
}

static void drain_reads_what_is_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(link_drain(&f->right), 0);
	for (int i = 0; i < 5; i++)
		send_body(&f->left, 10, 0);
	assert_int_equal(link_drain(&f->right), 5); /* without a turn of the loop */
	assert_int_equal(f->right_count, 5);
	link_close(&f->left);
	assert_int_equal(link_drain(&f->right), -EPIPE);
	assert_int_equal(f->fault_count, 1);
	settle(f);
	assert_int_equal(f->fault_count, 1);
}

static void handler_may_close_its_link(void **state)
{
	struct fixture *f = *state;

	f->close_on_message = 1;
	send_body(&f->left, 10, 0);
	send_body(&f->left, 10, 0);
	settle(f);
	assert_int_equal(f->right_count, 1);
	assert_int_equal(f->fault, -EPIPE); /* told to the left */
	assert_int_equal(f->fault_count, 1);
}

static void zeroed_link_can_be_closed(void **state)
{
	struct link link;

	(void)state;
	memset(&link, 0, sizeof(link));
	link_close(&link);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

static void open_refuses_what_cannot_be_watched(void **state)
{
	struct fixture *f = *state;
	struct link link;

	assert_true(link_open(&link, &f->loop, open("/dev/null", O_RDWR), "bad", on_left, f) < 0);
	link_close(&link);
}

#define LINK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LINK(request_and_answer),
	    LINK(answers_and_notices_get_no_serial),
	    LINK(descriptors_arrive),
	    LINK(long_bodies_arrive),
	    LINK(queue_keeps_order_and_descriptors),
	    LINK(queue_is_bounded),
	    LINK(choking_peer_is_hung_up_on),
	    LINK(link_opens_again_at_once),
	    LINK(queued_bodies_are_charged),
	    LINK(peer_gone_is_told_once),
	    LINK(peer_gone_with_a_full_queue),
	    LINK(last_words_are_heard_over_the_error),
	    LINK(nonsense_is_told),
	    LINK(too_long_or_too_many_is_nonsense),
	    LINK(drain_reads_what_is_there),
	    LINK(handler_may_close_its_link),
	    cmocka_unit_test(zeroed_link_can_be_closed),
	    LINK(open_refuses_what_cannot_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
