/* Who fills the front pays for it: others are served, answered and let in. */
#include "tests/unit/front/rig.h"

#include "agent-api/wire/limits.h"

#define HALF    (1000 * 1000)
#define LINE_MS 300
#define CALL                                                                                       \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"t\"}}\n"
#define ANSWER    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"
#define STRANGER  65534
#define STRANGERS (FRONT_CONNECTIONS_MAX - FRONT_KEPT_FOR_OWN - FRONT_KEPT_FOR_ROOT)

static char half[HALF + 1];

static int begin(void **state, uint64_t line_ms)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	memset(half, ' ', HALF);
	rig_start_patient(rig, 4096, line_ms);
	*state = rig;
	return 0;
}

static int start(void **state)
{
	return begin(state, 0);
}

static int start_impatient(void **state)
{
	return begin(state, LINE_MS);
}

static int stop(void **state)
{
	int status = rig_stop(*state);

	free(*state);
	assert_int_equal(status, 1); /* engine left without a word */
	return 0;
}

/* As another user, which takes root. */
static int connect_as(struct rig *rig, uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = rig_connect(rig);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

static int make_gate(struct rig *rig, const char *call)
{
	struct buf cleanup_with(buf_fini) bytes;
	struct message message;
	int ends[2], body = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	message_init(&message, MESSAGE_GATE);
	message.u.gate.call = call;
	message.fd_count = 1;
	message.fds[0] = ends[1];
	buf_init(&bytes, MESSAGE_MAX);
	assert_int_equal(message_encode(&bytes, &message, &body), 0);
	assert_int_equal(fd_send(rig->engine, bytes.data, bytes.len, &ends[1], 1), 0);
	close(ends[1]);
	return ends[0];
}

static int knock(int gate)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(fd_send(gate, "g", 1, &ends[1], 1), 0);
	close(ends[1]);
	return ends[0];
}

/* Writes what the front takes, be it nothing any more. */
static void pour(int fd, size_t len)
{
	for (size_t put = 0; put < len;) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		ssize_t n;

		if (poll(&wait, 1, RIG_WAIT_MS) != 1)
			fail_msg("the front neither reads nor hangs up");
		n = send(fd, half, len - put, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return;
		put += n > 0 ? (size_t)n : 0;
	}
}

/* Forgets the arrivals and departures of the flood. */
static void swallow(struct rig *rig)
{
	struct message message;

	while (rig_ready(rig->engine, 100)) {
		rig_next(rig, &message, MESSAGE_NONE);
		assert_true(message.type == MESSAGE_PEER || message.type == MESSAGE_PEER_GONE);
		message_fini(&message);
	}
}

/* An innocent user, as a flood finds him: one call runs, one message is on its way. */
struct innocent {
	int caller, writer;
	uint64_t serial;
};

static void innocent_begins(struct innocent *innocent, struct rig *rig)
{
	innocent->caller = rig_client(rig);
	rig_say(innocent->caller, CALL);
	innocent->serial = rig_expect(rig, MESSAGE_REQUEST);
	innocent->writer = rig_client(rig);
	pour(innocent->writer, 100000);
}

