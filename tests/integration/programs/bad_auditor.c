/*
 * An auditor that lies: it stands in for callgate-auditor, starts the real one behind it and
 * relays every datagram both ways, except what the file callgate-auditor.mode beside it says about
 * answers to decisions:
 *   withhold  the answer never reaches engine
 *   forge     the MAC of the receipt is another one
 *   other     the receipt of the call before (first call: passed, as it has none)
 *   kill      the real auditor is killed when the first decision arrives
 *   pass      nothing is changed (the test of the test)
 * Each must end in "no tool ran", but for pass. The real program is callgate-auditor.real beside
 * this one.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/link/message.h"

enum { WARDEN = 3, ENGINE = 4 };

struct liar {
	const char *mode;
	pid_t real;
	int to_real[2]; /* [0] warden's side, [1] engine's side, of the real auditor */
	uint64_t decision_serial;
	struct receipt previous;
	int has_previous;
};

static int start_real(struct liar *liar)
{
	int warden[2], engine[2];
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 8);

	if (len <= 0 || fd_pair(warden) != 0 || fd_pair(engine) != 0)
		return -1;
	memcpy(path + len, ".real", 6);
	liar->real = fork();
	if (liar->real == 0) {
		int w = warden[1], e = engine[1];

		dup2(w, 100);
		dup2(e, 101);
		dup2(100, WARDEN);
		dup2(101, ENGINE);
		closefrom(5);
		execl(path, "callgate-auditor", (char *)NULL);
		_exit(99);
	}
	close(warden[1]);
	close(engine[1]);
	liar->to_real[0] = warden[0];
	liar->to_real[1] = engine[0];
	return liar->real > 0 ? 0 : -1;
}

/* Changes or drops an answer of the real auditor to engine. 1: drop it. */
static int lie(struct liar *liar, uint8_t *bytes, ssize_t *len)
{
	struct message message = {0};
	struct receipt mine;
	struct buf out = {0};
	int body_fd = -1;

	if (message_decode(&message, bytes, (size_t)*len, NULL, 0) != 0)
		return 0;
	if (message.type != MESSAGE_RECORDED || message.serial != liar->decision_serial) {
		message_fini(&message);
		return 0;
	}
	mine = message.u.recorded.receipt;
	if (strcmp(liar->mode, "withhold") == 0) {
		message_fini(&message);
		return 1;
	}
	if (strcmp(liar->mode, "forge") == 0)
		message.u.recorded.receipt.mac.bytes[7] ^= 1;
	if (strcmp(liar->mode, "other") == 0 && liar->has_previous)
		message.u.recorded.receipt = liar->previous;
	liar->previous = mine;
	liar->has_previous = 1;
	buf_init(&out, MESSAGE_MAX);
	if (message_encode(&out, &message, &body_fd) == 0) {
		memcpy(bytes, out.data, out.len);
		*len = (ssize_t)out.len;
	}
	buf_fini(&out);
	message_fini(&message);
	return 0;
}

/* Remembers the serial of an allow decision on its way to the real auditor. */
static void notice(struct liar *liar, const uint8_t *bytes, ssize_t len)
{
	struct message message = {0};

	if (message_decode(&message, bytes, (size_t)len, NULL, 0) != 0)
		return;
	if (message.type == MESSAGE_RECORD && message.u.record.allow) {
		liar->decision_serial = message.serial;
		if (strcmp(liar->mode, "kill") == 0)
			kill(liar->real, SIGKILL);
	}
	message_fini(&message);
}

static int relay(struct liar *liar, int from, int to)
{
	static uint8_t bytes[MESSAGE_MAX];
	int fds[FD_PASS_MAX];
	size_t count = 0;
	ssize_t len = fd_receive(from, bytes, sizeof(bytes), fds, FD_PASS_MAX, &count);

	if (len <= 0)
		return -1;
	if (from == ENGINE && count == 0)
		notice(liar, bytes, len);
	if (to != ENGINE || count != 0 || !lie(liar, bytes, &len))
		if (fd_send(to, bytes, (size_t)len, fds, count) != 0)
			return -1;
	while (count > 0)
		close(fds[--count]);
	return 0;
}

/* One word. The warden hands no environment down that could carry it. */
static int read_mode(char *mode, size_t max)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 8);
	FILE *file;

	if (len <= 0)
		return -1;
	memcpy(path + len, ".mode", 6);
	file = fopen(path, "re");
	if (!file || !fgets(mode, (int)max, file))
		return -1;
	fclose(file);
	mode[strcspn(mode, "\n")] = 0;
	return 0;
}

int main(void)
{
	static char mode[32];
	struct liar liar = {.mode = mode};

	if (read_mode(mode, sizeof(mode)) != 0 || start_real(&liar) != 0)
		return 1;
	for (;;) {
		struct pollfd polls[] = {{WARDEN, POLLIN, 0}, {ENGINE, POLLIN, 0},
		    {liar.to_real[0], POLLIN, 0}, {liar.to_real[1], POLLIN, 0}};
		const int to[] = {liar.to_real[0], liar.to_real[1], WARDEN, ENGINE};

		if (poll(polls, 4, -1) < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < 4; i++)
			if (polls[i].revents && relay(&liar, polls[i].fd, to[i]) != 0)
				return 1;
	}
}
