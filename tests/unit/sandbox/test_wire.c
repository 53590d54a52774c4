#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/enter.h"
#include "sandbox/wire.h"

#define BIG_WORDS  3000
#define MANY_RULES 1000

static int null_fd(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* A request with many words of every length, and more rules than one message holds. */
static struct cell_arm big_arm(int null, struct cell_rule *rules)
{
	static char text[BIG_WORDS][32];
	static const char *argv[BIG_WORDS + 1];
	static const char *const envp[] = {"A=1", "B=", "", NULL};
	struct cell_arm arm = {.argv = argv,
	    .envp = envp,
	    .workspace = "/w",
	    .cwd = "/w/x",
	    .mount_fd = null,
	    .exec_fd = null,
	    .stdin_fd = -1,
	    .stdout_fd = null,
	    .stderr_fd = null,
	    .has_gate = true,
	    .gate_fd = null,
	    .mode = CELL_WORKSPACE_EXEC,
	    .rules = rules,
	    .rule_count = MANY_RULES,
	    .allow_jit = true,
	    .landlock_workspace = 0x1234567890,
	    .limits = {1, 2, 3, 4, 5, 6, 7, true}};

	for (int i = 0; i < BIG_WORDS; i++) {
		snprintf(
		    text[i], sizeof(text[i]), "%.*s%d", i % 25, "abcdefghijklmnopqrstuvwxyz", i);
		argv[i] = text[i];
	}
	for (int i = 0; i < MANY_RULES; i++)
		rules[i] = (struct cell_rule){null, (uint64_t)i};
	return arm;
}

static void assert_same(const struct arm_request *got, const struct cell_arm *sent)
{
	assert_int_equal(got->mode, sent->mode);
	assert_true(got->allow_jit && !got->allowlist_open && got->limits.by_cgroup);
	assert_int_equal(got->limits.memory, 1);
	assert_int_equal(got->limits.tmp_inodes, 7);
	assert_int_equal(got->landlock_workspace, sent->landlock_workspace);
	assert_string_equal(got->workspace, "/w");
	assert_string_equal(got->cwd, "/w/x");
	for (int i = 0; i < BIG_WORDS; i++)
		assert_string_equal(got->argv[i], sent->argv[i]);
	assert_null(got->argv[BIG_WORDS]);
	assert_string_equal(got->envp[0], "A=1");
	assert_string_equal(got->envp[1], "B=");
	assert_string_equal(got->envp[2], "");
	assert_null(got->envp[3]);
	assert_true(got->exec_fd >= 0 && got->mount_fd >= 0 && got->stdio[0] == -1);
	assert_true(got->gate_fd >= 0 && got->gate_fd != got->mount_fd);
	assert_int_equal(got->rule_count, MANY_RULES);
}

static unsigned count_rules(int sock)
{
	unsigned count = 0;

	while (count < MANY_RULES) {
		struct wire_message message;

		assert_int_equal(wire_expect(sock, WIRE_RULES, &message), 0);
		while (message.body.left > 0) {
			assert_int_equal(reader_u64(&message.body), count++);
			close(wire_take_fd(&message));
		}
		assert_int_equal(message.fd_next, message.fd_count);
	}
	return count;
}

static void a_large_request_arrives_whole(void **state)
{
	struct cell_rule *rules = calloc(MANY_RULES, sizeof(*rules));
	unsigned before = open_fds();
	int null = null_fd(), pair[2];
	struct cell_arm arm = big_arm(null, rules);
	struct arm_request got;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	pid = fork();
	if (pid == 0)
		_exit(wire_send_arm(pair[0], &arm) == 0 ? 0 : 1);
	assert_int_equal(wire_receive_arm(pair[1], &got), 0);
	assert_same(&got, &arm);
	assert_int_equal(count_rules(pair[1]), MANY_RULES);
	arm_request_fini(&got);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(pair[0]);
	close(pair[1]);
	close(null);
	free(rules);
	assert_int_equal(open_fds(), before);
}

static void too_much_is_refused_before_it_is_sent(void **state)
{
	char *word = malloc(CELL_ARG_BYTES + 1);
	int null = null_fd(), pair[2];
	const char *argv[] = {word, NULL}, *none[] = {NULL};
	struct cell_arm arm = {.argv = argv,
	    .envp = none,
	    .workspace = "/",
	    .cwd = "/",
	    .mount_fd = -1,
	    .exec_fd = null,
	    .stdin_fd = -1,
	    .stdout_fd = null,
	    .stderr_fd = null};

	(void)state;
	memset(word, 'a', CELL_ARG_BYTES);
	word[CELL_ARG_BYTES] = '\0';
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(wire_send_arm(pair[0], &arm), -E2BIG);
	arm.argv = none;
	assert_int_equal(wire_send_arm(pair[0], &arm), -EINVAL);
	arm.argv = argv;
	word[9] = '\0';
	arm.rule_count = CELL_RULES_MAX + 1;
	assert_int_equal(wire_send_arm(pair[0], &arm), -EINVAL);
	assert_int_equal(wire_poll(pair[1]), -EAGAIN);
	close(pair[0]);
	close(pair[1]);
	close(null);
	free(word);
}

/* A zeroed gate_fd is not descriptor 0: only has_gate makes it one. */
static void without_a_gate_none_arrives(void **state)
{
	int null = null_fd(), pair[2];
	const char *argv[] = {"a", NULL}, *none[] = {NULL};
	struct cell_arm arm = {.argv = argv,
	    .envp = none,
	    .workspace = "/",
	    .cwd = "/",
	    .mount_fd = -1,
	    .exec_fd = null,
	    .stdin_fd = -1,
	    .stdout_fd = null,
	    .stderr_fd = null};
	struct arm_request got;

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(wire_send_arm(pair[0], &arm), 0);
	assert_int_equal(wire_receive_arm(pair[1], &got), 0);
	assert_int_equal(got.gate_fd, -1);
	arm_request_fini(&got);
	close(pair[0]);
	close(pair[1]);
	close(null);
}

/* Every prefix of a request, and every one with a byte changed, ends without a leak or a crash. */
static void damaged_requests_are_refused(void **state)
{
	int null = null_fd(), pair[2];
	const char *argv[] = {"a", NULL}, *envp[] = {"E=1", NULL};
	struct cell_arm arm = {.argv = argv,
	    .envp = envp,
	    .workspace = "/w",
	    .cwd = "/w",
	    .mount_fd = -1,
	    .exec_fd = null,
	    .stdin_fd = -1,
	    .stdout_fd = null,
	    .stderr_fd = null};
	uint8_t head[512], words[64];
	unsigned before = open_fds();
	ssize_t len, words_len;
	size_t fds_len;
	int fds[8];

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(wire_send_arm(pair[0], &arm), 0);
	len = fd_receive(pair[1], head, sizeof(head), fds, 8, &fds_len);
	assert_int_equal(fds_len, 3);
	for (size_t i = 0; i < fds_len; i++)
		close(fds[i]);
	words_len = fd_receive(pair[1], words, sizeof(words), fds, 8, &fds_len);
	close(pair[0]);
	close(pair[1]);
	for (ssize_t i = 0; i < 2 * len; i++) {
		int few[3] = {null, null, null};
		struct arm_request got;
		uint8_t copy[512];

		memcpy(copy, head, sizeof(copy));
		if (i >= len)
			copy[i - len] ^= 0xff;
		assert_int_equal(fd_pair(pair), 0);
		assert_int_equal(
		    fd_send(pair[0], copy, i >= len ? (size_t)len : (size_t)i + 1, few, 3), 0);
		assert_int_equal(fd_send(pair[0], words, (size_t)words_len, NULL, 0), 0);
		close(pair[0]);
		if (wire_receive_arm(pair[1], &got) == 0)
			assert_true(
			    i >= len - 1); /* whole, or a figure in it that may be anything */
		arm_request_fini(&got);
		close(pair[1]);
		assert_int_equal(open_fds(), before);
	}
	close(null);
}

static void words_must_fill_their_count_exactly(void **state)
{
	static const char *const wrong[] = {"a\0E=1", "a\0E=1\0x", "aaaaaaaa"};
	int null = null_fd(), pair[2];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct arm_request got;
		int fds[3] = {null, null, null};
		struct buf out;

		assert_int_equal(fd_pair(pair), 0);
		wire_begin(&out, WIRE_ARM);
		buf_put_u16(&out, 0); /* mode and flags */
		for (int k = 0; k < 8; k++)
			buf_put_u64(&out, 0);
		buf_put_u32(&out, 1);
		buf_put_u32(&out, 1);
		buf_put_u32(&out, 6);
		buf_put_u64(&out, 0); /* rules, binds */
		buf_put_str(&out, "/");
		buf_put_str(&out, "/");
		assert_int_equal(wire_send(pair[0], &out, fds, 3), 0);
		wire_begin(&out, WIRE_WORDS);
		buf_put(&out, wrong[i], i == 0 ? 5 : i == 1 ? 8 : 6);
		assert_int_equal(wire_send(pair[0], &out, NULL, 0), 0);
		close(pair[0]);
		assert_true(wire_receive_arm(pair[1], &got) < 0);
		arm_request_fini(&got);
		close(pair[1]);
	}
	close(null);
}

