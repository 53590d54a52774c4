/*
 * Deadlines of many connections with one timer. Each kind has one duration for all, so each kind
 * is a queue whose head is due first: setting, clearing and finding cost the same with ten or ten
 * thousand. A node is in one queue at most. Floor 1: libuv.
 */
#ifndef CALLGATE_HTTP_DEADLINE_H
#define CALLGATE_HTTP_DEADLINE_H

#include <stdint.h>
#include <uv.h>

enum http_deadline {
	HTTP_DEADLINE_NONE = 0,
	HTTP_DEADLINE_HEAD,  /* from accept or the first byte of a request to the end of its head */
	HTTP_DEADLINE_BODY,  /* the whole body */
	HTTP_DEADLINE_IDLE,  /* between requests */
	HTTP_DEADLINE_WRITE, /* a finished answer is to be read */
	HTTP_DEADLINE_TICK,  /* a stream says that it lives */
	HTTP_DEADLINE_LINGER, /* the client is to hang up after the last answer */
	HTTP_DEADLINE_COUNT,
};

/* Zero: in no queue. */
struct http_deadline_node {
	struct http_deadline_node *next; /* private from here ... */
	struct http_deadline_node *previous;
	uint64_t due_ms;
	enum http_deadline kind; /* ... to here */
};

struct http_deadlines {
	uv_timer_t timer; /* private from here ... */
	struct {
		struct http_deadline_node *first;
		struct http_deadline_node *last;
	} queue[HTTP_DEADLINE_COUNT];
	uint64_t armed_ms;
	void (*expired)(struct http_deadline_node *node, enum http_deadline kind); /* ... to here */
	uint64_t ms[HTTP_DEADLINE_COUNT]; /* durations; not to be changed while nodes wait */
};

/* expired is called once for each node that is due, which is in no queue then. Durations are the
 * caller's to set. 0 or -errno. */
int http_deadlines_init(struct http_deadlines *deadlines, uv_loop_t *loop,
    void (*expired)(struct http_deadline_node *node, enum http_deadline kind));
/* Ends the timer; the memory may go when closed was called. */
void http_deadlines_close(struct http_deadlines *deadlines, uv_close_cb closed);

/* Begins (anew) to wait, counted from now. NONE: clears. */
void http_deadline_set(
    struct http_deadlines *deadlines, struct http_deadline_node *node, enum http_deadline kind);
/* The node that has waited longest for this kind; NULL: none does. */
struct http_deadline_node *http_deadline_oldest(
    const struct http_deadlines *deadlines, enum http_deadline kind);

#endif
