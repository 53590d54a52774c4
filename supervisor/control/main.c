/*
 * callgate: the command. This file holds the table of subcommands, the global options and help;
 * each subcommand has its file. It has no authority of its own: everything goes over the socket.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/log.h"
#include "supervisor/base/paths.h"
#include "supervisor/control/command.h"

struct row {
	const char *name;
	int (*run)(struct command_session *session, int argc, char **argv);
	const char *synopsis;
	const char *summary;
	const char *example;
};

static int cmd_help(struct command_session *session, int argc, char **argv);
static int cmd_version(struct command_session *session, int argc, char **argv);

static const struct row rows[] = {
    {"up", cmd_up, "up [--config FILE] [--state DIR]", "start your own daemon in the background",
	"callgate up --config callgate.yaml"},
    {"status", cmd_status, "status", "is the daemon there, and how is it", "callgate status"},
    {"down", cmd_down, "down", "let running calls finish, then stop the daemon", "callgate down"},
    {"reload", cmd_reload, "reload", "read the policy again; a broken one changes nothing",
	"callgate reload"},
    {"tools", cmd_tools, "tools [--agent A] [--namespace N]", "the tools you may see",
	"callgate tools"},
    {"agents", cmd_agents, "agents", "the agents you may see", "callgate agents"},
    {"call", cmd_call, "call TOOL [key=value | key:=JSON ...] [--json OBJECT]",
	"one tool call, printing what the tool said", "callgate call bash command='git log -1'"},
    {"run", cmd_run, "run [--tool T] [--agent A] (-c STRING | -- ARGV...)",
	"run a command through the gate with its exit status", "callgate run -- git status"},
    {"mcp", cmd_mcp, "mcp [--agent A] [--namespace N]",
	"bridge MCP on stdin and stdout to the daemon", "claude mcp add box -- callgate mcp"},
    {"pending", cmd_pending, "pending", "what waits for a human", "callgate pending"},
    {"approve", cmd_approve, "approve ID [--reason R] [--key FILE]",
	"allow one waiting call, exactly as it was shown", "callgate approve a1b2c3d4"},
    {"deny", cmd_deny, "deny ID [--reason R] [--key FILE]", "refuse one waiting call",
	"callgate deny a1b2c3d4 --reason 'not on main'"},
    {"watch", cmd_watch, "watch [--key FILE]", "answer waiting calls here, as they come",
	"callgate watch"},
    {"keys", cmd_keys, "keys create --approver [--name NAME] [--key FILE] [--state DIR]",
	"make the key that proves that an approval is yours",
	"callgate keys create --approver --name anna"},
    {"audit", cmd_audit,
	"audit verify [DIR] [--pin FILE] [--anchor FILE] [--max-age S] [--all-seals] [--semantic]\n"
	"       callgate audit tail [-n N] [-f] [DIR]\n"
	"       callgate audit prove N [DIR]",
	"check, read and prove the audit trail", "callgate audit verify"},
    {"policy", cmd_policy,
	"policy check FILE\n"
	"       callgate policy explain [--config FILE] TOOL [key=value ...]",
	"check a policy, explain a decision", "callgate policy check callgate.yaml"},
    {"help", cmd_help, "help [COMMAND]", "this, or how one command is used", "callgate help run"},
    {"version", cmd_version, "version", "which callgate this is", "callgate version"},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct row *find_row(const char *name)
{
	for (const struct row *row = rows; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static int print_row_help(const struct row *row)
{
	printf("usage: callgate %s\n\n%s.\n\nexample: %s\n", row->synopsis, row->summary,
	    row->example);
	printf("more: man callgate\n");
	return COMMAND_OK;
}

static int print_help(void)
{
	printf("callgate: the gate between AI agents and this machine\n\n"
	       "usage: callgate [--socket PATH] [--output text|json] COMMAND ...\n\n");
	for (const struct row *row = rows; row->name; row++)
		printf("  %-8s %s\n", row->name, row->summary);
	printf("  %-8s %s\n  %-8s %s\n\n", "help", "this, or `help COMMAND`", "version",
	    "which callgate this is");
	printf(
	    "example: callgate up --config callgate.yaml && callgate call bash command='ls -l'\n");
	return COMMAND_OK;
}

static int cmd_version(struct command_session *session, int argc, char **argv)
{
	int status = command_no_more(argc, argv, 0);

	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		printf("{\"version\": \"%s\"}\n", CALLGATE_VERSION);
	else if (status == 0)
		printf("callgate %s\n", CALLGATE_VERSION);
	return status;
}

static int cmd_help(struct command_session *session, int argc, char **argv)
{
	const struct row *row = argc > 1 ? find_row(argv[1]) : NULL;

	(void)session;
	if (argc > 1 && !row)
		return command_fail(
		    COMMAND_USAGE, "help: no command %s; see `callgate help`", argv[1]);
	return row ? print_row_help(row) : print_help();
}

/* Global options may stand before or after the subcommand; `--` ends them. */
static int take_globals(struct command_session *session, int *argc, char **argv)
{
	static char path[PATHS_MAX];
	const char *value = command_take_option(argc, argv, "--socket");

	if (value) {
		session->socket = value;
	} else if (paths_socket(path) == 0) {
		session->socket = path;
	} else {
		session->socket = "";
	}
	value = command_take_option(argc, argv, "--agent");
	session->agent = value ? value : "";
	value = command_take_option(argc, argv, "--namespace");
	session->space = value ? value : "";
	value = command_take_option(argc, argv, "--output");
	if (!value || strcmp(value, "text") == 0)
		session->output = COMMAND_OUTPUT_TEXT;
	else if (strcmp(value, "json") == 0)
		session->output = COMMAND_OUTPUT_JSON;
	else
		return command_fail(COMMAND_USAGE, "--output %s: must be text or json", value);
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

static int dispatch(struct command_session *session, int argc, char **argv)
{
	const struct row *row;

	if (strcmp(argv[0], "--version") == 0)
		return cmd_version(session, 1, argv);
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return print_help();
	row = find_row(argv[0]);
	if (!row)
		return command_fail(
		    COMMAND_USAGE, "%s: no such command; see `callgate help`", argv[0]);
	return asks_for_help(argc, argv) ? print_row_help(row) : row->run(session, argc, argv);
}

int main(int argc, char **argv)
{
	struct command_session session = {0};
	int status;

	log_init("callgate", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	status = take_globals(&session, &argc, argv);
	if (status != 0)
		return status;
	if (argc < 2)
		return (void)print_help(), COMMAND_USAGE;
	status = dispatch(&session, argc - 1, argv + 1);
	/* What could not be written was not said, whatever else went well. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(status ? status : COMMAND_USAGE,
		    "output: cannot be written whole; is the disk full, or the reader gone?");
	return status;
}
