/* The receipt rule from the warden's side: without the auditor's word for exactly this plan of
 * exactly this call, once, no cell is even taken. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "supervisor/base/fd.h"
#include "supervisor/warden/launch.h"
#include "supervisor/warden/launch_own.h"
#include "tests/unit/warden/rig.h"

#define POLICY                                                                                     \
	"version: 1\n"                                                                             \
	"roles: {all: {tools: [\"*\"]}}\n"                                                         \
	"principals: [{peer_uid: 7, roles: [all]}]\n"                                              \
	"namespaces: {default: {working_directory: ./ws}}\n"                                       \
	"tools: {one: {type: command, deny_by_default: true, allowed_commands: [cat, sh]}}\n"

/* The zygote of this test makes no cells; it only counts how many were asked for. */
static int cells_asked;

int zygote_start(const struct cell_host *host, struct zygote *ret, struct err_note *note)
{
	(void)host;
	(void)ret;
	return err_note(note, -ENOTSUP, "no zygote here");
}

int zygote_ask(struct zygote *zygote, uint32_t slot)
{
	(void)zygote;
	(void)slot;
	cells_asked++;
	return 0;
}

int zygote_take(struct zygote *zygote, struct cell *ret, struct err_note *note)
{
	(void)zygote;
	(void)ret;
	(void)note;
	return -EAGAIN;
}

void zygote_stop(struct zygote *zygote)
{
	(void)zygote;
}

static struct rig rig;
static struct cell_host host = {.uid = 65534, .gid = 65534};
static struct tools *tools;
static struct hashes hashes;
static struct buf warnings;
static struct planner planner = {.hashes = &hashes, .env_key = {4}};
static struct pool pool;
static struct cgroup cgroup;
static struct launcher launcher;
static struct link engine;
static uv_loop_t loop;
static int peer; /* engine's end */
static const char *argv[] = {"sh", "s.sh"};

static void on_message(struct link *link, struct message *message, int fault)
{
	(void)link;
	(void)message;
	(void)fault;
}

static int setup(void **state)
{
	struct tools_spec spec = {
	    .host = &host, .user = "tester", .hashes = &hashes, .warnings = &warnings};
	struct pool_spec pool_spec = {.zygote = {.sock = -1, .pidfd = -1},
	    .attacher = {.sock = -1},
	    .host = &host,
	    .cgroup = &cgroup};
	struct err_note note = {""};
	int pair[2];

	(void)state;
	buf_init(&warnings, 65536);
	rig_make(&rig);
	rig_dir(&rig, "ws");
	rig_file(&rig, "ws/s.sh", "echo 1\n", 0644);
	if (tools_build(rig_config(&rig, POLICY), &spec, &tools, &note))
		fail_msg("%s", note.text);
	planner.tools = tools;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(fd_pair(pair), 0);
	peer = pair[1];
	assert_int_equal(fd_set_nonblocking(peer), 0);
	assert_int_equal(link_open(&engine, &loop, pair[0], "engine", on_message, NULL), 0);
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++)
		cgroup.base[tree] = cgroup.parent[tree] = -1;
	pool_init(&pool, &pool_spec);
	launcher = (struct launcher){.loop = &loop,
	    .host = &host,
	    .engine = &engine,
	    .pool = &pool,
	    .planner = &planner,
	    .receipt_key = {1, 2, 3}};
	cells_asked = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	launch_no_cell(&launcher, "the test is over");
	assert_null(launcher.first);
	link_close(&engine);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_loop_close(&loop);
	close(peer);
	tools_free(tools);
	buf_fini(&warnings);
	rig_remove(&rig);
	return 0;
}

/* A LAUNCH that is good in everything. */
static struct message good(const char *call, uint64_t n)
{
	struct message message;
	struct message_launch *launch = &message.u.launch;
	struct err_note note = {""};
	struct plan plan;

	message_init(&message, MESSAGE_LAUNCH);
	message.serial = 2 * n;
	launch->input = (struct plan_input){
	    .call = call,
	    .tool = "one",
	    .agent = "",
	    .space = "",
	    .principal = "uid:7",
	    .cwd = "",
	    .argv = {argv, 2},
	    .policy = tools->config->version,
	};
	if (plan_make(&planner, &launch->input, &plan, &note))
		fail_msg("%s", note.text);
	launch->plan = plan.digest;
	plan_fini(&plan);
	launch->receipt.n = n;
	launch->receipt.size = n + 1;
	assert_int_equal(
	    receipt_seal(&launch->receipt, launcher.receipt_key, call, &launch->plan), 0);
	return message;
}

