#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/functions/editor.h"
#include "sandbox/functions/editor_call.h"
#include "sandbox/functions/editor_file.h"
#include "sandbox/functions/editor_text.h"
#include "sandbox/functions/editor_undo.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define MATCHES_COUNTED 1000
#define MATCHES_NAMED   10
#define LINES_TEXT_MAX  256

static int no_memory(const struct editor_call *call)
{
	return err_note(call->note, -ENOMEM, PLACE_SHOWN ": out of memory", call->path);
}

/* ---- the file before, and the file after ----------------------------------------------------- */

/* A file that must be there and be text. */
static int read_text(
    const struct editor_call *call, struct editor_file *file, struct editor_text *text)
{
	int r =
	    editor_file_read(file, call->top, call->path, PLACE_PARENTS_AS_THEY_ARE, call->note);

	if (r == PLACE_ABSENT)
		return err_note(call->note, -ENOENT,
		    PLACE_SHOWN ": no such file; use create to make it", call->path);
	if (r < 0)
		return r;
	r = editor_text_read(text, file->bytes, file->len);
	if (r == -EILSEQ)
		return err_note(call->note, r,
		    PLACE_SHOWN ": is not UTF-8 text; this tool edits text only", call->path);
	return r < 0 ? no_memory(call) : 0;
}

/* The old bytes go to the history first: a crash in between leaves an entry that no longer fits,
 * never an edit that cannot be undone. */
static int store(
    const struct editor_call *call, const struct editor_file *file, const char *bytes, size_t len)
{
	struct undo cleanup_with(undo_fini) undo = {.dir = -1};
	int r;

	if (len > EDITOR_FILE_MAX)
		return err_note(call->note, -EFBIG,
		    PLACE_SHOWN ": would be larger than 8 MiB; nothing was written", call->path);
	r = undo_open(&undo, call->top, UNDO_MAKE, call->note);
	if (r == 0)
		r = undo_keep(&undo, file, bytes, len, call->note);
	if (r < 0)
		return r;
	r = editor_file_write(file, bytes, len, call->note);
	if (r < 0)
		undo_drop(&undo, undo.number);
	else
		undo_trim(&undo);
	return r;
}

/* Shows lines of the new text around what changed: `len` bytes at offset. */
static void show_around(
    const struct editor_call *call, const struct editor_text *text, size_t offset, size_t len)
{
	size_t first = editor_text_line_of(text, offset);
	size_t last = len > 0 ? editor_text_line_of(text, offset + len - 1) : first;
	size_t lines = editor_text_lines(text), shown;

	first = first > EDITOR_CONTEXT ? first - EDITOR_CONTEXT : 1;
	last = last + EDITOR_CONTEXT < lines ? last + EDITOR_CONTEXT : lines;
	if (last >= first + EDITOR_SNIPPET_MAX)
		last = first + EDITOR_SNIPPET_MAX - 1;
	shown = editor_text_show(text, first, last, call->out);
	if (shown < lines)
		(void)buf_textf(call->out, "[lines %zu to %zu of %zu]\n", first, shown, lines);
	else if (lines == 0)
		(void)buf_text(call->out, "[the file is empty now]\n");
}

static int store_text(
    const struct editor_call *call, const struct editor_file *file, const struct editor_text *text)
{
	char *cleanup_free bytes = NULL;
	size_t len;
	int r = editor_text_bytes(text, &bytes, &len);

	return r < 0 ? no_memory(call) : store(call, file, bytes, len);
}

/* ---- create --------------------------------------------------------------------------------- */

int editor_create(const struct editor_call *call)
{
	struct editor_file cleanup_with(editor_file_fini) file = {.place = {.dir = -1}};
	size_t len = strlen(call->file_text);
	int r = editor_file_read(&file, call->top, call->path, PLACE_PARENTS_MAKE, call->note);

	if (r < 0)
		return r;
	if (file.exists && file.len == len && memcmp(file.bytes, call->file_text, len) == 0) {
		(void)buf_textf(call->out,
		    PLACE_SHOWN ": holds exactly this text already; nothing was written\n",
		    call->path);
		return call->out->fault;
	}
	r = store(call, &file, call->file_text, len);
	if (r < 0)
		return r;
	(void)buf_textf(call->out, "%s " PLACE_SHOWN " (%zu bytes)%s\n",
	    file.exists ? "Overwrote" : "Created", call->path, len,
	    file.exists ? "; undo brings the old text back" : "");
	return call->out->fault;
}

