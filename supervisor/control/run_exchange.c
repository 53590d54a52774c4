#include "supervisor/control/run_exchange.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define INPUT_CHUNK   (64 * 1024)
#define OUTPUT_CHUNK  (64 * 1024) /* the daemon sends no longer ones */
#define PASS_AT_ONCE  4096        /* PIPE_BUF: what a pipe that poll() calls writable takes */
#define CANCEL_MS     3000        /* for the proof that the tree is dead */
#define METHOD_ABSENT (-32601)
#define PARAMS_WRONG  (-32602) /* of a stream: its call is over */

/* One call under way. Ids are 0 where no request of the kind is unanswered. */
struct under_way {
	struct run_exchange *run;
	json_int_t call, output, input;
	json_t *answer; /* of the call */
	int output_over;
	int input_open; /* the tool runs and has not closed it */
	int cancelled;
};

int run_signal(const struct run_exchange *run, int wait_ms)
{
	struct pollfd readable = {.fd = run->signals, .events = POLLIN};
	struct signalfd_siginfo info;

	if (poll(&readable, 1, wait_ms) <= 0 ||
	    read(run->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

void run_say_waiting(struct run_exchange *run, const char *approval)
{
	if (strcmp(run->waits_for, approval) == 0)
		return;
	(void)snprintf(run->waits_for, sizeof(run->waits_for), "%s", approval);
	command_remark("run: waiting for approval %s; answer it with `callgate approve %s`",
	    approval, approval);
}

/* The daemon has hung up: with its own words, if it said any. */
static int ended(const struct run_exchange *run)
{
	json_t *error = client_last_word(run->client);
	int status = error ? command_fail_daemon(COMMAND_RUN_COULD_NOT, "run", error)
			   : command_fail(COMMAND_RUN_COULD_NOT,
				 "run: the daemon ended the connection; see its log");

	json_decref(error);
	return status;
}

int run_pass_on(struct run_exchange *run, int fd, const void *bytes, size_t len)
{
	const uint8_t *next = bytes;

	while (len > 0) {
		struct pollfd polls[2] = {
		    {.fd = fd, .events = POLLOUT}, {.fd = run->signals, .events = POLLIN}};
		ssize_t put;

		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return command_fail(
			    COMMAND_RUN_COULD_NOT, "run: poll: %s", strerror(errno));
		if (polls[1].revents)
			return RUN_SIGNALED + run_signal(run, 0);
		put = write(fd, next, len < PASS_AT_ONCE ? len : PASS_AT_ONCE);
		if (put < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (put < 0 && errno == EPIPE)
			return RUN_SIGNALED + SIGPIPE;
		if (put < 0)
			return command_fail(COMMAND_RUN_COULD_NOT,
			    "run: cannot write: %s; the call is ended", strerror(errno));
		next += put;
		len -= (size_t)put;
		run->passed += (uint64_t)put;
	}
	return 0;
}

/* ---- requests ------------------------------------------------------------------------------ */

static int sent(const struct under_way *way, int fault)
{
	if (fault == -EPIPE)
		return ended(way->run);
	return fault == 0 ? 0
			  : command_fail(COMMAND_RUN_COULD_NOT, "run: cannot ask the daemon: %s",
				strerror(-fault));
}

static int ask_output(struct under_way *way)
{
	return sent(way, client_send(way->run->client, way->run->session, "callgate/output",
			     json_pack("{s:I}", "requestId", way->call), &way->output));
}

static int give_input(struct under_way *way, const void *bytes, size_t len, int end)
{
	struct buf cleanup_with(buf_fini) data = {0};
	const char *text;

	buf_init(&data, 2 * INPUT_CHUNK);
	(void)str_base64(&data, bytes, len);
	text = buf_cstr(&data);
	if (!text)
		return command_fail(COMMAND_RUN_COULD_NOT, "run: out of memory");
	return sent(
	    way, client_send(way->run->client, way->run->session, "callgate/stdin",
		     json_pack("{s:I, s:s, s:b}", "requestId", way->call, "data", text, "end", end),
		     &way->input));
}

static int begin(struct under_way *way, const json_t *params)
{
	struct run_exchange *run = way->run;
	json_t *copy = json_deep_copy(params);
	json_t *meta =
	    json_pack("{s:s, s:{s:b, s:b}}", "progressToken", "run", "callgate/stream", "stdin",
		(int)(run->want & RUN_WANT_INPUT), "output", (int)(run->want & RUN_WANT_OUTPUT));
	int status;

	if (run->want && json_object_set_new(copy, "_meta", meta) != 0)
		return command_fail(COMMAND_RUN_COULD_NOT, "run: out of memory");
	if (!run->want)
		json_decref(meta);
	status = sent(way, client_send(run->client, run->session, "tools/call", copy, &way->call));
	way->output_over = !(run->want & RUN_WANT_OUTPUT);
	if (status == 0 && !way->output_over)
		status = ask_output(way);
	/* No bytes: the answer says that the tool runs, and nothing is read from whoever feeds us
	 * for a call that is refused. */
	if (status == 0 && run->want & RUN_WANT_INPUT)
		status = give_input(way, "", 0, run->input_over);
	return status;
}

/* ---- answers ------------------------------------------------------------------------------- */

static int pass_chunk(
    struct run_exchange *run, const char *stream, const char *data, size_t data_len)
{
	uint8_t bytes[OUTPUT_CHUNK];
	size_t len;

	if (!stream || !data || str_unbase64(bytes, sizeof(bytes), data, data_len, &len) != 0)
		return command_fail(
		    COMMAND_RUN_COULD_NOT, "run: the daemon sent output that cannot be read");
	return run_pass_on(
	    run, strcmp(stream, "stderr") == 0 ? STDERR_FILENO : STDOUT_FILENO, bytes, len);
}

/* The next piece comes while this one is written. */
static int after_output(struct under_way *way, int over)
{
	way->output = 0;
	way->output_over = over;
	return over || way->cancelled ? 0 : ask_output(way);
}

/* Only the end of the call is an end, and even that may have come before the output's: what the
 * tool wrote is counted then (cmd_run.c). Anything else loses output while the tool runs. */
static int take_output_error(struct under_way *way, const json_t *error)
{
	const char *why = json_string_value(json_object_get(error, "message"));

	way->output = 0;
	way->output_over = 1;
	(void)snprintf(way->run->output_end, sizeof(way->run->output_end), "%s",
	    why ? why : "the daemon did not say why");
	if (way->cancelled || json_integer_value(json_object_get(error, "code")) == PARAMS_WRONG)
		return 0;
	return command_fail(COMMAND_RUN_COULD_NOT,
	    "run: output is lost: %s; the call is ended, run it again", way->run->output_end);
}

static int take_output(struct under_way *way, const json_t *message)
{
	const json_t *result = json_object_get(message, "result"), *chunk;
	int status;
	size_t i;

	if (!result)
		return take_output_error(way, json_object_get(message, "error"));
	status = after_output(way, json_is_true(json_object_get(result, "end")));

	json_array_foreach(json_object_get(result, "chunks"), i, chunk)
	{
		const json_t *data = json_object_get(chunk, "data");

		if (status == 0)
			status = pass_chunk(way->run,
			    json_string_value(json_object_get(chunk, "stream")),
			    json_string_value(data), json_string_length(data));
	}
	return status;
}

/* A line that is read from the left. */
struct cursor {
	const char *at;
	size_t left;
};

static int eat(struct cursor *cursor, const char *text)
{
	size_t len = strlen(text);

	if (cursor->left < len || memcmp(cursor->at, text, len) != 0)
		return 0;
	cursor->at += len;
	cursor->left -= len;
	return 1;
}

/* One {"stream", "data"}. 1, 0: it does not look like one. */
static int eat_chunk(struct cursor *cursor, const char **ret_stream, struct cursor *ret_data)
{
	const char *end;

	*ret_stream = eat(cursor, "{\"stream\":\"stdout\",\"data\":\"")   ? "stdout"
		      : eat(cursor, "{\"stream\":\"stderr\",\"data\":\"") ? "stderr"
									  : NULL;
	end = *ret_stream ? memchr(cursor->at, '"', cursor->left) : NULL;
	if (!end)
		return 0;
	*ret_data = (struct cursor){cursor->at, (size_t)(end - cursor->at)};
	cursor->left -= ret_data->left;
	cursor->at = end;
	return eat(cursor, "\"}");
}

/* Whole files come along here, so an answer in the form in which the daemon writes it is not sent
 * through a JSON parser. 1: *ret_status is what came of it; 0: it has another form. */
static int take_output_line(struct under_way *way, const char *line, size_t len, int *ret_status)
{
	struct cursor cursor = {line, len}, data;
	char head[96];
	const char *stream, *tail = memrchr(line, ']', len);
	size_t tail_len = tail ? (size_t)(line + len - tail) : 0;
	static const char more[] = "],\"end\":false}}", last[] = "],\"end\":true}}";
	int over = tail_len == sizeof(last) - 1 && memcmp(tail, last, tail_len) == 0;

	(void)snprintf(head, sizeof(head),
	    "{\"jsonrpc\":\"2.0\",\"id\":%" JSON_INTEGER_FORMAT ",\"result\":{\"chunks\":[",
	    way->output);
	if (!way->output || !eat(&cursor, head) ||
	    !(over || (tail_len == sizeof(more) - 1 && memcmp(tail, more, tail_len) == 0)))
		return 0;
	*ret_status = after_output(way, over);
	while (*ret_status == 0 && cursor.at < tail && eat_chunk(&cursor, &stream, &data)) {
		*ret_status = pass_chunk(way->run, stream, data.at, data.left);
		(void)eat(&cursor, ",");
	}
	if (*ret_status == 0 && cursor.at != tail)
		*ret_status = pass_chunk(way->run, NULL, NULL, 0);
	return 1;
}

/* A tool without standard input: what was meant for it would be gone without a word. */
static void warn_unread(void)
{
	int waits = 0;

	if (!isatty(STDIN_FILENO) && ioctl(STDIN_FILENO, FIONREAD, &waits) == 0 && waits > 0)
		command_warn("run: this tool takes no standard input (stdin: false); what was "
			     "given is not read");
}

/* A call that is over reads no input; any other error loses some. */
static int take_input_answer(struct under_way *way, const json_t *message)
{
	const json_t *result = json_object_get(message, "result");
	const json_t *error = json_object_get(message, "error");
	const char *why = json_string_value(json_object_get(error, "message"));

	way->input = 0;
	if (json_is_true(json_object_get(result, "none")))
		warn_unread();
	way->input_open =
	    result && !json_is_true(json_object_get(result, "closed")) && !way->run->input_over;
	if (result || way->answer ||
	    json_integer_value(json_object_get(error, "code")) == PARAMS_WRONG)
		return 0;
	return command_fail(COMMAND_RUN_COULD_NOT,
	    "run: input is lost: %s; the call is ended, run it again",
	    why ? why : "the daemon did not say why");
}

/* "waits for approval ID": the daemon's word while a call is held for a human. */
static void take_progress(struct run_exchange *run, const json_t *params)
{
	static const char mark[] = "approval ";
	const char *text = json_string_value(json_object_get(params, "message"));
	const char *id = text && strncmp(text, "waits for ", 10) == 0 ? strstr(text, mark) : NULL;
	char approval[64];
	size_t len;

	if (!id)
		return;
	id += strlen(mark);
	len = strcspn(id, " .;,:");
	if (len == 0 || len >= sizeof(approval))
		return;
	(void)snprintf(approval, sizeof(approval), "%.*s", (int)len, id);
	run_say_waiting(run, approval);
}

static int take(struct under_way *way, json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	json_int_t id = json_integer_value(json_object_get(message, "id"));

	if (method && strcmp(method, "notifications/progress") == 0)
		take_progress(way->run, json_object_get(message, "params"));
	if (method)
		return 0;
	if (id == way->call && !way->answer)
		way->answer = json_incref(message);
	else if (way->output && id == way->output)
		return take_output(way, message);
	else if (way->input && id == way->input)
		return take_input_answer(way, message);
	else if (json_is_null(json_object_get(message, "id")))
		return command_fail_daemon(
		    COMMAND_RUN_COULD_NOT, "run", json_object_get(message, "error"));
	return 0;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static int read_input(struct under_way *way)
{
	uint8_t bytes[INPUT_CHUNK];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	way->input_open = 0; /* until the answer comes */
	way->run->input_over = got <= 0;
	return give_input(way, bytes, got > 0 ? (size_t)got : 0, got <= 0);
}

/* A terminal belongs to whoever is in front: reading it from behind would stop us. */
static int may_read_input(const struct under_way *way)
{
	return way->input_open && !way->answer &&
	       (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp());
}

static int is_over(const struct under_way *way)
{
	return way->answer && way->output_over && !way->output;
}

/* Everything that the daemon has sent so far. 0 or an exit status. */
static int take_all(struct under_way *way)
{
	struct client *client = way->run->client;
	json_t *message = NULL;
	const char *line;
	size_t len;
	int status = 0;

	while (status == 0 && client_line(client, &line, &len)) {
		if (take_output_line(way, line, len, &status)) {
			client_drop_line(client);
		} else if (client_next(client, &message)) {
			status = take(way, message);
			json_decref(message);
		}
	}
	return status;
}

/* Takes what is here; then waits for more of anybody. 0 or an exit status. */
static int turn(struct under_way *way)
{
	struct run_exchange *run = way->run;
	struct pollfd polls[2] = {
	    {.fd = run->signals, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	int status = take_all(way), ready;

	if (status != 0 || is_over(way))
		return status;
	if (may_read_input(way))
		polls[1].fd = STDIN_FILENO;
	ready = client_wait(run->client, polls, 2, -1);
	if (ready < 0)
		return ready == -EINTR
			   ? 0
			   : command_fail(COMMAND_RUN_COULD_NOT, "run: poll: %s", strerror(-ready));
	if (polls[0].revents)
		return RUN_SIGNALED + run_signal(run, 0);
	if (ready == 1 && client_read(run->client) != 0)
		return ended(run);
	return polls[1].revents ? read_input(way) : 0;
}

/* Withdraws the call and waits until its tree is dead, which the end of its output tells; a second
 * signal ends the waiting. */
static void cancel(struct under_way *way)
{
	struct run_exchange *run = way->run;
	struct pollfd signals = {.fd = run->signals, .events = POLLIN};
	json_t *message = NULL;

	way->cancelled = 1;
	if (client_notify(run->client, "notifications/cancelled",
		json_pack("{s:I, s:s}", "requestId", way->call, "reason", "run was ended")) != 0)
		return;
	while (way->output && client_wait(run->client, &signals, 1, CANCEL_MS) == 1 &&
	       !signals.revents && client_read(run->client) == 0) {
		while (client_next(run->client, &message) == 1) {
			if (json_integer_value(json_object_get(message, "id")) == way->output)
				way->output = 0;
			json_decref(message);
		}
	}
}

int run_exchange(struct run_exchange *run, const json_t *params, json_t **ret_answer)
{
	struct under_way way = {.run = run};
	int status;

	run->passed = 0;
	run->output_end[0] = '\0';
	status = begin(&way, params);
	while (status == 0 && !is_over(&way))
		status = turn(&way);
	if (status > RUN_SIGNALED && !way.answer)
		cancel(&way);
	if (status == 0)
		*ret_answer = way.answer;
	else
		json_decref(way.answer);
	return status;
}

/* The first message that the daemon sends, while a signal still ends us. 0 and *ret_answer (owned
 * by the caller), or the exit status. */
static int first_answer(struct run_exchange *run, json_t **ret_answer)
{
	struct pollfd signals = {.fd = run->signals, .events = POLLIN};

	while (client_next(run->client, ret_answer) == 0) {
		int ready = client_wait(run->client, &signals, 1, -1);

		if (ready >= 0 && signals.revents)
			return RUN_SIGNALED + run_signal(run, 0);
		if ((ready < 0 && ready != -EINTR) || (ready == 1 && client_read(run->client) != 0))
			return ended(run);
	}
	return 0;
}

int run_streams_served(struct run_exchange *run)
{
	struct under_way way = {.run = run};
	json_t *answer = NULL;
	json_int_t code, id;
	int status;

	/* Of a call that is not there: a daemon that knows the method complains of that. */
	status = client_send(
	    run->client, run->session, "callgate/output", json_pack("{s:i}", "requestId", 0), &id);
	status = status == -EPIPE ? 0 : sent(&way, status); /* it said why before that */
	if (status == 0)
		status = first_answer(run, &answer);
	if (status != 0)
		return status;
	if (json_is_null(json_object_get(answer, "id"))) { /* turned away */
		code = command_fail_daemon(
		    COMMAND_RUN_COULD_NOT, "run", json_object_get(answer, "error"));
		json_decref(answer);
		return (int)code;
	}
	code = json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
	json_decref(answer);
	if (client_failure(run->client))
		return command_fail(
		    COMMAND_RUN_COULD_NOT, "run: %s", client_failure(run->client)->note.text);
	return code != METHOD_ABSENT;
}
