#include "supervisor/control/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define COMPLAINT_MAX 4096

int command_fail(int status, const char *format, ...)
{
	struct buf cleanup_with(buf_fini) line = {0};
	char text[COMPLAINT_MAX];
	const char *escaped;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (len < 0)
		return status;
	buf_init(&line, 16 * COMPLAINT_MAX);
	str_escape(&line, text, strlen(text));
	escaped = buf_cstr(&line);
	fprintf(stderr, "callgate: %s\n", escaped ? escaped : "out of memory");
	return status;
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
