/*
 * The way to the daemon from inside a running call: no socket can be connected there, so a pair is
 * made and one end of it handed over the call's own gate. CALLGATE_SOCKET=fd:3 says where that is.
 * Floor 4: base.
 */
#ifndef CALLGATE_CONTROL_GATE_CLIENT_H
#define CALLGATE_CONTROL_GATE_CLIENT_H

/* The descriptor in "fd:N"; -1: this is not the name of a gate. NULL is none either. */
int gate_number(const char *socket);
/* A new connection through the gate, close-on-exec, the caller's; or -errno: no gate is there
 * (-EBADF, -ENOTSOCK), or the call is over (-EPIPE). A gate that takes no more connections says so
 * in the first line. */
int gate_connect(int gate_fd);

#endif