/* ---- str_replace ---------------------------------------------------------------------------- */

/* Overlapping ones count too: each is a place that could be meant. The offset of the first. */
static size_t count_matches(
    const struct editor_text *text, const char *old, size_t *ret_first, char lines[LINES_TEXT_MAX])
{
	const char *end = text->bytes + text->len, *at = text->bytes;
	size_t len = strlen(old), count = 0, used = 0;

	lines[0] = '\0';
	while (count < MATCHES_COUNTED && (at = memmem(at, (size_t)(end - at), old, len))) {
		size_t offset = (size_t)(at - text->bytes);

		if (count == 0)
			*ret_first = offset;
		if (count < MATCHES_NAMED)
			used += (size_t)snprintf(lines + used, LINES_TEXT_MAX - used, "%s%zu",
			    count ? ", " : "", editor_text_line_of(text, offset));
		else if (count == MATCHES_NAMED)
			used += (size_t)snprintf(lines + used, LINES_TEXT_MAX - used, ", ...");
		count++;
		at++;
	}
	return count;
}

static int refuse_matches(
    const struct editor_call *call, const struct editor_text *text, size_t count, const char *lines)
{
	if (count > 0)
		return err_note(call->note, -EEXIST,
		    PLACE_SHOWN ": old_str occurs %s%zu times (lines %s); give more of the text "
				"around the one you mean",
		    call->path, count == MATCHES_COUNTED ? "at least " : "", count, lines);
	return err_note(call->note, -ENOENT,
	    PLACE_SHOWN
	    ": old_str does not occur; view the file and give the text exactly, with its "
	    "spaces%s",
	    call->path, text->ends == LINE_ENDS_MIXED ? " and its mixed line ends" : "");
}

static int replace_in(
    const struct editor_call *call, const struct editor_file *file, struct editor_text *text)
{
	char *cleanup_free old = editor_text_given(text, call->old_str);
	char *cleanup_free new = editor_text_given(text, call->new_str);
	char lines[LINES_TEXT_MAX];
	size_t at = 0, count;
	int r;

	if (!old || !new)
		return no_memory(call);
	if (strcmp(old, new) == 0)
		return err_note(
		    call->note, -EINVAL, "new_str: is the same as old_str; nothing would change");
	count = count_matches(text, old, &at, lines);
	if (count != 1)
		return refuse_matches(call, text, count, lines);
	if (editor_text_splice(text, at, strlen(old), new) < 0)
		return no_memory(call);
	r = store_text(call, file, text);
	if (r < 0)
		return r;
	(void)buf_textf(call->out, "Replaced 1 occurrence in " PLACE_SHOWN ":\n", call->path);
	show_around(call, text, at, strlen(new));
	return call->out->fault;
}

int editor_replace(const struct editor_call *call)
{
	struct editor_file cleanup_with(editor_file_fini) file = {.place = {.dir = -1}};
	struct editor_text cleanup_with(editor_text_fini) text = {.bytes = NULL};
	int r = read_text(call, &file, &text);

	return r < 0 ? r : replace_in(call, &file, &text);
}

/* ---- insert --------------------------------------------------------------------------------- */

/* The text as lines of its own: an end after it where a line follows or where the last line had
 * one, and an end before it where the last line has none. */
static char *whole_lines(const struct editor_text *text, size_t offset, const char *given)
{
	size_t len = strlen(given);
	bool after_open_line = offset > 0 && text->bytes[offset - 1] != '\n';
	bool closed = given[len - 1] == '\n' || after_open_line;
	char *out = malloc(len + 3);

	if (!out)
		return NULL;
	snprintf(out, len + 3, "%s%s%s", after_open_line ? "\n" : "", given, closed ? "" : "\n");
	return out;
}

static int insert_into(
    const struct editor_call *call, const struct editor_file *file, struct editor_text *text)
{
	char *cleanup_free given = editor_text_given(text, call->insert_text);
	char *cleanup_free lines = NULL;
	size_t have = editor_text_lines(text), after = (size_t)call->insert_line, at;
	int r;

	if (after > have)
		return err_note(call->note, -ERANGE,
		    PLACE_SHOWN ": has %zu lines; insert_line is %zu", call->path, have, after);
	at = editor_text_offset(text, after + 1);
	lines = given ? whole_lines(text, at, given) : NULL;
	if (!lines || editor_text_splice(text, at, 0, lines) < 0)
		return no_memory(call);
	r = store_text(call, file, text);
	if (r < 0)
		return r;
	(void)buf_textf(
	    call->out, "Inserted after line %zu of " PLACE_SHOWN ":\n", after, call->path);
	show_around(call, text, at, strlen(lines));
	return call->out->fault;
}

