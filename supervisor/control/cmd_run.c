/*
 * run: the gate as a prefix of a command. Standard input, output and error pass through as they
 * come, and the exit status is the program's own. A call that needs a human is asked again until
 * it is answered.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/arguments.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/run_exchange.h"

#define STDIN_MAX                                                                                  \
	(768 * 1024)  /* bytes in a request of at most 1 MiB, to a daemon without streams */
#define AGAIN_MS 1000 /* between two identical calls, should the daemon not hold them */

/* ---- a daemon without streams --------------------------------------------------------------- */

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
			    "run: standard input is longer than %d bytes, and this daemon does not "
			    "stream it; put it into a file of the workspace",
			    STDIN_MAX);
	}
	if (input.len == 0)
		return 0;
	if (!str_is_utf8(input.data, input.len) || memchr(input.data, 0, input.len))
		return command_fail(COMMAND_RUN_COULD_NOT,
		    "run: standard input is not text, and this daemon does not stream it; put it "
		    "into a file of the workspace");
	*ret_text = json_stringn((const char *)input.data, input.len);
	return *ret_text ? 0 : command_fail(COMMAND_RUN_COULD_NOT, "run: out of memory");
}

static int print_kept(struct run_exchange *run, const json_t *structured)
{
	const json_t *out = json_object_get(structured, "stdout");
	const json_t *err = json_object_get(structured, "stderr");
	int status =
	    run_pass_on(run, STDOUT_FILENO, json_string_value(out), json_string_length(out));

	if (status == 0)
		status = run_pass_on(
		    run, STDERR_FILENO, json_string_value(err), json_string_length(err));
	if (json_is_true(json_object_get(structured, "truncated")))
		command_warn("run: the output was longer than sandbox.output and is cut in the "
			     "middle; write to a file of the workspace");
	return status;
}

/* ---- the end -------------------------------------------------------------------------------- */

static const json_t *facts_of(const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	const json_t *data = json_object_get(json_object_get(answer, "error"), "data");

	return json_object_get(result ? json_object_get(result, "_meta") : data, "callgate/call");
}

static const char *outcome_of(const json_t *answer)
{
	const char *outcome = json_string_value(json_object_get(facts_of(answer), "outcome"));

	return outcome ? outcome : "failed";
}

/* What callgate says of it, for people. */
static const char *text_of(const json_t *answer)
{
	const json_t *content = json_object_get(json_object_get(answer, "result"), "content");
	const char *text = json_string_value(json_object_get(json_array_get(content, 0), "text"));

	return text ? text : "the daemon did not say why";
}

static int program_status(const json_t *answer)
{
	const json_t *ended = json_object_get(facts_of(answer), "exit");
	const json_t *signal_number = json_object_get(ended, "signal");

	return signal_number ? RUN_SIGNALED + (int)json_integer_value(signal_number)
			     : (int)json_integer_value(json_object_get(ended, "code"));
}

static int has_end(const json_t *answer)
{
	return json_is_object(json_object_get(facts_of(answer), "exit"));
}

/* What the tool wrote stands before what is said of its end. */
static const char *last_line(const char *text)
{
	const char *newline = strrchr(text, '\n');

	return newline && newline[1] ? newline + 1 : text;
}

struct ending {
	const char *outcome;
	int status;        /* where the program has none of its own */
	const char *words; /* NULL: the daemon's own */
};

static const struct ending endings[] = {
    {"refused", COMMAND_RUN_REFUSED, NULL},
    {"pending", COMMAND_RUN_REFUSED, NULL},
    {"expired", COMMAND_RUN_REFUSED, NULL},
    {"deadline", COMMAND_RUN_DEADLINE,
	"killed at its deadline; the policy's max_execution_time sets it"},
    {"disk", RUN_SIGNALED + SIGKILL, NULL},
    {"oom", RUN_SIGNALED + SIGKILL, NULL},
    {"pids", RUN_SIGNALED + SIGKILL, NULL},
    {NULL, COMMAND_RUN_COULD_NOT, NULL},
};

