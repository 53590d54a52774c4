/*
 * The command that people and agents type: what every subcommand is given and gives back.
 *
 * A subcommand is one function in one file; commands.c holds the table. What was asked for goes to
 * stdout. Complaints go to stderr, one line each: "callgate: what: why; what to do", or with
 * --output json {"error": {"message", "code"}}, code being the exit status. Floor 4: may block.
 */
#ifndef CALLGATE_CONTROL_COMMAND_H
#define CALLGATE_CONTROL_COMMAND_H

#include <stdio.h>

#include <jansson.h>

struct remote;
struct remote_functions;

/* The exit statuses of DESIGN 5.1. */
enum command_exit {
	COMMAND_OK = 0,
	COMMAND_USAGE = 1, /* usage, input or output */
	COMMAND_REFUSED = 2,
	COMMAND_NOT_AUTHENTICATED = 3,
	COMMAND_UNREACHABLE = 4,
	COMMAND_TOOL_FAILED = 5,
	COMMAND_RUN_DEADLINE = 124,
	COMMAND_RUN_COULD_NOT = 125,
	COMMAND_RUN_REFUSED = 126,
};

enum command_output {
	COMMAND_OUTPUT_TEXT = 0,
	COMMAND_OUTPUT_JSON,
};

struct command_session {
	const char *socket;          /* path of the daemon's socket; never NULL */
	int socket_given;            /* by --socket */
	const struct remote *remote; /* the gate over HTTP instead of the socket; NULL = none */
	const struct remote_functions *over_http; /* NULL: this program cannot speak HTTP */
	char *const *argv; /* what the program was given, whole; ends with NULL */
	enum command_output output;
	const char *agent; /* claimed name, "" = none */
	const char *space; /* namespace, "" = default */
};

/* How complaints look from now on; main() says so once, before any subcommand runs. */
void command_complain_as(enum command_output form);

/* Prints the one-line complaint and returns status, so that `return command_fail(...)` reads as
 * one step. Control bytes in the text are escaped. */
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for an error object of the daemon, which JSON shows whole under "daemon". */
int command_fail_daemon(int status, const char *what, const json_t *error);
/* What is probably wrong although the command goes on: a line on stderr, "callgate: warning: ..."
 * or in JSON {"warning": {"message"}}. */
void command_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for what is good to know: "callgate: note: ...", {"note": {"message"}}. */
void command_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What a person waits for; nothing with --output json. */
void command_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints value as indented JSON and a newline. COMMAND_OK or COMMAND_USAGE (write failed). */
int command_print_json(const json_t *value);
/* Prints JSON text and a newline: as it is, but to a terminal in ASCII alone, which is the same
 * value. A failed write is told once, by main() at the end. */
void command_put_json(const char *text, size_t len);
/* Prints text with hostile bytes escaped (str_escape); no newline. */
void command_print_escaped(const char *text);
/* The same for text that the daemon has already rendered for people: its backslashes are escapes
 * and stay single, whatever else a terminal could act upon is still escaped (str_printable). */
void command_print_rendered(const char *text);
void command_write_rendered(FILE *out, const char *text);

/* Takes `--name VALUE` or `--name=VALUE` out of argv; NULL if absent. *argc shrinks. */
const char *command_take_option(int *argc, char **argv, const char *name);
/* The same among the first end words only. */
const char *command_take_before(int *argc, char **argv, int end, const char *name);
/* Takes `--name` out of argv: 1 if it was there. */
int command_take_flag(int *argc, char **argv, const char *name);
/* The text of a member of an object, borrowed; "" where there is none. */
const char *command_text_of(const json_t *object, const char *key);

/* Is word, whole, an option of the list that takes a value? */
int command_takes_value(const char *list, const char *word);
/* Complains about an option that was not taken: it is unknown (what is near is proposed), lacks its
 * value or takes none. name: a command or a verb of one. Returns status. */
int command_bad_option(int status, const char *name, const char *option);
/* The same about a word that is none of a list by blanks. Returns COMMAND_USAGE. */
int command_bad_word(const char *name, const char *word, const char *list);
/* Complains about the first argument that looks like an unknown option. 0 or COMMAND_USAGE. */
int command_no_options(int argc, char **argv);
/* The same, and about the first word beyond `words`. 0 or COMMAND_USAGE. */
int command_no_more(int argc, char **argv, int words);

/* Complains where the session names a gate elsewhere by --url. 0 or COMMAND_USAGE. */
int command_local_only(const struct command_session *session, const char *name);

/* The subcommands: argv[0] is the subcommand's own name. Each returns the exit status. */
int cmd_up(struct command_session *session, int argc, char **argv);
int cmd_status(struct command_session *session, int argc, char **argv);
int cmd_down(struct command_session *session, int argc, char **argv);
int cmd_reload(struct command_session *session, int argc, char **argv);
int cmd_tools(struct command_session *session, int argc, char **argv);
int cmd_agents(struct command_session *session, int argc, char **argv);
int cmd_call(struct command_session *session, int argc, char **argv);
int cmd_run(struct command_session *session, int argc, char **argv);
int cmd_mcp(struct command_session *session, int argc, char **argv);
int cmd_pending(struct command_session *session, int argc, char **argv);
int cmd_approve(struct command_session *session, int argc, char **argv);
int cmd_deny(struct command_session *session, int argc, char **argv);
int cmd_diff(struct command_session *session, int argc, char **argv);
int cmd_commit(struct command_session *session, int argc, char **argv);
int cmd_discard(struct command_session *session, int argc, char **argv);
int cmd_undo(struct command_session *session, int argc, char **argv);
int cmd_watch(struct command_session *session, int argc, char **argv);
int cmd_keys(struct command_session *session, int argc, char **argv);
int cmd_token(struct command_session *session, int argc, char **argv);
int cmd_login(struct command_session *session, int argc, char **argv);
int cmd_logout(struct command_session *session, int argc, char **argv);
int cmd_whoami(struct command_session *session, int argc, char **argv);
int cmd_config(struct command_session *session, int argc, char **argv);
int cmd_audit(struct command_session *session, int argc, char **argv);
int cmd_policy(struct command_session *session, int argc, char **argv);
int cmd_grants(struct command_session *session, int argc, char **argv);
int cmd_completion(struct command_session *session, int argc, char **argv);
int cmd_help(struct command_session *session, int argc, char **argv);
int cmd_version(struct command_session *session, int argc, char **argv);

#endif
