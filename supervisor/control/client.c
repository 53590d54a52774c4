#include "supervisor/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define READ_CHUNK  (64 * 1024)
#define PATIENCE_MS 2000 /* silence after which a person is told what is being waited for */

/* The daemon's own codes (agent-api/PROTOCOL.md). */
#define CODE_NOT_AUTHENTICATED 401
#define CODE_NOT_PERMITTED     403

int client_connect(struct client *client, const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int cleanup_fd fd = -1;

	*client = (struct client){.fd = -1, .next_id = 1};
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -errno;
	buf_init(&client->in, CLIENT_LINE_MAX + READ_CHUNK);
	client->fd = take_fd(&fd);
	return 0;
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

int client_open(struct client *client, const struct command_session *session)
{
	int result;

	if (!session->socket[0])
		return command_fail(COMMAND_UNREACHABLE,
		    "no socket: neither HOME nor XDG_RUNTIME_DIR is set; name it with --socket");
	result = client_connect(client, session->socket);
	if (result == 0)
		return 0;
	return command_fail(COMMAND_UNREACHABLE, "%s: %s; %s", session->socket, strerror(-result),
	    connect_advice(result));
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	buf_fini(&client->in);
}

/* Once per answer, and only to a person: a call may be held for a human's answer. */
static void say_when_slow(struct client *client)
{
	struct pollfd readable = {.fd = client->fd, .events = POLLIN};

	if (client->quiet || !isatty(STDERR_FILENO) || poll(&readable, 1, PATIENCE_MS) != 0)
		return;
	fprintf(stderr,
	    "waiting for the answer; a call that needs a human is in `callgate pending` ...\n");
	client->quiet = 1;
}

/* More bytes of the daemon. 0, or -EPIPE: it ended, or sends more than a line may hold. */
static int read_more(struct client *client)
{
	uint8_t chunk[READ_CHUNK];
	ssize_t got;

	say_when_slow(client);
	do {
		got = read(client->fd, chunk, sizeof(chunk));
	} while (got < 0 && errno == EINTR);
	return got > 0 && buf_put(&client->in, chunk, (size_t)got) == 0 ? 0 : -EPIPE;
}

static uint8_t *end_of_line(const struct client *client)
{
	return client->in.len ? memchr(client->in.data, '\n', client->in.len) : NULL;
}

/* Next line of the daemon as a JSON object; NULL: the connection ended or talked nonsense. */
static json_t *read_object(struct client *client)
{
	json_t *object;
	uint8_t *end;
	size_t len;

	while ((end = end_of_line(client)) == NULL)
		if (read_more(client) != 0)
			return NULL;
	len = (size_t)(end - client->in.data);
	object = json_loadb(
	    (const char *)client->in.data, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	memmove(client->in.data, end + 1, client->in.len - len - 1);
	client->in.len -= len + 1;
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

static int send_request(struct client *client, json_int_t id, const char *method, json_t *params)
{
	json_t *request = json_pack(
	    "{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", id, "method", method, "params", params);
	char *cleanup_free text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	struct buf cleanup_with(buf_fini) line = {0};

	json_decref(request);
	if (!text)
		return -ENOMEM;
	buf_init(&line, strlen(text) + 2);
	buf_text(&line, text);
	if (buf_text(&line, "\n") != 0)
		return -ENOMEM;
	return fd_write_all(client->fd, line.data, line.len);
}

int client_exchange(struct client *client, const struct command_session *session,
    const char *method, json_t *params, json_t **ret_answer)
{
	json_int_t id = client->next_id++;
	json_t *answer;
	int result;

	if (!params)
		params = json_object();
	if (!params || add_claims(params, session) != 0) {
		json_decref(params);
		return -EINVAL;
	}
	result = send_request(client, id, method, params);
	if (result < 0)
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

int client_request(struct client *client, const struct command_session *session, const char *method,
    json_t *params, json_t **ret_answer)
{
	int result = client_exchange(client, session, method, params, ret_answer);

	if (result == 0)
		return 0;
	if (result == -EINVAL)
		return command_fail(COMMAND_USAGE, "%s: a name is not valid UTF-8", method);
	if (result == -EPIPE)
		return command_fail(COMMAND_UNREACHABLE,
		    "%s: the daemon ended the connection; see its log", method);
	return command_fail(COMMAND_UNREACHABLE, "%s: cannot send: %s", method, strerror(-result));
}

int client_complain(const struct command_session *session, const char *method, const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	const char *message = json_string_value(json_object_get(error, "message"));

	if (session->output == COMMAND_OUTPUT_JSON) {
		json_t *document = json_pack("{s:O}", "error", error);

		(void)command_print_json(document);
		json_decref(document);
	}
	(void)command_fail(0, "%s: %s", method, message ? message : "an error without a message");
	if (code == CODE_NOT_AUTHENTICATED)
		return COMMAND_NOT_AUTHENTICATED;
	return code == CODE_NOT_PERMITTED ? COMMAND_REFUSED : COMMAND_USAGE;
}

int client_once(
    const struct command_session *session, const char *method, json_t *params, json_t **ret_result)
{
	struct client cleanup_with(client_close) client = {.fd = -1};
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
		status = client_complain(session, method, json_object_get(answer, "error"));
	json_decref(answer);
	return status;
}
