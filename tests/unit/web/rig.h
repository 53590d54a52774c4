/*
 * An HTTP front in a process of its own, confined as in main.c, on a port of the loopback, with the
 * test as engine, as warden and as its clients. Every wait has a deadline; what does not come fails
 * the test.
 */
#ifndef TESTS_UNIT_WEB_RIG_H
#define TESTS_UNIT_WEB_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-api/web/warm.h"
#include "agent-api/web/web.h"
#include "agent-api/wire/value.h"
#include "sandbox/self.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define RIG_WAIT_MS 10000

struct rig {
	pid_t pid;
	int engine; /* our ends of the links */
	int warden;
	int port;
};

static inline int rig_listen(struct rig *rig)
{
	struct sockaddr_in name = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	rig->port = ntohs(name.sin_port);
	return fd;
}

static inline void rig_child(int engine, int listener, int warden)
{
	static struct web web;
	struct err_note note;
	int log = open("/dev/null", O_WRONLY);
	enum web_phase phase;
	bool clean;

	if (!getenv("RIG_LOUD"))
		dup2(log, 2);
	fd_move(&engine, 1000);
	fd_move(&listener, 1001);
	fd_move(&warden, 1002);
	fd_move(&engine, 3);
	fd_move(&listener, 4);
	fd_move(&warden, 5);
	fd_close_from(6);
	signal(SIGPIPE, SIG_IGN);
	value_start();
	if (self_start() < 0 || warm_tls(&note) < 0 ||
	    web_open(&web, engine, listener, warden) < 0 ||
	    self_confine(SELF_FRONT_HTTP, NULL, &note) < 0)
		_exit(9);
	phase = web_run(&web);
	web_close(&web);
	clean = web.in_flight == 0 && web.streams == 0 && web.exchanges == 0 && !web.batches &&
		web.server.held == 0 && web.server.count == 0;
	_exit(!clean ? 7 : phase == WEB_DONE ? 0 : 1);
}

/* ---- as engine and warden ---- */

static inline int rig_ready(int fd, int ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, ms) == 1;
}

static inline void rig_next_from(int fd, struct message *message, enum message_type type)
{
	static uint8_t bytes[MESSAGE_MAX];
	int fds[MESSAGE_FDS + 1];
	size_t fd_count = 0;
	ssize_t len;

	if (!rig_ready(fd, RIG_WAIT_MS))
		fail_msg("no %s came", message_name(type));
	len = fd_receive(fd, bytes, sizeof(bytes), fds, MESSAGE_FDS + 1, &fd_count);
	assert_true(len > 0);
	assert_int_equal(message_decode(message, bytes, (size_t)len, fds, fd_count), 0);
	if (message->type != type)
		fail_msg("%s instead of %s", message_name(message->type), message_name(type));
}

static inline void rig_next(struct rig *rig, struct message *message, enum message_type type)
{
	rig_next_from(rig->engine, message, type);
}

