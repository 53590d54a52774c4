#include "policy/prepare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/facts.h"
#include "policy/template.h"
#include "supervisor/base/cleanup.h"

static int invalid(struct err_note *note, const char *why)
{
	(void)err_note(note, 0, "%s", why);
	return PREPARE_INVALID;
}

/* ---- arguments ---------------------------------------------------------------------------- */

/* The defaults of top-level parameters; those of deeper ones are for people to read. */
static int fill_defaults(json_t *arguments, const json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties");
	const char *name;
	json_t *property;

	json_object_foreach(properties, name, property)
	{
		json_t *value = json_object_get(property, "default");

		if (value && !json_object_get(arguments, name) &&
		    json_object_set(arguments, name, value))
			return -ENOMEM;
	}
	return 0;
}

static int check(const struct tool_book *tool, struct prepared *prepared, struct err_note *note)
{
	int result;

	if (!tool->parameters)
		return 0;
	result = json_schema_check_within(
	    &prepared->spent, tool->parameters, prepared->arguments, "arguments", note);
	if (result == JSON_SCHEMA_TOO_MUCH)
		return invalid(note,
		    "arguments: checking them takes more work than allowed; make them shorter");
	return result < 0 ? result : result ? PREPARE_INVALID : 0;
}

static int find_paths(const struct tool_book *tool, struct prepared *prepared)
{
	size_t most = 0, index;
	const json_t *item;

	for (uint32_t i = 0; i < tool->path_count; i++) {
		if (facts_plain_paths(prepared->arguments, tool->paths[i].name))
			return -ENOMEM;
		most +=
		    1 + json_array_size(json_object_get(prepared->arguments, tool->paths[i].name));
	}
	prepared->paths = calloc(most + 1, sizeof(*prepared->paths));
	if (!prepared->paths)
		return -ENOMEM;
	for (uint32_t i = 0; i < tool->path_count; i++) {
		const json_t *value = json_object_get(prepared->arguments, tool->paths[i].name);

		if (json_is_string(value))
			prepared->paths[prepared->path_count++] = json_string_value(value);
		json_array_foreach(value, index, item) if (json_is_string(item))
		    prepared->paths[prepared->path_count++] = json_string_value(item);
	}
	return 0;
}

/* ---- what would run ----------------------------------------------------------------------- */

static int lex_result(int fault, const struct command *command, struct err_note *note)
{
	if (fault == -EINVAL || fault == -E2BIG) {
		(void)err_note(note, 0, "arguments: %s", command->why ? command->why : "too long");
		return PREPARE_INVALID;
	}
	return fault;
}

static int take_argv(const json_t *list, struct command *ret, struct err_note *note)
{
	size_t count = json_array_size(list), index;
	const char **cleanup_free argv = calloc(count + 1, sizeof(*argv));
	const json_t *item;

	if (!argv)
		return -ENOMEM;
	json_array_foreach(list, index, item)
	{
		if (!json_is_string(item) ||
		    strlen(json_string_value(item)) != json_string_length(item))
			return invalid(
			    note, "arguments.argv: a list of texts without NUL is needed");
		argv[index] = json_string_value(item);
	}
	return lex_result(command_from_argv(ret, argv, (uint32_t)count), ret, note);
}

static int take_command(const json_t *arguments, struct command *ret, struct err_note *note)
{
	const json_t *text = json_object_get(arguments, "command");
	const json_t *list = json_object_get(arguments, "argv");

	if (!text == !list)
		return invalid(note, "arguments: either command or argv is needed");
	if (list && json_is_array(list))
		return take_argv(list, ret, note);
	if (!json_is_string(text))
		return invalid(note, "arguments.command: a text is needed");
	return lex_result(
	    command_parse(ret, json_string_value(text), json_string_length(text)), ret, note);
}

/* What of a function's arguments tells people most. */
static const char *const *summary_of(enum tool_handler handler)
{
	static const char *const editor[] = {"command", "path", NULL};
	static const char *const search[] = {"pattern", "path", NULL};

	switch (handler) {
	case HANDLER_TEXT_EDITOR: return editor;
	case HANDLER_GREP_SEARCH: return search;
	case HANDLER_NONE: break;
	}
	return NULL;
}

static int take_function(
    const struct policy_tool *tool, struct prepared *prepared, struct err_note *note)
{
	const char *const *names = summary_of(tool->handler);
	const char *argv[4] = {tool->name};
	uint32_t count = 1;

	for (uint32_t i = 0; names && names[i]; i++) {
		const char *text =
		    json_string_value(json_object_get(prepared->arguments, names[i]));

		if (text)
			argv[count++] = text;
	}
	prepared->owned_text = json_dumps(prepared->arguments, JSON_COMPACT | JSON_SORT_KEYS);
	if (!prepared->owned_text)
		return -ENOMEM;
	prepared->stdin_text = prepared->owned_text;
	prepared->stdin_len = strlen(prepared->owned_text);
	prepared->has_stdin = true;
	return lex_result(
	    command_from_argv(&prepared->command, argv, count), &prepared->command, note);
}

static int take_typed(
    const struct policy_tool *tool, struct prepared *prepared, struct err_note *note)
{
	const json_t *text = tool->stdin_rule == STDIN_RULE_PARAMETER
				 ? json_object_get(prepared->arguments, tool->stdin_parameter)
				 : NULL;
	int result = template_fill(&tool->exec, prepared->arguments, &prepared->command, note);

	if (json_is_string(text)) {
		prepared->stdin_text = json_string_value(text);
		prepared->stdin_len = json_string_length(text);
		prepared->has_stdin = true;
	}
	return result == TEMPLATE_REFUSED ? PREPARE_INVALID : result;
}

int policy_prepare(const struct tool_book *tool, const json_t *arguments, struct prepared *ret,
    struct err_note *note)
{
	struct prepared prepared = {.arguments = json_copy((json_t *)arguments)};
	int result = prepared.arguments ? 0 : -ENOMEM;

	if (!result && tool->schema)
		result = fill_defaults(prepared.arguments, tool->schema);
	if (!result)
		result = check(tool, &prepared, note);
	if (!result)
		result = find_paths(tool, &prepared);
	if (!result && tool->tool->type == TOOL_FUNCTION)
		result = take_function(tool->tool, &prepared, note);
	else if (!result && tool_is_typed(tool->tool))
		result = take_typed(tool->tool, &prepared, note);
	else if (!result)
		result = take_command(prepared.arguments, &prepared.command, note);
	if (!result)
		result =
		    facts_of(tool->tool, prepared.arguments, &prepared.command, &prepared.facts);
	if (result) {
		prepared_fini(&prepared);
		return result;
	}
	*ret = prepared;
	return 0;
}

void prepared_fini(struct prepared *prepared)
{
	command_fini(&prepared->command);
	free(prepared->paths);
	free(prepared->owned_text);
	json_decref(prepared->arguments);
	json_decref(prepared->facts);
	memset(prepared, 0, sizeof(*prepared));
}
