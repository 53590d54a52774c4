/*
 * A front in a process of its own, confined as in main.c, with the test as engine on one side and
 * as clients on the other. Every wait has a deadline; what does not come fails the test.
 */
#ifndef TESTS_UNIT_FRONT_RIG_H
#define TESTS_UNIT_FRONT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-api/front/front.h"
#include "agent-api/wire/value.h"
#include "sandbox/self.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define RIG_WAIT_MS 10000

struct rig {
	pid_t pid;
	int engine; /* our end of the link */
	struct sockaddr_un name;
	socklen_t name_len;
};

static inline int rig_listen(struct rig *rig)
{
	static unsigned count;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	rig->name = (struct sockaddr_un){.sun_family = AF_UNIX};
	rig->name_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				    snprintf(rig->name.sun_path + 1, 90,
					"callgate-front-test-%d-%u", getpid(), count++));
	assert_int_equal(bind(fd, (struct sockaddr *)&rig->name, rig->name_len), 0);
	assert_int_equal(listen(fd, 4096), 0);
	return fd;
}

/* line_ms: 0 = as patient as the daemon's. */
static inline void rig_child(int engine, int listener, rlim_t files, uint64_t line_ms)
{
	static struct front front;
	struct rlimit limit = {.rlim_cur = files, .rlim_max = files};
	int log = open("/dev/null", O_WRONLY);
	enum front_phase phase;
	struct err_note note;

	dup2(log, 2);
	/* As callgated does it: 3 and 4, and nothing else. */
	fd_move(&engine, 1000);
	fd_move(&listener, 1001);
	fd_move(&engine, 3);
	fd_move(&listener, 4);
	fd_close_from(5);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &limit);
	value_start();
	if (self_start() < 0 || front_open(&front, engine, listener) < 0 ||
	    self_confine(SELF_FRONT, NULL, &note) < 0)
		_exit(9);
	if (line_ms > 0)
		front.line_ms = line_ms;
	phase = front_run(&front);
	front_close(&front);
	_exit(phase == FRONT_DONE && front.budget.held[BUDGET_IN] == 0 &&
		      front.budget.held[BUDGET_OUT] == 0 && !front.budget.holders &&
		      front.connection_count == 0 && front.pending.count == 0
		  ? 0
		  : 1);
}

static inline void rig_start_patient(struct rig *rig, rlim_t files, uint64_t line_ms)
{
	int pair[2], listener = rig_listen(rig);

	assert_int_equal(fd_pair(pair), 0);
	fd_set_nonblocking(pair[1]);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0) {
		close(pair[0]);
		rig_child(pair[1], listener, files, line_ms);
	}
	close(pair[1]);
	close(listener);
	rig->engine = pair[0];
}

static inline void rig_start(struct rig *rig, rlim_t files)
{
	rig_start_patient(rig, files, 0);
}

/* Hangs up as engine; the front's exit status. */
static inline int rig_stop(struct rig *rig)
{
	int status = -1;

	close(rig->engine);
	for (int i = 0; i < RIG_WAIT_MS / 10; i++) {
		if (waitpid(rig->pid, &status, WNOHANG) == rig->pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		usleep(10000);
	}
	kill(rig->pid, SIGKILL);
	waitpid(rig->pid, &status, 0);
	fail_msg("the front did not end");
	return -1;
}

static inline long rig_memory_kib(const struct rig *rig)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", rig->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	}
	fclose(file);
	return kib;
}

/* Sanitizers keep freed memory, so only a plain build can tell. */
static inline void rig_check_memory(const struct rig *rig, long max_kib)
{
#ifdef CALLGATE_SANITIZED
	(void)rig;
	(void)max_kib;
#else
	assert_true(rig_memory_kib(rig) <= max_kib);
#endif
}

/* ---- as engine ---- */

static inline int rig_ready(int fd, int ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, ms) == 1;
}

/* MESSAGE_NONE: whatever comes. */
static inline void rig_next(struct rig *rig, struct message *message, enum message_type type)
{
	static uint8_t bytes[MESSAGE_MAX];
	int fds[MESSAGE_FDS + 1];
	size_t fd_count = 0;
	ssize_t len;

	if (!rig_ready(rig->engine, RIG_WAIT_MS))
		fail_msg("no %s came", message_name(type));
	len = fd_receive(rig->engine, bytes, sizeof(bytes), fds, MESSAGE_FDS + 1, &fd_count);
	assert_true(len > 0);
	assert_int_equal(message_decode(message, bytes, (size_t)len, fds, fd_count), 0);
	if (type != MESSAGE_NONE && message->type != type)
		fail_msg("%s instead of %s", message_name(message->type), message_name(type));
}