static void innocent_is_served(struct innocent *innocent, struct rig *rig)
{
	int fd = rig_client(rig);

	rig_ping(innocent->writer); /* the rest of it */
	rig_reply(rig, innocent->serial, REPLY_RESULT, "{}");
	rig_hear_exactly(innocent->caller, ANSWER);
	rig_say(fd, CALL);
	rig_reply(rig, rig_expect(rig, MESSAGE_REQUEST), REPLY_RESULT, "{}");
	rig_hear_exactly(fd, ANSWER);
	close(fd);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(innocent->caller);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(innocent->writer);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* Two users fill what all have; without root there is only one, who fills what he has. */
static void a_flood_of_half_messages_costs_who_floods(void **state)
{
	enum { FLOOD = 160 };
	struct rig *rig = *state;
	struct innocent innocent;
	int fds[FLOOD], alive = 0;

	innocent_begins(&innocent, rig);
	for (int i = 0; i < FLOOD; i++) {
		fds[i] = geteuid() == 0 ? connect_as(rig, (uid_t)(STRANGER - i % 2))
					: knock(make_gate(rig, i % 2 ? "c-1" : "c-2"));
		pour(fds[i], HALF);
		if (geteuid() != 0 && i == 1)
			break;
	}
	swallow(rig);
	rig_check_memory(rig, 2 * FRONT_IN_MAX / 1024 + 64 * 1024);
	innocent_is_served(&innocent, rig);
	for (int i = 0; i < FLOOD && geteuid() == 0; i++)
		alive += !rig_ready(fds[i], 0);
	if (geteuid() == 0)
		assert_in_range(alive, FRONT_IN_MAX / HALF - 3, FRONT_IN_MAX / HALF);
	for (int i = 0; i < FLOOD && (geteuid() == 0 || i < 2); i++)
		close(fds[i]);
	swallow(rig);
}

/* The same from inside: nine gated calls, all of their connections. */
static void a_flood_through_gates_costs_their_calls(void **state)
{
	enum { GATES = 9 };
	struct rig *rig = *state;
	struct innocent innocent;
	int fds[GATES * FRONT_GATE_CONNECTIONS], gates[GATES + 1], alive = 0, other;
	char name[16];

	innocent_begins(&innocent, rig);
	gates[GATES] = make_gate(rig, "c-good");
	other = knock(gates[GATES]);
	pour(other, 200000);
	for (int g = 0; g < GATES; g++) {
		(void)snprintf(name, sizeof(name), "c-%d", g);
		gates[g] = make_gate(rig, name);
		for (int i = 0; i < FRONT_GATE_CONNECTIONS; i++) {
			fds[g * FRONT_GATE_CONNECTIONS + i] = knock(gates[g]);
			pour(fds[g * FRONT_GATE_CONNECTIONS + i], HALF);
		}
	}
	swallow(rig);
	rig_check_memory(rig, 2 * FRONT_GATES_IN_MAX / 1024 + 64 * 1024);
	rig_ping(other);
	innocent_is_served(&innocent, rig);
	for (int i = 0; i < GATES * FRONT_GATE_CONNECTIONS; i++) {
		alive += !rig_ready(fds[i], 0);
		close(fds[i]);
	}
	assert_in_range(alive, FRONT_GATES_IN_MAX / HALF - GATES, FRONT_GATES_IN_MAX / HALF);
	close(other);
	for (int g = 0; g <= GATES; g++)
		close(gates[g]);
	swallow(rig);
}

/* Within one user the oldest goes, with a word, and the newest is served. */
static void the_oldest_half_message_goes_first(void **state)
{
	enum { FLOOD = 40, GONE = 7 };
	struct rig *rig = *state;
	int fds[FLOOD];

	for (int i = 0; i < FLOOD; i++) {
		fds[i] = rig_client(rig);
		pour(fds[i], HALF);
		if (i >= FLOOD - GONE)
			rig_expect(rig, MESSAGE_PEER_GONE);
		usleep(2000);
	}
	for (int i = 0; i < GONE; i++) {
		assert_int_equal(rig_hear_error(fds[i], NULL), 503);
		rig_hear_end(fds[i]);
	}
	for (int i = GONE; i < FLOOD; i++) {
		rig_ping(fds[i]);
		close(fds[i]);
		rig_expect(rig, MESSAGE_PEER_GONE);
	}
}

static void a_half_message_has_a_deadline(void **state)
{
	struct rig *rig = *state;
	int idle = rig_client(rig), slow = rig_client(rig), busy = rig_client(rig);

	rig_say(busy, CALL);
	rig_say(slow, "{");
	for (int i = 0; i < 4; i++) {
		usleep(LINE_MS * 1000 / 4);
		(void)send(slow, " ", 1, MSG_NOSIGNAL);
	}
	assert_int_equal(rig_hear_error(slow, NULL), -32600);
	rig_hear_end(slow);
	rig_reply(rig, rig_expect(rig, MESSAGE_REQUEST), REPLY_RESULT, "{}");
	rig_expect(rig, MESSAGE_PEER_GONE);
	usleep(2 * LINE_MS * 1000);
	rig_ping(idle); /* who says nothing may stay */
	rig_hear_exactly(busy, ANSWER);
	slow = rig_client(rig); /* and the next is not waited for longer */
	rig_say(slow, "{");
	assert_int_equal(rig_hear_error(slow, NULL), -32600);
	rig_hear_end(slow);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(idle);
	rig_expect(rig, MESSAGE_PEER_GONE);
	close(busy);
	rig_expect(rig, MESSAGE_PEER_GONE);
}

/* Engine answers the next request with this; how many have been closed meanwhile. */
static int answer_next(struct rig *rig, const char *body)
{
	struct message message;
	uint64_t serial = 0;
	int closed = 0;

	while (serial == 0) {
		rig_next(rig, &message, MESSAGE_NONE);
		closed += message.type == MESSAGE_PEER_GONE;
		serial = message.type == MESSAGE_REQUEST ? message.serial : 0;
		message_fini(&message);
	}
	rig_reply(rig, serial, REPLY_RESULT, body);
	return closed;
}

/* Answers that nobody reads: within a gate's budget the stalest reader is closed. */
static void unread_answers_cost_who_does_not_read(void **state)
{
	enum { IDLE = 8, ROUNDS = 3, SIZE = 1000 * 1000 };
	struct rig *rig = *state;
	int gate = make_gate(rig, "c-1"), gate_2 = make_gate(rig, "c-2"), fds[IDLE], closed = 0;
	int other = knock(gate_2);
	char *body = malloc(SIZE + 1);

	memset(body, '1', SIZE);
	body[SIZE] = '\0';
	for (int i = 0; i < IDLE; i++) {
		fds[i] = knock(gate);
		for (int k = 0; k < ROUNDS; k++) {
			rig_say(fds[i], CALL);
			closed += answer_next(rig, body);
			usleep(5000);
		}
	}
	rig_say(other, CALL);
	closed += answer_next(rig, "{}");
	rig_hear_exactly(other, ANSWER);
	assert_in_range(closed, 1, 4);
	rig_say(fds[IDLE - 1], CALL); /* the newest is there */
	rig_expect(rig, MESSAGE_REQUEST);
	free(body);
	for (int i = 0; i < IDLE; i++)
		close(fds[i]);
	close(other);
	close(gate);
	close(gate_2);
}

static void some_slots_are_kept(void **state)
{
	struct rig *rig = *state;
	int fds[FRONT_CONNECTIONS_MAX], fd, count = 0;

	if (geteuid() != 0) { /* test_flood has the limit of one user */
		rig_ping(fd = rig_client(rig));
		close(fd);
		rig_expect(rig, MESSAGE_PEER_GONE);
		return;
	}
	for (uid_t uid = STRANGER; count < STRANGERS; uid--) {
		for (int i = 0; i < FRONT_USER_CONNECTIONS && count < STRANGERS; i++) {
			fds[count++] = connect_as(rig, uid);
			rig_expect(rig, MESSAGE_PEER);
		}
		fd = connect_as(rig, uid);
		assert_int_equal(rig_hear_error(fd, NULL), 503);
		rig_hear_end(fd);
	}
	fd = connect_as(rig, STRANGER - 20);
	assert_int_equal(rig_hear_error(fd, NULL), 503);
	rig_hear_end(fd);
	while (count < FRONT_CONNECTIONS_MAX) {
		rig_ping(fd = rig_client(rig)); /* root */
		fds[count++] = fd;
	}
	for (int i = 0; i < count; i++) {
		close(fds[i]);
		rig_expect(rig, MESSAGE_PEER_GONE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_flood_of_half_messages_costs_who_floods),
	    TEST(a_flood_through_gates_costs_their_calls),
	    TEST(the_oldest_half_message_goes_first),
	    cmocka_unit_test_setup_teardown(a_half_message_has_a_deadline, start_impatient, stop),
	    TEST(unread_answers_cost_who_does_not_read),
	    TEST(some_slots_are_kept),
	};
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
