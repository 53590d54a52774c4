/* The real callgate-engine, confined as in the daemon; this test plays the warden, the auditor
 * and the front. The program is taken from the build folder that the test itself is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/freeze.h"
#include "policy/load.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"
#include "supervisor/evidence/record.h"
#include "supervisor/link/message.h"

enum side { WARDEN, AUDITOR, FRONT, SIDES };

static const char policy_text[] =
    "server:\n  socket: {path: callgate.sock}\n"
    "approvals: {timeout: 1s, hold: 300ms}\n"
    "roles:\n  developer: {tools: [bash, gated]}\n"
    "principals:\n  - {peer_uid: 1000, roles: [developer]}\n"
    "namespaces: {default: {working_directory: ./workspace}}\n"
    "tools:\n"
    "  bash:\n    type: command\n    working_directory: .\n    deny_by_default: true\n"
    "    allowed_commands: [ls]\n"
    "  gated:\n    type: command\n    working_directory: .\n    allowed_commands: [ls]\n"
    "    require_approval: true\n";

static int ends[SIDES];
static pid_t engine;

/* ---- the process ------------------------------------------------------------------------- */

static void engine_path(char out[4096])
{
	char self[2048];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *given = getenv("CALLGATE_ENGINE");

	assert_true(len > 0);
	self[len] = '\0';
	for (int i = 0; i < 3; i++) /* <build>/unit/engine/test_process */
		*strrchr(self, '/') = '\0';
	snprintf(out, 4096, "%s", given ? given : "");
	if (!given)
		snprintf(out, 4096, "%s/callgate-engine", self);
	if (access(out, X_OK))
		fail_msg("%s is not built", out);
}

static int start(void **state)
{
	int pairs[SIDES][2];
	char path[4096];

	(void)state;
	engine_path(path);
	for (int i = 0; i < SIDES; i++) {
		assert_int_equal(fd_pair(pairs[i]), 0);
		ends[i] = pairs[i][0];
	}
	engine = fork();
	assert_true(engine >= 0);
	if (engine == 0) {
		for (int i = 0; i < SIDES; i++)
			if (dup2(pairs[i][1], 40 + i) < 0)
				_exit(99);
		for (int i = 0; i < SIDES; i++)
			if (dup2(40 + i, 3 + i) < 0)
				_exit(99);
		fd_close_from(3 + SIDES);
		setenv("CALLGATE_LOG", "error,text", 1);
		alarm(60);
		execl(path, "callgate-engine", (char *)NULL);
		_exit(98);
	}
	for (int i = 0; i < SIDES; i++)
		close(pairs[i][1]);
	return 0;
}

