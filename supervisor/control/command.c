#include "supervisor/control/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/commands.h"
#include "supervisor/control/near.h"
#include "supervisor/control/remote.h"

#define COMPLAINT_MAX  4096
#define NAME_MAX_BYTES 64
#define OPTIONS_MAX    1024 /* of one command, with the global ones */

/* The one thing this process remembers beside its session: complaints come from everywhere. */
static enum command_output complaint_form;

void command_complain_as(enum command_output form)
{
	complaint_form = form;
}

/* {kind: {"message": text, "code": status, "daemon": the daemon's own}} */
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

/* kind: the member in JSON; mark: what stands before the text for people. */
static void print_complaint(
    const char *kind, const char *mark, const char *format, va_list arguments, int status)
{
	char text[COMPLAINT_MAX];
	size_t len = 0;

	if (complaint_form == COMMAND_OUTPUT_TEXT)
		len = (size_t)snprintf(text, sizeof(text), "%s", mark);
	(void)vsnprintf(text + len, sizeof(text) - len, format, arguments);
	if (complaint_form == COMMAND_OUTPUT_JSON)
		print_complaint_json(kind, text, status, NULL);
	else
		print_complaint_text(text);
}

int command_fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_complaint("error", "", format, arguments, status ? status : COMMAND_USAGE);
	va_end(arguments);
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
	va_list arguments;

	va_start(arguments, format);
	print_complaint("warning", "warning: ", format, arguments, 0);
	va_end(arguments);
}

void command_remark(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_complaint("note", "note: ", format, arguments, 0);
	va_end(arguments);
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

/* Nothing outside of ASCII's printable half stands outside of a string. */
static void put_ascii(const uint8_t *at, size_t len)
{
	for (size_t step; len > 0; at += step, len -= step) {
		uint32_t code = 0xfffd;

		step = str_utf8_next(at, len, &code);
		if (step == 1 && code != 0x7f)
			putchar((int)code);
		else if (code < 0x10000)
			printf("\\u%04x", (unsigned)code);
		else
			printf("\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
			    (unsigned)(0xdc00 + (code & 0x3ff)));
		step = step ? step : 1;
	}
}

void command_put_json(const char *text, size_t len)
{
	if (isatty(STDOUT_FILENO))
		put_ascii((const uint8_t *)text, len);
	else
		(void)fwrite(text, 1, len, stdout);
	putchar('\n');
}

int command_print_json(const json_t *value)
{
	char *cleanup_free text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

	if (!text)
		return COMMAND_USAGE;
	command_put_json(text, strlen(text));
	return ferror(stdout) ? COMMAND_USAGE : COMMAND_OK;
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
	command_write_rendered(stdout, text);
}

void command_write_rendered(FILE *out, const char *text)
{
	size_t max = 8 * strlen(text) + 1; /* the longest escape of one byte is shorter */
	char *cleanup_free line = malloc(max);

	if (!line)
		return;
	(void)str_printable(line, max, text);
	fputs(line, out);
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
	return command_take_before(argc, argv, *argc, name);
}

const char *command_take_before(int *argc, char **argv, int end, const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < end && strcmp(argv[i], "--") != 0; i++) {
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

const char *command_text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* An option of the list that is called exactly so: 1, and whether it takes a value; 0: none. */
static int find_option(const char *list, const char *given, size_t len, int *ret_value)
{
	for (; *list; list += strspn(list, " ")) {
		size_t name = strcspn(list, "= ");

		if (name == len && memcmp(list, given, len) == 0) {
			*ret_value = list[name] == '=';
			return 1;
		}
		list += strcspn(list, " ");
	}
	return 0;
}

int command_takes_value(const char *list, const char *word)
{
	int value = 0;

	return find_option(list, word, strlen(word), &value) && value;
}

/* "policy check" of "check"; a command's own name as it is. */
static const char *whole_name(char out[NAME_MAX_BYTES], const char *name)
{
	const struct command_row *row = commands_of(name);
	int is_verb = row && strcmp(row->name, name) != 0;

	(void)snprintf(
	    out, NAME_MAX_BYTES, "%s%s%s", is_verb ? row->name : "", is_verb ? " " : "", name);
	return out;
}

int command_bad_option(int status, const char *name, const char *option)
{
	const struct command_row *row = commands_of(name);
	char whole[NAME_MAX_BYTES];
	char list[OPTIONS_MAX], near[NEAR_WORD_MAX];
	size_t len = strcspn(option, "=");
	const char *help = row ? row->name : "";
	int value = 0;

	name = whole_name(whole, name);
	(void)snprintf(list, sizeof(list), "%s %s", row ? row->options : "", commands_globals);
	if (find_option(list, option, len, &value)) {
		if (value && !option[len])
			return command_fail(status,
			    "%s: %s: lacks its value; see `callgate help %s`", name, option, help);
		if (!value && option[len])
			return command_fail(status, "%s: %.*s: takes no value; leave %s out", name,
			    (int)len, option, option + len);
		return command_fail(status, "%s: %.*s: is not for this; see `callgate help %s`",
		    name, (int)len, option, help);
	}
	if (*near_word(near, list, option))
		return command_fail(status, "%s: %.*s: no such option; did you mean %s?", name,
		    (int)len, option, near);
	return command_fail(status, "%s: %.*s: no such option; see `callgate help %s`", name,
	    (int)len, option, help);
}

int command_bad_word(const char *name, const char *word, const char *list)
{
	char near[NEAR_WORD_MAX];

	if (*near_word(near, list, word))
		return command_fail(
		    COMMAND_USAGE, "%s: %s: no such word; did you mean %s?", name, word, near);
	return command_fail(
	    COMMAND_USAGE, "%s: %s: no such word; it is one of: %s", name, word, list);
}

int command_no_options(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (argv[i][0] == '-' && argv[i][1])
			return command_bad_option(COMMAND_USAGE, argv[0], argv[i]);
	return 0;
}

int command_no_more(int argc, char **argv, int words)
{
	const struct command_row *row = commands_of(argv[0]);
	char whole[NAME_MAX_BYTES];
	int status = command_no_options(argc, argv);

	if (status == 0 && argc > words + 1)
		status =
		    command_fail(COMMAND_USAGE, "%s: %s: one word too many; see `callgate help %s`",
			whole_name(whole, argv[0]), argv[words + 1], row ? row->name : "");
	return status;
}

int command_local_only(const struct command_session *session, const char *name)
{
	if (!session->remote || !session->remote->given)
		return 0;
	return command_fail(
	    COMMAND_USAGE, "%s: works on the machine of the daemon only; leave --url out", name);
}
