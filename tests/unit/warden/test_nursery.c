/* The nursery: what it starts is ours, confined and outside our namespaces; what it holds is
 * nothing; what it does not know it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <libgen.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/nursery.h"
#include "tests/unit/warden/copies.h"

extern char **environ;

/* What the stand-in finds out about itself. */
struct found {
	char name[32];
	char user_space[64]; /* its user namespace */
	pid_t parent;
	pid_t session;
	int fds;      /* how many it holds */
	int no_privs; /* no_new_privs is set */
	int mount;    /* errno of an attempt to mount */
	int trace;    /* the same to trace its parent */
	int space;    /* the same to leave its namespaces */
	char environment[256];
};

static int count_fds(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = -1; /* the list itself */

	while (list && readdir(list))
		count++;
	closedir(list);
	return count - 2; /* "." and ".." */
}

/* Tells on 3, then waits for a word: its exit status, or the end of the link. */
static int stand_in(const char *name, const char *folder)
{
	struct found found = {.parent = getppid(), .session = getsid(0)};
	unsigned char word = 9;

	(void)folder;
	snprintf(found.name, sizeof(found.name), "%s", name);
	if (readlink("/proc/self/ns/user", found.user_space, sizeof(found.user_space) - 1) <= 0)
		return 3;
	found.fds = count_fds();
	found.no_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	found.mount = syscall(SYS_mount, "none", "/", "none", 0, NULL) < 0 ? errno : 0;
	found.trace = syscall(SYS_ptrace, 16, getppid(), 0, 0) < 0 ? errno : 0;
	found.space = syscall(SYS_unshare, CLONE_NEWUSER) < 0 ? errno : 0;
	for (char **at = environ; *at; at++)
		strncat(found.environment, *at,
		    sizeof(found.environment) - 2 - strlen(found.environment)),
		    strcat(found.environment, ";");
	if (fd_send(3, &found, sizeof(found), NULL, 0))
		return 4;
	return read(3, &word, 1) == 1 ? word : 0;
}

static struct nursery nursery;

