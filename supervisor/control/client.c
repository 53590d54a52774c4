#include "supervisor/control/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/control/remote_program.h"

#define READ_CHUNK  (64 * 1024)
#define PATIENCE_MS 2000 /* silence after which a person is told what is being waited for */

/* The daemon's own codes (agent-api/PROTOCOL.md). */
#define CODE_NOT_AUTHENTICATED 401
#define CODE_TOO_MANY          429
#define CODE_UNAVAILABLE       503

#define TOOL_PAGES_MAX         1000

int client_connect(struct client *client, const char *socket)
{
	*client = (struct client){.next_id = 1};
	buf_init(&client->in, TRANSPORT_MESSAGE_MAX + READ_CHUNK);
	return transport_open_socket(socket, &client->transport);
}

/* What helps against a connect() that failed this way. */
static const char *connect_advice(int fault)
{
	if (fault == -EACCES)
		return "its owner decides who may connect (server.socket mode and group)";
	if (fault == -ENAMETOOLONG)
		return "a socket's path has at most 107 bytes; name a shorter one with --socket";
	return "start it with `callgate up` or name its socket with --socket";
}

static int try_remote(
    struct client *client, const struct command_session *session, struct err_note *note)
{
	*client = (struct client){.next_id = 1};
	buf_init(&client->in, TRANSPORT_MESSAGE_MAX + READ_CHUNK);
	if (session->over_http)
		return session->over_http->open(session->remote, &client->transport, note);
	(void)err_note(note, 0, "HTTP: not spoken by this program; callgate-remote does");
	return COMMAND_UNREACHABLE;
}

static int open_remote(struct client *client, const struct command_session *session)
{
	struct err_note note = {0};
	int status = try_remote(client, session, &note);

	return status == 0 ? 0 : command_fail(status, "%s", note.text);
}

int client_open_or(struct client *client, const struct command_session *session, int status)
{
	int result;

	if (session->remote)
		return open_remote(client, session) == 0 ? 0 : status;
	if (!session->socket[0])
		return command_fail(status,
		    "no socket: neither HOME nor XDG_RUNTIME_DIR is set; name it with --socket");
	result = client_connect(client, session->socket);
	if (result == 0)
		return 0;
	return command_fail(
	    status, "%s: %s; %s", session->socket, strerror(-result), connect_advice(result));
}

int client_open(struct client *client, const struct command_session *session)
{
	return session->remote ? open_remote(client, session)
			       : client_open_or(client, session, COMMAND_UNREACHABLE);
}

void client_close(struct client *client)
{
	if (client->transport)
		client->transport->does->close(client->transport);
	client->transport = NULL;
	buf_fini(&client->in);
}

int client_wait(struct client *client, struct pollfd *others, unsigned count, int timeout_ms)
{
	return client->transport->does->wait(client->transport, others, count, timeout_ms);
}

const struct transport_failure *client_failure(const struct client *client)
{
	const struct transport *transport = client->transport;

	return transport && transport->failure.status ? &transport->failure : NULL;
}

void client_finish(struct client *client)
{
	client->transport->does->finish(client->transport);
}

/* Once per answer, and only to a person: a call may be held for a human's answer. */
static void say_when_slow(struct client *client)
{
	if (client->quiet || !isatty(STDERR_FILENO) ||
	    client_wait(client, NULL, 0, PATIENCE_MS) != 0)
		return;
	command_note(
	    "waiting for the answer; a call that needs a human is in `callgate pending` ...");
	client->quiet = 1;
}

int client_read(struct client *client)
{
	return client->transport->does->receive(client->transport, &client->in);
}

static uint8_t *end_of_line(const struct client *client)
{
	return client->in.len ? memchr(client->in.data, '\n', client->in.len) : NULL;
}

int client_line(const struct client *client, const char **ret_text, size_t *ret_len)
{
	const uint8_t *end = end_of_line(client);

	if (!end)
		return 0;
	*ret_text = (const char *)client->in.data;
	*ret_len = (size_t)(end - client->in.data);
	return 1;
}

void client_drop_line(struct client *client)
{
	const uint8_t *end = end_of_line(client);
	size_t len = end ? (size_t)(end - client->in.data) + 1 : 0;

	memmove(client->in.data, client->in.data + len, client->in.len - len);
	client->in.len -= len;
}

int client_next(struct client *client, json_t **ret_message)
{
	const char *text;
	size_t len;

	while (client_line(client, &text, &len)) {
		json_t *object =
		    json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

		client_drop_line(client);
		if (json_is_object(object)) {
			*ret_message = object;
			return 1;
		}
		json_decref(object);
	}
	return 0;
}

/* Next message of the daemon, waited for; NULL: the connection ended. */
static json_t *read_object(struct client *client)
{
	json_t *object = NULL;

	while (client_next(client, &object) == 0) {
		say_when_slow(client);
		if (client_read(client) != 0)
			return NULL;
	}
	return object;
}

/* Puts the session's claims where the protocol wants them. */
static int add_claims(json_t *params, const struct command_session *session)
{
	json_t *meta = json_object_get(params, "_meta");

	if (!session->agent[0] && !session->space[0])
		return 0;
	if (!meta) {
		meta = json_object();
		if (json_object_set_new(params, "_meta", meta) != 0)
			return -ENOMEM;
	}
	if (session->agent[0] &&
	    json_object_set_new(meta, "callgate/agent", json_string(session->agent)) != 0)
		return -EINVAL;
	if (session->space[0] &&
	    json_object_set_new(meta, "callgate/namespace", json_string(session->space)) != 0)
		return -EINVAL;
	return 0;
}

