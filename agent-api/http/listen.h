/*
 * Listening sockets, made before the process is confined, or inherited from a service manager.
 * Floor 1: libc only. Descriptors are close-on-exec, non-blocking and the caller's.
 */
#ifndef CALLGATE_HTTP_LISTEN_H
#define CALLGATE_HTTP_LISTEN_H

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"

#define HTTP_BACKLOG 1024

/* TCP on an address ("127.0.0.1", "::1"; "::" takes IPv4, too); port 0: the kernel chooses. The
 * descriptor, or -errno with a note. */
int http_listen_tcp(const char *address, uint16_t port, struct err_note *note);
/* A Unix socket of this mode, made so that nobody else can connect before the mode is set. A
 * socket that nobody listens on is replaced, anything else is left alone: -EADDRINUSE. Who ends
 * removes the path. */
int http_listen_unix(const char *path, mode_t mode, struct err_note *note);
/* The port of a socket; 0 where it has none. */
uint16_t http_listen_port(int fd);

/* Descriptor number index of those that the service manager handed over (LISTEN_PID and LISTEN_FDS,
 * systemd's socket activation), which must listen. -ENOENT: there is none of that number;
 * -EINVAL: it is not a listening stream socket. */
int http_listen_inherited(unsigned index, struct err_note *note);

#endif
