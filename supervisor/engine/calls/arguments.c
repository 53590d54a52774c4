#include "supervisor/engine/calls/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/value.h"
#include "policy/prepare.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"

static enum call_event refuse(struct call *call, const char *why)
{
	judge_say(call,
	    "Refused by callgate: the arguments are not valid: %s. Correct them and retry.", why);
	return CALL_ON_DENIED;
}

/* Is the caller to say what the tool reads? */
static bool takes_stdin(const struct policy_tool *tool)
{
	switch (tool->stdin_rule) {
	case STDIN_RULE_YES: return true;
	case STDIN_RULE_NO:
	case STDIN_RULE_PARAMETER: return false;
	case STDIN_RULE_DEFAULT: break;
	}
	return tool->type == TOOL_COMMAND && !tool_is_typed(tool);
}

static enum call_event seal_stdin(struct call *call, const char *bytes, size_t len)
{
	if (digest_of(&call->stdin_digest, bytes, len))
		return CALL_ON_FAULT;
	call->stdin_fd = fd_sealed("callgate-stdin", bytes, len);
	call->stdin_kind = STDIN_SEALED;
	return call->stdin_fd < 0 ? CALL_ON_FAULT : CALL_ON_NOTHING;
}

static enum call_event take_stdin(
    struct call *call, const struct call_args *args, const struct prepared *prepared)
{
	if (prepared->has_stdin)
		return seal_stdin(call, prepared->stdin_text, prepared->stdin_len);
	if (args->has_stdin && !takes_stdin(call->tool))
		return refuse(call, "stdin: this tool takes none");
	if (args->has_stdin)
		return seal_stdin(call, args->stdin_bytes, args->stdin_len);
	if ((call->options & REQUEST_STREAM_INPUT) && takes_stdin(call->tool))
		call->stdin_kind = STDIN_STREAM;
	return CALL_ON_NOTHING;
}

static enum call_event take_paths(struct call *call, const struct prepared *prepared)
{
	call->paths.items = calloc(prepared->path_count + 1u, sizeof(*call->paths.items));
	if (!call->paths.items)
		return CALL_ON_FAULT;
	for (uint32_t i = 0; i < prepared->path_count; i++) {
		call->paths.items[i] = strdup(prepared->paths[i]);
		if (!call->paths.items[i])
			return CALL_ON_FAULT;
		call->paths.count++;
	}
	return CALL_ON_NOTHING;
}

static enum call_event take_prepared(
    struct call *call, const struct call_args *args, struct prepared *prepared)
{
	enum call_event event = take_stdin(call, args, prepared);
	struct err_note note;

	if (event == CALL_ON_NOTHING)
		event = take_paths(call, prepared);
	call->arguments = json_incref(prepared->arguments);
	call->facts = json_incref(prepared->facts);
	call->spent = prepared->spent;
	call->command = prepared->command;
	memset(&prepared->command, 0, sizeof(prepared->command));
	if (event == CALL_ON_NOTHING &&
	    call_args_check_argv(call->command.argv, call->command.argc, &note))
		return refuse(call, note.text);
	return event;
}

/* What only the arguments of an untyped command have: their form, stdin and cwd. */
static enum call_event read_untyped(struct call *call, struct call_args *args)
{
	struct err_note note;
	int fault;

	if (call->tool->type != TOOL_COMMAND || tool_is_typed(call->tool))
		return CALL_ON_NOTHING;
	fault = call_args_decode(call->body, call->body_len, args, &note);
	if (fault == -EINVAL)
		return refuse(call, note.text);
	return fault ? CALL_ON_FAULT : CALL_ON_NOTHING;
}

static enum call_event prepare(struct call *call, const struct call_args *args)
{
	const struct tool_book *book = rulebook_tool(call->rules->book, call->tool);
	struct prepared cleanup_with(prepared_fini) prepared = {.arguments = NULL};
	struct err_note note = {""};
	json_t *arguments;
	int result = value_read(call->body, call->body_len, &arguments, &note);

	if (result == -EINVAL)
		return refuse(call, note.text);
	if (result)
		return CALL_ON_FAULT;
	result = policy_prepare(book, arguments, &prepared, &note);
	json_decref(arguments);
	if (result == PREPARE_INVALID)
		return refuse(call, note.text);
	return result ? CALL_ON_FAULT : take_prepared(call, args, &prepared);
}

enum call_event arguments_take(struct call *call)
{
	struct call_args cleanup_with(call_args_fini) args = {0};
	enum call_event event = read_untyped(call, &args);

	if (event == CALL_ON_NOTHING)
		event = prepare(call, &args);
	if (event != CALL_ON_NOTHING)
		return event;
	call->cwd = strdup(args.cwd ? args.cwd : "");
	return call->cwd ? CALL_ON_NOTHING : CALL_ON_FAULT;
}