/* Exit status, or 128 + signal; -1: still running after five seconds. */
static int wait_exit(void)
{
	int status;

	for (int i = 0; i < 500; i++) {
		pid_t done = waitpid(engine, &status, WNOHANG);

		if (done == engine) {
			engine = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		usleep(10000);
	}
	return -1;
}

static int stop(void **state)
{
	(void)state;
	for (int i = 0; i < SIDES; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	if (engine > 0 && wait_exit() < 0) {
		kill(engine, SIGKILL);
		(void)waitpid(engine, NULL, 0);
		return -1;
	}
	return 0;
}

/* ---- messages ---------------------------------------------------------------------------- */

static void put(enum side side, struct message *message)
{
	int fds[MESSAGE_FDS + 1], body_fd = -1;
	size_t count = message->fd_count;
	struct buf out = {0};

	buf_init(&out, MESSAGE_MAX);
	assert_int_equal(message_encode(&out, message, &body_fd), 0);
	memcpy(fds, message->fds, count * sizeof(int));
	if (body_fd >= 0)
		fds[count++] = body_fd;
	assert_int_equal(fd_send(ends[side], out.data, out.len, fds, count), 0);
	if (body_fd >= 0)
		close(body_fd);
	buf_fini(&out);
}

/* 1 and a message (to be finished by the caller), or 0 after wait_ms. */
static int get(enum side side, struct message *ret, int wait_ms)
{
	static uint8_t bytes[MESSAGE_MAX];
	struct pollfd poll_fd = {.fd = ends[side], .events = POLLIN};
	int fds[MESSAGE_FDS + 1];
	size_t count;
	ssize_t len;

	if (poll(&poll_fd, 1, wait_ms) <= 0)
		return 0;
	len = fd_receive(ends[side], bytes, sizeof(bytes), fds, MESSAGE_FDS + 1, &count);
	if (len <= 0)
		return 0;
	assert_int_equal(message_decode(ret, bytes, (size_t)len, fds, count), 0);
	return 1;
}

static struct message want(enum side side, enum message_type type)
{
	struct message message;

	if (!get(side, &message, 5000))
		fail_msg("no %s came", message_name(type));
	if (message.type != type)
		fail_msg("%s came, not %s", message_name(message.type), message_name(type));
	return message;
}

static void want_record(enum record_type type, struct message *ret)
{
	*ret = want(AUDITOR, MESSAGE_RECORD);
	assert_string_equal(
	    record_type_name((enum record_type)ret->u.record.record), record_type_name(type));
}

static uint64_t told_tree; /* lines of the log that the next POLICY tells of */

static void put_policy(const char *text, int flaw)
{
	struct policy_source source = {.file = "test.yaml", .text = text, .len = strlen(text)};
	struct policy *policy;
	struct err_note note;
	struct message message;
	struct buf frozen = {0};

	if (policy_load(&source, &policy, NULL, &note))
		fail_msg("%s", note.text);
	buf_init(&frozen, POLICY_FROZEN_MAX);
	assert_int_equal(policy_freeze(&frozen, policy), 0);
	policy_free(policy);
	message_init(&message, MESSAGE_POLICY);
	message.serial = 4;
	assert_int_equal(digest_of(&message.u.policy.version, frozen.data, frozen.len), 0);
	message.u.policy.version.bytes[0] ^= flaw == 1;
	message.u.policy.path = message.u.policy.state = "/x";
	message.u.policy.owner_uid = 0;
	message.u.policy.audit_size = told_tree;
	memset(message.u.policy.audit_root.bytes, (int)told_tree, DIGEST_LEN);
	if (flaw == 2) { /* not sealed */
		message.fds[0] = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(fd_write_all(message.fds[0], frozen.data, frozen.len), 0);
	} else {
		message.fds[0] = fd_sealed("policy", frozen.data, frozen.len);
	}
	message.fd_count = 1;
	put(WARDEN, &message);
	message_fini(&message);
	buf_fini(&frozen);
	message = want(WARDEN, MESSAGE_POLICY_TAKEN);
	assert_int_equal(message.u.policy_taken.status, flaw ? ANSWER_REFUSED : ANSWER_OK);
	message_fini(&message);
}

static void put_peer(uint64_t id, uint32_t uid)
{
	struct message message;

	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = id;
	message.u.peer.uid = message.u.peer.gid = uid;
	put(FRONT, &message);
}

static void put_call(uint64_t peer, uint64_t serial, const char *tool, const char *arguments)
{
	struct message message;

	message_init(&message, MESSAGE_REQUEST);
	message.serial = serial;
	message.u.request.peer = peer;
	message.u.request.method = REQUEST_TOOLS_CALL;
	message.u.request.tool = tool;
	message.u.request.body.data = arguments;
	message.u.request.body.len = strlen(arguments);
	put(FRONT, &message);
}

static void put_planned(const struct message *plan)
{
	struct message message;

	message_init(&message, MESSAGE_PLANNED);
	message.serial = plan->serial;
	message.u.planned.status = ANSWER_OK;
	memset(message.u.planned.plan.bytes, 5, DIGEST_LEN);
	message.u.planned.text = message.u.planned.program = "/bin/ls";
	put(WARDEN, &message);
}

static void put_recorded(uint64_t serial, enum answer_status status, int mac)
{
	struct message message;

	message_init(&message, MESSAGE_RECORDED);
	message.serial = serial;
	message.u.recorded.status = status;
	message.u.recorded.receipt.size = serial;
	memset(message.u.recorded.receipt.mac.bytes, mac, DIGEST_LEN);
	put(AUDITOR, &message);
}

static void put_launched(const struct message *launch, const char *written)
{
	int out[2], err[2];
	struct message message;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	message_init(&message, MESSAGE_LAUNCHED);
	message.serial = launch->serial;
	message.u.launched.status = ANSWER_OK;
	message.fds[0] = out[0];
	message.fds[1] = err[0];
	message.fd_count = 2;
	put(WARDEN, &message);
	message_fini(&message);
	assert_int_equal(write(out[1], written, strlen(written)), strlen(written));
	close(out[1]);
	close(err[1]);
}

static void put_exited(const char *call)
{
	struct message message;

	message_init(&message, MESSAGE_EXITED);
	message.u.exited.call = call;
	message.u.exited.how = EXIT_HOW_EXITED;
	message.u.exited.proof = 1;
	put(WARDEN, &message);
}

static json_t *want_reply(uint64_t serial, enum reply_kind kind)
{
	struct message reply = want(FRONT, MESSAGE_REPLY);
	json_t *json;

	assert_int_equal(reply.serial, serial);
	assert_int_equal(reply.u.reply.kind, kind);
	assert_null(memchr(reply.u.reply.body.data, '\n', reply.u.reply.body.len));
	json = json_loadb(reply.u.reply.body.data, reply.u.reply.body.len, 0, NULL);
	assert_non_null(json);
	message_fini(&reply);
	return json;
}

static void expect_outcome(uint64_t serial, const char *outcome)
{
	json_t *result = want_reply(serial, REPLY_RESULT);

	assert_string_equal(
	    json_string_value(json_object_get(
		json_object_get(json_object_get(result, "_meta"), "callgate/call"), "outcome")),
	    outcome);
	json_decref(result);
}

/* A record comes and is durable. */
static void pass_record(enum record_type type, int mac)
{
	struct message record;

	want_record(type, &record);
	put_recorded(record.serial, ANSWER_OK, mac);
	message_fini(&record);
}

/* ---- what must be ------------------------------------------------------------------------ */

static void test_whole_call(void **state)
{
	struct message plan, record, launch;
	json_t *result;

	(void)state;
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	put_call(1, 2, "bash", "{\"command\": \"ls\", \"stdin\": \"abc\"}");
	plan = want(WARDEN, MESSAGE_PLAN);
	put_planned(&plan);
	want_record(RECORD_CALL_DECISION, &record);
	assert_int_equal(record.u.record.allow, 1);
	assert_false(get(WARDEN, &launch, 100)); /* nothing before the receipt */
	put_recorded(record.serial, ANSWER_OK, 9);
	launch = want(WARDEN, MESSAGE_LAUNCH);
	assert_int_equal(launch.u.launch.receipt.mac.bytes[0], 9);
	assert_int_equal(launch.fd_count, 1);
	put_launched(&launch, "one\ntwo\n");
	put_exited(plan.u.plan.input.call);
	message_fini(&record);
	want_record(RECORD_CALL_OUTCOME, &record);
	assert_false(get(FRONT, &launch, 100)); /* no result before the outcome is durable */
	put_recorded(record.serial, ANSWER_OK, 0);
	result = want_reply(2, REPLY_RESULT);
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(result, "structuredContent"), "stdout")),
	    "one\ntwo\n");
	json_decref(result);
	message_fini(&plan);
	message_fini(&record);
	message_fini(&launch);
}

