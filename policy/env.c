#include "policy/env.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "supervisor/base/buf.h"

static size_t name_len(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len &&
	       (text[i] == '_' || (text[i] >= 'A' && text[i] <= 'Z') ||
		   (text[i] >= 'a' && text[i] <= 'z') || (i && text[i] >= '0' && text[i] <= '9')))
		i++;
	return i;
}

/* ---- ${NAME} ------------------------------------------------------------------------------ */

static const char *find_in(char *const *list, const char *name, size_t len)
{
	for (; list && *list; list++) {
		if (!strncmp(*list, name, len) && (*list)[len] == '=')
			return *list + len + 1;
	}
	return NULL;
}

static int put_variable(
    struct buf *out, const struct policy_source *source, const char **at, struct err_note *note)
{
	const char *name = *at + 2;
	size_t len = name_len(name, strlen(name));
	const char *value;

	if (!len || name[len] != '}')
		return err_note(note, -EINVAL,
		    "${ without a variable's name and }; write ${NAME}, or use single quotes");
	value = find_in(source->env, name, len);
	if (!value)
		value = find_in(source->dotenv, name, len);
	if (!value)
		return err_note(note, -EINVAL,
		    "${%.*s} is not set; set it in the environment or in .env", (int)len, name);
	if (!text_is_clean(value, strlen(value)))
		return err_note(note, -EINVAL,
		    "the value of ${%.*s} is not clean text; take out control characters", (int)len,
		    name);
	*at = name + len + 1;
	buf_text(out, value);
	return 0;
}

static int expand_into(
    struct buf *out, const struct policy_source *source, const char *text, struct err_note *note)
{
	const char *next;

	while ((next = strstr(text, "${"))) {
		int fault;

		buf_put(out, text, (size_t)(next - text));
		fault = put_variable(out, source, &next, note);
		if (fault)
			return fault;
		text = next;
	}
	buf_text(out, text);
	if (out->fault == -ENOBUFS)
		return err_note(note, -EINVAL, "the variables' values are too long; shorten them");
	return out->fault;
}

int env_expand(const struct policy_source *source, struct arena *arena, size_t *budget,
    const char **text, struct err_note *note)
{
	const char *copy;
	struct buf out;
	int fault;

	if (!strstr(*text, "${"))
		return 0;
	buf_init(&out, *budget);
	fault = expand_into(&out, source, *text, note);
	if (!fault) {
		*budget -= out.len;
		copy = arena_text(arena, (const char *)out.data, out.len);
		if (copy)
			*text = copy;
		else
			fault = -ENOMEM;
	}
	buf_fini(&out);
	return fault;
}

/* ---- .env --------------------------------------------------------------------------------- */

struct dotenv {
	const char *file;
	struct err_note *note;
	const char *text; /* what is left of the current line's */
	const char *line; /* the current line's start */
	const char *end;  /* and end */
	uint32_t number;  /* of the line, from 1 */
	char *out;        /* NAME=VALUE\0 go here; NULL: not written, only counted */
	size_t bytes;     /* counted or written */
	size_t variables;
};

static int dotenv_refuse(const struct dotenv *dotenv, const char *name, const char *why)
{
	size_t len = name_len(name, (size_t)(dotenv->end - name));

	return err_note(dotenv->note, -EINVAL, "%s:%u:%u: %.*s: %s", dotenv->file, dotenv->number,
	    (unsigned)(dotenv->text - dotenv->line) + 1, len ? (int)(len < 48 ? len : 48) : 4,
	    len ? name : "line", why);
}

static void dotenv_put(struct dotenv *dotenv, char byte)
{
	if (dotenv->out)
		dotenv->out[dotenv->bytes] = byte;
	dotenv->bytes++;
}

static void skip_blanks(struct dotenv *dotenv)
{
	while (dotenv->text < dotenv->end && (*dotenv->text == ' ' || *dotenv->text == '\t'))
		dotenv->text++;
}

static bool at_end(const struct dotenv *dotenv)
{
	return dotenv->text == dotenv->end || *dotenv->text == '#';
}

static char unescaped(char byte)
{
	switch (byte) {
	case 'n': return '\n';
	case 't': return '\t';
	default: return byte;
	}
}

