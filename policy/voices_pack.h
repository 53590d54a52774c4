/*
 * What the rule packs of a tool say about one simple command, and about the commands that it would
 * start. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_VOICES_PACK_H
#define CALLGATE_POLICY_VOICES_PACK_H

#include "policy/voices.h"

#define VOICES_PACK_DEPTH 8 /* commands within commands; deeper ones are asked about */
/* Commands looked at for one decision, long ones as several: what has more is denied. It bounds
 * time and memory of a decision to a few milliseconds and megabytes. */
#define VOICES_PACK_WORK 1024

/* simple: a command of the call itself. 0 or -ENOMEM. */
int voices_pack(
    struct voices *voices, const struct question *question, const struct simple_command *simple);
void voices_pack_free(struct voices *voices);

#endif
