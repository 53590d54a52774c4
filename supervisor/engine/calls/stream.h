/*
 * What a client fetches and writes while its tool runs: callgate/output and callgate/stdin.
 *
 * Both directions are asked for by the client and answered when there is something to say, so
 * whoever is slow slows the other end down: output that nobody fetches stops the reading of the
 * pipe, and the tool waits in write(2); input that nobody reads delays the answer to the client.
 * A call that is streamed has one struct stream from its birth to its end; only the connection
 * that made the call may touch it. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_STREAM_H
#define CALLGATE_ENGINE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/methods.h"

#define STREAM_HOLD_MAX   (256 * 1024) /* bytes of one stream that wait for the client */
#define STREAM_PIPE       (64 * 1024)  /* of them, what may be left in the pipe at the end */
#define STREAM_REPLY_MAX  (64 * 1024)  /* output bytes in one answer */
#define STREAM_WRITE_MAX  (64 * 1024)  /* input bytes in one request */
#define STREAM_WAIT_MS    20000        /* then an empty answer */
#define STREAM_LINGER_MS  20000        /* at least, for the rest after the tool's end */
#define STREAM_END_MS     1000         /* for the end mark alone */
#define STREAM_DRAIN_MS   2000         /* instead, in all, while the daemon stops */
#define STREAM_OPTION_ANY (REQUEST_STREAM_INPUT | REQUEST_STREAM_OUTPUT)

struct call;
struct stream;

/* What a call with these options holds at most beyond its capture; 0 without streams. */
uint64_t stream_cost(uint32_t options);

/* For a call that was asked for with one of the options. NULL: out of memory. Requests that come
 * before the tool runs wait. */
struct stream *stream_new(struct call *call);
/* The tool runs: call->output is read through the stream from now on, call->input is taken. */
void stream_start(struct stream *stream);
/* The tree is dead and output_finish() is done, or nothing will ever run: the input is closed, the
 * rest of the output can be fetched. May be called again. Both accept NULL. */
void stream_finish(struct stream *stream);
/* Must the result wait until the client has fetched the rest? Then fetched is called once, when it
 * has, or has not in time; it may free the stream. Accepts NULL. */
bool stream_holds(struct stream *stream, void (*fetched)(struct call *call));
/* The daemon stops: who still fetches the rest has STREAM_DRAIN_MS for it. Accepts NULL. */
void stream_drain(struct stream *stream);
/* Answers what still waits; accepts NULL. */
void stream_free(struct stream *stream);

/* callgate/stdin: {request, data, end} */
void stream_write(const struct methods_ask *ask);
/* callgate/output: {request} */
void stream_read(const struct methods_ask *ask);
/* The client does not want the answer to this request of its own any more. */
void stream_cancel(struct engine *engine, uint64_t peer, uint64_t request);

#endif
