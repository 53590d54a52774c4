/* call: one tool call, its text on stdout, its outcome as the exit status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/control/arguments.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

static const char *outcome_of(const json_t *result)
{
	const json_t *call = json_object_get(json_object_get(result, "_meta"), "callgate/call");
	const char *outcome = json_string_value(json_object_get(call, "outcome"));

	return outcome ? outcome : "failed";
}

static int exit_of(const json_t *result)
{
	static const char *const refused[] = {"refused", "pending", "expired", "cancelled"};
	const char *outcome = outcome_of(result);

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(outcome, refused[i]) == 0)
			return COMMAND_REFUSED;
	return json_is_true(json_object_get(result, "isError")) ? COMMAND_TOOL_FAILED : COMMAND_OK;
}

/* What is no text is named, so that nobody takes it for nothing. */
static void name_other(const json_t *item)
{
	const json_t *resource = json_object_get(item, "resource");
	const char *type = json_string_value(json_object_get(item, "type"));
	const char *media = json_string_value(json_object_get(item, "mimeType"));
	const char *uri = json_string_value(json_object_get(resource ? resource : item, "uri"));
	const char *what = uri ? uri : media;

	command_remark("call: not shown: %s%s%s; ask with --output json", type ? type : "an item",
	    what ? " " : "", what ? what : "");
}

/* Newlines, tabs and blanks as they are, so that tables stay tables; between them what a terminal
 * could act upon or hide is escaped. */
static void print_on_terminal(const json_t *text)
{
	char *copy = strdup(json_string_value(text)), *at = copy;

	while (at && *at) {
		size_t len = strcspn(at, "\n\t ");
		char end = at[len];

		at[len] = '\0';
		command_print_rendered(at);
		if (end)
			putchar(end);
		at += end ? len + 1 : len;
	}
	free(copy);
}

/* The tool's own text goes out byte for byte to a file or pipe, but not to a terminal, since it may
 * hold anything. */
static void print_content(const json_t *result)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(result, "content"), i, item)
	{
		const json_t *text = json_object_get(item, "text");
		size_t len = json_string_length(text);

		if (!text)
			name_other(item);
		if (len == 0)
			continue;
		if (terminal)
			print_on_terminal(text);
		else
			fwrite(json_string_value(text), 1, len, stdout);
		if (json_string_value(text)[len - 1] != '\n')
			putchar('\n');
	}
}

static int call_tool(struct command_session *session, const char *tool, json_t *arguments)
{
	json_t *result = NULL;
	json_t *params = json_pack("{s:s, s:o}", "name", tool, "arguments", arguments);
	int status;

	if (!params)
		return command_fail(COMMAND_USAGE, "call: the tool's name is not valid UTF-8");
	status = client_once(session, "tools/call", params, &result);
	if (status != 0)
		return status;
	if (session->output == COMMAND_OUTPUT_JSON)
		(void)command_print_json(result);
	else
		print_content(result);
	status = exit_of(result);
	json_decref(result);
	return status;
}

int cmd_call(struct command_session *session, int argc, char **argv)
{
	const char *object = command_take_option(&argc, argv, "--json");
	json_t *base = NULL, *schema = NULL, *arguments = NULL;
	int status = command_no_options(argc, argv);

	if (status != 0)
		return status;
	if (argc < 2)
		return command_fail(COMMAND_USAGE, "call: which tool? see `callgate help call`");
	status = arguments_base("call", object, &base);
	if (status != 0)
		return status;
	if (argc > 2)
		status = arguments_schema(session, argv[1], &schema);
	if (status == 0)
		status = arguments_parse(base, schema, argc - 2, argv + 2, &arguments);
	else
		json_decref(base);
	json_decref(schema);
	return status == 0 ? call_tool(session, argv[1], arguments) : status;
}
