/*
 * policy pack: the rule packs that callgate brings, as a person may read them. Floor 4.
 */
#ifndef CALLGATE_CONTROL_POLICY_PACK_H
#define CALLGATE_CONTROL_POLICY_PACK_H

#include "supervisor/control/command.h"

/* argv[0] is "pack". Returns an exit status. */
int policy_pack_main(const struct command_session *session, int argc, char **argv);

#endif
