/*
 * callgate-remote: what it alone can do, and how callgate becomes it. libcurl brings some thirty
 * libraries with it, and callgate is started for every command inside a cell; so HTTP has a program
 * of its own, and its main() hands these functions down. Nothing else may refer to them. Floor 4.
 */
#ifndef CALLGATE_CONTROL_REMOTE_PROGRAM_H
#define CALLGATE_CONTROL_REMOTE_PROGRAM_H

#include "supervisor/base/err.h"

struct command_session;
struct remote;
struct transport;

struct remote_functions {
	/* As transport_open_socket(), over HTTP: 0, or an exit status with the complaint in note.
	 */
	int (*open)(const struct remote *remote, struct transport **ret, struct err_note *note);
	/* The commands of these names: their exit status. */
	int (*login)(struct command_session *session, int argc, char **argv);
	int (*logout)(struct command_session *session, int argc, char **argv);
};

/* Executes callgate-remote of LIBEXECDIR with the arguments that this program was given, in the
 * same process and environment. Comes back only where that cannot be done: status, after
 * complaining. */
int remote_program_become(const struct command_session *session, int status);

#endif
