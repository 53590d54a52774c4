#include "policy/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

/* ---- paths -------------------------------------------------------------------------------- */

void facts_plain_path(char *path)
{
	const char *from = path;
	char *to = path;

	if (*path == '/')
		return; /* no such path is accepted */
	while (*from) {
		size_t len = strcspn(from, "/");

		if (len && !(len == 1 && *from == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, from, len);
			to += len;
		}
		from += len;
		from += strspn(from, "/");
	}
	if (to == path)
		*to++ = '.';
	*to = '\0';
}

/* A new value; NULL: out of memory. What is no text stays what it is. */
static json_t *plain(json_t *value)
{
	char *cleanup_free path = NULL;

	if (!json_is_string(value) || !json_string_length(value) ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return json_incref(value);
	path = strdup(json_string_value(value));
	if (!path)
		return NULL;
	facts_plain_path(path);
	return json_string_nocheck(path);
}

static json_t *plain_list(const json_t *list)
{
	json_t *copy = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (json_array_append_new(copy, plain(item))) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

int facts_plain_paths(json_t *arguments, const char *name)
{
	json_t *value = json_object_get(arguments, name);

	if (!value)
		return 0;
	return json_object_set_new(
		   arguments, name, json_is_array(value) ? plain_list(value) : plain(value))
		   ? -ENOMEM
		   : 0;
}

/* ---- commands ----------------------------------------------------------------------------- */

static json_t *words_of(const struct command *command)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < command->argc; i++) {
		if (json_array_append_new(list, json_string(command->argv[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* The words as a line that reads as them. */
static json_t *line_of(const struct command *command)
{
	struct buf cleanup_with(buf_fini) line = {0};
	const char *text;

	buf_init(&line, 8 * COMMAND_BYTES_MAX);
	for (uint32_t i = 0; i < command->argc; i++) {
		if (i)
			(void)buf_text(&line, " ");
		(void)str_quote(&line, command->argv[i]);
	}
	text = buf_cstr(&line);
	return text ? json_string(text) : NULL;
}

/* A line for a shell stays as it was given: its words are the shell's to find. */
static int put_words(json_t *facts, const struct command *command)
{
	if (command->form != COMMAND_SIMPLE)
		return 0;
	return json_object_set_new(facts, "argv", words_of(command)) ||
		       json_object_set_new(facts, "command", line_of(command))
		   ? -ENOMEM
		   : 0;
}

static int put_cwd(json_t *facts)
{
	if (!json_object_get(facts, "cwd") && json_object_set_new(facts, "cwd", json_string(".")))
		return -ENOMEM;
	return facts_plain_paths(facts, "cwd");
}

static bool is_untyped(const struct policy_tool *tool)
{
	return tool->type == TOOL_COMMAND && !tool_is_typed(tool);
}

int facts_of(const struct policy_tool *tool, const json_t *arguments, const struct command *command,
    json_t **ret)
{
	json_t *facts;

	if (!is_untyped(tool)) {
		*ret = json_incref((json_t *)(uintptr_t)arguments);
		return 0;
	}
	facts = json_copy((json_t *)(uintptr_t)arguments);
	if (!facts || put_words(facts, command) || put_cwd(facts)) {
		json_decref(facts);
		return -ENOMEM;
	}
	*ret = facts;
	return 0;
}

bool facts_unknown(
    const struct policy_tool *tool, const char *name, const json_t *facts, bool stdin_streams)
{
	if (!is_untyped(tool) || json_object_get(facts, name))
		return false;
	return !strcmp(name, "argv") || (stdin_streams && !strcmp(name, "stdin"));
}
