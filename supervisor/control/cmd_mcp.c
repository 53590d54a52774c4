/*
 * mcp: newline-delimited JSON-RPC between stdin/stdout and the gate, which speaks MCP itself, over
 * its socket or over HTTP. Lines pass unread; only --agent and --namespace are put into the _meta
 * of requests.
 *
 * When the client closes stdin, the answers that are due still come; a client that is gone (nobody
 * reads stdout) hangs up at once, and the gate ends what runs.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

#define BRIDGE_CHUNK (64 * 1024)
#define LINE_MAX_IN  (2 * 1024 * 1024) /* beyond what the daemon takes; it says so itself */

struct bridge {
	const struct command_session *session;
	struct client *client;
	struct buf line; /* an unfinished line of the client */
	int input_ended;
	int daemon_deaf; /* it hung up while we wrote; what it said before is still passed on */
};

/* Puts the session's claims into the _meta of one message. True if it is a request or a
 * notification, which have one. */
static bool claim(const struct bridge *bridge, json_t *message)
{
	json_t *params = json_object_get(message, "params");
	json_t *meta;

	if (!json_object_get(message, "method"))
		return false;
	if (!params && (params = json_object()))
		(void)json_object_set_new(message, "params", params);
	meta = json_object_get(params, "_meta");
	if (!meta && (meta = json_object()))
		(void)json_object_set_new(params, "_meta", meta);
	if (!json_is_object(meta))
		return false;
	if (bridge->session->agent[0])
		(void)json_object_set_new(
		    meta, "callgate/agent", json_string(bridge->session->agent));
	if (bridge->session->space[0])
		(void)json_object_set_new(
		    meta, "callgate/namespace", json_string(bridge->session->space));
	return true;
}

/* The line, or each message of a batch, with the claims; NULL: send it as it is. */
static char *claimed_line(const struct bridge *bridge, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	bool claimed = claim(bridge, line);
	char *result = NULL;

	for (size_t i = 0; i < json_array_size(line); i++)
		claimed = claim(bridge, json_array_get(line, i)) || claimed;
	if (claimed)
		result = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	return result;
}

static int forward_line(struct bridge *bridge, const char *text, size_t len)
{
	char *cleanup_free claimed = NULL;
	int result;

	if (bridge->session->agent[0] || bridge->session->space[0])
		claimed = claimed_line(bridge, text, len);
	if (claimed)
		result = client_write(bridge->client, claimed, strlen(claimed));
	else
		result = client_write(bridge->client, text, len);
	if (result != -EPIPE)
		return result;
	bridge->daemon_deaf = bridge->input_ended = 1;
	return 0;
}

/* Reads what the client wrote and forwards whole lines. 0 or -errno. */
static int pump_client(struct bridge *bridge)
{
	char chunk[BRIDGE_CHUNK];
	ssize_t got = read(STDIN_FILENO, chunk, sizeof(chunk));
	int result = 0;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (got == 0) {
		bridge->input_ended = 1;
		if (bridge->line.len > 0)
			result =
			    forward_line(bridge, (const char *)bridge->line.data, bridge->line.len);
		client_finish(bridge->client);
		return result;
	}
	for (char *next = chunk, *end = chunk + got; next < end && result == 0;) {
		char *newline = memchr(next, '\n', (size_t)(end - next));
		size_t len = (size_t)((newline ? newline : end) - next);

		if (buf_put(&bridge->line, next, len) != 0)
			return -EMSGSIZE;
		if (newline) {
			result =
			    forward_line(bridge, (const char *)bridge->line.data, bridge->line.len);
			buf_reset(&bridge->line);
		}
		next += len + (newline != NULL);
	}
	return result;
}

/* Copies what the daemon wrote. 1: nothing more will come; 0; -errno. */
static int pump_daemon(struct bridge *bridge)
{
	struct buf *in = &bridge->client->in;
	int result;

	if (client_read(bridge->client) != 0)
		return 1;
	result = fd_write_all(STDOUT_FILENO, in->data, in->len);
	buf_reset(in);
	return result;
}

static int run_bridge(struct bridge *bridge)
{
	int result = 0;

	while (result == 0) {
		struct pollfd polls[2] = {
		    {.fd = bridge->input_ended ? -1 : STDIN_FILENO, .events = POLLIN},
		    {.fd = STDOUT_FILENO}, /* POLLERR alone: its reader is gone */
		};
		int ready = client_wait(bridge->client, polls, 2, -1);

		if (ready < 0 && ready != -EINTR)
			return command_fail(COMMAND_USAGE, "mcp: poll: %s", strerror(-ready));
		if (ready < 0)
			continue;
		if (polls[1].revents & POLLERR)
			return COMMAND_OK;
		if (ready == 1)
			result = pump_daemon(bridge);
		if (result == 0 && polls[0].revents)
			result = pump_client(bridge);
	}
	if (result == 1 && (!bridge->input_ended || bridge->daemon_deaf))
		return command_fail(COMMAND_UNREACHABLE,
		    "mcp: the daemon ended the connection; its last message on standard output, "
		    "or its log, says why");
	if (result < 0)
		return command_fail(COMMAND_USAGE, "mcp: %s",
		    result == -EMSGSIZE ? "a line of the client is longer than 2 MiB"
					: strerror(-result));
	return COMMAND_OK;
}

int cmd_mcp(struct command_session *session, int argc, char **argv)
{
	struct bridge bridge = {.session = session};
	struct client client = {.transport = NULL};
	int status = command_no_more(argc, argv, 0);

	if (status == 0)
		status = client_open(&client, session);
	if (status != 0)
		return status;
	bridge.client = &client;
	buf_init(&bridge.line, LINE_MAX_IN);
	status = run_bridge(&bridge);
	buf_fini(&bridge.line);
	client_close(&client);
	return status;
}
