/*
 * From the arguments of a call to what would run: read, checked against the tool's schema, turned
 * into a command line, a standard input and paths. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_ARGUMENTS_H
#define CALLGATE_ENGINE_ARGUMENTS_H

#include "supervisor/engine/calls/call.h"

/* Fills call->arguments, command, cwd, paths and standard input from call->body, for call->tool.
 * NOTHING when all is well; DENIED with a sentence; FAULT. */
enum call_event arguments_take(struct call *call);

#endif
