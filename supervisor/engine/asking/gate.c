#include "supervisor/engine/asking/gate.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/base/log.h"
#include "supervisor/engine/asking/question.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/peer.h"

/* No call has this id, so whoever has it as his is found to be over. */
#define NOBODYS "-"

/* ---- birth and death --------------------------------------------------------------------- */

static void say_gate(const struct call *call, struct message *message)
{
	message_init(message, MESSAGE_GATE);
	message->u.gate.call = call->id;
}

int gate_open(struct call *call, int fd)
{
	struct message message;

	say_gate(call, &message);
	message.fds[0] = fd;
	message.fd_count = 1;
	return engine_send(call->engine, &call->engine->front, &message);
}

/* Its end alone is no sign: what a tool sent through its gate may keep the gate open. Said twice,
 * or of a gate that never was, it says nothing. */
static void tell_front(const struct call *call)
{
	struct message message;

	say_gate(call, &message);
	(void)engine_send(call->engine, &call->engine->front, &message); /* a fault ends us */
}

/* A step may take any call off the list, so each round looks from the start again. */
static struct call *find_nested(const struct engine *engine, const char *parent)
{
	struct call *call = engine->calls;

	while (call && (call->silent || call->stepping || strcmp(call->parent, parent) != 0))
		call = call->next;
	return call;
}

/* How many calls that came through the gate of this one have no outcome on disk yet. */
static uint32_t count_nested(const struct engine *engine, const char *parent)
{
	uint32_t count = 0;

	for (const struct call *call = engine->calls; call; call = call->next)
		count += call->state != CALL_AUDITED && !strcmp(call->parent, parent);
	return count;
}

uint32_t gate_close(struct call *call)
{
	struct engine *engine = call->engine;
	struct call *nested;

	if (!call->tool || !call->tool->sandbox.callgate)
		return 0;
	tell_front(call);
	question_closed(engine, call->id);
	for (struct peer *peer = engine->peers; peer; peer = peer->next)
		if (!strcmp(peer->call, call->id))
			(void)snprintf(peer->call, sizeof(peer->call), NOBODYS);
	while ((nested = find_nested(engine, call->id)))
		call_cancel(nested);
	return count_nested(engine, call->id);
}

void gate_left(const struct call *nested)
{
	struct call *parent = *nested->parent ? calls_find(nested->engine, nested->parent) : NULL;

	/* A parent in the middle of its step is closing its gate, and counts when it has. */
	if (parent && parent->state == CALL_CLOSING && !parent->stepping &&
	    !count_nested(nested->engine, parent->id))
		call_step(parent, CALL_ON_CLOSED);
}

/* ---- who comes through it ---------------------------------------------------------------- */

static const struct call *find_open(struct engine *engine, const char *id)
{
	const struct call *call = calls_find(engine, id);

	if (!call || call->state != CALL_RUNNING || !call->tool->sandbox.callgate)
		return NULL;
	return call;
}

struct caller *gate_admit(struct engine *engine, struct peer *peer, const char *id)
{
	const struct call *call = find_open(engine, id);

	if (!call) {
		log_debug("peer %llu: its call is over", (unsigned long long)peer->id);
		(void)snprintf(peer->call, sizeof(peer->call), NOBODYS);
		return caller_nobody();
	}
	memcpy(peer->call, call->id, sizeof(peer->call));
	peer->depth = call->depth + 1;
	return caller_hold(call->caller);
}

/* What a tool may ask for: other tools, and what belongs to asking. It decides nothing: whoever
 * may approve is a person, and the program that is policed is none. */
static const uint64_t served_inside = 1ull << REQUEST_TOOLS_LIST | 1ull << REQUEST_TOOLS_CALL |
				      1ull << REQUEST_AGENTS_LIST | 1ull << REQUEST_EXPLAIN |
				      1ull << REQUEST_SUBSCRIBE | 1ull << REQUEST_STREAM_WRITE |
				      1ull << REQUEST_STREAM_READ | 1ull << REQUEST_SET_LEVEL;

/* What only a running call can say or ask. */
static const uint64_t served_only_inside =
    1ull << REQUEST_PROGRESS | 1ull << REQUEST_ELICIT | 1ull << REQUEST_LOG;

_Static_assert(REQUEST_METHOD_COUNT <= 64, "methods are bits of served_inside");

const char *gate_refuses(const struct peer *peer, enum request_method method)
{
	bool own = served_only_inside & 1ull << method;

	if (!peer->call[0])
		return own ? "only a running call may say this, through its gate" : NULL;
	if (method == REQUEST_TOOLS_CALL)
		return NULL;
	if (!strcmp(peer->call, NOBODYS))
		return "the call through whose gate this came is over";
	if (peer->depth > GATE_DEPTH_MAX)
		return GATE_TOO_DEEP;
	if (!own && !(served_inside & 1ull << method))
		return "a running call may ask for tools only; ask for this from outside";
	return NULL;
}
