#include "supervisor/warden/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/self.h"

#define ATTACH_SOCK 3

static int32_t write_all(const int *fds, size_t count, int32_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	for (size_t i = 0; i < count; i++)
		if (write(fds[i], text, (size_t)len) != len)
			return -errno;
	return 0;
}

static _Noreturn void serve(void)
{
	for (;;) {
		int fds[CGROUP_TREE_COUNT];
		size_t count = 0;
		int32_t pid, fault;

		if (fd_receive(ATTACH_SOCK, &pid, sizeof(pid), fds, CGROUP_TREE_COUNT, &count) !=
		    sizeof(pid))
			_exit(0); /* the warden is gone */
		fault = write_all(fds, count, pid);
		while (count > 0)
			close(fds[--count]);
		if (fd_send(ATTACH_SOCK, &fault, sizeof(fault), NULL, 0))
			_exit(0);
	}
}

static _Noreturn void become_attacher(int sock, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	/* An interrupt typed at the daemon's terminal is the daemon's to handle. */
	if (setpgid(0, 0) < 0 || fd_move(&sock, ATTACH_SOCK) || fd_close_from(ATTACH_SOCK + 1))
		_exit(1);
	(void)prctl(PR_SET_NAME, "callgate-attach"); /* for ps; nothing hangs on it */
	/* What it needs is what the signer needs: descriptors that are open already. */
	if (self_start() || self_confine(SELF_SIGNER, NULL, NULL))
		_exit(1);
	serve();
}

int attach_start(struct attacher *ret, struct err_note *note)
{
	pid_t parent = getpid(), pid;
	int pair[2];
	int fault = fd_pair(pair);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "socketpair"));
	pid = fork();
	if (pid == 0)
		become_attacher(pair[1], parent);
	close(pair[1]);
	if (pid < 0) {
		fault = -errno;
		close(pair[0]);
		return err_note_errno(note, err_note(note, fault, "fork"));
	}
	*ret = (struct attacher){.sock = pair[0], .pid = pid};
	return 0;
}

int attach_ask(const struct attacher *attacher, const struct cgroup_leaf *leaf, pid_t pid)
{
	int32_t number = pid;
	int fds[CGROUP_TREE_COUNT];
	size_t count = 0;
	int fault = cgroup_leaf_procs(leaf, fds, &count);

	if (!fault)
		fault = fd_send(attacher->sock, &number, sizeof(number), fds, count);
	while (count > 0)
		close(fds[--count]);
	return fault;
}

int attach_answer(const struct attacher *attacher, int *ret_fault)
{
	int32_t fault;
	ssize_t got = recv(attacher->sock, &fault, sizeof(fault), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (got != sizeof(fault))
		return -EPIPE;
	*ret_fault = fault;
	return 0;
}

void attach_stop(struct attacher *attacher)
{
	cleanup_fd_(&attacher->sock);
	if (attacher->pid > 0) {
		kill(attacher->pid, SIGKILL);
		while (waitpid(attacher->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	attacher->pid = 0;
}
