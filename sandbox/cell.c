/*
 * The warden's side of a cell: words to it, words from it, and its end.
 */
#include "sandbox/cell.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "sandbox/enter.h"
#include "sandbox/wire.h"

int cell_arm(const struct cell *cell, const struct cell_arm *arm)
{
	return wire_send_arm(cell->sock, arm);
}

int cell_go(const struct cell *cell)
{
	struct buf out;

	wire_begin(&out, WIRE_GO);
	return wire_send(cell->sock, &out, NULL, 0);
}

static void read_failed(struct wire_message *message, struct cell_event *event)
{
	struct wire_failure failure;

	wire_get_failure(&message->body, &failure);
	event->kind = CELL_EVENT_FAILED;
	event->step = enter_step_name(failure.step);
	event->error = failure.error;
	event->note = failure.note;
}

static void read_exited(struct reader *in, struct cell_event *event)
{
	unsigned reached;

	event->kind = CELL_EVENT_EXITED;
	event->signaled = reader_u8(in) != 0;
	event->code = (int)reader_u32(in);
	event->cpu_us = reader_u64(in);
	event->memory_peak = reader_u64(in);
	reached = reader_u8(in);
	if (reached > CELL_REACHED_LAST)
		in->fault = -EBADMSG;
	else
		event->reached = (enum cell_reached)reached;
}

int cell_event_read(const struct cell *cell, struct cell_event *ret_event)
{
	struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
	struct cell_event event = {.kind = CELL_EVENT_NONE};
	int r = wire_poll(cell->sock);

	if (r == 0)
		r = wire_receive(cell->sock, &message);
	if (r < 0)
		return r;
	if (message.kind == WIRE_ARMED) {
		event.kind = CELL_EVENT_ARMED;
		wire_get_attestation(&message.body, &event.attestation);
	} else if (message.kind == WIRE_STARTED) {
		event.kind = CELL_EVENT_STARTED;
	} else if (message.kind == WIRE_FAILED) {
		read_failed(&message, &event);
	} else if (message.kind == WIRE_EXITED) {
		read_exited(&message.body, &event);
	}
	if (event.kind == CELL_EVENT_NONE || reader_end(&message.body) < 0)
		return -EBADMSG;
	*ret_event = event;
	return 0;
}

int cell_kill(const struct cell *cell)
{
	if (syscall(SYS_pidfd_send_signal, cell->pidfd, SIGKILL, NULL, 0) < 0)
		return -errno;
	return 0;
}

int cell_reap(const struct cell *cell)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PIDFD, (id_t)cell->pidfd, &info, WEXITED | WNOHANG) < 0)
		return -errno;
	return info.si_pid == 0 ? -EAGAIN : 0;
}

void cell_close(struct cell *cell)
{
	if (cell->sock >= 0)
		close(cell->sock);
	if (cell->pidfd >= 0)
		close(cell->pidfd);
	*cell = (struct cell){.sock = -1, .pidfd = -1};
}
