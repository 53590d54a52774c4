/*
 * Method name → what is done with it: one table. Answered here is only what needs no decision;
 * everything else becomes one MESSAGE_REQUEST for engine, which checks it all again.
 */
#ifndef CALLGATE_FRONT_DISPATCH_H
#define CALLGATE_FRONT_DISPATCH_H

#include "agent-api/wire/rpc.h"

struct connection;

/* Answers, forwards or ignores one message of a client. May close the connection. */
void dispatch_message(struct connection *connection, const struct rpc_message *message);

#endif
