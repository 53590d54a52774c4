#include "supervisor/engine/asking/logging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/notice.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/severity.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/result.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/sibling.h"

#define NOTICE_MAX  (8 * LOGGING_DATA_MAX)
#define BACKLOG_MAX (1024 * 1024) /* of the link: messages are left out first */
#define SECOND_US   1000000ull

/* What one principal wants over HTTP. The last used stands first. */
struct log_wish {
	struct log_wish *next;
	char principal[PRINCIPAL_MAX];
	char *address; /* owned; NULL: not anonymous */
	enum severity level;
	uint64_t until_us; /* monotonic */
};

/* ---- levels over HTTP ---------------------------------------------------------------------- */

static void free_level(struct log_wish *level)
{
	free(level->address);
	free(level);
}

/* Everybody who shows nothing has one name; what one of them wants, the others have not said. */
static const char *address_of(const struct caller *caller)
{
	return caller->proof == CALLER_ANONYMOUS ? caller->address : NULL;
}

static bool is_of(const struct log_wish *level, const struct caller *caller)
{
	const char *address = address_of(caller);

	return !strcmp(level->principal, caller->principal) && !level->address == !address &&
	       (!address || !strcmp(level->address, address));
}

/* Takes out who is meant; NULL: nothing is known of him, or not any more. */
static struct log_wish *take_level(struct waiting *waiting, const struct caller *caller)
{
	struct log_wish **at = &waiting->wishes;
	struct log_wish *found;

	while (*at && !is_of(*at, caller))
		at = &(*at)->next;
	found = *at;
	if (!found)
		return NULL;
	*at = found->next;
	if (clock_monotonic_us() < found->until_us)
		return found;
	free_level(found);
	return NULL;
}

static void put_first(struct waiting *waiting, struct log_wish *level)
{
	level->until_us = clock_monotonic_us() + LOGGING_LIFE_S * SECOND_US;
	level->next = waiting->wishes;
	waiting->wishes = level;
}

/* Strangers push out strangers only. */
static void make_room(struct waiting *waiting, bool anonymous)
{
	struct log_wish **at = &waiting->wishes, **last = NULL;
	struct log_wish *gone;
	uint32_t count = 0;

	for (; *at; at = &(*at)->next)
		if (((*at)->address != NULL) == anonymous) {
			last = at;
			count++;
		}
	if (!last || count < (anonymous ? LOGGING_KEPT_ANONYMOUS : LOGGING_KEPT))
		return;
	gone = *last;
	*last = gone->next;
	free_level(gone);
}

/* NULL: no memory. */
static struct log_wish *new_level(struct waiting *waiting, const struct caller *caller)
{
	const char *address = address_of(caller);
	struct log_wish *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	memcpy(made->principal, caller->principal, sizeof(made->principal));
	if (address)
		made->address = strdup(address);
	if (address && !made->address) {
		free_level(made);
		return NULL;
	}
	make_room(waiting, address != NULL);
	return made;
}

static bool keep_level(struct engine *engine, const struct caller *caller, enum severity level)
{
	struct waiting *waiting = waiting_of(engine);
	struct log_wish *kept = waiting ? take_level(waiting, caller) : NULL;

	if (waiting && !kept)
		kept = new_level(waiting, caller);
	if (!kept)
		return false;
	kept->level = level;
	put_first(waiting, kept);
	return true;
}

void logging_free_all(struct waiting *waiting)
{
	while (waiting->wishes) {
		struct log_wish *level = waiting->wishes;

		waiting->wishes = level->next;
		free_level(level);
	}
}

/* ---- what is wanted ------------------------------------------------------------------------ */

