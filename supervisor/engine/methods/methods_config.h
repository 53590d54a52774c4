/*
 * The studio: callgate/config/read and write. The warden reads, checks and writes the file, and its
 * policy child judges it; here is decided who may ask. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_CONFIG_H
#define CALLGATE_ENGINE_METHODS_CONFIG_H

#include "supervisor/link/message.h"

struct caller;
struct methods_ask;
struct result_to;

/* The policy without its server block. */
void read_config(const struct methods_ask *ask);
/* {config: text or object, check?: bool, version?: of the one it was made from} */
void write_config(const struct methods_ask *ask);
/* The warden's answer to one of them, for whoever asked. */
void config_controlled(const struct result_to *to, const struct caller *by, enum control_op op,
    const struct message_controlled *told);

#endif
