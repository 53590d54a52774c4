/*
 * The table of subcommands: what runs, how it is used, what a shell may complete. Help, the
 * completion scripts and main.c read it. Floor 4.
 */
#ifndef CALLGATE_CONTROL_COMMANDS_H
#define CALLGATE_CONTROL_COMMANDS_H

#include "supervisor/control/command.h"

/* Texts are never NULL in a row; lists in one text are separated as said. */
struct command_row {
	const char *name;
	int (*run)(struct command_session *session, int argc, char **argv);
	const char *synopsis; /* forms, one a line */
	const char *summary;
	const char *examples; /* one a line, at least one */
	const char *verbs;    /* first words it knows, by blanks */
	const char *options;  /* by blanks: "--flag", "--option=KIND" (KIND: see commands_kinds) */
	const char *operand;  /* KIND of its words, or "" */
	const char *remarks;  /* what else its help says, lines; or "" */
};

/* Global options in the form of command_row.options. KIND is one of FILE DIR TOOL AGENT SPACE
 * APPROVAL GRANT CALL SCOPE FORMAT SHELL COMMAND ARGV, or ANY where nothing can be proposed. */
extern const char commands_globals[];

/* All rows; the last has a NULL name. */
const struct command_row *commands_all(void);
/* NULL: no such command. */
const struct command_row *commands_find(const char *name);
/* The same by the name of a command or of a verb of one. */
const struct command_row *commands_of(const char *word);
/* Is an option, such as "--key", one of the command's own? */
int commands_has_option(const struct command_row *row, const char *option);
/* Does it ask no gate, so that --url makes no difference to how it is done? */
int commands_is_local(const struct command_row *row);
/* All names, by blanks, into out; what does not fit is left out. Returns out. */
const char *commands_names(char *out, size_t max);

#endif