/* The status of the answer to this serial; 0: none is there yet. */
static int answered(uint64_t serial, char *ret_note)
{
	struct message answer;
	uint8_t bytes[MESSAGE_MAX];
	ssize_t got = recv(peer, bytes, sizeof(bytes), 0);
	int status;

	if (got < 0)
		return 0;
	assert_int_equal(message_decode(&answer, bytes, (size_t)got, NULL, 0), 0);
	assert_int_equal(answer.type, MESSAGE_LAUNCHED);
	assert_int_equal(answer.serial, serial);
	status = answer.u.launched.status;
	if (ret_note)
		snprintf(ret_note, ERR_NOTE_MAX, "%s", answer.u.launched.note);
	message_fini(&answer);
	return status;
}

/* Sends it through the codec, as engine would. */
static int ask(const struct message *sent, char *ret_note)
{
	struct message message;
	struct buf wire;
	int body;

	buf_init(&wire, MESSAGE_MAX);
	assert_int_equal(message_encode(&wire, sent, &body), 0);
	assert_int_equal(message_decode(&message, wire.data, wire.len, NULL, 0), 0);
	buf_fini(&wire);
	launch_ask(&launcher, &message);
	message_fini(&message);
	assert_int_equal(launcher.broken, 0);
	return answered(sent->serial, ret_note);
}

static void a_good_receipt_asks_for_a_cell(void **state)
{
	struct message message = good("c1", 5);

	(void)state;
	assert_int_equal(ask(&message, NULL), 0);
	assert_true(cells_asked > 0);
	assert_int_equal(launch_alive(&launcher), 1);
}

static void a_bad_receipt_asks_for_nothing(void **state)
{
	struct message base = good("c1", 5), message;
	const uint8_t foreign[KEY_LEN] = {9};
	struct digest zero = {{0}}, other = base.u.launch.plan;

	(void)state;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		message = base;                                                                    \
		change;                                                                            \
		assert_int_equal(ask(&message, NULL), ANSWER_REFUSED);                             \
		assert_int_equal(cells_asked, 0);                                                  \
	} while (0)
	other.bytes[0] ^= 1;
	REFUSED(message.u.launch.receipt.mac = zero);
	REFUSED(message.u.launch.receipt.mac.bytes[31] ^= 1);
	REFUSED(message.u.launch.receipt.n++);
	REFUSED(message.u.launch.receipt.size++);
	REFUSED(message.u.launch.input.call = "c2");
	REFUSED(message.u.launch.plan = other);
	REFUSED(receipt_seal(&message.u.launch.receipt, foreign, "c1", &message.u.launch.plan));
	/* None of them used up the position. */
	assert_int_equal(ask(&base, NULL), 0);
}

static void a_receipt_launches_once(void **state)
{
	struct message message = good("c1", 5), same = good("c2", 5);

	(void)state;
	assert_int_equal(ask(&message, NULL), 0);
	assert_int_equal(ask(&message, NULL), ANSWER_REFUSED);
	assert_int_equal(ask(&same, NULL), ANSWER_REFUSED);
	same = good("c1", 6); /* a call that is under way already */
	assert_int_equal(ask(&same, NULL), ANSWER_REFUSED);
	assert_int_equal(launch_alive(&launcher), 1);
}

static void what_changed_since_is_void(void **state)
{
	struct message message = good("c1", 5);
	char note[ERR_NOTE_MAX];

	(void)state;
	rig_file(&rig, "ws/s.sh", "echo 2\n", 0644);
	assert_int_equal(ask(&message, note), ANSWER_VOID);
	message = good("c2", 6);
	assert_int_equal(unlink(rig_path(&rig, "ws/s.sh")), 0);
	assert_int_equal(ask(&message, note), ANSWER_VOID);
	message = good("c3", 7);
	message.u.launch.input.agent = "somebody";
	assert_int_equal(ask(&message, note), ANSWER_VOID);
	message = good("c4", 8);
	assert_int_equal(rename(rig_path(&rig, "ws"), rig_path(&rig, "moved")), 0);
	rig_dir(&rig, "ws");
	assert_int_equal(ask(&message, note), ANSWER_VOID);
	assert_non_null(strstr(note, "ws"));
	assert_int_equal(cells_asked, 0);
}

static void a_policy_change_voids_those_that_wait(void **state)
{
	struct message message = good("c1", 5);

	(void)state;
	assert_int_equal(ask(&message, NULL), 0);
	launch_void_waiting(&launcher);
	assert_int_equal(answered(message.serial, NULL), ANSWER_VOID);
	assert_int_equal(launch_alive(&launcher), 0);
	message = good("c2", 6);
	message.u.launch.input.policy.bytes[3] ^= 1;
	assert_int_equal(ask(&message, NULL), ANSWER_VOID);
}

