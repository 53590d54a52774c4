/*
 * callgate-text-editor: the function tool text_editor, one call. It runs inside a cell like any
 * other tool; the argument vector is for people and is not read.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "sandbox/functions/editor.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

static enum request_status run(struct buf *out, struct err_note *note)
{
	int cleanup_fd top = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	json_t *arguments = NULL;
	enum request_status status;
	int r = request_read(STDIN_FILENO, &arguments, note);

	if (r < 0)
		return request_status_of(r);
	status = editor_run(top, arguments, out, note);
	json_decref(arguments);
	return status;
}

int main(void)
{
	struct buf cleanup_with(buf_fini) out;
	struct err_note note = {.text = ""};
	enum request_status status;

	/* A file beyond the limit is an answer, not an end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	buf_init(&out, REQUEST_OUTPUT_MAX);
	status = run(&out, &note);
	return request_answer(STDOUT_FILENO, status, &out, &note);
}
