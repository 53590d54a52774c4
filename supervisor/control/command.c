#include "supervisor/control/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define COMPLAINT_MAX 4096

/* The one thing this process remembers beside its session: complaints come from everywhere. */
static enum command_output complaint_form;

void command_complain_as(enum command_output form)
{
	complaint_form = form;
}

/* {"error": {"message": text, "code": status, "daemon": the daemon's own}} or {"warning": ...} */
static void print_complaint_json(
    const char *kind, const char *text, int status, const json_t *daemon)
{
	json_t *inner = json_pack("{s:s%}", "message", text, strlen(text));
	char *cleanup_free line = NULL;
	json_t *document;

	if (!inner) /* not UTF-8 */
		inner = json_pack("{s:s}", "message", "a text that is not UTF-8");
	if (status)
		(void)json_object_set_new(inner, "code", json_integer(status));
	if (daemon)
		(void)json_object_set(inner, "daemon", (json_t *)daemon);
	document = json_pack("{s:o}", kind, inner);
	line = document ? json_dumps(document, JSON_COMPACT) : NULL;
	json_decref(document);
	fprintf(stderr, "%s\n", line ? line : "{\"error\": {\"message\": \"out of memory\"}}");
}

static void print_complaint_text(const char *text)
{
	struct buf cleanup_with(buf_fini) line = {0};
	const char *escaped;

	buf_init(&line, 16 * COMPLAINT_MAX);
	str_escape(&line, text, strlen(text));
	escaped = buf_cstr(&line);
	fprintf(stderr, "callgate: %s\n", escaped ? escaped : "out of memory");
}

int command_fail(int status, const char *format, ...)
{
	char text[COMPLAINT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (complaint_form == COMMAND_OUTPUT_JSON)
		print_complaint_json("error", text, status ? status : COMMAND_USAGE, NULL);
	else
		print_complaint_text(text);
	return status;
}

int command_fail_daemon(int status, const char *what, const json_t *error)
{
	const char *message = json_string_value(json_object_get(error, "message"));
	char text[COMPLAINT_MAX];

	(void)snprintf(
	    text, sizeof(text), "%s: %s", what, message ? message : "an error without a message");
	if (complaint_form == COMMAND_OUTPUT_JSON)
		print_complaint_json("error", text, status, error);
	else
		print_complaint_text(text);
	return status;
}

void command_warn(const char *format, ...)
{
	char text[COMPLAINT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (complaint_form == COMMAND_OUTPUT_JSON)
		print_complaint_json("warning", text, 0, NULL);
	else
		print_complaint_text(text);
}

void command_note(const char *format, ...)
{
	va_list arguments;

	if (complaint_form == COMMAND_OUTPUT_JSON)
		return;
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int command_print_json(const json_t *value)
{
	/* A failed write is told once, by main() at the end. */
	if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0 ||
	    putchar('\n') == EOF)
		return COMMAND_USAGE;
	return COMMAND_OK;
}

void command_print_escaped(const char *text)
{
	struct buf cleanup_with(buf_fini) line = {0};
	const char *escaped;

	buf_init(&line, 16 * strlen(text) + 16);
	str_escape(&line, text, strlen(text));
	escaped = buf_cstr(&line);
	fputs(escaped ? escaped : "", stdout);
}

void command_print_rendered(const char *text)
{
	size_t max = 8 * strlen(text) + 1; /* the longest escape of one byte is shorter */
	char *cleanup_free line = malloc(max);

	if (!line)
		return;
	(void)str_printable(line, max, text);
	fputs(line, stdout);
}

/* Removes count arguments at i. */
static void remove_arguments(int *argc, char **argv, int i, int count)
{
	for (int k = i; k + count <= *argc; k++)
		argv[k] = argv[k + count];
	*argc -= count;
}

const char *command_take_option(int *argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		const char *value = NULL;

		if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
			value = argv[i + 1];
			remove_arguments(argc, argv, i, 2);
			return value;
		}
		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
			value = argv[i] + len + 1;
			remove_arguments(argc, argv, i, 1);
			return value;
		}
	}
	return NULL;
}

int command_take_flag(int *argc, char **argv, const char *name)
{
	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], name) == 0) {
			remove_arguments(argc, argv, i, 1);
			return 1;
		}
	}
	return 0;
}

int command_no_options(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (argv[i][0] == '-' && argv[i][1] == '-')
			return command_fail(COMMAND_USAGE,
			    "%s: %s is no option here, or lacks its value; see `callgate help %s`",
			    argv[0], argv[i], argv[0]);
	return 0;
}

int command_no_more(int argc, char **argv, int words)
{
	int status = command_no_options(argc, argv);

	if (status == 0 && argc > words + 1)
		status = command_fail(COMMAND_USAGE,
		    "%s: %s is one word too many; see `callgate help %s`", argv[0], argv[words + 1],
		    argv[0]);
	return status;
}
