#include "agent-api/wire/call_args.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/value.h"

/* What the decoded pointers point into. */
struct call_args_storage {
	json_t *root;
	const char **argv;
};

static const char *const KEYS[] = {"command", "argv", "stdin", "cwd"};

static int check_keys(const json_t *root, struct err_note *note)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)root, key, value)
	{
		size_t i = 0;

		while (i < sizeof(KEYS) / sizeof(KEYS[0]) && strcmp(key, KEYS[i]) != 0)
			i++;
		if (i == sizeof(KEYS) / sizeof(KEYS[0]))
			return err_note(note, -EINVAL,
			    "%s: unknown argument; give command or argv, and optionally stdin and "
			    "cwd",
			    key);
	}
	return 0;
}

static int is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

static int read_command(const json_t *value, struct call_args *args, struct err_note *note)
{
	if (!json_is_string(value))
		return err_note(note, -EINVAL, "command: must be a string");
	if (json_string_length(value) > WIRE_COMMAND_MAX)
		return err_note(
		    note, -EINVAL, "command: longer than %d bytes; use a file", WIRE_COMMAND_MAX);
	if (is_blank(json_string_value(value)))
		return err_note(note, -EINVAL, "command: is empty");
	args->form = CALL_FORM_COMMAND;
	args->command = json_string_value(value);
	return 0;
}

static int read_argv(const json_t *value, struct call_args *args, struct err_note *note)
{
	struct call_args_storage *storage = args->storage;
	size_t count = json_array_size(value);

	if (!json_is_array(value) || count == 0)
		return err_note(
		    note, -EINVAL, "argv: must be an array with at least the program's name");
	if (count > WIRE_ARGV_MAX)
		return err_note(note, -EINVAL, "argv: more than %d elements", WIRE_ARGV_MAX);
	storage->argv = calloc(count + 1, sizeof(*storage->argv));
	if (!storage->argv)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(value, i);

		if (!json_is_string(item))
			return err_note(note, -EINVAL, "argv[%zu]: must be a string", i);
		storage->argv[i] = json_string_value(item);
	}
	args->form = CALL_FORM_ARGV;
	args->argv = storage->argv;
	args->argc = (uint32_t)count;
	return call_args_check_argv(args->argv, args->argc, note);
}

int call_args_check_argv(const char *const *argv, uint32_t argc, struct err_note *note)
{
	size_t bytes = 0;

	if (argc == 0 || argv[0][0] == '\0')
		return err_note(note, -EINVAL, "argv[0]: the program's name is empty");
	if (argc > WIRE_ARGV_MAX)
		return err_note(note, -EINVAL, "argv: more than %d elements", WIRE_ARGV_MAX);
	for (uint32_t i = 0; i < argc; i++)
		bytes += strlen(argv[i]) + WIRE_ARGV_EACH;
	if (bytes > WIRE_ARGV_BYTES_MAX)
		return err_note(note, -EINVAL,
		    "argv: longer than %d bytes in all; pass the data by stdin or a file",
		    WIRE_ARGV_BYTES_MAX);
	return 0;
}

static int read_stdin(const json_t *value, struct call_args *args, struct err_note *note)
{
	if (!value)
		return 0;
	if (!json_is_string(value))
		return err_note(note, -EINVAL, "stdin: must be a string");
	args->has_stdin = 1;
	args->stdin_bytes = json_string_value(value);
	args->stdin_len = json_string_length(value);
	return 0;
}

/* Each component must be a name that leads downwards; where it truly leads, the warden judges on
 * the opened directory. */
static int check_cwd(const char *cwd, struct err_note *note)
{
	if (cwd[0] == '/')
		return err_note(note, -EINVAL,
		    "cwd: is absolute; give it relative to the tool's working directory");
	while (*cwd != '\0') {
		size_t len = strcspn(cwd, "/");

		if (len == 0)
			return err_note(note, -EINVAL, "cwd: has an empty component");
		if (len == 2 && memcmp(cwd, "..", 2) == 0)
			return err_note(note, -EINVAL, "cwd: \"..\" is not allowed");
		cwd += len;
		cwd += cwd[0] == '/'; /* one at the end is how people write a directory */
	}
	return 0;
}

static int read_cwd(const json_t *value, struct call_args *args, struct err_note *note)
{
	if (!value)
		return 0;
	if (!json_is_string(value))
		return err_note(note, -EINVAL, "cwd: must be a string");
	if (json_string_length(value) > WIRE_CWD_MAX)
		return err_note(note, -EINVAL, "cwd: longer than %d bytes", WIRE_CWD_MAX);
	args->cwd = json_string_value(value);
	return check_cwd(args->cwd, note);
}

static int read_all(const json_t *root, struct call_args *args, struct err_note *note)
{
	const json_t *command = json_object_get(root, "command");
	const json_t *argv = json_object_get(root, "argv");
	int r;

	if (!json_is_object(root))
		return err_note(note, -EINVAL, "arguments: must be an object");
	r = check_keys(root, note);
	if (r < 0)
		return r;
	if (!command == !argv)
		return err_note(note, -EINVAL, "arguments: give exactly one of command and argv");
	r = command ? read_command(command, args, note) : read_argv(argv, args, note);
	if (r == 0)
		r = read_stdin(json_object_get(root, "stdin"), args, note);
	if (r == 0)
		r = read_cwd(json_object_get(root, "cwd"), args, note);
	return r;
}

int call_args_decode(const char *json, size_t len, struct call_args *ret, struct err_note *note)
{
	struct call_args args = {.command = "", .stdin_bytes = "", .cwd = ""};
	struct call_args_storage *storage = calloc(1, sizeof(*storage));
	int r;

	if (!storage)
		return -ENOMEM;
	args.storage = storage;
	r = value_read(json, len, &storage->root, note);
	if (r == 0)
		r = read_all(storage->root, &args, note);
	if (r < 0) {
		call_args_fini(&args);
		return r;
	}
	*ret = args;
	return 0;
}

int call_args_check(const json_t *arguments, struct err_note *note)
{
	struct call_args_storage storage = {.root = NULL};
	struct call_args args = {.storage = &storage};
	int r = read_all(arguments, &args, note);

	free(storage.argv);
	return r;
}

void call_args_fini(struct call_args *args)
{
	struct call_args_storage *storage = args->storage;

	if (storage) {
		json_decref(storage->root);
		free(storage->argv);
		free(storage);
	}
	*args = (struct call_args){.form = CALL_FORM_NONE};
}

const char *call_args_schema(void)
{
	return "{\"type\":\"object\",\"properties\":{"
	       "\"command\":{\"type\":\"string\",\"minLength\":1,\"description\":"
	       "\"One command line. Pipes, redirections and && need sh to be allowed.\"},"
	       "\"argv\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,"
	       "\"description\":\"Program and arguments, each element exactly one argument; "
	       "instead of command.\"},"
	       "\"stdin\":{\"type\":\"string\",\"description\":\"What the program reads.\"},"
	       "\"cwd\":{\"type\":\"string\",\"description\":"
	       "\"Directory below the tool's working directory.\"}},"
	       "\"oneOf\":[{\"required\":[\"command\"]},{\"required\":[\"argv\"]}],"
	       "\"additionalProperties\":false}";
}
