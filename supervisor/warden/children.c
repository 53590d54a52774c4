#include "supervisor/warden/children.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/paths.h"

#define SERVICE_USER   "callgate"
#define FIRST_FD       3
#define ASIDE_FD       64  /* above every fixed number */
#define EXIT_NOT_FOUND 127 /* what a shell says, too */

void child_user_find(struct child_user *ret)
{
	struct child_user user = {.root = geteuid() == 0, .uid = geteuid(), .gid = getegid()};
	const struct passwd *entry = user.root ? getpwnam(SERVICE_USER) : NULL;

	if (entry && entry->pw_uid != 0) {
		user.service = true;
		user.uid = entry->pw_uid;
		user.gid = entry->pw_gid;
	}
	*ret = user;
}

int child_shed_powers(const struct child_user *user)
{
	cap_t none;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (!user->root)
		return 0;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	if (getgroups(0, NULL) > 0 && setgroups(0, NULL) < 0)
		return -errno;
	if (user->service && (setresgid(user->gid, user->gid, user->gid) < 0 ||
				 setresuid(user->uid, user->uid, user->uid) < 0))
		return -errno;
	none = cap_init();
	if (!none || cap_set_proc(none) < 0)
		return -errno;
	cap_free(none);
	return 0;
}

/* Moves the descriptors to 3, 4, ... by way of high numbers, so that none is overwritten before
 * it was moved. */
static int place_fds(const int *fds, uint32_t count)
{
	int aside[CHILD_FDS_MAX];

	for (uint32_t i = 0; i < count; i++) {
		aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, ASIDE_FD);
		if (aside[i] < 0)
			return -errno;
	}
	for (uint32_t i = 0; i < count; i++)
		if (dup2(aside[i], FIRST_FD + (int)i) < 0)
			return -errno;
	return fd_close_from(FIRST_FD + count);
}

static void become(const struct child_spec *spec, const char *path, pid_t parent)
    __attribute__((noreturn));
static void become(const struct child_spec *spec, const char *path, pid_t parent)
{
	char *argv[] = {(char *)spec->program, (char *)spec->argument, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid(); /* an interrupt typed at the daemon is the daemon's to handle */
	if (place_fds(spec->fds, spec->fd_count) || child_shed_powers(spec->user))
		_exit(EXIT_NOT_FOUND);
	/* After the change of uid, which would clear it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_NOT_FOUND);
	execve(path, argv, spec->environment);
	_exit(EXIT_NOT_FOUND);
}

/* fork(2), or the same for our parent: libc has no word for that. */
static pid_t fork_for(bool for_parent)
{
	return for_parent ? (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) : fork();
}

int child_start(const struct child_spec *spec, struct child *ret, struct err_note *note)
{
	struct child child = {.name = spec->program};
	char libexec[PATHS_MAX], path[PATHS_MAX];
	pid_t parent = spec->for_parent ? getppid() : getpid();
	int fault;

	fault = paths_libexec(libexec);
	if (!fault)
		fault = paths_join(path, libexec, spec->program);
	if (!fault && access(path, X_OK) < 0)
		fault = -errno;
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s cannot be run from %s",
						spec->program, fault == -ENOENT ? libexec : path));
	child.pid = fork_for(spec->for_parent);
	if (child.pid < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", spec->program));
	if (child.pid == 0)
		become(spec, path, parent);
	child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
	if (child.pidfd < 0) {
		fault = -errno;
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
		return err_note_errno(note, err_note(note, fault, "pidfd_open"));
	}
	*ret = child;
	return 0;
}

bool child_is_alive(const struct child *child)
{
	struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};

	return child->pid > 0 && poll(&ended, 1, 0) == 0;
}

int child_reap(struct child *child, int *ret_status)
{
	int status;
	pid_t pid;

	if (child->pid <= 0)
		return -ECHILD;
	pid = waitpid(child->pid, &status, WNOHANG);
	if (pid == 0)
		return -EAGAIN;
	if (pid < 0)
		return -errno;
	child->pid = 0;
	cleanup_fd_(&child->pidfd);
	*ret_status = status;
	return 0;
}

void child_end(struct child *child, uint32_t wait_ms)
{
	struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
	int status;

	if (child->pid <= 0)
		return;
	if (poll(&ended, 1, (int)wait_ms) != 1)
		kill(child->pid, SIGKILL);
	/* Dead or just killed: this waits for the kernel alone. */
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	cleanup_fd_(&child->pidfd);
}

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void child_environment_make(
    struct child_environment *ret, enum log_level level, enum log_format format)
{
	const char *journal = getenv("JOURNAL_STREAM");

	*ret = (struct child_environment){.items = {ret->log}};
	snprintf(ret->log, sizeof(ret->log), "CALLGATE_LOG=%s,%s", level_names[level],
	    format == LOG_FORMAT_JSON ? "json" : "text");
	if (!journal)
		return;
	snprintf(ret->journal, sizeof(ret->journal), "JOURNAL_STREAM=%s", journal);
	ret->items[1] = ret->journal; /* they have our stderr */
}

static int start_roles(
    const struct children_spec *spec, struct children *children, struct err_note *note)
{
	int cleanup_fd ours_auditor = -1, auditor = -1, ours_engine = -1, engine = -1;
	int cleanup_fd auditor_engine = -1, engine_auditor = -1, engine_front = -1;
	int cleanup_fd front_engine = -1;
	int *ends[] = {&ours_auditor, &auditor, &ours_engine, &engine, &auditor_engine,
	    &engine_auditor, &engine_front, &front_engine};
	struct child_environment environment;
	struct child_spec role = {.environment = environment.items, .user = spec->user};
	int fault;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i += 2) {
		int pair[2];

		fault = fd_pair(pair);
		if (fault)
			return err_note_errno(note, err_note(note, fault, "socketpair"));
		*ends[i] = pair[0];
		*ends[i + 1] = pair[1];
	}
	child_environment_make(&environment, spec->level, spec->format);

	role.program = "callgate-auditor";
	role.fds = (int[]){auditor, auditor_engine};
	role.fd_count = 2;
	fault = child_start(&role, &children->auditor, note);
	if (fault)
		return fault;
	role.program = "callgate-engine";
	role.fds = (int[]){engine, engine_auditor, engine_front, spec->store};
	role.fd_count = 4;
	fault = child_start(&role, &children->engine, note);
	if (fault)
		return fault;
	role.program = "callgate-front";
	role.fds = (int[]){front_engine, spec->listener};
	role.fd_count = 2;
	fault = child_start(&role, &children->front, note);
	if (fault)
		return fault;
	children->auditor_link = take_fd(&ours_auditor);
	children->engine_link = take_fd(&ours_engine);
	return 0;
}

int children_start(const struct children_spec *spec, struct children *ret, struct err_note *note)
{
	struct children children = {.auditor = {.pidfd = -1},
	    .engine = {.pidfd = -1},
	    .front = {.pidfd = -1},
	    .auditor_link = -1,
	    .engine_link = -1};
	int fault = start_roles(spec, &children, note);

	if (fault) {
		child_end(&children.front, 0);
		child_end(&children.engine, 0);
		child_end(&children.auditor, 0);
		return fault;
	}
	*ret = children;
	return 0;
}
