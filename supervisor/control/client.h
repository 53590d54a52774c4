/*
 * A blocking JSON-RPC client of the daemon's Unix socket, for one command's lifetime.
 * Floor 4: jansson; blocks as long as the daemon holds the answer.
 */
#ifndef CALLGATE_CONTROL_CLIENT_H
#define CALLGATE_CONTROL_CLIENT_H

#include <jansson.h>

#include "supervisor/base/buf.h"
#include "supervisor/control/command.h"

#define CLIENT_LINE_MAX (16 * 1024 * 1024) /* bytes of one answer */

struct client {
	int fd; /* -1 = closed */
	struct buf in;
	json_int_t next_id;
	int quiet; /* do not say that the answer takes long */
};

/* Connects. 0, or -errno without a word (so that `up` can poll). */
int client_connect(struct client *client, const char *socket);
/* Connects, or complains and returns COMMAND_UNREACHABLE. */
int client_open(struct client *client, const struct command_session *session);
void client_close(struct client *client);

/* Sends a request and waits for its answer. params is stolen (NULL = {}); agent and namespace of
 * the session are put into its _meta. Returns 0 and *ret_answer: the whole response object with
 * "result" or "error" (owned by the caller), or COMMAND_UNREACHABLE after complaining. */
int client_request(struct client *client, const struct command_session *session, const char *method,
    json_t *params, json_t **ret_answer);

/* The same without a word: 0; -EINVAL (a name is not UTF-8), -EPIPE (the daemon ended the
 * connection) or -errno. */
int client_exchange(struct client *client, const struct command_session *session,
    const char *method, json_t *params, json_t **ret_answer);

/* One request on a connection of its own: 0 and *ret_result (owned by the caller), or an exit
 * status after complaining with the daemon's own error text. */
int client_once(
    const struct command_session *session, const char *method, json_t *params, json_t **ret_result);

/* Complains about a JSON-RPC error object, with --output json also as {"error": ...} on stdout.
 * Returns the exit status that belongs to its code. */
int client_complain(const struct command_session *session, const char *method, const json_t *error);

#endif
