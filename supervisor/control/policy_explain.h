/*
 * `callgate policy explain`: what would be decided about one call, layer by layer, asked of the
 * daemon or, with --config, of a file. Floor 4.
 */
#ifndef CALLGATE_CONTROL_POLICY_EXPLAIN_H
#define CALLGATE_CONTROL_POLICY_EXPLAIN_H

#include "supervisor/control/command.h"

/* argv[0] is "explain". A COMMAND_* status. */
int policy_explain(struct command_session *session, int argc, char **argv);

#endif
