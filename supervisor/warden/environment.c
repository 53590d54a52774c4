#include "supervisor/warden/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/warden/plan.h"

#define PATH_NAME "PATH="
#define GATE_ENV  "CALLGATE_SOCKET=fd:3"

/* What an entry is made of; one is value only or name and value. */
struct piece {
	const char *name; /* "" or NAME */
	const char *value;
	const char *more; /* behind the value: "" */
};

struct pieces {
	struct piece *items;
	uint32_t count;
};

bool environment_may_set(const char *name)
{
	static const char *const ours[] = {"PATH", "HOME", "TMPDIR", "USER"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (!strcmp(name, ours[i]))
			return false;
	return strncmp(name, "LD_", 3) != 0 && strncmp(name, "CALLGATE_", 9) != 0;
}

/* The value of one entry of the tool; NULL: the daemon has no such variable. */
static const char *value_of(const struct tools *tools, const struct policy_env *entry)
{
	switch (entry->source) {
	case ENV_LITERAL: return entry->text;
	case ENV_VARIABLE: return config_variable(tools->config, entry->text);
	case ENV_NONE: break;
	}
	return NULL;
}

static bool sets(const struct policy_tool *tool, const char *name, size_t len)
{
	for (uint32_t i = 0; i < tool->env_count; i++)
		if (!strncmp(tool->env[i].name, name, len) && !tool->env[i].name[len])
			return true;
	return false;
}

static void add(struct pieces *pieces, const char *name, const char *value, const char *more)
{
	pieces->items[pieces->count++] = (struct piece){name, value, more};
}

/* The client of a gate lies where the path may not lead. */
static void add_fixed(struct pieces *pieces, const struct tools *tools, const struct tool *tool)
{
	for (int i = 0; i < TOOLS_ENV_COUNT; i++) {
		const char *entry = tools->env[i];

		if (sets(tool->policy, entry, strcspn(entry, "=")))
			continue;
		add(pieces, "", entry,
		    tool->client && !strncmp(entry, PATH_NAME, strlen(PATH_NAME))
			? tool->client_path
			: "");
	}
	if (tool->client)
		add(pieces, "", GATE_ENV, "");
	if (tool->time[0])
		add(pieces, "", tool->time, "");
}

static int add_own(struct pieces *pieces, const struct tools *tools, const struct tool *tool,
    struct err_note *note)
{
	for (uint32_t i = 0; i < tool->policy->env_count; i++) {
		const struct policy_env *entry = &tool->policy->env[i];
		const char *value = value_of(tools, entry);

		if (!value)
			return err_note(note, PLAN_REFUSED,
			    "env %s: the daemon has no variable %s; set it where the daemon is "
			    "started, or in .env and reload",
			    entry->name, entry->text);
		add(pieces, entry->name, value, "");
	}
	return 0;
}

static size_t length_of(const struct piece *piece)
{
	return strlen(piece->name) + (piece->name[0] != '\0') + strlen(piece->value) +
	       strlen(piece->more) + 1;
}

static char **join(const struct pieces *pieces)
{
	size_t bytes = 0;
	char **env, *next;

	for (uint32_t i = 0; i < pieces->count; i++)
		bytes += length_of(&pieces->items[i]);
	env = malloc((pieces->count + 1) * sizeof(*env) + bytes);
	if (!env)
		return NULL;
	next = (char *)(env + pieces->count + 1);
	for (uint32_t i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->items[i];

		env[i] = next;
		next = stpcpy(next, piece->name);
		if (piece->name[0])
			*next++ = '=';
		next = stpcpy(stpcpy(next, piece->value), piece->more) + 1;
	}
	env[pieces->count] = NULL;
	return env;
}

int environment_make(
    const struct tools *tools, const struct tool *tool, char ***ret, struct err_note *note)
{
	struct pieces pieces = {
	    calloc(TOOLS_ENV_COUNT + 2 + tool->policy->env_count, sizeof(*pieces.items)), 0};
	char **env = NULL;
	int fault = 0;

	if (!pieces.items)
		return err_note(note, -ENOMEM, "out of memory");
	add_fixed(&pieces, tools, tool);
	fault = add_own(&pieces, tools, tool, note);
	if (!fault) {
		env = join(&pieces);
		if (!env)
			fault = err_note(note, -ENOMEM, "out of memory");
	}
	free(pieces.items);
	*ret = env;
	return fault;
}

size_t environment_bytes(char *const *env)
{
	size_t bytes = 0;

	for (; env && *env; env++)
		bytes += strlen(*env) + 1;
	return bytes;
}

void environment_free(char **env)
{
	if (env && env[0])
		explicit_bzero(env[0], environment_bytes(env));
	free(env);
}
