/*
 * What a client is told: the result of a finished call, and the answers of the other methods.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RESULT_H
#define CALLGATE_ENGINE_RESULT_H

#include <jansson.h>

#include "agent-api/wire/result.h"
#include "supervisor/engine/calls/call.h"

struct engine;

/* Where an answer goes. */
struct result_to {
	struct engine *engine;
	uint64_t request; /* serial */
	enum request_era era;
	uint64_t peer; /* whose revision counts in the legacy era */
};

/* What may be said there. */
enum mcp_revision result_revision(const struct result_to *to);

/* Answers the client of a call in AUDITED; nothing but a silent reply when it withdrew. What the
 * tool wrote is released only if the outcome is recorded. */
void result_send(struct call *call);

/* Answers the request of a call that goes on without it: the client shall fill in a form and call
 * again. Takes params. 0, or the builder's fault: then nothing was sent. */
int result_park(
    const struct call *call, const char *key, json_t *params, const char *request_state);

/* Takes object. */
void result_give(const struct result_to *to, json_t *object);
/* JSON text built elsewhere; fault: of building it, then an internal error is told. */
void result_give_body(
    const struct result_to *to, enum reply_kind kind, const struct buf *body, int fault);
/* code: enum result_code or enum rpc_code. */
void result_refuse(const struct result_to *to, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with what HTTP says besides. */
struct result_refusal {
	int code;              /* as above; a status of HTTP, too */
	const char *challenge; /* with 401 and 403: behind "Bearer"; NULL: nothing */
	uint32_t retry_s;      /* 0: not said */
	const json_t *details; /* error.data; borrowed; NULL: none */
};
void result_refuse_with(const struct result_to *to, const struct result_refusal *refusal,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* As result_give(), for an object that holds a secret: what was made of it is wiped. */
void result_give_secret(const struct result_to *to, json_t *object);
void result_silence(const struct result_to *to);

#endif
