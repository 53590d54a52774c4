/*
 * Listening sockets that the service manager hands over (sd_listen_fds(3)): which is the Unix
 * socket of JSON-RPC, which the HTTP listener. Used by listen.c and listen_http.c. Reads the
 * environment; changes close-on-exec and non-blocking only.
 *
 * LISTEN_FDNAMES decides where it says "rpc" or "http" (FileDescriptorName= of the socket units).
 * Else the kind decides: the first Unix socket is rpc, the first of IPv4 or IPv6 is http.
 */
#ifndef CALLGATE_WARDEN_HANDED_H
#define CALLGATE_WARDEN_HANDED_H

#include "supervisor/base/err.h"

/* -1: none was handed over. */
struct handed {
	int rpc;
	int http;
};

/* 0; -EINVAL: something was handed over that is no use, with note. */
int handed_find(struct handed *ret, struct err_note *note);

#endif