/* Expects exactly this and keeps nothing of it. */
static inline uint64_t rig_expect(struct rig *rig, enum message_type type)
{
	struct message message;
	uint64_t value;

	rig_next(rig, &message, type);
	value = type == MESSAGE_PEER        ? message.u.peer.peer
		: type == MESSAGE_PEER_GONE ? message.u.peer_gone.peer
		: type == MESSAGE_CANCEL    ? message.u.cancel.request
					    : message.serial;
	message_fini(&message);
	return value;
}

static inline void rig_quiet(struct rig *rig)
{
	assert_false(rig_ready(rig->engine, 50));
}

static inline void rig_send(struct rig *rig, struct message *message)
{
	struct buf cleanup_with(buf_fini) bytes;
	int cleanup_fd body = -1;

	buf_init(&bytes, MESSAGE_MAX);
	assert_int_equal(message_encode(&bytes, message, &body), 0);
	assert_int_equal(fd_send(rig->engine, bytes.data, bytes.len, &body, body >= 0), 0);
}

static inline void rig_reply_bytes(
    struct rig *rig, uint64_t serial, enum reply_kind kind, const void *body, size_t len)
{
	struct message message;

	message_init(&message, MESSAGE_REPLY);
	message.serial = serial;
	message.u.reply.kind = kind;
	message.u.reply.body = (struct bytes){.data = body, .len = len};
	rig_send(rig, &message);
}

static inline void rig_reply(
    struct rig *rig, uint64_t serial, enum reply_kind kind, const char *body)
{
	rig_reply_bytes(rig, serial, kind, body, strlen(body));
}

/* ---- as client ---- */

static inline int rig_connect(const struct rig *rig)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&rig->name, rig->name_len), 0);
	return fd;
}

static inline int rig_client(struct rig *rig)
{
	int fd = rig_connect(rig);

	rig_expect(rig, MESSAGE_PEER);
	return fd;
}

static inline void rig_say(int fd, const char *text)
{
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* The next line without its newline, freed by the caller; NULL when the front hung up. */
static inline char *rig_hear_line(int fd)
{
	struct buf cleanup_with(buf_fini) line;
	char c;

	buf_init(&line, 16 * 1024 * 1024);
	for (;;) {
		ssize_t n;

		if (!rig_ready(fd, RIG_WAIT_MS))
			fail_msg("no answer came");
		n = read(fd, &c, 1);
		if (n <= 0)
			return NULL;
		if (c == '\n')
			return strdup(line.len ? buf_cstr(&line) : "");
		buf_put(&line, &c, 1);
	}
}

static inline json_t *rig_hear(int fd)
{
	char *cleanup_free line = rig_hear_line(fd);
	json_t *value = line ? json_loads(line, JSON_REJECT_DUPLICATES, NULL) : NULL;

	assert_non_null(value);
	return value;
}

/* Hears one error: its code; *ret_id (if given) is the id as an integer, -1 where it is null. */
static inline int rig_hear_error(int fd, json_int_t *ret_id)
{
	json_t *value = rig_hear(fd);
	const json_t *id = json_object_get(value, "id");
	const json_t *error = json_object_get(value, "error");
	int code = (int)json_integer_value(json_object_get(error, "code"));

	assert_non_null(id);
	if (!json_is_string(json_object_get(error, "message")))
		fail_msg("no error");
	if (ret_id)
		*ret_id = json_is_null(id) ? -1 : json_integer_value(id);
	json_decref(value);
	return code;
}

static inline void rig_hear_exactly(int fd, const char *expected)
{
	char *cleanup_free line = rig_hear_line(fd);

	assert_non_null(line);
	assert_string_equal(line, expected);
}

static inline void rig_hear_end(int fd)
{
	char *cleanup_free line = rig_hear_line(fd);

	assert_null(line);
	close(fd);
}

static inline void rig_ping(int fd)
{
	rig_say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n");
	rig_hear_exactly(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"result\":{}}");
}

#endif
