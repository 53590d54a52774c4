/* help and version: what there is, told from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "supervisor/control/commands.h"

#define NAMES_MAX 512

/* One line of a text, and the place of the next; NULL at its end. */
static const char *next_line(const char *text, size_t *ret_len)
{
	if (!*text)
		return NULL;
	*ret_len = strcspn(text, "\n");
	return text + *ret_len + (text[*ret_len] == '\n');
}

static json_t *lines_of(const char *text)
{
	json_t *lines = json_array();
	const char *next;
	size_t len;

	for (; (next = next_line(text, &len)); text = next)
		(void)json_array_append_new(lines, json_stringn(text, len));
	return lines;
}

static json_t *row_json(const struct command_row *row)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", row->name, "summary", row->summary,
	    "synopsis", lines_of(row->synopsis), "examples", lines_of(row->examples), "remarks",
	    lines_of(row->remarks));
}

static int print_row_json(const struct command_row *row)
{
	json_t *document = row_json(row);
	int status = command_print_json(document);

	json_decref(document);
	return status;
}

static int print_all_json(void)
{
	json_t *commands = json_array(), *document;
	int status;

	for (const struct command_row *row = commands_all(); row->name; row++)
		(void)json_array_append_new(commands, row_json(row));
	document = json_pack("{s:o}", "commands", commands);
	status = command_print_json(document);
	json_decref(document);
	return status;
}

static void print_lines(const char *first, const char *further, const char *text)
{
	const char *next;
	size_t len;

	for (; (next = next_line(text, &len)); text = next, first = further)
		printf("%s%.*s\n", first, (int)len, text);
}

static int print_row(const struct command_row *row)
{
	print_lines("usage: callgate ", "       callgate ", row->synopsis);
	printf("\n%s.\n\n", row->summary);
	print_lines("example: ", "         ", row->examples);
	if (*row->remarks)
		printf("\n%s.\n", row->remarks);
	printf("\nmore: man callgate\n");
	return COMMAND_OK;
}

static int print_all(void)
{
	printf("callgate: the gate between AI agents and this machine\n\n"
	       "usage: callgate [--socket PATH | --url https://HOST[:PORT]] [--output text|json] "
	       "[--agent A] [--namespace N] COMMAND ...\n\n");
	for (const struct command_row *row = commands_all(); row->name; row++)
		printf("  %-10s %s\n", row->name, row->summary);
	printf("\nexample: callgate up --config callgate.yaml && callgate call bash command='ls "
	       "-l'\nmore: callgate help COMMAND, man callgate\n");
	return COMMAND_OK;
}

int cmd_help(struct command_session *session, int argc, char **argv)
{
	const struct command_row *row = argc > 1 ? commands_find(argv[1]) : NULL;
	int json = session->output == COMMAND_OUTPUT_JSON;

	char names[NAMES_MAX];
	int status = command_no_more(argc, argv, 1);

	if (status != 0)
		return status;
	if (argc > 1 && !row)
		return command_bad_word(argv[0], argv[1], commands_names(names, sizeof(names)));
	if (row)
		return json ? print_row_json(row) : print_row(row);
	return json ? print_all_json() : print_all();
}

int cmd_version(struct command_session *session, int argc, char **argv)
{
	int status = command_no_more(argc, argv, 0);

	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		printf("{\"version\": \"%s\"}\n", CALLGATE_VERSION);
	else if (status == 0)
		printf("callgate %s\n", CALLGATE_VERSION);
	return status;
}