static void expect_tree(uint64_t serial, int size, const char *root)
{
	struct message message;
	json_t *status, *audit;

	message_init(&message, MESSAGE_REQUEST);
	message.serial = serial;
	message.u.request.peer = 1;
	message.u.request.method = REQUEST_STATUS;
	put(FRONT, &message);
	status = want_reply(serial, REPLY_RESULT);
	audit = json_object_get(status, "audit");
	assert_int_equal(json_integer_value(json_object_get(audit, "size")), size);
	assert_int_equal(
	    strncmp(json_string_value(json_object_get(audit, "root")), root, strlen(root)), 0);
	json_decref(status);
}

/* Before any receipt, and never backwards: a reload may tell of less than receipts did. */
static void test_status_knows_the_tree(void **state)
{
	(void)state;
	told_tree = 0x29;
	put_policy(policy_text, 0);
	put_peer(1, 0); /* the owner */
	expect_tree(2, 0x29, "292929");
	told_tree = 0x11;
	put_policy(policy_text, 0);
	expect_tree(4, 0x29, "292929");
	told_tree = 0x2a;
	put_policy(policy_text, 0);
	expect_tree(6, 0x2a, "2a2a2a");
	told_tree = 0;
}

static void test_receipt_withheld(void **state)
{
	struct message message;

	(void)state;
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	put_call(1, 2, "bash", "{\"command\": \"ls\"}");
	message = want(WARDEN, MESSAGE_PLAN);
	put_planned(&message);
	message_fini(&message);
	want_record(RECORD_CALL_DECISION, &message);
	put_recorded(message.serial + 1, ANSWER_OK, 9); /* somebody else's receipt */
	put_recorded(message.serial, ANSWER_UNAVAILABLE, 9);
	message_fini(&message);
	pass_record(RECORD_CALL_OUTCOME, 0);
	expect_outcome(2, "unavailable");
	assert_false(get(WARDEN, &message, 200));
}