static int is_one_of(const char *outcome, const char *one, const char *other)
{
	return strcmp(outcome, one) == 0 || strcmp(outcome, other) == 0;
}

/* A deadline in CPU time is the tool's own limit, which the daemon names as it does the others. */
static const struct ending *ending_of(const json_t *answer)
{
	static const struct ending cpu = {"deadline", RUN_SIGNALED + SIGKILL, NULL};
	const json_t *limit = json_object_get(facts_of(answer), "limit");
	const struct ending *ending = endings;

	if (json_is_string(limit) && strcmp(json_string_value(limit), "cpu") == 0)
		return &cpu;
	while (ending->outcome && strcmp(ending->outcome, outcome_of(answer)) != 0)
		ending++;
	return ending;
}

/* Says what the streams cannot, and gives the exit status. */
static int finish(const json_t *answer)
{
	const struct ending *ending = ending_of(answer);

	if (is_one_of(outcome_of(answer), "completed", "output"))
		return program_status(answer);
	if (ending->status != RUN_SIGNALED + SIGKILL)
		return command_fail(
		    ending->status, "run: %s", ending->words ? ending->words : text_of(answer));
	/* A program whose memory or processes were refused may still have ended by itself. */
	return command_fail(has_end(answer) ? program_status(answer) : ending->status, "run: %s",
	    last_line(text_of(answer)));
}

/* Bytes that the tool wrote and nobody has seen. 0 where the call's own end says enough; where the
 * program's status would follow, another: half of its output is not all of it. */
static int say_lost(const struct run_exchange *run, const json_t *answer)
{
	const json_t *usage = json_object_get(facts_of(answer), "usage");
	const char *outcome = outcome_of(answer);
	uint64_t wrote = (uint64_t)(json_integer_value(json_object_get(usage, "out_bytes")) +
				    json_integer_value(json_object_get(usage, "err_bytes")));

	if (wrote <= run->passed)
		return 0;
	if (is_one_of(outcome, "completed", "output") ||
	    (has_end(answer) && is_one_of(outcome, "oom", "pids")))
		return command_fail(COMMAND_RUN_COULD_NOT,
		    "run: %llu bytes of output are lost: %s; the program itself has ended, see "
		    "`callgate audit tail`",
		    (unsigned long long)(wrote - run->passed),
		    run->output_end[0] ? run->output_end : "they were fetched too slowly");
	command_warn("run: %llu bytes of output were not read before the call's end and are lost",
	    (unsigned long long)(wrote - run->passed));
	return 0;
}

static int show(struct run_exchange *run, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	const json_t *structured = json_object_get(result, "structuredContent");
	const json_t *error = json_object_get(answer, "error");
	int status = 0;

	if (error)
		return command_fail_daemon(
		    facts_of(answer) ? COMMAND_RUN_REFUSED : COMMAND_RUN_COULD_NOT, "run", error);
	if (run->session->output == COMMAND_OUTPUT_JSON) {
		(void)command_print_json(result);
		if (is_one_of(outcome_of(answer), "completed", "output"))
			return program_status(answer);
	} else if (run->want & RUN_WANT_OUTPUT) {
		status = say_lost(run, answer);
	} else if (json_is_object(structured)) {
		status = print_kept(run, structured);
	}
	return status ? status : finish(answer);
}

/* ---- the call, and again -------------------------------------------------------------------- */

/* "... approval ID waits ..." */
static void say_pending(struct run_exchange *run, const json_t *answer)
{
	static const char mark[] = "approval ";
	const char *id = strstr(text_of(answer), mark);
	char approval[64];

	if (!id)
		return;
	id += strlen(mark);
	(void)snprintf(approval, sizeof(approval), "%.*s", (int)strcspn(id, " .;,:"), id);
	run_say_waiting(run, approval);
}

enum patience {
	PATIENCE_WAIT,
	PATIENCE_NO_WAIT,
};

