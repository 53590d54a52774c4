/* run: the gate as a shell prefix; the program's own output and exit status pass through. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

#define STDIN_MAX (768 * 1024) /* bytes; a request is at most 1 MiB */

/* Standard input as a string, NULL when there is none to read. 0 or an exit status. */
static int read_stdin(json_t **ret_text)
{
	struct buf cleanup_with(buf_fini) input = {0};
	uint8_t chunk[16 * 1024];
	ssize_t got;

	*ret_text = NULL;
	if (isatty(STDIN_FILENO))
		return 0;
	buf_init(&input, STDIN_MAX);
	while ((got = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return 0; /* closed: as good as empty */
		if (buf_put(&input, chunk, (size_t)got) != 0)
			return command_fail(COMMAND_RUN_COULD_NOT,
			    "run: standard input is longer "
			    "than %d bytes; put it into a file of the workspace",
			    STDIN_MAX);
	}
	if (input.len == 0)
		return 0;
	if (!str_is_utf8(input.data, input.len) || memchr(input.data, 0, input.len))
		return command_fail(COMMAND_RUN_COULD_NOT,
		    "run: standard input is not text; put it "
		    "into a file of the workspace");
	*ret_text = json_stringn((const char *)input.data, input.len);
	return *ret_text ? 0 : command_fail(COMMAND_RUN_COULD_NOT, "run: out of memory");
}

static int exit_of(const json_t *result)
{
	const json_t *call = json_object_get(json_object_get(result, "_meta"), "callgate/call");
	const char *outcome = json_string_value(json_object_get(call, "outcome"));
	const json_t *ended = json_object_get(call, "exit");
	const json_t *signal = json_object_get(ended, "signal");

	if (!outcome)
		return COMMAND_RUN_COULD_NOT;
	if (strcmp(outcome, "completed") == 0 || strcmp(outcome, "output") == 0)
		return signal ? 128 + (int)json_integer_value(signal)
			      : (int)json_integer_value(json_object_get(ended, "code"));
	if (strcmp(outcome, "deadline") == 0)
		return COMMAND_RUN_DEADLINE;
	if (strcmp(outcome, "refused") == 0 || strcmp(outcome, "pending") == 0 ||
	    strcmp(outcome, "expired") == 0)
		return COMMAND_RUN_REFUSED;
	return COMMAND_RUN_COULD_NOT;
}

static void print_stream(const json_t *structured, const char *name, FILE *to)
{
	const json_t *text = json_object_get(structured, name);

	if (json_is_string(text))
		fwrite(json_string_value(text), 1, json_string_length(text), to);
}

/* What the passed-through streams cannot say. */
static void say_odd_end(const json_t *structured, int status)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const char *out = json_string_value(json_object_get(structured, "stdout"));

	if (status == COMMAND_RUN_DEADLINE)
		(void)command_fail(0, "run: killed at its deadline; the policy's "
				      "max_execution_time sets it");
	if (json_is_true(json_object_get(structured, "truncated")))
		(void)command_fail(0,
		    "run: the output was longer than sandbox.output and is cut in "
		    "the middle; write to a file of the workspace");
	if (out && strstr(out, replacement))
		(void)command_fail(0,
		    "run: bytes that are not UTF-8 were replaced; write them to a "
		    "file of the workspace");
}

static int print_result(const struct command_session *session, const json_t *result)
{
	const json_t *structured = json_object_get(result, "structuredContent");
	const json_t *text =
	    json_object_get(json_array_get(json_object_get(result, "content"), 0), "text");
	int status = exit_of(result);

	if (session->output == COMMAND_OUTPUT_JSON) {
		(void)command_print_json(result);
	} else if (json_is_object(structured)) {
		print_stream(structured, "stdout", stdout);
		fflush(stdout);
		print_stream(structured, "stderr", stderr);
	}
	if (session->output == COMMAND_OUTPUT_TEXT && json_is_object(structured))
		say_odd_end(structured, status);
	if (session->output == COMMAND_OUTPUT_TEXT &&
	    (status == COMMAND_RUN_REFUSED || status == COMMAND_RUN_COULD_NOT ||
		status == COMMAND_RUN_DEADLINE) &&
	    json_is_string(text) && !json_is_object(structured))
		(void)command_fail(status, "run: %s", json_string_value(text));
	return status;
}

static json_t *arguments_of(const char *string, int count, char *const *words)
{
	json_t *argv;

	if (string)
		return json_pack("{s:s}", "command", string);
	argv = json_array();
	for (int i = 0; i < count; i++)
		if (json_array_append_new(argv, json_string(words[i])) != 0) {
			json_decref(argv);
			return NULL;
		}
	return json_pack("{s:o}", "argv", argv);
}

int cmd_run(struct command_session *session, int argc, char **argv)
{
	const char *tool = command_take_option(&argc, argv, "--tool");
	const char *string = command_take_option(&argc, argv, "-c");
	json_t *arguments, *params, *input = NULL, *result = NULL;
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	int status;

	if ((string == NULL) == (argc <= first) || (first == 1 && argc > 1 && argv[1][0] == '-'))
		return command_fail(COMMAND_RUN_COULD_NOT,
		    "run: give either -c STRING or -- ARGV...; see `callgate help run`");
	arguments = arguments_of(string, argc - first, argv + first);
	if (!arguments)
		return command_fail(COMMAND_RUN_COULD_NOT, "run: an argument is not valid UTF-8");
	status = read_stdin(&input);
	if (input)
		(void)json_object_set_new(arguments, "stdin", input);
	params = json_pack("{s:s, s:o}", "name", tool ? tool : "bash", "arguments", arguments);
	if (status != 0 || !params) {
		json_decref(params);
		return status ? status : COMMAND_RUN_COULD_NOT;
	}
	status = client_once(session, "tools/call", params, &result);
	if (status != 0)
		return status == COMMAND_USAGE ? COMMAND_RUN_REFUSED : COMMAND_RUN_COULD_NOT;
	status = print_result(session, result);
	json_decref(result);
	return status;
}