static void test_hold_and_expiry(void **state)
{
	struct message message;

	(void)state;
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	put_call(1, 2, "gated", "{\"command\": \"ls\"}");
	message = want(WARDEN, MESSAGE_PLAN);
	put_planned(&message);
	message_fini(&message);
	pass_record(RECORD_APPROVAL_REQUEST, 0);
	pass_record(RECORD_CALL_DECISION, 0); /* after 300 ms */
	pass_record(RECORD_CALL_OUTCOME, 0);
	expect_outcome(2, "pending");
	pass_record(RECORD_APPROVAL_EXPIRE, 0); /* after a second */
	put_call(1, 4, "gated", "{\"command\": \"ls\"}");
	message = want(WARDEN, MESSAGE_PLAN);
	put_planned(&message);
	message_fini(&message);
	pass_record(RECORD_CALL_DECISION, 0);
	pass_record(RECORD_CALL_OUTCOME, 0);
	expect_outcome(4, "expired");
	assert_false(get(WARDEN, &message, 50));
}

static void test_no_policy_no_service(void **state)
{
	struct message message;

	(void)state;
	put_peer(1, 1000);
	put_call(1, 2, "bash", "{\"command\": \"rm\"}");
	assert_false(get(AUDITOR, &message, 200));
	put_policy(policy_text, 1); /* other bytes than announced */
	put_policy(policy_text, 2); /* could still change */
	assert_false(get(AUDITOR, &message, 200));
	put_policy(policy_text, 0);
	pass_record(RECORD_CALL_DECISION, 0);
	pass_record(RECORD_CALL_OUTCOME, 0);
	expect_outcome(2, "refused");
	put_policy(policy_text, 1); /* the old one stays in force */
	put_call(1, 4, "bash", "{\"command\": \"ls\"}");
	message = want(WARDEN, MESSAGE_PLAN);
	message_fini(&message);
}

