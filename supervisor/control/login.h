/*
 * login, logout: a person's own sign-in at a remote gate, by the device flow of its issuer. Only
 * callgate-remote has them (remote_program.h). Floor 4: libcurl; blocks.
 */
#ifndef CALLGATE_CONTROL_LOGIN_H
#define CALLGATE_CONTROL_LOGIN_H

#include "supervisor/control/command.h"

/* As every command of command.h: the exit status. */
int login_run(struct command_session *session, int argc, char **argv);
int logout_run(struct command_session *session, int argc, char **argv);

#endif
