/*
 * The warden's side of the zygote.
 */
#include "sandbox/zygote.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/wire.h"

static int await_ready(int sock, struct err_note *note)
{
	struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
	struct wire_failure failure;
	int r = wire_receive(sock, &message);

	if (r < 0)
		return err_note(
		    note, r, "sandbox: the zygote died at its start; see the kernel log");
	if (message.kind == WIRE_READY)
		return 0;
	wire_get_failure(&message.body, &failure);
	return err_note(
	    note, failure.error > 0 ? -failure.error : -EPROTO, "%s", failure.note.text);
}

int zygote_start(const struct cell_host *host, struct zygote *ret_zygote, struct err_note *note)
{
	int pair[2];
	struct zygote zygote = {.sock = -1, .pid = -1, .pidfd = -1};
	int r = fd_pair(pair);

	if (r < 0)
		return err_note_errno(note, err_note(note, r, "sandbox: no socket for the zygote"));
	zygote.pid = fork();
	if (zygote.pid == 0)
		zygote_run(host, pair[1]);
	r = zygote.pid < 0 ? -errno : 0;
	close(pair[1]);
	zygote.sock = pair[0];
	if (r < 0) {
		close(pair[0]);
		return err_note_errno(note, err_note(note, r, "sandbox: cannot fork the zygote"));
	}
	zygote.pidfd = (int)syscall(SYS_pidfd_open, zygote.pid, 0);
	r = zygote.pidfd < 0 ? err_note(note, -errno, "sandbox: no pidfd; use Linux 5.14 or newer")
			     : await_ready(zygote.sock, note);
	if (r < 0) {
		zygote_stop(&zygote);
		return r;
	}
	*ret_zygote = zygote;
	return 0;
}

int zygote_ask(struct zygote *zygote, uint32_t slot)
{
	struct buf out;

	wire_begin(&out, WIRE_ASK);
	(void)buf_put_u32(&out, slot);
	return wire_send(zygote->sock, &out, NULL, 0);
}

static int take_prepared(struct wire_message *message, struct cell *ret_cell)
{
	struct cell cell = {.sock = wire_take_fd(message), .pidfd = wire_take_fd(message)};
	struct attestation have;

	wire_get_attestation(&message->body, &have);
	cell.prepared_layers = have.layers;
	cell.slot = reader_u32(&message->body);
	cell.pid = (pid_t)reader_u32(&message->body);
	if (cell.pidfd < 0 || cell.pid <= 0 || reader_end(&message->body) < 0) {
		cell_close(&cell);
		return -EBADMSG;
	}
	*ret_cell = cell;
	return 0;
}

/* What a cell failed with, said by another name where zygote_take() means something else by it: a
 * refused clone is EAGAIN as well, and a cell that is gone is EPIPE. The note has the true one. */
static int fault_of(const struct wire_failure *failure)
{
	if (failure->error <= 0)
		return -EPROTO;
	return failure->error == EAGAIN || failure->error == EPIPE ? -ECHILD : -failure->error;
}

/* The cell that failed is our child and about to end, if it ever lived. */
static int take_failed(struct wire_message *message, struct err_note *note)
{
	int cleanup_fd pidfd = wire_take_fd(message);
	struct wire_failure failure;
	siginfo_t info;

	wire_get_failure(&message->body, &failure);
	if (pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
	}
	return err_note(note, fault_of(&failure), "sandbox: %s", failure.note.text);
}

int zygote_take(struct zygote *zygote, struct cell *ret_cell, struct err_note *note)
{
	struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
	int r = wire_poll(zygote->sock);

	if (r == 0)
		r = wire_receive(zygote->sock, &message);
	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return err_note(note, r, "sandbox: the zygote is gone; restart the daemon");
	if (message.kind == WIRE_PREPARED)
		return take_prepared(&message, ret_cell);
	return take_failed(&message, note);
}

void zygote_stop(struct zygote *zygote)
{
	siginfo_t info;

	if (zygote->pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, zygote->pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)zygote->pidfd, &info, WEXITED);
		close(zygote->pidfd);
	}
	if (zygote->sock >= 0)
		close(zygote->sock);
	*zygote = (struct zygote){.sock = -1, .pid = -1, .pidfd = -1};
}