void logging_set_level(const struct methods_ask *ask)
{
	enum severity level = severity_from_name(methods_text(ask, "level"));

	if (level == SEVERITY_NONE) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "level: must be " SEVERITY_NAMES);
		return;
	}
	if (!ask->peer->visit)
		peer_wants_log(ask->engine, ask->peer->id, level);
	else if (!keep_level(ask->engine, ask->peer->caller, level)) {
		result_refuse(&ask->to, RPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	result_give(&ask->to, json_object());
}

static enum severity kept_level(struct engine *engine, const struct caller *caller)
{
	struct waiting *waiting = waiting_find(engine);
	struct log_wish *kept = waiting ? take_level(waiting, caller) : NULL;

	if (!kept)
		return SEVERITY_NONE;
	put_first(waiting, kept);
	return kept->level;
}

/* Of the client that this call has now. */
static enum severity wanted(const struct call *call)
{
	const struct peer *peer = call->parked ? NULL : peer_find(call->engine, call->peer);

	if (!peer || !(call->options & REQUEST_CAN_HEAR))
		return SEVERITY_NONE;
	if (call->era == ERA_MODERN)
		return (enum severity)call->log.wanted;
	return peer->visit ? kept_level(call->engine, call->caller) : (enum severity)peer->log;
}

/* ---- what is said -------------------------------------------------------------------------- */

static void tell(struct call *call, enum severity level, const json_t *data, size_t len)
{
	struct buf cleanup_with(buf_fini) body = {0};
	struct message message;

	buf_init(&body, NOTICE_MAX);
	if (notice_message(&body, level, call->tool->name, data))
		return;
	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = call->peer;
	message.u.notify.body = (struct bytes){.data = body.data, .len = body.len};
	if (sibling_send_peer(call->engine, call->peer, &message))
		return;
	call->log.told++;
	call->log.bytes += len;
	call->streamed = true; /* what it says is not in its output, but it was seen */
}

/* Bytes of it as JSON; 0: no memory. */
static size_t length_of(const json_t *data)
{
	char *cleanup_free text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);

	return text ? strlen(text) : 0;
}

/* Whether it may be said: 0, or the code of *ret_why, a literal. */
static int judge(const struct methods_ask *ask, size_t len, const char **ret_why)
{
	*ret_why = "level: must be " SEVERITY_NAMES;
	if (severity_from_name(methods_text(ask, "level")) == SEVERITY_NONE)
		return RPC_INVALID_PARAMS;
	*ret_why = "data: required, any JSON of at most 4096 bytes";
	if (!json_object_get(ask->params, "data") || len > LOGGING_DATA_MAX)
		return RPC_INVALID_PARAMS;
	*ret_why = "out of memory";
	return len ? 0 : RPC_INTERNAL_ERROR;
}

/* False: its client has been told enough. */
static bool take(struct call *call, enum severity level, const json_t *data, size_t len)
{
	enum severity from = wanted(call);

	call->log.said++;
	if (from == SEVERITY_NONE || level < from)
		return true;
	if (call->log.told >= LOGGING_MESSAGES || call->log.bytes + len > LOGGING_BYTES)
		return false;
	if (link_backlog(sibling_of_peer(call->engine, call->peer)) <= BACKLOG_MAX)
		tell(call, level, data, len);
	return true;
}

void logging_take(const struct methods_ask *ask)
{
	struct call *call = calls_find(ask->engine, ask->peer->call);
	const json_t *data = json_object_get(ask->params, "data");
	size_t len = data ? length_of(data) : 0;
	enum severity level = severity_from_name(methods_text(ask, "level"));
	const char *why;
	int code = judge(ask, len, &why);

	if (code)
		result_refuse(&ask->to, code, "%s", why);
	else if (call && call->state == CALL_RUNNING && !call->silent &&
		 !take(call, level, data, len))
		result_refuse(&ask->to, RESULT_TOO_MANY,
		    "this call has logged enough: %d messages and %d KiB are told at most; "
		    "standard error comes with the result",
		    LOGGING_MESSAGES, LOGGING_BYTES / 1024);
	else
		result_give(&ask->to, json_object());
}
