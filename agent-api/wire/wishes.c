#include "agent-api/wire/wishes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/limits.h"

static int read_progress(struct wishes *wishes, const json_t *meta, struct rpc_error *ret_error)
{
	const json_t *token = json_object_get(meta, "progressToken");

	if (!token)
		return 0;
	if (!json_is_integer(token) &&
	    !(json_is_string(token) && json_string_length(token) <= WIRE_TOKEN_MAX))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta.progressToken: must be an integer or a string of at most %d bytes",
		    WIRE_TOKEN_MAX);
	wishes->progress = json_dumps(token, JSON_ENCODE_ANY | JSON_COMPACT);
	return wishes->progress ? 0 : -ENOMEM;
}

static int read_stream(struct wishes *wishes, const json_t *meta, struct rpc_error *ret_error)
{
	json_t *stream = json_object_get(meta, "callgate/stream");
	const char *key;
	json_t *value;

	if (!stream)
		return 0;
	if (!json_is_object(stream))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"callgate/stream\"]: must be an object {stdin, output}");
	json_object_foreach(stream, key, value)
	{
		bool *wish = strcmp(key, "stdin") == 0    ? &wishes->stream_input
			     : strcmp(key, "output") == 0 ? &wishes->stream_output
							  : NULL;

		if (!wish || !json_is_boolean(value))
			return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
			    "_meta[\"callgate/stream\"].%s: stdin and output are known, and are "
			    "true or false",
			    key);
		*wish = json_is_true(value);
	}
	return 0;
}

/* Modern only, as what follows; before, the level is set by logging/setLevel. */
static int read_log(struct wishes *wishes, const json_t *meta, struct rpc_error *ret_error)
{
	const json_t *level = json_object_get(meta, MCP_META_LOG_LEVEL);

	if (!level)
		return 0;
	wishes->log = severity_from_name(json_string_value(level));
	if (wishes->log == SEVERITY_NONE)
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "_meta[\"" MCP_META_LOG_LEVEL "\"]: must be " SEVERITY_NAMES);
	return 0;
}

/* In the old era these keys mean nothing. */
static int read_retry(struct wishes *wishes, const json_t *params, struct rpc_error *ret_error)
{
	json_t *responses = json_object_get(params, "inputResponses");
	json_t *state = json_object_get(params, "requestState");
	json_t *retry;

	if (responses && !json_is_object(responses))
		return rpc_refuse(
		    ret_error, RPC_INVALID_PARAMS, "inputResponses: must be an object");
	if (state && !json_is_string(state))
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS, "requestState: must be a string");
	if (responses && json_object_size(responses) > 0 && !wishes->can_elicit)
		return rpc_refuse(ret_error, RPC_MISSING_CAPABILITY,
		    "inputResponses: this request does not declare the capability elicitation");
	if (!state && json_object_size(responses) == 0)
		return 0;
	retry = json_pack("{s:O*, s:O*}", "inputResponses", responses, "requestState", state);
	wishes->retry = retry ? json_dumps(retry, JSON_COMPACT) : NULL;
	json_decref(retry);
	if (!wishes->retry)
		return -ENOMEM;
	if (strlen(wishes->retry) > WIRE_RETRY_MAX)
		return rpc_refuse(ret_error, RPC_INVALID_PARAMS,
		    "inputResponses and requestState: longer than %d bytes", WIRE_RETRY_MAX);
	return 0;
}

int wishes_read(
    struct wishes *ret, enum mcp_era era, const json_t *params, struct rpc_error *ret_error)
{
	const json_t *meta = json_object_get(params, "_meta");
	int r;

	*ret = (struct wishes){.progress = NULL};
	r = read_progress(ret, meta, ret_error);
	if (r == 0)
		r = read_stream(ret, meta, ret_error);
	if (r == 0 && era == MCP_MODERN) {
		ret->can_elicit = mcp_can_elicit(json_object_get(meta, MCP_META_CAPABILITIES));
		r = read_log(ret, meta, ret_error);
		if (r == 0)
			r = read_retry(ret, params, ret_error);
	}
	return r;
}

void wishes_fini(struct wishes *wishes)
{
	free(wishes->progress);
	free(wishes->retry);
	*wishes = (struct wishes){.progress = NULL};
}
