#include "policy/handlers.h"

#include <stddef.h>
#include <string.h>

/* Per command: what it needs, and that nothing of another command is there. Written as a chain of
 * if and else, because some model interfaces take no allOf or oneOf at the top of a schema. */
static const char editor_parameters[] =
    "{\"type\": \"object\", \"additionalProperties\": false,"
    " \"required\": [\"command\", \"path\"],"
    " \"properties\": {"
    "\"command\": {\"type\": \"string\","
    " \"enum\": [\"view\", \"create\", \"str_replace\", \"insert\", \"undo\"],"
    " \"description\": \"What to do with the file.\"},"
    "\"path\": {\"type\": \"string\", \"format\": \"workspace-path\","
    " \"minLength\": 1, \"maxLength\": 4095,"
    " \"description\": \"File or folder, relative to the working directory.\"},"
    "\"view_range\": {\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2,"
    " \"prefixItems\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 8388608},"
    " {\"type\": \"integer\", \"minimum\": -1, \"maximum\": 8388608, \"not\": {\"const\": 0}}],"
    " \"items\": {\"type\": \"integer\"},"
    " \"description\": \"For view: first and last line, from 1; -1 stands for the last line.\"},"
    "\"file_text\": {\"type\": \"string\","
    " \"description\": \"For create: the whole text of the file.\"},"
    "\"old_str\": {\"type\": \"string\", \"minLength\": 1,"
    " \"description\": \"For str_replace: text that occurs exactly once in the file.\"},"
    "\"new_str\": {\"type\": \"string\","
    " \"description\": \"For str_replace: what to put there; absent: nothing.\"},"
    "\"insert_line\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 8388608,"
    " \"description\": \"For insert: the line after which to insert; 0 is the top.\"},"
    "\"insert_text\": {\"type\": \"string\", \"minLength\": 1,"
    " \"description\": \"For insert: the lines to insert.\"}},"
    " \"if\": {\"properties\": {\"command\": {\"const\": \"view\"}}},"
    " \"then\": {\"properties\": {\"file_text\": false, \"old_str\": false, \"new_str\": false,"
    " \"insert_line\": false, \"insert_text\": false}},"
    " \"else\": {\"properties\": {\"view_range\": false},"
    " \"if\": {\"properties\": {\"command\": {\"const\": \"create\"}}},"
    " \"then\": {\"required\": [\"file_text\"], \"properties\": {\"old_str\": false,"
    " \"new_str\": false, \"insert_line\": false, \"insert_text\": false}},"
    " \"else\": {\"properties\": {\"file_text\": false},"
    " \"if\": {\"properties\": {\"command\": {\"const\": \"str_replace\"}}},"
    " \"then\": {\"required\": [\"old_str\"],"
    " \"properties\": {\"insert_line\": false, \"insert_text\": false}},"
    " \"else\": {\"properties\": {\"old_str\": false, \"new_str\": false},"
    " \"if\": {\"properties\": {\"command\": {\"const\": \"insert\"}}},"
    " \"then\": {\"required\": [\"insert_line\", \"insert_text\"]},"
    " \"else\": {\"properties\": {\"insert_line\": false, \"insert_text\": false}}}}}}";

static const char grep_parameters[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"pattern\"],"
    " \"properties\": {"
    "\"pattern\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 4096,"
    " \"description\": \"Regular expression (PCRE2, Unicode), held against each line.\"},"
    "\"path\": {\"type\": \"string\", \"format\": \"workspace-path\","
    " \"minLength\": 1, \"maxLength\": 4095, \"default\": \".\","
    " \"description\": \"File or folder to search, relative to the working directory.\"},"
    "\"glob\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 1024,"
    " \"description\": \"Only files like this: *.c by name, src/**/*.{c,h} by path.\"},"
    "\"ignore_case\": {\"type\": \"boolean\", \"default\": false},"
    "\"literal\": {\"type\": \"boolean\", \"default\": false,"
    " \"description\": \"Take the pattern as plain text.\"},"
    "\"context\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 10, \"default\": 0,"
    " \"description\": \"Lines to show before and after each match.\"},"
    "\"max_results\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000,"
    " \"default\": 100},"
    "\"output_mode\": {\"type\": \"string\", \"enum\": [\"content\", \"files\", \"count\"],"
    " \"default\": \"content\","
    " \"description\": \"Lines as path:line:text, the files only, or path:count.\"}}}";

static const struct handler handlers[] = {
    {
	.name = "text_editor",
	.program = "callgate-text-editor",
	.title = "Text editor",
	.description =
	    "View, create and edit text files below the working directory. view shows a file with "
	    "line numbers, or a folder two levels deep. create writes a whole file. str_replace "
	    "replaces text that occurs exactly once; give it exactly, with its spaces. insert adds "
	    "lines after a line. undo takes back the last edit of the file.",
	.parameters = editor_parameters,
	.destructive = true,
    },
    {
	.name = "grep_search",
	.program = "callgate-grep-search",
	.title = "Search in files",
	.description =
	    "Search the lines of text files below the working directory with a regular expression "
	    "(PCRE2). Hidden files, links, .git and binary files are left out. The answer is "
	    "sorted by path and says when it was cut.",
	.parameters = grep_parameters,
	.read_only = true,
	.idempotent = true,
    },
};

#define HANDLER_COUNT (sizeof(handlers) / sizeof(handlers[0]))

const struct handler *handler_find(const char *name)
{
	for (size_t i = 0; i < HANDLER_COUNT; i++) {
		if (strcmp(handlers[i].name, name) == 0)
			return &handlers[i];
	}
	return NULL;
}

const struct handler *handler_by_id(unsigned id)
{
	return id >= 1 && id <= HANDLER_COUNT ? &handlers[id - 1] : NULL;
}

unsigned handler_id(const struct handler *handler)
{
	for (unsigned i = 0; i < HANDLER_COUNT; i++) {
		if (handler == &handlers[i])
			return i + 1;
	}
	return 0;
}
