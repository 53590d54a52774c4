/* Each role in a child of its own: what it must still do works, what it never does kills it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "sandbox/allowlist.h"
#include "sandbox/self.h"
#include "sandbox/self_sets.h"

#define DIED (-SIGSYS)

static char inside[64], outside[64]; /* made by the group's setup */

static const enum self_role roles[] = {
    SELF_POLICY,
    SELF_FRONT,
    SELF_ENGINE,
    SELF_AUDITOR,
    SELF_SIGNER,
    SELF_FRONT_HTTP,
};
#define ROLE_COUNT (sizeof(roles) / sizeof(roles[0]))

/* Runs what() confined as role. Its result (0..99), 100 when confinement failed, -signal. */
static int run_confined(enum self_role role, int (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int dirs[] = {open(inside, O_PATH | O_DIRECTORY), -1};
		struct err_note note = {""};

		if (self_start() < 0 ||
		    self_confine(role, role == SELF_AUDITOR ? dirs : NULL, &note) < 0) {
			fprintf(stderr, "%s\n", note.text);
			_exit(100);
		}
		_exit(what());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Production kills; under a sanitizer the call fails with EPERM (result 1 of the probes). */
static void assert_forbidden(enum self_role role, int (*what)(void))
{
	int expected = self_default_action() == SCMP_ACT_KILL_PROCESS ? DIED : 1;

	assert_int_equal(run_confined(role, what), expected);
}

static int probe(long result)
{
	return result < 0 ? 1 : 0;
}

/* ---- what must work ------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint64_t));
}

static int live(void)
{
	char *big = malloc(8 << 20), *grown;
	uint64_t numbers[2000];
	int fds[2];

	if (big == NULL)
		return 1;
	memset(big, 1, 8 << 20);
	grown = realloc(big, 32 << 20);
	free(grown);
	for (size_t i = 0; i < 2000; i++)
		numbers[i] = i * 2654435761u % 1000;
	qsort(numbers, 2000, sizeof(numbers[0]), by_value);
	fds[0] = fcntl(2, F_DUPFD_CLOEXEC, 10);
	if (fds[0] < 0 || close(fds[0]) < 0)
		return 2;
	usleep(1000);
	return dprintf(2, "%s", "") < 0 ? 3 : 0;
}

static int crypto(void)
{
	unsigned char digest[EVP_MAX_MD_SIZE], signature[64];
	size_t len = sizeof(signature);
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, (const unsigned char *)"01234567890123456789012345678901", 32);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (key == NULL || context == NULL)
		return 1;
	if (EVP_Digest("x", 1, digest, NULL, EVP_sha256(), NULL) != 1)
		return 2;
	if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, signature, &len, (const unsigned char *)"x", 1) != 1)
		return 3;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	*(int *)handle->data = 1;
	uv_poll_stop(handle);
}

static int loop(void)
{
	uv_loop_t uv;
	uv_timer_t timer;
	uv_poll_t poll;
	int fds[2], seen = 0;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0 || write(fds[1], "x", 1) != 1)
		return 1;
	if (uv_loop_init(&uv) < 0 || uv_timer_init(&uv, &timer) < 0 ||
	    uv_poll_init(&uv, &poll, fds[0]) < 0)
		return 2;
	poll.data = &seen;
	uv_poll_start(&poll, UV_READABLE, on_readable);
	uv_timer_start(&timer, on_timer, 5, 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	return seen ? 0 : 3;
}

static int json(void)
{
	json_t *value = json_loads("{\"a\": [1, 2, {\"b\": null}]}", 0, NULL);
	char *text = json_dumps(value, 0);

	if (text == NULL)
		return 1;
	free(text);
	json_decref(value);
	return 0;
}

static int memory_file(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, 4096) < 0 || write(fd, "x", 1) != 1)
		return 1;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) < 0 ? 2 : 0;
}

static void test_every_role_lives(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++)
		assert_int_equal(run_confined(roles[i], live), 0);
	assert_int_equal(run_confined(SELF_WARDEN, live), 0);
}

static void test_loops_crypto_json(void **state)
{
	static const enum self_role loops[] = {
	    SELF_WARDEN,
	    SELF_FRONT,
	    SELF_ENGINE,
	    SELF_AUDITOR,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		assert_int_equal(run_confined(loops[i], loop), 0);
		assert_int_equal(run_confined(loops[i], crypto), 0);
	}
	assert_int_equal(run_confined(SELF_SIGNER, crypto), 0);
	assert_int_equal(run_confined(SELF_FRONT, json), 0);
	assert_int_equal(run_confined(SELF_ENGINE, json), 0);
	assert_int_equal(run_confined(SELF_FRONT, memory_file), 0);
	assert_int_equal(run_confined(SELF_ENGINE, memory_file), 0);
	assert_int_equal(run_confined(SELF_WARDEN, memory_file), 0);
}

static int own_abort(void)
{
	abort();
}

/* ---- courier -------------------------------------------------------------------------------- */

static int run_courier(int (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char file[128];
		int places[] = {open(inside, O_PATH | O_DIRECTORY), -1, -1};
		struct err_note note = {""};

		snprintf(file, sizeof(file), "%s/alone", outside);
		places[1] = open(file, O_PATH);
		if (self_start() < 0 || self_confine(SELF_COURIER, places, &note) < 0) {
			fprintf(stderr, "%s\n", note.text);
			_exit(100);
		}
		_exit(what());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void on_thread(void *ran)
{
	*(int *)ran = 1;
}

/* A thread, a socket that asks the kernel for a connection, and the files it was given. */
static int courier_work(void)
{
	struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(1)};
	char path[128];
	uv_thread_t thread;
	int ran = 0, fd;

	nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (uv_thread_create(&thread, on_thread, &ran) || uv_thread_join(&thread) || !ran)
		return 1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)) == 0 ||
	    errno != ECONNREFUSED)
		return 2;
	snprintf(path, sizeof(path), "%s/readable", inside);
	if (open(path, O_RDONLY) < 0)
		return 3;
	snprintf(path, sizeof(path), "%s/alone", outside);
	if (open(path, O_RDONLY) < 0)
		return 4;
	snprintf(path, sizeof(path), "%s/beside", outside);
	if (open(path, O_RDONLY) >= 0 || errno != EACCES)
		return 5;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_NETLINK, SOCK_RAW, 0) >= 0)
		return 6;
	return 0;
}