/* Expects exactly this and keeps its number. */
static inline uint64_t rig_expect(struct rig *rig, enum message_type type)
{
	struct message message;
	uint64_t value;

	rig_next(rig, &message, type);
	value = type == MESSAGE_VISITOR     ? message.u.visitor.peer
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

static inline void rig_send_to(int fd, struct message *message)
{
	struct buf cleanup_with(buf_fini) bytes;
	int fds[MESSAGE_FDS + 1];
	size_t count = message->fd_count;
	int cleanup_fd body = -1;

	buf_init(&bytes, MESSAGE_MAX);
	assert_int_equal(message_encode(&bytes, message, &body), 0);
	memcpy(fds, message->fds, count * sizeof(int));
	if (body >= 0)
		fds[count++] = body;
	assert_int_equal(fd_send(fd, bytes.data, bytes.len, fds, count), 0);
}

static inline void rig_reply_full(struct rig *rig, uint64_t serial, struct message_reply reply)
{
	struct message message;

	message_init(&message, MESSAGE_REPLY);
	message.serial = serial;
	message.u.reply = reply;
	rig_send_to(rig->engine, &message);
}

static inline void rig_reply(
    struct rig *rig, uint64_t serial, enum reply_kind kind, const char *body)
{
	rig_reply_full(rig, serial,
	    (struct message_reply){
		.kind = (uint16_t)kind, .challenge = "", .body = {body, strlen(body)}});
}

static inline void rig_notify(struct rig *rig, uint64_t peer, const char *body)
{
	struct message message;

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = peer;
	message.u.notify.body = (struct bytes){body, strlen(body)};
	rig_send_to(rig->engine, &message);
}

/* Plain, open, no lists. */
static inline struct message_site rig_site(void)
{
	return (struct message_site){
	    .body_max = 1024 * 1024, .url = "", .issuer = "", .listen = "127.0.0.1", .metrics = 1};
}

/* Says how to serve; the status of SITE_TAKEN. fds: as has_tls says. */
static inline int rig_say_site(
    struct rig *rig, const struct message_site *site, const int *fds, uint32_t count)
{
	struct message message;
	int status;

	message_init(&message, MESSAGE_SITE);
	message.serial = 77;
	message.u.site = *site;
	for (uint32_t i = 0; i < count; i++)
		message.fds[i] = fds[i];
	message.fd_count = count;
	rig_send_to(rig->warden, &message);
	rig_next_from(rig->warden, &message, MESSAGE_SITE_TAKEN);
	assert_int_equal(message.serial, 77);
	status = message.u.site_taken.status;
	if (getenv("RIG_LOUD"))
		fprintf(stderr, "# site: %s\n", message.u.site_taken.note);
	message_fini(&message);
	return status;
}

/* Without settings yet. */
static inline void rig_start_bare(struct rig *rig)
{
	int engine[2], warden[2], listener = rig_listen(rig);

	assert_int_equal(fd_pair(engine), 0);
	assert_int_equal(fd_pair(warden), 0);
	fd_set_nonblocking(engine[1]);
	fd_set_nonblocking(warden[1]);
	rig->pid = fork();
	assert_true(rig->pid >= 0);
	if (rig->pid == 0) {
		close(engine[0]);
		close(warden[0]);
		rig_child(engine[1], listener, warden[1]);
	}
	close(engine[1]);
	close(warden[1]);
	close(listener);
	rig->engine = engine[0];
	rig->warden = warden[0];
}

static inline void rig_start_with(struct rig *rig, const struct message_site *site)
{
	rig_start_bare(rig);
	assert_int_equal(rig_say_site(rig, site, NULL, 0), ANSWER_OK);
}

static inline void rig_start(struct rig *rig)
{
	struct message_site site = rig_site();

	rig_start_with(rig, &site);
}

static inline int rig_wait(struct rig *rig)
{
	int status = -1;

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

static inline void rig_drain(struct rig *rig)
{
	struct message message;

	message_init(&message, MESSAGE_DRAIN);
	message.u.drain.cause = "test";
	rig_send_to(rig->warden, &message);
}

/* Drains and hangs up; what is left open by a fault makes it fail. */
static inline void rig_stop(struct rig *rig)
{
	rig_drain(rig);
	usleep(20000); /* the two links are not ordered */
	close(rig->engine);
	assert_int_equal(rig_wait(rig), 0);
	close(rig->warden);
}

/* ---- as client ---- */

static inline int rig_connect(const struct rig *rig)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)rig->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static inline void rig_say(int fd, const char *text)
{
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* One request; headers: lines with CRLF, or "". Host is said unless headers begin with it. */
static inline void rig_ask(int fd, const char *what, const char *headers, const char *body)
{
	char cleanup_free *text = NULL;
	char length[64] = "";
	const char *host = strncmp(headers, "Host:", 5) == 0 ? "" : "Host: localhost\r\n";

	if (body)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
	assert_true(asprintf(&text, "%s HTTP/1.1\r\n%s%s%s\r\n%s", what, host, headers, length,
			body ? body : "") > 0);
	rig_say(fd, text);
}

#define JSON_TYPE "Content-Type: application/json\r\n"

struct rig_answer {
	int status;
	char head[8192];
	char body[65536];
	size_t body_len;
};

static inline void rig_hear_head(int fd, struct rig_answer *answer)
{
	size_t n = 0;

	memset(answer, 0, sizeof(*answer));
	while (n + 1 < sizeof(answer->head)) {
		if (!rig_ready(fd, RIG_WAIT_MS))
			fail_msg("no answer came; so far: %s", answer->head);
		if (read(fd, answer->head + n, 1) != 1)
			fail_msg("hung up; so far: %s", answer->head);
		n++;
		if (n >= 4 && memcmp(answer->head + n - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	assert_int_equal(sscanf(answer->head, "HTTP/1.1 %d", &answer->status), 1);
}

/* The value of a header; "" where there is none. */
static inline const char *rig_header(const struct rig_answer *answer, const char *name)
{
	static char value[2048];
	const char *at = answer->head;

	value[0] = '\0';
	while ((at = strstr(at, "\r\n")) != NULL) {
		at += 2;
		if (strncasecmp(at, name, strlen(name)) == 0 && at[strlen(name)] == ':') {
			const char *from = at + strlen(name) + 1;

			from += strspn(from, " ");
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(from, "\r"), from);
			break;
		}
	}
	return value;
}

static inline void rig_hear(int fd, struct rig_answer *answer)
{
	size_t want;

	rig_hear_head(fd, answer);
	want = strtoul(rig_header(answer, "Content-Length"), NULL, 10);
	assert_true(want < sizeof(answer->body));
	while (answer->body_len < want) {
		ssize_t n;

		if (!rig_ready(fd, RIG_WAIT_MS))
			fail_msg("no body came");
		n = read(fd, answer->body + answer->body_len, want - answer->body_len);
		assert_true(n > 0);
		answer->body_len += (size_t)n;
	}
}

/* Hears bytes of a stream until text occurs in them. */
static inline void rig_hear_text(int fd, struct rig_answer *answer, const char *text)
{
	while (!strstr(answer->body, text)) {
		ssize_t n;

		if (!rig_ready(fd, RIG_WAIT_MS))
			fail_msg("'%s' did not come; so far: %s", text, answer->body);
		n = read(fd, answer->body + answer->body_len,
		    sizeof(answer->body) - 1 - answer->body_len);
		if (n <= 0)
			fail_msg("hung up before '%s'; so far: %s", text, answer->body);
		answer->body_len += (size_t)n;
	}
}

static inline void rig_hear_end(int fd)
{
	char byte;

	assert_true(rig_ready(fd, RIG_WAIT_MS));
	assert_true(read(fd, &byte, 1) <= 0);
	close(fd);
}

/* One request on a connection of its own, answered without engine: its status. */
static inline int rig_status(
    struct rig *rig, const char *what, const char *headers, const char *body)
{
	static struct rig_answer answer;
	int cleanup_fd fd = rig_connect(rig);

	rig_ask(fd, what, headers, body);
	rig_hear(fd, &answer);
	return answer.status;
}

/* As engine: takes visitor and request, which the caller lets go of; answers nothing. */
static inline void rig_take(struct rig *rig, struct message *visitor, struct message *request)
{
	rig_next(rig, visitor, MESSAGE_VISITOR);
	rig_next(rig, request, MESSAGE_REQUEST);
	assert_true(visitor->u.visitor.peer == request->u.request.peer);
	assert_true(visitor->u.visitor.peer & PEER_IS_HTTP);
}

#endif
