#include "supervisor/courier/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"

/* One socket of libcurl on the loop. It goes with its poll handle, which outlives the socket. */
struct watched {
	uv_poll_t poll;
	curl_socket_t socket;
	struct pool *pool;
};

static uint64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void answer_note(struct pool *pool, uint64_t serial, const char *note)
{
	const struct message_fetched answer = {
	    .status = ANSWER_UNAVAILABLE, .note = note, .body = {.data = "", .len = 0}};

	pool->answer(pool->owner, serial, &answer);
}

static void unlink_running(struct pool *pool, struct transfer *transfer)
{
	struct transfer **at = &pool->running;

	while (*at && *at != transfer)
		at = &(*at)->next;
	if (*at)
		*at = transfer->next;
	pool->running_count--;
	(void)curl_multi_remove_handle(pool->multi, transfer->easy);
}

static void finish(struct pool *pool, struct transfer *transfer, CURLcode result)
{
	struct message_fetched answer;

	unlink_running(pool, transfer);
	transfer_answer(transfer, result, &answer);
	pool->answer(pool->owner, transfer->serial, &answer);
	transfer_free(transfer);
	if (result == CURLE_COULDNT_RESOLVE_HOST)
		pool->unresolved(pool->owner);
}

/* ---- the queue ----------------------------------------------------------------------------- */

static struct transfer *unlink_waiting(struct pool *pool, struct transfer **at)
{
	struct transfer *transfer = *at;

	*at = transfer->next;
	transfer->next = NULL;
	pool->waiting_count--;
	return transfer;
}

static void start(struct pool *pool, struct transfer *transfer)
{
	struct err_note note = {""};
	int fault = transfer_prepare(transfer, pool->outgoing, now_ms(), &note);

	if (!fault && curl_multi_add_handle(pool->multi, transfer->easy) != CURLM_OK)
		fault = err_note(&note, -ENOMEM, "libcurl takes no more");
	if (fault) {
		answer_note(pool, transfer->serial, note.text);
		transfer_free(transfer);
		return;
	}
	transfer->next = pool->running;
	pool->running = transfer;
	pool->running_count++;
}

static void start_next(struct pool *pool)
{
	while (pool->outgoing && pool->waiting && pool->running_count < POOL_RUNNING_MAX)
		start(pool, unlink_waiting(pool, &pool->waiting));
	if (!pool->waiting)
		(void)uv_timer_stop(pool->look);
}

static void on_look(uv_timer_t *timer)
{
	struct pool *pool = timer->data;
	struct transfer **at = &pool->waiting;
	uint64_t now = now_ms();

	while (*at) {
		struct transfer *late;

		if ((*at)->due_ms > now) {
			at = &(*at)->next;
			continue;
		}
		late = unlink_waiting(pool, at);
		answer_note(pool, late->serial, "its turn did not come in the time allowed");
		transfer_free(late);
	}
	start_next(pool);
}

void pool_fetch(struct pool *pool, const struct message_fetch *fetch, uint64_t serial)
{
	struct err_note note = {""};
	struct transfer *transfer = NULL, **at = &pool->waiting;

	if (pool->waiting_count >= POOL_WAITING_MAX) {
		answer_note(
		    pool, serial, "too many requests to the outside wait already; try later");
		return;
	}
	if (transfer_new(&transfer, fetch, serial, now_ms(), &note)) {
		answer_note(pool, serial, note.text);
		return;
	}
	while (*at)
		at = &(*at)->next;
	*at = transfer;
	pool->waiting_count++;
	(void)uv_timer_start(pool->look, on_look, POOL_LOOK_MS, POOL_LOOK_MS);
	start_next(pool);
}

void pool_forget(struct pool *pool, uint64_t serial)
{
	struct transfer **at = &pool->waiting, *running = pool->running;

	while (*at && (*at)->serial != serial)
		at = &(*at)->next;
	while (running && running->serial != serial)
		running = running->next;
	if (*at) {
		transfer_free(unlink_waiting(pool, at));
	} else if (running) {
		unlink_running(pool, running);
		transfer_free(running);
	}
	start_next(pool);
}

void pool_set_outgoing(struct pool *pool, const struct outgoing *outgoing)
{
	pool->outgoing = outgoing;
	start_next(pool);
}

uint32_t pool_busy(const struct pool *pool)
{
	return pool->waiting_count + pool->running_count;
}