static int courier_listens(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return probe(bind(fd, (struct sockaddr *)&any, sizeof(any)));
}

static int courier_writes(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/readable", inside);
	return probe(open(path, O_WRONLY));
}

static int courier_raw_socket(void)
{
	return probe(socket(AF_PACKET, SOCK_RAW, 0));
}

static int courier_namespace(void)
{
	return probe(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static void make_file(const char *folder, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void remove_file(const char *folder, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

static void test_courier(void **state)
{
	static int (*const never[])(void) = {
	    courier_listens, courier_writes, courier_raw_socket, courier_namespace};
	int expected = self_default_action() == SCMP_ACT_KILL_PROCESS ? DIED : 1;

	(void)state;
	make_file(inside, "readable");
	make_file(outside, "alone");
	make_file(outside, "beside");
	assert_int_equal(run_courier(courier_work), 0);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(run_courier(never[i]), expected);
	remove_file(inside, "readable");
	remove_file(outside, "alone");
	remove_file(outside, "beside");
}

static void test_abort_is_an_abort(void **state)
{
	(void)state;
	assert_int_equal(run_confined(SELF_ENGINE, own_abort), -SIGABRT);
}

/* ---- what must not -------------------------------------------------------------------------- */

static int do_exec(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};

	return probe(execve("/bin/true", argv, envp));
}

static int do_socket(void)
{
	return probe(socket(AF_INET, SOCK_STREAM, 0));
}

static int do_unix_socket(void)
{
	return probe(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int do_ptrace(void)
{
	return probe(ptrace(PTRACE_ATTACH, getppid(), 0, 0));
}

static int do_kill(void)
{
	return probe(kill(getppid(), 0));
}

static int do_tgkill(void)
{
	return probe(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int do_fork(void)
{
	return probe(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int do_code(void)
{
	void *code = mmap(
	    NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? 1 : 0;
}

static int do_prlimit(void)
{
	return probe(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, NULL));
}

static int do_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == ENOSYS ? 0 : 1;
}

static int do_open(void)
{
	return probe(open("/etc/passwd", O_RDONLY));
}

static int do_accept(void)
{
	return probe(accept4(0, NULL, NULL, 0));
}

static void test_no_role_starts_or_reaches_anything(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		assert_forbidden(roles[i], do_exec);
		assert_forbidden(roles[i], do_socket);
		assert_forbidden(roles[i], do_unix_socket);
		assert_forbidden(roles[i], do_ptrace);
		assert_forbidden(roles[i], do_kill);
		assert_forbidden(roles[i], do_tgkill);
		assert_forbidden(roles[i], do_fork);
		if (self_sanitizer().count == 0)
			assert_forbidden(roles[i], do_code);
		assert_int_equal(run_confined(roles[i], do_io_uring), 0);
		/* Refused without a kill, so that a library's late look for a file survives. */
		assert_int_equal(run_confined(roles[i], do_open), 1);
		if (self_sanitizer().count == 0)
			assert_int_equal(run_confined(roles[i], do_prlimit), 1);
	}
	assert_forbidden(SELF_ENGINE, do_accept);
	assert_forbidden(SELF_AUDITOR, do_accept);
	assert_int_equal(run_confined(SELF_FRONT, do_accept), 1); /* ENOTSOCK, but it may ask */
}

static int auditor_work(void)
{
	char path[128], other[128];
	int fd;

	snprintf(path, sizeof(path), "%s/journal", inside);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "line\n", 5) != 5 || fdatasync(fd) < 0 || ftruncate(fd, 2) < 0)
		return 1;
	snprintf(other, sizeof(other), "%s/renamed", inside);
	return rename(path, other) < 0 ? 2 : 0;
}

static int auditor_outside(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/journal", outside);
	if (open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0)
		return 1;
	return errno == EACCES ? 0 : 2;
}

static void test_auditor_only_in_its_directories(void **state)
{
	(void)state;
	assert_int_equal(run_confined(SELF_AUDITOR, auditor_work), 0);
	assert_int_equal(run_confined(SELF_AUDITOR, auditor_outside), 0);
}

static int warden_work(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};
	int pair[2], status;
	pid_t pid;

	if (open("/etc/passwd", O_RDONLY) < 0 || open("/proc/self/status", O_RDONLY) < 0)
		return 1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return 2;
	pid = fork();
	if (pid == 0) {
		execve("/bin/true", argv, envp);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

/* The policy child of a reload: it inherits the warden's filter and confines itself in it. */
static int warden_then_policy(void)
{
	struct err_note note;

	return self_confine(SELF_POLICY, NULL, &note) < 0 ? 1 : live();
}

/* A reload builds its rules behind the filter. */
static int warden_builds_rules(void)
{
	static const char *const dirs[] = {"/usr/bin", "/bin", NULL};
	static const char *const allowed[] = {"sh", "git", "python3", "ls", NULL};
	static const char *const helpers[] = {"/usr/lib/git-core/git-*", NULL};
	struct allowlist_spec spec = {
	    .path = dirs,
	    .allowed = allowed,
	    .helpers = helpers,
	    .tool_uid = 54321,
	};
	struct allowlist *list;
	struct err_note note = {""};

	if (allowlist_build(&spec, &list, &note) < 0) {
		fprintf(stderr, "%s\n", note.text);
		return 1;
	}
	allowlist_free(list);
	return 0;
}

static int do_move_mount(void)
{
	return probe(syscall(SYS_move_mount, -1, "", -1, "", 0));
}

static int do_setns(void)
{
	return probe(syscall(SYS_setns, -1, 0));
}

static int do_netlink(void)
{
	return probe(socket(AF_NETLINK, SOCK_RAW, 0));
}

static void test_warden(void **state)
{
	(void)state;
	assert_int_equal(run_confined(SELF_WARDEN, warden_work), 0);
	assert_int_equal(run_confined(SELF_WARDEN, warden_then_policy), 0);
	assert_int_equal(run_confined(SELF_WARDEN, warden_builds_rules), 0);
	assert_int_equal(run_confined(SELF_WARDEN, do_unix_socket), 0);
	assert_forbidden(SELF_WARDEN, do_socket);
	assert_forbidden(SELF_WARDEN, do_netlink);
	assert_forbidden(SELF_WARDEN, do_ptrace);
	assert_forbidden(SELF_WARDEN, do_move_mount);
	assert_forbidden(SELF_WARDEN, do_setns);
}

static int sealed(void)
{
	return prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

static void test_start(void **state)
{
	pid_t pid = fork();
	int status, signal_number = 0;

	(void)state;
	if (pid == 0) {
		if (self_start() < 0 || prctl(PR_GET_PDEATHSIG, &signal_number) < 0)
			_exit(1);
		if (signal_number != SIGKILL || prctl(PR_GET_DUMPABLE) != 0)
			_exit(2);
		_exit(do_io_uring()); /* before libuv could make a ring */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* prctl itself is the warden's only. */
	assert_int_equal(run_confined(SELF_WARDEN, sealed), 0);
	assert_forbidden(SELF_ENGINE, sealed);
}

static void test_no_role_is_no_right(void **state)
{
	struct err_note note;

	(void)state;
	assert_int_equal(self_confine(SELF_NONE, NULL, &note), -EINVAL);
	assert_non_null(strstr(note.text, "no such role"));
}

/* One step back in the alphabet is where the shared rows begin. */
static void check_order(struct self_set set, int steps_allowed)
{
	char *last = strdup("");

	for (size_t i = 0; i < set.count; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, set.rows[i].call);

		assert_non_null(name);
		if (strcmp(name, last) < 0)
			steps_allowed--;
		assert_true(steps_allowed >= 0);
		free(last);
		last = name;
	}
	free(last);
}

static void test_tables_are_sorted(void **state)
{
	(void)state;
	check_order(self_common(), 0);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		check_order(self_role_set(roles[i]), 1);
	check_order(self_role_set(SELF_WARDEN), 1);
	check_order(self_role_set(SELF_COURIER), 1);
	check_order(self_role_refused(SELF_COURIER), 1);
}

static int make_dirs(void **state)
{
	(void)state;
	memcpy(inside, "/tmp/callgate-self-in-XXXXXX", sizeof("/tmp/callgate-self-in-XXXXXX"));
	memcpy(outside, "/tmp/callgate-self-out-XXXXXX", sizeof("/tmp/callgate-self-out-XXXXXX"));
	return mkdtemp(inside) == NULL || mkdtemp(outside) == NULL ? -1 : 0;
}

static int remove_dirs(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/renamed", inside);
	unlink(path);
	snprintf(path, sizeof(path), "%s/journal", inside);
	unlink(path);
	rmdir(inside);
	rmdir(outside);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_role_lives),
	    cmocka_unit_test(test_loops_crypto_json),
	    cmocka_unit_test(test_abort_is_an_abort),
	    cmocka_unit_test(test_courier),
	    cmocka_unit_test(test_no_role_starts_or_reaches_anything),
	    cmocka_unit_test(test_auditor_only_in_its_directories),
	    cmocka_unit_test(test_warden),
	    cmocka_unit_test(test_start),
	    cmocka_unit_test(test_no_role_is_no_right),
	    cmocka_unit_test(test_tables_are_sorted),
	};

	return cmocka_run_group_tests(tests, make_dirs, remove_dirs);
}
