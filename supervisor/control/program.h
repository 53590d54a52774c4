/*
 * What callgate and callgate-remote have in common, which is all but the way over HTTP: global
 * options, then one of the subcommands of commands.c. Floor 4.
 */
#ifndef CALLGATE_CONTROL_PROGRAM_H
#define CALLGATE_CONTROL_PROGRAM_H

#include "supervisor/control/remote_program.h"

/* main() with over_http, borrowed, for the gates elsewhere; NULL: this program has none of it and
 * becomes callgate-remote where that is needed. argv is rearranged. Returns the exit status. */
int program_main(int argc, char **argv, const struct remote_functions *over_http);

#endif
