#include "sandbox/functions/editor.h"

#include <errno.h>
#include <string.h>

#include "sandbox/functions/editor_call.h"

#define LINES_MAX ((int64_t)EDITOR_FILE_MAX)

struct command {
	const char *name;
	int (*run)(const struct editor_call *call);
	const char *needs[3]; /* ends with NULL */
	const char *may[2];
};

static const struct command commands[] = {
    {"view", editor_view, {NULL}, {"view_range", NULL}},
    {"create", editor_create, {"file_text", NULL}, {NULL}},
    {"str_replace", editor_replace, {"old_str", NULL}, {"new_str", NULL}},
    {"insert", editor_insert, {"insert_line", "insert_text", NULL}, {NULL}},
    {"undo", editor_undo, {NULL}, {NULL}},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int find_command(const json_t *arguments, const struct command **ret, struct err_note *note)
{
	const char *name = NULL;
	int r = request_text(arguments, "command", &name, note);

	if (r < 0)
		return r;
	for (size_t i = 0; name && i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			*ret = &commands[i];
			return 0;
		}
	}
	return err_note(
	    note, -EINVAL, "command: must be view, create, str_replace, insert or undo");
}

/* What the command needs is there, and nothing that it does not know. */
static int check_names(
    const struct command *command, const json_t *arguments, struct err_note *note)
{
	const char *known[8] = {"command", "path"};
	size_t count = 2;

	if (!json_object_get(arguments, "path"))
		return err_note(note, -EINVAL, "path: is missing");
	for (size_t i = 0; command->needs[i]; i++) {
		if (!json_object_get(arguments, command->needs[i]))
			return err_note(note, -EINVAL, "%s: is missing; %s needs it",
			    command->needs[i], command->name);
		known[count++] = command->needs[i];
	}
	for (size_t i = 0; command->may[i]; i++)
		known[count++] = command->may[i];
	known[count] = NULL;
	return request_known(arguments, known, note);
}

static int read_range(struct editor_call *call, const json_t *arguments)
{
	const json_t *range = json_object_get(arguments, "view_range");
	const int64_t bounds[2] = {EDITOR_TO_END, LINES_MAX};
	int r = 0;

	if (!range)
		return 0;
	if (!json_is_array(range) || json_array_size(range) != 2)
		return err_note(call->note, -EINVAL, "view_range: must be two line numbers");
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = request_integer(
		    json_array_get(range, i), "view_range", bounds, &call->range[i], call->note);
	if (r < 0)
		return r;
	if (call->range[0] < 1)
		return err_note(call->note, -EINVAL, "view_range: lines count from 1");
	if (call->range[1] != EDITOR_TO_END && call->range[1] < call->range[0])
		return err_note(call->note, -EINVAL,
		    "view_range: ends before it begins; -1 stands for the last line");
	call->has_range = true;
	return 0;
}

static int read_arguments(struct editor_call *call, const json_t *arguments)
{
	const int64_t lines[2] = {0, LINES_MAX};
	int r = request_text(arguments, "path", &call->path, call->note);

	if (r == 0)
		r = request_text(arguments, "file_text", &call->file_text, call->note);
	if (r == 0)
		r = request_text(arguments, "old_str", &call->old_str, call->note);
	if (r == 0)
		r = request_text(arguments, "new_str", &call->new_str, call->note);
	if (r == 0)
		r = request_text(arguments, "insert_text", &call->insert_text, call->note);
	if (r == 0)
		r = request_number(arguments, "insert_line", lines, &call->insert_line, call->note);
	if (r == 0)
		r = read_range(call, arguments);
	if (r < 0)
		return r;
	if (call->old_str && !*call->old_str)
		return err_note(call->note, -EINVAL,
		    "old_str: is empty; to add text use insert, to fill a file use create");
	if (call->insert_text && !*call->insert_text)
		return err_note(call->note, -EINVAL, "insert_text: is empty");
	return 0;
}

enum request_status editor_run(
    int top, const json_t *arguments, struct buf *out, struct err_note *note)
{
	struct editor_call call = {.top = top, .new_str = "", .out = out, .note = note};
	const struct command *command = NULL;
	int r = find_command(arguments, &command, note);

	if (r == 0)
		r = check_names(command, arguments, note);
	if (r == 0)
		r = read_arguments(&call, arguments);
	if (r == 0)
		r = command->run(&call);
	return r < 0 ? request_status_of(r) : REQUEST_DONE;
}
