/* Gates: what a tool may send over its descriptor 3, and what becomes of everything else. */
#include "tests/unit/front/rig.h"

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_start(rig, 4096);
	*state = rig;
	return 0;
}

static int stop(void **state)
{
	int status = rig_stop(*state);

	free(*state);
	assert_int_equal(status, 1); /* engine left without a word */
	return 0;
}

/* Says GATE for the call, with this descriptor; -1: that the call is over. */
static void say_gate(struct rig *rig, const char *call, int fd)
{
	struct buf cleanup_with(buf_fini) bytes;
	struct message message;
	int body = -1;

	message_init(&message, MESSAGE_GATE);
	message.u.gate.call = call;
	message.fd_count = fd >= 0;
	message.fds[0] = fd;
	buf_init(&bytes, MESSAGE_MAX);
	assert_int_equal(message_encode(&bytes, &message, &body), 0);
	assert_int_equal(fd_send(rig->engine, bytes.data, bytes.len, &fd, fd >= 0), 0);
}

/* The tool's end of a new gate. */
static int make_gate(struct rig *rig, const char *call)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	say_gate(rig, call, ends[1]);
	close(ends[1]);
	return ends[0];
}

static void send_fds(int gate, const int *fds, size_t count)
{
	assert_int_equal(fd_send(gate, "g", 1, fds, count), 0);
}

/* Sends one end of a pair, keeps the other; *ret_kept: a copy of what was sent, if not NULL. */
static int knock(int gate, int *ret_kept)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	send_fds(gate, &ends[1], 1);
	if (ret_kept)
		*ret_kept = ends[1];
	else
		close(ends[1]);
	return ends[0];
}

static int come_in(struct rig *rig, int gate, const char *call)
{
	int fd = knock(gate, NULL);
	struct message message;

	rig_next(rig, &message, MESSAGE_PEER);
	assert_string_equal(message.u.peer.call, call);
	message_fini(&message);
	return fd;
}

static void a_pair_becomes_a_connection_of_the_call(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), other = make_gate(rig, "c-2");
	int one = come_in(rig, gate, "c-1"), two = come_in(rig, other, "c-2");
	int outside = rig_connect(rig);
	struct message message;

	rig_next(rig, &message, MESSAGE_PEER);
	assert_string_equal(message.u.peer.call, ""); /* the socket gives nobody a call */
	message_fini(&message);
	rig_ping(one);
	rig_ping(two);
	rig_say(one, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
	rig_reply(rig, rig_expect(rig, MESSAGE_REQUEST), REPLY_RESULT, "{\"tools\":[]}");
	rig_hear_exactly(one, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}");
	/* The tool's death ends its gate, and with it what came through. */
	close(gate);
	rig_hear_end(one);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_ping(two);
	rig_ping(outside);
	/* Engine's word does the same. */
	say_gate(rig, "c-2", -1);
	rig_hear_end(two);
	rig_expect(rig, MESSAGE_PEER_GONE);
	say_gate(rig, "c-2", -1); /* said again */
	say_gate(rig, "c-unknown", -1);
	rig_ping(outside);
	close(other);
	close(outside);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void other_kinds_are_closed(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), fds[4], pair[2], pipes[2];
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	assert_int_equal(pipe(pipes), 0);
	send_fds(gate, &pipes[0], 1);
	send_fds(gate, &pipes[1], 1);
	fds[0] = open("/dev/null", O_RDWR);
	send_fds(gate, &fds[0], 1);
	for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
		int fd = socket(AF_UNIX, type, 0);

		if (fd < 0)
			continue;
		send_fds(gate, &fd, 1); /* of no pair */
		if (type == SOCK_STREAM) {
			assert_int_equal(
			    bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
			assert_int_equal(listen(fd, 1), 0);
			send_fds(gate, &fd, 1);
		}
		close(fd);
		if (type == SOCK_STREAM || socketpair(AF_UNIX, type, 0, pair) < 0)
			continue;
		send_fds(gate, &pair[0], 1);
		close(pair[0]);
		close(pair[1]);
	}
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (fds[1] >= 0)
		send_fds(gate, &fds[1], 1);
	fds[2] = fds[3] = fds[0];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fds[1] = pair[0];
	send_fds(gate, fds, 4); /* one good one among others is no good one */
	assert_int_equal(fd_write_all(gate, "bytes alone", 11), 0);
	rig_quiet(rig);
	close(come_in(rig, gate, "c-1"));
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(gate);
	close(fds[0]);
	close(pair[0]);
	close(pair[1]);
	close(pipes[0]);
	close(pipes[1]);
}

static void a_gate_of_garbage_is_closed(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), outside;
	int one = come_in(rig, gate, "c-1");
	char c;

	for (int i = 0; i < 200; i++)
		if (send(gate, "garbage, and more of it", 23, MSG_NOSIGNAL) < 0)
			break;
	rig_hear_end(one);
	rig_expect(rig, MESSAGE_PEER_GONE);
	assert_true(rig_ready(gate, RIG_WAIT_MS));
	assert_true(read(gate, &c, 1) <= 0);
	close(gate);
	outside = rig_client(rig);
	rig_ping(outside);
	close(outside);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void connections_are_counted(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), other = make_gate(rig, "c-2");
	int fds[FRONT_GATE_CONNECTIONS], more;

	for (int i = 0; i < FRONT_GATE_CONNECTIONS; i++)
		fds[i] = come_in(rig, gate, "c-1");
	more = knock(gate, NULL);
	assert_int_equal(rig_hear_error(more, NULL), 503);
	rig_hear_end(more);
	close(come_in(rig, other, "c-2"));
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(fds[3]);
	rig_expect(rig, MESSAGE_PEER_GONE);
	fds[3] = come_in(rig, gate, "c-1");
	rig_ping(fds[3]);
	close(gate);
	for (int i = 0; i < FRONT_GATE_CONNECTIONS; i++) {
		rig_hear_end(fds[i]);
		rig_expect(rig, MESSAGE_PEER_GONE);
	}
	close(other);
}

