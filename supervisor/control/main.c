/*
 * callgate: the command. Global options, then one of the subcommands of commands.c. It has no
 * authority of its own: everything goes over the socket.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/log.h"
#include "supervisor/base/paths.h"
#include "supervisor/control/commands.h"
#include "supervisor/control/near.h"

#define NAMES_MAX 512

/* A socket that became descriptor 1 would be printed into. What was closed stays unusable, since
 * it can be read only. */
static void fill_closed_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(COMMAND_USAGE);
}

/* Global options may stand before or after the subcommand; `--` ends them. */
static int take_globals(struct command_session *session, int *argc, char **argv)
{
	static char path[PATHS_MAX];
	const char *value = command_take_option(argc, argv, "--output");

	session->output =
	    value && strcmp(value, "json") == 0 ? COMMAND_OUTPUT_JSON : COMMAND_OUTPUT_TEXT;
	command_complain_as(session->output);
	if (value && session->output == COMMAND_OUTPUT_TEXT && strcmp(value, "text") != 0)
		return command_fail(COMMAND_USAGE, "--output %s: must be text or json", value);
	value = command_take_option(argc, argv, "--socket");
	if (value) {
		session->socket = value;
		session->socket_given = 1;
	} else if (paths_socket(path) == 0) {
		session->socket = path;
	} else {
		session->socket = "";
	}
	value = command_take_option(argc, argv, "--url");
	if (value)
		return command_fail(COMMAND_USAGE,
		    "--url: this version speaks over the Unix socket only; name it with --socket");
	value = command_take_option(argc, argv, "--agent");
	session->agent = value ? value : "";
	value = command_take_option(argc, argv, "--namespace");
	session->space = value ? value : "";
	return 0;
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
	if (strcmp(word, "--url") == 0)
		return command_fail(COMMAND_USAGE,
		    "--url: this version speaks over the Unix socket only; name it with --socket");
	if (*near_word(near,
		word[0] == '-' ? commands_globals : commands_names(names, sizeof(names)), word))
		return command_fail(COMMAND_USAGE, "%s: no such %s; did you mean %s?", word,
		    word[0] == '-' ? "option" : "command", near);
	return command_fail(COMMAND_USAGE, "%s: no such %s; see `callgate help`", word,
	    word[0] == '-' ? "option" : "command");
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
					 : row->run(session, argc, argv);
}

int main(int argc, char **argv)
{
	struct command_session session = {0};
	int status;

	fill_closed_streams();
	log_init("callgate", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	status = take_globals(&session, &argc, argv);
	if (status != 0)
		return status;
	if (argc < 2 && session.output == COMMAND_OUTPUT_JSON)
		return command_fail(COMMAND_USAGE, "which command? see `callgate help`");
	if (argc < 2)
		return (void)cmd_help(&session, 1, argv), COMMAND_USAGE;
	status = dispatch(&session, argc - 1, argv + 1);
	/* What could not be written was not said, whatever else went well. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(status ? status : COMMAND_USAGE,
		    "output: cannot be written whole; is the disk full, or the reader gone?");
	return status;
}
