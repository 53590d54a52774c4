#include "agent-api/http/deadline.h"

#include <string.h>

static void on_timer(uv_timer_t *timer);

/* The timer is set to the first of all that are due; it may fire for one that is long gone. */
static void arm(struct http_deadlines *deadlines, uint64_t due_ms)
{
	uint64_t now = uv_now(deadlines->timer.loop);

	if (deadlines->armed_ms && deadlines->armed_ms <= due_ms)
		return;
	deadlines->armed_ms = due_ms;
	(void)uv_timer_start(
	    &deadlines->timer, on_timer, due_ms > now ? due_ms - now : 0, 0); /* cannot fail */
}

static void on_timer(uv_timer_t *timer)
{
	struct http_deadlines *deadlines = timer->data;
	uint64_t now = uv_now(timer->loop);
	struct http_deadline_node *node;

	deadlines->armed_ms = 0;
	for (int i = 1; i < HTTP_DEADLINE_COUNT; i++) {
		while ((node = deadlines->queue[i].first) && node->due_ms <= now) {
			http_deadline_set(deadlines, node, HTTP_DEADLINE_NONE);
			deadlines->expired(node, (enum http_deadline)i);
		}
	}
	for (int i = 1; i < HTTP_DEADLINE_COUNT; i++) {
		if (deadlines->queue[i].first)
			arm(deadlines, deadlines->queue[i].first->due_ms);
	}
}

int http_deadlines_init(struct http_deadlines *deadlines, uv_loop_t *loop,
    void (*expired)(struct http_deadline_node *node, enum http_deadline kind))
{
	memset(deadlines, 0, sizeof(*deadlines));
	deadlines->expired = expired;
	deadlines->timer.data = deadlines;
	return uv_timer_init(loop, &deadlines->timer);
}

void http_deadlines_close(struct http_deadlines *deadlines, uv_close_cb closed)
{
	uv_close((uv_handle_t *)&deadlines->timer, closed);
}

static void leave(struct http_deadlines *deadlines, struct http_deadline_node *node)
{
	if (node->previous)
		node->previous->next = node->next;
	else
		deadlines->queue[node->kind].first = node->next;
	if (node->next)
		node->next->previous = node->previous;
	else
		deadlines->queue[node->kind].last = node->previous;
	*node = (struct http_deadline_node){.kind = HTTP_DEADLINE_NONE};
}

void http_deadline_set(
    struct http_deadlines *deadlines, struct http_deadline_node *node, enum http_deadline kind)
{
	if (node->kind != HTTP_DEADLINE_NONE)
		leave(deadlines, node);
	if (kind == HTTP_DEADLINE_NONE)
		return;
	node->kind = kind;
	node->due_ms = uv_now(deadlines->timer.loop) + deadlines->ms[kind];
	node->previous = deadlines->queue[kind].last;
	if (node->previous)
		node->previous->next = node;
	else
		deadlines->queue[kind].first = node;
	deadlines->queue[kind].last = node;
	arm(deadlines, node->due_ms);
}

struct http_deadline_node *http_deadline_oldest(
    const struct http_deadlines *deadlines, enum http_deadline kind)
{
	return deadlines->queue[kind].first;
}