int client_write(const struct client *client, const void *bytes, size_t len)
{
	return client->transport->does->send(client->transport, bytes, len);
}

/* Takes message. */
static int send_message(struct client *client, json_t *message)
{
	char *cleanup_free text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	return text ? client_write(client, text, strlen(text)) : -ENOMEM;
}

int client_send(struct client *client, const struct command_session *session, const char *method,
    json_t *params, json_int_t *ret_id)
{
	json_int_t id = client->next_id++;

	if (!params)
		params = json_object();
	if (!params || add_claims(params, session) != 0) {
		json_decref(params);
		return -EINVAL;
	}
	*ret_id = id;
	return send_message(client, json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", id,
					"method", method, "params", params));
}

int client_notify(struct client *client, const char *method, json_t *params)
{
	return send_message(client,
	    json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

int client_exchange(struct client *client, const struct command_session *session,
    const char *method, json_t *params, json_t **ret_answer)
{
	json_t *answer;
	json_int_t id;
	int result = client_send(client, session, method, params, &id);

	/* A daemon that hangs up before it has read us has said why before that. */
	if (result < 0 && result != -EPIPE)
		return result;
	while ((answer = read_object(client)) != NULL) {
		if (json_integer_value(json_object_get(answer, "id")) == id ||
		    json_is_null(json_object_get(answer, "id"))) {
			*ret_answer = answer;
			return 0;
		}
		json_decref(answer);
	}
	return -EPIPE;
}

/* Does this object answer no request of ours, but the connection? */
static const json_t *error_of_connection(const json_t *object)
{
	const json_t *error = json_object_get(object, "error");

	return error && json_is_null(json_object_get(object, "id")) ? error : NULL;
}

json_t *client_last_word(struct client *client)
{
	json_t *object, *error = NULL;

	while (!error && (object = read_object(client)) != NULL) {
		error = json_incref((json_t *)error_of_connection(object));
		json_decref(object);
	}
	return error;
}

int client_request(struct client *client, const struct command_session *session, const char *method,
    json_t *params, json_t **ret_answer)
{
	int result = client_exchange(client, session, method, params, ret_answer);
	const json_t *error = result == 0 ? error_of_connection(*ret_answer) : NULL;
	const struct transport_failure *failure = client_failure(client);

	if (failure) {
		if (result == 0)
			json_decref(*ret_answer);
		return command_fail(failure->status, "%s", failure->note.text);
	}
	if (error && json_integer_value(json_object_get(error, "code")) == CODE_UNAVAILABLE) {
		result = command_fail_daemon(COMMAND_UNREACHABLE, method, error);
		json_decref(*ret_answer);
		return result; /* turned away at the door */
	}
	if (result == 0)
		return 0;
	if (result == -EINVAL)
		return command_fail(COMMAND_USAGE, "%s: a name is not valid UTF-8", method);
	if (result == -EPIPE)
		return command_fail(COMMAND_UNREACHABLE,
		    "%s: the daemon ended the connection; see its log", method);
	return command_fail(COMMAND_UNREACHABLE, "%s: cannot send: %s", method, strerror(-result));
}

int client_complain(const char *method, const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	int status = COMMAND_USAGE;

	if (code == CODE_NOT_AUTHENTICATED)
		status = COMMAND_NOT_AUTHENTICATED;
	else if (code == CODE_TOO_MANY)
		status = COMMAND_UNREACHABLE; /* turned away, as at the door */
	else if (code == CODE_NOT_PERMITTED || strcmp(method, "tools/call") == 0)
		status = COMMAND_REFUSED;
	return command_fail_daemon(status, method, error);
}

int client_tools(const struct command_session *session, json_t **ret_tools)
{
	json_t *tools = json_array(), *cursor = NULL;
	int status = 0;

	for (int page = 0; status == 0 && page < TOOL_PAGES_MAX && (page == 0 || cursor); page++) {
		json_t *params = json_object(), *answer = NULL;

		if (cursor)
			(void)json_object_set_new(params, "cursor", cursor);
		cursor = NULL;
		status = client_once(session, "tools/list", params, &answer);
		if (status == 0) {
			(void)json_array_extend(tools, json_object_get(answer, "tools"));
			cursor = json_incref(json_object_get(answer, "nextCursor"));
		}
		json_decref(answer);
	}
	json_decref(cursor);
	if (status != 0)
		json_decref(tools);
	else
		*ret_tools = tools;
	return status;
}

int client_once(
    const struct command_session *session, const char *method, json_t *params, json_t **ret_result)
{
	struct client cleanup_with(client_close) client = {.transport = NULL};
	json_t *answer = NULL;
	json_t *value;
	int status;

	status = client_open(&client, session);
	if (status != 0) {
		json_decref(params);
		return status;
	}
	status = client_request(&client, session, method, params, &answer);
	if (status != 0)
		return status;
	value = json_object_get(answer, "result");
	if (value)
		*ret_result = json_incref(value);
	else
		status = client_complain(method, json_object_get(answer, "error"));
	json_decref(answer);
	return status;
}

int client_reaches(const struct command_session *session)
{
	struct client cleanup_with(client_close) client = {.transport = NULL};
	const struct transport_failure *failure;
	struct err_note note = {0};
	json_t *answer = NULL;

	if (!session->remote)
		return client_connect(&client, session->socket) == 0;
	if (try_remote(&client, session, &note) != 0)
		return 0;
	if (client_exchange(&client, session, "ping", NULL, &answer) == 0)
		json_decref(answer);
	failure = client_failure(&client);
	return !failure || failure->answered;
}
