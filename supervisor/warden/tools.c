#include "supervisor/warden/tools.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/limits.h"
#include "supervisor/base/cleanup.h"

static struct cell_limits limits_of(const struct policy_sandbox *sandbox)
{
	const struct policy_sandbox limits = policy_limits(sandbox);

	return (struct cell_limits){
	    .memory = limits.memory,
	    .pids = limits.pids,
	    .cpu_ms = limits.cpu_ms,
	    .file_size = limits.file_size,
	    .files = limits.files,
	    .tmp_bytes = limits.disk,
	    .tmp_inodes = limits.inodes,
	};
}

static enum cell_workspace mode_of(const struct policy_sandbox *sandbox)
{
	switch (sandbox->workspace) {
	case WORKSPACE_OVERLAY: /* written to as the workspace itself would be */
	case WORKSPACE_RW: return sandbox->exec ? CELL_WORKSPACE_EXEC : CELL_WORKSPACE_RW;
	case WORKSPACE_RO:
	case WORKSPACE_NONE: return CELL_WORKSPACE_RO;
	}
	return CELL_WORKSPACE_RO;
}

static int required_of(const struct config *config, const struct policy_sandbox *sandbox,
    uint32_t *ret, struct err_note *note)
{
	uint32_t required = 0;

	if (sandbox->require_all || !sandbox->require_given) {
		*ret = sandbox->require_all ? LAYERS_ALL : LAYERS_DEFAULT;
		return 0;
	}
	for (uint32_t i = 0; i < sandbox->require.count; i++) {
		const struct policy_word *word = &sandbox->require.items[i];
		enum layer layer = layer_from_name(word->text);

		if (layer == LAYER_COUNT)
			return err_note(note, -EINVAL, "%s:%u:%u: sandbox.require %s: no such wall",
			    config->file, word->pos.line, word->pos.column, word->text);
		required |= 1u << layer;
	}
	*ret = required;
	return 0;
}

static int open_workspaces(struct tools_work *work, struct tool *tool, struct err_note *note)
{
	const struct config *config = work->tools->config;
	const struct policy *policy = config->policy;

	tool->workspaces = calloc(policy->namespace_count, sizeof(*tool->workspaces));
	if (!tool->workspaces)
		return err_note(note, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < policy->namespace_count; i++)
		tool->workspaces[i].fd = -1;
	for (uint32_t i = 0; i < policy->namespace_count; i++) {
		struct workspace *workspace = &tool->workspaces[i];
		int fault =
		    workspace_open(config, tool->policy, &policy->namespaces[i], workspace, note);

		if (!fault)
			fault = workspace_hold(workspace, work->spec.holdings);
		if (fault)
			return fault;
	}
	return 0;
}

/* Everything of one tool. */
static int build_tool(struct tools_work *work, struct tool *tool, struct err_note *note)
{
	const struct policy_sandbox *sandbox = &tool->policy->sandbox;
	struct tools *tools = work->tools;
	int fault = required_of(tools->config, sandbox, &tool->required, note);

	tool->mode = mode_of(sandbox);
	tool->overlay = sandbox->workspace == WORKSPACE_OVERLAY;
	tool->limits = limits_of(sandbox);
	if (!fault)
		fault = tools_find_own(tool, tools, &work->spec, note);
	if (!fault)
		fault = open_workspaces(work, tool, note);
	return fault ? fault : tools_find_programs(work, tool, note);
}

static int build_environment(struct tools *tools, const struct tools_spec *spec)
{
	const struct policy_words *path = &tools->config->policy->path;
	struct buf cleanup_with(buf_fini) text;
	int i = 0;

	buf_init(&text, CELL_ARG_BYTES);
	(void)buf_text(&text, "PATH=");
	for (uint32_t j = 0; j < path->count; j++)
		(void)buf_textf(&text, "%s%s", j ? ":" : "", path->items[j].text);
	if (!buf_cstr(&text))
		return text.fault;
	tools->env[i++] = strdup(buf_cstr(&text));
	tools->env[i++] = strdup("HOME=/tmp");
	tools->env[i++] = strdup("TMPDIR=/tmp");
	tools->env[i++] = strdup("LANG=C.UTF-8");
	buf_reset(&text);
	(void)buf_textf(&text, "USER=%s", spec->user);
	if (!buf_cstr(&text))
		return text.fault;
	tools->env[i++] = strdup(buf_cstr(&text));
	while (i > 0)
		if (!tools->env[--i])
			return -ENOMEM;
	return 0;
}

