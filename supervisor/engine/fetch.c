#include "supervisor/engine/fetch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "supervisor/base/clock.h"
#include "supervisor/engine/engine.h"

struct fetch {
	struct fetch *next;
	uint64_t serial;
	uint64_t due_us; /* monotonic; then nobody waits for courier any longer */
	bool sent;       /* to the courier that runs now */
	fetch_done *done;
	void *context;
};

/* The serials are ours and not the link's, so that they go on when courier is started anew. */
struct fetching {
	uv_timer_t timer;
	struct fetch *list; /* oldest first */
	uint32_t count;
	uint64_t serial;
};

static const char no_courier[] =
    "callgate-courier is not running: nothing can be fetched; its last log line says why";
static const char silent_courier[] =
    "callgate-courier does not answer: nothing came in the time allowed";

/* ---- the list ---------------------------------------------------------------------------- */

static struct fetch *unlink_at(struct fetching *fetching, struct fetch **at)
{
	struct fetch *fetch = *at;

	*at = fetch->next;
	fetching->count--;
	return fetch;
}

/* done may ask for the next one or forget others, so it is off the list before. */
static void finish(struct fetch *fetch, const struct message_fetched *answer)
{
	fetch_done *done = fetch->done;
	void *context = fetch->context;

	free(fetch);
	done(context, answer);
}

static void refuse(struct fetch *fetch, const char *why)
{
	const struct message_fetched answer = {
	    .status = ANSWER_UNAVAILABLE, .note = why, .body = {.data = "", .len = 0}};

	finish(fetch, &answer);
}

/* ---- the clock --------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void arm(struct fetching *fetching)
{
	uint64_t now_us = clock_monotonic_us(), due_us = UINT64_MAX;

	for (const struct fetch *fetch = fetching->list; fetch; fetch = fetch->next)
		if (fetch->due_us < due_us)
			due_us = fetch->due_us;
	if (!fetching->list)
		(void)uv_timer_stop(&fetching->timer);
	else
		(void)uv_timer_start(&fetching->timer, on_timer,
		    due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0, 0);
}

/* The list may be another after each answer, and what is asked from an answer waits for the next
 * turn. */
static void on_timer(uv_timer_t *timer)
{
	struct fetching *fetching = timer->data;
	uint64_t now_us = clock_monotonic_us(), newest = fetching->serial;
	struct fetch **at = &fetching->list;

	while (*at) {
		if ((*at)->due_us > now_us || (*at)->serial > newest) {
			at = &(*at)->next;
			continue;
		}
		refuse(unlink_at(fetching, at), (*at)->sent ? silent_courier : no_courier);
		at = &fetching->list;
	}
	arm(fetching);
}

static struct fetching *begin(struct engine *engine)
{
	struct fetching *fetching = engine->fetching;

	if (fetching)
		return fetching;
	fetching = calloc(1, sizeof(*fetching));
	if (!fetching)
		return NULL;
	if (uv_timer_init(engine->loop, &fetching->timer)) {
		free(fetching);
		return NULL;
	}
	fetching->timer.data = fetching;
	engine->fetching = fetching;
	return fetching;
}

/* ---- asking ------------------------------------------------------------------------------ */

static int send_fetch(
    struct engine *engine, const struct message_fetch *fetch, uint64_t serial, bool *ret_sent)
{
	struct message message;
	int fault;

	*ret_sent = false;
	message_init(&message, MESSAGE_FETCH);
	message.serial = serial;
	message.u.fetch = *fetch;
	fault = engine_send(engine, &engine->courier, &message);
	*ret_sent = fault == 0;
	return fault == -EMSGSIZE || fault == -EINVAL ? fault : 0;
}

int64_t fetch_start(
    struct engine *engine, const struct message_fetch *asked, fetch_done *done, void *context)
{
	struct fetching *fetching = begin(engine);
	struct fetch *fetch, **at;
	int fault;

	if (!fetching)
		return -ENOMEM;
	if (fetching->count >= FETCH_PENDING_MAX)
		return -ENOBUFS;
	fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		return -ENOMEM;
	fetch->serial = ++fetching->serial;
	fetch->done = done;
	fetch->context = context;
	fault = send_fetch(engine, asked, fetch->serial, &fetch->sent);
	if (fault) {
		free(fetch);
		return fault;
	}
	fetch->due_us = clock_monotonic_us();
	if (fetch->sent)
		fetch->due_us += (asked->timeout_ms + (uint64_t)FETCH_GRACE_MS) * 1000;
	for (at = &fetching->list; *at; at = &(*at)->next)
		;
	*at = fetch;
	fetching->count++;
	arm(fetching);
	return (int64_t)fetch->serial;
}

/* A courier that cannot be told answers into the void, in its own time. */
static void send_forget(struct engine *engine, const struct fetch *fetch)
{
	struct message message;

	message_init(&message, MESSAGE_FORGET);
	message.u.forget.fetch = fetch->serial;
	(void)engine_send(engine, &engine->courier, &message);
}

static void forget(struct engine *engine, const void *context, bool tells)
{
	struct fetching *fetching = engine->fetching;
	struct fetch **at = fetching ? &fetching->list : NULL;

	while (at && *at) {
		struct fetch *fetch = *at;

		if (fetch->context != context) {
			at = &fetch->next;
			continue;
		}
		(void)unlink_at(fetching, at);
		if (tells && fetch->sent)
			send_forget(engine, fetch);
		free(fetch);
	}
	if (fetching)
		arm(fetching);
}

void fetch_forget(struct engine *engine, const void *context)
{
	forget(engine, context, false);
}

void fetch_cancel(struct engine *engine, const void *context)
{
	forget(engine, context, true);
}

/* ---- answers ----------------------------------------------------------------------------- */

int fetch_answered(struct engine *engine, struct message *message)
{
	struct fetching *fetching = engine->fetching;
	struct fetch **at = fetching ? &fetching->list : NULL;

	while (at && *at && ((*at)->serial != message->serial || !(*at)->sent))
		at = &(*at)->next;
	if (!at || !*at) {
		engine->stale_answers++;
		return 0;
	}
	finish(unlink_at(fetching, at), &message->u.fetched);
	arm(fetching);
	return 0;
}

/* They are marked first: what an answer asks anew is not for the courier that is gone. */
void fetch_lost(struct engine *engine)
{
	struct fetching *fetching = engine->fetching;

	if (!fetching)
		return;
	for (struct fetch *fetch = fetching->list; fetch; fetch = fetch->next) {
		fetch->sent = false;
		fetch->due_us = 0;
	}
	arm(fetching);
}

static void free_fetching(uv_handle_t *timer)
{
	free(timer->data);
}

void fetch_free_all(struct engine *engine)
{
	struct fetching *fetching = engine->fetching;

	if (!fetching)
		return;
	while (fetching->list)
		free(unlink_at(fetching, &fetching->list));
	engine->fetching = NULL;
	uv_close((uv_handle_t *)&fetching->timer, free_fetching);
}