static void a_gone_peer_is_told_from_nothing_to_read(void **state)
{
	struct cell cell = {.sock = -1, .pidfd = -1};
	struct cell_event event;
	int pair[2];

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	cell.sock = pair[0];
	assert_int_equal(cell_event_read(&cell, &event), -EAGAIN);
	assert_int_equal(write(pair[1], "\xff", 1), 1);
	assert_int_equal(cell_event_read(&cell, &event), -EBADMSG);
	close(pair[1]);
	assert_int_equal(cell_event_read(&cell, &event), -EPIPE);
	cell_close(&cell);
	cell_close(&cell);
}

/* A clone that is refused at the limit of processes is EAGAIN, and a cell that is gone EPIPE: this
 * must not look like a zygote that has nothing to say, or is gone itself. */
static void a_failed_cell_is_told_from_silence(void **state)
{
	const int errors[] = {EAGAIN, EPIPE, ENOMEM, 0};
	const int results[] = {-ECHILD, -ECHILD, -ENOMEM, -EPROTO};
	struct zygote zygote = {.pid = -1, .pidfd = -1};
	struct err_note note;
	struct cell cell;
	struct buf out;
	int pair[2];

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	zygote.sock = pair[1];
	for (int i = 0; i < 4; i++) {
		struct wire_failure failure = {.error = errors[i], .note = {"clone: why"}};

		wire_begin(&out, WIRE_FAILED);
		wire_put_failure(&out, &failure);
		assert_int_equal(wire_send(pair[0], &out, NULL, 0), 0);
		assert_int_equal(zygote_take(&zygote, &cell, &note), results[i]);
		assert_string_equal(note.text, "sandbox: clone: why");
	}
	assert_int_equal(zygote_take(&zygote, &cell, &note), -EAGAIN);
	close(pair[0]);
	assert_int_equal(zygote_take(&zygote, &cell, &note), -EPIPE);
	close(pair[1]);
}

static void step_names_never_run_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++)
		assert_non_null(enter_step_name((uint8_t)i));
	assert_string_equal(enter_step_name(255), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_large_request_arrives_whole),
	    cmocka_unit_test(too_much_is_refused_before_it_is_sent),
	    cmocka_unit_test(without_a_gate_none_arrives),
	    cmocka_unit_test(damaged_requests_are_refused),
	    cmocka_unit_test(words_must_fill_their_count_exactly),
	    cmocka_unit_test(a_gone_peer_is_told_from_nothing_to_read),
	    cmocka_unit_test(a_failed_cell_is_told_from_silence),
	    cmocka_unit_test(step_names_never_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
