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

/* The texts of words, NULL-terminated; the texts stay the policy's. NULL: out of memory. */
static const char **texts_of(const struct policy_words *words)
{
	const char **texts = calloc(words->count + 1, sizeof(*texts));

	for (uint32_t i = 0; texts && i < words->count; i++)
		texts[i] = words->items[i].text;
	return texts;
}

/* What may be called by name: the one program of a typed tool, the list of any other. */
static const char **allowed_of(const struct policy_tool *policy)
{
	const struct policy_word only = {.text = policy->exec.program};
	const struct policy_words one = {.items = &only, .count = 1};

	return texts_of(tool_is_typed(policy) ? &one : &policy->allowed_commands);
}

static int build_allowlist(struct tool *tool, const struct tools *tools, struct err_note *note)
{
	const char **cleanup_free allowed = allowed_of(tool->policy);
	const char **cleanup_free denied = texts_of(&tool->policy->denied_commands);
	const char **cleanup_free helpers = texts_of(&tool->policy->helpers);
	const char *own[] = {tool->function ? tool->function : tool->client, NULL};
	struct allowlist_spec spec = {
	    .path = tools->path,
	    .allowed = allowed,
	    .denied = denied,
	    .helpers = helpers,
	    .own = own,
	    .open = tool->open,
	    .multicall = tool->policy->multicall,
	    .tool_uid = tools->tool_uid,
	};
	struct err_note why = {""};
	int fault;

	if (!allowed || !denied || !helpers)
		return err_note(note, -ENOMEM, "out of memory");
	fault = allowlist_build(&spec, &tool->allowlist, &why);
	if (fault)
		return err_note(note, fault, "%s:%u:%u: tool %s: %s", tools->config->file,
		    tool->policy->pos.line, tool->policy->pos.column, tool->policy->name, why.text);
	return 0;
}

static int open_outside(struct tool *tool, struct err_note *note)
{
	const char *const *places = allowlist_outside(tool->allowlist);
	uint32_t count = 0;

	while (places && places[count])
		count++;
	tool->outside.paths = calloc(count + 1, sizeof(*tool->outside.paths));
	tool->outside.fds = calloc(count + 1, sizeof(*tool->outside.fds));
	if (!tool->outside.paths || !tool->outside.fds)
		return err_note(note, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		int fd = open(places[i], O_PATH | O_CLOEXEC);

		if (fd < 0)
			return err_note_errno(note, err_note(note, -errno, "%s", places[i]));
		tool->outside.fds[i] = fd;
		tool->outside.count = i + 1;
		tool->outside.paths[i] = strdup(places[i]);
		if (!tool->outside.paths[i])
			return err_note(note, -ENOMEM, "out of memory");
	}
	return 0;
}

static int open_workspaces(struct tool *tool, const struct tools *tools, struct err_note *note)
{
	const struct policy *policy = tools->config->policy;

	tool->workspaces = calloc(policy->namespace_count, sizeof(*tool->workspaces));
	if (!tool->workspaces)
		return err_note(note, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < policy->namespace_count; i++)
		tool->workspaces[i].fd = -1;
	for (uint32_t i = 0; i < policy->namespace_count; i++) {
		int fault = workspace_open(tools->config, tool->policy, &policy->namespaces[i],
		    &tool->workspaces[i], note);

		if (fault)
			return fault;
	}
	return 0;
}

static void warm_hash(
    const struct tools *tools, struct hashes *hashes, const char *name, uid_t judge)
{
	struct program program;
	struct program_stamp stamp;
	struct digest digest;

	if (program_open(&program, tools->path, name, judge, NULL))
		return; /* missing ones are told by tell_missing() */
	for (uint32_t i = 0; i < program.part_count; i++)
		if (program.parts[i].read_fd >= 0)
			(void)hashes_of(hashes, program.parts[i].read_fd, TOOLS_PROGRAM_MAX, &stamp,
			    &digest); /* the plan asks again and sees the fault */
	program_fini(&program);
}

/* Reads the programs once now, so that no call has to wait for a large one. */
static void warm_hashes(const struct tool *tool, const struct tools *tools, struct hashes *hashes)
{
	const char **cleanup_free allowed = allowed_of(tool->policy);

	for (uint32_t i = 0; allowed && allowed[i]; i++)
		warm_hash(tools, hashes, allowed[i], tools->tool_uid);
	if (tool->function)
		warm_hash(tools, hashes, tool->function, PROGRAM_TRUSTED);
}

static void tell_missing(const struct tool *tool, const struct tools *tools, struct buf *warnings)
{
	const char *const *missing = allowlist_missing(tool->allowlist);

	for (uint32_t i = 0; missing && missing[i]; i++)
		(void)buf_textf(warnings,
		    "%s:%u:%u: tool %s: %s is in no directory of defaults.path\n",
		    tools->config->file, tool->policy->pos.line, tool->policy->pos.column,
		    tool->policy->name, missing[i]);
}

static int build_tool(struct tool *tool, const struct tools *tools, const struct tools_spec *spec,
    struct err_note *note)
{
	const struct policy_sandbox *sandbox = &tool->policy->sandbox;
	int fault = required_of(tools->config, sandbox, &tool->required, note);

	tool->mode = mode_of(sandbox);
	tool->limits = limits_of(sandbox);
	if (!fault)
		fault = tools_find_own(tool, tools, spec, note);
	if (!fault)
		fault = open_workspaces(tool, tools, note);
	if (!fault)
		fault = build_allowlist(tool, tools, note);
	if (!fault)
		fault = open_outside(tool, note);
	if (fault)
		return fault;
	warm_hashes(tool, tools, spec->hashes);
	tell_missing(tool, tools, spec->warnings);
	return 0;
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

static int build(struct tools *tools, const struct tools_spec *spec, struct err_note *note)
{
	const struct policy *policy = tools->config->policy;
	int fault;

	tools->spaces = policy->namespace_count;
	tools->tool_uid = spec->host->root ? spec->host->cell_uid_first : spec->host->uid;
	tools->path = texts_of(&policy->path);
	tools->items = calloc(policy->tool_count + 1, sizeof(*tools->items));
	if (!tools->path || !tools->items)
		return err_note(note, -ENOMEM, "out of memory");
	fault = build_environment(tools, spec);
	if (fault)
		return err_note_errno(
		    note, err_note(note, fault, "%s: defaults.path", tools->config->file));
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		tools->items[i].policy = &policy->tools[i];
		tools->count = i + 1;
		fault = build_tool(&tools->items[i], tools, spec, note);
		if (fault)
			return fault;
	}
	return 0;
}

int tools_build(
    struct config *config, const struct tools_spec *spec, struct tools **ret, struct err_note *note)
{
	struct tools *tools = calloc(1, sizeof(*tools));
	int fault;

	if (!tools)
		return err_note(note, -ENOMEM, "out of memory");
	tools->config = config;
	fault = build(tools, spec, note);
	if (fault) {
		tools->config = NULL; /* stays the caller's */
		tools_free(tools);
		return fault;
	}
	*ret = tools;
	return 0;
}

static void free_tool(struct tool *tool, uint32_t spaces)
{
	for (uint32_t i = 0; tool->workspaces && i < spaces; i++)
		workspace_close(&tool->workspaces[i]);
	free(tool->workspaces);
	for (uint32_t i = 0; i < tool->outside.count; i++) {
		cleanup_fd_(&tool->outside.fds[i]);
		free(tool->outside.paths[i]);
	}
	free(tool->outside.paths);
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