static int begin(struct tools *tools, const struct tools_spec *spec, struct err_note *note)
{
	const struct policy *policy = tools->config->policy;
	int fault;

	tools->spaces = policy->namespace_count;
	tools->tool_uid = spec->host->root ? spec->host->cell_uid_first : spec->host->uid;
	tools->path = tools_texts(&policy->path);
	tools->items = calloc(policy->tool_count + 1, sizeof(*tools->items));
	if (!tools->path || !tools->items)
		return err_note(note, -ENOMEM, "out of memory");
	fault = build_environment(tools, spec);
	if (fault)
		return err_note_errno(
		    note, err_note(note, fault, "%s: defaults.path", tools->config->file));
	return 0;
}

int tools_begin(struct config *config, const struct tools_spec *spec, struct tools_work **ret,
    struct err_note *note)
{
	struct tools_work *work = calloc(1, sizeof(*work));
	int fault;

	if (!work)
		return err_note(note, -ENOMEM, "out of memory");
	work->spec = *spec;
	work->tools = calloc(1, sizeof(*work->tools));
	if (!work->tools) {
		free(work);
		return err_note(note, -ENOMEM, "out of memory");
	}
	work->tools->config = config;
	fault = begin(work->tools, spec, note);
	work->survey = (struct survey){
	    .tool_uid = work->tools->tool_uid, .breathe = spec->breathe, .arg = spec->arg};
	if (fault) {
		work->tools->config = NULL; /* stays the caller's */
		tools_end(work);
		return fault;
	}
	*ret = work;
	return 0;
}

int tools_step(struct tools_work *work, struct err_note *note)
{
	struct tools *tools = work->tools;
	const struct policy *policy = tools->config->policy;
	struct tool *tool = &tools->items[tools->count];
	int fault;

	if (tools->count == policy->tool_count)
		return 0;
	tool->policy = &policy->tools[tools->count++];
	fault = build_tool(work, tool, note);
	return fault ? fault : tools->count < policy->tool_count;
}

struct tools *tools_take(struct tools_work *work)
{
	return take_ptr(work->tools);
}

void tools_end(struct tools_work *work)
{
	if (!work)
		return;
	survey_fini(&work->survey);
	names_fini(&work->warmed);
	tools_free(work->tools);
	free(work);
}

int tools_build(
    struct config *config, const struct tools_spec *spec, struct tools **ret, struct err_note *note)
{
	struct tools_work *work;
	int more = tools_begin(config, spec, &work, note);

	if (more < 0)
		return more;
	do
		more = tools_step(work, note);
	while (more > 0);
	if (more < 0)
		work->tools->config = NULL; /* stays the caller's */
	else
		*ret = tools_take(work);
	tools_end(work);
	return more;
}

static void free_tool(struct tool *tool, uint32_t spaces)
{
	for (uint32_t i = 0; tool->workspaces && i < spaces; i++)
		workspace_close(&tool->workspaces[i]);
	free(tool->workspaces);
	for (uint32_t i = 0; i < tool->outside.count; i++) {
		held_drop(tool->outside.held[i]);
		free(tool->outside.paths[i]);
	}
	free(tool->outside.paths);
	free(tool->outside.held);
	free(tool->outside.fds);
	allowlist_free(tool->allowlist);
	free(tool->function);
	free(tool->client);
	free(tool->client_path);
}

void tools_free(struct tools *tools)
{
	if (!tools)
		return;
	for (uint32_t i = 0; i < tools->count; i++)
		free_tool(&tools->items[i], tools->spaces);
	for (int i = 0; i < TOOLS_ENV_COUNT; i++)
		free(tools->env[i]);
	free(tools->items);
	free(tools->path);
	config_free(tools->config);
	free(tools);
}

const struct tool *tools_find(const struct tools *tools, const char *name)
{
	for (uint32_t i = 0; i < tools->count; i++)
		if (!strcmp(tools->items[i].policy->name, name))
			return &tools->items[i];
	return NULL;
}

const struct workspace *tools_workspace(
    const struct tools *tools, const struct tool *tool, const char *space)
{
	const struct policy *policy = tools->config->policy;

	if (!space[0])
		space = "default";
	for (uint32_t i = 0; i < policy->namespace_count; i++)
		if (!strcmp(policy->namespaces[i].name, space))
			return &tool->workspaces[i];
	return NULL;
}
