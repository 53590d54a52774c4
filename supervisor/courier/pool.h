/*
 * All transfers under way: libcurl's multi interface on a libuv loop. At most POOL_RUNNING_MAX run,
 * POOL_WAITING_MAX wait their turn, and whatever is beyond is refused at once. Each question that
 * was taken is answered exactly once, unless it is forgotten. Connections are kept for the next
 * question to the same host.
 * Floor 3, courier only: libuv, libcurl. Units: milliseconds.
 */
#ifndef CALLGATE_COURIER_POOL_H
#define CALLGATE_COURIER_POOL_H

#include <curl/curl.h>
#include <stdint.h>
#include <uv.h>

#include "supervisor/courier/transfer.h"

#define POOL_RUNNING_MAX 32
#define POOL_WAITING_MAX 256
#define POOL_LOOK_MS     250 /* between looks for those whose time ran out while they waited */

struct pool;

/* answer is valid during the call. unresolved: the name could not be looked up. */
typedef void pool_answer(void *owner, uint64_t serial, const struct message_fetched *answer);
typedef void pool_unresolved(void *owner);

struct pool {
	uv_loop_t *loop; /* private from here ... */
	CURLM *multi;
	uv_timer_t *timer; /* libcurl's */
	uv_timer_t *look;
	struct transfer *waiting; /* oldest first */
	struct transfer *running;
	const struct outgoing *outgoing; /* NULL: nothing may start yet */
	uint32_t waiting_count;
	uint32_t running_count; /* ... to here */
	pool_answer *answer;
	pool_unresolved *unresolved;
	void *owner;
};

/* answer, unresolved and owner are set by the caller before. 0 or -errno. */
int pool_open(struct pool *pool, uv_loop_t *loop);
/* What transfers that start from now on go by; it must outlive those that run. */
void pool_set_outgoing(struct pool *pool, const struct outgoing *outgoing);
/* How many are not answered yet. */
uint32_t pool_busy(const struct pool *pool);
/* Takes a FETCH; what cannot be taken is answered before this returns. */
void pool_fetch(struct pool *pool, const struct message_fetch *fetch, uint64_t serial);
/* Drops that one without an answer; it may be unknown, or answered already. */
void pool_forget(struct pool *pool, uint64_t serial);
/* Drops all without an answer. The loop must run once more. */
void pool_close(struct pool *pool);

#endif