static void test_hang_up_in_mid_call(void **state)
{
	struct message plan, message, launch;

	(void)state;
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	put_call(1, 2, "bash", "{\"command\": \"ls\"}");
	plan = want(WARDEN, MESSAGE_PLAN);
	put_planned(&plan);
	pass_record(RECORD_CALL_DECISION, 9);
	launch = want(WARDEN, MESSAGE_LAUNCH);
	put_launched(&launch, "");
	message_init(&message, MESSAGE_PEER_GONE);
	message.u.peer_gone.peer = 1;
	put(FRONT, &message);
	message = want(WARDEN, MESSAGE_KILL);
	assert_string_equal(message.u.kill.call, plan.u.plan.input.call);
	message_fini(&message);
	assert_false(get(AUDITOR, &message, 100)); /* waits for the proof */
	put_exited(plan.u.plan.input.call);
	pass_record(RECORD_CALL_OUTCOME, 0);
	message = want(FRONT, MESSAGE_REPLY);
	assert_int_equal(message.u.reply.kind, REPLY_SILENT);
	message_fini(&message);
	message_fini(&plan);
	message_fini(&launch);
}

/* The warden hears that the policy is taken before it is asked to plan by it, and the question
 * that was put under the old one is void. */
static void test_reload_while_asking(void **state)
{
	static char other[sizeof(policy_text)];
	struct message message;
	struct digest old;

	(void)state;
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	put_call(1, 2, "gated", "{\"command\": \"ls\"}");
	message = want(WARDEN, MESSAGE_PLAN);
	old = message.u.plan.input.policy;
	put_planned(&message);
	message_fini(&message);
	pass_record(RECORD_APPROVAL_REQUEST, 0);
	memcpy(other, policy_text, sizeof(other));
	memcpy(strstr(other, "timeout: 1s"), "timeout: 2s", 11);
	put_policy(other, 0);
	pass_record(RECORD_APPROVAL_EXPIRE, 0);
	message = want(WARDEN, MESSAGE_PLAN);
	assert_false(digest_equal(&old, &message.u.plan.input.policy));
	put_planned(&message);
	message_fini(&message);
	pass_record(RECORD_APPROVAL_REQUEST, 0); /* asked anew */
	pass_record(RECORD_CALL_DECISION, 0);
	pass_record(RECORD_CALL_OUTCOME, 0);
	expect_outcome(2, "pending");
}

static void test_lost_or_broken_sibling(void **state)
{
	(void)state;
	stop(NULL);
	for (int side = 0; side < SIDES; side++) {
		for (int broken = 0; broken < 2; broken++) {
			start(NULL);
			put_policy(policy_text, 0);
			if (broken) {
				assert_int_equal(fd_send(ends[side], "nonsense", 8, NULL, 0), 0);
			} else {
				close(ends[side]);
				ends[side] = -1;
			}
			assert_int_equal(wait_exit(), EXIT_FAILURE);
			stop(NULL);
		}
	}
	start(NULL);
}

/* A message that is fine by itself, from the wrong side. */
static void test_wrong_side(void **state)
{
	struct message message;

	(void)state;
	put_policy(policy_text, 0);
	message_init(&message, MESSAGE_RECORDED);
	message.serial = 1;
	message.u.recorded.status = ANSWER_OK;
	put(FRONT, &message);
	assert_int_equal(wait_exit(), EXIT_FAILURE);
}

static void test_drain(void **state)
{
	struct message message;

	(void)state;
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	put_call(1, 2, "gated", "{\"command\": \"ls\"}");
	message = want(WARDEN, MESSAGE_PLAN);
	put_planned(&message);
	message_fini(&message);
	pass_record(RECORD_APPROVAL_REQUEST, 0);
	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = "test";
	put(WARDEN, &message);
	pass_record(RECORD_APPROVAL_EXPIRE, 0);
	pass_record(RECORD_CALL_DECISION, 0);
	put_peer(
	    2, 1000); /* unread when the engine wants to go: the answer must arrive all the same */
	pass_record(RECORD_CALL_OUTCOME, 0);
	put_peer(3, 1000);
	usleep(100000);
	put_peer(4, 1000);
	expect_outcome(2, "unavailable");
	message = want(FRONT, MESSAGE_DRAIN); /* only now: until then it takes and tells */
	message_fini(&message);
	assert_false(get(FRONT, &message, 1000)); /* its end */
	close(ends[FRONT]);
	ends[FRONT] = -1;
	assert_int_equal(wait_exit(), 0);
}