int editor_insert(const struct editor_call *call)
{
	struct editor_file cleanup_with(editor_file_fini) file = {.place = {.dir = -1}};
	struct editor_text cleanup_with(editor_text_fini) text = {.bytes = NULL};
	int r = read_text(call, &file, &text);

	return r < 0 ? r : insert_into(call, &file, &text);
}

/* ---- undo ----------------------------------------------------------------------------------- */

static bool is_before(const struct undo_entry *entry, const struct editor_file *file)
{
	if (!entry->existed || !file->exists)
		return entry->existed == file->exists;
	return entry->len == file->len && memcmp(entry->bytes, file->bytes, file->len) == 0;
}

/* Where two texts begin to differ, and how much of the new one does. */
static void show_difference(
    const struct editor_call *call, const struct editor_file *was, const struct undo_entry *entry)
{
	struct editor_text cleanup_with(editor_text_fini) old = {.bytes = NULL};
	struct editor_text cleanup_with(editor_text_fini) new = {.bytes = NULL};
	size_t head = 0, tail = 0, least;

	if (editor_text_read(&old, was->bytes, was->len) < 0 ||
	    editor_text_read(&new, entry->bytes, entry->len) < 0)
		return;
	least = old.len < new.len ? old.len : new.len;
	while (head < least && old.bytes[head] == new.bytes[head])
		head++;
	while (
	    tail < least - head && old.bytes[old.len - tail - 1] == new.bytes[new.len - tail - 1])
		tail++;
	show_around(call, &new, head, new.len - head - tail);
}

static int take_back(
    const struct editor_call *call, const struct editor_file *file, const struct undo_entry *entry)
{
	int r;

	if (entry->existed) {
		r = editor_file_write(file, entry->bytes, entry->len, call->note);
		if (r < 0)
			return r;
		(void)buf_textf(
		    call->out, "Took back the last edit of " PLACE_SHOWN ":\n", call->path);
		show_difference(call, file, entry);
		return call->out->fault;
	}
	r = editor_file_remove(file, call->note);
	if (r < 0)
		return r;
	(void)buf_textf(call->out,
	    "Removed " PLACE_SHOWN ", which the last edit of it had created\n", call->path);
	return call->out->fault;
}

static int undo_entry(const struct editor_call *call, const struct editor_file *file,
    const struct undo *undo, const struct undo_entry *entry)
{
	int r;

	if (is_before(entry, file)) {
		undo_drop(undo, entry->number);
		return err_note(call->note, -EALREADY,
		    PLACE_SHOWN
		    ": the last edit is not in it any more, so nothing was changed; undo "
		    "again for the edit before that",
		    call->path);
	}
	if (!file->exists)
		return err_note(
		    call->note, -ENOENT, PLACE_SHOWN ": is gone; nothing was changed", call->path);
	if (!undo_entry_left(entry, file->bytes, file->len))
		return err_note(call->note, -EBUSY,
		    PLACE_SHOWN ": was changed by something else since the last edit; nothing was "
				"changed",
		    call->path);
	r = take_back(call, file, entry);
	if (r == 0)
		undo_drop(undo, entry->number);
	return r;
}

int editor_undo(const struct editor_call *call)
{
	struct editor_file cleanup_with(editor_file_fini) file = {.place = {.dir = -1}};
	struct undo cleanup_with(undo_fini) undo = {.dir = -1};
	struct undo_entry cleanup_with(undo_entry_fini) entry = {.bytes = NULL};
	int r =
	    editor_file_read(&file, call->top, call->path, PLACE_PARENTS_AS_THEY_ARE, call->note);

	if (r < 0)
		return r;
	r = undo_open(&undo, call->top, UNDO_AS_IS, call->note);
	if (r < 0)
		return r;
	if (r == 0)
		r = undo_last(&undo, file.place.path, &entry);
	if (r == UNDO_NONE)
		return err_note(call->note, -ENOENT,
		    PLACE_SHOWN ": no edit of it is in the history; nothing to undo", call->path);
	if (r == -ENOMEM)
		return no_memory(call);
	if (r < 0)
		return err_note(call->note, r,
		    PLACE_PRIVATE "/undo: cannot be read, or holds other files; remove it");
	return undo_entry(call, &file, &undo, &entry);
}