static int call_until_answered(
    struct run_exchange *run, const json_t *params, enum patience patience)
{
	for (;;) {
		json_t *answer = NULL;
		int status = run_exchange(run, params, &answer), number;

		if (status != 0)
			return status;
		if (patience == PATIENCE_NO_WAIT || strcmp(outcome_of(answer), "pending") != 0) {
			status = show(run, answer);
			json_decref(answer);
			return status;
		}
		say_pending(run, answer);
		json_decref(answer);
		number = run_signal(run, AGAIN_MS);
		if (number)
			return RUN_SIGNALED + number;
	}
}

/* Streams where the daemon has them, else standard input whole within the arguments. */
static int choose_streams(struct run_exchange *run, json_t *arguments)
{
	json_t *input = NULL;
	int served = run_streams_served(run), status = 0;

	if (served > 1)
		return served;
	if (served) {
		run->want = RUN_WANT_INPUT;
		if (run->session->output == COMMAND_OUTPUT_TEXT)
			run->want |= RUN_WANT_OUTPUT;
		return 0;
	}
	status = read_stdin(&input);
	if (status == 0 && input)
		(void)json_object_set_new(arguments, "stdin", input);
	return status;
}

static int open_signals(void)
{
	sigset_t ends;

	(void)signal(SIGPIPE, SIG_IGN); /* told by write(2), so that the call can be ended */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) != 0)
		return -1;
	return signalfd(-1, &ends, SFD_CLOEXEC);
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

/* After a call that was not run: is this a tool that takes command lines at all? */
static void hint_tool(const struct command_session *session, const char *tool, int given)
{
	json_t *schema = NULL;

	if (arguments_schema(session, tool, &schema) != 0)
		return;
	if (!schema && !given)
		command_remark("run: no tool was named, so it was %s; name yours with --tool "
			       "(`callgate tools` lists them)",
		    tool);
	else if (schema && !json_object_get(json_object_get(schema, "properties"), "command"))
		command_remark(
		    "run: %s takes no command line; use `callgate call %s key=value ...`", tool,
		    tool);
	json_decref(schema);
}

static int run_tool(
    struct command_session *session, const char *tool, json_t *arguments, enum patience patience)
{
	struct client cleanup_with(client_close) client = {.transport = NULL};
	int cleanup_fd signals = open_signals();
	struct run_exchange run = {.session = session, .client = &client, .signals = signals};
	json_t *params = json_pack("{s:s, s:O}", "name", tool, "arguments", arguments);
	int status;

	if (!params)
		return command_fail(
		    COMMAND_RUN_COULD_NOT, "run: the tool's name is not valid UTF-8");
	if (signals < 0)
		status = command_fail(COMMAND_RUN_COULD_NOT, "run: signals: %s", strerror(errno));
	else
		status = client_open_or(&client, session, COMMAND_RUN_COULD_NOT);
	if (status == 0)
		status = choose_streams(&run, arguments);
	if (status == 0)
		status = call_until_answered(&run, params, patience);
	json_decref(params);
	return status;
}

int cmd_run(struct command_session *session, int argc, char **argv)
{
	const char *tool = command_take_option(&argc, argv, "--tool");
	const char *string = command_take_option(&argc, argv, "-c");
	int wait = command_take_flag(&argc, argv, "--wait");
	int no_wait = command_take_flag(&argc, argv, "--no-wait");
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	json_t *arguments;
	int status;

	if (first == 1 && argc > 1 && argv[1][0] == '-')
		return command_bad_option(COMMAND_RUN_COULD_NOT, argv[0], argv[1]);
	if ((string == NULL) == (argc <= first) || (wait && no_wait))
		return command_fail(COMMAND_RUN_COULD_NOT,
		    "run: give either -c STRING or -- ARGV...; see `callgate help run`");
	arguments = arguments_of(string, argc - first, argv + first);
	if (!arguments)
		return command_fail(COMMAND_RUN_COULD_NOT, "run: an argument is not valid UTF-8");
	status = run_tool(
	    session, tool ? tool : "bash", arguments, no_wait ? PATIENCE_NO_WAIT : PATIENCE_WAIT);
	if (status == COMMAND_RUN_REFUSED)
		hint_tool(session, tool ? tool : "bash", tool != NULL);
	json_decref(arguments);
	return status;
}