/* A quoted value; text stands on the opening quote. */
static int put_quoted(struct dotenv *dotenv, const char *name)
{
	const char *open = dotenv->text;

	while (++dotenv->text < dotenv->end && *dotenv->text != *open) {
		bool escape = *open == '"' && *dotenv->text == '\\';

		if (!escape) {
			dotenv_put(dotenv, *dotenv->text);
			continue;
		}
		if (++dotenv->text == dotenv->end || !strchr("nt\"\\$", *dotenv->text))
			return dotenv_refuse(dotenv, name,
			    "an unknown escape; only \\n \\t \\\" \\\\ and \\$ are read");
		dotenv_put(dotenv, unescaped(*dotenv->text));
	}
	if (dotenv->text >= dotenv->end) {
		dotenv->text = open;
		return dotenv_refuse(dotenv, name, "a quote is not closed; close it on its line");
	}
	dotenv->text++;
	skip_blanks(dotenv);
	if (!at_end(dotenv))
		return dotenv_refuse(dotenv, name, "text after the closing quote; remove it");
	return 0;
}

/* An unquoted value ends before " #" or at the line's end, without trailing blanks. */
static void put_plain(struct dotenv *dotenv)
{
	const char *end = dotenv->text;

	while (end < dotenv->end && !(*end == '#' && (end[-1] == ' ' || end[-1] == '\t')))
		end++;
	while (end > dotenv->text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	while (dotenv->text < end)
		dotenv_put(dotenv, *dotenv->text++);
}

static int take_line(struct dotenv *dotenv)
{
	const char *name;
	size_t len;
	int fault = 0;

	skip_blanks(dotenv);
	if (at_end(dotenv))
		return 0;
	if (dotenv->end - dotenv->text > 7 && !strncmp(dotenv->text, "export ", 7)) {
		dotenv->text += 7;
		skip_blanks(dotenv);
	}
	name = dotenv->text;
	len = name_len(name, (size_t)(dotenv->end - name));
	if (!len || name + len == dotenv->end || name[len] != '=')
		return dotenv_refuse(dotenv, dotenv->end, "not NAME=VALUE; write one per line");
	for (size_t i = 0; i <= len; i++)
		dotenv_put(dotenv, name[i]);
	dotenv->text = name + len + 1;
	skip_blanks(dotenv);
	if (dotenv->text < dotenv->end && (*dotenv->text == '"' || *dotenv->text == '\''))
		fault = put_quoted(dotenv, name);
	else
		put_plain(dotenv);
	dotenv_put(dotenv, '\0');
	dotenv->variables++;
	return fault;
}

static int take_lines(struct dotenv *dotenv, const char *text, size_t len)
{
	const char *limit = text + len;

	while (text < limit) {
		const char *newline = memchr(text, '\n', (size_t)(limit - text));
		int fault;

		dotenv->number++;
		dotenv->line = dotenv->text = text;
		dotenv->end = newline ? newline : limit;
		text = newline ? newline + 1 : limit;
		if (dotenv->end > dotenv->text && dotenv->end[-1] == '\r')
			dotenv->end--;
		if (!text_is_clean(dotenv->text, (size_t)(dotenv->end - dotenv->text)))
			return dotenv_refuse(
			    dotenv, dotenv->end, "a control character or not UTF-8; remove it");
		fault = take_line(dotenv);
		if (fault)
			return fault;
	}
	return 0;
}

int dotenv_parse(
    const char *file, const char *text, size_t len, char ***ret_list, struct err_note *note)
{
	struct dotenv counted = {.file = file, .note = note};
	struct dotenv written = {.file = file, .note = note};
	char **list, *at;
	int fault;

	if (len > POLICY_FILE_MAX)
		return err_note(
		    note, -EINVAL, "%s:1:1: line: larger than 4 MiB; shorten the file", file);
	fault = take_lines(&counted, text, len);
	if (fault)
		return fault;
	list = calloc(1, (counted.variables + 1) * sizeof(*list) + counted.bytes);
	if (!list)
		return -ENOMEM;
	at = (char *)(list + counted.variables + 1);
	written.out = at;
	(void)take_lines(&written, text, len); /* the same lines were read without fault above */
	for (size_t i = 0; i < counted.variables; i++) {
		list[i] = at;
		at += strlen(at) + 1;
	}
	*ret_list = list;
	return 0;
}