/* ---- libcurl on the loop ------------------------------------------------------------------- */

static void collect(struct pool *pool)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(pool->multi, &left))) {
		void *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) ||
		    !transfer)
			continue;
		finish(pool, transfer, result); /* message is invalid from here on */
	}
	start_next(pool);
}

static void act(struct pool *pool, curl_socket_t socket, int events)
{
	int running;
	CURLMcode bad = curl_multi_socket_action(pool->multi, socket, events, &running);

	if (bad)
		log_warn("libcurl: %s", curl_multi_strerror(bad));
	collect(pool);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watched *watched = poll->data;
	int ready = 0;

	if (status < 0)
		ready = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		ready |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		ready |= CURL_CSELECT_OUT;
	act(watched->pool, watched->socket, ready);
}

static void free_watched(uv_handle_t *handle)
{
	free(handle->data);
}

static void unwatch(struct pool *pool, curl_socket_t socket, struct watched *watched)
{
	(void)curl_multi_assign(pool->multi, socket, NULL);
	if (watched)
		uv_close((uv_handle_t *)&watched->poll, free_watched);
}

static struct watched *watch(struct pool *pool, curl_socket_t socket)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return NULL;
	if (uv_poll_init_socket(pool->loop, &watched->poll, socket)) {
		free(watched);
		return NULL;
	}
	watched->poll.data = watched;
	watched->socket = socket;
	watched->pool = pool;
	(void)curl_multi_assign(pool->multi, socket, watched);
	return watched;
}

/* -1 ends the transfers of this socket. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned)
{
	struct pool *pool = context;
	struct watched *watched = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		unwatch(pool, socket, watched);
		return 0;
	}
	if (!watched)
		watched = watch(pool, socket);
	if (!watched)
		return -1;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	return uv_poll_start(&watched->poll, events, on_ready) ? -1 : 0;
}

static void on_due(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* Never back into libcurl from within: even "now" is the next turn of the loop. */
static int on_timeout(CURLM *multi, long timeout_ms, void *context)
{
	struct pool *pool = context;

	(void)multi;
	if (timeout_ms < 0)
		return uv_timer_stop(pool->timer) ? -1 : 0;
	return uv_timer_start(pool->timer, on_due, timeout_ms > 0 ? (uint64_t)timeout_ms : 1, 0)
		   ? -1
		   : 0;
}

/* ---- birth and death ----------------------------------------------------------------------- */

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static uv_timer_t *new_timer(struct pool *pool)
{
	uv_timer_t *timer = calloc(1, sizeof(*timer));

	if (timer && uv_timer_init(pool->loop, timer) == 0) {
		timer->data = pool;
		return timer;
	}
	free(timer);
	return NULL;
}

static CURLMcode set_multi(struct pool *pool)
{
	CURLMcode bad =
	    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)POOL_RUNNING_MAX);

	if (!bad)
		bad = curl_multi_setopt(
		    pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)POOL_RUNNING_MAX);
	if (!bad)
		bad = curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
	if (!bad)
		bad = curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
	if (!bad)
		bad = curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	if (!bad)
		bad = curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	return bad;
}

int pool_open(struct pool *pool, uv_loop_t *loop)
{
	pool->loop = loop;
	pool->timer = new_timer(pool);
	pool->look = new_timer(pool);
	pool->multi = curl_multi_init();
	if (pool->timer && pool->look && pool->multi && set_multi(pool) == CURLM_OK)
		return 0;
	pool_close(pool);
	return -ENOMEM;
}

static void free_list(struct pool *pool, struct transfer *list, bool added)
{
	while (list) {
		struct transfer *next = list->next;

		if (added)
			(void)curl_multi_remove_handle(pool->multi, list->easy);
		transfer_free(list);
		list = next;
	}
}

/* curl_multi_cleanup() announces its sockets once more, so the pool must still be whole. */
void pool_close(struct pool *pool)
{
	free_list(pool, pool->running, true);
	free_list(pool, pool->waiting, false);
	(void)curl_multi_cleanup(pool->multi);
	if (pool->timer)
		uv_close((uv_handle_t *)pool->timer, free_handle);
	if (pool->look)
		uv_close((uv_handle_t *)pool->look, free_handle);
	*pool = (struct pool){0};
}
