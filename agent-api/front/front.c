#include "agent-api/front/front.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent-api/front/connection.h"
#include "agent-api/front/gate.h"
#include "supervisor/base/log.h"

#define FRONT_BUSY "too busy; try again later"

void front_fail(struct front *front, const char *what, int fault)
{
	if (front->phase == FRONT_FAILED || front->phase == FRONT_DONE)
		return;
	log_error("%s: %s; the daemon stops", what, strerror(-fault));
	front->phase = FRONT_FAILED;
	uv_stop(&front->loop);
}

/* One half of the link's queue is for what is new. What runs may go on to three quarters, and the
 * rest is kept for cancels and hang-ups, which must get through. */
const char *front_refuses(const struct front *front)
{
	if (front->phase != FRONT_SERVING)
		return "shutting down; no new requests";
	return link_backlog(&front->engine) > LINK_QUEUE_MAX / 2 ? FRONT_BUSY : NULL;
}

const char *front_refuses_stream(const struct front *front)
{
	return link_backlog(&front->engine) > LINK_QUEUE_MAX / 4 * 3 ? FRONT_BUSY : NULL;
}

/* ---- from engine ------------------------------------------------------------------------ */

static void drain(struct front *front, const char *cause)
{
	if (front->phase != FRONT_SERVING)
		return;
	log_info("taking no new requests: %s", cause);
	front->phase = FRONT_DRAINING;
	listener_close(&front->listener);
}

static void deliver(
    struct pending *pending, const struct message_reply *reply, enum rpc_answer answer)
{
	struct connection *connection = pending->connection;

	if (pending->state == PENDING_WAITING)
		connection_answer(
		    connection, pending->id, answer, reply->body.data, reply->body.len);
	if (connection->state != CONNECTION_CLOSED) /* else it took its requests along */
		connection_remove_pending(connection, pending);
}

static void take_reply(struct front *front, uint64_t serial, const struct message_reply *reply)
{
	struct pending *pending = pending_by_serial(&front->pending, serial);

	if (!pending)
		return; /* its client is gone */
	if (reply->kind == REPLY_RESULT || reply->kind == REPLY_ERROR)
		deliver(pending, reply,
		    reply->kind == REPLY_RESULT ? RPC_ANSWER_RESULT : RPC_ANSWER_ERROR);
	else
		connection_remove_pending(pending->connection, pending);
}

static void take_notify(struct front *front, const struct message_notify *notify)
{
	struct connection *connection = front->connections;

	while (connection && connection->peer != notify->peer)
		connection = connection->next;
	if (connection)
		connection_notify(connection, notify->body.data, notify->body.len);
}

/* A newline inside a body would let one answer pass for two. */
static int is_one_line(const struct bytes *body)
{
	return body->len > 0 && !memchr(body->data, '\n', body->len);
}

static int is_sound_reply(const struct message_reply *reply)
{
	if (reply->kind == REPLY_SILENT)
		return 1;
	return (reply->kind == REPLY_RESULT || reply->kind == REPLY_ERROR) &&
	       is_one_line(&reply->body);
}

/* A gate that cannot be opened is closed, which is all that its tool needs to know. */
static int take_gate(struct front *front, struct message *message)
{
	int r = gate_take(front, message);

	if (r < 0 && r != -EBADMSG)
		log_warn("gate of call %s: %s", message->u.gate.call, strerror(-r));
	return r != -EBADMSG;
}

static void answer_ping(struct front *front, uint64_t serial)
{
	struct message answer;
	int r;

	message_init(&answer, MESSAGE_PONG);
	answer.serial = serial;
	r = link_send(&front->engine, &answer);
	if (r < 0)
		front_fail(front, "link to engine", r);
}

static void on_last_over(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Everything is answered, but not everything has been read: whoever reads shall have it. */
static void deliver_last(struct front *front)
{
	struct connection *next;

	front->phase = FRONT_DONE;
	if (!front->connections ||
	    uv_timer_start(&front->patience, on_last_over, FRONT_LAST_MS, 0) < 0)
		uv_stop(&front->loop);
	for (struct connection *at = front->connections; at; at = next) {
		next = at->next;
		connection_end(at); /* the last that closes stops the loop */
	}
}

static void on_engine_lost(struct front *front, int fault)
{
	if (front->phase == FRONT_DRAINING)
		deliver_last(front);
	else
		front_fail(front, "link to engine lost", fault ? fault : -EPIPE);
}

static void on_engine_message(struct link *link, struct message *message, int fault)
{
	struct front *front = link->owner;
	int sound = 1;

	if (!message) {
		on_engine_lost(front, fault);
		return;
	}
	if (message->type == MESSAGE_REPLY) {
		sound = is_sound_reply(&message->u.reply);
		if (sound)
			take_reply(front, message->serial, &message->u.reply);
	} else if (message->type == MESSAGE_NOTIFY) {
		sound = is_one_line(&message->u.notify.body);
		if (sound)
			take_notify(front, &message->u.notify);
	} else if (message->type == MESSAGE_GATE) {
		sound = take_gate(front, message);
	} else if (message->type == MESSAGE_PING) {
		answer_ping(front, message->serial);
	} else if (message->type == MESSAGE_LOGGER) {
		log_set((enum log_level)message->u.logger.level,
		    (enum log_format)message->u.logger.format);
	} else if (message->type == MESSAGE_DRAIN) {
		drain(front, message->u.drain.cause);
	} else {
		sound = 0;
	}
	if (!sound)
		front_fail(front, message_name(message->type), -EBADMSG);
}

/* ---- life ------------------------------------------------------------------------------- */

int front_open(struct front *front, int engine_fd, int listen_fd)
{
	int r = uv_loop_init(&front->loop);

	front->listener.fd = -1;
	front->budget.own_uid = getuid();
	front->line_ms = FRONT_LINE_MS;
	front->patience.data = front;
	if (r == 0)
		r = uv_timer_init(&front->loop, &front->patience);
	if (r == 0)
		r = link_open(
		    &front->engine, &front->loop, engine_fd, "engine", on_engine_message, front);
	if (r == 0)
		r = listener_open(&front->listener, front, listen_fd);
	return r;
}

enum front_phase front_run(struct front *front)
{
	(void)uv_run(&front->loop, UV_RUN_DEFAULT); /* ended by uv_stop() */
	return front->phase;
}

void front_close(struct front *front)
{
	if (front->phase != FRONT_DONE)
		front->phase = FRONT_FAILED; /* nobody is told any more */
	listener_close(&front->listener);
	gate_close_all(front);
	while (front->connections)
		connection_close(front->connections);
	uv_close((uv_handle_t *)&front->patience, NULL);
	link_close(&front->engine);
	(void)uv_run(&front->loop, UV_RUN_DEFAULT); /* the close callbacks */
	(void)uv_loop_close(&front->loop);
}
