/*
 * The server: one listening socket, its connections and what they may hold together. Everything
 * the owner decides comes in as descriptors, bytes and numbers, before or while it runs; nothing
 * is opened here. One loop, no threads.
 */
#ifndef CALLGATE_HTTP_SERVER_H
#define CALLGATE_HTTP_SERVER_H

#include <uv.h>

#include "agent-api/http/deadline.h"
#include "agent-api/http/request.h"
#include "agent-api/http/tls.h"

#define HTTP_OUTPUT_MAX      (1024 * 1024) /* bytes waiting for one client to read */
#define HTTP_INPUT_MAX       (64 * 1024)   /* bytes of following requests kept for one client */
#define HTTP_READ            (64 * 1024)   /* bytes taken from one client in one turn */
#define HTTP_ACCEPTS         64            /* connections taken in one turn */
#define HTTP_ACCEPT_PAUSE_MS 100           /* after running out of descriptors */
#define HTTP_STALLED_TICKS   4             /* of a stream nobody reads, before it is cut */

struct http_connection;
struct http_server;

/* A request that the server answered itself. */
struct http_refused {
	struct http_refusal why;
	const struct http_request *request; /* NULL: its head was not even read */
	struct http_address peer;
};

struct http_callbacks {
	/* The head is there, the body is not. May refuse (0 or a status, reason in *ret_why), and
	 * may change how large the body may be. Must not answer. NULL: everything goes on. */
	int (*admit)(void *owner, const struct http_request *request, uint64_t *body_max,
	    struct http_refusal *ret_why);
	/* The request is there. Answer now or later; it has no deadline but the owner's. */
	void (*take)(void *owner, struct http_request *request);
	/* The client has hung up on a request that was taken and is not answered. */
	void (*gone)(void *owner, struct http_request *request, enum http_gone how);
	/* The server refuses: *reply (plain text) may be changed; what its body is to be may be
	 * written to body. Pointers must hold until this returns and beyond. NULL: plain text. */
	void (*refused)(void *owner, const struct http_refused *refused, struct http_reply *reply,
	    struct buf *body);
	/* After http_server_drain() or http_server_close(): no connection is left. */
	void (*ended)(void *owner);
	/* The listening socket cannot be used any more. */
	void (*failed)(void *owner, const char *what, int fault);
};

struct http_config {
	uint32_t connections_max; /* 10,000 */
	uint64_t held_max;        /* bytes of memory for all requests and answers; 128 MiB */
	uint64_t body_max;        /* bytes of one body; 1 MiB */
	uint64_t ms[HTTP_DEADLINE_COUNT]; /* HEAD 10 s, BODY 30 s, IDLE 75 s, WRITE 60 s, TICK 15 s,
					     LINGER 2 s */
	struct http_trust trust;          /* borrowed lists; they must live as long as the server */
};

struct http_server {
	uv_loop_t *loop;
	struct http_config config;
	const struct http_callbacks *callbacks; /* borrowed */
	void *owner;
	struct http_deadlines deadlines; /* private from here ... */
	uv_poll_t poll;
	uv_timer_t pause;
	uv_timer_t drain;
	int fd;
	uint32_t handles; /* of ours that are not closed yet */
	bool listening;
	bool draining;
	bool ended;
	struct http_tls *tls; /* NULL: plain */
	struct http_connection *connections;
	uint32_t count;
	uint64_t held;
	uint64_t last_serial;
	uint64_t date_s;
	char date[HTTP_DATE_MAX];
	char *scratch; /* HTTP_READ bytes ... to here */
};

/* What the comments above say. */
void http_config_init(struct http_config *config);
/* 0 or -errno; then nothing is held. The memory may go after ended(). */
int http_server_init(struct http_server *server, uv_loop_t *loop, const struct http_config *config,
    const struct http_callbacks *callbacks, void *owner);
/* Takes a listening socket (TCP or Unix) and keeps a reference of tls (NULL: plain). Once. 0 or
 * -errno; on failure the descriptor is still the caller's. */
int http_server_listen(struct http_server *server, int fd, struct http_tls *tls);
/* New connections get this context; old ones keep theirs. Not for a plain server: -EINVAL. */
int http_server_set_tls(struct http_server *server, struct http_tls *tls);

/* Accepts no more; idle connections end now, others with the answer they wait for, the rest
 * after ms. Then ended(). */
void http_server_drain(struct http_server *server, uint64_t ms);
/* All at once, then ended(). Requests in flight get gone(). Idempotent. */
void http_server_close(struct http_server *server);

#endif
