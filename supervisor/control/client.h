/*
 * A blocking JSON-RPC client of a gate, for one command's lifetime: over the daemon's socket, or
 * over HTTP where the session says --url. Floor 4: jansson; blocks as long as the gate holds the
 * answer.
 */
#ifndef CALLGATE_CONTROL_CLIENT_H
#define CALLGATE_CONTROL_CLIENT_H

#include <jansson.h>

#include "supervisor/base/buf.h"
#include "supervisor/control/command.h"
#include "supervisor/control/transport.h"

#define CODE_NOT_PERMITTED 403 /* of an error: agent-api/PROTOCOL.md */

struct client {
	struct transport *transport; /* owned; NULL = closed */
	struct buf in;
	json_int_t next_id;
	int quiet; /* do not say that the answer takes long */
};

/* Connects to a socket. 0, or -errno without a word (so that `up` can poll). */
int client_connect(struct client *client, const char *socket);
/* Connects to the session's gate, or complains and returns an exit status: COMMAND_UNREACHABLE,
 * COMMAND_NOT_AUTHENTICATED (nothing usable to show to it), COMMAND_USAGE. */
int client_open(struct client *client, const struct command_session *session);
/* The same with this exit status for whatever went wrong. */
int client_open_or(struct client *client, const struct command_session *session, int status);
void client_close(struct client *client);
/* Does anybody answer there, whatever it says? 1, 0. Without a word. */
int client_reaches(const struct command_session *session);

/* Sends a request and waits for its answer. params is stolen (NULL = {}); agent and namespace of
 * the session are put into its _meta. Returns 0 and *ret_answer: the whole response object with
 * "result" or "error" (owned by the caller), or an exit status after complaining:
 * COMMAND_UNREACHABLE and, where no daemon spoke but the way itself said so, the others of
 * client_open(). */
int client_request(struct client *client, const struct command_session *session, const char *method,
    json_t *params, json_t **ret_answer);

/* The same without a word: 0; -EINVAL (a name is not UTF-8), -EPIPE (the daemon ended the
 * connection) or -errno. */
int client_exchange(struct client *client, const struct command_session *session,
    const char *method, json_t *params, json_t **ret_answer);

/* Sends a message as it is, without a newline at its end, and without a signal where the daemon has
 * hung up. 0; -EPIPE: it has, and what it said before can still be read; -errno. */
int client_write(const struct client *client, const void *bytes, size_t len);
/* Nothing more will be written; answers that are due still come. */
void client_finish(struct client *client);
/* Sends a request without waiting, for those that have several under way. params is stolen. 0;
 * -EINVAL (a name is not UTF-8), -errno. */
int client_send(struct client *client, const struct command_session *session, const char *method,
    json_t *params, json_int_t *ret_id);
/* Sends a notification; params is stolen. 0 or -errno. */
int client_notify(struct client *client, const char *method, json_t *params);
/* What the daemon has sent already: 1 and *ret_message (owned by the caller); 0: nothing whole. A
 * line that is no JSON object is passed over. */
int client_next(struct client *client, json_t **ret_message);
/* The next whole line as it came, borrowed until client_drop_line() or client_read(): 1; 0: none.
 * */
int client_line(const struct client *client, const char **ret_text, size_t *ret_len);
void client_drop_line(struct client *client);
/* Reads once, blocking. 0, or -EPIPE: nothing more will come. */
int client_read(struct client *client);
/* Waits until client_read() will not block (1), or one of others is ready or timeout_ms are over
 * (0; revents of all are set); -errno. At most TRANSPORT_OTHERS_MAX others; those with fd -1 are
 * passed over. */
int client_wait(struct client *client, struct pollfd *others, unsigned count, int timeout_ms);
/* Why the way itself gave no answer; borrowed; NULL: nothing failed there. */
const struct transport_failure *client_failure(const struct client *client);

/* Every page of tools/list: 0 and *ret_tools, an array owned by the caller, or an exit status. */
int client_tools(const struct command_session *session, json_t **ret_tools);

/* One request on a connection of its own: 0 and *ret_result (owned by the caller), or an exit
 * status after complaining with the daemon's own error text. */
int client_once(
    const struct command_session *session, const char *method, json_t *params, json_t **ret_result);

/* Reads what came before the daemon hung up. Its own word on why (an error that answers no request,
 * owned by the caller), or NULL. */
json_t *client_last_word(struct client *client);

/* Complains about a JSON-RPC error object. Returns the exit status that belongs to its code. */
int client_complain(const char *method, const json_t *error);

#endif
