/*
 * keys create --approver: the private half stays with the person, the public half goes to the
 * daemon's state folder, where a reload finds it. Floor 4.
 */
#ifndef CALLGATE_CONTROL_KEYS_APPROVER_H
#define CALLGATE_CONTROL_KEYS_APPROVER_H

#include "supervisor/control/command.h"

/* argv[0] is the command's name; the options of it follow. Returns an exit status. */
int keys_approver_create(struct command_session *session, int argc, char **argv);

#endif
