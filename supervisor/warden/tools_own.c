/* Programs that come with the daemon and run in cells: those of function tools, and the client of a
 * gate. They are found beside the daemon itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/paths.h"
#include "supervisor/warden/environment.h"
#include "policy/handlers.h"

#define CLIENT_INSTALLED "../../bin/" TOOLS_CLIENT /* seen from PREFIX/libexec/callgate */

static int complain(const struct tool *tool, const struct tools *tools, struct policy_pos pos,
    const char *why, struct err_note *note)
{
	return err_note(note, -EINVAL, "%s:%u:%u: tool %s: %s", tools->config->file, pos.line,
	    pos.column, tool->policy->name, why);
}

/* The resolved path of one of our own programs, heap; NULL: not there. */
static char *resolve(const struct tools_spec *spec, const char *name)
{
	char folder[PATHS_MAX], path[PATHS_MAX];

	if (!spec->programs && paths_libexec(folder))
		return NULL;
	if (paths_join(path, spec->programs ? spec->programs : folder, name))
		return NULL;
	return access(path, X_OK) ? NULL : realpath(path, NULL);
}

/* A function tool is told how long it may work: what it found until then is an answer, and what it
 * had found when the deadline killed it is none. It keeps a fifth, at most a second, for the rest:
 * its start and its answer. */
static void tell_time(struct tool *tool)
{
	uint64_t deadline_ms = tool->policy->max_execution_ms;
	uint64_t rest_ms = deadline_ms / 5 < 1000 ? deadline_ms / 5 : 1000;

	(void)snprintf(
	    tool->time, sizeof(tool->time), "CALLGATE_TIME_MS=%" PRIu64, deadline_ms - rest_ms);
}

static int find_function(struct tool *tool, const struct tools *tools,
    const struct tools_spec *spec, struct err_note *note)
{
	const struct handler *handler = handler_by_id(tool->policy->handler);

	if (tool->policy->type != TOOL_FUNCTION)
		return 0;
	if (handler)
		tool->function = resolve(spec, handler->program);
	if (tool->function) {
		tell_time(tool);
		return 0;
	}
	return complain(tool, tools, tool->policy->pos,
	    handler ? "its program is not beside the other programs of callgate; install callgate "
		      "whole"
		    : "it has no handler",
	    note);
}

static bool in_path(const struct tools *tools, const char *folder)
{
	for (const char *const *dir = tools->path; *dir; dir++)
		if (!strcmp(*dir, folder))
			return true;
	return false;
}

/* ":/opt/callgate/bin", or "" where PATH leads there. */
static char *missing_path(const struct tools *tools, const char *client)
{
	size_t len = strlen(client);
	char *path = malloc(len + 2);

	if (!path)
		return NULL;
	path[0] = ':';
	memcpy(path + 1, client, len + 1);
	*strrchr(path, '/') = '\0';
	if (in_path(tools, path + 1))
		path[0] = '\0';
	return path;
}

static int find_client(struct tool *tool, const struct tools *tools, const struct tools_spec *spec,
    struct err_note *note)
{
	const struct policy_sandbox *sandbox = &tool->policy->sandbox;

	if (!sandbox->callgate)
		return 0;
	if (tool->function)
		return complain(tool, tools, sandbox->pos,
		    "sandbox.callgate: a function tool asks for nothing; leave it out", note);
	tool->client = resolve(spec, TOOLS_CLIENT);
	if (!tool->client)
		tool->client = resolve(spec, CLIENT_INSTALLED);
	if (!tool->client)
		return complain(tool, tools, sandbox->pos,
		    "sandbox.callgate: the callgate command is not beside the daemon; install "
		    "callgate whole",
		    note);
	tool->client_path = missing_path(tools, tool->client);
	return tool->client_path ? 0 : err_note(note, -ENOMEM, "out of memory");
}

static int judge_names(const struct tool *tool, const struct tools *tools, struct err_note *note)
{
	for (uint32_t i = 0; i < tool->policy->env_count; i++) {
		const struct policy_env *entry = &tool->policy->env[i];
		struct err_note why;

		if (environment_may_set(entry->name))
			continue;
		(void)err_note(
		    &why, 0, "env.%s: is the daemon's to set; leave it out", entry->name);
		return complain(tool, tools, entry->pos, why.text, note);
	}
	return 0;
}

int tools_find_own(struct tool *tool, const struct tools *tools, const struct tools_spec *spec,
    struct err_note *note)
{
	int fault = find_function(tool, tools, spec, note);

	tool->open =
	    !tool->function && !tool_is_typed(tool->policy) && !tool->policy->deny_by_default;
	if (!fault)
		fault = find_client(tool, tools, spec, note);
	return fault ? fault : judge_names(tool, tools, note);
}

bool tool_owns(const struct tool *tool, const char *name)
{
	return (tool->function && !strcmp(tool->function, name)) ||
	       (tool->client && !strcmp(tool->client, name));
}