/* The warden asks one of two: front is behind us, and no answer of ours goes before its. */
static void test_ping_and_logger(void **state)
{
	struct message message;

	(void)state;
	put_policy(policy_text, 0);
	message_init(&message, MESSAGE_PING);
	message.serial = 8;
	put(WARDEN, &message);
	message = want(FRONT, MESSAGE_PING);
	message_fini(&message);
	assert_false(get(WARDEN, &message, 100));
	message_init(&message, MESSAGE_PONG);
	message.serial = 1;
	put(FRONT, &message);
	message = want(WARDEN, MESSAGE_PONG);
	assert_int_equal(message.serial, 8);
	message_fini(&message);
	message_init(&message, MESSAGE_LOGGER);
	message.u.logger.level = LOG_LEVEL_WARN;
	message.u.logger.format = LOG_FORMAT_JSON;
	put(WARDEN, &message);
	message = want(FRONT, MESSAGE_LOGGER);
	assert_int_equal(message.u.logger.level, LOG_LEVEL_WARN);
	assert_int_equal(message.u.logger.format, LOG_FORMAT_JSON);
	message_fini(&message);
}

/* An HTTP front and a courier, told of by the warden; they end, and engine goes on. */
static int put_sibling(enum sibling_kind kind, int end)
{
	struct message message;
	int pair[2] = {-1, -1};

	message_init(&message, MESSAGE_SIBLING);
	message.u.sibling.sibling = kind;
	if (end) {
		assert_int_equal(fd_pair(pair), 0);
		message.fds[0] = pair[1];
		message.fd_count = 1;
	}
	put(WARDEN, &message);
	if (pair[1] >= 0)
		close(pair[1]);
	return pair[0];
}

static void put_visitor(int http, uint64_t serial)
{
	int unix_front = ends[FRONT];
	struct message message;

	ends[FRONT] = http;
	message_init(&message, MESSAGE_VISITOR);
	message.u.visitor.peer = PEER_IS_HTTP | 1;
	put(FRONT, &message);
	message_init(&message, MESSAGE_REQUEST);
	message.serial = serial;
	message.u.request.peer = PEER_IS_HTTP | 1;
	message.u.request.method = REQUEST_WHOAMI;
	put(FRONT, &message);
	ends[FRONT] = unix_front;
}

static struct message want_of(int http, enum message_type type)
{
	int unix_front = ends[FRONT];
	struct message message;

	ends[FRONT] = http;
	message = want(FRONT, type);
	ends[FRONT] = unix_front;
	return message;
}

static void pass_call_of_unix_front(uint64_t serial)
{
	struct message message;

	put_call(1, serial, "bash", "{\"command\": \"rm\"}");
	pass_record(RECORD_CALL_DECISION, 0);
	pass_record(RECORD_CALL_OUTCOME, 0);
	message = want(FRONT, MESSAGE_REPLY);
	assert_int_equal(message.serial, serial);
	message_fini(&message);
}