static void a_kill_before_the_start_is_answered(void **state)
{
	struct message message = good("c1", 5);

	(void)state;
	assert_int_equal(ask(&message, NULL), 0);
	launch_kill(&launcher, "c2", "cancelled"); /* unknown: nothing happens */
	assert_int_equal(launch_alive(&launcher), 1);
	launch_kill(&launcher, "c1", "cancelled");
	assert_int_equal(answered(message.serial, NULL), ANSWER_UNAVAILABLE);
	assert_int_equal(launch_alive(&launcher), 0);
}

/* Whatever went wrong with its overlay: such a tool is never let at the workspace itself. */
static void without_its_overlay_nothing_runs(void **state)
{
	struct message message = good("c1", 5);
	struct pool_cell cell = {.cell = {.slot = 0}};
	const struct launch_place place = {&cell, -1};
	struct launch_ends ends = LAUNCH_NO_ENDS;
	struct err_note note = {""};
	struct launch *launch;

	(void)state;
	assert_int_equal(ask(&message, NULL), 0);
	launch = launcher.first;
	tools->items[0].overlay = true;
	assert_int_equal(launch_arm(&launcher, &launch->plan, &place, 0, &ends, &note), -ENOTSUP);
	assert_non_null(strstr(note.text, "overlay"));
	/* Killed while the keeper makes it: the first reason is kept, and it will not run. */
	launch->state = LAUNCH_LAYING;
	launch_kill(&launcher, "c1", "cancelled");
	launch_kill(&launcher, "c1", "deadline");
	assert_int_equal(launch_alive(&launcher), 1);
	assert_true(launch->stopped);
	assert_string_equal(launch->note.text, "cancelled");
	launch->state = LAUNCH_WAITING; /* for the end of this test */
}

static void nothing_starts_when_the_daemon_ends(void **state)
{
	struct message message = good("c1", 5);

	(void)state;
	launcher.closed = 1;
	assert_int_equal(ask(&message, NULL), ANSWER_UNAVAILABLE);
	assert_int_equal(cells_asked, 0);
}

static void stdin_must_come_with_its_digest(void **state)
{
	struct message message = good("c1", 5);
	struct message_launch *launch = &message.u.launch;
	struct err_note note = {""};
	struct plan plan;

	(void)state;
	launch->input.stdin_kind = STDIN_SEALED;
	assert_int_equal(digest_of(&launch->input.stdin_digest, "x", 1), 0);
	assert_int_equal(plan_make(&planner, &launch->input, &plan, &note), 0);
	launch->plan = plan.digest;
	plan_fini(&plan);
	assert_int_equal(
	    receipt_seal(&launch->receipt, launcher.receipt_key, "c1", &launch->plan), 0);
	assert_int_equal(ask(&message, NULL), ANSWER_VOID); /* no descriptor came along */
	assert_int_equal(cells_asked, 0);
}

/* Whoever streams gets the write end, which must not block engine; a gate's end comes last. */
static void ends_travel_in_their_order(void **state)
{
	(void)state;
	for (int bits = 0; bits < 4; bits++) {
		struct launch_ends ends = LAUNCH_NO_ENDS;
		struct message launched;
		struct buf wire;
		int body, pipes[2];

		assert_int_equal(pipe(pipes), 0);
		ends.out = dup(0);
		ends.err = dup(0);
		ends.in = bits & 1 ? dup(pipes[1]) : -1;
		ends.gate = bits & 2 ? dup(0) : -1;
		message_init(&launched, MESSAGE_LAUNCHED);
		launched.serial = 3;
		launched.u.launched.status = ANSWER_OK;
		assert_int_equal(launch_ends_tell(&ends, &launched), 0);
		assert_int_equal(launched.fd_count, 2 + (bits & 1) + (bits >> 1));
		assert_int_equal(launched.fds[0], ends.out);
		assert_int_equal(launched.fds[1], ends.err);
		if (bits & 1) {
			assert_int_equal(launched.fds[2], ends.in);
			assert_true(fcntl(pipes[1], F_GETFL) & O_NONBLOCK);
		}
		if (bits & 2)
			assert_int_equal(launched.fds[launched.fd_count - 1], ends.gate);
		buf_init(&wire, MESSAGE_MAX);
		assert_int_equal(message_encode(&wire, &launched, &body), 0);
		buf_fini(&wire);
		launch_ends_close(&ends);
		assert_int_equal(ends.gate, -1);
		close(pipes[0]);
		close(pipes[1]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_good_receipt_asks_for_a_cell),
	    TEST(a_bad_receipt_asks_for_nothing),
	    TEST(a_receipt_launches_once),
	    TEST(what_changed_since_is_void),
	    TEST(a_policy_change_voids_those_that_wait),
	    TEST(a_kill_before_the_start_is_answered),
	    TEST(without_its_overlay_nothing_runs),
	    TEST(nothing_starts_when_the_daemon_ends),
	    TEST(stdin_must_come_with_its_digest),
	    TEST(ends_travel_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