static int setup(void **state)
{
	const struct child_user user = {.root = geteuid() == 0, .uid = geteuid(), .gid = getegid()};
	struct err_note note = {""};

	(void)state;
	setenv("T_SECRET", "topsecret", 1);
	if (nursery_start(&nursery, &user, &note))
		fail_msg("%s", note.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nursery_stop(&nursery);
	return 0;
}

/* Our end of its link to engine; the other ends of what it got are closed. */
static int start(enum nursery_program program, uint32_t count, struct child *child)
{
	struct err_note note = {""};
	int pair[2], more[2];
	int fds[NURSERY_FDS_MAX] = {-1, -1, -1};
	struct nursery_order order = {.program = program, .fds = fds, .level = LOG_LEVEL_WARN};

	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(fd_pair(more), 0);
	fds[0] = pair[1];
	fds[1] = fds[2] = more[1];
	(void)count;
	if (nursery_ask(&nursery, &order, child, &note))
		fail_msg("%s", note.text);
	close(pair[1]);
	close(more[0]);
	close(more[1]);
	return pair[0];
}

static int ended_with(struct child *child)
{
	struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
	int status;

	assert_int_equal(poll(&end, 1, 20000), 1);
	assert_int_equal(child_reap(child, &status), 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void hear(int link, struct found *ret)
{
	struct pollfd there = {.fd = link, .events = POLLIN};

	assert_int_equal(poll(&there, 1, 20000), 1);
	assert_int_equal(read(link, ret, sizeof(*ret)), sizeof(*ret));
}

static void what_it_starts_is_our_child_and_confined(void **state)
{
	struct child child = {.pidfd = -1};
	struct found found;
	char ours[64] = "";
	int cleanup_fd link = start(NURSERY_HTTP, 3, &child);

	(void)state;
	hear(link, &found);
	assert_string_equal(found.name, "callgate-front-http");
	assert_string_equal(child.name, "callgate-front-http");
	assert_int_equal(found.parent, getpid());
	assert_int_equal(found.session, child.pid);
	assert_int_equal(found.fds, 6); /* 0 to 5 */
	assert_int_equal(found.no_privs, 1);
	assert_int_equal(found.mount, EPERM);
	assert_int_equal(found.trace, EPERM);
	assert_int_equal(found.space, EPERM);
	assert_string_equal(found.environment, "CALLGATE_LOG=warn,text;");
	assert_true(readlink("/proc/self/ns/user", ours, sizeof(ours) - 1) > 0);
	assert_string_equal(found.user_space, ours);
	assert_int_equal(write(link, "\007", 1), 1);
	assert_int_equal(ended_with(&child), 7);
	assert_int_equal(child.pid, 0);
}

static void it_starts_many_one_after_another(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct child child = {.pidfd = -1};
		struct found found;
		int cleanup_fd link = start(i % 2 ? NURSERY_HTTP : NURSERY_COURIER, 2, &child);

		hear(link, &found);
		assert_int_equal(found.fds, i % 2 ? 6 : 5);
		cleanup_fd_(&link);
		assert_int_equal(ended_with(&child), 0);
	}
}

/* The reason for it: we have entered a user namespace, and what it starts is not in it. */
static void in_a_namespace_of_ours_it_is_not(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	nursery_stop(&nursery);
	pid = fork();
	if (pid == 0) {
		struct child child = {.pidfd = -1};
		struct found found;
		char before[64] = "";
		uid_t uid = 1;
		int link, own;

		(void)setup(NULL);
		if (readlink("/proc/self/ns/user", before, sizeof(before) - 1) <= 0 ||
		    unshare(CLONE_NEWUSER) < 0)
			_exit(3);
		link = start(NURSERY_COURIER, 2, &child);
		hear(link, &found);
		if (strcmp(found.user_space, before))
			_exit(4);
		/* /dev/null is root's, which cannot be seen from in here */
		own = open("/dev/null", O_RDONLY);
		if (nursery_owner(&nursery, own, &uid) || uid != 0)
			_exit(5);
		close(link);
		if (ended_with(&child) != 0)
			_exit(6);
		nursery_stop(&nursery);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void it_holds_nothing(void **state)
{
	char path[64], text[65536];
	ssize_t len;
	int fd;

	(void)state;
	/* An answer says that it is ready: before, it is still a copy of us. */
	{
		struct child child = {.pidfd = -1};
		int link = start(NURSERY_COURIER, 2, &child);

		close(link);
		(void)ended_with(&child);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)nursery.child.pid);
	if (geteuid() == 0) { /* it is not dumpable: only root may look */
		DIR *list = opendir(path);
		int count = -2;

		assert_non_null(list);
		while (readdir(list))
			count++;
		closedir(list);
		assert_int_equal(count, 4); /* 0 to 2, and its socket */
		snprintf(path, sizeof(path), "/proc/%d/environ", (int)nursery.child.pid);
		fd = open(path, O_RDONLY);
		len = read(fd, text, sizeof(text));
		close(fd);
		assert_true(len >= 0);
		assert_null(memmem(text, (size_t)len, "topsecret", 9));
	} else {
		assert_null(opendir(path));
	}
}

static void what_it_does_not_know_it_refuses(void **state)
{
	struct err_note note = {""};
	struct child child = {.pidfd = -1};
	const int fds[] = {0, 0, 0};
	struct nursery_order order = {.program = NURSERY_NONE, .fds = fds};
	uint32_t wrong[][4] = {
	    {1, 0, 0, 0}, {1, 7, 0, 0}, {1, 1, 77, 0}, {1, 1, 0, 9}, {9, 1, 0, 0}};
	char answer[1024];

	(void)state;
	assert_int_equal(nursery_ask(&nursery, &order, &child, &note), -EINVAL);
	order.program = NURSERY_PROGRAM_COUNT;
	assert_int_equal(nursery_ask(&nursery, &order, &child, &note), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(fd_send(nursery.sock, wrong[i], 16, fds, 3), 0);
		assert_true(recv(nursery.sock, answer, sizeof(answer), 0) > 4);
		assert_int_equal(*(int32_t *)(void *)answer, -EBADMSG);
	}
	/* one descriptor too few */
	assert_int_equal(fd_send(nursery.sock, wrong[2], 0 + 16, fds, 2), 0);
	assert_true(recv(nursery.sock, answer, sizeof(answer), 0) > 4);
	assert_int_equal(*(int32_t *)(void *)answer, -EBADMSG);
	assert_true(child_is_alive(&nursery.child));
}

static void a_program_that_is_not_there_is_named(void **state)
{
	struct err_note note = {""};
	struct child child = {.pidfd = -1};
	const int fds[] = {0, 0, 0};
	const struct nursery_order order = {.program = NURSERY_COURIER, .fds = fds};
	char exe[256] = "", path[300], aside[310];

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	snprintf(path, sizeof(path), "%s/callgate-courier", dirname(exe));
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(nursery_ask(&nursery, &order, &child, &note), -ENOENT);
	assert_int_equal(rename(aside, path), 0);
	assert_non_null(strstr(note.text, "callgate-courier cannot be run from"));
	assert_int_equal(child.pid, 0);
}

static void without_it_nothing_is_started(void **state)
{
	struct err_note note = {""};
	struct child child = {.pidfd = -1};
	const int fds[] = {0, 0, 0};
	const struct nursery_order order = {.program = NURSERY_HTTP, .fds = fds};
	uid_t uid;

	(void)state;
	assert_int_equal(kill(nursery.child.pid, SIGKILL), 0);
	assert_int_equal(nursery_ask(&nursery, &order, &child, &note), -EPIPE);
	assert_non_null(strstr(note.text, "callgate-nursery does not answer"));
	assert_int_equal(nursery_owner(&nursery, 0, &uid), -EPIPE);
	assert_int_equal(child.pid, 0);
}

/* All of them end with us, however we end. */
static void they_end_with_the_one_who_asked(void **state)
{
	int said[2];
	pid_t pid, pids[2];
	int status;

	(void)state;
	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		struct child child = {.pidfd = -1};
		struct found found;
		int link;

		(void)setup(NULL);
		link = start(NURSERY_HTTP, 3, &child);
		hear(link, &found);
		pids[0] = child.pid;
		pids[1] = nursery.child.pid;
		(void)!write(said[1], pids, sizeof(pids));
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(said[0], pids, sizeof(pids)), sizeof(pids));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; i < 2; i++) {
		int gone = 0;

		for (int tries = 0; tries < 200 && !gone; tries++) {
			gone = kill(pids[i], 0) < 0 && errno == ESRCH;
			if (!gone) { /* or its corpse waits for whoever reaps orphans here */
				char path[64], text[512] = "";
				int fd;

				snprintf(path, sizeof(path), "/proc/%d/stat", (int)pids[i]);
				fd = open(path, O_RDONLY);
				gone = fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
				       strstr(text, ") Z ");
				close(fd);
				usleep(50000);
			}
		}
		assert_true(gone);
	}
	close(said[0]);
	close(said[1]);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test_setup_teardown(
		what_it_starts_is_our_child_and_confined, setup, teardown),
	    cmocka_unit_test_setup_teardown(it_starts_many_one_after_another, setup, teardown),
	    cmocka_unit_test_setup_teardown(in_a_namespace_of_ours_it_is_not, setup, teardown),
	    cmocka_unit_test_setup_teardown(it_holds_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_it_does_not_know_it_refuses, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(without_it_nothing_is_started, setup, teardown),
	    cmocka_unit_test_setup_teardown(they_end_with_the_one_who_asked, setup, teardown),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(void)
{
	return copies_run(tests, stand_in);
}
