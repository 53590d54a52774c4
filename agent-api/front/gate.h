/*
 * The gates of running calls: each is a socket whose other end is descriptor 3 of a tool. A tool
 * that wants a connection makes a pair of its own and sends one end over it, with one byte; no
 * tool can reach the listening socket. What comes is taken only if it is a connected stream of
 * this machine, a few at a time; whatever else comes is closed.
 *
 * The tool may keep what it sent, and with it the same open file: its flags are never relied upon
 * (connection.c). Who the tool is, engine knows; the kernel's word counts for nothing here.
 */
#ifndef CALLGATE_FRONT_GATE_H
#define CALLGATE_FRONT_GATE_H

#include "supervisor/link/message.h"

struct front;
struct gate;

/* MESSAGE_GATE: with a descriptor, takes it and opens the gate; without, closes the gate and its
 * connections, if it is there. 0; -EBADMSG: this call has one already, or has no name; -errno: it
 * cannot be watched, and the tool finds it closed. */
int gate_take(struct front *front, struct message *message);
/* Closes every gate, and nothing else. */
void gate_close_all(struct front *front);

#endif
