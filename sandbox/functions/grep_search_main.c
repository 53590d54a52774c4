/*
 * callgate-grep-search: the function tool grep_search, one call. It runs inside a cell like any
 * other tool; the argument vector is for people and is not read. CALLGATE_TIME_MS in the
 * environment (set by whoever knows the deadline, never by the agent) replaces the usual bound on
 * the time, so that what was found is told before the deadline ends the call.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sandbox/functions/grep.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define TIME_MS_MAX (24ULL * 60 * 60 * 1000)

static uint64_t time_allowed(void)
{
	const char *text = getenv("CALLGATE_TIME_MS");
	uint64_t time_ms;

	return text && str_u64(text, TIME_MS_MAX, &time_ms) == 0 ? time_ms : GREP_TIME_MS;
}

static enum request_status run(struct buf *out, struct err_note *note)
{
	int cleanup_fd top = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	json_t *arguments = NULL;
	enum request_status status;
	int r = request_read(STDIN_FILENO, &arguments, note);

	if (r < 0)
		return request_status_of(r);
	status = grep_run(top, arguments, time_allowed(), out, note);
	json_decref(arguments);
	return status;
}

int main(void)
{
	struct buf cleanup_with(buf_fini) out;
	struct err_note note = {.text = ""};
	enum request_status status;

	(void)signal(SIGPIPE, SIG_IGN);
	buf_init(&out, REQUEST_OUTPUT_MAX);
	status = run(&out, &note);
	return request_answer(STDOUT_FILENO, status, &out, &note);
}
