/*
 * The bodies that engine answers with: result objects and error objects of MCP, as compact JSON
 * in one line, complete but for the JSON-RPC envelope, which front puts around them unread.
 *
 * The revision decides what a result must also carry (resultType, serverInfo, cache hints) and
 * what it may not (structuredContent, outputSchema, title, annotations before they were). Tool
 * output may be any bytes: invalid UTF-8 and NUL become U+FFFD. Every builder appends to out and
 * returns 0, -ENOBUFS (out's limit), -ENOMEM or -EINVAL (a string of ours that is no UTF-8);
 * what was appended before a fault must not be sent. Floor 1: base, jansson; no I/O.
 */
#ifndef CALLGATE_WIRE_RESULT_H
#define CALLGATE_WIRE_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent-api/wire/content.h"
#include "agent-api/wire/form.h"
#include "agent-api/wire/mcp.h"
#include "supervisor/base/buf.h"

enum result_exit {
	RESULT_EXIT_NONE = 0, /* nothing ran, or nobody saw its end */
	RESULT_EXIT_CODE,
	RESULT_EXIT_SIGNAL,
};

/* _meta["callgate/call"]. Strings may be NULL or "": then the key is null. Everything is
 * borrowed for the call of the builder. */
struct result_call {
	const char *id;
	const char *plan;     /* "sha256:<64 hex>" */
	const char *decision; /* allow deny ask */
	const char *by;       /* policy approval grant */
	const char *rule;     /* "file:line:column what" */
	const char *outcome;  /* completed refused pending expired cancelled deadline oom pids disk
	                       * output unavailable failed */
	const char *limit;    /* which one it ended at: memory pids cpu time file_size disk inodes
	                       * output; NULL or "": none, and the key is left out */
	enum result_exit exit;
	int64_t exit_value;
	const char *const *layers;
	size_t layer_count;
	uint64_t wall_us;
	uint64_t cpu_us;
	uint64_t memory_peak;
	uint64_t out_bytes; /* all that the tool wrote, kept or not */
	uint64_t err_bytes;
	bool has_receipt; /* false: receipt is null */
	uint64_t receipt_n;
	uint64_t receipt_size;
	const char *receipt_leaf; /* 64 hex */
	const char *receipt_root; /* 64 hex */
	/* An approver gave other arguments than the caller did, which were judged; NULL: none. */
	const char *edited_by;
	const char *edited_approval;
	const json_t *edited_arguments; /* NULL: they could not be read */
};

/* What structuredContent holds. */
enum result_structure {
	RESULT_STRUCTURE_NONE = 0,
	RESULT_STRUCTURE_STREAMS, /* {stdout, stderr, exit_code, truncated} */
	RESULT_STRUCTURE_VALUE,   /* what a tool with an output schema of its own printed */
};

/* One tools/call result. Its content is what the tool printed as such, or one text: stdout, then
 * stderr under a line "stderr:", then the sentence. */
struct result_tool_call {
	bool is_error;
	bool has_output; /* the tool was started; false: no structuredContent */
	enum result_structure structure;
	json_t *value;                 /* RESULT_STRUCTURE_VALUE; borrowed */
	const struct content *content; /* takes the place of the text; borrowed; NULL: none */
	const void *out;               /* captured bytes */
	size_t out_len;
	const void *err;
	size_t err_len;
	bool truncated; /* engine kept less than the tool wrote */
	json_t
	    *effects; /* _meta["callgate/effects"]: what it changed aside; borrowed; NULL: none */
	const char
	    *sentence; /* for refusals and odd ends: what, which rule, why, retry or not; or "" */
	struct result_call call;
};

/* Output too long for WIRE_RESULT_MAX is cut in the middle with a marker and truncated is true;
 * so it never fails for size if out has that limit. */
int result_tools_call(
    struct buf *out, enum mcp_revision revision, const struct result_tool_call *result);

/* The answer that asks the client to put a form to its user and to call again: modern only.
 * key: of the answer in inputResponses. Takes params, of FORM_METHOD. state: opaque to the client,
 * given back with the form's answer. */
int result_input_required(struct buf *out, const char *key, json_t *params, const char *state,
    const struct result_call *call);

/* Absent hints mean destructive and open-world to some clients, so all four are always said. */
struct result_annotations {
	bool read_only;
	bool destructive;
	bool idempotent;
	bool open_world;
};

struct result_tool {
	const char *name;
	const char *title; /* "" or NULL: none */
	const char *description;
	const char *input_schema;  /* JSON text of an object; NULL: call_args_schema() */
	const char *output_schema; /* JSON text; NULL: result_streams_schema() */
	bool prints_content;       /* and without output_schema it promises nothing */
	struct result_annotations annotations;
	const char *type;    /* "command", "function": in _meta["callgate/tool"] */
	uint64_t timeout_ms; /* the tool's deadline, there too; approvals not counted */
	bool asks;           /* every call of it asks a human first, there too */
};

/* In the order given. next_cursor: NULL on the last page. Modern: ttlMs 0, cacheScope private.
 * -EINVAL: a schema is no object. */
struct result_tools {
	const struct result_tool *tools;
	size_t count;
	const char *next_cursor;
};
int result_tools_list(struct buf *out, enum mcp_revision revision, const struct result_tools *page);
/* The JSON Schema of RESULT_STRUCTURE_STREAMS. Static. */
const char *result_streams_schema(void);

/* Any other result, such as those of callgate/...: object plus what the revision demands. The
 * object stays the caller's and is unchanged. */
int result_object(struct buf *out, enum mcp_revision revision, json_t *object);

/* Own error codes; those of JSON-RPC are in rpc.h. */
enum result_code {
	RESULT_UNAUTHENTICATED = 401, /* who this is was not shown, or not believed */
	RESULT_FORBIDDEN = 403,       /* this caller may not do that */
	RESULT_NOT_FOUND = 404,       /* unknown id */
	RESULT_CONFLICT = 409,        /* already decided, or void */
	RESULT_TOO_MANY = 429,        /* a rate limit */
	RESULT_UNAVAILABLE = 503,     /* shutting down, full, a wall is missing */
};

/* {code, message, data: {"callgate/call": ...}}; call NULL: no data. code: enum result_code or
 * enum rpc_code. */
int result_error(struct buf *out, int code, const char *message, const struct result_call *call);
/* -32602 "Unknown tool: NAME", the one text for absent and hidden tools. */
int result_unknown_tool(struct buf *out, const char *tool, const struct result_call *call);

#endif
