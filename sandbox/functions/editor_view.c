#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/functions/editor.h"
#include "sandbox/functions/editor_call.h"
#include "sandbox/functions/editor_file.h"
#include "sandbox/functions/editor_text.h"
#include "sandbox/functions/listing.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define LEVELS_SHOWN  2
#define ENTRIES_SHOWN 2000

/* ---- a file --------------------------------------------------------------------------------- */

static void tell_ends(const struct editor_call *call, const struct editor_text *text)
{
	if (text->ends == LINE_ENDS_CRLF)
		(void)buf_text(call->out, "[every line ends in CRLF; edits keep that]\n");
	else if (text->ends == LINE_ENDS_MIXED)
		(void)buf_text(call->out,
		    "[some lines end in CRLF and some in LF; old_str must give them exactly]\n");
	if (text->len > 0 && text->bytes[text->len - 1] != '\n')
		(void)buf_text(call->out, "[no line end at the end of the file]\n");
}

static int show_text(const struct editor_call *call, const struct editor_text *text)
{
	size_t lines = editor_text_lines(text), first = 1, last = lines, shown;

	if (call->has_range) {
		first = (size_t)call->range[0];
		last = call->range[1] == EDITOR_TO_END ? lines : (size_t)call->range[1];
		if (first > lines)
			return err_note(call->note, -ERANGE,
			    PLACE_SHOWN ": has %zu lines; view_range begins at %zu", call->path,
			    lines, first);
		last = last < lines ? last : lines;
	}
	if (lines == 0)
		(void)buf_text(call->out, "[the file is empty]\n");
	shown = editor_text_show(text, first, last, call->out);
	if (shown < last)
		(void)buf_textf(call->out,
		    "[cut: lines %zu to %zu of %zu shown; give view_range for the rest]\n", first,
		    shown, lines);
	else if (last == lines)
		tell_ends(call, text);
	return call->out->fault;
}

static int view_file(const struct editor_call *call, const struct editor_file *file)
{
	struct editor_text cleanup_with(editor_text_fini) text = {.bytes = NULL};
	int r = editor_text_read(&text, file->bytes, file->len);

	if (r == -EILSEQ)
		return err_note(call->note, r,
		    PLACE_SHOWN ": is not UTF-8 text (%zu bytes); this tool shows text only",
		    call->path, file->len);
	if (r < 0)
		return err_note(call->note, r, PLACE_SHOWN ": out of memory", call->path);
	return show_text(call, &text);
}

/* ---- a folder ------------------------------------------------------------------------------- */

struct tree {
	const struct editor_call *call;
	size_t shown;
	bool cut;
};

static void show_name(struct tree *tree, const char *path, const struct listing_entry *entry)
{
	char printed[4 * NAME_MAX + 1];
	const char *mark = entry->kind == LISTING_FOLDER ? "/"
			   : entry->kind == LISTING_LINK ? "@"
			   : entry->kind == LISTING_FILE ? ""
							 : "?";

	str_printable(printed, sizeof(printed), entry->name);
	(void)buf_textf(tree->call->out, "%s%s%s\n", path, printed, mark);
	tree->shown++;
}

static int show_folder(struct tree *tree, int folder, const char *path, unsigned levels)
{
	struct listing cleanup_with(listing_fini) listing = {.count = 0};
	int r = listing_read(&listing, folder, ENTRIES_SHOWN);

	if (r < 0)
		return r;
	for (size_t i = 0; i < listing.count; i++) {
		const struct listing_entry *entry = &listing.entries[i];
		char below[6 * NAME_MAX], printed[4 * NAME_MAX + 1];
		int cleanup_fd inner = -1;

		if (entry->name[0] == '.')
			continue;
		if (tree->shown == ENTRIES_SHOWN) {
			tree->cut = true;
			break;
		}
		show_name(tree, path, entry);
		if (entry->kind != LISTING_FOLDER || levels < 2)
			continue;
		inner = place_open_folder(folder, entry->name);
		str_printable(printed, sizeof(printed), entry->name);
		snprintf(below, sizeof(below), "%s%s/", path, printed);
		/* A folder that cannot be read shows as one that is empty. */
		if (inner >= 0)
			(void)show_folder(tree, inner, below, levels - 1);
	}
	tree->cut = tree->cut || listing.cut;
	return 0;
}

static int view_folder(const struct editor_call *call, const struct place *place)
{
	struct tree tree = {.call = call};
	int cleanup_fd folder = -1;
	int r;

	if (call->has_range)
		return err_note(call->note, -EISDIR,
		    PLACE_SHOWN ": is a folder; view_range is for files", call->path);
	folder = place_open_folder(place->dir, place->name);
	r = folder < 0 ? folder : show_folder(&tree, folder, "", LEVELS_SHOWN);
	if (r < 0) {
		(void)err_note(call->note, r, PLACE_SHOWN ": cannot be listed", call->path);
		return err_note_errno(call->note, r);
	}
	if (tree.shown == 0 && !tree.cut)
		(void)buf_text(call->out, "[nothing but hidden files, or nothing at all]\n");
	if (tree.cut)
		(void)buf_textf(call->out,
		    "[cut: %zu entries shown, there are more; view the folders one by one]\n",
		    tree.shown);
	return call->out->fault;
}

int editor_view(const struct editor_call *call)
{
	struct editor_file cleanup_with(editor_file_fini) file = {.place = {.dir = -1}};
	int r =
	    editor_file_read(&file, call->top, call->path, PLACE_PARENTS_AS_THEY_ARE, call->note);

	if (r == -EISDIR)
		return view_folder(call, &file.place);
	if (r == PLACE_ABSENT)
		return err_note(call->note, -ENOENT,
		    PLACE_SHOWN ": no such file or folder; view the folder above it", call->path);
	return r < 0 ? r : view_file(call, &file);
}
