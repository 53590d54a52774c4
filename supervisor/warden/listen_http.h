/*
 * Where HTTP is served: a TCP socket or a Unix socket, made before any role runs, or handed over by
 * the service manager. Used by start.c before READY and at the end; the HTTP front accepts on it.
 */
#ifndef CALLGATE_WARDEN_LISTEN_HTTP_H
#define CALLGATE_WARDEN_LISTEN_HTTP_H

#include "supervisor/warden/listen.h"

#define LISTEN_NAME_MAX (PATHS_MAX + 64)

/* What listen_http_open() would refuse, as far as it can be seen: an address that is not of this
 * machine, a port that is taken or not ours to take, a path (listen_check_own()), a socket handed
 * over although the policy serves no HTTP. folder: of the policy file. running: a daemon of this
 * policy runs, so its port may well be taken. 0 or -errno with note, "file:line:column: ..." where
 * the policy names the place. Takes the port for a moment, connects to nobody. */
int listen_http_check(
    const struct policy *policy, const char *folder, bool running, struct err_note *note);
/* 0 and *ret, whose fd is -1 where the policy serves no HTTP; -EADDRINUSE; -EACCES; -errno; note.
 * Closed by listen_close(). */
int listen_http_open(
    const struct policy *policy, const char *folder, struct listener *ret, struct err_note *note);
/* Where it really listens: "127.0.0.1:8700", "[::1]:8700", or a path. */
void listen_http_name(const struct listener *listener, char ret[LISTEN_NAME_MAX]);
/* The same without the port: an address or a path. */
void listen_http_address(const struct listener *listener, char ret[LISTEN_NAME_MAX]);

#endif
