/*
 * The way to a gate as commands use it (client.h): JSON-RPC messages out, lines of them back. There
 * are two, the daemon's socket and HTTP; who speaks over one does not know which. Floor 4: may
 * block where it says so.
 */
#ifndef CALLGATE_CONTROL_TRANSPORT_H
#define CALLGATE_CONTROL_TRANSPORT_H

#include <poll.h>
#include <stddef.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/control/remote.h"

#define TRANSPORT_MESSAGE_MAX (16 * 1024 * 1024) /* bytes of one message of the gate */
#define TRANSPORT_OTHERS_MAX  4                  /* descriptors that wait() takes beside */

/* Why nothing came of a request, where the way itself failed and no daemon spoke. */
struct transport_failure {
	int status;           /* exit status of the command; 0: nothing failed */
	int answered;         /* somebody is there and answered, if not with what was asked */
	struct err_note note; /* "where: why; what to do" */
};

struct transport;

struct transport_functions {
	/* One message, without a newline at its end. 0; -EPIPE: the gate hung up, and what it said
	 * before can still be received; -errno. */
	int (*send)(struct transport *transport, const char *text, size_t len);
	/* Appends what came, which may end within a line. Blocks until there is something. 0;
	 * -EPIPE: nothing more will come. */
	int (*receive)(struct transport *transport, struct buf *in);
	/* 1: receive() will not block; 0: one of others is ready (see its revents, all of them are
	 * set), or timeout_ms are over (-1: never). -errno. others with fd -1 are passed over. */
	int (*wait)(
	    struct transport *transport, struct pollfd *others, unsigned count, int timeout_ms);
	/* Nothing more will be sent; answers that are due still come. */
	void (*finish)(struct transport *transport);
	/* Ends what is under way and frees the transport. */
	void (*close)(struct transport *transport);
};

/* The beginning of each transport's own state. */
struct transport {
	const struct transport_functions *does;
	struct transport_failure failure;
};

/* Each returns a transport (owned by the caller, ended by does->close()) in *ret. */

/* The daemon's socket, or "fd:N", a gate. 0 or -errno of connect(2). */
int transport_open_socket(const char *path, struct transport **ret);
/* HTTP; nothing is sent yet. 0, or an exit status with the complaint in note. For callgate-remote
 * only (remote_program.h): it needs libcurl. */
int transport_open_http(const struct remote *remote, struct transport **ret, struct err_note *note);

#endif
