/* The warden's side. */
#include "supervisor/warden/keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/serve.h"

#define START_MS 10000

/* Whether it is able is its first word. */
static int await_ready(struct keeper *keeper, struct err_note *note)
{
	struct pollfd answer = {.fd = keeper->sock, .events = POLLIN};
	struct keeper_told told;
	int cleanup_fd none = -1;

	if (poll(&answer, 1, START_MS) != 1)
		return err_note(note, -ETIMEDOUT, "the keeper did not start");
	if (keeper_take(keeper, &told, &none))
		return err_note(note, -EPIPE, "the keeper died at its start; see the kernel log");
	keeper->able = told.status == ANSWER_OK;
	keeper->why = told.note;
	return 0;
}

int keeper_start(struct keeper *ret, bool root, int saved, struct err_note *note)
{
	struct keeper keeper = {.sock = -1, .pid = -1, .pidfd = -1};
	int pair[2];
	pid_t parent = getpid();
	int fault = fd_pair(pair);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "socketpair"));
	keeper.pid = fork();
	if (keeper.pid == 0)
		keeper_run(pair[1], saved, root, parent);
	close(pair[1]);
	keeper.sock = pair[0];
	if (keeper.pid < 0)
		fault = err_note_errno(note, err_note(note, -errno, "fork of the keeper"));
	if (!fault && (keeper.pidfd = (int)syscall(SYS_pidfd_open, keeper.pid, 0)) < 0)
		fault = err_note_errno(note, err_note(note, -errno, "the keeper"));
	if (!fault)
		fault = await_ready(&keeper, note);
	if (fault) {
		keeper_stop(&keeper);
		return fault;
	}
	*ret = keeper;
	return 0;
}

int keeper_ask(
    const struct keeper *keeper, const struct keeper_ask *ask, const int *fds, size_t fd_count)
{
	return keeper->sock < 0 ? -EPIPE : fd_send(keeper->sock, ask, sizeof(*ask), fds, fd_count);
}

int keeper_take(const struct keeper *keeper, struct keeper_told *ret, int *ret_fd)
{
	struct pollfd answer = {.fd = keeper->sock, .events = POLLIN};
	size_t count = 0;

	*ret_fd = -1;
	if (poll(&answer, 1, 0) != 1)
		return -EAGAIN;
	if (fd_receive(keeper->sock, ret, sizeof(*ret), ret_fd, 1, &count) != sizeof(*ret)) {
		if (count)
			cleanup_fd_(ret_fd);
		return -EPIPE;
	}
	if (!count)
		*ret_fd = -1;
	ret->note.text[sizeof(ret->note.text) - 1] = '\0';
	ret->call[CALL_ID_MAX] = '\0';
	return 0;
}

void keeper_stop(struct keeper *keeper)
{
	cleanup_fd_(&keeper->sock);
	if (keeper->pid > 0) {
		(void)kill(keeper->pid, SIGKILL);
		while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	cleanup_fd_(&keeper->pidfd);
	keeper->pid = -1;
}
