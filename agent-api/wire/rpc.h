/*
 * JSON-RPC 2.0, one message a line: a line becomes a checked message, an answer becomes a line.
 * Source: JSON-RPC 2.0 specification, narrowed by MCP 2026-07-28 (no null ids, params only as
 * object). Batches exist in MCP 2025-03-26 alone. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_RPC_H
#define CALLGATE_WIRE_RPC_H

#include <jansson.h>
#include <stddef.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"

/* JSON-RPC 2.0, 5.1, and what MCP adds. */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_HEADER_MISMATCH = -32020, /* HTTP alone: headers and body disagree */
	RPC_MISSING_CAPABILITY = -32021,
	RPC_UNSUPPORTED_VERSION = -32022,
};

/* Positive outcome: the peer was wrong, and *ret_error is what it is told. */
#define RPC_REFUSED 1

struct rpc_error {
	int code;             /* enum rpc_code */
	struct err_note note; /* the message */
};

enum rpc_kind {
	RPC_NONE = 0,
	RPC_REQUEST,
	RPC_NOTIFICATION,
	RPC_RESPONSE, /* an answer to what we asked: method "", params NULL */
};

struct rpc_message {
	enum rpc_kind kind;
	const char *method;   /* "" for a response; points into root */
	const json_t *params; /* object, or NULL if absent; points into root */
	char *id;             /* JSON text of the id, owned; "null" where there is none */
	json_t *root;         /* owned */
};

/* Fills *ret_error; returns RPC_REFUSED, so that `return rpc_refuse(...)` reads as one step. */
int rpc_refuse(struct rpc_error *ret_error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* line: without its newline. 0: *ret is a message. RPC_REFUSED: only ret->id is meaningful (the
 * id if it could be read, else "null"). -ENOMEM: *ret is untouched. Otherwise *ret is released
 * by rpc_message_fini(). */
int rpc_parse(const char *line, size_t len, struct rpc_message *ret, struct rpc_error *ret_error);
/* The same of a value that is parsed already, such as an item of a batch. Takes root. */
int rpc_read(json_t *root, struct rpc_message *ret, struct rpc_error *ret_error);
/* A line that is an array, for those who serve batches: *ret is the array, the caller's, with 1
 * to WIRE_BATCH_MAX items. RPC_REFUSED: answered with id null. -ENOMEM. */
int rpc_parse_batch(const char *line, size_t len, json_t **ret, struct rpc_error *ret_error);
/* Accepts a zeroed or finished message. */
void rpc_message_fini(struct rpc_message *message);

/* Writes the JSON text of a valid id (string of at most WIRE_ID_MAX bytes, or integer).
 * *ret_text is freed by the caller. 0, -EINVAL (no such id), -ENOMEM. */
int rpc_id_text(const json_t *id, char **ret_text);

enum rpc_answer {
	RPC_ANSWER_RESULT,
	RPC_ANSWER_ERROR,
};

/* Appends one whole line: the envelope around a body that is JSON text already. 0 or buf's
 * fault. */
int rpc_put_answer(
    struct buf *out, const char *id, enum rpc_answer answer, const void *body, size_t len);

#endif
