/* The command has no authority of its own: everything goes over the socket, or over HTTP to a gate
 * elsewhere. */
#include "supervisor/control/program.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/log.h"
#include "supervisor/base/paths.h"
#include "supervisor/control/commands.h"
#include "supervisor/control/gate_client.h"
#include "supervisor/control/near.h"
#include "supervisor/control/remote.h"

#define NAMES_MAX 512

/* A socket that became descriptor 1 would be printed into. What was closed stays unusable, since
 * it can be read only. */
static void fill_closed_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(COMMAND_USAGE);
}

/* Where the command stands in argv; argc: there is none. */
static int find_command(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0)
		i += command_takes_value(commands_globals, argv[i]) ? 2 : 1;
	return i < argc ? i : argc;
}

/* Global options may stand before or after the subcommand; `--` ends them. Behind a subcommand that
 * has one of the same name, it is the subcommand's. */
static const char *take_global(int *argc, char **argv, const char *name)
{
	int command = find_command(*argc, argv);
	const struct command_row *row = command < *argc ? commands_find(argv[command]) : NULL;

	return command_take_before(
	    argc, argv, row && commands_has_option(row, name) ? command : *argc, name);
}

static int take_output(struct command_session *session, int *argc, char **argv)
{
	const char *value = take_global(argc, argv, "--output");

	session->output =
	    value && strcmp(value, "json") == 0 ? COMMAND_OUTPUT_JSON : COMMAND_OUTPUT_TEXT;
	command_complain_as(session->output);
	if (value && session->output == COMMAND_OUTPUT_TEXT && strcmp(value, "text") != 0)
		return command_fail(COMMAND_USAGE, "--output %s: must be text or json", value);
	return 0;
}

static void take_socket(struct command_session *session, int *argc, char **argv)
{
	static char path[PATHS_MAX];
	const char *value = take_global(argc, argv, "--socket");

	if (value) {
		session->socket = value;
		session->socket_given = 1;
	} else if (paths_socket(path) == 0) {
		session->socket = path;
	} else {
		session->socket = "";
	}
}

/* --url, else $CALLGATE_URL where no socket is named and this is not inside a call, whose gate is
 * the way. */
static int take_remote(struct command_session *session, int *argc, char **argv)
{
	static struct remote remote;
	const char *given = take_global(argc, argv, "--url");
	const char *from_environment = getenv("CALLGATE_URL");
	const char *text = given;
	struct err_note note = {0};

	remote = (struct remote){.given = given != NULL,
	    .cert = take_global(argc, argv, "--cert"),
	    .key = take_global(argc, argv, "--key"),
	    .ca = take_global(argc, argv, "--ca"),
	    .token_file = take_global(argc, argv, "--token-file")};
	if (!text && !session->socket_given && gate_number(session->socket) < 0)
		text = from_environment && from_environment[0] ? from_environment : NULL;
	if (given && session->socket_given)
		return command_fail(COMMAND_USAGE, "--url and --socket: give one of them");
	if (remote.key && !remote.cert)
		return command_fail(COMMAND_USAGE, "--key: goes with --cert");
	if (!text && (remote.cert || remote.ca || remote.token_file))
		return command_fail(COMMAND_USAGE,
		    "--cert, --ca and --token-file: go with --url; see `callgate help`");
	if (!text)
		return 0;
	if (url_read_gate(&remote.at, remote.url, text, &note) != 0)
		return command_fail(
		    COMMAND_USAGE, "%s %s: %s", given ? "--url" : "CALLGATE_URL", text, note.text);
	session->remote = &remote;
	return 0;
}

static int take_globals(struct command_session *session, int *argc, char **argv)
{
	const char *value;
	int status = take_output(session, argc, argv);

	if (status != 0)
		return status;
	take_socket(session, argc, argv);
	status = take_remote(session, argc, argv);
	value = take_global(argc, argv, "--agent");
	session->agent = value ? value : "";
	value = take_global(argc, argv, "--namespace");
	session->space = value ? value : "";
	return status;
}

/* `--help` anywhere before `--` asks for the command's help. */
static int asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
	return 0;
}

static int complain_of_command(const char *word)
{
	char names[NAMES_MAX], near[NEAR_WORD_MAX];

	if (command_takes_value(commands_globals, word))
		return command_fail(
		    COMMAND_USAGE, "%s: lacks its value; see `callgate help`", word);
	if (*near_word(near,
		word[0] == '-' ? commands_globals : commands_names(names, sizeof(names)), word))
		return command_fail(COMMAND_USAGE, "%s: no such %s; did you mean %s?", word,
		    word[0] == '-' ? "option" : "command", near);
	return command_fail(COMMAND_USAGE, "%s: no such %s; see `callgate help`", word,
	    word[0] == '-' ? "option" : "command");
}

/* The words are taken out of argv one by one; callgate-remote is given all of them. */
static int keep_argv(struct command_session *session, int argc, char **argv)
{
	char **whole = calloc((size_t)argc + 1, sizeof(*whole));

	if (!whole)
		return command_fail(COMMAND_USAGE, "out of memory");
	for (int i = 0; i < argc; i++)
		whole[i] = argv[i];
	session->argv = whole;
	return 0;
}

/* Before the command begins: what it has read or shown by then would be lost. */
static int run_row(
    struct command_session *session, const struct command_row *row, int argc, char **argv)
{
	if (session->remote && !session->over_http && !commands_is_local(row))
		return remote_program_become(
		    session, row->run == cmd_run ? COMMAND_RUN_COULD_NOT : COMMAND_UNREACHABLE);
	return row->run(session, argc, argv);
}

static int dispatch(struct command_session *session, int argc, char **argv)
{
	char *help[] = {(char *)"help", argv[0], NULL};
	const struct command_row *row;

	if (strcmp(argv[0], "--version") == 0)
		return cmd_version(session, 1, argv);
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return cmd_help(session, 1, argv);
	row = commands_find(argv[0]);
	if (!row)
		return complain_of_command(argv[0]);
	return asks_for_help(argc, argv) ? cmd_help(session, 2, help)
					 : run_row(session, row, argc, argv);
}

/* Tokens and keys come and go as JSON. */
static void wipe_and_free(void *pointer)
{
	if (pointer)
		explicit_bzero(pointer, malloc_usable_size(pointer));
	free(pointer);
}

/* With the words of the program in session. */
static int run(struct command_session *session, int argc, char **argv)
{
	int status = take_globals(session, &argc, argv);

	if (status != 0)
		return status;
	if (argc < 2 && session->output == COMMAND_OUTPUT_JSON)
		return command_fail(COMMAND_USAGE, "which command? see `callgate help`");
	if (argc < 2)
		return (void)cmd_help(session, 1, argv), COMMAND_USAGE;
	status = dispatch(session, argc - 1, argv + 1);
	/* What could not be written was not said, whatever else went well. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(status ? status : COMMAND_USAGE,
		    "output: cannot be written whole; is the disk full, or the reader gone?");
	return status;
}

int program_main(int argc, char **argv, const struct remote_functions *over_http)
{
	struct command_session session = {.over_http = over_http};
	int status;

	fill_closed_streams();
	json_set_alloc_funcs(malloc, wipe_and_free);
	log_init("callgate", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	status = keep_argv(&session, argc, argv);
	if (status == 0)
		status = run(&session, argc, argv);
	free((void *)session.argv);
	return status;
}