static void all_gates_together_leave_room(void **state)
{
	struct rig *rig = *state;
	int gates[FRONT_GATES_CONNECTIONS / FRONT_GATE_CONNECTIONS + 1], outside, more;
	const int last = FRONT_GATES_CONNECTIONS / FRONT_GATE_CONNECTIONS;
	static int fds[FRONT_GATES_CONNECTIONS];
	char call[16];

	for (int i = 0; i <= last; i++) {
		snprintf(call, sizeof(call), "c-%d", i);
		gates[i] = make_gate(rig, call);
		for (int k = 0; i < last && k < FRONT_GATE_CONNECTIONS; k++)
			fds[i * FRONT_GATE_CONNECTIONS + k] = come_in(rig, gates[i], call);
	}
	more = knock(gates[last], NULL);
	assert_int_equal(rig_hear_error(more, NULL), 503);
	close(more);
	outside = rig_client(rig);
	rig_ping(outside);
	for (int i = 0; i <= last; i++)
		close(gates[i]);
	for (int i = 0; i < FRONT_GATES_CONNECTIONS; i++) {
		rig_expect(rig, MESSAGE_PEER_GONE);
		close(fds[i]);
	}
	rig_ping(outside);
	close(outside);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* The tool keeps what it sent, makes it block, fills it, and takes out what it put in itself. */
static void what_the_tool_keeps_holds_nobody_up(void **state)
{
	static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n";
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), kept, fd, outside = rig_client(rig);
	char bytes[4096];

	fd = knock(gate, &kept);
	rig_expect(rig, MESSAGE_PEER);
	for (int round = 0; round < 4000; round++) {
		(void)fcntl(kept, F_SETFL, 0);
		if (send(fd, ping, sizeof(ping) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			break;
		if (round % 3 == 0)
			(void)!recv(kept, bytes, sizeof(bytes), MSG_DONTWAIT);
	}
	rig_ping(outside);
	say_gate(rig, "c-1", -1);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_ping(outside);
	close(fd);
	close(kept);
	close(gate);
	close(outside);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* The tool's own end, sent through itself or put into the queue of a connection, outlives it. */
static void a_gate_that_swallows_itself_is_ended_by_word(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), fd, again;
	struct message message;

	send_fds(gate, &gate, 1);
	rig_expect(rig, MESSAGE_PEER);
	fd = come_in(rig, gate, "c-1");
	assert_int_equal(fd_send(fd, "x", 1, &gate, 1), 0);
	close(gate);
	usleep(50000);
	rig_quiet(rig);
	say_gate(rig, "c-1", -1);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_expect(rig, MESSAGE_PEER_GONE);
	rig_hear_end(fd);
	/* The name is free again. */
	again = make_gate(rig, "c-1");
	fd = knock(again, NULL);
	rig_next(rig, &message, MESSAGE_PEER);
	message_fini(&message);
	close(again);
	rig_hear_end(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

static void while_draining_nobody_comes_in(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), one = come_in(rig, gate, "c-1"), two, code;
	struct message drain;

	message_init(&drain, MESSAGE_DRAIN);
	drain.u.drain.cause = "test";
	rig_send(rig, &drain);
	do { /* until the front has heard of it */
		struct message message;

		rig_say(one, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
		if (rig_ready(rig->engine, 100)) {
			rig_next(rig, &message, MESSAGE_REQUEST);
			rig_reply(rig, message.serial, REPLY_ERROR,
			    "{\"code\":1,\"message\":\"not yet\"}");
			message_fini(&message);
		}
		code = rig_hear_error(one, NULL);
	} while (code != 503);
	two = knock(gate, NULL);
	assert_int_equal(rig_hear_error(two, NULL), 503);
	rig_hear_end(two);
	rig_ping(one);
	close(one);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(gate);
}

static int stop_drained(void **state)
{
	int status = rig_stop(*state);

	free(*state);
	assert_int_equal(status, 0);
	return 0;
}

/* Engine may not say it twice, nor of no call: what says so is broken. */
static void two_gates_of_one_call_end_the_front(void **state)
{
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), again = make_gate(rig, "c-1");
	char c;

	assert_true(rig_ready(gate, RIG_WAIT_MS));
	assert_true(read(gate, &c, 1) <= 0);
	close(gate);
	close(again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pair_becomes_a_connection_of_the_call),
	    TEST(other_kinds_are_closed),
	    TEST(a_gate_of_garbage_is_closed),
	    TEST(connections_are_counted),
	    TEST(all_gates_together_leave_room),
	    TEST(what_the_tool_keeps_holds_nobody_up),
	    TEST(a_gate_that_swallows_itself_is_ended_by_word),
	    cmocka_unit_test_setup_teardown(while_draining_nobody_comes_in, start, stop_drained),
	    TEST(two_gates_of_one_call_end_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