static void test_siblings_come_and_go(void **state)
{
	int early = put_sibling(SIBLING_HTTP, 1), http, courier;
	struct message message;

	(void)state;
	put_visitor(early, 40); /* before there is a policy: heard, but later */
	assert_int_equal(poll(&(struct pollfd){.fd = early, .events = POLLIN}, 1, 100), 0);
	put_policy(policy_text, 0);
	put_peer(1, 1000);
	message = want_of(early, MESSAGE_REPLY);
	assert_int_equal(message.serial, 40);
	message_fini(&message);
	courier = put_sibling(SIBLING_COURIER, 1);
	close(courier);
	(void)put_sibling(SIBLING_COURIER, 0);
	http = put_sibling(SIBLING_HTTP, 1); /* without a word that the old one is gone */
	assert_int_equal(read(early, &message, 1), 0);
	put_visitor(http, 40);
	assert_int_equal(fd_send(http, "nonsense", 8, NULL, 0), 0);
	pass_call_of_unix_front(42);
	close(http);
	http = put_sibling(SIBLING_HTTP, 1);
	put_visitor(http, 40);
	message = want_of(http, MESSAGE_REPLY);
	assert_int_equal(message.serial, 40);
	message_fini(&message);
	pass_call_of_unix_front(44);
	close(early);
	close(http);
}

/* Both fronts are told the end, and engine waits for both to go. */
static void test_drain_of_both_fronts(void **state)
{
	struct message message;
	int http;

	(void)state;
	put_policy(policy_text, 0);
	http = put_sibling(SIBLING_HTTP, 1);
	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = "test";
	put(WARDEN, &message);
	message = want(FRONT, MESSAGE_DRAIN);
	message_fini(&message);
	message = want_of(http, MESSAGE_DRAIN);
	message_fini(&message);
	close(ends[FRONT]);
	ends[FRONT] = -1;
	usleep(200000);
	assert_int_equal(waitpid(engine, NULL, WNOHANG), 0);
	close(http);
	assert_int_equal(wait_exit(), 0);
}

/* Many calls of many peers, answered in whatever order they come: one decision and one outcome
 * each, one reply each. */
static void test_crowd(void **state)
{
	enum { PEERS = 16, CALLS = 20 };
	static int decisions, outcomes, replies, runs;
	struct message message;
	int busy = 1;

	(void)state;
	put_policy(policy_text, 0);
	for (uint64_t peer = 1; peer <= PEERS; peer++)
		put_peer(peer, 1000);
	for (uint64_t i = 0; i < PEERS * CALLS; i++)
		put_call(1 + i % PEERS, 1000 + 2 * i, i % 5 ? "bash" : "nothing",
		    i % 3 ? "{\"command\": \"ls\"}" : "{\"command\": \"curl\"}");
	while (busy) {
		busy = 0;
		while (get(WARDEN, &message, 20)) {
			busy = 1;
			if (message.type == MESSAGE_PLAN)
				put_planned(&message);
			if (message.type == MESSAGE_LAUNCH) {
				runs++;
				put_launched(&message, "x");
				put_exited(message.u.launch.input.call);
			}
			message_fini(&message);
		}
		while (get(AUDITOR, &message, 20)) {
			busy = 1;
			decisions += message.u.record.record == RECORD_CALL_DECISION;
			outcomes += message.u.record.record == RECORD_CALL_OUTCOME;
			put_recorded(message.serial, ANSWER_OK, message.u.record.allow);
			message_fini(&message);
		}
		while (get(FRONT, &message, 20)) {
			busy = 1;
			replies++;
			message_fini(&message);
		}
	}
	assert_int_equal(decisions, PEERS * CALLS);
	assert_int_equal(outcomes, PEERS * CALLS);
	assert_int_equal(replies, PEERS * CALLS);
	assert_true(runs > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    TEST(test_whole_call),
	    TEST(test_status_knows_the_tree),
	    TEST(test_receipt_withheld),
	    TEST(test_hold_and_expiry),
	    TEST(test_no_policy_no_service),
	    TEST(test_hang_up_in_mid_call),
	    TEST(test_reload_while_asking),
	    TEST(test_lost_or_broken_sibling),
	    TEST(test_wrong_side),
	    TEST(test_drain),
	    TEST(test_ping_and_logger),
	    TEST(test_siblings_come_and_go),
	    TEST(test_drain_of_both_fronts),
	    TEST(test_crowd),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
