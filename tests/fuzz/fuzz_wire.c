/*
 * The words between warden, zygote and cell, as they come out of a socket. The first byte of the
 * input says who reads; then each message: how many bytes (u16), how many descriptors (u8), the
 * bytes. What is taken hangs together, and no descriptor is lost or closed twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "sandbox/enter.h"
#include "sandbox/wire.h"

#define MESSAGES_MAX 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum reads { READS_CELL, READS_RULES, READS_EVENTS, READS_PREPARED, READS_COUNT };

static void must(bool truth)
{
	if (!truth)
		abort();
}

/* One more than was there: the lowest free number, which a leak moves. */
static int lowest_free(void)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 0);

	must(fd >= 0);
	close(fd);
	return fd;
}

static void send_all(int sock, int null, const uint8_t *data, size_t size)
{
	int fds[WIRE_FDS];

	for (int i = 0; i < WIRE_FDS; i++)
		fds[i] = null;
	for (int i = 0; i < MESSAGES_MAX && size >= 3; i++) {
		size_t len = data[0] | (size_t)data[1] << 8;
		size_t count = data[2] <= WIRE_FDS ? data[2] : WIRE_FDS;

		data += 3;
		size -= 3;
		len = len < size ? len : size;
		/* A full socket, or an empty message, which is an end: no more. */
		if (len == 0 || fd_send(sock, data, len, fds, count) < 0)
			return;
		data += len;
		size -= len;
	}
}

static void check_words(char *const *words)
{
	for (; *words; words++)
		must(strlen(*words) < CELL_ARG_BYTES);
}

static void read_as_cell(int sock)
{
	struct arm_request arm;
	int r = wire_receive_arm(sock, &arm);

	must(r == 0 || r == -EPIPE || r == -EBADMSG || r == -EMSGSIZE || r == -ENOMEM);
	if (r == 0) {
		must(arm.exec_fd >= 0 && arm.stdio[1] >= 0 && arm.stdio[2] >= 0);
		must(arm.argv[0] && arm.rule_count <= CELL_RULES_MAX);
		must(arm.mode <= CELL_WORKSPACE_EXEC);
		check_words(arm.argv);
		check_words(arm.envp);
	}
	arm_request_fini(&arm);
}

/* The number of rules is the ARM's; without Landlock they are read, and closed. */
static void read_rules(int sock, uint8_t count)
{
	struct entry entry = {.sock = sock, .ruleset = -1, .arm = {.rule_count = count}};

	(void)landlock_rules(&entry);
}

static void read_events(int sock)
{
	const struct cell cell = {.sock = sock, .pidfd = -1};
	struct cell_event event;

	while (cell_event_read(&cell, &event) == 0) {
		must(event.kind > CELL_EVENT_NONE && event.kind <= CELL_EVENT_EXITED);
		must((event.kind == CELL_EVENT_FAILED) == (event.step != NULL));
		must((event.attestation.layers & ~LAYERS_ALL) == 0);
	}
}

static void read_prepared(int sock)
{
	struct zygote zygote = {.sock = sock, .pid = -1, .pidfd = -1};
	struct err_note note;
	struct cell cell;
	int r;

	do {
		r = zygote_take(&zygote, &cell, &note);
		if (r == 0) {
			must(cell.sock >= 0 && cell.pidfd >= 0 && cell.pid > 0);
			cell_close(&cell);
		}
	} while (r != -EAGAIN && r != -EPIPE && r != -ECONNRESET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int before = lowest_free(), null, pair[2];

	if (size < 2)
		return 0;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	must(null >= 0 && fd_pair(pair) == 0 && fd_set_nonblocking(pair[0]) == 0);
	send_all(pair[0], null, data + 2, size - 2);
	close(pair[0]);
	switch ((enum reads)(data[0] % READS_COUNT)) {
	case READS_CELL: read_as_cell(pair[1]); break;
	case READS_RULES: read_rules(pair[1], data[1]); break;
	case READS_EVENTS: read_events(pair[1]); break;
	case READS_PREPARED: read_prepared(pair[1]); break;
	case READS_COUNT: break;
	}
	close(pair[1]);
	close(null);
	must(lowest_free() == before);
	return 0;
}
